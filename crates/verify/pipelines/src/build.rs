//! CI jobs, called builds: the type and its SQL.

use std::collections::HashMap;

use ci_yaml::{JobSpec, When};
use kernel::db::Sql;
use kernel::{App, Result, Time};
use sea_orm::{ConnectionTrait, FromQueryResult};

use crate::status::Status;
use crate::variables::GivenVariable;

/// A job of a pipeline.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Build {
    /// The id.
    pub id: i64,
    /// The project.
    pub project_id: i64,
    /// The pipeline.
    pub pipeline_id: i64,
    /// Who started it.
    pub user_id: Option<i64>,
    /// The name, with its instance.
    pub name: String,
    /// The name of the stage.
    pub stage: String,
    /// The place of the stage.
    pub stage_index: i64,
    /// The place within the pipeline.
    pub position: i64,
    /// The state.
    pub status: Status,
    /// See [`When`].
    pub when_to_run: String,
    /// Whether its failure leaves the pipeline green.
    pub allow_failure: bool,
    /// Whether it waits for its needs rather than for the stages before.
    pub dag: bool,
    /// Whether another has taken its place.
    pub retried: bool,
    /// How often it was tried before by itself.
    pub attempt: i64,
    /// Whether a newer pipeline may cancel it.
    pub interruptible: bool,
    /// A JSON list of the tags that a runner must have.
    pub tags: String,
    /// The [`JobSpec`] as JSON.
    pub spec: String,
    /// Variables given when it was played, a JSON list.
    pub play_variables: String,
    /// Its time limit in seconds.
    pub timeout: i64,
    /// Which runner has it.
    pub runner: Option<String>,
    /// Why it failed, in GitLab's words.
    pub failure_reason: Option<String>,
    /// The exit code of its script.
    pub exit_code: Option<i64>,
    /// Its coverage in percent.
    pub coverage: Option<f64>,
    /// Bytes of its log.
    pub trace_size: i64,
    /// Whether the log is among the objects.
    pub trace_archived: bool,
    /// When it was made.
    pub created_at: Time,
    /// When it began to wait for a runner.
    pub queued_at: Option<Time>,
    /// When a delayed job starts.
    pub scheduled_at: Option<Time>,
    /// When a runner took it.
    pub started_at: Option<Time>,
    /// When it ended.
    pub finished_at: Option<Time>,
    /// When its log and artifacts were erased.
    pub erased_at: Option<Time>,
}

/// The topic that is woken when a job waits for a runner.
pub(crate) const QUEUE: &str = "builds";

impl Build {
    /// Finds a job of a project.
    pub async fn find<C: ConnectionTrait>(conn: &C, project_id: i64, id: i64) -> Result<Option<Self>> {
        conn.one("SELECT * FROM builds WHERE project_id = $1 AND id = $2", [project_id.into(), id.into()]).await
    }

    /// Finds a job by its id alone.
    pub(crate) async fn by_id<C: ConnectionTrait>(conn: &C, id: i64) -> Result<Option<Self>> {
        conn.one("SELECT * FROM builds WHERE id = $1", [id.into()]).await
    }

    /// The jobs of a pipeline in order, without those that were tried again.
    pub async fn of_pipeline<C: ConnectionTrait>(conn: &C, pipeline_id: i64) -> Result<Vec<Self>> {
        let sql = "SELECT * FROM builds WHERE pipeline_id = $1 AND retried = FALSE ORDER BY stage_index, position, id";
        conn.all(sql, [pipeline_id.into()]).await
    }

    /// What the configuration says of it.
    pub fn spec(&self) -> Result<JobSpec> {
        Ok(serde_json::from_str(&self.spec)?)
    }

    /// When it starts.
    pub fn when(&self) -> When {
        When::from_word(&self.when_to_run).unwrap_or(When::OnSuccess)
    }

    /// The tags that a runner must have.
    pub fn tags(&self) -> Vec<String> {
        serde_json::from_str(&self.tags).unwrap_or_default()
    }

    /// The variables given when it was played.
    pub fn play_variables(&self) -> Vec<GivenVariable> {
        serde_json::from_str(&self.play_variables).unwrap_or_default()
    }

    /// Seconds that it has run.
    pub fn duration(&self) -> Option<f64> {
        let end = self.finished_at.unwrap_or_else(Time::now);
        self.started_at.map(|s| end.since(s).as_secs_f64())
    }

    /// Seconds that it waited for a runner.
    pub fn queued(&self) -> Option<f64> {
        let end = self.started_at.unwrap_or_else(Time::now);
        self.queued_at.map(|q| end.since(q).as_secs_f64())
    }

    /// Whether it can be run again by somebody.
    pub fn is_retryable(&self) -> bool {
        !self.retried && matches!(self.status, Status::Success | Status::Failed | Status::Canceled)
    }

    /// Whether it waits for somebody.
    pub fn is_playable(&self) -> bool {
        matches!(self.status, Status::Manual | Status::Scheduled)
    }

    /// The topic that is woken when its log grows or it ends.
    pub fn topic(id: i64) -> String {
        format!("build:{id}")
    }

    /// The absolute URL of its page.
    pub fn url(&self, app: &App, project_path: &str) -> String {
        app.config().link(&format!("/{project_path}/-/jobs/{}", self.id))
    }
}

#[derive(FromQueryResult)]
struct NeedRow {
    build_id: i64,
    needed_name: String,
    artifacts: bool,
}

/// A job that another needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// Its name.
    pub name: String,
    /// Whether its artifacts are wanted.
    pub artifacts: bool,
}

/// The needs of all jobs of a pipeline, by the id of the one that needs.
pub async fn needs_of_pipeline<C: ConnectionTrait>(conn: &C, pipeline_id: i64) -> Result<HashMap<i64, Vec<Need>>> {
    let sql = "SELECT n.build_id, n.needed_name, n.artifacts FROM build_needs n JOIN builds b ON b.id = n.build_id
               WHERE b.pipeline_id = $1 AND b.retried = FALSE";
    let mut needs: HashMap<i64, Vec<Need>> = HashMap::new();
    for row in conn.all::<NeedRow>(sql, [pipeline_id.into()]).await? {
        needs.entry(row.build_id).or_default().push(Need { name: row.needed_name, artifacts: row.artifacts });
    }
    Ok(needs)
}

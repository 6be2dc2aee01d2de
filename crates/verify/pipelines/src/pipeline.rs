//! Pipelines: the type and its SQL.

use kernel::db::Sql;
use kernel::events::Event;
use kernel::{App, Result, Time, Tx};
use repositories::CommitStatus;
use repositories::commit_status::{self, NewStatus};
use sea_orm::{ConnectionTrait, FromQueryResult};
use serde::{Deserialize, Serialize};

use crate::build::Build;
use crate::status::{Status, composite};
use crate::variables::GivenVariable;

/// A run of the jobs of a `.gitlab-ci.yml` at a commit.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Pipeline {
    /// The id.
    pub id: i64,
    /// The number within the project.
    pub iid: i64,
    /// The project.
    pub project_id: i64,
    /// Who started it.
    pub user_id: Option<i64>,
    /// The short name of the branch or tag.
    pub ref_name: String,
    /// Whether that is a tag.
    pub tag: bool,
    /// The commit.
    pub sha: String,
    /// The commit before, forty zeros for none.
    pub before_sha: String,
    /// What started it: `push`, `web`, `api`, …
    pub source: String,
    /// The state.
    pub status: Status,
    /// The name, from `workflow:name`.
    pub name: Option<String>,
    /// Why the configuration was refused.
    pub yaml_errors: Option<String>,
    /// A JSON list of the stages' names in order.
    pub stages: String,
    /// The variables it was started with, a JSON list of [`GivenVariable`].
    pub variables: String,
    /// The `workflow:auto_cancel` as JSON.
    pub auto_cancel: String,
    /// The first line of the commit's message.
    pub commit_title: String,
    /// The mean coverage of its jobs in percent.
    pub coverage: Option<f64>,
    /// When it was made.
    pub created_at: Time,
    /// When its state last changed.
    pub updated_at: Time,
    /// When its first job began.
    pub started_at: Option<Time>,
    /// When its last job ended.
    pub finished_at: Option<Time>,
}

/// The state of a pipeline changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PipelineChanged {
    /// The project.
    pub project_id: i64,
    /// The pipeline.
    pub pipeline_id: i64,
    /// The state now.
    pub status: Status,
}
impl Event for PipelineChanged {
    const NAME: &'static str = "pipeline.changed";
}

impl Pipeline {
    /// Finds a pipeline of a project.
    pub async fn find<C: ConnectionTrait>(conn: &C, project_id: i64, id: i64) -> Result<Option<Self>> {
        conn.one("SELECT * FROM pipelines WHERE project_id = $1 AND id = $2", [project_id.into(), id.into()]).await
    }

    /// The newest pipeline of a ref.
    pub async fn latest<C: ConnectionTrait>(conn: &C, project_id: i64, ref_name: &str) -> Result<Option<Self>> {
        let sql = "SELECT * FROM pipelines WHERE project_id = $1 AND ref_name = $2 ORDER BY id DESC LIMIT 1";
        conn.one(sql, [project_id.into(), ref_name.into()]).await
    }

    /// The names of its stages, in order.
    pub fn stages(&self) -> Vec<String> {
        serde_json::from_str(&self.stages).unwrap_or_default()
    }

    /// The variables it was started with.
    pub fn given_variables(&self) -> Vec<GivenVariable> {
        serde_json::from_str(&self.variables).unwrap_or_default()
    }

    /// Seconds from the first start to the last end, or until now.
    pub fn duration(&self) -> Option<u64> {
        let end = self.finished_at.unwrap_or_else(Time::now);
        self.started_at.map(|s| end.since(s).as_secs())
    }

    /// Seconds from its making to the first start.
    pub fn queued(&self) -> Option<u64> {
        self.started_at.map(|s| s.since(self.created_at).as_secs())
    }

    /// Whether it passed although something failed.
    pub fn passed_with_warnings(&self, builds: &[Build]) -> bool {
        self.status == Status::Success && builds.iter().any(|b| b.allow_failure && b.status == Status::Failed)
    }

    /// The topic that is woken when it or one of its jobs changed.
    pub fn topic(id: i64) -> String {
        format!("pipeline:{id}")
    }

    /// The absolute URL of its page.
    pub fn url(&self, app: &App, project_path: &str) -> String {
        app.config().link(&format!("/{project_path}/-/pipelines/{}", self.id))
    }

    /// The row by which the commit's other pages know of it.
    pub(crate) fn commit_status(&self, status: Status, coverage: Option<f64>) -> NewStatus {
        NewStatus {
            project_id: self.project_id,
            kind: commit_status::PIPELINE,
            sha: self.sha.clone(),
            reference: self.ref_name.clone(),
            name: "pipeline".into(),
            status: status.word().into(),
            coverage,
            pipeline_id: Some(self.id),
            author_id: self.user_id,
            ..NewStatus::default()
        }
    }

    /// Takes the lock under which the states of its jobs are changed, and reads it.
    pub(crate) async fn lock(tx: &Tx, id: i64) -> Result<Option<Self>> {
        tx.one("UPDATE pipelines SET lock_version = lock_version + 1 WHERE id = $1 RETURNING *", [id.into()]).await
    }

    /// Writes the state that its jobs make together; gives whether it changed.
    pub(crate) async fn settle(&self, tx: &Tx, builds: &[Build]) -> Result<bool> {
        let jobs = builds.iter().map(|b| (b.status, b.allow_failure));
        let status = composite(jobs).unwrap_or(Status::Skipped);
        let started = self.started_at.or_else(|| builds.iter().filter_map(|b| b.started_at).min());
        let finished =
            status.is_complete().then(|| builds.iter().filter_map(|b| b.finished_at).max().unwrap_or_else(Time::now));
        let covered: Vec<f64> = builds.iter().filter_map(|b| b.coverage).collect();
        #[allow(clippy::cast_precision_loss)] // A pipeline has at most thousands of jobs.
        let coverage = (!covered.is_empty()).then(|| covered.iter().sum::<f64>() / covered.len() as f64);
        let changed = status != self.status;
        if changed || started != self.started_at || finished != self.finished_at || coverage != self.coverage {
            let sql = "UPDATE pipelines SET status = $2, started_at = $3, finished_at = $4, coverage = $5, updated_at = $6 WHERE id = $1";
            let values =
                [self.id.into(), status.into(), started.into(), finished.into(), coverage.into(), Time::now().into()];
            tx.run(sql, values).await?;
        }
        tx.wake(&Self::topic(self.id)).await?;
        if changed || self.status == Status::Created {
            CommitStatus::set(&**tx, self.commit_status(status, coverage)).await?;
        }
        if changed {
            let event = PipelineChanged { project_id: self.project_id, pipeline_id: self.id, status };
            tx.publish(&event).await?;
        }
        Ok(changed)
    }
}

//! How commits fare: a neutral record below pipelines and merge requests, written by pipelines and by the API.

use std::collections::HashMap;

use kernel::db::Sql;
use kernel::{Error, Result, Time};
use sea_orm::{ConnectionTrait, FromQueryResult, Value};

/// The kind of the row that stands for a whole pipeline.
pub const PIPELINE: &str = "pipeline";
/// The kind of rows that were set from outside.
pub const EXTERNAL: &str = "external";

/// The states that can be set from outside.
pub const STATES: &[&str] = &["pending", "running", "success", "failed", "canceled", "skipped"];

/// One status of a commit.
#[derive(Clone, Debug, FromQueryResult)]
pub struct CommitStatus {
    /// The id.
    pub id: i64,
    /// The project.
    pub project_id: i64,
    /// [`PIPELINE`] or [`EXTERNAL`].
    pub kind: String,
    /// The commit.
    pub sha: String,
    /// The branch or tag.
    #[sea_orm(from_alias = "ref")]
    pub reference: String,
    /// What was checked, such as `ci/lint`.
    pub name: String,
    /// Its state, in GitLab's words.
    pub status: String,
    /// Where to read more.
    pub target_url: Option<String>,
    /// A short description.
    pub description: Option<String>,
    /// The test coverage in percent.
    pub coverage: Option<f64>,
    /// Whether its failure matters.
    pub allow_failure: bool,
    /// The pipeline that it belongs to.
    pub pipeline_id: Option<i64>,
    /// Who set it.
    pub author_id: Option<i64>,
    /// When it was made.
    pub created_at: Time,
    /// When it began to run.
    pub started_at: Option<Time>,
    /// When it ended.
    pub finished_at: Option<Time>,
}

/// What a status is set to.
#[derive(Clone, Debug, Default)]
pub struct NewStatus {
    /// The project.
    pub project_id: i64,
    /// [`PIPELINE`] or [`EXTERNAL`].
    pub kind: &'static str,
    /// The commit.
    pub sha: String,
    /// The branch or tag.
    pub reference: String,
    /// What was checked.
    pub name: String,
    /// Its state.
    pub status: String,
    /// Where to read more.
    pub target_url: Option<String>,
    /// A short description.
    pub description: Option<String>,
    /// The test coverage in percent.
    pub coverage: Option<f64>,
    /// Whether its failure matters.
    pub allow_failure: bool,
    /// The pipeline that it belongs to.
    pub pipeline_id: Option<i64>,
    /// Who sets it.
    pub author_id: Option<i64>,
}

/// The state of a commit as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Combined {
    /// Its state, in GitLab's words.
    pub status: String,
    /// The pipeline that says so; `None` where statuses were set from outside only.
    pub pipeline_id: Option<i64>,
}

impl CommitStatus {
    /// Sets a status: the one of the same pipeline, or from outside of the same commit, ref and name; else a new one.
    pub async fn set<C: ConnectionTrait>(conn: &C, new: NewStatus) -> Result<Self> {
        let known = Self::find_same(conn, &new).await?;
        let now = Time::now();
        let began = (!matches!(new.status.as_str(), "created" | "pending" | "manual" | "scheduled")).then_some(now);
        let ended = is_final(&new.status).then_some(now);
        let fields: Vec<Value> = vec![
            new.status.into(),
            new.target_url.into(),
            new.description.into(),
            new.coverage.into(),
            new.allow_failure.into(),
            began.into(),
            ended.into(),
        ];
        let (sql, key): (_, Vec<Value>) = match known {
            Some(known) => (
                "UPDATE commit_statuses SET status = $1, target_url = COALESCE($2, target_url),
                   description = COALESCE($3, description), coverage = COALESCE($4, coverage), allow_failure = $5,
                   started_at = COALESCE(started_at, $6), finished_at = $7 WHERE id = $8 RETURNING *",
                vec![known.id.into()],
            ),
            None => (
                "INSERT INTO commit_statuses (status, target_url, description, coverage, allow_failure, started_at,
                   finished_at, project_id, kind, sha, ref, name, pipeline_id, author_id, created_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) RETURNING *",
                vec![
                    new.project_id.into(),
                    new.kind.into(),
                    new.sha.into(),
                    new.reference.into(),
                    new.name.into(),
                    new.pipeline_id.into(),
                    new.author_id.into(),
                    now.into(),
                ],
            ),
        };
        let row = conn.one(sql, fields.into_iter().chain(key).collect::<Vec<_>>()).await?;
        row.ok_or_else(|| Error::internal(std::io::Error::other("a status was not written")))
    }

    async fn find_same<C: ConnectionTrait>(conn: &C, new: &NewStatus) -> Result<Option<Self>> {
        if new.kind == PIPELINE {
            let sql = "SELECT * FROM commit_statuses WHERE kind = 'pipeline' AND pipeline_id = $1";
            return conn.one(sql, [new.pipeline_id.unwrap_or(0).into()]).await;
        }
        let sql = "SELECT * FROM commit_statuses WHERE project_id = $1 AND sha = $2 AND kind = 'external'
                   AND ref = $3 AND name = $4 ORDER BY id DESC";
        let values =
            [new.project_id.into(), new.sha.as_str().into(), new.reference.as_str().into(), new.name.as_str().into()];
        conn.one(sql, values).await
    }

    /// The statuses of a commit that were set from outside, the oldest first.
    pub async fn of_commit<C: ConnectionTrait>(conn: &C, project_id: i64, sha: &str) -> Result<Vec<Self>> {
        let sql = "SELECT * FROM commit_statuses WHERE project_id = $1 AND sha = $2 AND kind = 'external' ORDER BY id";
        conn.all(sql, [project_id.into(), sha.into()]).await
    }

    /// Forgets the pipeline's row, when the pipeline was deleted.
    pub async fn forget_pipeline<C: ConnectionTrait>(conn: &C, pipeline_id: i64) -> Result<()> {
        let sql = "DELETE FROM commit_statuses WHERE kind = 'pipeline' AND pipeline_id = $1";
        conn.run(sql, [pipeline_id.into()]).await?;
        Ok(())
    }

    /// The state of each of the commits that has one: that of its last pipeline, else what outside statuses add up to.
    pub async fn combined<C: ConnectionTrait>(
        conn: &C,
        project_id: i64,
        shas: &[String],
    ) -> Result<HashMap<String, Combined>> {
        let mut found = HashMap::new();
        for chunk in shas.chunks(200) {
            let marks: Vec<String> = (0..chunk.len()).map(|n| format!("${}", n + 2)).collect();
            let sql = format!(
                "SELECT * FROM commit_statuses WHERE project_id = $1 AND sha IN ({}) ORDER BY id",
                marks.join(", ")
            );
            let values = std::iter::once(Value::from(project_id)).chain(chunk.iter().map(|s| s.as_str().into()));
            let rows: Vec<Self> = conn.all(&sql, values.collect::<Vec<_>>()).await?;
            let mut by_sha: HashMap<String, Vec<Self>> = HashMap::new();
            for row in rows {
                by_sha.entry(row.sha.clone()).or_default().push(row);
            }
            found.extend(by_sha.into_iter().filter_map(|(sha, rows)| Some((sha, combine(&rows)?))));
        }
        Ok(found)
    }
}

fn is_final(status: &str) -> bool {
    matches!(status, "success" | "failed" | "canceled" | "skipped")
}

fn combine(rows: &[CommitStatus]) -> Option<Combined> {
    if let Some(last) = rows.iter().rev().find(|r| r.kind == PIPELINE) {
        return Some(Combined { status: last.status.clone(), pipeline_id: last.pipeline_id });
    }
    let counts = |status: &str| rows.iter().any(|r| r.status == status && !(status == "failed" && r.allow_failure));
    let order = ["failed", "running", "pending", "canceled", "success", "skipped"];
    let status = order.into_iter().find(|s| counts(s)).or_else(|| rows.first().map(|_| "success"))?;
    Some(Combined { status: status.into(), pipeline_id: None })
}

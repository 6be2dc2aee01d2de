//! Pipelines as the API shows them.

use accounts::User;
use accounts::entities::UserBasic;
use kernel::db::Sql;
use kernel::{App, Result, Time};
use projects::Project;
use schemars::JsonSchema;
use serde::Serialize;

use super::detailed_status::DetailedStatus;
use crate::pipeline::Pipeline;
use crate::status::Status;

/// A pipeline in a few words.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct PipelineBasic {
    id: i64,
    iid: i64,
    project_id: i64,
    sha: String,
    #[serde(rename = "ref")]
    reference: String,
    status: Status,
    source: String,
    created_at: Time,
    updated_at: Time,
    web_url: String,
}

impl PipelineBasic {
    /// A pipeline of the project at a path.
    pub(crate) fn of(app: &App, project_path: &str, pipeline: &Pipeline) -> Self {
        Self {
            id: pipeline.id,
            iid: pipeline.iid,
            project_id: pipeline.project_id,
            sha: pipeline.sha.clone(),
            reference: pipeline.ref_name.clone(),
            status: pipeline.status,
            source: pipeline.source.clone(),
            created_at: pipeline.created_at,
            updated_at: pipeline.updated_at,
            web_url: pipeline.url(app, project_path),
        }
    }
}

/// A pipeline in a list.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct PipelineListItem {
    #[serde(flatten)]
    basic: PipelineBasic,
    name: Option<String>,
}

impl PipelineListItem {
    pub(crate) fn of(app: &App, project_path: &str, pipeline: &Pipeline) -> Self {
        Self { basic: PipelineBasic::of(app, project_path, pipeline), name: pipeline.name.clone() }
    }
}

/// A pipeline.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct PipelineEntity {
    #[serde(flatten)]
    basic: PipelineBasic,
    before_sha: String,
    tag: bool,
    yaml_errors: Option<String>,
    user: Option<UserBasic>,
    started_at: Option<Time>,
    finished_at: Option<Time>,
    committed_at: Option<Time>,
    /// Seconds; null until it has ended.
    duration: Option<u64>,
    queued_duration: Option<u64>,
    /// A percentage with two decimals.
    coverage: Option<String>,
    detailed_status: DetailedStatus,
    archived: bool,
}

/// A pipeline with its name.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct PipelineDetail {
    #[serde(flatten)]
    pipeline: PipelineEntity,
    name: Option<String>,
}

impl PipelineEntity {
    /// Reads what belongs to a pipeline.
    pub(crate) async fn load(app: &App, project: &Project, pipeline: &Pipeline) -> Result<Self> {
        let conn = app.db().conn();
        let user = match pipeline.user_id {
            Some(id) => User::find(conn, id).await?,
            None => None,
        };
        let sql = "SELECT COUNT(*) FROM builds WHERE pipeline_id = $1 AND retried = FALSE AND allow_failure = TRUE AND status = 'failed'";
        let warned = conn.scalar::<i64>(sql, [pipeline.id.into()]).await?.unwrap_or(0) > 0;
        let page = format!("/{}/-/pipelines/{}", project.full_path, pipeline.id);
        Ok(Self {
            basic: PipelineBasic::of(app, &project.full_path, pipeline),
            before_sha: pipeline.before_sha.clone(),
            tag: pipeline.tag,
            yaml_errors: pipeline.yaml_errors.clone(),
            user: user.map(|u| UserBasic::of(app, &u)),
            started_at: pipeline.started_at,
            finished_at: pipeline.finished_at,
            committed_at: None,
            duration: pipeline.finished_at.and_then(|_| pipeline.duration()),
            queued_duration: pipeline.queued(),
            coverage: pipeline.coverage.map(|c| format!("{c:.2}")),
            detailed_status: DetailedStatus::of(pipeline.status, warned, page),
            archived: false,
        })
    }
}

impl PipelineDetail {
    /// Reads what belongs to a pipeline.
    pub(crate) async fn load(app: &App, project: &Project, pipeline: &Pipeline) -> Result<Self> {
        Ok(Self { pipeline: PipelineEntity::load(app, project, pipeline).await?, name: pipeline.name.clone() })
    }
}

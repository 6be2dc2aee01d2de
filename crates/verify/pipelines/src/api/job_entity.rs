//! Jobs as the API shows them.

use std::collections::HashMap;

use accounts::entities::UserProfile;
use accounts::{Actor, User};
use kernel::db::Sql;
use kernel::{App, Result, Time};
use projects::Project;
use repositories::CommitEntity;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::commit;
use super::pipeline_entity::PipelineBasic;
use crate::artifacts::Artifact;
use crate::build::Build;
use crate::pipeline::Pipeline;
use crate::runner;
use crate::status::Status;

/// A job.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct JobEntity {
    id: i64,
    status: Status,
    stage: String,
    name: String,
    #[serde(rename = "ref")]
    reference: String,
    tag: bool,
    coverage: Option<f64>,
    allow_failure: bool,
    created_at: Time,
    started_at: Option<Time>,
    finished_at: Option<Time>,
    erased_at: Option<Time>,
    duration: Option<f64>,
    queued_duration: Option<f64>,
    user: Option<UserProfile>,
    commit: Option<CommitEntity>,
    pipeline: PipelineBasic,
    /// Present where it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_reason: Option<String>,
    web_url: String,
    project: JobProject,
    /// Present where there is an archive.
    #[serde(skip_serializing_if = "Option::is_none")]
    artifacts_file: Option<ArtifactFile>,
    artifacts: Vec<JobArtifact>,
    runner: Option<RunnerEntity>,
    runner_manager: Option<Value>,
    artifacts_expire_at: Option<Time>,
    archived: bool,
    tag_list: Vec<String>,
}

/// What a job says of its project.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct JobProject {
    ci_job_token_scope_enabled: bool,
}

/// The archive of a job.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct ArtifactFile {
    filename: String,
    size: i64,
}

/// A file that a job left.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct JobArtifact {
    file_type: String,
    size: Option<i64>,
    filename: Option<String>,
    file_format: Option<String>,
}

/// The runner that has a job.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct RunnerEntity {
    id: i64,
    description: Option<String>,
    ip_address: Option<String>,
    active: bool,
    paused: bool,
    is_shared: bool,
    runner_type: &'static str,
    name: Option<String>,
    online: Option<bool>,
    created_by: Option<Value>,
    created_at: Option<Time>,
    status: &'static str,
    job_execution_status: &'static str,
}

impl RunnerEntity {
    /// The runner inside the program, the only one there is.
    fn embedded(active: bool) -> Self {
        Self {
            id: 1,
            description: Some(runner::NAME.into()),
            ip_address: None,
            active: true,
            paused: false,
            is_shared: true,
            runner_type: "instance_type",
            name: Some(runner::NAME.into()),
            online: Some(true),
            created_by: None,
            created_at: None,
            status: "online",
            job_execution_status: if active { "active" } else { "idle" },
        }
    }
}

/// What belongs to jobs of one project, read together.
struct Around<'a> {
    app: &'a App,
    actor: &'a Actor,
    project: &'a Project,
    token_scope: bool,
    pipelines: HashMap<i64, Pipeline>,
    users: HashMap<i64, User>,
    artifacts: HashMap<i64, Vec<Artifact>>,
    commits: HashMap<String, CommitEntity>,
}

/// Jobs of one project, at most a page of them, in the order given.
pub(super) async fn list(app: &App, actor: &Actor, project: &Project, builds: &[Build]) -> Result<Vec<JobEntity>> {
    if builds.is_empty() {
        return Ok(vec![]);
    }
    let conn = app.db().conn();
    let list = |ids: Vec<i64>| ids.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
    let pipelines = list(builds.iter().map(|b| b.pipeline_id).collect());
    let pipelines: Vec<Pipeline> = conn.all(&format!("SELECT * FROM pipelines WHERE id IN ({pipelines})"), []).await?;
    let mut artifacts: HashMap<i64, Vec<Artifact>> = HashMap::new();
    for artifact in Artifact::of_builds(conn, &builds.iter().map(|b| b.id).collect::<Vec<_>>()).await? {
        artifacts.entry(artifact.build_id).or_default().push(artifact);
    }
    let users = User::by_ids(conn, builds.iter().filter_map(|b| b.user_id)).await?;
    let around = Around {
        app,
        actor,
        project,
        token_scope: project.settings()?.ci_job_token_scope_enabled,
        commits: commit::load(app, project, pipelines.iter().map(|p| p.sha.as_str()).collect()).await,
        pipelines: pipelines.into_iter().map(|p| (p.id, p)).collect(),
        users: users.into_iter().map(|u| (u.id, u)).collect(),
        artifacts,
    };
    Ok(builds.iter().filter_map(|b| around.job(b)).collect())
}

/// One job.
pub(super) async fn one(app: &App, actor: &Actor, project: &Project, build: &Build) -> Result<JobEntity> {
    let found = list(app, actor, project, std::slice::from_ref(build)).await?;
    found.into_iter().next().ok_or_else(|| kernel::Error::not_found(""))
}

impl Around<'_> {
    /// The job; `None` where its pipeline went in between.
    fn job(&self, build: &Build) -> Option<JobEntity> {
        let pipeline = self.pipelines.get(&build.pipeline_id)?;
        let left = self.artifacts.get(&build.id).map(Vec::as_slice).unwrap_or_default();
        let archive = left.iter().find(|a| a.kind == "archive");
        let user = build.user_id.and_then(|id| self.users.get(&id));
        Some(JobEntity {
            id: build.id,
            status: build.status,
            stage: build.stage.clone(),
            name: build.name.clone(),
            reference: pipeline.ref_name.clone(),
            tag: pipeline.tag,
            coverage: build.coverage,
            allow_failure: build.allow_failure,
            created_at: build.created_at,
            started_at: build.started_at,
            finished_at: build.finished_at,
            erased_at: build.erased_at,
            duration: build.duration(),
            queued_duration: build.queued(),
            user: user.map(|u| UserProfile::of(self.app, self.actor, u)),
            commit: self.commits.get(&pipeline.sha).cloned(),
            pipeline: PipelineBasic::of(self.app, &self.project.full_path, pipeline),
            failure_reason: build.failure_reason.clone().filter(|_| build.status == Status::Failed),
            web_url: build.url(self.app, &self.project.full_path),
            project: JobProject { ci_job_token_scope_enabled: self.token_scope },
            artifacts_file: archive.map(|a| ArtifactFile { filename: a.file_name.clone(), size: a.size }),
            artifacts: left.iter().map(JobArtifact::of).chain(JobArtifact::trace(build)).collect(),
            runner: build.runner.as_ref().map(|_| RunnerEntity::embedded(build.status.is_active())),
            runner_manager: None,
            artifacts_expire_at: archive.and_then(|a| a.expires_at),
            archived: false,
            tag_list: build.tags(),
        })
    }
}

impl JobArtifact {
    fn of(artifact: &Artifact) -> Self {
        Self {
            file_type: artifact.kind.clone(),
            size: Some(artifact.size),
            filename: Some(artifact.file_name.clone()),
            file_format: Some(artifact.format.clone()),
        }
    }

    /// The log counts as one where it has left the database.
    fn trace(build: &Build) -> Option<Self> {
        build.trace_archived.then(|| Self {
            file_type: "trace".into(),
            size: Some(build.trace_size),
            filename: Some("job.log".into()),
            file_format: Some("raw".into()),
        })
    }
}

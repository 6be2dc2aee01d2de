//! What is done to jobs: retry, cancel, play, erase.

use accounts::audit;
use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use kernel::api::Api;
use kernel::http::Params;
use kernel::{App, Error, Result};
use projects::{ProjectAccess, level};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::build;
use super::job_entity::{self, JobEntity};
use super::pipeline_actions::{Given, given, is_given};
use crate::build::Build;
use crate::pipeline::Pipeline;
use crate::status::Status;
use crate::{actions, permit};

type Ids = Path<(String, String)>;

pub(crate) fn api() -> Api {
    Api::new("Jobs")
        .post("/projects/{id}/jobs/{job_id}/retry", "Runs a job again, as a new job", retry)
        .gives::<JobEntity>()
        .post("/projects/{id}/jobs/{job_id}/cancel", "Cancels a job", cancel)
        .takes::<Cancel>()
        .gives::<JobEntity>()
        .post("/projects/{id}/jobs/{job_id}/play", "Starts a job that waits for somebody or for a time", play)
        .takes::<Play>()
        .gives::<JobEntity>()
        .status(200)
        .post("/projects/{id}/jobs/{job_id}/erase", "Erases the log and the artifacts of a job", erase)
        .gives::<JobEntity>()
}

/// A job that the actor sees and whose pipeline the actor may change.
async fn manageable(app: &App, access: &ProjectAccess, id: &str) -> Result<Build> {
    permit::read_jobs(access)?;
    let build = build(app, access, id).await?;
    let pipeline = Pipeline::find(app.db().conn(), access.project.id, build.pipeline_id).await?;
    permit::manage(app, access, &pipeline.ok_or_else(|| Error::not_found(""))?).await?;
    Ok(build)
}

/// The job as it is now.
async fn shown(app: &App, access: &ProjectAccess, id: i64) -> Result<Json<JobEntity>> {
    let build = Build::find(app.db().conn(), access.project.id, id).await?.ok_or_else(|| Error::not_found(""))?;
    Ok(Json(job_entity::one(app, &access.actor, &access.project, &build).await?))
}

async fn retry(
    State(app): State<App>,
    access: ProjectAccess,
    Path((_, id)): Ids,
) -> Result<(StatusCode, Json<JobEntity>)> {
    let old = manageable(&app, &access, &id).await?;
    let new = actions::retry(&app, &old, access.actor.user()?.id).await?;
    Ok((StatusCode::CREATED, shown(&app, &access, new.id).await?))
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Cancel {
    /// Ends a job that was asked to end and doesn't; for maintainers.
    #[serde(default)]
    force: bool,
}

/// To cancel a job that has ended changes nothing and is no error.
async fn cancel(
    State(app): State<App>,
    access: ProjectAccess,
    Path((_, id)): Ids,
    Params(wanted): Params<Cancel>,
) -> Result<(StatusCode, Json<JobEntity>)> {
    let build = manageable(&app, &access, &id).await?;
    if wanted.force && access.level < level::MAINTAINER {
        return Err(Error::forbidden("only maintainers force a job to end"));
    }
    match build.status {
        Status::Canceling if wanted.force => actions::force_cancel(&app, &build).await?,
        status if status.is_cancelable() => actions::cancel(&app, &build).await?,
        _ => {}
    }
    Ok((StatusCode::CREATED, shown(&app, &access, build.id).await?))
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Play {
    #[serde(default)]
    job_variables_attributes: Vec<Given>,
    job_inputs: Option<Value>,
}

async fn play(
    State(app): State<App>,
    access: ProjectAccess,
    Path((_, id)): Ids,
    Params(wanted): Params<Play>,
) -> Result<Json<JobEntity>> {
    let build = manageable(&app, &access, &id).await?;
    if is_given(wanted.job_inputs.as_ref()) {
        return Err(Error::bad_request(
            "400 Bad request - job_inputs are not supported; pass job_variables_attributes",
        ));
    }
    let variables = given(&access, wanted.job_variables_attributes)?;
    if !build.is_playable() {
        return Err(Error::bad_request("400 Bad request - Unplayable Job"));
    }
    actions::play(&app, &build, access.actor.user()?.id, &variables).await?;
    shown(&app, &access, build.id).await
}

async fn erase(
    State(app): State<App>,
    access: ProjectAccess,
    Path((_, id)): Ids,
) -> Result<(StatusCode, Json<JobEntity>)> {
    permit::read_jobs(&access)?;
    let build = build(&app, &access, &id).await?;
    permit::erase(&access, &build)?;
    actions::erase(&app, &build).await?;
    let details = json!({ "job": build.name, "job_id": build.id });
    audit::record(app.db().conn(), &access.actor, "job.erased", ("project", access.project.id), details).await?;
    Ok((StatusCode::CREATED, shown(&app, &access, build.id).await?))
}

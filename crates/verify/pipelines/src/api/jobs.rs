//! Reading jobs and their logs.

use accounts::{Actor, Via};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use kernel::api::Api;
use kernel::db::Sql;
use kernel::http::{Paging, Query};
use kernel::{App, Error, Result};
use projects::{Project, ProjectAccess};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::job_entity::{self, JobEntity};
use super::{build, pipeline};
use crate::build::Build;
use crate::{permit, trace};

type Ids = Path<(String, String)>;

/// Every state that a filter may name; some are never reached here.
const STATES: &[&str] = &[
    "created",
    "waiting_for_callback",
    "waiting_for_resource",
    "preparing",
    "pending",
    "running",
    "success",
    "failed",
    "canceling",
    "canceled",
    "skipped",
    "manual",
    "scheduled",
];

pub(crate) fn api() -> Api {
    Api::new("Jobs")
        .get("/job", "Shows the job whose token asks", current)
        .gives::<JobEntity>()
        .get("/projects/{id}/jobs", "Lists the jobs of a project, the newest first", list)
        .takes::<Filter>()
        .gives::<Vec<JobEntity>>()
        .get("/projects/{id}/jobs/{job_id}", "Shows a job", show)
        .gives::<JobEntity>()
        .get("/projects/{id}/jobs/{job_id}/trace", "Shows the log of a job as text", log)
        .get(
            "/projects/{id}/pipelines/{pipeline_id}/jobs",
            "Lists the jobs of a pipeline, the newest first",
            of_pipeline,
        )
        .takes::<PipelineFilter>()
        .gives::<Vec<JobEntity>>()
        .get(
            "/projects/{id}/pipelines/{pipeline_id}/bridges",
            "Lists the jobs of a pipeline that start others; there are none",
            bridges,
        )
        .takes::<Filter>()
        .gives::<Vec<JobEntity>>()
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Filter {
    /// States of jobs.
    #[serde(default)]
    scope: Vec<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct PipelineFilter {
    /// States of jobs.
    #[serde(default)]
    scope: Vec<String>,
    #[serde(default)]
    include_retried: bool,
}

/// A condition on the state; holds nothing but our own words.
fn in_states(scope: &[String]) -> Result<String> {
    if scope.is_empty() {
        return Ok(String::new());
    }
    let known = |word: &String| STATES.iter().find(|s| *s == word).map(|s| format!("'{s}'"));
    let words: Option<Vec<String>> = scope.iter().map(known).collect();
    let words = words.ok_or_else(|| Error::BadParameter("scope does not have a valid value".into()))?;
    Ok(format!(" AND status IN ({})", words.join(", ")))
}

/// The project's jobs aren't counted, as there are many; `pagination=keyset` goes on by id.
async fn list(
    State(app): State<App>,
    access: ProjectAccess,
    Query(filter): Query<Filter>,
    paging: Paging,
) -> Result<Response> {
    permit::read_jobs(&access)?;
    let states = in_states(&filter.scope)?;
    let page = usize::try_from(paging.per_page).unwrap_or(usize::MAX);
    let before = match &paging.cursor {
        Some(cursor) => cursor.parse().map_err(|_| Error::BadParameter("cursor is invalid".into()))?,
        None => i64::MAX,
    };
    let sql =
        format!("SELECT * FROM builds WHERE project_id = $1 AND id < $2{states} ORDER BY id DESC LIMIT $3 OFFSET $4");
    let offset = if paging.keyset { 0 } else { paging.offset() };
    let values = [access.project.id.into(), before.into(), (paging.limit() + 1).into(), offset.into()];
    let mut found: Vec<Build> = app.db().all(&sql, values).await?;
    if !paging.keyset {
        let jobs = job_entity::list(&app, &access.actor, &access.project, &found).await?;
        return Ok(paging.list_uncounted(&jobs));
    }
    let more = found.len() > page;
    found.truncate(page);
    let last = found.last().filter(|_| more).map(|b| b.id.to_string());
    let jobs = job_entity::list(&app, &access.actor, &access.project, &found).await?;
    Ok(paging.list_keyset(&jobs, last.as_deref()))
}

async fn of_pipeline(
    State(app): State<App>,
    access: ProjectAccess,
    Path((_, id)): Ids,
    Query(filter): Query<PipelineFilter>,
    paging: Paging,
) -> Result<Response> {
    permit::read_jobs(&access)?;
    let pipeline = pipeline(&app, &access, &id).await?;
    let states = in_states(&filter.scope)?;
    let retried = if filter.include_retried { "" } else { " AND retried = FALSE" };
    let condition = format!("pipeline_id = $1{retried}{states}");
    let conn = app.db().conn();
    let counted = format!("SELECT COUNT(*) FROM builds WHERE {condition}");
    let total = conn.scalar::<i64>(&counted, [pipeline.id.into()]).await?.unwrap_or(0);
    let sql = format!("SELECT * FROM builds WHERE {condition} ORDER BY id DESC LIMIT $2 OFFSET $3");
    let found: Vec<Build> = conn.all(&sql, [pipeline.id.into(), paging.limit().into(), paging.offset().into()]).await?;
    let jobs = job_entity::list(&app, &access.actor, &access.project, &found).await?;
    Ok(paging.list(&jobs, total))
}

async fn bridges(
    State(app): State<App>,
    access: ProjectAccess,
    Path((_, id)): Ids,
    Query(filter): Query<Filter>,
    paging: Paging,
) -> Result<Response> {
    permit::read_jobs(&access)?;
    pipeline(&app, &access, &id).await?;
    in_states(&filter.scope)?;
    Ok(paging.list::<Value>(&[], 0))
}

async fn show(State(app): State<App>, access: ProjectAccess, Path((_, id)): Ids) -> Result<Json<JobEntity>> {
    permit::read_jobs(&access)?;
    let build = build(&app, &access, &id).await?;
    Ok(Json(job_entity::one(&app, &access.actor, &access.project, &build).await?))
}

async fn current(State(app): State<App>, actor: Actor) -> Result<Json<JobEntity>> {
    actor.user()?;
    let none = || Error::not_found("Job");
    let Via::Job { job_id, project_id } = actor.via() else { return Err(none()) };
    let project = Project::find(app.db().conn(), *project_id).await?.ok_or_else(none)?;
    let build = Build::find(app.db().conn(), *project_id, *job_id).await?.ok_or_else(none)?;
    Ok(Json(job_entity::one(&app, &actor, &project, &build).await?))
}

async fn log(State(app): State<App>, access: ProjectAccess, Path((_, id)): Ids) -> Result<Response> {
    permit::read_jobs(&access)?;
    let build = build(&app, &access, &id).await?;
    permit::read_trace(&access, &build)?;
    let text = trace::read_all(&app, &build).await?;
    let name = format!("inline; filename=\"{}.log\"", build.id);
    Ok(([(CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()), (CONTENT_DISPOSITION, name)], text).into_response())
}

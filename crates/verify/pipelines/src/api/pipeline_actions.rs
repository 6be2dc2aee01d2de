//! What is done to pipelines: run, retry, cancel, name, delete.

use std::sync::Arc;

use accounts::audit;
use axum::Json;
use axum::extract::{Path, State};
use git::{Oid, RefName, Repo};
use http::StatusCode;
use kernel::api::Api;
use kernel::db::Sql;
use kernel::http::Params;
use kernel::{App, Error, Result, Time};
use projects::{Permission, ProjectAccess, level};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::pipeline;
use super::pipeline_entity::{PipelineDetail, PipelineEntity};
use crate::create::{Wanted, create};
use crate::pipeline::Pipeline;
use crate::variables::GivenVariable;
use crate::{actions, permit};

type Ids = Path<(String, String)>;

pub(crate) fn api() -> Api {
    Api::new("Pipelines")
        .post("/projects/{id}/pipeline", "Runs a pipeline on a branch or tag", run)
        .takes::<Run>()
        .gives::<PipelineEntity>()
        .post(
            "/projects/{id}/pipelines/{pipeline_id}/retry",
            "Runs the jobs of a pipeline again that failed or were cancelled",
            retry,
        )
        .gives::<PipelineEntity>()
        .post("/projects/{id}/pipelines/{pipeline_id}/cancel", "Cancels the jobs of a pipeline", cancel)
        .gives::<PipelineEntity>()
        .status(200)
        .put("/projects/{id}/pipelines/{pipeline_id}/metadata", "Names a pipeline", rename)
        .takes::<Rename>()
        .gives::<PipelineDetail>()
        .delete(
            "/projects/{id}/pipelines/{pipeline_id}",
            "Deletes a pipeline with its jobs, logs and artifacts",
            delete,
        )
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Run {
    #[serde(rename = "ref")]
    reference: String,
    #[serde(default)]
    variables: Vec<Given>,
    inputs: Option<Value>,
}

/// A variable for one run.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Given {
    key: String,
    #[serde(default)]
    value: String,
    #[serde(default)]
    variable_type: Kind,
    #[serde(default)]
    raw: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Kind {
    #[default]
    EnvVar,
    File,
}

/// Checks variables that somebody gave for one run.
pub(super) fn given(access: &ProjectAccess, variables: Vec<Given>) -> Result<Vec<GivenVariable>> {
    if !variables.is_empty() && access.settings.restrict_user_defined_variables && access.level < level::MAINTAINER {
        return Err(Error::invalid("base", "Insufficient permissions to set pipeline variables"));
    }
    let kept = variables.into_iter().map(|v| GivenVariable {
        key: v.key,
        value: v.value,
        raw: v.raw,
        file: v.variable_type == Kind::File,
    });
    kept.map(|v| v.check().map(|()| v)).collect()
}

/// Whether a hash of inputs holds anything.
pub(super) fn is_given(inputs: Option<&Value>) -> bool {
    inputs.is_some_and(|i| !matches!(i, Value::Null) && i.as_object().is_none_or(|o| !o.is_empty()))
}

async fn run(
    State(app): State<App>,
    access: ProjectAccess,
    Params(run): Params<Run>,
) -> Result<(StatusCode, Json<PipelineEntity>)> {
    access.may(Permission::CreatePipeline)?;
    if is_given(run.inputs.as_ref()) {
        let why = "inputs are not supported for pipelines; pass variables, or set inputs where a file is included";
        return Err(Error::invalid("base", why));
    }
    let variables = given(&access, run.variables)?;
    let repo = repositories::open(&app, &access.project).await?;
    let found = find_ref(&repo, &run.reference).await?;
    let (ref_name, tag, sha) = found.ok_or_else(|| Error::invalid("base", "Reference not found"))?;
    if !permit::may_run_on(&app, &access, &ref_name, tag).await? {
        let why = format!("You do not have sufficient permission to run a pipeline on '{ref_name}'");
        return Err(Error::invalid("base", why));
    }
    let user = Some(Arc::new(access.actor.user()?.clone()));
    let wanted = Wanted { ref_name, tag, sha, before: Oid::zero(), source: "api", user, variables };
    let made = create(&app, &access.project, wanted).await?;
    let pipeline = made.map_err(|nothing| Error::invalid("base", nothing.to_string()))?;
    Ok((StatusCode::CREATED, Json(PipelineEntity::load(&app, &access.project, &pipeline).await?)))
}

/// The short name of a branch or tag, whether it is a tag, and its commit. A branch wins over a tag of the same name.
pub(super) async fn find_ref(repo: &Repo, name: &str) -> Result<Option<(String, bool, Oid)>> {
    let candidates = match (name.strip_prefix("refs/heads/"), name.strip_prefix("refs/tags/")) {
        (Some(branch), _) => vec![(branch, false)],
        (_, Some(tag)) => vec![(tag, true)],
        _ => vec![(name, false), (name, true)],
    };
    for (short, tag) in candidates {
        let Ok(full) = (if tag { RefName::tag(short) } else { RefName::branch(short) }) else { continue };
        match repo.find_ref(&full).await {
            Ok(found) => return Ok(found.commit.map(|sha| (short.to_owned(), tag, sha))),
            Err(e) if e.is_not_found() => {}
            Err(e) => return Err(repositories::status_of(e)),
        }
    }
    Ok(None)
}

async fn reloaded(app: &App, access: &ProjectAccess, id: i64) -> Result<Pipeline> {
    Pipeline::find(app.db().conn(), access.project.id, id).await?.ok_or_else(|| Error::not_found(""))
}

async fn retry(
    State(app): State<App>,
    access: ProjectAccess,
    Path((_, id)): Ids,
) -> Result<(StatusCode, Json<PipelineEntity>)> {
    let pipeline = manageable(&app, &access, &id).await?;
    actions::retry_pipeline(&app, &pipeline, access.actor.user()?.id).await?;
    let pipeline = reloaded(&app, &access, pipeline.id).await?;
    Ok((StatusCode::CREATED, Json(PipelineEntity::load(&app, &access.project, &pipeline).await?)))
}

async fn cancel(State(app): State<App>, access: ProjectAccess, Path((_, id)): Ids) -> Result<Json<PipelineEntity>> {
    let pipeline = manageable(&app, &access, &id).await?;
    actions::cancel_pipeline(&app, &pipeline).await?;
    let pipeline = reloaded(&app, &access, pipeline.id).await?;
    Ok(Json(PipelineEntity::load(&app, &access.project, &pipeline).await?))
}

/// A pipeline that the actor may change.
async fn manageable(app: &App, access: &ProjectAccess, id: &str) -> Result<Pipeline> {
    permit::read_pipelines(access)?;
    let pipeline = pipeline(app, access, id).await?;
    permit::manage(app, access, &pipeline).await?;
    Ok(pipeline)
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Rename {
    name: String,
}

async fn rename(
    State(app): State<App>,
    access: ProjectAccess,
    Path((_, id)): Ids,
    Params(wanted): Params<Rename>,
) -> Result<Json<PipelineDetail>> {
    let pipeline = manageable(&app, &access, &id).await?;
    let name = wanted.name.trim();
    if name.is_empty() || name.chars().count() > 255 {
        return Err(Error::bad_request(
            "Failed to update pipeline: Name is too short or too long (1 to 255 characters)",
        ));
    }
    let tx = app.begin().await?;
    let sql = "UPDATE pipelines SET name = $2, updated_at = $3 WHERE id = $1 RETURNING *";
    let renamed: Option<Pipeline> = tx.one(sql, [pipeline.id.into(), name.into(), Time::now().into()]).await?;
    tx.wake(&Pipeline::topic(pipeline.id)).await?;
    tx.commit().await?;
    let renamed = renamed.ok_or_else(|| Error::not_found(""))?;
    Ok(Json(PipelineDetail::load(&app, &access.project, &renamed).await?))
}

async fn delete(State(app): State<App>, access: ProjectAccess, Path((_, id)): Ids) -> Result<StatusCode> {
    permit::read_pipelines(&access)?;
    let pipeline = pipeline(&app, &access, &id).await?;
    access.may(Permission::DeletePipeline)?;
    let details = json!({ "pipeline_id": pipeline.id, "iid": pipeline.iid, "ref": pipeline.ref_name });
    audit::record(app.db().conn(), &access.actor, "pipeline.deleted", ("project", access.project.id), details).await?;
    actions::delete_pipeline(&app, &pipeline).await?;
    Ok(StatusCode::NO_CONTENT)
}

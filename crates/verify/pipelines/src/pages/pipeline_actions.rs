//! What the buttons of a pipeline do.

use accounts::audit;
use axum::extract::{Path, State};
use axum::response::Response;
use kernel::{App, Result};
use projects::{Permission, ProjectAccess};
use serde_json::json;

use super::pipeline::find;
use super::{at, outcome};
use crate::{actions, permit};

type Named = Path<(String, String)>;

pub(super) async fn retry(State(app): State<App>, access: ProjectAccess, Path((_, id)): Named) -> Result<Response> {
    let pipeline = find(&app, &access, &id).await?;
    permit::manage(&app, &access, &pipeline).await?;
    let done = actions::retry_pipeline(&app, &pipeline, access.actor.user()?.id).await;
    outcome(&at(&access, format_args!("/-/pipelines/{}", pipeline.id)), done, "What failed runs again.")
}

pub(super) async fn cancel(State(app): State<App>, access: ProjectAccess, Path((_, id)): Named) -> Result<Response> {
    let pipeline = find(&app, &access, &id).await?;
    permit::manage(&app, &access, &pipeline).await?;
    let done = actions::cancel_pipeline(&app, &pipeline).await;
    outcome(&at(&access, format_args!("/-/pipelines/{}", pipeline.id)), done, "The pipeline is being cancelled.")
}

pub(super) async fn delete(State(app): State<App>, access: ProjectAccess, Path((_, id)): Named) -> Result<Response> {
    let pipeline = find(&app, &access, &id).await?;
    access.may(Permission::DeletePipeline)?;
    actions::delete_pipeline(&app, &pipeline).await?;
    let details = json!({ "project_id": access.project.id, "ref": pipeline.ref_name });
    audit::record(app.db().conn(), &access.actor, "pipeline.deleted", ("Pipeline", pipeline.id), details).await?;
    outcome(&at(&access, "/-/pipelines"), Ok(()), &format!("Pipeline #{} is gone.", pipeline.id))
}

//! Forks of a project.

use accounts::Actor;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use kernel::api::Api;
use kernel::http::{Paging, Params, Query};
use kernel::{App, Error, Result};
use schemars::JsonSchema;
use serde::Deserialize;

use super::number;
use super::project_entity::{self as entity, ProjectEntity, Shape};
use super::project_lists::answer;
use crate::access::{GroupAccess, ProjectAccess};
use crate::edit::{self, ForkAs};
use crate::list::ProjectFilters;
use crate::namespace::Namespace;
use crate::permissions::Permission;
use crate::project::Project;
use crate::visibility::Visibility;

pub(crate) fn api() -> Api {
    Api::new("Projects")
        .post("/projects/{id}/fork", "Forks a project", fork)
        .takes::<Fork>()
        .gives::<ProjectEntity>()
        .delete("/projects/{id}/fork", "Ends the relation to the project that this one was forked from", unlink)
        .get("/projects/{id}/forks", "Lists the forks of a project", list)
        .takes::<ProjectFilters>()
        .gives::<Vec<ProjectEntity>>()
        .post("/projects/{id}/fork/{forked_from_id}", "Makes a project the fork of another (administrators)", link)
        .gives::<ProjectEntity>()
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Fork {
    namespace_id: Option<i64>,
    namespace_path: Option<String>,
    /// The id or path of the namespace; older clients use it.
    namespace: Option<String>,
    path: Option<String>,
    name: Option<String>,
    description: Option<String>,
    visibility: Option<Visibility>,
}

impl Fork {
    async fn target(&self, app: &App, actor: &Actor) -> Result<GroupAccess> {
        let conn = app.db().conn();
        let named = self.namespace_path.as_ref().or(self.namespace.as_ref());
        let id = self.namespace_id.or_else(|| named.and_then(|n| n.parse().ok()));
        let found = match (id, named) {
            (Some(id), _) => Namespace::find(conn, id).await?,
            (None, Some(path)) => Namespace::by_path(conn, path).await?,
            (None, None) => Namespace::of_user(conn, actor.user()?.id).await?,
        };
        let missing = || Error::not_found("Target Namespace");
        GroupAccess::of(app, actor.clone(), found.ok_or_else(missing)?).await.map_err(|_| missing())
    }
}

async fn fork(
    State(app): State<App>,
    access: ProjectAccess,
    Params(wanted): Params<Fork>,
) -> Result<impl IntoResponse> {
    access.actor.user()?;
    access.may(Permission::ForkProject)?;
    let target = wanted.target(&app, &access.actor).await?;
    let Fork { path, name, description, visibility, .. } = wanted;
    let made = edit::fork(&app, &access, &target, ForkAs { path, name, description, visibility }).await?;
    let shape = Shape { permissions: true, ..Shape::default() };
    Ok((StatusCode::CREATED, Json(entity::one(&app, &access.actor, &made, shape).await?)))
}

async fn unlink(State(app): State<App>, access: ProjectAccess) -> Result<Response> {
    access.may(Permission::DeleteProject)?;
    if access.project.forked_from_id.is_none() {
        return Ok(StatusCode::NOT_MODIFIED.into_response());
    }
    app.db().run("UPDATE projects SET forked_from_id = NULL WHERE id = $1", [access.project.id.into()]).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn link(
    State(app): State<App>,
    access: ProjectAccess,
    Path((_, source)): Path<(String, String)>,
) -> Result<impl IntoResponse> {
    access.actor.admin()?;
    let source = Project::find(app.db().conn(), number(&source, "forked_from_id")?).await?;
    let source = source.filter(|s| s.id != access.project.id).ok_or_else(|| Error::not_found("Source Project"))?;
    if access.project.forked_from_id.is_some() {
        return Err(Error::Conflict("Project already forked".into()));
    }
    let sql = "UPDATE projects SET forked_from_id = $2 WHERE id = $1";
    app.db().run(sql, [access.project.id.into(), source.id.into()]).await?;
    let linked = Project { forked_from_id: Some(source.id), ..access.project.clone() };
    Ok((StatusCode::CREATED, Json(entity::one(&app, &access.actor, &linked, Shape::default()).await?)))
}

async fn list(
    State(app): State<App>,
    access: ProjectAccess,
    Query(filters): Query<ProjectFilters>,
    paging: Paging,
) -> Result<Response> {
    access.sees(Permission::ReadCode, "Project")?;
    let mut conditions = filters.conditions(&access.actor)?;
    conditions.with("p.forked_from_id = {}", access.project.id);
    answer(&app, &access.actor, &filters, conditions, &paging).await
}

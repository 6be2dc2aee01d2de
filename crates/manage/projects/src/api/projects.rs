//! One project: make, show, change, archive, star, transfer, delete.

use accounts::{Actor, User};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use kernel::api::Api;
use kernel::http::{Params, Query};
use kernel::{App, Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::entity::MessageBody;
use super::form::WithAvatar;
use super::number;
use super::project_entity::{self as entity, ProjectEntity, ProjectIdentity, Shape};
use super::project_settings::ProjectChange;
use crate::access::{GroupAccess, ProjectAccess};
use crate::avatar::{self, Of};
use crate::delete::check_confirmation;
use crate::hooks::RepositoryHooks;
use crate::namespace::Namespace;
use crate::permissions::Permission;
use crate::project::Project;
use crate::{edit, languages};

pub(crate) fn api() -> Api {
    Api::new("Projects")
        .post("/projects", "Creates a project", create)
        .takes::<ProjectChange>()
        .gives::<ProjectEntity>()
        .post("/projects/user/{user_id}", "Creates a project for a user (administrators)", create_for_user)
        .takes::<ProjectChange>()
        .gives::<ProjectEntity>()
        .get("/projects/{id}", "Shows a project", show)
        .takes::<Shown>()
        .gives::<ProjectEntity>()
        .put("/projects/{id}", "Changes a project", update)
        .takes::<ProjectChange>()
        .gives::<ProjectEntity>()
        .delete("/projects/{id}", "Deletes a project", delete)
        .takes::<Deletion>()
        .status(202)
        .gives::<MessageBody>()
        .post("/projects/{id}/archive", "Archives a project", archive)
        .gives::<ProjectEntity>()
        .post("/projects/{id}/unarchive", "Brings back an archived project", unarchive)
        .gives::<ProjectEntity>()
        .post("/projects/{id}/star", "Stars a project", star)
        .gives::<ProjectEntity>()
        .post("/projects/{id}/unstar", "Takes the star away", unstar)
        .gives::<ProjectEntity>()
        .put("/projects/{id}/transfer", "Moves a project to another namespace", transfer)
        .takes::<Transfer>()
        .gives::<ProjectEntity>()
        .get("/projects/{id}/languages", "Shows the languages with their shares in percent", show_languages)
        .gives::<Map<String, Value>>()
        .get("/projects/{id}/avatar", "Downloads the picture", download_avatar)
        .get("/projects/{id}/import", "Shows how far the import is", import_status)
        .gives::<ImportStatus>()
        .get("/projects/{id}/storage", "Shows where the repository is stored (administrators)", storage)
        .gives::<Storage>()
        .post("/projects/{id}/housekeeping", "Packs the repository soon", housekeeping)
}

async fn answer(app: &App, actor: &Actor, project: &Project) -> Result<Json<ProjectEntity>> {
    let shape = Shape { permissions: true, ..Shape::default() };
    Ok(Json(entity::one(app, actor, project, shape).await?))
}

async fn create(State(app): State<App>, actor: Actor, form: WithAvatar<ProjectChange>) -> Result<impl IntoResponse> {
    let mut made = edit::create_project(&app, &actor, &form.params).await?;
    if let Some(picture) = form.avatar {
        avatar::store(&app, Of::Project(made.id), picture).await?;
        made = Project::find(app.db().conn(), made.id).await?.ok_or_else(|| Error::not_found("Project"))?;
    }
    Ok((StatusCode::CREATED, answer(&app, &actor, &made).await?))
}

async fn create_for_user(
    State(app): State<App>,
    actor: Actor,
    Path(user_id): Path<String>,
    Params(wanted): Params<ProjectChange>,
) -> Result<impl IntoResponse> {
    actor.admin()?;
    let user =
        User::find(app.db().conn(), number(&user_id, "user_id")?).await?.ok_or_else(|| Error::not_found("User"))?;
    let own = match wanted.namespace_id {
        Some(id) => Namespace::find(app.db().conn(), id).await?,
        None => Namespace::of_user(app.db().conn(), user.id).await?,
    };
    let namespace = own.ok_or_else(|| Error::invalid("namespace", "is not valid"))?;
    let made = edit::create_in(&app, &actor, &namespace, &wanted).await?;
    Ok((StatusCode::CREATED, answer(&app, &actor, &made).await?))
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Shown {
    statistics: Option<bool>,
    #[allow(dead_code, reason = "named so that it is documented; no project has a detected licence yet")]
    license: Option<bool>,
}

async fn show(State(app): State<App>, access: ProjectAccess, Query(shown): Query<Shown>) -> Result<Response> {
    if access.actor.known().is_none() {
        let mut made = entity::simple(&app, &access.actor, std::slice::from_ref(&access.project)).await?;
        return Ok(Json(made.pop()).into_response());
    }
    let shape = Shape { statistics: shown.statistics == Some(true), permissions: true };
    Ok(Json(entity::one(&app, &access.actor, &access.project, shape).await?).into_response())
}

async fn update(
    State(app): State<App>,
    access: ProjectAccess,
    form: WithAvatar<ProjectChange>,
) -> Result<Json<ProjectEntity>> {
    access.may(Permission::EditProject)?;
    match form.avatar {
        Some(picture) => avatar::store(&app, Of::Project(access.project.id), picture).await?,
        None if form.params.avatar.as_deref() == Some("") => {
            avatar::remove(&app, Of::Project(access.project.id)).await?;
        }
        None => {}
    }
    let changed = edit::update_project(&app, &access, &form.params).await?;
    answer(&app, &access.actor, &changed).await
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Deletion {
    pub(super) full_path: Option<String>,
    #[allow(dead_code, reason = "every deletion is at once and for good")]
    permanently_remove: Option<bool>,
}

async fn delete(
    State(app): State<App>,
    access: ProjectAccess,
    Query(asked): Query<Deletion>,
) -> Result<impl IntoResponse> {
    access.may(Permission::DeleteProject)?;
    check_confirmation(asked.full_path.as_deref(), &access.project.full_path)?;
    let tx = app.begin().await?;
    access.project.delete(&tx, &access.actor).await?;
    tx.commit().await?;
    Ok(accepted())
}

/// The answer where something was only scheduled.
pub(super) fn accepted() -> impl IntoResponse + use<> {
    (StatusCode::ACCEPTED, Json(MessageBody { message: "202 Accepted".into() }))
}

async fn archive(State(app): State<App>, access: ProjectAccess) -> Result<impl IntoResponse> {
    let project = edit::archive(&app, &access, true).await?;
    Ok((StatusCode::CREATED, answer(&app, &access.actor, &project).await?))
}

async fn unarchive(State(app): State<App>, access: ProjectAccess) -> Result<impl IntoResponse> {
    let project = edit::archive(&app, &access, false).await?;
    Ok((StatusCode::CREATED, answer(&app, &access.actor, &project).await?))
}

async fn star(State(app): State<App>, access: ProjectAccess) -> Result<Response> {
    set_star(&app, &access, true).await
}

async fn unstar(State(app): State<App>, access: ProjectAccess) -> Result<Response> {
    set_star(&app, &access, false).await
}

async fn set_star(app: &App, access: &ProjectAccess, starred: bool) -> Result<Response> {
    if !edit::star(app, access, starred).await? {
        return Ok(StatusCode::NOT_MODIFIED.into_response());
    }
    let project =
        Project::find(app.db().conn(), access.project.id).await?.ok_or_else(|| Error::not_found("Project"))?;
    Ok((StatusCode::CREATED, answer(app, &access.actor, &project).await?).into_response())
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Transfer {
    /// The id or path of the namespace.
    namespace: String,
}

async fn transfer(
    State(app): State<App>,
    access: ProjectAccess,
    Params(wanted): Params<Transfer>,
) -> Result<Json<ProjectEntity>> {
    access.may(Permission::TransferProject)?;
    let target = match wanted.namespace.parse::<i64>() {
        Ok(id) => Namespace::find(app.db().conn(), id).await?,
        Err(_) => Namespace::by_path(app.db().conn(), &wanted.namespace).await?,
    };
    let target = target.ok_or_else(|| Error::not_found("Namespace"))?;
    let target =
        GroupAccess::of(&app, access.actor.clone(), target).await.map_err(|_| Error::not_found("Namespace"))?;
    let moved = edit::transfer(&app, &access, &target).await?;
    answer(&app, &access.actor, &moved).await
}

async fn show_languages(State(app): State<App>, access: ProjectAccess) -> Result<Json<Map<String, Value>>> {
    access.sees(Permission::ReadCode, "Project")?;
    let found = match app.get::<RepositoryHooks>() {
        Some(hooks) if !access.project.empty_repo => {
            let found = hooks.0.languages(&app, &access.project).await?;
            languages::note(&app, access.project.id, &found).await?;
            found
        }
        _ => {
            let known = languages::of_project(app.db().conn(), access.project.id).await?;
            known.into_iter().map(|l| (l.name, l.share)).collect()
        }
    };
    Ok(Json(found.into_iter().map(|(name, share)| (name, json!((share * 100.0).round() / 100.0))).collect()))
}

async fn download_avatar(State(app): State<App>, access: ProjectAccess) -> Result<Response> {
    let key = access.project.avatar.as_deref().ok_or_else(|| Error::not_found("Avatar"))?;
    avatar::answer(&app, key).await
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
struct ImportStatus {
    #[serde(flatten)]
    identity: ProjectIdentity,
    import_status: String,
    import_type: Option<&'static str>,
    correlation_id: Option<String>,
    failed_relations: Vec<Value>,
    import_error: Option<String>,
}

async fn import_status(State(app): State<App>, access: ProjectAccess) -> Result<Json<ImportStatus>> {
    let project = &access.project;
    Ok(Json(ImportStatus {
        identity: entity::identity(&app, project).await?,
        import_status: project.import_status.clone(),
        import_type: project.import_url.as_ref().map(|_| "git"),
        correlation_id: None,
        failed_relations: vec![],
        import_error: project.import_error.clone().filter(|_| access.can(Permission::EditProject)),
    }))
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
struct Storage {
    project_id: i64,
    disk_path: String,
    created_at: kernel::Time,
    repository_storage: &'static str,
}

async fn storage(access: ProjectAccess) -> Result<Json<Storage>> {
    access.actor.admin()?;
    let id = access.project.id;
    let disk_path = format!("{:02x}/{id}", id % 256);
    Ok(Json(Storage {
        project_id: id,
        disk_path,
        created_at: access.project.created_at,
        repository_storage: "default",
    }))
}

async fn housekeeping(State(app): State<App>, access: ProjectAccess) -> Result<Response> {
    access.may(Permission::DeleteProject)?;
    if let Some(hooks) = app.get::<RepositoryHooks>() {
        hooks.0.housekeep(&app, &access.project).await?;
    }
    Ok((StatusCode::CREATED, Json(Value::Null)).into_response())
}

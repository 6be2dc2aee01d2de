//! Badges of projects and groups.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use kernel::api::Api;
use kernel::http::{Paging, Params, Query};
use kernel::{App, Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::number;
use crate::access::{GroupAccess, ProjectAccess};
use crate::badge::{Badge, Values, check_url};
use crate::member::Source;
use crate::permissions::Permission;

pub(crate) fn api() -> Api {
    Api::new("Badges")
        .get("/projects/{id}/badges", "Lists the badges of a project and its groups", of_project)
        .takes::<Filter>()
        .gives::<Vec<BadgeEntity>>()
        .post("/projects/{id}/badges", "Adds a badge to a project", add_to_project)
        .takes::<NewBadge>()
        .gives::<BadgeEntity>()
        .get("/projects/{id}/badges/render", "Shows what a badge of a project would be", preview_project)
        .takes::<NewBadge>()
        .gives::<Preview>()
        .get("/projects/{id}/badges/{badge_id}", "Shows a badge of a project", show_of_project)
        .gives::<BadgeEntity>()
        .put("/projects/{id}/badges/{badge_id}", "Changes a badge of a project", change_of_project)
        .takes::<Change>()
        .gives::<BadgeEntity>()
        .delete("/projects/{id}/badges/{badge_id}", "Removes a badge from a project", remove_from_project)
        .get("/groups/{id}/badges", "Lists the badges of a group", of_group)
        .takes::<Filter>()
        .gives::<Vec<BadgeEntity>>()
        .post("/groups/{id}/badges", "Adds a badge to all projects of a group", add_to_group)
        .takes::<NewBadge>()
        .gives::<BadgeEntity>()
        .get("/groups/{id}/badges/render", "Shows what a badge of a group would be", preview_group)
        .takes::<NewBadge>()
        .gives::<Preview>()
        .get("/groups/{id}/badges/{badge_id}", "Shows a badge of a group", show_of_group)
        .gives::<BadgeEntity>()
        .put("/groups/{id}/badges/{badge_id}", "Changes a badge of a group", change_of_group)
        .takes::<Change>()
        .gives::<BadgeEntity>()
        .delete("/groups/{id}/badges/{badge_id}", "Removes a badge from a group", remove_from_group)
}

/// A badge, as it is and as it is shown.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct BadgeEntity {
    name: String,
    link_url: String,
    image_url: String,
    rendered_link_url: String,
    rendered_image_url: String,
    id: i64,
    kind: &'static str,
}

impl BadgeEntity {
    fn of(badge: &Badge, values: &Values) -> Self {
        Self {
            name: badge.name.clone(),
            rendered_link_url: values.fill(&badge.link_url),
            rendered_image_url: values.fill(&badge.image_url),
            link_url: badge.link_url.clone(),
            image_url: badge.image_url.clone(),
            id: badge.id,
            kind: if badge.project_id.is_some() { "project" } else { "group" },
        }
    }
}

/// A badge that is not there yet.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct Preview {
    link_url: String,
    image_url: String,
    rendered_link_url: String,
    rendered_image_url: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Filter {
    name: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct NewBadge {
    link_url: String,
    image_url: String,
    #[serde(default)]
    name: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Change {
    link_url: Option<String>,
    image_url: Option<String>,
    name: Option<String>,
}

/// The badges of a group itself, not of those above.
async fn of_source(app: &App, source: Source) -> Result<Vec<Badge>> {
    let (column, id) = column(source);
    let sql = format!(
        "SELECT id, project_id, namespace_id, name, link_url, image_url FROM badges WHERE {column} = $1 ORDER BY id"
    );
    app.db().all(&sql, [id.into()]).await
}

fn column(source: Source) -> (&'static str, i64) {
    match source {
        Source::Group(id) => ("namespace_id", id),
        Source::Project(id) => ("project_id", id),
    }
}

fn page(badges: &[Badge], values: &Values, filter: &Filter, paging: &Paging) -> Response {
    let wanted = |b: &&Badge| filter.name.as_ref().is_none_or(|n| b.name == *n);
    let all: Vec<BadgeEntity> = badges.iter().filter(wanted).map(|b| BadgeEntity::of(b, values)).collect();
    let total = i64::try_from(all.len()).unwrap_or(i64::MAX);
    let from = usize::try_from(paging.offset()).unwrap_or(usize::MAX).min(all.len());
    let to = from.saturating_add(usize::try_from(paging.limit()).unwrap_or(100)).min(all.len());
    paging.list(&all[from..to], total)
}

fn check_name(name: &str) -> Result<()> {
    if name.chars().count() > 255 || name.contains('\0') {
        return Err(Error::invalid("name", "is too long (maximum is 255 characters)"));
    }
    Ok(())
}

/// Adds a badge. The caller has checked that the actor may.
pub(crate) async fn add(app: &App, source: Source, name: &str, link_url: &str, image_url: &str) -> Result<Badge> {
    check_url("link_url", link_url)?;
    check_url("image_url", image_url)?;
    check_name(name)?;
    let (column, id) = column(source);
    let sql = format!(
        "INSERT INTO badges ({column}, name, link_url, image_url) VALUES ($1, $2, $3, $4)
         RETURNING id, project_id, namespace_id, name, link_url, image_url"
    );
    let values = [id.into(), name.into(), link_url.into(), image_url.into()];
    app.db().one(&sql, values).await?.ok_or_else(|| Error::not_found("Badge"))
}

async fn find(app: &App, source: Source, badge_id: &str) -> Result<Badge> {
    let (column, id) = column(source);
    let sql = format!(
        "SELECT id, project_id, namespace_id, name, link_url, image_url FROM badges WHERE {column} = $1 AND id = $2"
    );
    let found = app.db().one(&sql, [id.into(), number(badge_id, "badge_id")?.into()]).await?;
    found.ok_or_else(|| Error::not_found("Badge"))
}

async fn change(app: &App, badge: Badge, wanted: Change) -> Result<Badge> {
    let link_url = wanted.link_url.unwrap_or(badge.link_url);
    let image_url = wanted.image_url.unwrap_or(badge.image_url);
    let name = wanted.name.unwrap_or(badge.name);
    check_url("link_url", &link_url)?;
    check_url("image_url", &image_url)?;
    check_name(&name)?;
    let sql = "UPDATE badges SET name = $2, link_url = $3, image_url = $4 WHERE id = $1";
    app.db()
        .run(sql, [badge.id.into(), name.as_str().into(), link_url.as_str().into(), image_url.as_str().into()])
        .await?;
    Ok(Badge { name, link_url, image_url, ..badge })
}

/// Removes a badge. The caller has checked that the actor may.
pub(crate) async fn remove(app: &App, source: Source, badge_id: &str) -> Result<()> {
    let badge = find(app, source, badge_id).await?;
    app.db().run("DELETE FROM badges WHERE id = $1", [badge.id.into()]).await?;
    Ok(())
}

fn preview(wanted: NewBadge, values: &Values) -> Result<Json<Preview>> {
    check_url("link_url", &wanted.link_url)?;
    check_url("image_url", &wanted.image_url)?;
    Ok(Json(Preview {
        rendered_link_url: values.fill(&wanted.link_url),
        rendered_image_url: values.fill(&wanted.image_url),
        link_url: wanted.link_url,
        image_url: wanted.image_url,
    }))
}

fn project_source(access: &ProjectAccess) -> (Source, Values) {
    (Source::Project(access.project.id), Values::of(&access.project))
}

/// What fills the placeholders of a group's badges where no project is meant: any project in it.
async fn group_source(app: &App, access: &GroupAccess) -> Result<(Source, Values)> {
    if !access.group.is_group() {
        return Err(Error::not_found("Group"));
    }
    let visible = crate::access::visible_projects(&access.actor);
    let sql = format!("SELECT p.* FROM projects p WHERE p.namespace_id = $1 AND {visible} ORDER BY p.id LIMIT 1");
    let example: Option<crate::Project> = app.db().one(&sql, [access.group.id.into()]).await?;
    Ok((Source::Group(access.group.id), example.map(|p| Values::of(&p)).unwrap_or_default()))
}

type Ids = Path<(String, String)>;

async fn of_project(
    State(app): State<App>,
    access: ProjectAccess,
    Query(filter): Query<Filter>,
    paging: Paging,
) -> Result<Response> {
    let badges = Badge::of_project(app.db().conn(), &access.project).await?;
    Ok(page(&badges, &Values::of(&access.project), &filter, &paging))
}
async fn of_group(
    State(app): State<App>,
    access: GroupAccess,
    Query(filter): Query<Filter>,
    paging: Paging,
) -> Result<Response> {
    let (source, values) = group_source(&app, &access).await?;
    Ok(page(&of_source(&app, source).await?, &values, &filter, &paging))
}
async fn add_to_project(
    State(app): State<App>,
    access: ProjectAccess,
    Params(new): Params<NewBadge>,
) -> Result<Response> {
    access.may(Permission::EditProject)?;
    let (source, values) = project_source(&access);
    let badge = add(&app, source, &new.name, &new.link_url, &new.image_url).await?;
    Ok((StatusCode::CREATED, Json(BadgeEntity::of(&badge, &values))).into_response())
}
async fn add_to_group(State(app): State<App>, access: GroupAccess, Params(new): Params<NewBadge>) -> Result<Response> {
    access.may(Permission::EditGroup)?;
    let (source, values) = group_source(&app, &access).await?;
    let badge = add(&app, source, &new.name, &new.link_url, &new.image_url).await?;
    Ok((StatusCode::CREATED, Json(BadgeEntity::of(&badge, &values))).into_response())
}
async fn preview_project(access: ProjectAccess, Query(wanted): Query<NewBadge>) -> Result<Json<Preview>> {
    access.may(Permission::EditProject)?;
    preview(wanted, &Values::of(&access.project))
}
async fn preview_group(
    State(app): State<App>,
    access: GroupAccess,
    Query(wanted): Query<NewBadge>,
) -> Result<Json<Preview>> {
    access.may(Permission::EditGroup)?;
    preview(wanted, &group_source(&app, &access).await?.1)
}
async fn show_of_project(
    State(app): State<App>,
    access: ProjectAccess,
    Path((_, id)): Ids,
) -> Result<Json<BadgeEntity>> {
    let badges = Badge::of_project(app.db().conn(), &access.project).await?;
    let id = number(&id, "badge_id")?;
    let badge = badges.iter().find(|b| b.id == id).ok_or_else(|| Error::not_found("Badge"))?;
    Ok(Json(BadgeEntity::of(badge, &Values::of(&access.project))))
}
async fn show_of_group(State(app): State<App>, access: GroupAccess, Path((_, id)): Ids) -> Result<Json<BadgeEntity>> {
    let (source, values) = group_source(&app, &access).await?;
    Ok(Json(BadgeEntity::of(&find(&app, source, &id).await?, &values)))
}
async fn change_of_project(
    State(app): State<App>,
    access: ProjectAccess,
    Path((_, id)): Ids,
    Params(wanted): Params<Change>,
) -> Result<Json<BadgeEntity>> {
    access.may(Permission::EditProject)?;
    let (source, values) = project_source(&access);
    let badge = change(&app, find(&app, source, &id).await?, wanted).await?;
    Ok(Json(BadgeEntity::of(&badge, &values)))
}
async fn change_of_group(
    State(app): State<App>,
    access: GroupAccess,
    Path((_, id)): Ids,
    Params(wanted): Params<Change>,
) -> Result<Json<BadgeEntity>> {
    access.may(Permission::EditGroup)?;
    let (source, values) = group_source(&app, &access).await?;
    let badge = change(&app, find(&app, source, &id).await?, wanted).await?;
    Ok(Json(BadgeEntity::of(&badge, &values)))
}
async fn remove_from_project(State(app): State<App>, access: ProjectAccess, Path((_, id)): Ids) -> Result<StatusCode> {
    access.may(Permission::EditProject)?;
    remove(&app, Source::Project(access.project.id), &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
async fn remove_from_group(State(app): State<App>, access: GroupAccess, Path((_, id)): Ids) -> Result<StatusCode> {
    access.may(Permission::EditGroup)?;
    remove(&app, Source::Group(access.group.id), &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

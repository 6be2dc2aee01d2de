//! Groups: list, make, show, change, move, delete; their subgroups and projects.

use accounts::{Actor, User};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use kernel::api::Api;
use kernel::db::like;
use kernel::http::{Paging, Params, Query};
use kernel::{App, Error, Result};
use schemars::JsonSchema;
use serde::Deserialize;

use super::entity::{self, MessageBody, UserBasic, alive};
use super::form::WithAvatar;
use super::group_entity::{self, GroupDetail, GroupEntity, GroupIdentity};
use super::project_entity::{self, ProjectEntity, Shape};
use super::project_lists::{GroupSearch, answer as answer_projects, group_page, page};
use super::projects::{Deletion, accepted};
use crate::access::GroupAccess;
use crate::avatar::{self, Of};
use crate::delete::check_confirmation;
use crate::group_edit::{self, GroupChange};
use crate::group_list::GroupFilters;
use crate::level;
use crate::list::{Conditions, ProjectFilters};
use crate::namespace::Namespace;
use crate::permissions::Permission;
use crate::project::Project;

pub(crate) fn api() -> Api {
    Api::new("Groups")
        .get("/groups", "Lists groups", list)
        .takes::<GroupFilters>()
        .gives::<Vec<GroupEntity>>()
        .post("/groups", "Creates a group", create)
        .takes::<GroupChange>()
        .gives::<GroupDetail>()
        .get("/groups/{id}", "Shows a group", show)
        .takes::<Shown>()
        .gives::<GroupDetail>()
        .put("/groups/{id}", "Changes a group", update)
        .takes::<GroupChange>()
        .gives::<GroupDetail>()
        .delete("/groups/{id}", "Deletes a group with everything in it", delete)
        .takes::<Deletion>()
        .status(202)
        .gives::<MessageBody>()
        .get("/groups/{id}/subgroups", "Lists the groups right below", subgroups)
        .takes::<GroupFilters>()
        .gives::<Vec<GroupEntity>>()
        .get("/groups/{id}/descendant_groups", "Lists all groups below", descendants)
        .takes::<GroupFilters>()
        .gives::<Vec<GroupEntity>>()
        .get("/groups/{id}/projects", "Lists the projects of a group", projects)
        .takes::<GroupProjects>()
        .gives::<Vec<ProjectEntity>>()
        .get("/groups/{id}/projects/shared", "Lists the projects that are shared with a group", shared)
        .gives::<Vec<ProjectEntity>>()
        .get("/groups/{id}/groups/shared", "Lists the groups that are shared with a group", shared)
        .gives::<Vec<GroupEntity>>()
        .get("/groups/{id}/invited_groups", "Lists the groups that a group is shared with", shared)
        .gives::<Vec<GroupEntity>>()
        .get("/groups/{id}/users", "Lists the members of a group as users", users)
        .takes::<People>()
        .gives::<Vec<UserBasic>>()
        .get("/groups/{id}/avatar", "Downloads the picture", download_avatar)
        .post("/groups/{id}/transfer", "Moves a group below another, or to the top", transfer)
        .takes::<Transfer>()
        .gives::<GroupDetail>()
        .get("/groups/{id}/transfer_locations", "Lists the groups that a group can be moved to", transfer_locations)
        .takes::<GroupSearch>()
        .gives::<Vec<GroupIdentity>>()
        .post("/groups/{id}/projects/{project_id}", "Moves a project into a group (administrators)", take_project)
        .gives::<GroupDetail>()
}

/// Refuses a user's own namespace where a group is meant.
fn group_only(access: GroupAccess) -> Result<GroupAccess> {
    if access.group.is_group() { Ok(access) } else { Err(Error::not_found("Group")) }
}

async fn answer(app: &App, actor: &Actor, filters: &GroupFilters, c: Conditions, paging: &Paging) -> Result<Response> {
    let (rows, total, next) = if paging.keyset {
        let (rows, next) = filters.keyset(app, c, paging).await?;
        (rows, 0, next)
    } else {
        let (rows, total) = filters.page(app, c, paging).await?;
        (rows, total, None)
    };
    let statistics = filters.statistics == Some(true) && (filters.owned == Some(true) || actor.is_admin());
    Ok(page(paging, &group_entity::groups(app, &rows, statistics).await?, total, next.as_deref()))
}

async fn list(
    State(app): State<App>,
    actor: Actor,
    Query(filters): Query<GroupFilters>,
    paging: Paging,
) -> Result<Response> {
    let conditions = filters.conditions(&actor)?;
    answer(&app, &actor, &filters, conditions, &paging).await
}

async fn subgroups(
    State(app): State<App>,
    access: GroupAccess,
    Query(filters): Query<GroupFilters>,
    paging: Paging,
) -> Result<Response> {
    let access = group_only(access)?;
    let mut c = filters.conditions(&access.actor)?;
    c.with("n.parent_id = {}", access.group.id);
    answer(&app, &access.actor, &filters, c, &paging).await
}

async fn descendants(
    State(app): State<App>,
    access: GroupAccess,
    Query(filters): Query<GroupFilters>,
    paging: Paging,
) -> Result<Response> {
    let access = group_only(access)?;
    let mut c = filters.conditions(&access.actor)?;
    let id = c.bind(access.group.id);
    c.and(format!(
        "n.id IN (SELECT a.namespace_id FROM namespace_ancestors a WHERE a.ancestor_id = {id} AND a.depth > 0)"
    ));
    answer(&app, &access.actor, &filters, c, &paging).await
}

async fn detail(app: &App, access: &GroupAccess, group: &Namespace, with_projects: bool) -> Result<GroupDetail> {
    let mut made = group_entity::groups(app, std::slice::from_ref(group), false).await?;
    let group_entity = made.pop().ok_or_else(|| Error::not_found("Group"))?;
    let projects = if with_projects { Some(first_projects(app, access, group.id).await?) } else { None };
    Ok(GroupDetail {
        group: group_entity,
        shared_with_groups: vec![],
        runners_token: (access.level >= level::OWNER).then_some(None),
        prevent_sharing_groups_outside_hierarchy: group.parent_id.is_none().then_some(false),
        shared_projects: projects.as_ref().map(|_| vec![]),
        projects,
    })
}

/// The first hundred projects, which is all that the entity holds.
async fn first_projects(app: &App, access: &GroupAccess, id: i64) -> Result<Vec<ProjectEntity>> {
    let visible = crate::access::visible_projects(&access.actor);
    let sql =
        format!("SELECT p.* FROM projects p WHERE p.namespace_id = $1 AND {visible} ORDER BY p.id DESC LIMIT 100");
    let rows: Vec<Project> = app.db().all(&sql, [id.into()]).await?;
    project_entity::full(app, &access.actor, &rows, Shape::default()).await
}

async fn create(State(app): State<App>, actor: Actor, form: WithAvatar<GroupChange>) -> Result<impl IntoResponse> {
    let missing: Vec<&str> = [("name", &form.params.name), ("path", &form.params.path)]
        .into_iter()
        .filter(|(_, value)| value.is_none())
        .map(|(name, _)| name)
        .collect();
    actor.user()?;
    if !missing.is_empty() {
        return Err(Error::BadParameter(
            missing.iter().map(|m| format!("{m} is missing")).collect::<Vec<_>>().join(", "),
        ));
    }
    let made = group_edit::create_group(&app, &actor, &form.params).await?;
    if let Some(picture) = form.avatar {
        avatar::store(&app, Of::Group(made.id), picture).await?;
    }
    let made = Namespace::find(app.db().conn(), made.id).await?.ok_or_else(|| Error::not_found("Group"))?;
    let access = GroupAccess::of(&app, actor, made).await?;
    Ok((StatusCode::CREATED, Json(detail(&app, &access, &access.group, false).await?)))
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Shown {
    with_projects: Option<bool>,
}

async fn show(State(app): State<App>, access: GroupAccess, Query(shown): Query<Shown>) -> Result<Json<GroupDetail>> {
    let access = group_only(access)?;
    Ok(Json(detail(&app, &access, &access.group, shown.with_projects != Some(false)).await?))
}

async fn update(
    State(app): State<App>,
    access: GroupAccess,
    form: WithAvatar<GroupChange>,
) -> Result<Json<GroupDetail>> {
    let access = group_only(access)?;
    access.may(Permission::EditGroup)?;
    match form.avatar {
        Some(picture) => avatar::store(&app, Of::Group(access.group.id), picture).await?,
        None if form.params.avatar.as_deref() == Some("") => avatar::remove(&app, Of::Group(access.group.id)).await?,
        None => {}
    }
    let changed = group_edit::update_group(&app, &access, &form.params).await?;
    Ok(Json(detail(&app, &access, &changed, true).await?))
}

async fn delete(
    State(app): State<App>,
    access: GroupAccess,
    Query(asked): Query<Deletion>,
) -> Result<impl IntoResponse> {
    let access = group_only(access)?;
    access.may(Permission::DeleteGroup)?;
    check_confirmation(asked.full_path.as_deref(), &access.group.full_path)?;
    let tx = app.begin().await?;
    access.group.delete(&tx, &access.actor).await?;
    tx.commit().await?;
    Ok(accepted())
}

#[derive(Debug, Deserialize, JsonSchema)]
struct GroupProjects {
    include_subgroups: Option<bool>,
    include_ancestor_groups: Option<bool>,
}

async fn projects(
    State(app): State<App>,
    access: GroupAccess,
    Query(which): Query<GroupProjects>,
    Query(filters): Query<ProjectFilters>,
    paging: Paging,
) -> Result<Response> {
    let mut c = filters.conditions(&access.actor)?;
    let id = c.bind(access.group.id);
    let below =
        format!("p.namespace_id IN (SELECT a.namespace_id FROM namespace_ancestors a WHERE a.ancestor_id = {id})");
    let above =
        format!("p.namespace_id IN (SELECT a.ancestor_id FROM namespace_ancestors a WHERE a.namespace_id = {id})");
    c.and(match (which.include_subgroups == Some(true), which.include_ancestor_groups == Some(true)) {
        (true, true) => format!("({below} OR {above})"),
        (true, false) => below,
        (false, true) => above,
        (false, false) => format!("p.namespace_id = {id}"),
    });
    answer_projects(&app, &access.actor, &filters, c, &paging).await
}

async fn shared(_access: GroupAccess, paging: Paging) -> Result<Response> {
    Ok(paging.list::<GroupIdentity>(&[], 0))
}

#[derive(Debug, Deserialize, JsonSchema)]
struct People {
    search: Option<String>,
}

async fn users(
    State(app): State<App>,
    access: GroupAccess,
    Query(asked): Query<People>,
    paging: Paging,
) -> Result<Response> {
    let mut c = Conditions::default();
    let id = c.bind(access.group.id);
    c.and(format!(
        "u.id IN (SELECT m.user_id FROM members m JOIN namespace_ancestors a ON a.ancestor_id = m.namespace_id
                  WHERE a.namespace_id = {id} AND {})",
        alive()
    ));
    c.and("u.state = 'active'");
    if let Some(text) = asked.search.as_deref().filter(|s| !s.is_empty()) {
        let pattern = c.bind(like(text));
        c.and(format!("(LOWER(u.name) LIKE {pattern} ESCAPE '\\' OR u.username_key LIKE {pattern} ESCAPE '\\')"));
    }
    let total =
        entity::count(&app, &format!("SELECT COUNT(*) FROM users u WHERE {}", c.sql()), c.values.clone()).await?;
    let sql = format!(
        "SELECT u.* FROM users u WHERE {} ORDER BY u.id LIMIT {} OFFSET {}",
        c.sql(),
        paging.limit(),
        paging.offset()
    );
    let rows: Vec<User> = app.db().all(&sql, c.values).await?;
    Ok(paging.list(&rows.iter().map(|u| UserBasic::of(&app, u)).collect::<Vec<_>>(), total))
}

async fn download_avatar(State(app): State<App>, access: GroupAccess) -> Result<Response> {
    let key = access.group.avatar.as_deref().ok_or_else(|| Error::not_found("Avatar"))?;
    avatar::answer(&app, key).await
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Transfer {
    /// The group to move it below; absent for the top.
    group_id: Option<i64>,
}

async fn transfer(
    State(app): State<App>,
    access: GroupAccess,
    Params(wanted): Params<Transfer>,
) -> Result<impl IntoResponse> {
    let access = group_only(access)?;
    access.may(Permission::EditGroup)?;
    let parent = match wanted.group_id {
        Some(id) => {
            let found = Namespace::find(app.db().conn(), id).await?.ok_or_else(|| Error::not_found("Group"))?;
            Some(group_only(GroupAccess::of(&app, access.actor.clone(), found).await?)?)
        }
        None => None,
    };
    let moved = group_edit::transfer_group(&app, &access, parent.as_ref()).await?;
    Ok((StatusCode::CREATED, Json(detail(&app, &access, &moved, true).await?)))
}

async fn transfer_locations(
    State(app): State<App>,
    access: GroupAccess,
    Query(asked): Query<GroupSearch>,
    paging: Paging,
) -> Result<Response> {
    access.may(Permission::EditGroup)?;
    let mut c = Conditions::default();
    let id = c.bind(access.group.id);
    c.and(format!("n.id NOT IN (SELECT a.namespace_id FROM namespace_ancestors a WHERE a.ancestor_id = {id})"));
    if let Some(parent) = access.group.parent_id {
        c.with("n.id <> {}", parent);
    }
    if !access.actor.is_admin() {
        c.and(crate::access::member_groups_at(access.actor.user()?.id, level::OWNER));
    }
    group_page(&app, c, &asked, &paging).await
}

async fn take_project(
    State(app): State<App>,
    access: GroupAccess,
    axum::extract::Path((_, project)): axum::extract::Path<(String, String)>,
) -> Result<impl IntoResponse> {
    access.actor.admin()?;
    let access = group_only(access)?;
    let found = match project.parse::<i64>() {
        Ok(id) => Project::find(app.db().conn(), id).await?,
        Err(_) => Project::by_path(app.db().conn(), &project).await?,
    };
    let found = found.ok_or_else(|| Error::not_found("Project"))?;
    let project = crate::access::ProjectAccess::of(&app, access.actor.clone(), found).await?;
    crate::edit::transfer(&app, &project, &access).await?;
    Ok((StatusCode::CREATED, Json(detail(&app, &access, &access.group, true).await?)))
}

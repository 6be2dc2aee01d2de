//! Lists of projects: all, of a user, starred; and lists of people and groups of a project.

use accounts::{Actor, User};
use axum::extract::{Path, State};
use axum::response::Response;
use kernel::api::Api;
use kernel::db::like;
use kernel::http::{Paging, Query};
use kernel::{App, Error, Result, Time};
use schemars::JsonSchema;
use sea_orm::FromQueryResult;
use serde::{Deserialize, Serialize};

use super::entity::{self, UserBasic, alive};
use super::group_entity::{GroupIdentity, identities};
use super::project_entity::{self, ProjectEntity, Shape};
use crate::access::ProjectAccess;
use crate::level;
use crate::list::{Conditions, ProjectFilters};
use crate::namespace::Namespace;
use crate::permissions::Permission;

pub(crate) fn api() -> Api {
    Api::new("Projects")
        .get("/projects", "Lists projects", list)
        .takes::<ProjectFilters>()
        .gives::<Vec<ProjectEntity>>()
        .get("/users/{id}/projects", "Lists the projects in a user's namespace", of_user)
        .takes::<ProjectFilters>()
        .gives::<Vec<ProjectEntity>>()
        .get("/users/{id}/starred_projects", "Lists the projects that a user starred", starred_by)
        .takes::<ProjectFilters>()
        .gives::<Vec<ProjectEntity>>()
        .get(
            "/users/{id}/contributed_projects",
            "Lists the projects that a user did something in within a year",
            contributed_by,
        )
        .takes::<ProjectFilters>()
        .gives::<Vec<ProjectEntity>>()
        .get("/projects/{id}/starrers", "Lists who starred a project", starrers)
        .takes::<People>()
        .gives::<Vec<Starrer>>()
        .get("/projects/{id}/users", "Lists the members of a project as users", users)
        .takes::<People>()
        .gives::<Vec<UserBasic>>()
        .get("/projects/{id}/groups", "Lists the groups above a project", groups)
        .takes::<GroupSearch>()
        .gives::<Vec<GroupIdentity>>()
        .get("/projects/{id}/invited_groups", "Lists the groups that a project is shared with", invited_groups)
        .gives::<Vec<GroupIdentity>>()
        .get("/projects/{id}/transfer_locations", "Lists the groups that a project can be moved to", transfer_locations)
        .takes::<GroupSearch>()
        .gives::<Vec<GroupIdentity>>()
}

/// Answers with a page of the projects that meet the conditions.
pub(super) async fn answer(
    app: &App,
    actor: &Actor,
    filters: &ProjectFilters,
    conditions: Conditions,
    paging: &Paging,
) -> Result<Response> {
    let (rows, total, next) = if paging.keyset {
        let (rows, next) = filters.keyset(app, conditions, paging).await?;
        (rows, 0, next)
    } else {
        let (rows, total) = filters.page(app, conditions, paging).await?;
        (rows, total, None)
    };
    if filters.simple == Some(true) || actor.known().is_none() {
        return Ok(page(paging, &project_entity::simple(app, actor, &rows).await?, total, next.as_deref()));
    }
    let shape = Shape { statistics: filters.statistics == Some(true), permissions: true };
    Ok(page(paging, &project_entity::full(app, actor, &rows, shape).await?, total, next.as_deref()))
}

/// One page, of the kind that was asked for.
pub(super) fn page<T: Serialize>(paging: &Paging, items: &[T], total: i64, next: Option<&str>) -> Response {
    if paging.keyset { paging.list_keyset(items, next) } else { paging.list(items, total) }
}

async fn list(
    State(app): State<App>,
    actor: Actor,
    Query(filters): Query<ProjectFilters>,
    paging: Paging,
) -> Result<Response> {
    let conditions = filters.conditions(&actor)?;
    answer(&app, &actor, &filters, conditions, &paging).await
}

/// The user that a path names by id or name; a 404 where there is none.
pub(super) async fn user(app: &App, wanted: &str) -> Result<User> {
    let found = match wanted.parse() {
        Ok(id) => User::find(app.db().conn(), id).await?,
        Err(_) => User::by_username(app.db().conn(), wanted).await?,
    };
    found.ok_or_else(|| Error::not_found("User"))
}

/// The user that a path names, if the actor may look at their profile.
pub(super) async fn open_user(app: &App, actor: &Actor, wanted: &str) -> Result<User> {
    let user = user(app, wanted).await?;
    let open = !user.private_profile || actor.is_admin() || actor.id() == Some(user.id);
    if open { Ok(user) } else { Err(Error::not_found("User")) }
}

async fn of_user(
    State(app): State<App>,
    actor: Actor,
    Path(wanted): Path<String>,
    Query(filters): Query<ProjectFilters>,
    paging: Paging,
) -> Result<Response> {
    let user = user(&app, &wanted).await?;
    let mut conditions = filters.conditions(&actor)?;
    conditions.with("p.namespace_id IN (SELECT n.id FROM namespaces n WHERE n.owner_id = {})", user.id);
    answer(&app, &actor, &filters, conditions, &paging).await
}

async fn starred_by(
    State(app): State<App>,
    actor: Actor,
    Path(wanted): Path<String>,
    Query(filters): Query<ProjectFilters>,
    paging: Paging,
) -> Result<Response> {
    let user = open_user(&app, &actor, &wanted).await?;
    let mut conditions = filters.conditions(&actor)?;
    conditions.with("p.id IN (SELECT s.project_id FROM stars s WHERE s.user_id = {})", user.id);
    answer(&app, &actor, &filters, conditions, &paging).await
}

async fn contributed_by(
    State(app): State<App>,
    actor: Actor,
    Path(wanted): Path<String>,
    Query(filters): Query<ProjectFilters>,
    paging: Paging,
) -> Result<Response> {
    let user = open_user(&app, &actor, &wanted).await?;
    let mut conditions = filters.conditions(&actor)?;
    let (author, since) =
        (conditions.bind(user.id), conditions.bind(Time::from_seconds(Time::now().seconds() - 365 * 86_400)));
    conditions.and(format!(
        "p.id IN (SELECT v.project_id FROM activities v WHERE v.author_id = {author} AND v.created_at > {since} AND v.project_id IS NOT NULL)"
    ));
    answer(&app, &actor, &filters, conditions, &paging).await
}

#[derive(Debug, Deserialize, JsonSchema)]
struct People {
    search: Option<String>,
    #[serde(default)]
    skip_users: Vec<i64>,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
struct Starrer {
    starred_since: Time,
    user: UserBasic,
}

#[derive(FromQueryResult)]
struct Since {
    user_id: i64,
    created_at: Time,
}

async fn starrers(
    State(app): State<App>,
    access: ProjectAccess,
    Query(asked): Query<People>,
    paging: Paging,
) -> Result<Response> {
    let mut c = Conditions::default();
    c.with("s.project_id = {}", access.project.id).and("u.state = 'active'").and("NOT u.private_profile");
    if let Some(text) = asked.search.as_deref().filter(|s| !s.is_empty()) {
        let pattern = c.bind(like(text));
        c.and(format!("(LOWER(u.name) LIKE {pattern} ESCAPE '\\' OR u.username_key LIKE {pattern} ESCAPE '\\')"));
    }
    let from = format!("FROM stars s JOIN users u ON u.id = s.user_id WHERE {}", c.sql());
    let total = entity::count(&app, &format!("SELECT COUNT(*) {from}"), c.values.clone()).await?;
    let sql = format!(
        "SELECT s.user_id, s.created_at {from} ORDER BY s.created_at, s.user_id LIMIT {} OFFSET {}",
        paging.limit(),
        paging.offset()
    );
    let rows: Vec<Since> = app.db().all(&sql, c.values).await?;
    let people = entity::users(&app, rows.iter().map(|r| r.user_id)).await?;
    let made: Vec<Starrer> = rows
        .iter()
        .filter_map(|r| {
            Some(Starrer { starred_since: r.created_at, user: UserBasic::of(&app, people.get(&r.user_id)?) })
        })
        .collect();
    Ok(paging.list(&made, total))
}

async fn users(
    State(app): State<App>,
    access: ProjectAccess,
    Query(asked): Query<People>,
    paging: Paging,
) -> Result<Response> {
    access.may(Permission::ReadMembers)?;
    let mut c = Conditions::default();
    let (project, namespace, alive) = (c.bind(access.project.id), c.bind(access.project.namespace_id), alive());
    c.and(format!(
        "u.id IN (SELECT m.user_id FROM members m WHERE m.project_id = {project} AND {alive}
                  UNION SELECT m.user_id FROM members m JOIN namespace_ancestors a ON a.ancestor_id = m.namespace_id
                        WHERE a.namespace_id = {namespace} AND m.access_level >= {} AND {alive}
                  UNION SELECT n.owner_id FROM namespaces n WHERE n.id = {namespace} AND n.owner_id IS NOT NULL)",
        level::GUEST
    ));
    c.and("u.state = 'active'");
    if !asked.skip_users.is_empty() {
        c.and(format!("u.id NOT IN ({})", crate::delete::id_list(&asked.skip_users)));
    }
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

#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct GroupSearch {
    pub(super) search: Option<String>,
    #[serde(default)]
    pub(super) skip_groups: Vec<i64>,
}

/// Answers with a page of groups in short.
pub(super) async fn group_page(app: &App, mut c: Conditions, asked: &GroupSearch, paging: &Paging) -> Result<Response> {
    c.and("n.kind = 'group'");
    if !asked.skip_groups.is_empty() {
        c.and(format!("n.id NOT IN ({})", crate::delete::id_list(&asked.skip_groups)));
    }
    if let Some(text) = asked.search.as_deref().filter(|s| !s.is_empty()) {
        let pattern = c.bind(like(text));
        c.and(format!("(LOWER(n.name) LIKE {pattern} ESCAPE '\\' OR n.full_path_key LIKE {pattern} ESCAPE '\\')"));
    }
    let total =
        entity::count(app, &format!("SELECT COUNT(*) FROM namespaces n WHERE {}", c.sql()), c.values.clone()).await?;
    let sql = format!(
        "SELECT n.* FROM namespaces n WHERE {} ORDER BY n.full_path_key LIMIT {} OFFSET {}",
        c.sql(),
        paging.limit(),
        paging.offset()
    );
    let rows: Vec<Namespace> = app.db().all(&sql, c.values).await?;
    Ok(paging.list(&identities(app, &rows).await?, total))
}

async fn groups(
    State(app): State<App>,
    access: ProjectAccess,
    Query(asked): Query<GroupSearch>,
    paging: Paging,
) -> Result<Response> {
    let mut c = Conditions::default();
    c.with(
        "n.id IN (SELECT a.ancestor_id FROM namespace_ancestors a WHERE a.namespace_id = {})",
        access.project.namespace_id,
    );
    c.and(crate::access::visible_groups(&access.actor));
    group_page(&app, c, &asked, &paging).await
}

async fn invited_groups(access: ProjectAccess, paging: Paging) -> Result<Response> {
    access.may(Permission::ReadMembers)?;
    Ok(paging.list::<GroupIdentity>(&[], 0))
}

async fn transfer_locations(
    State(app): State<App>,
    access: ProjectAccess,
    Query(asked): Query<GroupSearch>,
    paging: Paging,
) -> Result<Response> {
    access.may(Permission::TransferProject)?;
    let mut c = Conditions::default();
    c.with("n.id <> {}", access.project.namespace_id);
    if !access.actor.is_admin() {
        c.and(crate::access::member_groups_at(access.actor.user()?.id, level::MAINTAINER));
    }
    group_page(&app, c, &asked, &paging).await
}

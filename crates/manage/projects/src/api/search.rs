//! Searching: projects and people here, other things by what areas above registered.

use accounts::{Actor, User};
use axum::extract::State;
use axum::response::Response;
use kernel::api::Api;
use kernel::db::like;
use kernel::http::{Paging, Query};
use kernel::{App, Error, Result};
use schemars::JsonSchema;
use sea_orm::FromQueryResult;
use serde::Deserialize;
use serde_json::Value;

use super::entity::{UserBasic, alive};
use super::project_entity;
use crate::access::{GroupAccess, ProjectAccess, visible_projects};
use crate::hooks::{Hit, SearchScopes, Wanted, Within};
use crate::list::{Conditions, add_search};
use crate::project::Project;

/// What the API knows and nothing can be found of yet.
const EMPTY_SCOPES: &[&str] =
    &["issues", "merge_requests", "milestones", "snippet_titles", "wiki_blobs", "commits", "blobs", "notes"];

pub(crate) fn api() -> Api {
    Api::new("Search")
        .get("/search", "Searches everything that one may see", everywhere)
        .takes::<Asked>()
        .gives::<Vec<Value>>()
        .get("/groups/{id}/search", "Searches a group", in_group)
        .takes::<Asked>()
        .gives::<Vec<Value>>()
        .get("/projects/{id}/search", "Searches a project", in_project)
        .takes::<Asked>()
        .gives::<Vec<Value>>()
        // Some clients write the two with a dash.
        .get("/groups/{id}/-/search", "Searches a group", in_group)
        .takes::<Asked>()
        .gives::<Vec<Value>>()
        .get("/projects/{id}/-/search", "Searches a project", in_project)
        .takes::<Asked>()
        .gives::<Vec<Value>>()
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Asked {
    scope: String,
    search: String,
    #[serde(rename = "ref")]
    reference: Option<String>,
}

async fn everywhere(
    State(app): State<App>,
    actor: Actor,
    Query(asked): Query<Asked>,
    paging: Paging,
) -> Result<Response> {
    actor.user()?;
    answer(&app, Within::Everywhere(&actor), &asked, &paging).await
}

async fn in_group(
    State(app): State<App>,
    access: GroupAccess,
    Query(asked): Query<Asked>,
    paging: Paging,
) -> Result<Response> {
    access.actor.user()?;
    answer(&app, Within::Group(&access), &asked, &paging).await
}

async fn in_project(
    State(app): State<App>,
    access: ProjectAccess,
    Query(asked): Query<Asked>,
    paging: Paging,
) -> Result<Response> {
    access.actor.user()?;
    answer(&app, Within::Project(&access), &asked, &paging).await
}

async fn answer(app: &App, within: Within<'_>, asked: &Asked, paging: &Paging) -> Result<Response> {
    if asked.search.chars().count() > 4096 {
        return Err(Error::BadParameter("search is too long (maximum is 4096 characters)".into()));
    }
    let wanted = Wanted {
        text: asked.search.trim(),
        reference: asked.reference.as_deref(),
        offset: paging.offset(),
        limit: paging.limit() + 1,
    };
    let hits = find(app, within, &asked.scope, wanted).await?;
    let hits = hits.ok_or_else(|| Error::BadParameter("scope does not have a valid value".into()))?;
    let items: Vec<Value> = hits.into_iter().map(|h| h.entity).collect();
    Ok(paging.list_uncounted(&items))
}

/// What is found in a scope; `None` where there is no such scope.
pub(crate) async fn find(app: &App, within: Within<'_>, scope: &str, wanted: Wanted<'_>) -> Result<Option<Vec<Hit>>> {
    if wanted.text.is_empty() {
        let known = matches!(scope, "projects" | "users") || EMPTY_SCOPES.contains(&scope);
        return Ok(known.then(Vec::new));
    }
    let registered = app.get::<SearchScopes>();
    if let Some(found) = registered.iter().flat_map(|s| &s.0).find(|s| s.name() == scope && s.fits(within)) {
        return found.find(app, within, wanted).await.map(Some);
    }
    match (scope, within) {
        ("projects", Within::Project(_)) => Ok(None),
        ("projects", _) => projects(app, within, wanted).await.map(Some),
        ("users", _) => users(app, within, wanted).await.map(Some),
        _ => Ok(EMPTY_SCOPES.contains(&scope).then(Vec::new)),
    }
}

pub(crate) fn actor_of<'a>(within: Within<'a>) -> &'a Actor {
    match within {
        Within::Everywhere(actor) => actor,
        Within::Group(access) => &access.actor,
        Within::Project(access) => &access.actor,
    }
}

async fn projects(app: &App, within: Within<'_>, wanted: Wanted<'_>) -> Result<Vec<Hit>> {
    let actor = actor_of(within);
    let mut c = Conditions::default();
    c.and(visible_projects(actor)).and("NOT p.archived");
    if let Within::Group(access) = within {
        c.with(
            "p.namespace_id IN (SELECT a.namespace_id FROM namespace_ancestors a WHERE a.ancestor_id = {})",
            access.group.id,
        );
    }
    add_search(&mut c, wanted.text, true);
    let sql = format!(
        "SELECT p.* FROM projects p WHERE {} ORDER BY p.star_count DESC, p.last_activity_at DESC, p.id LIMIT {} OFFSET {}",
        c.sql(),
        wanted.limit,
        wanted.offset
    );
    let rows: Vec<Project> = app.db().all(&sql, c.values).await?;
    let entities = project_entity::simple(app, actor, &rows).await?;
    rows.iter()
        .zip(entities)
        .map(|(row, entity)| {
            Ok(Hit {
                entity: serde_json::to_value(entity)?,
                title: row.full_path.clone(),
                href: format!("/{}", row.full_path),
                note: row.description.chars().take(160).collect(),
                excerpt: None,
            })
        })
        .collect()
}

#[derive(FromQueryResult)]
struct Found {
    id: i64,
}

async fn users(app: &App, within: Within<'_>, wanted: Wanted<'_>) -> Result<Vec<Hit>> {
    let mut c = Conditions::default();
    c.and("u.state = 'active'");
    let pattern = c.bind(like(wanted.text));
    let exact = c.bind(wanted.text.to_lowercase());
    c.and(format!(
        "(LOWER(u.name) LIKE {pattern} ESCAPE '\\' OR u.username_key LIKE {pattern} ESCAPE '\\' OR LOWER(u.public_email) = {exact})"
    ));
    let members_of = |c: &mut Conditions, namespace: i64, project: i64| {
        let (namespace, project, alive) = (c.bind(namespace), c.bind(project), alive());
        c.and(format!(
            "u.id IN (SELECT m.user_id FROM members m WHERE {alive} AND (m.project_id = {project} OR m.namespace_id IN
                (SELECT a.ancestor_id FROM namespace_ancestors a WHERE a.namespace_id = {namespace})))"
        ));
    };
    match within {
        Within::Everywhere(_) => {}
        Within::Group(access) => members_of(&mut c, access.group.id, 0),
        Within::Project(access) => members_of(&mut c, access.project.namespace_id, access.project.id),
    }
    let sql = format!(
        "SELECT u.id FROM users u WHERE {} ORDER BY u.username_key LIMIT {} OFFSET {}",
        c.sql(),
        wanted.limit,
        wanted.offset
    );
    let ids: Vec<i64> = app.db().all::<Found>(&sql, c.values).await?.into_iter().map(|f| f.id).collect();
    let mut people = User::by_ids(app.db().conn(), ids).await?;
    people.sort_by(|a, b| a.username_key.cmp(&b.username_key));
    people
        .iter()
        .map(|u| {
            Ok(Hit {
                entity: serde_json::to_value(UserBasic::of(app, u))?,
                title: u.name.clone(),
                href: u.path(),
                note: format!("@{}", u.username),
                excerpt: None,
            })
        })
        .collect()
}

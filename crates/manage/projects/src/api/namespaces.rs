//! Namespaces: users' own and groups.

use std::collections::HashMap;

use accounts::Actor;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use kernel::api::Api;
use kernel::db::{Sql, like};
use kernel::http::{Paging, Query};
use kernel::{App, Error, Result};
use schemars::JsonSchema;
use sea_orm::FromQueryResult;
use serde::{Deserialize, Serialize};

use super::entity::{self, NamespaceBasic, alive, numbers};
use super::group_entity::sizes;
use crate::access::member_groups_at;
use crate::delete::id_list;
use crate::level;
use crate::list::Conditions;
use crate::namespace::Namespace;

pub(crate) fn api() -> Api {
    Api::new("Namespaces")
        .get("/namespaces", "Lists the namespaces that one belongs to", list)
        .takes::<Filters>()
        .gives::<Vec<NamespaceEntity>>()
        .get("/namespaces/{namespace_id}", "Shows a namespace", show)
        .gives::<NamespaceEntity>()
        .get("/namespaces/{namespace_id}/exists", "Tells whether a path is taken and suggests others", exists)
        .takes::<Below>()
        .gives::<Existence>()
}

/// A namespace.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct NamespaceEntity {
    #[serde(flatten)]
    basic: NamespaceBasic,
    #[serde(skip_serializing_if = "Option::is_none")]
    members_count_with_descendants: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    root_repository_size: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    projects_count: Option<i64>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
struct Filters {
    search: Option<String>,
    owned_only: Option<bool>,
    top_level_only: Option<bool>,
}

async fn list(
    State(app): State<App>,
    actor: Actor,
    Query(filters): Query<Filters>,
    paging: Paging,
) -> Result<Response> {
    let user = actor.user()?.id;
    let mut c = Conditions::default();
    if !actor.is_admin() || filters.owned_only == Some(true) {
        let least = if filters.owned_only == Some(true) { level::OWNER } else { level::MINIMAL };
        c.and(format!("(n.owner_id = {user} OR {})", member_groups_at(user, least)));
    }
    if filters.top_level_only == Some(true) {
        c.and("n.parent_id IS NULL");
    }
    if let Some(text) = filters.search.as_deref().filter(|s| !s.is_empty()) {
        let pattern = c.bind(like(text));
        c.and(format!("(LOWER(n.name) LIKE {pattern} ESCAPE '\\' OR n.full_path_key LIKE {pattern} ESCAPE '\\')"));
    }
    let total =
        entity::count(&app, &format!("SELECT COUNT(*) FROM namespaces n WHERE {}", c.sql()), c.values.clone()).await?;
    let sql = format!(
        "SELECT n.* FROM namespaces n WHERE {} ORDER BY n.id LIMIT {} OFFSET {}",
        c.sql(),
        paging.limit(),
        paging.offset()
    );
    let rows: Vec<Namespace> = app.db().all(&sql, c.values).await?;
    Ok(paging.list(&entities(&app, &actor, &rows).await?, total))
}

async fn entities(app: &App, actor: &Actor, rows: &[Namespace]) -> Result<Vec<NamespaceEntity>> {
    let owned = owned(app, actor, rows).await?;
    let ids: Vec<i64> = rows.iter().map(|n| n.id).filter(|id| owned.contains_key(id)).collect();
    let sql = format!(
        "SELECT a.ancestor_id AS id, COUNT(DISTINCT m.user_id) AS n FROM namespace_ancestors a
         LEFT JOIN projects p ON p.namespace_id = a.namespace_id
         JOIN members m ON m.namespace_id = a.namespace_id OR m.project_id = p.id
         WHERE a.ancestor_id IN ({}) AND {} GROUP BY a.ancestor_id",
        id_list(&ids),
        alive()
    );
    let members = numbers(app, &sql).await?;
    let sql = format!(
        "SELECT a.ancestor_id AS id, COUNT(*) AS n FROM namespace_ancestors a JOIN projects p ON p.namespace_id = a.namespace_id
         WHERE a.ancestor_id IN ({}) GROUP BY a.ancestor_id",
        id_list(&ids)
    );
    let projects = numbers(app, &sql).await?;
    let sizes = sizes(app, &ids).await?;
    let owners = entity::users(app, rows.iter().filter_map(|n| n.owner_id)).await?;
    let made = rows.iter().map(|n| {
        let (own, top) = (owned.contains_key(&n.id), n.parent_id.is_none());
        let of = |counts: &HashMap<i64, i64>| Some(counts.get(&n.id).copied().unwrap_or(0));
        let mut basic = NamespaceBasic::of(app, n);
        if let Some(owner) = n.owner_id.and_then(|id| owners.get(&id)) {
            basic.avatar_url = owner.avatar_path();
        }
        NamespaceEntity {
            basic,
            members_count_with_descendants: if own && n.is_group() { of(&members) } else { None },
            root_repository_size: if own && top { of(&sizes) } else { None },
            projects_count: if own && top { of(&projects) } else { None },
        }
    });
    Ok(made.collect())
}

/// Which of the namespaces the actor owns.
async fn owned(app: &App, actor: &Actor, rows: &[Namespace]) -> Result<HashMap<i64, i64>> {
    let Some(user) = actor.id() else { return Ok(HashMap::new()) };
    if actor.is_admin() {
        return Ok(rows.iter().map(|n| (n.id, 1)).collect());
    }
    let ids = id_list(&rows.iter().map(|n| n.id).collect::<Vec<_>>());
    let owned = member_groups_at(user, level::OWNER);
    let sql = format!(
        "SELECT n.id, CAST(1 AS BIGINT) AS n FROM namespaces n WHERE n.id IN ({ids}) AND (n.owner_id = {user} OR {owned})"
    );
    numbers(app, &sql).await
}

async fn show(State(app): State<App>, actor: Actor, Path(wanted): Path<String>) -> Result<Json<NamespaceEntity>> {
    let user = actor.user()?.id;
    let found = match wanted.parse::<i64>() {
        Ok(id) => Namespace::find(app.db().conn(), id).await?,
        Err(_) => Namespace::by_path(app.db().conn(), &wanted).await?,
    };
    let found = found.ok_or_else(|| Error::not_found("Namespace"))?;
    let level = crate::access::namespace_level(app.db().conn(), user, found.id).await?;
    if level == level::NONE && !actor.is_admin() {
        return Err(Error::not_found("Namespace"));
    }
    let mut made = entities(&app, &actor, std::slice::from_ref(&found)).await?;
    made.pop().map(Json).ok_or_else(|| Error::not_found("Namespace"))
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Below {
    parent_id: Option<i64>,
}

/// Whether a path is taken.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct Existence {
    exists: bool,
    suggests: Vec<String>,
}

#[derive(FromQueryResult)]
struct Taken {
    path: String,
}

async fn exists(
    State(app): State<App>,
    actor: Actor,
    Path(wanted): Path<String>,
    Query(below): Query<Below>,
) -> Result<Json<Existence>> {
    actor.user()?;
    let mut c = Conditions::default();
    match below.parent_id {
        Some(id) => c.with("parent_id = {}", id),
        None => c.and("parent_id IS NULL"),
    };
    let start = format!("{}%", like(&wanted).trim_matches('%'));
    c.with("LOWER(path) LIKE {} ESCAPE '\\'", start);
    let sql = format!("SELECT LOWER(path) AS path FROM namespaces WHERE {}", c.sql());
    let taken: Vec<String> = app.db().conn().all::<Taken>(&sql, c.values).await?.into_iter().map(|t| t.path).collect();
    let exists = taken.contains(&wanted.to_lowercase());
    let free = (1..).map(|n| format!("{wanted}{n}")).find(|s| !taken.contains(&s.to_lowercase()));
    Ok(Json(Existence { exists, suggests: free.filter(|_| exists).into_iter().collect() }))
}

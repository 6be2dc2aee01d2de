//! Topics that projects are found by.

use accounts::Actor;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use kernel::api::Api;
use kernel::db::like;
use kernel::http::{Paging, Params, Query};
use kernel::{App, Error, Result, Time};
use schemars::JsonSchema;
use sea_orm::FromQueryResult;
use serde::{Deserialize, Serialize};

use super::{entity, number};
use crate::list::Conditions;

pub(crate) fn api() -> Api {
    Api::new("Topics")
        .get("/topics", "Lists topics", list)
        .takes::<Filters>()
        .gives::<Vec<TopicEntity>>()
        .get("/topics/{topic_id}", "Shows a topic", show)
        .gives::<TopicEntity>()
        .post("/topics", "Creates a topic (administrators)", create)
        .takes::<NewTopic>()
        .gives::<TopicEntity>()
        .put("/topics/{topic_id}", "Changes a topic (administrators)", update)
        .takes::<Change>()
        .gives::<TopicEntity>()
        .delete("/topics/{topic_id}", "Deletes a topic (administrators)", delete)
}

/// A topic.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct TopicEntity {
    id: i64,
    name: String,
    title: String,
    description: Option<String>,
    total_projects_count: i64,
    organization_id: i64,
    avatar_url: Option<String>,
}

#[derive(FromQueryResult)]
struct Row {
    id: i64,
    name: String,
    title: String,
    description: Option<String>,
    total: i64,
}

const SELECT: &str = "SELECT t.id, t.name, t.title, t.description,
    (SELECT COUNT(*) FROM project_topics pt WHERE pt.topic_id = t.id) AS total FROM topics t";

impl From<Row> for TopicEntity {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            name: row.name,
            title: row.title,
            description: row.description,
            total_projects_count: row.total,
            organization_id: 1,
            avatar_url: None,
        }
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Filters {
    search: Option<String>,
    without_projects: Option<bool>,
}

async fn list(State(app): State<App>, Query(filters): Query<Filters>, paging: Paging) -> Result<Response> {
    let mut c = Conditions::default();
    if let Some(text) = filters.search.as_deref().filter(|s| !s.is_empty()) {
        let pattern = c.bind(like(text));
        c.and(format!("(t.name_key LIKE {pattern} ESCAPE '\\' OR LOWER(t.title) LIKE {pattern} ESCAPE '\\')"));
    }
    if filters.without_projects == Some(true) {
        c.and("NOT EXISTS (SELECT 1 FROM project_topics pt WHERE pt.topic_id = t.id)");
    }
    let total =
        entity::count(&app, &format!("SELECT COUNT(*) FROM topics t WHERE {}", c.sql()), c.values.clone()).await?;
    let (what, limit, offset) = (c.sql(), paging.limit(), paging.offset());
    let sql = format!("{SELECT} WHERE {what} ORDER BY total DESC, t.name_key LIMIT {limit} OFFSET {offset}");
    let rows: Vec<Row> = app.db().all(&sql, c.values).await?;
    Ok(paging.list(&rows.into_iter().map(TopicEntity::from).collect::<Vec<_>>(), total))
}

async fn find(app: &App, id: i64) -> Result<TopicEntity> {
    let row: Option<Row> = app.db().one(&format!("{SELECT} WHERE t.id = $1"), [id.into()]).await?;
    row.map(TopicEntity::from).ok_or_else(|| Error::not_found("Topic"))
}

async fn show(State(app): State<App>, Path(id): Path<String>) -> Result<Json<TopicEntity>> {
    Ok(Json(find(&app, number(&id, "topic_id")?).await?))
}

#[derive(Debug, Deserialize, JsonSchema)]
struct NewTopic {
    name: String,
    title: String,
    description: Option<String>,
}

fn check(name: &str) -> Result<()> {
    if name.trim().is_empty() || name.chars().count() > 255 || name.chars().any(char::is_control) {
        return Err(Error::invalid("name", "can't be blank, longer than 255 characters or hold line breaks"));
    }
    Ok(())
}

async fn create(State(app): State<App>, actor: Actor, Params(new): Params<NewTopic>) -> Result<impl IntoResponse> {
    actor.admin()?;
    check(&new.name)?;
    let sql = "INSERT INTO topics (name, name_key, title, description, created_at) VALUES ($1, $2, $3, $4, $5)
               ON CONFLICT (name_key) DO NOTHING RETURNING id";
    #[derive(FromQueryResult)]
    struct Id {
        id: i64,
    }
    let name = new.name.trim();
    let values =
        [name.into(), name.to_lowercase().into(), new.title.into(), new.description.into(), Time::now().into()];
    let made: Option<Id> = app.db().one(sql, values).await?;
    let made = made.ok_or_else(|| Error::invalid("name", "has already been taken"))?;
    Ok((StatusCode::CREATED, Json(find(&app, made.id).await?)))
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Change {
    title: Option<String>,
    description: Option<String>,
}

async fn update(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<String>,
    Params(wanted): Params<Change>,
) -> Result<Json<TopicEntity>> {
    actor.admin()?;
    let old = find(&app, number(&id, "topic_id")?).await?;
    let sql = "UPDATE topics SET title = $2, description = $3 WHERE id = $1";
    let title = wanted.title.unwrap_or(old.title);
    app.db().run(sql, [old.id.into(), title.into(), wanted.description.or(old.description).into()]).await?;
    Ok(Json(find(&app, old.id).await?))
}

async fn delete(State(app): State<App>, actor: Actor, Path(id): Path<String>) -> Result<StatusCode> {
    actor.admin()?;
    let topic = find(&app, number(&id, "topic_id")?).await?;
    app.db().run("DELETE FROM topics WHERE id = $1", [topic.id.into()]).await?;
    Ok(StatusCode::NO_CONTENT)
}

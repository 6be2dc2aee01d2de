//! What people say about commits.

use std::collections::HashMap;

use accounts::User;
use accounts::entities::UserBasic;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use kernel::api::Api;
use kernel::db::Sql;
use kernel::http::{Paging, Params};
use kernel::{App, Error, Result, Time};
use projects::activity::{self, Target};
use projects::{Permission, ProjectAccess};
use schemars::JsonSchema;
use sea_orm::FromQueryResult;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::code::{Code, filled, path_of};

const PATH: &str = "/projects/{id}/repository/commits/{sha}/comments";
const MAX_NOTE: usize = 1_000_000;

pub(crate) fn api() -> Api {
    Api::new("Commits")
        .get(PATH, "Lists the comments of a commit", list)
        .gives::<Vec<CommentEntity>>()
        .post(PATH, "Comments on a commit", create)
        .takes::<NewComment>()
        .gives::<CommentEntity>()
}

#[derive(Debug, FromQueryResult)]
struct CommentRow {
    id: i64,
    note: String,
    path: Option<String>,
    line: Option<i64>,
    line_type: Option<String>,
    author_id: Option<i64>,
    created_at: Time,
}

/// A comment on a commit.
#[derive(Debug, Serialize, JsonSchema)]
struct CommentEntity {
    note: String,
    path: Option<String>,
    line: Option<i64>,
    line_type: Option<String>,
    author: Option<UserBasic>,
    created_at: Time,
}

impl CommentEntity {
    fn of(app: &App, row: CommentRow, people: &HashMap<i64, User>) -> Self {
        let author = row.author_id.and_then(|id| people.get(&id)).map(|user| UserBasic::of(app, user));
        let CommentRow { note, path, line, line_type, created_at, .. } = row;
        Self { note, path, line, line_type, author, created_at }
    }
}

async fn list(
    State(app): State<App>,
    code: Code,
    Path((_, sha)): Path<(String, String)>,
    paging: Paging,
) -> Result<Response> {
    let id = code.commit_of(&sha, "Commit").await?.to_string();
    let project = code.access.project.id;
    let sql = "SELECT CAST(COUNT(*) AS BIGINT) FROM commit_comments WHERE project_id = $1 AND sha = $2";
    let total = app.db().conn().scalar(sql, [project.into(), id.as_str().into()]).await?.unwrap_or(0);
    let sql = "SELECT * FROM commit_comments WHERE project_id = $1 AND sha = $2 ORDER BY id LIMIT $3 OFFSET $4";
    let values = [project.into(), id.into(), paging.limit().into(), paging.offset().into()];
    let rows: Vec<CommentRow> = app.db().all(sql, values).await?;
    let people = people(&app, rows.iter().filter_map(|r| r.author_id)).await?;
    let entities: Vec<CommentEntity> = rows.into_iter().map(|row| CommentEntity::of(&app, row, &people)).collect();
    Ok(paging.list(&entities, total))
}

/// Users by id.
pub(crate) async fn people(app: &App, ids: impl Iterator<Item = i64>) -> Result<HashMap<i64, User>> {
    let found = User::by_ids(app.db().conn(), ids).await?;
    Ok(found.into_iter().map(|user| (user.id, user)).collect())
}

#[derive(Debug, Deserialize, JsonSchema)]
struct NewComment {
    /// The text, in Markdown.
    note: String,
    /// The file that it is about.
    path: Option<String>,
    /// The line of that file.
    line: Option<i64>,
    /// The side of the change that the line is on.
    line_type: Option<LineType>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum LineType {
    New,
    Old,
}

/// Somebody who may comment.
struct Commenter(Code);

impl axum::extract::FromRequestParts<App> for Commenter {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut http::request::Parts, app: &App) -> Result<Self> {
        let access = ProjectAccess::from_request_parts(parts, app).await?;
        access.actor.user()?;
        access.may(Permission::CommentCommit)?;
        Code::from_request_parts(parts, app).await.map(Self)
    }
}

async fn create(
    State(app): State<App>,
    Commenter(code): Commenter,
    Path((_, sha)): Path<(String, String)>,
    Params(new): Params<NewComment>,
) -> Result<(StatusCode, Json<CommentEntity>)> {
    let commit = code.commit_of(&sha, "Commit").await?;
    filled("note", &new.note)?;
    if new.note.len() > MAX_NOTE {
        return Err(Error::invalid("note", format!("is too long (maximum is {MAX_NOTE} bytes)")));
    }
    let place = place_of(&new)?;
    let (project, author) = (code.access.project.id, code.access.actor.user()?);
    let (path, line, line_type) = match place {
        Some((path, line, kind)) => (Some(path), Some(line), Some(kind)),
        None => (None, None, None),
    };
    let tx = app.begin().await?;
    let sql = "INSERT INTO commit_comments (project_id, sha, note, path, line, line_type, author_id, created_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING *";
    let values = [
        project.into(),
        commit.to_string().into(),
        new.note.into(),
        path.into(),
        line.into(),
        line_type.into(),
        author.id.into(),
        Time::now().into(),
    ];
    let row: Option<CommentRow> = tx.one(sql, values).await?;
    let row = row.ok_or_else(|| Error::internal(std::io::Error::other("a comment was not written")))?;
    let data = json!({ "note": { "noteable_type": "Commit", "commit_id": commit.to_string() } });
    let target = Target { kind: "Note".into(), id: row.id, title: Some(sha), data, ..Target::default() };
    activity::record(&*tx, Some(project), author.id, "commented on", Some(&target)).await?;
    tx.commit().await?;
    let people = HashMap::from([(author.id, author.clone())]);
    Ok((StatusCode::CREATED, Json(CommentEntity::of(&app, row, &people))))
}

/// The line that a comment is about; path, line and side belong together.
fn place_of(new: &NewComment) -> Result<Option<(String, i64, &'static str)>> {
    let Some(path) = new.path.as_deref().filter(|p| !p.is_empty()) else { return Ok(None) };
    let (Some(line), Some(kind)) = (new.line, new.line_type) else {
        let absent = if new.line.is_none() { "line" } else { "line_type" };
        return Err(Error::BadParameter(format!("{absent} is missing")));
    };
    if line < 1 {
        return Err(Error::BadParameter("line does not have a valid value".into()));
    }
    let kind = match kind {
        LineType::New => "new",
        LineType::Old => "old",
    };
    Ok(Some((path_of("path", path)?.lossy().into_owned(), line, kind)))
}

//! Locks on files that can't be merged.

use axum::extract::{Path, Request, State};
use axum::response::Response;
use http::StatusCode;
use kernel::http::Params;
use kernel::{App, Error, Result, Time};
use projects::{Permission, ProjectAccess};
use sea_orm::FromQueryResult;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{answer, enter_for_locks, name_of, read_json};

const MAX_PAGE: i64 = 100;
const COLUMNS: &str =
    "SELECT l.id, l.path, l.user_id, l.locked_at, u.username FROM lfs_locks l JOIN users u ON u.id = l.user_id";

#[derive(Clone, Debug, FromQueryResult)]
struct Lock {
    id: i64,
    path: String,
    user_id: i64,
    locked_at: Time,
    username: String,
}

impl Lock {
    fn json(&self) -> Value {
        json!({ "id": self.id.to_string(), "path": self.path, "locked_at": self.locked_at.rfc3339(), "owner": { "name": self.username } })
    }
}

#[derive(Deserialize)]
struct Reference {
    name: Option<String>,
}

#[derive(Deserialize)]
struct Create {
    path: String,
    #[serde(rename = "ref")]
    reference: Option<Reference>,
}

#[derive(Default, Deserialize)]
struct Filter {
    path: Option<String>,
    id: Option<String>,
    cursor: Option<String>,
    limit: Option<i64>,
}

#[derive(Deserialize)]
struct Unlock {
    #[serde(default)]
    force: bool,
}

/// `POST …/info/lfs/locks`
pub(super) async fn create(State(app): State<App>, Path(project): Path<String>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let made = async {
        let access = enter_for_locks(&app, &parts, &project, true).await?;
        lock(&app, &access, read_json(body).await?).await
    };
    answer(made.await)
}

async fn lock(app: &App, access: &ProjectAccess, wanted: Create) -> Result<(StatusCode, Value)> {
    let path = wanted.path.trim_start_matches('/');
    git::RepoPath::new(path)
        .ok()
        .filter(|p| !p.is_root())
        .ok_or_else(|| Error::Unprocessable("the path is malformed".into()))?;
    let sql = "INSERT INTO lfs_locks (project_id, path, ref, user_id, locked_at) VALUES ($1, $2, $3, $4, $5)
               ON CONFLICT (project_id, path) DO NOTHING";
    let reference = wanted.reference.and_then(|r| r.name);
    let (user, project) = (access.actor.user()?.id, access.project.id);
    let values = [project.into(), path.into(), reference.into(), user.into(), Time::now().into()];
    let made = app.db().run(sql, values).await? > 0;
    let sql = format!("{COLUMNS} WHERE l.project_id = $1 AND l.path = $2");
    let lock: Lock =
        app.db().one(&sql, [project.into(), path.into()]).await?.ok_or_else(|| Error::not_found("Lock"))?;
    if made {
        return Ok((StatusCode::CREATED, json!({ "lock": lock.json() })));
    }
    let message = format!("{path} is locked by {} already", lock.username);
    Ok((StatusCode::CONFLICT, json!({ "lock": lock.json(), "message": message })))
}

/// `GET …/info/lfs/locks`
pub(super) async fn list(State(app): State<App>, Path(project): Path<String>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let found = async {
        let access = enter_for_locks(&app, &parts, &project, false).await?;
        let filter: Filter = Params::of_query(parts.uri.query())?;
        let (locks, next) = page(&app, access.project.id, &filter).await?;
        let locks: Vec<Value> = locks.iter().map(Lock::json).collect();
        Ok((StatusCode::OK, with_cursor(json!({ "locks": locks }), next)))
    };
    answer(found.await)
}

/// `POST …/info/lfs/locks/verify`
pub(super) async fn verify(State(app): State<App>, Path(project): Path<String>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let found = async {
        let access = enter_for_locks(&app, &parts, &project, true).await?;
        let filter: Filter = read_json(body).await?;
        let (locks, next) = page(&app, access.project.id, &filter).await?;
        let me = access.actor.id();
        let (ours, theirs): (Vec<&Lock>, Vec<&Lock>) = locks.iter().partition(|l| Some(l.user_id) == me);
        let listed = |locks: Vec<&Lock>| locks.into_iter().map(Lock::json).collect::<Vec<_>>();
        Ok((StatusCode::OK, with_cursor(json!({ "ours": listed(ours), "theirs": listed(theirs) }), next)))
    };
    answer(found.await)
}

async fn page(app: &App, project_id: i64, filter: &Filter) -> Result<(Vec<Lock>, Option<i64>)> {
    let number = |text: &Option<String>| text.as_deref().map_or(Ok(0), |t| t.parse::<i64>());
    let malformed = |_| Error::Unprocessable("the id or cursor is malformed".into());
    let (id, after) = (number(&filter.id).map_err(malformed)?, number(&filter.cursor).map_err(malformed)?);
    let limit = filter.limit.unwrap_or(MAX_PAGE).clamp(1, MAX_PAGE);
    let sql = format!(
        "{COLUMNS} WHERE l.project_id = $1 AND l.id > $2 AND (l.id = $3 OR $3 = 0) AND (l.path = $4 OR $4 = '') ORDER BY l.id LIMIT $5"
    );
    let path = filter.path.as_deref().unwrap_or_default();
    let values = [project_id.into(), after.into(), id.into(), path.into(), (limit + 1).into()];
    let mut locks: Vec<Lock> = app.db().all(&sql, values).await?;
    let more = i64::try_from(locks.len()).unwrap_or(0) > limit;
    locks.truncate(usize::try_from(limit).unwrap_or(0));
    let next = locks.last().map(|l| l.id).filter(|_| more);
    Ok((locks, next))
}

fn with_cursor(mut value: Value, next: Option<i64>) -> Value {
    if let Some(next) = next {
        value["next_cursor"] = json!(next.to_string());
    }
    value
}

/// `POST …/info/lfs/locks/ID/unlock`
pub(super) async fn unlock(
    State(app): State<App>,
    Path((project, id)): Path<(String, i64)>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let removed = async {
        let access = enter_for_locks(&app, &parts, &project, true).await?;
        let Unlock { force } = read_json(body).await?;
        remove(&app, &access, id, force).await
    };
    answer(removed.await)
}

async fn remove(app: &App, access: &ProjectAccess, id: i64, force: bool) -> Result<(StatusCode, Value)> {
    let sql = format!("{COLUMNS} WHERE l.project_id = $1 AND l.id = $2");
    let lock: Option<Lock> = app.db().one(&sql, [access.project.id.into(), id.into()]).await?;
    let lock = lock.ok_or_else(|| Error::Status(StatusCode::NOT_FOUND, "there is no such lock".into()))?;
    if Some(lock.user_id) != access.actor.id() {
        if !force {
            let why = format!(
                "{} is locked by {}, not by {}; --force removes it",
                lock.path,
                lock.username,
                name_of(&access.actor)?
            );
            return Err(Error::Forbidden(why));
        }
        access
            .may(Permission::ForceUnlockLfsFile)
            .map_err(|_| Error::forbidden("only maintainers may remove other people's locks"))?;
    }
    app.db().run("DELETE FROM lfs_locks WHERE id = $1", [id.into()]).await?;
    Ok((StatusCode::OK, json!({ "lock": lock.json() })))
}

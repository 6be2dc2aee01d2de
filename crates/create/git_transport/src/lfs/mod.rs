//! Git LFS: the batch API with the basic transfer, and file locks.

mod batch;
mod locks;
mod token;
mod transfer;

use accounts::Actor;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use git::pack::Service;
use http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use kernel::{App, Error, Result, Web};
use projects::{Permission, Project, ProjectAccess};
use sea_orm::FromQueryResult;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::gate::{Door, admit};
use crate::http_git::actor_of;
use crate::messages;

pub(crate) use token::authenticate;

const MEDIA_TYPE: &str = "application/vnd.git-lfs+json";
/// The most that a JSON body may hold.
const MAX_JSON: usize = 8 << 20;

/// The routes of LFS.
pub(crate) fn routes(web: Web) -> Web {
    web.at("/@git/{project}/info/lfs/objects/batch", post(batch::batch))
        .at("/@git/{project}/info/lfs/objects/{oid}", get(transfer::download))
        .at("/@git/{project}/info/lfs/objects/{oid}/{size}", put(transfer::upload))
        .at("/@git/{project}/info/lfs/verify", post(transfer::verify))
        .at("/@git/{project}/info/lfs/locks", get(locks::list).post(locks::create))
        .at("/@git/{project}/info/lfs/locks/verify", post(locks::verify))
        .at("/@git/{project}/info/lfs/locks/{id}/unlock", post(locks::unlock))
}

/// Where an object is kept.
fn key(oid: &str) -> String {
    format!("lfs/{}/{}/{oid}", &oid[..2], &oid[2..4])
}

/// Refuses what is not a SHA-256 in lower-case hexadecimal.
fn check_oid(oid: &str) -> Result<()> {
    let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    if oid.len() == 64 && oid.bytes().all(hex) {
        Ok(())
    } else {
        Err(Error::Unprocessable("the object id is malformed".into()))
    }
}

/// Lets a request in to read or write the large files of a project. A push to a new path makes its project here, as
/// `git-lfs` sends the files first.
async fn enter(app: &App, parts: &Parts, path: &str, write: bool) -> Result<ProjectAccess> {
    let service = if write { Service::ReceivePack } else { Service::UploadPack };
    let (actor, bound) = match token::of_request(app, &parts.headers, write).await? {
        Some((actor, project_id)) => (actor, Some(project_id)),
        None => (actor_of(app, parts).await?, None),
    };
    let admitted = match admit(app, &actor, path, service).await {
        Ok(Door::Open(admitted)) => *admitted,
        Ok(Door::Vacant(vacant)) if bound.is_none() => vacant.create(app, &actor).await?,
        Ok(Door::Vacant(_)) => return Err(Error::not_found("Project")),
        Err(Error::NotFound(_)) if actor.known().is_none() => return Err(Error::Unauthenticated),
        Err(e) => return Err(e),
    };
    let access = admitted.access;
    if bound.is_some_and(|id| id != access.project.id) {
        return Err(Error::Unauthenticated);
    }
    if !access.settings.lfs_enabled {
        return Err(Error::forbidden("Git LFS is switched off for this project; its maintainers can switch it on"));
    }
    if write {
        access.may(Permission::PushCode)?;
    }
    Ok(access)
}

/// The actor and access for locks, which readers may see and developers may change.
async fn enter_for_locks(app: &App, parts: &Parts, path: &str, write: bool) -> Result<ProjectAccess> {
    let access = enter(app, parts, path, false).await?;
    access.actor.user()?;
    if write {
        access.actor.require_scope(&["write_repository", "api"])?;
        access.may(Permission::LockLfsFile)?;
    }
    Ok(access)
}

async fn read_json<T: DeserializeOwned>(body: Body) -> Result<T> {
    let too_large = |_| Error::TooLarge(format!("the request is over {} MiB", MAX_JSON >> 20));
    let bytes = axum::body::to_bytes(body, MAX_JSON).await.map_err(too_large)?;
    let bytes = if bytes.is_empty() { b"{}".as_slice().into() } else { bytes };
    serde_json::from_slice(&bytes).map_err(|e| Error::Unprocessable(format!("the request is malformed: {e}")))
}

fn answer(outcome: Result<(StatusCode, Value)>) -> Response {
    match outcome {
        Ok((status, value)) => with_type((status, value.to_string()).into_response()),
        Err(e) => refusal(&e),
    }
}

fn refusal(error: &Error) -> Response {
    if let Error::Internal(cause) = error {
        tracing::error!(error = format!("{cause:#}"), "an LFS request failed");
    }
    let message = json!({ "message": messages::spoken(error) }).to_string();
    let mut response = with_type((error.status(), message).into_response());
    if error.status() == StatusCode::UNAUTHORIZED {
        let basic = HeaderValue::from_static("Basic realm=\"Tidemill\"");
        response.headers_mut().insert("lfs-authenticate", basic.clone());
        response.headers_mut().insert(WWW_AUTHENTICATE, basic);
    }
    response
}

fn with_type(mut response: Response) -> Response {
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    response
}

/// A URL of LFS for a project.
fn url(app: &App, project: &Project, path: &str) -> String {
    project.url(app, &format!(".git/info/lfs{path}"))
}

#[derive(FromQueryResult)]
struct Size {
    size: i64,
}

/// The size of an object of a project; `None` if the project has no such object.
async fn size_in(app: &App, project_id: i64, oid: &str) -> Result<Option<i64>> {
    let sql = "SELECT o.size FROM lfs_project_objects p JOIN lfs_objects o ON o.oid = p.oid
               WHERE p.project_id = $1 AND p.oid = $2";
    Ok(app.db().one::<Size>(sql, [project_id.into(), oid.into()]).await?.map(|s| s.size))
}

/// The name that somebody is shown by.
fn name_of(actor: &Actor) -> Result<&str> {
    Ok(&actor.user()?.username)
}

//! Sending and getting single objects.

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use http::header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, RANGE};
use http::{HeaderMap, HeaderValue, StatusCode};
use kernel::db::Sql;
use kernel::{App, Error, Result, Time};
use object_store::{MultipartUpload, PutPayload};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{answer, check_oid, enter, key, read_json, refusal, size_in};

/// The size of the pieces in which an object is written.
const PART: usize = 8 << 20;

/// `GET …/info/lfs/objects/OID`
pub(super) async fn download(
    State(app): State<App>,
    Path((project, oid)): Path<(String, String)>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let found = async {
        check_oid(&oid)?;
        let access = enter(&app, &parts, &project, false).await?;
        let missing = || Error::not_found("Object");
        let size = size_in(&app, access.project.id, &oid).await?.ok_or_else(missing)?;
        let size = u64::try_from(size).unwrap_or(0);
        let range = range(&parts.headers, size)?;
        let (_, stream) = app.objects().stream(&key(&oid), range).await?.ok_or_else(missing)?;
        Ok(part_of(Body::from_stream(stream), size, range))
    };
    found.await.unwrap_or_else(|e| refusal(&e))
}

/// The part that a `Range` asks for (start, end exclusive); `None` for all.
fn range(headers: &HeaderMap, size: u64) -> Result<Option<(u64, u64)>> {
    let Some(text) = headers.get(RANGE).and_then(|v| v.to_str().ok()).and_then(|v| v.strip_prefix("bytes=")) else {
        return Ok(None);
    };
    let unsatisfiable = || Error::Status(StatusCode::RANGE_NOT_SATISFIABLE, format!("the object has {size} bytes"));
    let Some((from, to)) = text.split_once('-').filter(|_| !text.contains(',')) else { return Ok(None) };
    let (from, to) = match (from.trim().parse::<u64>(), to.trim().parse::<u64>()) {
        (Ok(from), Ok(to)) => (from, to.saturating_add(1).min(size)),
        (Ok(from), Err(_)) => (from, size),
        (Err(_), Ok(last)) => (size.saturating_sub(last), size),
        _ => return Ok(None),
    };
    if from < to { Ok(Some((from, to))) } else { Err(unsatisfiable()) }
}

fn part_of(body: Body, size: u64, range: Option<(u64, u64)>) -> Response {
    let mut response = body.into_response();
    let (from, to) = range.unwrap_or((0, size));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(CONTENT_LENGTH, (to - from).into());
    headers.insert("content-security-policy", HeaderValue::from_static("sandbox; default-src 'none'"));
    headers.insert("content-disposition", HeaderValue::from_static("attachment"));
    if range.is_some() {
        if let Ok(value) = HeaderValue::from_str(&format!("bytes {from}-{}/{size}", to - 1)) {
            headers.insert(CONTENT_RANGE, value);
        }
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    response
}

/// `PUT …/info/lfs/objects/OID/SIZE`
pub(super) async fn upload(
    State(app): State<App>,
    Path((project, oid, size)): Path<(String, String, u64)>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let stored = async {
        check_oid(&oid)?;
        let access = enter(&app, &parts, &project, true).await?;
        store(&app, &oid, size, body).await?;
        link(&app, access.project.id, &oid, size).await?;
        Ok((StatusCode::OK, json!({})))
    };
    answer(stored.await)
}

/// Writes an object while its checksum is taken; it is not there unless both agree.
async fn store(app: &App, oid: &str, size: u64, body: Body) -> Result<()> {
    let mut writer = app.objects().writer(&key(oid)).await?;
    match write(&mut *writer, oid, size, body).await {
        Ok(()) => {
            writer.complete().await?;
            Ok(())
        }
        Err(e) => {
            if let Err(left) = writer.abort().await {
                tracing::warn!(error = %left, "a broken upload could not be removed");
            }
            Err(e)
        }
    }
}

async fn write(writer: &mut dyn MultipartUpload, oid: &str, size: u64, body: Body) -> Result<()> {
    let (mut hash, mut total, mut buffer) = (Sha256::new(), 0_u64, BytesMut::new());
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk: Bytes = chunk.map_err(|_| Error::bad_request("the upload broke off; nothing was kept"))?;
        total += chunk.len() as u64;
        if total > size {
            return Err(Error::Unprocessable(format!("more than the {size} bytes that were announced")));
        }
        hash.update(&chunk);
        buffer.extend_from_slice(&chunk);
        if buffer.len() >= PART {
            put(writer, buffer.split_to(PART).freeze()).await?;
        }
    }
    if total != size || hex::encode(hash.finalize()) != oid {
        return Err(Error::Unprocessable(
            "what was sent is not the object that was announced; nothing was kept".into(),
        ));
    }
    put(writer, buffer.freeze()).await
}

async fn put(writer: &mut dyn MultipartUpload, part: Bytes) -> Result<()> {
    writer.put_part(PutPayload::from_bytes(part)).await.map_err(|e| match e.to_string() {
        text if text.contains("No space left") => {
            Error::Unavailable("the server's disk is full; nothing was kept".into())
        }
        _ => e.into(),
    })
}

async fn link(app: &App, project_id: i64, oid: &str, size: u64) -> Result<()> {
    let (now, size) = (Time::now(), i64::try_from(size).unwrap_or(i64::MAX));
    let tx = app.begin().await?;
    let sql = "INSERT INTO lfs_objects (oid, size, created_at) VALUES ($1, $2, $3) ON CONFLICT (oid) DO NOTHING";
    tx.run(sql, [oid.into(), size.into(), now.into()]).await?;
    let sql =
        "INSERT INTO lfs_project_objects (project_id, oid, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    tx.run(sql, [project_id.into(), oid.into(), now.into()]).await?;
    tx.commit().await
}

#[derive(Deserialize)]
struct Uploaded {
    oid: String,
    size: i64,
}

/// `POST …/info/lfs/verify`
pub(super) async fn verify(State(app): State<App>, Path(project): Path<String>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let verified = async {
        let access = enter(&app, &parts, &project, true).await?;
        let uploaded: Uploaded = read_json(body).await?;
        match size_in(&app, access.project.id, &uploaded.oid).await? {
            Some(size) if size == uploaded.size => Ok((StatusCode::OK, Value::Object(serde_json::Map::new()))),
            Some(_) => Err(Error::Unprocessable("the object has another size".into())),
            None => Err(Error::not_found("Object")),
        }
    };
    answer(verified.await)
}

//! Contents by object id.

use axum::Json;
use axum::body::Body;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use git::{GitError, Oid};
use http::HeaderValue;
use http::header::{
    CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS,
};
use kernel::api::Api;
use kernel::{Error, Result};
use schemars::JsonSchema;
use serde::Serialize;

use super::code::{Code, disposition};
use crate::status_of;

/// Larger contents are not put into JSON.
pub(crate) const MAX_JSON: u64 = 32 << 20;

pub(crate) fn api() -> Api {
    Api::new("Repository").get("/projects/{id}/repository/blobs/{sha}", "Shows a blob", show).gives::<BlobEntity>().get(
        "/projects/{id}/repository/blobs/{sha}/raw",
        "Downloads a blob",
        raw,
    )
}

/// A blob.
#[derive(Debug, Serialize, JsonSchema)]
struct BlobEntity {
    size: u64,
    encoding: &'static str,
    content: String,
    sha: String,
}

async fn show(code: Code, Path((_, sha)): Path<(String, String)>) -> Result<Json<BlobEntity>> {
    let oid = id_of(&sha)?;
    let blob = code.repo.blob(oid, MAX_JSON).await.map_err(no_blob)?;
    if blob.truncated {
        return Err(too_large());
    }
    let content = BASE64_STANDARD.encode(&blob.data);
    Ok(Json(BlobEntity { size: blob.size, encoding: "base64", content, sha: oid.to_string() }))
}

async fn raw(code: Code, Path((_, sha)): Path<(String, String)>) -> Result<Response> {
    let oid = id_of(&sha)?;
    let (size, stream) = code.repo.blob_stream(oid).await.map_err(no_blob)?;
    download(Body::from_stream(stream), size, &sha, false)
}

fn id_of(text: &str) -> Result<Oid> {
    Oid::from_hex(text.as_bytes()).map_err(|_| Error::not_found("Blob"))
}

fn no_blob(error: GitError) -> Error {
    if error.is_not_found() { Error::not_found("Blob") } else { status_of(error) }
}

pub(crate) fn too_large() -> Error {
    Error::TooLarge(format!("the file is over {} MiB; get it raw", MAX_JSON >> 20))
}

/// Answers with what people wrote, so that no browser takes it for a page of ours.
pub(crate) fn download(body: Body, size: u64, name: &str, text: bool) -> Result<Response> {
    let (kind, media) = match text {
        true => ("inline", "text/plain; charset=utf-8"),
        false => ("attachment", "application/octet-stream"),
    };
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(size));
    headers.insert(CONTENT_DISPOSITION, HeaderValue::from_str(&disposition(kind, name))?);
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(response)
}

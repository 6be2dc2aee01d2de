//! Downloads of a tree as one file.

use axum::body::Body;
use axum::extract::MatchedPath;
use axum::response::{IntoResponse, Response};
use git::ByteString;
use git::archive::ArchiveFormat;
use http::HeaderValue;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use kernel::api::Api;
use kernel::http::Query;
use kernel::{Error, Result};
use projects::Permission;
use schemars::JsonSchema;
use serde::Deserialize;

use super::code::{Code, disposition, path_of};
use crate::status_of;

const BASE: &str = "/projects/{id}/repository/archive";

pub(crate) fn api() -> Api {
    let paths = [
        BASE,
        "/projects/{id}/repository/archive.zip",
        "/projects/{id}/repository/archive.tar.gz",
        "/projects/{id}/repository/archive.tgz",
        "/projects/{id}/repository/archive.tar.bz2",
        "/projects/{id}/repository/archive.tbz2",
        "/projects/{id}/repository/archive.tbz",
        "/projects/{id}/repository/archive.tb2",
        "/projects/{id}/repository/archive.bz2",
        "/projects/{id}/repository/archive.tar",
    ];
    let add = |api: Api, path| api.get(path, "Downloads the code as an archive", download).takes::<Asked>();
    paths.into_iter().fold(Api::new("Repository"), add)
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Asked {
    /// A branch, tag or commit; the default branch where it is absent.
    sha: Option<String>,
    /// The folder to download alone.
    path: Option<String>,
}

async fn download(code: Code, matched: MatchedPath, Query(asked): Query<Asked>) -> Result<Response> {
    code.access.may(Permission::DownloadCode)?;
    let extension = matched.as_str().rsplit_once("/archive").and_then(|(_, e)| e.strip_prefix('.'));
    let format = ArchiveFormat::from_extension(extension.unwrap_or("tar.gz")).unwrap_or(ArchiveFormat::TarGz);
    let project = &code.access.project;
    let reference = asked.sha.as_deref().filter(|s| !s.is_empty()).unwrap_or(project.branch());
    let commit = code.commit_of(reference, "File").await?;
    let path = path_of("path", asked.path.as_deref().unwrap_or_default())?;
    let mut name = format!("{}-{}-{commit}", project.path, reference.replace('/', "-"));
    if !path.is_root() {
        name.push_str(&format!("-{}", path.lossy().replace('/', "-")));
    }
    let prefix = ByteString::from(name.clone());
    let stream = code.repo.archive(commit, &path, format, &prefix).await.map_err(|e| match e {
        e if e.is_not_found() => Error::not_found("File"),
        e => status_of(e),
    })?;
    let mut response = Body::from_stream(stream).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    let file = disposition("attachment", &format!("{name}.{}", format.extension()));
    response.headers_mut().insert(CONTENT_DISPOSITION, HeaderValue::from_str(&file)?);
    Ok(response)
}

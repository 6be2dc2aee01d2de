//! Files of a commit: contents, facts and authors.

use axum::Json;
use axum::body::Body;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures_util::StreamExt;
use git::blame::BlameRange;
use git::tree::{Entry, EntryKind};
use git::{Oid, RepoPath};
use http::{HeaderMap, HeaderName, HeaderValue};
use kernel::api::Api;
use kernel::http::Query;
use kernel::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::blobs::{MAX_JSON, download, too_large};
use super::code::{Code, filled, path_of};
use super::commit_entity::date;
use crate::error::OrStatus;

const PATH: &str = "/projects/{id}/repository/files/{file_path}";
const RAW: &str = "/projects/{id}/repository/files/{file_path}/raw";
const BLAME: &str = "/projects/{id}/repository/files/{file_path}/blame";

pub(crate) fn api() -> Api {
    Api::new("Repository files")
        .get(PATH, "Shows a file", show)
        .takes::<Asked>()
        .gives::<FileEntity>()
        .head(PATH, "Tells the facts of a file in headers", head)
        .takes::<Asked>()
        .get(RAW, "Downloads a file", raw)
        .takes::<AskedRaw>()
        .get(BLAME, "Tells who last changed each line of a file", blame)
        .takes::<AskedBlame>()
        .gives::<Vec<BlameEntity>>()
        .head(BLAME, "Tells the facts of a file in headers", head)
        .takes::<Asked>()
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Asked {
    /// A branch, tag or commit; `HEAD` for the default branch.
    #[serde(rename = "ref")]
    reference: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct AskedRaw {
    /// A branch, tag or commit; the default branch where it is absent.
    #[serde(rename = "ref")]
    reference: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct AskedBlame {
    /// A branch, tag or commit; `HEAD` for the default branch.
    #[serde(rename = "ref")]
    reference: String,
    /// The lines to look at; all where it is absent.
    range: Option<Lines>,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Lines {
    /// The first line, from 1.
    start: u32,
    /// The last line.
    end: u32,
}

/// A file of a commit.
#[derive(Debug, Serialize, JsonSchema)]
struct FileEntity {
    file_name: String,
    file_path: String,
    size: u64,
    encoding: &'static str,
    content_sha256: String,
    #[serde(rename = "ref")]
    reference: String,
    blob_id: String,
    commit_id: String,
    last_commit_id: String,
    execute_filemode: bool,
    content: String,
}

/// A file that was found.
struct Found {
    reference: String,
    path: RepoPath,
    commit: Oid,
    entry: Entry,
    last_commit: Oid,
}

impl Found {
    async fn of(code: &Code, path: &str, reference: &str) -> Result<Self> {
        let path = path_of("file_path", path)?;
        let reference = filled("ref", reference)?.to_owned();
        let commit = code.commit_of(&reference, "Commit").await?;
        let entry = match code.repo.entry(commit, &path).await {
            Ok(entry) if matches!(entry.kind, EntryKind::Blob | EntryKind::Executable | EntryKind::Symlink) => entry,
            Ok(_) => return Err(Error::not_found("File")),
            Err(e) if e.is_not_found() => return Err(Error::not_found("File")),
            Err(e) => return Err(crate::status_of(e)),
        };
        let last_commit = code.repo.last_commit_of(commit, &path).await.or_status()?.unwrap_or(commit);
        Ok(Self { reference, path, commit, entry, last_commit })
    }

    fn executable(&self) -> bool {
        self.entry.kind == EntryKind::Executable
    }

    /// The facts as headers; a value that no header can hold is left out.
    fn headers(&self, size: u64, sha256: Option<String>) -> HeaderMap {
        let facts = [
            ("x-gitlab-blob-id", Some(self.entry.oid.to_string())),
            ("x-gitlab-commit-id", Some(self.commit.to_string())),
            ("x-gitlab-content-sha256", sha256),
            ("x-gitlab-encoding", Some("base64".to_owned())),
            ("x-gitlab-execute-filemode", Some(self.executable().to_string())),
            ("x-gitlab-file-name", Some(self.path.file_name().lossy().into_owned())),
            ("x-gitlab-file-path", Some(self.path.lossy().into_owned())),
            ("x-gitlab-last-commit-id", Some(self.last_commit.to_string())),
            ("x-gitlab-ref", Some(self.reference.clone())),
            ("x-gitlab-size", Some(size.to_string())),
        ];
        let value = |text: String| HeaderValue::from_bytes(text.as_bytes()).ok();
        facts.into_iter().filter_map(|(name, fact)| Some((HeaderName::from_static(name), value(fact?)?))).collect()
    }
}

async fn show(code: Code, Path((_, path)): Path<(String, String)>, Query(asked): Query<Asked>) -> Result<Response> {
    let found = Found::of(&code, &path, &asked.reference).await?;
    let blob = code.repo.blob(found.entry.oid, MAX_JSON).await.or_status()?;
    if blob.truncated {
        return Err(too_large());
    }
    let sha256 = hex::encode(Sha256::digest(&blob.data));
    let headers = found.headers(blob.size, Some(sha256.clone()));
    let entity = FileEntity {
        file_name: found.path.file_name().lossy().into_owned(),
        file_path: found.path.lossy().into_owned(),
        size: blob.size,
        encoding: "base64",
        content_sha256: sha256,
        blob_id: found.entry.oid.to_string(),
        commit_id: found.commit.to_string(),
        last_commit_id: found.last_commit.to_string(),
        execute_filemode: found.executable(),
        content: BASE64_STANDARD.encode(&blob.data),
        reference: found.reference,
    };
    Ok((headers, Json(entity)).into_response())
}

async fn head(code: Code, Path((_, path)): Path<(String, String)>, Query(asked): Query<Asked>) -> Result<HeaderMap> {
    let found = Found::of(&code, &path, &asked.reference).await?;
    let (size, mut stream) = code.repo.blob_stream(found.entry.oid).await.or_status()?;
    let mut digest = Sha256::new();
    while let Some(chunk) = stream.next().await {
        digest.update(&chunk?);
    }
    Ok(found.headers(size, Some(hex::encode(digest.finalize()))))
}

async fn raw(code: Code, Path((_, path)): Path<(String, String)>, Query(asked): Query<AskedRaw>) -> Result<Response> {
    let default = code.access.project.branch().to_owned();
    let reference = asked.reference.filter(|r| !r.is_empty()).unwrap_or(default);
    let found = Found::of(&code, &path, &reference).await?;
    let name = found.path.file_name().lossy().into_owned();
    let blob = code.repo.blob(found.entry.oid, MAX_JSON).await.or_status()?;
    let mut response = if blob.truncated {
        let (size, stream) = code.repo.blob_stream(found.entry.oid).await.or_status()?;
        download(Body::from_stream(stream), size, &name, false)?
    } else {
        let text = !blob.is_binary();
        download(Body::from(blob.data.clone()), blob.size, &name, text)?
    };
    let sha256 = (!blob.truncated).then(|| hex::encode(Sha256::digest(&blob.data)));
    response.headers_mut().extend(found.headers(blob.size, sha256));
    Ok(response)
}

/// A run of lines that one commit brought in.
#[derive(Debug, Serialize, JsonSchema)]
struct BlameEntity {
    commit: BlameCommit,
    lines: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct BlameCommit {
    id: String,
    parent_ids: Vec<String>,
    message: String,
    authored_date: String,
    author_name: String,
    author_email: String,
    committed_date: String,
    committer_name: String,
    committer_email: String,
}

impl BlameCommit {
    fn of(range: &BlameRange) -> Self {
        let (commit, author, committer) = (&range.commit, &range.commit.author, &range.commit.committer);
        Self {
            id: commit.id.to_string(),
            parent_ids: commit.parents.iter().map(Oid::to_string).collect(),
            message: commit.message.lossy().into_owned(),
            authored_date: date(author),
            author_name: author.name.lossy().into_owned(),
            author_email: author.email.lossy().into_owned(),
            committed_date: date(committer),
            committer_name: committer.name.lossy().into_owned(),
            committer_email: committer.email.lossy().into_owned(),
        }
    }
}

async fn blame(
    code: Code,
    Path((_, path)): Path<(String, String)>,
    Query(asked): Query<AskedBlame>,
) -> Result<Json<Vec<BlameEntity>>> {
    let wanted = asked.range.as_ref().map(|r| (r.start, r.end));
    if wanted.is_some_and(|(start, end)| start == 0 || start > end) {
        return Err(Error::BadParameter("range[start] must be from 1 to range[end]".into()));
    }
    let found = Found::of(&code, &path, &asked.reference).await?;
    let blob = code.repo.blob(found.entry.oid, MAX_JSON).await.or_status()?;
    if blob.truncated {
        return Err(too_large());
    }
    let text = blob.data.strip_suffix(b"\n").unwrap_or(&blob.data);
    let lines: Vec<&[u8]> = text.split(|b| *b == b'\n').collect();
    if wanted.is_some_and(|(start, _)| start as usize > lines.len()) {
        return Err(Error::BadParameter("range[start] is behind the last line".into()));
    }
    let wanted = wanted.map(|(start, end)| (start, end.min(u32::try_from(lines.len()).unwrap_or(u32::MAX))));
    let ranges = code.repo.blame(found.commit, &found.path, wanted).await.or_status()?;
    Ok(Json(ranges.iter().map(|range| entity(range, &lines)).collect()))
}

fn entity(range: &BlameRange, lines: &[&[u8]]) -> BlameEntity {
    let own = lines.iter().skip(range.start.saturating_sub(1) as usize).take(range.lines as usize);
    let lines = own.map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    BlameEntity { commit: BlameCommit::of(range), lines }
}

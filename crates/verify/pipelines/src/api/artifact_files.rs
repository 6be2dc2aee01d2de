//! Artifacts as answers: the archive or one file of it, as a stream that a browser never runs.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use kernel::{App, Error, Result};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::archive_reader;
use crate::artifacts::Artifact;

const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_');

/// The archive itself.
pub(crate) async fn archive(app: &App, artifact: &Artifact) -> Result<Response> {
    let found = app.objects().stream(&artifact.key(), None).await?;
    let (size, stream) = found.ok_or_else(|| Error::not_found(""))?;
    let kind = match artifact.format.as_str() {
        "zip" => "application/zip",
        "gzip" => "application/gzip",
        _ => "application/octet-stream",
    };
    Ok(attachment(Body::from_stream(stream), size, kind, &artifact.file_name))
}

/// One file of the archive.
pub(crate) async fn entry(app: &App, artifact: &Artifact, path: &str) -> Result<Response> {
    let found = archive_reader::open(app, artifact, &valid(path)?).await?;
    let archive_reader::Entry { size, content } = found.ok_or_else(|| Error::not_found(""))?;
    let name = path.rsplit('/').next().unwrap_or("file");
    Ok(attachment(Body::from_stream(content), size, media_type(name), name))
}

/// Text is shown as text by those who ask for one file; all else is bytes. Nothing is markup.
fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()).as_deref() {
        Some(
            "txt" | "log" | "md" | "csv" | "json" | "xml" | "yml" | "yaml" | "toml" | "html" | "htm" | "css" | "js"
            | "svg",
        ) => "text/plain; charset=utf-8",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("gif") => "image/gif",
        Some("zip") => "application/zip",
        Some("gz" | "tgz") => "application/gzip",
        Some("pdf") => "application/pdf",
        _ => "application/octet-stream",
    }
}

/// A path inside an archive; refuses those that lead out of it.
fn valid(path: &str) -> Result<String> {
    let bad = path.is_empty() || path.len() > 4096 || path.contains(['\0', '\\']);
    if bad || path.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err(Error::bad_request("400 Bad request - the path of the artifact is not valid"));
    }
    Ok(path.to_owned())
}

fn attachment(body: Body, size: u64, kind: &'static str, name: &str) -> Response {
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' }).collect();
    let disposition =
        format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{}", utf8_percent_encode(name, PLAIN));
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CONTENT_LENGTH, size.into());
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'"));
    // The name holds nothing but ASCII by now.
    if let Ok(value) = HeaderValue::from_str(&disposition) {
        headers.insert(CONTENT_DISPOSITION, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::valid;

    #[test]
    fn paths_stay_inside() {
        for path in ["a", "a/b.txt", "a b/ü", "..a/b"] {
            assert!(valid(path).is_ok(), "{path}");
        }
        for path in ["", "/a", "a//b", "../a", "a/..", "a/./b", "a\0", "a\\b", "a/"] {
            assert!(valid(path).is_err(), "{path:?}");
        }
    }
}

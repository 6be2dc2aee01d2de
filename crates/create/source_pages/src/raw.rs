//! Files as they are, as downloads or in pages; never able to run anything in the name of this site.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use git::tree::EntryKind;
use http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use kernel::http::Query;
use kernel::{App, Error, Result};
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use projects::ProjectAccess;
use serde::Deserialize;

use crate::place::{OrNothing, Rest, Spot};

/// Larger files are streamed.
const SMALL: u64 = 1 << 20;

#[derive(Deserialize)]
pub(crate) struct Asked {
    inline: Option<bool>,
}

pub(crate) async fn show(
    State(app): State<App>,
    access: ProjectAccess,
    Rest(rest): Rest,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Response> {
    let spot = Spot::find(&app, access, &rest).await?;
    let entry = spot.repo.entry(spot.commit(), &spot.path).await.or_404()?;
    if matches!(entry.kind, EntryKind::Tree | EntryKind::Submodule) {
        return Err(Error::not_found("File"));
    }
    let tag = format!("\"{}\"", entry.oid);
    let known = headers.get(IF_NONE_MATCH).and_then(|v| v.to_str().ok());
    let mut response = match known.is_some_and(|k| k.split(',').any(|t| t.trim().trim_start_matches("W/") == tag)) {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => content(&spot, entry.oid, asked.inline.unwrap_or(true)).await?,
    };
    let visibility =
        if spot.access.project.visibility() == projects::Visibility::Public { "public" } else { "private" };
    let cache = format!("{visibility}, max-age=0, must-revalidate");
    response.headers_mut().insert(ETAG, HeaderValue::from_str(&tag)?);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_str(&cache)?);
    Ok(response)
}

async fn content(spot: &Spot, oid: git::Oid, inline: bool) -> Result<Response> {
    let blob = spot.repo.blob(oid, SMALL).await.or_404()?;
    let name = spot.path.file_name();
    let (size, binary) = (blob.size, blob.is_binary());
    let body = match blob.truncated {
        true => Body::from_stream(spot.repo.blob_stream(oid).await.or_404()?.1),
        false => Body::from(blob.data),
    };
    // What is too large to be looked at first is text only by its name.
    let kind = media_type(&name, if blob.truncated { !is_text_name(&name) } else { binary });
    let shown = inline && kind != DOWNLOAD;
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CONTENT_LENGTH, size.into());
    headers.insert(CONTENT_DISPOSITION, disposition(if shown { "inline" } else { "attachment" }, &name));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy(kind)));
    Ok(response)
}

const DOWNLOAD: &str = "application/octet-stream";
const PDF: &str = "application/pdf";

/// A sandbox without any rights. The viewers of PDF files in browsers don't start in one, and run nothing of this site.
fn policy(kind: &str) -> &'static str {
    match kind {
        PDF => "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        _ => {
            "sandbox; default-src 'none'; img-src 'self' data:; media-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'"
        }
    }
}

/// Types that can be shown safely, by the ending of a name in lower case.
const SAFE: &[(&str, &str)] = &[
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
    ("avif", "image/avif"),
    ("bmp", "image/bmp"),
    ("ico", "image/x-icon"),
    ("svg", "image/svg+xml"),
    ("pdf", PDF),
    ("mp4", "video/mp4"),
    ("m4v", "video/mp4"),
    ("webm", "video/webm"),
    ("ogv", "video/ogg"),
    ("mov", "video/quicktime"),
    ("mp3", "audio/mpeg"),
    ("m4a", "audio/mp4"),
    ("ogg", "audio/ogg"),
    ("oga", "audio/ogg"),
    ("opus", "audio/ogg"),
    ("wav", "audio/wav"),
    ("flac", "audio/flac"),
];

/// The media type that a file is sent with: a safe one by its name, plain text, or a download.
pub(crate) fn media_type(name: &[u8], binary: bool) -> &'static str {
    match safe_type(name) {
        Some(kind) => kind,
        None if binary => DOWNLOAD,
        None => "text/plain; charset=utf-8",
    }
}

/// The type of pictures, sound, films and PDF files, by their name.
pub(crate) fn safe_type(name: &[u8]) -> Option<&'static str> {
    let ending = ending(name)?;
    SAFE.iter().find(|(end, _)| *end == ending).map(|(_, kind)| *kind)
}

fn ending(name: &[u8]) -> Option<String> {
    let dot = name.iter().rposition(|b| *b == b'.')?;
    std::str::from_utf8(&name[dot + 1..]).ok().map(str::to_ascii_lowercase)
}

fn is_text_name(name: &[u8]) -> bool {
    let texts =
        ["txt", "md", "log", "csv", "tsv", "json", "xml", "html", "sql", "yml", "yaml", "toml", "patch", "diff"];
    ending(name).is_some_and(|e| texts.contains(&e.as_str()))
}

/// A `Content-Disposition` with a file's name, in ASCII and in full (RFC 6266).
pub(crate) fn disposition(how: &str, name: &[u8]) -> HeaderValue {
    let plain: String = String::from_utf8_lossy(name)
        .chars()
        .map(|c| if c.is_ascii_graphic() && !"\"\\%;".contains(c) || c == ' ' { c } else { '_' })
        .take(200)
        .collect();
    let full = percent_encode(&name[..name.len().min(1000)], NON_ALPHANUMERIC);
    let text = format!("{how}; filename=\"{plain}\"; filename*=UTF-8''{full}");
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("attachment"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_safe_types_are_shown() {
        assert_eq!(media_type(b"a.html", false), "text/plain; charset=utf-8");
        assert_eq!(media_type(b"a.html", true), DOWNLOAD);
        assert_eq!(media_type(b"a.PNG", true), "image/png");
        assert!(policy("image/svg+xml").starts_with("sandbox;"));
    }

    #[test]
    fn names_cannot_break_out_of_the_header() {
        let value = disposition("attachment", b"a\"; b\r\nx: \xff\xc3\xa9");
        assert_eq!(
            value.to_str().unwrap(),
            "attachment; filename=\"a__ b__x: \u{5f}\u{5f}\"; filename*=UTF-8''a%22%3B%20b%0D%0Ax%3A%20%FF%C3%A9"
        );
    }
}

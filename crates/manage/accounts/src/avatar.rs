//! Pictures of users, projects and groups: small, of a known kind by their first bytes, served so that they can only be seen.

use axum::extract::multipart::MultipartError;
use axum::extract::{Multipart, Path, State};
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, StatusCode};
use kernel::{App, Error, Result};
use sha2::{Digest, Sha256};

use crate::User;

/// The most bytes of a picture.
pub const MAX_SIZE: usize = 200 << 10;

/// The ending of the file name for a picture's kind; `None` where it is no picture of a kind that is taken.
fn kind(data: &[u8]) -> Option<&'static str> {
    match data {
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some("png"),
        [0xff, 0xd8, 0xff, ..] => Some("jpg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("webp"),
        _ => None,
    }
}

/// Keeps a picture among the objects, below `avatars/{noun}/{id}`; gives the key to be stored in the row.
pub async fn store(app: &App, noun: &str, id: i64, data: Bytes) -> Result<String> {
    if data.len() > MAX_SIZE {
        return Err(too_big());
    }
    let Some(ending) = kind(&data) else {
        return Err(Error::invalid("avatar", "must be a picture: PNG, JPEG, GIF or WebP"));
    };
    // Named by its content, so that a browser may keep it for ever.
    let name = &hex::encode(Sha256::digest(&data))[..16];
    let key = format!("avatars/{noun}/{id}/{name}.{ending}");
    app.objects().put(&key, data).await?;
    Ok(key)
}

/// The file of a form that uploads a picture.
pub async fn from_form(mut form: Multipart) -> Result<Bytes> {
    let bad = |e: MultipartError| Error::bad_request(format!("the form is malformed: {}", e.body_text()));
    while let Some(mut field) = form.next_field().await.map_err(bad)? {
        if field.file_name().is_none() {
            continue;
        }
        let mut data = BytesMut::new();
        while let Some(chunk) = field.chunk().await.map_err(bad)? {
            if data.len() + chunk.len() > MAX_SIZE {
                return Err(too_big());
            }
            data.extend_from_slice(&chunk);
        }
        return Ok(data.freeze());
    }
    Err(Error::invalid("avatar", "is missing; choose a file"))
}

fn too_big() -> Error {
    Error::invalid("avatar", format!("is too big (should be at most {} KiB)", MAX_SIZE >> 10))
}

/// Removes a picture that no row names any more.
pub async fn forget(app: &App, key: Option<&str>) -> Result<()> {
    match key {
        Some(key) => app.objects().delete(key).await,
        None => Ok(()),
    }
}

/// Serves the picture kept under `key`; a 404 where `file` isn't its name.
pub async fn serve(app: &App, key: Option<&str>, file: &str) -> Result<Response> {
    let key = key.filter(|k| k.rsplit('/').next() == Some(file)).ok_or_else(|| Error::not_found(""))?;
    let data = app.objects().get(key).await?.ok_or_else(|| Error::not_found(""))?;
    let mime = match kind(&data) {
        Some("png") => "image/png",
        Some("jpg") => "image/jpeg",
        Some("gif") => "image/gif",
        Some("webp") => "image/webp",
        _ => "application/octet-stream",
    };
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(mime)),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
    ];
    Ok((StatusCode::OK, headers, data).into_response())
}

/// `GET /uploads/-/system/user/avatar/{id}/{file}`.
pub(crate) async fn of_user(State(app): State<App>, Path((id, file)): Path<(i64, String)>) -> Result<Response> {
    let user = User::find(app.db().conn(), id).await?.ok_or_else(|| Error::not_found(""))?;
    serve(&app, user.avatar.as_deref(), &file).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pictures_are_pictures() {
        assert_eq!(kind(b"GIF89a...."), Some("gif"));
        assert_eq!(kind(b"RIFF\x01\0\0\0WEBPVP8 "), Some("webp"));
        for other in [&b"<svg onload=alert(1)>"[..], b"<html>", b"%PDF-", b"", b"GIF8"] {
            assert_eq!(kind(other), None);
        }
    }
}

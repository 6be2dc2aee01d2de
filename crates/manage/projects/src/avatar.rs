//! Pictures of projects and groups.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use kernel::db::Sql;
use kernel::{App, Error, Result, Time, auth};

use accounts::Actor;

use crate::access::{GroupAccess, ProjectAccess};
use crate::namespace::Namespace;
use crate::project::Project;

/// The most that a picture may hold.
pub(crate) const MAX_BYTES: usize = 200 * 1024;

/// Where a project's picture is served, if it has one.
pub(crate) fn project_path(project: &Project) -> Option<String> {
    path("project", project.id, project.avatar.as_deref())
}

/// Where a group's picture is served, if it has one.
pub(crate) fn group_path(group: &Namespace) -> Option<String> {
    path("group", group.id, group.avatar.as_deref())
}

fn path(kind: &str, id: i64, key: Option<&str>) -> Option<String> {
    let file = key?.rsplit('/').next()?;
    Some(format!("/uploads/-/system/{kind}/avatar/{id}/{}", crate::shell::encode_path(file)))
}

/// What a picture is of.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Of {
    Project(i64),
    Group(i64),
}

impl Of {
    fn parts(self) -> (&'static str, &'static str, i64) {
        match self {
            Self::Project(id) => ("projects", "project", id),
            Self::Group(id) => ("namespaces", "group", id),
        }
    }
}

/// The type and ending of a picture by its first bytes. Pictures that can hold script are none.
fn picture_type(data: &[u8]) -> Option<(&'static str, &'static str)> {
    match data {
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some(("image/png", "png")),
        [0xff, 0xd8, 0xff, ..] => Some(("image/jpeg", "jpg")),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(("image/gif", "gif")),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(("image/webp", "webp")),
        _ => None,
    }
}

/// Stores a picture in the place of the one before. The caller has checked that the actor may.
pub(crate) async fn store(app: &App, of: Of, data: Bytes) -> Result<()> {
    if data.len() > MAX_BYTES {
        return Err(Error::invalid("avatar", "is too big (should be at most 200 KiB)"));
    }
    let Some((_, ending)) = picture_type(&data) else {
        return Err(Error::invalid(
            "avatar",
            "file format is not supported. Please try one of the following supported formats: image/png, image/jpeg, image/gif, image/webp",
        ));
    };
    let (_, kind, id) = of.parts();
    let key = format!("avatars/{kind}/{id}/{}.{ending}", auth::random_token("", 16));
    app.objects().put(&key, data).await?;
    replace(app, of, Some(key)).await
}

/// Removes the picture.
pub(crate) async fn remove(app: &App, of: Of) -> Result<()> {
    replace(app, of, None).await
}

async fn replace(app: &App, of: Of, key: Option<String>) -> Result<()> {
    let (table, _, id) = of.parts();
    let old: Option<Option<String>> =
        app.db().conn().scalar(&format!("SELECT avatar FROM {table} WHERE id = $1"), [id.into()]).await?;
    let sql = format!("UPDATE {table} SET avatar = $2, updated_at = $3 WHERE id = $1");
    app.db().run(&sql, [id.into(), key.into(), Time::now().into()]).await?;
    match old.flatten() {
        Some(old) => app.objects().delete(&old).await,
        None => Ok(()),
    }
}

/// Serves a picture under `/uploads/-/system/{kind}/avatar/{id}/{file}` to those who see what it is of.
pub(crate) async fn serve_project(
    State(app): State<App>,
    actor: Actor,
    Path((id, file)): Path<(i64, String)>,
) -> Result<Response> {
    let project = Project::find(app.db().conn(), id).await?.ok_or_else(|| Error::not_found(""))?;
    let access = ProjectAccess::of(&app, actor, project).await?;
    serve(&app, access.project.avatar.as_deref(), &file).await
}

/// The same for groups.
pub(crate) async fn serve_group(
    State(app): State<App>,
    actor: Actor,
    Path((id, file)): Path<(i64, String)>,
) -> Result<Response> {
    let group = Namespace::find(app.db().conn(), id).await?.ok_or_else(|| Error::not_found(""))?;
    let access = GroupAccess::of(&app, actor, group).await?;
    serve(&app, access.group.avatar.as_deref(), &file).await
}

async fn serve(app: &App, key: Option<&str>, file: &str) -> Result<Response> {
    let key = key.filter(|k| k.rsplit('/').next() == Some(file)).ok_or_else(|| Error::not_found(""))?;
    answer(app, key).await
}

/// Answers with a stored picture.
pub(crate) async fn answer(app: &App, key: &str) -> Result<Response> {
    let data = app.objects().get(key).await?.ok_or_else(|| Error::not_found(""))?;
    let kind = picture_type(&data).map_or("application/octet-stream", |(kind, _)| kind);
    let headers = [
        (CONTENT_TYPE, kind),
        (CACHE_CONTROL, "private, max-age=86400, immutable"),
        (CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((headers, Body::from(data)).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_with_script_are_none() {
        assert!(picture_type(b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>").is_none());
        assert!(picture_type(b"").is_none() && picture_type(b"RIFF1234WAVE").is_none());
        assert_eq!(picture_type(b"GIF89a...").map(|t| t.1), Some("gif"));
    }
}

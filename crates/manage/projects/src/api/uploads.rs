//! Files that people upload to link to them.

use axum::Json;
use axum::body::Body;
use axum::extract::multipart::Field;
use axum::extract::{Multipart, Path, State};
use axum::response::{IntoResponse, Response};
use http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, StatusCode};
use kernel::api::Api;
use kernel::http::Paging;
use kernel::{App, Error, Result, Time, auth};
use schemars::JsonSchema;
use sea_orm::FromQueryResult;
use serde::Serialize;

use super::entity;
use crate::access::ProjectAccess;
use crate::permissions::Permission;

pub(crate) fn api() -> Api {
    Api::new("Uploads")
        .post("/projects/{id}/uploads", "Uploads a file", create)
        .gives::<UploadEntity>()
        .get("/projects/{id}/uploads", "Lists the uploads of a project", list)
        .gives::<Vec<UploadAdmin>>()
        .get("/projects/{id}/uploads/{secret}", "Downloads an upload by its id", download_by_id)
        .get("/projects/{id}/uploads/{secret}/{filename}", "Downloads an upload by its secret and name", download)
        .delete("/projects/{id}/uploads/{secret}", "Deletes an upload by its id", delete_by_id)
        .delete("/projects/{id}/uploads/{secret}/{filename}", "Deletes an upload by its secret and name", delete)
}

/// An upload's row.
#[derive(Clone, Debug, FromQueryResult)]
struct Upload {
    id: i64,
    secret: String,
    file_name: String,
    size: i64,
    uploaded_by: Option<i64>,
    created_at: Time,
}

const COLUMNS: &str = "id, secret, file_name, size, uploaded_by, created_at";

/// What was uploaded and how to link to it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct UploadEntity {
    id: i64,
    alt: String,
    url: String,
    full_path: String,
    markdown: String,
}

/// An upload, for those who look after the project.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct UploadAdmin {
    id: i64,
    size: i64,
    filename: String,
    created_at: Time,
    uploaded_by: Option<UserSafe>,
}

/// Who somebody is.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct UserSafe {
    id: i64,
    username: String,
    public_email: String,
    name: String,
}

fn key(secret: &str) -> String {
    format!("uploads/{secret}")
}

/// The name without folders and with odd characters replaced.
fn clean_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept = |c: char| if c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '+') { c } else { '_' };
    let cleaned: String = last.chars().map(kept).take(150).collect();
    match cleaned.trim_matches('.') {
        "" => "file".to_owned(),
        name => name.to_owned(),
    }
}

async fn create(State(app): State<App>, access: ProjectAccess, mut form: Multipart) -> Result<impl IntoResponse> {
    access.may(Permission::UploadFile)?;
    let malformed = |e: axum::extract::multipart::MultipartError| {
        Error::BadParameter(format!("the form is malformed: {}", e.body_text()))
    };
    while let Some(field) = form.next_field().await.map_err(malformed)? {
        if field.name() == Some("file") {
            let name = clean_name(field.file_name().unwrap_or("file"));
            let upload = store(&app, &access, name, field).await?;
            return Ok((StatusCode::CREATED, Json(describe(&access, &upload))));
        }
    }
    Err(Error::BadParameter("file is missing".into()))
}

fn describe(access: &ProjectAccess, upload: &Upload) -> UploadEntity {
    let (stem, ending) = upload.file_name.rsplit_once('.').unwrap_or((&upload.file_name, ""));
    let is_picture = safe_type(ending).is_some();
    let alt = if is_picture { stem } else { &upload.file_name };
    let file = crate::shell::encode_path(&upload.file_name);
    let url = format!("/uploads/{}/{file}", upload.secret);
    UploadEntity {
        id: upload.id,
        alt: alt.to_owned(),
        full_path: format!("/-/project/{}{url}", access.project.id),
        markdown: format!("{}[{alt}]({url})", if is_picture { "!" } else { "" }),
        url,
    }
}

/// Writes the file while it arrives.
async fn store(app: &App, access: &ProjectAccess, file_name: String, mut field: Field<'_>) -> Result<Upload> {
    let most = app.settings().get("max_attachment_size", 100_u64).saturating_mul(1 << 20);
    let secret = auth::random_token("", 32);
    let mut writer = app.objects().writer(&key(&secret)).await?;
    let mut size: u64 = 0;
    let written: Result<()> = async {
        let broken = |e: axum::extract::multipart::MultipartError| {
            Error::bad_request(format!("the upload broke off: {}", e.body_text()))
        };
        while let Some(chunk) = field.chunk().await.map_err(broken)? {
            size += chunk.len() as u64;
            if size > most {
                return Err(Error::TooLarge(format!("the file is over {} MiB", most >> 20)));
            }
            writer.put_part(chunk.into()).await?;
        }
        Ok(())
    }
    .await;
    if let Err(e) = written {
        writer.abort().await?;
        return Err(e);
    }
    if size == 0 {
        writer.abort().await?;
        app.objects().put(&key(&secret), bytes::Bytes::new()).await?;
    } else {
        writer.complete().await?;
    }
    let sql = format!(
        "INSERT INTO uploads (project_id, secret, file_name, size, uploaded_by, created_at) VALUES ($1, $2, $3, $4, $5, $6)
         RETURNING {COLUMNS}"
    );
    let values = [
        access.project.id.into(),
        secret.into(),
        file_name.into(),
        i64::try_from(size).unwrap_or(i64::MAX).into(),
        access.actor.id().into(),
        Time::now().into(),
    ];
    app.db().one(&sql, values).await?.ok_or_else(|| Error::not_found("Upload"))
}

async fn list(State(app): State<App>, access: ProjectAccess, paging: Paging) -> Result<Response> {
    access.may(Permission::EditProject)?;
    let id = access.project.id;
    let total = entity::count(&app, "SELECT COUNT(*) FROM uploads WHERE project_id = $1", vec![id.into()]).await?;
    let sql = format!(
        "SELECT {COLUMNS} FROM uploads WHERE project_id = $1 ORDER BY created_at DESC, id DESC LIMIT {} OFFSET {}",
        paging.limit(),
        paging.offset()
    );
    let rows: Vec<Upload> = app.db().all(&sql, [id.into()]).await?;
    let people = entity::users(&app, rows.iter().filter_map(|u| u.uploaded_by)).await?;
    let made = rows.iter().map(|u| UploadAdmin {
        id: u.id,
        size: u.size,
        filename: u.file_name.clone(),
        created_at: u.created_at,
        uploaded_by: u.uploaded_by.and_then(|id| people.get(&id)).map(|p| UserSafe {
            id: p.id,
            username: p.username.clone(),
            public_email: p.public_email.clone(),
            name: p.name.clone(),
        }),
    });
    Ok(paging.list(&made.collect::<Vec<_>>(), total))
}

async fn by_id(app: &App, access: &ProjectAccess, id: &str) -> Result<Upload> {
    let sql = format!("SELECT {COLUMNS} FROM uploads WHERE project_id = $1 AND id = $2");
    let found = app.db().one(&sql, [access.project.id.into(), super::number(id, "upload_id")?.into()]).await?;
    found.ok_or_else(|| Error::not_found("Upload"))
}

async fn by_secret(app: &App, access: &ProjectAccess, secret: &str, file: &str) -> Result<Upload> {
    let sql = format!("SELECT {COLUMNS} FROM uploads WHERE project_id = $1 AND secret = $2 AND file_name = $3");
    let found = app.db().one(&sql, [access.project.id.into(), secret.into(), file.into()]).await?;
    found.ok_or_else(|| Error::not_found("Upload"))
}

/// The type of pictures that browsers show without running anything.
fn safe_type(ending: &str) -> Option<&'static str> {
    match ending.to_ascii_lowercase().as_str() {
        "png" => Some("image/png"),
        "jpg" | "jpeg" => Some("image/jpeg"),
        "gif" => Some("image/gif"),
        "webp" => Some("image/webp"),
        _ => None,
    }
}

async fn answer(app: &App, upload: &Upload) -> Result<Response> {
    let (size, stream) =
        app.objects().stream(&key(&upload.secret), None).await?.ok_or_else(|| Error::not_found("Upload"))?;
    let ending = upload.file_name.rsplit_once('.').map_or("", |(_, e)| e);
    let kind = safe_type(ending);
    let shown = if kind.is_some() { "inline" } else { "attachment" };
    let disposition = format!("{shown}; filename*=UTF-8''{}", crate::shell::encode_path(&upload.file_name));
    let mut response = Body::from_stream(stream).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind.unwrap_or("application/octet-stream")));
    headers.insert(CONTENT_LENGTH, size.into());
    headers.insert(CONTENT_DISPOSITION, HeaderValue::from_str(&disposition)?);
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, max-age=86400, immutable"));
    Ok(response)
}

async fn download_by_id(
    State(app): State<App>,
    access: ProjectAccess,
    Path((_, id)): Path<(String, String)>,
) -> Result<Response> {
    access.may(Permission::EditProject)?;
    answer(&app, &by_id(&app, &access, &id).await?).await
}

/// Serves an upload to those who see the project, for the API and for pages.
pub(crate) async fn download(
    State(app): State<App>,
    access: ProjectAccess,
    Path((_, secret, file)): Path<(String, String, String)>,
) -> Result<Response> {
    answer(&app, &by_secret(&app, &access, &secret, &file).await?).await
}

/// The same under `/-/project/{id}`, which stays when the project moves.
pub(crate) async fn download_below_id(
    State(app): State<App>,
    actor: accounts::Actor,
    Path((id, secret, file)): Path<(i64, String, String)>,
) -> Result<Response> {
    let project = crate::Project::find(app.db().conn(), id).await?.ok_or_else(|| Error::not_found(""))?;
    let access = ProjectAccess::of(&app, actor, project).await?;
    answer(&app, &by_secret(&app, &access, &secret, &file).await?).await
}

async fn remove(app: &App, upload: &Upload) -> Result<StatusCode> {
    app.db().run("DELETE FROM uploads WHERE id = $1", [upload.id.into()]).await?;
    app.objects().delete(&key(&upload.secret)).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn delete_by_id(
    State(app): State<App>,
    access: ProjectAccess,
    Path((_, id)): Path<(String, String)>,
) -> Result<StatusCode> {
    access.may(Permission::EditProject)?;
    remove(&app, &by_id(&app, &access, &id).await?).await
}

async fn delete(
    State(app): State<App>,
    access: ProjectAccess,
    Path((_, secret, file)): Path<(String, String, String)>,
) -> Result<StatusCode> {
    access.may(Permission::EditProject)?;
    remove(&app, &by_secret(&app, &access, &secret, &file).await?).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_their_folders() {
        assert_eq!(clean_name("../../etc/passwd"), "passwd");
        assert_eq!(clean_name("C:\\x\\a b.png"), "a_b.png");
        assert_eq!(clean_name(".."), "file");
        assert_eq!(clean_name("é\r\nX: y.txt"), "é__X__y.txt");
    }
}

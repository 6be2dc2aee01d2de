//! SSH keys.

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use kernel::api::Api;
use kernel::http::{Params, Query};
use kernel::{App, Error, Result, Time};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::{named, named_by_admin, person};
use crate::entities::{KeyEntity, KeyWithUser, UserPublic};
use crate::{Actor, SshKey, User, audit};

pub(super) fn api() -> Api {
    Api::new("SSH keys")
        .get("/user/keys", "Lists one's keys", own)
        .gives::<Vec<KeyEntity>>()
        .post("/user/keys", "Adds a key", add_own)
        .takes::<New>()
        .gives::<KeyEntity>()
        .get("/user/keys/{key_id}", "Shows one of one's keys", show_own)
        .gives::<KeyEntity>()
        .delete("/user/keys/{key_id}", "Removes one of one's keys", delete_own)
        .get("/users/{user_id}/keys", "Lists a user's keys", of_user)
        .gives::<Vec<KeyEntity>>()
        .post("/users/{user_id}/keys", "Adds a key to a user", add_to_user)
        .takes::<New>()
        .gives::<KeyEntity>()
        .get("/users/{user_id}/keys/{key_id}", "Shows a key of a user", show_of_user)
        .gives::<KeyEntity>()
        .delete("/users/{user_id}/keys/{key_id}", "Removes a key of a user", delete_of_user)
        .get("/keys/{key_id}", "Shows a key and whose it is", by_id)
        .gives::<KeyWithUser>()
        .get("/keys", "Finds a key by its fingerprint", by_fingerprint)
        .takes::<Asked>()
        .gives::<KeyWithUser>()
}

#[derive(Deserialize, JsonSchema)]
struct New {
    title: String,
    key: String,
    expires_at: Option<Time>,
    usage_type: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
struct Asked {
    /// `SHA256:…`, or MD5 with colons.
    fingerprint: String,
}

type Made = (StatusCode, Json<KeyEntity>);

async fn list(app: &App, user: &User) -> Result<Json<Vec<KeyEntity>>> {
    let keys = SshKey::of_user(app.db().conn(), user.id).await?;
    Ok(Json(keys.iter().map(|k| KeyEntity::of(app, user, k)).collect()))
}

async fn own(State(app): State<App>, actor: Actor) -> Result<Json<Vec<KeyEntity>>> {
    list(&app, person(&actor)?).await
}

/// Public keys are public: anybody may see them, as of a user who is known.
async fn of_user(State(app): State<App>, Path(wanted): Path<String>) -> Result<Json<Vec<KeyEntity>>> {
    list(&app, &named(&app, &wanted).await?).await
}

async fn add(app: &App, actor: &Actor, user: &User, new: New) -> Result<Made> {
    let usage = new.usage_type.as_deref().unwrap_or("auth_and_signing");
    let tx = app.begin().await?;
    let key = SshKey::create(&*tx, user.id, &new.title, &new.key, usage, new.expires_at).await?;
    let details = json!({ "title": key.title, "fingerprint": key.fingerprint, "user_id": user.id });
    audit::record(&*tx, actor, "key.created", ("Key", key.id), details).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(KeyEntity::of(app, user, &key))))
}

async fn add_own(State(app): State<App>, actor: Actor, Params(new): Params<New>) -> Result<Made> {
    let user = person(&actor)?;
    add(&app, &actor, user, new).await
}

async fn add_to_user(
    State(app): State<App>,
    actor: Actor,
    Path(wanted): Path<String>,
    Params(new): Params<New>,
) -> Result<Made> {
    let user = named_by_admin(&app, &actor, &wanted).await?;
    add(&app, &actor, &user, new).await
}

async fn find(app: &App, user: &User, id: i64) -> Result<SshKey> {
    let found = SshKey::find(app.db().conn(), id).await?.filter(|k| k.user_id == user.id);
    found.ok_or_else(|| Error::not_found("Key"))
}

async fn show_own(State(app): State<App>, actor: Actor, Path(id): Path<i64>) -> Result<Json<KeyEntity>> {
    let user = person(&actor)?;
    Ok(Json(KeyEntity::of(&app, user, &find(&app, user, id).await?)))
}

async fn show_of_user(State(app): State<App>, Path((wanted, id)): Path<(String, i64)>) -> Result<Json<KeyEntity>> {
    let user = named(&app, &wanted).await?;
    Ok(Json(KeyEntity::of(&app, &user, &find(&app, &user, id).await?)))
}

async fn delete(app: &App, actor: &Actor, user: &User, id: i64) -> Result<StatusCode> {
    let key = find(app, user, id).await?;
    let tx = app.begin().await?;
    key.delete(&*tx).await?;
    let details = json!({ "fingerprint": key.fingerprint, "user_id": user.id });
    audit::record(&*tx, actor, "key.deleted", ("Key", key.id), details).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn delete_own(State(app): State<App>, actor: Actor, Path(id): Path<i64>) -> Result<StatusCode> {
    let user = person(&actor)?;
    delete(&app, &actor, user, id).await
}

async fn delete_of_user(
    State(app): State<App>,
    actor: Actor,
    Path((wanted, id)): Path<(String, i64)>,
) -> Result<StatusCode> {
    let user = named_by_admin(&app, &actor, &wanted).await?;
    delete(&app, &actor, &user, id).await
}

async fn with_user(app: &App, actor: &Actor, key: Option<SshKey>) -> Result<Json<KeyWithUser>> {
    let key = key.ok_or_else(|| Error::not_found("Key"))?;
    let user = User::find(app.db().conn(), key.user_id).await?.ok_or_else(|| Error::not_found("Key"))?;
    Ok(Json(KeyWithUser { key: KeyEntity::of(app, &user, &key), user: UserPublic::of(app, actor, &user) }))
}

async fn by_id(State(app): State<App>, actor: Actor, Path(id): Path<i64>) -> Result<Json<KeyWithUser>> {
    actor.admin()?;
    with_user(&app, &actor, SshKey::find(app.db().conn(), id).await?).await
}

async fn by_fingerprint(State(app): State<App>, actor: Actor, Query(asked): Query<Asked>) -> Result<Json<KeyWithUser>> {
    actor.admin()?;
    let asked = asked.fingerprint.trim();
    let md5 = asked.strip_prefix("MD5:").unwrap_or(asked);
    let is_md5 = md5.len() == 47 && md5.chars().all(|c| c == ':' || c.is_ascii_hexdigit());
    let wanted = if is_md5 { md5.to_lowercase() } else { asked.replace(' ', "+") };
    if !is_md5 && !wanted.starts_with("SHA256:") {
        return Err(Error::bad_request("Failed to return the key"));
    }
    with_user(&app, &actor, SshKey::by_fingerprint(app.db().conn(), &wanted).await?).await
}

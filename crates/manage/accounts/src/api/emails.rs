//! Addresses beside the first one.

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use kernel::api::Api;
use kernel::http::Params;
use kernel::{App, Error, Result};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::{named_by_admin, person};
use crate::email::Email;
use crate::entities::EmailEntity;
use crate::{Actor, audit};

pub(super) fn api() -> Api {
    Api::new("Emails")
        .get("/user/emails", "Lists one's addresses", own)
        .gives::<Vec<EmailEntity>>()
        .post("/user/emails", "Adds an address", add_own)
        .takes::<New>()
        .gives::<EmailEntity>()
        .get("/user/emails/{email_id}", "Shows one of one's addresses", show_own)
        .gives::<EmailEntity>()
        .delete("/user/emails/{email_id}", "Removes one of one's addresses", delete_own)
        .get("/users/{user_id}/emails", "Lists a user's addresses", of_user)
        .gives::<Vec<EmailEntity>>()
        .post("/users/{user_id}/emails", "Adds an address to a user", add_to_user)
        .takes::<New>()
        .gives::<EmailEntity>()
        .delete("/users/{user_id}/emails/{email_id}", "Removes an address of a user", delete_of_user)
}

#[derive(Deserialize, JsonSchema)]
struct New {
    email: String,
    /// Takes it for theirs without asking; for administrators.
    #[serde(default)]
    skip_confirmation: bool,
}

type Made = (StatusCode, Json<EmailEntity>);

async fn list(app: &App, user_id: i64) -> Result<Json<Vec<EmailEntity>>> {
    Ok(Json(Email::of_user(app.db().conn(), user_id).await?.iter().map(EmailEntity::of).collect()))
}

async fn own(State(app): State<App>, actor: Actor) -> Result<Json<Vec<EmailEntity>>> {
    list(&app, person(&actor)?.id).await
}

async fn of_user(State(app): State<App>, actor: Actor, Path(wanted): Path<String>) -> Result<Json<Vec<EmailEntity>>> {
    list(&app, named_by_admin(&app, &actor, &wanted).await?.id).await
}

async fn add(app: &App, actor: &Actor, user_id: i64, email: &str, confirmed: bool) -> Result<Made> {
    let tx = app.begin().await?;
    let made = Email::create(&*tx, user_id, email, confirmed).await?;
    audit::record(&*tx, actor, "email.created", ("User", user_id), json!({ "email": made.email })).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(EmailEntity::of(&made))))
}

async fn add_own(State(app): State<App>, actor: Actor, Params(new): Params<New>) -> Result<Made> {
    add(&app, &actor, person(&actor)?.id, &new.email, false).await
}

async fn add_to_user(
    State(app): State<App>,
    actor: Actor,
    Path(wanted): Path<String>,
    Params(new): Params<New>,
) -> Result<Made> {
    let user = named_by_admin(&app, &actor, &wanted).await?;
    add(&app, &actor, user.id, &new.email, new.skip_confirmation).await
}

async fn find(app: &App, user_id: i64, id: i64) -> Result<Email> {
    Email::find(app.db().conn(), user_id, id).await?.ok_or_else(|| Error::not_found("Email"))
}

async fn show_own(State(app): State<App>, actor: Actor, Path(id): Path<i64>) -> Result<Json<EmailEntity>> {
    Ok(Json(EmailEntity::of(&find(&app, person(&actor)?.id, id).await?)))
}

async fn delete(app: &App, actor: &Actor, user_id: i64, id: i64) -> Result<StatusCode> {
    let email = find(app, user_id, id).await?;
    let tx = app.begin().await?;
    email.delete(&*tx).await?;
    audit::record(&*tx, actor, "email.deleted", ("User", user_id), json!({ "email": email.email })).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn delete_own(State(app): State<App>, actor: Actor, Path(id): Path<i64>) -> Result<StatusCode> {
    delete(&app, &actor, person(&actor)?.id, id).await
}

async fn delete_of_user(
    State(app): State<App>,
    actor: Actor,
    Path((wanted, id)): Path<(String, i64)>,
) -> Result<StatusCode> {
    let user = named_by_admin(&app, &actor, &wanted).await?;
    delete(&app, &actor, user.id, id).await
}

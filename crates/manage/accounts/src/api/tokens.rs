//! Personal access tokens and impersonation tokens.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use kernel::api::Api;
use kernel::http::{Paging, Params, Query};
use kernel::{App, Error, Result, Time};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::token_lists::{Asked, ImpersonationAsked, find_all};
use super::{named_by_admin, person};
use crate::entities::TokenEntity;
use crate::token::{self, MAX_LIFE, expiry_of};
use crate::{AccessToken, Actor, User, Via, audit};

pub(super) fn api() -> Api {
    Api::new("Personal access tokens")
        .get("/personal_access_tokens", "Lists tokens", list)
        .takes::<Asked>()
        .gives::<Vec<TokenEntity>>()
        .get("/personal_access_tokens/self", "Shows the token that is used", show_self)
        .gives::<TokenEntity>()
        .get("/personal_access_tokens/{token_id}", "Shows a token", show)
        .gives::<TokenEntity>()
        .delete("/personal_access_tokens/self", "Ends the token that is used", revoke_self)
        .delete("/personal_access_tokens/{token_id}", "Ends a token", revoke)
        .post("/personal_access_tokens/self/rotate", "Replaces the token that is used", rotate_self)
        .status(200)
        .takes::<Rotation>()
        .gives::<TokenEntity>()
        .post("/personal_access_tokens/{token_id}/rotate", "Replaces a token", rotate)
        .status(200)
        .takes::<Rotation>()
        .gives::<TokenEntity>()
        .post("/user/personal_access_tokens", "Makes a token of few rights for oneself", create_own)
        .takes::<New>()
        .gives::<TokenEntity>()
        .post("/users/{user_id}/personal_access_tokens", "Makes a token for a user", create_for_user)
        .takes::<New>()
        .gives::<TokenEntity>()
        .get(
            "/users/{user_id}/impersonation_tokens",
            "Lists the tokens by which administrators act as a user",
            impersonations,
        )
        .takes::<ImpersonationAsked>()
        .gives::<Vec<TokenEntity>>()
        .post("/users/{user_id}/impersonation_tokens", "Makes a token to act as a user", impersonate)
        .takes::<New>()
        .gives::<TokenEntity>()
        .get("/users/{user_id}/impersonation_tokens/{token_id}", "Shows a token to act as a user", impersonation)
        .gives::<TokenEntity>()
        .delete("/users/{user_id}/impersonation_tokens/{token_id}", "Ends a token to act as a user", end_impersonation)
}

#[derive(Deserialize, JsonSchema)]
struct New {
    name: String,
    description: Option<String>,
    scopes: Vec<String>,
    expires_at: Option<Time>,
}

#[derive(Deserialize, JsonSchema)]
struct Rotation {
    expires_at: Option<Time>,
}

type Made = (StatusCode, Json<TokenEntity>);

async fn list(State(app): State<App>, actor: Actor, paging: Paging, Query(asked): Query<Asked>) -> Result<Response> {
    let user = person(&actor)?;
    let owner = match (actor.is_admin(), asked.user_id) {
        (true, wanted) => wanted,
        (false, Some(wanted)) if wanted != user.id => return Err(Error::Unauthenticated),
        (false, _) => Some(user.id),
    };
    let (tokens, total) = find_all(&app, &asked, owner, &paging).await?;
    Ok(paging.list(&tokens.iter().map(TokenEntity::of).collect::<Vec<_>>(), total))
}

/// A token that the actor may see: their own, or as administrator any. What isn't there can't be told from what isn't theirs.
async fn visible(app: &App, actor: &Actor, id: i64) -> Result<AccessToken> {
    let user = person(actor)?;
    let found = AccessToken::find(app.db().conn(), id).await?.filter(|t| !t.impersonation);
    match found {
        Some(token) if token.user_id == user.id || actor.is_admin() => Ok(token),
        None if actor.is_admin() => Err(Error::not_found("Personal access token")),
        _ => Err(Error::Unauthenticated),
    }
}

fn used(actor: &Actor) -> Result<&AccessToken> {
    match actor.via() {
        Via::Token(token) => Ok(token),
        _ => Err(Error::bad_request("this endpoint is for personal access tokens")),
    }
}

async fn show(State(app): State<App>, actor: Actor, Path(id): Path<i64>) -> Result<Json<TokenEntity>> {
    Ok(Json(TokenEntity::of(&visible(&app, &actor, id).await?)))
}

async fn show_self(actor: Actor) -> Result<Json<TokenEntity>> {
    actor.user()?;
    Ok(Json(TokenEntity::of(used(&actor)?)))
}

async fn revoke(State(app): State<App>, actor: Actor, Path(id): Path<i64>) -> Result<StatusCode> {
    let token = visible(&app, &actor, id).await?;
    token::revoke(&app, &actor, &token).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn revoke_self(State(app): State<App>, actor: Actor) -> Result<StatusCode> {
    actor.user()?;
    token::revoke(&app, &actor, used(&actor)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn rotate(
    State(app): State<App>,
    actor: Actor,
    Path(id): Path<i64>,
    Params(asked): Params<Rotation>,
) -> Result<Json<TokenEntity>> {
    let token = visible(&app, &actor, id).await?;
    if !token.is_active() {
        return Err(Error::Unauthenticated);
    }
    Ok(Json(TokenEntity::with_secret(token::rotate(&app, &actor, &token, asked.expires_at).await?)))
}

async fn rotate_self(
    State(app): State<App>,
    actor: Actor,
    Params(asked): Params<Rotation>,
) -> Result<Json<TokenEntity>> {
    actor.user()?;
    let Via::Token(token) = actor.via() else {
        return Err(Error::Status(StatusCode::METHOD_NOT_ALLOWED, "405 Method Not Allowed".into()));
    };
    Ok(Json(TokenEntity::with_secret(token::rotate(&app, &actor, token, asked.expires_at).await?)))
}

/// What a program may make for its user: a token that can do less than the one it was made with.
async fn create_own(State(app): State<App>, actor: Actor, Params(new): Params<New>) -> Result<Made> {
    let user = person(&actor)?.clone();
    if new.scopes.is_empty() || new.scopes.iter().any(|s| s != "k8s_proxy" && s != "self_rotate") {
        return Err(Error::BadParameter("scopes does not have a valid value".into()));
    }
    make(&app, &actor, &user, new, 1, false).await
}

async fn create_for_user(
    State(app): State<App>,
    actor: Actor,
    Path(wanted): Path<String>,
    Params(new): Params<New>,
) -> Result<Made> {
    let user = named_by_admin(&app, &actor, &wanted).await?;
    make(&app, &actor, &user, new, MAX_LIFE, false).await
}

async fn make(app: &App, actor: &Actor, user: &User, new: New, life: i64, impersonation: bool) -> Result<Made> {
    token::check_scopes(user, &new.scopes)?;
    let expires = expiry_of(new.expires_at, life)?;
    let description = new.description.unwrap_or_default();
    let tx = app.begin().await?;
    let made =
        AccessToken::create(&*tx, user.id, &new.name, &description, &new.scopes, Some(expires), impersonation).await?;
    let details =
        json!({ "name": made.0.name, "scopes": made.0.scopes, "user_id": user.id, "impersonation": impersonation });
    audit::record(&*tx, actor, "token.created", ("PersonalAccessToken", made.0.id), details).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Json(TokenEntity::with_secret(made))))
}

async fn impersonations(
    State(app): State<App>,
    actor: Actor,
    paging: Paging,
    Path(wanted): Path<String>,
    Query(asked): Query<ImpersonationAsked>,
) -> Result<Response> {
    let user = named_by_admin(&app, &actor, &wanted).await?;
    let (tokens, total) = find_all(&app, &asked.into(), Some(user.id), &paging).await?;
    Ok(paging.list(&tokens.iter().map(TokenEntity::of).collect::<Vec<_>>(), total))
}

async fn impersonate(
    State(app): State<App>,
    actor: Actor,
    Path(wanted): Path<String>,
    Params(new): Params<New>,
) -> Result<Made> {
    let user = named_by_admin(&app, &actor, &wanted).await?;
    make(&app, &actor, &user, new, MAX_LIFE, true).await
}

async fn impersonation_of(app: &App, actor: &Actor, wanted: &str, id: i64) -> Result<AccessToken> {
    let user = named_by_admin(app, actor, wanted).await?;
    let found = AccessToken::find(app.db().conn(), id).await?;
    found.filter(|t| t.impersonation && t.user_id == user.id).ok_or_else(|| Error::not_found("Impersonation Token"))
}

async fn impersonation(
    State(app): State<App>,
    actor: Actor,
    Path((wanted, id)): Path<(String, i64)>,
) -> Result<Json<TokenEntity>> {
    Ok(Json(TokenEntity::of(&impersonation_of(&app, &actor, &wanted, id).await?)))
}

async fn end_impersonation(
    State(app): State<App>,
    actor: Actor,
    Path((wanted, id)): Path<(String, i64)>,
) -> Result<StatusCode> {
    let token = impersonation_of(&app, &actor, &wanted, id).await?;
    token::revoke(&app, &actor, &token).await?;
    Ok(StatusCode::NO_CONTENT)
}

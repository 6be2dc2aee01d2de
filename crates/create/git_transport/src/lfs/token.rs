//! Short-lived tokens for LFS: signed, bound to a user, a project and a direction, stored nowhere.

use std::time::Duration;

use accounts::{Actor, User, Via};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use kernel::{App, Error, Result, Time, auth};
use projects::ProjectAccess;
use serde_json::{Value, json};
use sha2::Sha256;

/// How long a token is good for; a large file may take that long to begin.
const LIFE: Duration = Duration::from_secs(2 * 3600);
const PREFIX: &str = "tmlfs-";
const SETTING: &str = "lfs_token_secret";

/// The answer to `git-lfs-authenticate`.
pub(crate) async fn authenticate(app: &App, access: &ProjectAccess, upload: bool) -> Result<Value> {
    let header = header(app, access, upload).await?;
    Ok(json!({
        "href": super::url(app, &access.project, ""),
        "header": { "Authorization": header },
        "expires_in": LIFE.as_secs(),
        "expires_at": (Time::now() + LIFE).rfc3339(),
    }))
}

/// The value of `Authorization` for what the actor may do now.
pub(super) async fn header(app: &App, access: &ProjectAccess, upload: bool) -> Result<String> {
    let (id, name) = access.actor.known().map_or((0, "anonymous"), |u| (u.id, &u.username));
    let claim =
        format!("{id}.{}.{}.{}", access.project.id, if upload { 'u' } else { 'd' }, (Time::now() + LIFE).seconds());
    let token = format!("{PREFIX}{claim}.{}", sign(app, &claim).await?);
    Ok(format!("Basic {}", STANDARD.encode(format!("{name}:{token}"))))
}

/// How long the header is good for, in seconds.
pub(super) fn life() -> u64 {
    LIFE.as_secs()
}

/// The actor and project of a request's token; `None` where it carries none of ours.
pub(super) async fn of_request(app: &App, headers: &HeaderMap, write: bool) -> Result<Option<(Actor, i64)>> {
    let Some(token) = shown(headers) else { return Ok(None) };
    let refused = || Error::Unauthenticated;
    let (claim, signature) = token.rsplit_once('.').ok_or_else(refused)?;
    if !auth::same_secret(signature, &sign(app, claim).await?) {
        return Err(refused());
    }
    let parts: Vec<&str> = claim.split('.').collect();
    let [user, project, direction, expiry] = parts[..] else { return Err(refused()) };
    let number = |text: &str| text.parse::<i64>().map_err(|_| refused());
    if number(expiry)? <= Time::now().seconds() || (write && direction != "u") {
        return Err(refused());
    }
    let actor = match number(user)? {
        0 => Actor::nobody(),
        id => {
            let user = User::find(app.db().conn(), id).await?.filter(User::is_active).ok_or_else(refused)?;
            Actor::new(user, Via::Password)
        }
    };
    Ok(Some((actor, number(project)?)))
}

fn shown(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, rest) = value.split_once(' ')?;
    let pair = scheme.eq_ignore_ascii_case("basic").then(|| STANDARD.decode(rest.trim()).ok())??;
    let pair = String::from_utf8(pair).ok()?;
    let (_, secret) = pair.split_once(':')?;
    secret.strip_prefix(PREFIX).map(str::to_owned)
}

async fn sign(app: &App, claim: &str) -> Result<String> {
    let secret = secret(app).await?;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map_err(Error::internal)?;
    mac.update(claim.as_bytes());
    Ok(hex::encode(mac.finalize().into_bytes()))
}

async fn secret(app: &App) -> Result<String> {
    let known: String = app.settings().get(SETTING, String::new());
    if !known.is_empty() {
        return Ok(known);
    }
    // Another process may have made one already.
    app.settings().load(app.db()).await?;
    let known: String = app.settings().get(SETTING, String::new());
    if !known.is_empty() {
        return Ok(known);
    }
    let made = auth::random_token("", 48);
    app.settings().set(app.db(), SETTING, &made).await?;
    Ok(made)
}

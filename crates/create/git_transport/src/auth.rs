//! Who is behind a request of git over HTTP: Basic with a password or token, or a token in a header of its own.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use accounts::actor::by_token;
use accounts::{Actor, User, Via, password};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use kernel::{App, Error, Result, auth};
use moka::future::Cache;

/// Verified passwords, by a hash of name and password, so that each request of a clone needn't pay for Argon2.
/// Holds the user and the password's hash then: once the password changes, the entry is worth nothing.
static VERIFIED: LazyLock<Cache<String, (i64, String)>> =
    LazyLock::new(|| Cache::builder().max_capacity(10_000).time_to_live(Duration::from_secs(60)).build());

/// What a client showed.
enum Shown {
    Nothing,
    Token(String),
    Basic { user: String, secret: String },
}

/// The actor behind a request; nobody where nothing was shown, an error where it was wrong.
pub(crate) async fn identify(app: &App, headers: &HeaderMap, ip: String) -> Result<Actor> {
    let mut actor = match shown(headers)? {
        Shown::Nothing => Actor::nobody(),
        Shown::Token(token) => by_token(app, &token).await?,
        Shown::Basic { user, secret } => by_pair(app, &user, &secret, &ip).await?,
    };
    actor.ip = ip;
    Ok(actor)
}

fn shown(headers: &HeaderMap) -> Result<Shown> {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    if let Some(token) = text("private-token").or_else(|| text("job-token")) {
        return Ok(Shown::Token(token.to_owned()));
    }
    let Some(value) = headers.get(AUTHORIZATION) else { return Ok(Shown::Nothing) };
    let (scheme, rest) = value.to_str().ok().and_then(|v| v.split_once(' ')).ok_or(Error::Unauthenticated)?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Ok(Shown::Token(rest.trim().to_owned()));
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(Error::Unauthenticated);
    }
    let pair = STANDARD.decode(rest.trim()).ok().and_then(|b| String::from_utf8(b).ok());
    let pair = pair.ok_or(Error::Unauthenticated)?;
    let (user, secret) = pair.split_once(':').ok_or(Error::Unauthenticated)?;
    Ok(Shown::Basic { user: user.to_owned(), secret: secret.to_owned() })
}

async fn by_pair(app: &App, user: &str, secret: &str, ip: &str) -> Result<Actor> {
    if user.is_empty() && secret.is_empty() {
        return Ok(Actor::nobody());
    }
    match by_token(app, secret).await {
        Err(Error::Unauthenticated) if !matches!(user, "oauth2" | "gitlab-ci-token") => {
            by_password(app, user, secret, ip).await
        }
        outcome => outcome,
    }
}

async fn by_password(app: &App, login: &str, secret: &str, ip: &str) -> Result<Actor> {
    let key = auth::hash_token(&format!("{}\0{}\0{secret}", app.process(), login.to_lowercase()));
    for _ in 0..2 {
        let verify = async {
            let user = password::check(app, login, secret, ip).await?;
            note_success(app, &user).await?;
            Ok((user.id, user.password_hash))
        };
        let known = VERIFIED.try_get_with(key.clone(), verify).await;
        let (id, hash) = known.map_err(|e: Arc<Error>| (*e).clone())?;
        let user = User::find(app.db().conn(), id).await?;
        match user.filter(|u| u.password_hash == hash && u.is_active()) {
            Some(user) => return Ok(Actor::new(user, Via::Password)),
            None => VERIFIED.invalidate(&key).await,
        }
    }
    Err(Error::Unauthenticated)
}

/// A good password forgives the wrong ones before it.
async fn note_success(app: &App, user: &User) -> Result<()> {
    if user.failed_attempts == 0 {
        return Ok(());
    }
    let sql = "UPDATE users SET failed_attempts = 0, locked_until = NULL WHERE id = $1";
    app.db().run(sql, [user.id.into()]).await.map(drop)
}

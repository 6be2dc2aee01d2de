//! Sessions of browsers: a random cookie, stored hashed.

use std::time::Duration;

use http::HeaderValue;
use kernel::db::Sql;
use kernel::jobs::Job;
use kernel::{App, Result, Time, auth};
use sea_orm::{ConnectionTrait, FromQueryResult};
use serde::{Deserialize, Serialize};

use crate::{User, actor};

/// The name of the cookie.
pub const COOKIE_NAME: &str = "_tidemill_session";
const SHORT: Duration = Duration::from_secs(24 * 3600);
const LONG: Duration = Duration::from_secs(14 * 24 * 3600);

/// A browser that is signed in.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Session {
    /// The id.
    pub id: i64,
    /// Whose it is.
    pub user_id: i64,
    /// Where it was last seen.
    pub ip: String,
    /// What the browser calls itself.
    pub user_agent: String,
    /// When it began.
    pub created_at: Time,
    /// When it was last used, to the minute.
    pub last_seen_at: Time,
    /// When it ends.
    pub expires_at: Time,
}

impl Session {
    /// Begins a session; gives the value of `Set-Cookie`.
    pub async fn begin(app: &App, user_id: i64, keep: bool, ip: &str, user_agent: &str) -> Result<HeaderValue> {
        let (token, now) = (auth::random_token("", 40), Time::now());
        let life = if keep { LONG } else { SHORT };
        let sql = "INSERT INTO sessions (user_id, token_hash, ip, user_agent, created_at, last_seen_at, expires_at)
                   VALUES ($1, $2, $3, $4, $5, $5, $6)";
        let agent: String = user_agent.chars().take(255).collect();
        let values =
            [user_id.into(), auth::hash_token(&token).into(), ip.into(), agent.into(), now.into(), (now + life).into()];
        let tx = app.begin().await?;
        tx.run(sql, values).await?;
        let sql =
            "UPDATE users SET last_sign_in_at = current_sign_in_at, current_sign_in_at = $2, last_activity_at = $2,
             last_sign_in_ip = current_sign_in_ip, current_sign_in_ip = $3, sign_in_count = sign_in_count + 1,
                   failed_attempts = 0, locked_until = NULL WHERE id = $1";
        tx.run(sql, [user_id.into(), now.into(), ip.into()]).await?;
        tx.commit().await?;
        cookie(app, &token, keep.then_some(LONG))
    }

    /// The session of a request's cookie, if it is alive.
    pub(crate) async fn of_request(app: &App, headers: &http::HeaderMap) -> Result<Option<Self>> {
        let Some(token) = actor::cookie(headers, COOKIE_NAME) else { return Ok(None) };
        let sql = "SELECT id, user_id, ip, user_agent, created_at, last_seen_at, expires_at FROM sessions
                   WHERE token_hash = $1 AND expires_at > $2";
        let now = Time::now();
        let session: Option<Self> = app.db().one(sql, [auth::hash_token(token).into(), now.into()]).await?;
        if let Some(s) = &session
            && now.since(s.last_seen_at) > Duration::from_secs(60)
        {
            app.db().run("UPDATE sessions SET last_seen_at = $2 WHERE id = $1", [s.id.into(), now.into()]).await?;
            User::note_activity(app.db().conn(), s.user_id).await?;
        }
        Ok(session)
    }

    /// All sessions of a user, the last used first.
    pub async fn of_user<C: ConnectionTrait>(conn: &C, user_id: i64) -> Result<Vec<Self>> {
        let sql = "SELECT id, user_id, ip, user_agent, created_at, last_seen_at, expires_at FROM sessions
                   WHERE user_id = $1 AND expires_at > $2 ORDER BY last_seen_at DESC";
        conn.all(sql, [user_id.into(), Time::now().into()]).await
    }

    /// Ends one session of a user.
    pub async fn end<C: ConnectionTrait>(conn: &C, user_id: i64, id: i64) -> Result<()> {
        conn.run("DELETE FROM sessions WHERE user_id = $1 AND id = $2", [user_id.into(), id.into()]).await?;
        Ok(())
    }
}

/// The `Set-Cookie` that forgets the session.
pub fn forget(app: &App) -> Result<HeaderValue> {
    cookie(app, "", Some(Duration::ZERO))
}

fn cookie(app: &App, value: &str, life: Option<Duration>) -> Result<HeaderValue> {
    let secure = if app.config().url.scheme() == "https" { "; Secure" } else { "" };
    let age = life.map(|l| format!("; Max-Age={}", l.as_secs())).unwrap_or_default();
    Ok(HeaderValue::from_str(&format!("{COOKIE_NAME}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{age}"))?)
}

/// Removes the sessions whose time is over.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Sweep {}

impl Job for Sweep {
    const KIND: &'static str = "sessions.sweep";

    async fn run(self, app: App) -> Result<()> {
        app.db().run("DELETE FROM sessions WHERE expires_at <= $1", [Time::now().into()]).await?;
        Ok(())
    }
}

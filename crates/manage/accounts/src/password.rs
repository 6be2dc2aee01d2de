//! Signing in by password: one answer for every wrong attempt, a lock after too many.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use kernel::{App, Error, Result, Time, auth};
use moka::sync::Cache;
use tokio::sync::{OnceCell, Semaphore};

use crate::{User, ratelimit};

/// How many failures lock an account.
const ATTEMPTS: i64 = 10;
/// For how long.
const LOCK: Duration = Duration::from_secs(600);
/// Longer ones are nobody's and would only cost time.
const LONGEST: usize = 1024;

/// How many passwords are checked side by side: each takes 19 MiB, and attempts from many addresses must not add up.
static AT_ONCE: Semaphore = Semaphore::const_new(4);
static DUMMY: OnceCell<String> = OnceCell::const_new();
/// Failures for names that nobody has: they lock like real ones, so that a lock tells nothing.
static NOBODY: LazyLock<Cache<String, std::sync::Arc<AtomicI64>>> =
    LazyLock::new(|| Cache::builder().max_capacity(10_000).time_to_live(LOCK).build());

/// The user with this name or address and password, whose account may be used.
///
/// A wrong pair is `Unauthenticated`, too many attempts are `TooMany`, an account out of use is `Forbidden` with the reason.
pub async fn check(app: &App, login: &str, password: &str, ip: &str) -> Result<User> {
    let user = verify(app, login, password, ip).await?;
    refuse_inactive(&user)?;
    Ok(user)
}

/// The same, in whatever state the account is.
pub(crate) async fn verify(app: &App, login: &str, password: &str, ip: &str) -> Result<User> {
    ratelimit::sign_in(app, ip)?;
    let user = User::by_login(app.db().conn(), login).await?;
    let Some(user) = user.filter(|u| !u.password_hash.is_empty() && !u.bot) else {
        ratelimit::sign_in_failed(app, ip);
        return Err(unknown(app, login, password).await);
    };
    if user.is_locked() {
        ratelimit::sign_in_failed(app, ip);
        matches(password, dummy().await).await;
        return Err(locked());
    }
    if matches(password, &user.password_hash).await {
        return Ok(user);
    }
    ratelimit::sign_in_failed(app, ip);
    note_failure(app, user.id).await?;
    Err(Error::Unauthenticated)
}

async fn unknown(app: &App, login: &str, password: &str) -> Error {
    // The same work as for a user who exists, so that the time tells nothing either.
    matches(password, dummy().await).await;
    let key: String = login.trim().to_lowercase().chars().take(255).collect();
    let failures = NOBODY.get_with(format!("{}:{key}", app.process()), Default::default);
    if failures.fetch_add(1, Ordering::Relaxed) >= ATTEMPTS { locked() } else { Error::Unauthenticated }
}

async fn matches(password: &str, hash: &str) -> bool {
    let _permit = AT_ONCE.acquire().await;
    password.len() <= LONGEST && auth::verify_password(password, hash).await
}

async fn dummy() -> &'static str {
    DUMMY.get_or_init(async || auth::hash_password("nobody's").await.unwrap_or_default()).await
}

fn locked() -> Error {
    Error::TooMany(LOCK.as_secs())
}

async fn note_failure(app: &App, user_id: i64) -> Result<()> {
    // A lock that ran out starts the count again.
    let sql = "UPDATE users SET
                 failed_attempts = CASE WHEN locked_until IS NOT NULL AND locked_until <= $2 THEN 1 ELSE failed_attempts + 1 END,
                 locked_until = CASE WHEN locked_until IS NULL AND failed_attempts + 1 >= $3 THEN $4
                                     WHEN locked_until <= $2 THEN NULL ELSE locked_until END
               WHERE id = $1";
    let now = Time::now();
    app.db().run(sql, [user_id.into(), now.into(), ATTEMPTS.into(), (now + LOCK).into()]).await?;
    Ok(())
}

/// Says why an account can't be used, if it can't.
pub(crate) fn refuse_inactive(user: &User) -> Result<()> {
    Err(Error::forbidden(match user.state.as_str() {
        "active" => return Ok(()),
        "blocked_pending_approval" => "Your account is waiting for an administrator's approval.",
        "deactivated" => "Your account is deactivated. Sign in on the web to use it again.",
        _ => "Your account has been blocked. An administrator can unblock it.",
    }))
}

//! How often somebody may ask: per user, per address without a user, and for attempts to sign in.

use std::sync::LazyLock;

use kernel::http::is_api;
use kernel::http::ratelimit::{RateLimiter, Standing};
use kernel::{App, Error, Result};

use crate::{Actor, settings};

const SIGN_IN: &str = "throttle_sign_in";

static COUNTS: LazyLock<RateLimiter> = LazyLock::new(RateLimiter::default);

/// Counts for one application, also where a test runs several in one process.
fn count(app: &App, name: &'static str, who: &str, limit: u64) -> Standing {
    COUNTS.count(name, &format!("{}:{who}", app.process()), limit)
}

/// Counts a request and tells where its sender stands; `None` where nothing is limited.
///
/// Calls of the API count, and everywhere the tokens that were refused, so that they can't be guessed.
pub(crate) fn request(app: &App, actor: &Result<Actor>, path: &str, ip: &str) -> Option<Standing> {
    let refused = matches!(actor, Err(Error::Unauthenticated | Error::InvalidToken(_)));
    // Runners ask for work and send logs as often as their jobs need.
    if !refused && (!is_api(path) || path.starts_with("/api/v4/jobs/")) {
        return None;
    }
    Some(match actor.as_ref().ok().and_then(Actor::id) {
        Some(id) => count(app, "throttle_authenticated_api", &id.to_string(), settings::api_limit(app)),
        None => count(app, "throttle_unauthenticated_api", ip, settings::anonymous_limit(app)),
    })
}

/// Refuses an address from which too many sign-ins failed lately; a 429.
pub(crate) fn sign_in(app: &App, ip: &str) -> Result<()> {
    let limit = settings::sign_in_limit(app);
    let standing = COUNTS.look(SIGN_IN, &format!("{}:{ip}", app.process()), limit);
    if standing.observed >= limit { Err(Error::TooMany(standing.wait())) } else { Ok(()) }
}

/// Counts a sign-in that failed. Those that don't are no attack, and programs sign in often.
pub(crate) fn sign_in_failed(app: &App, ip: &str) {
    count(app, SIGN_IN, ip, settings::sign_in_limit(app));
}

/// Counts somebody who registers; a 429 where there were too many from the address.
pub(crate) fn sign_up(app: &App, ip: &str) -> Result<()> {
    let standing = count(app, "throttle_sign_up", ip, settings::sign_in_limit(app));
    if standing.exceeded() { Err(Error::TooMany(standing.wait())) } else { Ok(()) }
}

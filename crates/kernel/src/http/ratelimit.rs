//! Fixed-window rate limits, kept in the process.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use moka::sync::Cache;

use crate::Time;

/// Counts what each key does in a minute.
#[derive(Clone)]
pub struct RateLimiter {
    counts: Cache<(String, i64), Arc<AtomicU64>>,
}

/// Where a key stands in its window.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The name of the limit.
    pub name: &'static str,
    /// How many are allowed in the window.
    pub limit: u64,
    /// How many there were, this one included.
    pub observed: u64,
    /// When the window ends.
    pub reset: Time,
}

impl Default for RateLimiter {
    fn default() -> Self {
        let counts = Cache::builder().max_capacity(50_000).time_to_live(Duration::from_secs(180)).build();
        Self { counts }
    }
}

impl RateLimiter {
    /// Where `key` stands, without counting.
    pub fn look(&self, name: &'static str, key: &str, limit: u64) -> Standing {
        let window = Time::now().seconds().div_euclid(60);
        let counter = self.counts.get(&(format!("{name}:{key}"), window));
        let observed = counter.map_or(0, |c| c.load(Ordering::Relaxed));
        Standing { name, limit, observed, reset: Time::from_seconds((window + 1) * 60) }
    }

    /// Counts one more for `key`.
    pub fn count(&self, name: &'static str, key: &str, limit: u64) -> Standing {
        let window = Time::now().seconds().div_euclid(60);
        let counter = self.counts.get_with((format!("{name}:{key}"), window), Arc::default);
        let observed = counter.fetch_add(1, Ordering::Relaxed) + 1;
        Standing { name, limit, observed, reset: Time::from_seconds((window + 1) * 60) }
    }
}

impl Standing {
    /// Whether this one is over the limit.
    pub fn exceeded(&self) -> bool {
        self.observed > self.limit
    }

    /// Seconds until the window ends.
    pub fn wait(&self) -> u64 {
        self.reset.since(Time::now()).as_secs() + 1
    }

    /// Writes the `RateLimit-*` headers.
    pub fn write(&self, headers: &mut HeaderMap) {
        let remaining = self.limit.saturating_sub(self.observed);
        headers.insert("ratelimit-limit", self.limit.into());
        headers.insert("ratelimit-name", HeaderValue::from_static(self.name));
        headers.insert("ratelimit-observed", self.observed.into());
        headers.insert("ratelimit-remaining", remaining.into());
        headers.insert("ratelimit-reset", self.reset.seconds().into());
        if self.exceeded()
            && let Ok(date) = HeaderValue::from_str(&self.reset.http_date())
        {
            headers.insert("ratelimit-resettime", date);
        }
    }
}

//! The event log: every change writes its events in its own transaction, and other areas read them as jobs.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A fact in the past tense that carries ids only, such as `project.created`.
pub trait Event: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The noun and the verb, such as `ref.updated`.
    const NAME: &'static str;
}

/// Wakes whoever waits for something: a topic such as `jobs` or `trace:42`. Lost wake-ups must not matter.
#[derive(Clone)]
pub struct Signals {
    local: tokio::sync::broadcast::Sender<std::sync::Arc<str>>,
}

/// The channel by which processes on one PostgreSQL wake one another.
pub(crate) const CHANNEL: &str = "tidemill";

impl Default for Signals {
    fn default() -> Self {
        Self { local: tokio::sync::broadcast::channel(1024).0 }
    }
}

impl Signals {
    /// Wakes the waiters in this process.
    pub fn wake(&self, topic: &str) {
        let _nobody_listens = self.local.send(topic.into());
    }

    /// Every topic from now on. A receiver that lags gets `Lagged` and should look at everything again.
    pub fn subscribe(&self) -> tokio::sync::broadcast::Receiver<std::sync::Arc<str>> {
        self.local.subscribe()
    }

    /// Waits until one of `topics` is woken on `receiver`, or it lagged.
    pub async fn wait(receiver: &mut tokio::sync::broadcast::Receiver<std::sync::Arc<str>>, topics: &[&str]) {
        use tokio::sync::broadcast::error::RecvError;
        loop {
            match receiver.recv().await {
                Ok(topic) if topics.contains(&&*topic) => return,
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => return,
                Err(RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}

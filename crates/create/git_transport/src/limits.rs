//! How many packs are made and taken in at once, so that a small machine survives many clients.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use kernel::{Error, Result};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long a client waits for its turn.
const PATIENCE: Duration = Duration::from_secs(300);

/// How long a client may neither send nor take anything before it loses its turn.
pub(crate) const STALLED: Duration = Duration::from_secs(600);

static PACKS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Arc::new(Semaphore::new(8 + 4 * cores))
});

/// Waits for the turn of a git process; it lasts until the permit is dropped.
pub(crate) async fn turn() -> Result<OwnedSemaphorePermit> {
    match tokio::time::timeout(PATIENCE, PACKS.clone().acquire_owned()).await {
        Ok(Ok(permit)) => Ok(permit),
        _ => Err(Error::Unavailable("the server has too many clones and pushes to do; try again later".into())),
    }
}

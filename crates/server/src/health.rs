//! What the admin area's overview tells beside what it knows itself.

use async_trait::async_trait;
use kernel::{App, Result};
use projects::HealthFact;

/// How the jobs of pipelines are kept apart.
pub(crate) struct JobIsolation;

#[async_trait]
impl HealthFact for JobIsolation {
    fn name(&self) -> &'static str {
        "Pipelines"
    }

    async fn value(&self, app: &App) -> Result<String> {
        let state = app.get::<pipelines::RunnerState>();
        let isolation = state.as_ref().and_then(|s| s.isolation());
        Ok(isolation.map_or_else(|| "the embedded runner is off".into(), |i| i.summary()))
    }
}

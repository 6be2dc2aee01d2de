//! What pipelines, which stand above, tell about a commit.

use std::sync::Arc;

use async_trait::async_trait;
use kernel::{App, Result};
use projects::Project;
use serde_json::Value;

/// Knows the last pipeline of a commit.
#[async_trait]
pub trait LastPipeline: Send + Sync {
    /// The last pipeline of a commit as the API shows it inside other things; `None` where there is none.
    async fn of_commit(&self, app: &App, project: &Project, sha: &str) -> Result<Option<Value>>;
}

/// The one who knows; absent in a program without pipelines.
pub struct LastPipelines(pub Arc<dyn LastPipeline>);

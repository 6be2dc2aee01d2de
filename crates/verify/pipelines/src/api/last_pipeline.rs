//! The last pipeline of a commit, for the commit's own entity.

use async_trait::async_trait;
use kernel::{App, Result};
use projects::Project;
use repositories::LastPipeline;
use serde_json::Value;

use super::pipeline_entity::PipelineBasic;
use crate::pipeline::Pipeline;

/// Tells repositories of the last pipeline of a commit.
pub struct CommitPipelines;

#[async_trait]
impl LastPipeline for CommitPipelines {
    async fn of_commit(&self, app: &App, project: &Project, sha: &str) -> Result<Option<Value>> {
        let sql = "SELECT * FROM pipelines WHERE project_id = $1 AND sha = $2 ORDER BY id DESC LIMIT 1";
        let found: Option<Pipeline> = app.db().one(sql, [project.id.into(), sha.into()]).await?;
        Ok(found.map(|p| serde_json::to_value(PipelineBasic::of(app, &project.full_path, &p))).transpose()?)
    }
}

//! The endpoints of pipelines, jobs, artifacts, variables and the check of configurations.

pub(crate) mod artifact_files;
mod artifacts;
mod commit;
mod detailed_status;
mod job_actions;
mod job_entity;
mod jobs;
pub(crate) mod junit;
mod last_pipeline;
mod lint;
mod pipeline_actions;
mod pipeline_entity;
mod pipelines;
pub(crate) mod test_report;
mod variables;

use accounts::{Actor, Via};
use kernel::api::Api;
use kernel::{App, Error, Result};
use projects::ProjectAccess;

pub use last_pipeline::CommitPipelines;

use crate::build::Build;
use crate::pipeline::Pipeline;

/// All of them.
pub(crate) fn endpoints() -> Vec<Api> {
    vec![
        pipelines::api(),
        pipeline_actions::api(),
        test_report::api(),
        jobs::api(),
        job_actions::api(),
        artifacts::api(),
        variables::api(),
        lint::api(),
    ]
}

/// A whole number from the path.
fn number(text: &str, name: &str) -> Result<i64> {
    text.parse().map_err(|_| Error::BadParameter(format!("{name} is invalid")))
}

/// The pipeline that a path names.
async fn pipeline(app: &App, access: &ProjectAccess, id: &str) -> Result<Pipeline> {
    let id = number(id, "pipeline_id")?;
    Pipeline::find(app.db().conn(), access.project.id, id).await?.ok_or_else(|| Error::not_found(""))
}

/// The job that a path names.
async fn build(app: &App, access: &ProjectAccess, id: &str) -> Result<Build> {
    let id = number(id, "job_id")?;
    Build::find(app.db().conn(), access.project.id, id).await?.ok_or_else(|| Error::not_found(""))
}

/// Keeps the scripts of jobs from what only people may see.
fn people_only(actor: &Actor) -> Result<()> {
    match actor.via() {
        Via::Job { .. } => Err(Error::Unauthenticated),
        _ => Ok(()),
    }
}

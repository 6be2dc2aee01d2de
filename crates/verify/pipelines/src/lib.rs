//! Pipelines: from a push to jobs that run, with their logs and artifacts.

pub mod actions;
mod advance;
mod api;
mod archive_reader;
pub mod artifacts;
pub mod build;
pub mod create;
mod finish;
mod keep_latest;
pub mod lint;
mod on_push;
mod pages;
mod permit;
pub mod pipeline;
mod redundant;
pub mod runner;
mod runner_job;
pub mod status;
mod token;
pub mod trace;
mod variable_changes;
pub mod variables;
mod visibility;

use std::time::Duration;

use kernel::Slice;
use repositories::RefUpdated;

pub use api::CommitPipelines;
pub use artifacts::Artifact;
pub use build::Build;
pub use pages::{entries, nav};
pub use pipeline::Pipeline;
pub use runner::RunnerState;
pub use status::Status;
pub use token::JobTokens;

/// The slice.
pub fn slice() -> Slice {
    let slice = Slice::new("pipelines")
        .web(pages::web())
        .on::<RefUpdated, _>("pipelines.on_push", on_push::start_pipeline)
        .job::<advance::StartDelayed>()
        .job::<finish::Archive>()
        .every::<artifacts::Expire>(Duration::from_secs(600))
        .starts(|app| Box::pin(runner::start(app)));
    api::endpoints().into_iter().fold(slice, Slice::api)
}

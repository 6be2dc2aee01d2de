//! Whole jobs: sources, artifacts and scripts in the order and the log format of GitLab Runner.

mod artifacts;
pub(crate) mod execute;
mod log;
pub(crate) mod plan;
mod script;
mod sources;

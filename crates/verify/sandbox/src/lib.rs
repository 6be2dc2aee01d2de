//! Runs CI jobs in isolation: namespaces, an own range of user ids, system call filters and limits.
//!
//! The crate knows no database and no product noun beyond "job". See README.md for its invariants.

mod archive;
mod cgroup;
mod config;
mod detect;
mod disk;
mod error;
mod init;
mod job;
mod mask;
mod proto;
mod reap;
mod run;
mod slot;
mod spawn;
mod sys;

pub use archive::Format;
pub use config::{Config, InitCommand, JOB_INIT, Limits, Network};
pub use detect::{Isolation, Level, detect, detect_with};
pub use error::{Error, Result};
pub use init::init_main;
pub use job::execute::execute;
pub use job::plan::{
    Artifact, ArtifactEntry, Cancel, Dependency, Executor, FailureReason, JobIo, JobPlan, JobResult, Source, Status,
    StoredArtifact, Variable, When, project_dir,
};
pub use mask::Masker;
pub use reap::reap_stale;
pub use run::{Outcome, Sink, Step};
pub use slot::{Sandbox, Slot};

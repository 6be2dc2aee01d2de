//! Repositories: where they are kept, who may move which ref, and what follows when refs moved.

pub mod commit_status;
mod error;
mod events;
mod finish;
mod housekeeping;
mod import;
mod intents;
pub mod network;
mod plumbing;
pub mod protected;
mod push;
mod repair;
mod repository;
mod rules;

use std::time::Duration;

pub use commit_status::CommitStatus;
pub use error::{OrStatus, status_of};
pub use events::{Origin, RefUpdate, RefUpdated, RepositoryImported, Source};
pub use housekeeping::{Housekeep, Measure};
pub use plumbing::{Repositories, signature};
pub use protected::{Grant, ProtectedBranch, ProtectedTag, Protections};
pub use push::{Push, update_refs_as};
pub use repository::{HIDDEN_REFS, READ_ONLY_REFS, hidden_refs, open};
pub use rules::{Refusal, Verdict, check_push};

/// What this area brings to the program.
pub fn slice() -> kernel::Slice {
    kernel::Slice::new("repositories")
        .job::<Housekeep>()
        .job::<Measure>()
        .every::<housekeeping::HousekeepAll>(Duration::from_secs(24 * 3600))
        .every::<repair::RepairAll>(Duration::from_secs(120))
        .starts(|app| Box::pin(repair::at_start(app)))
        .on("repositories.fill", import::on_project_created)
        .on("repositories.remove", repository::on_project_deleted)
}

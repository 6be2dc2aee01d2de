//! Repositories: where they are kept, who may move which ref, and what follows when refs moved.

mod api;
pub mod commit_status;
mod error;
mod events;
mod finish;
mod housekeeping;
mod import;
mod intents;
mod last_pipeline;
pub mod network;
mod plumbing;
pub mod protected;
mod push;
mod repair;
mod repository;
mod rules;

use std::sync::Arc;
use std::time::Duration;

use projects::SearchScope;

pub use api::commit_entity::CommitEntity;
pub use commit_status::CommitStatus;
pub use error::{OrStatus, status_of};
pub use events::{Origin, RefUpdate, RefUpdated, RepositoryImported, Source};
pub use housekeeping::{Housekeep, Measure};
pub use last_pipeline::{LastPipeline, LastPipelines};
pub use plumbing::{Repositories, signature};
pub use protected::{Grant, ProtectedBranch, ProtectedTag, Protections};
pub use push::{Push, update_refs_as};
pub use repository::{HIDDEN_REFS, READ_ONLY_REFS, hidden_refs, open};
pub use rules::{Refusal, Verdict, check_push};

/// What this area brings to the program.
pub fn slice() -> kernel::Slice {
    let slice = kernel::Slice::new("repositories")
        .job::<Housekeep>()
        .job::<Measure>()
        .every::<housekeeping::HousekeepAll>(Duration::from_secs(24 * 3600))
        .every::<repair::RepairAll>(Duration::from_secs(120))
        .starts(|app| Box::pin(repair::at_start(app)))
        .on("repositories.fill", import::on_project_created)
        .on("repositories.remove", repository::on_project_deleted);
    api::endpoints().into_iter().fold(slice, kernel::Slice::api)
}

/// What this area makes searchable.
pub fn search_scopes() -> Vec<Arc<dyn SearchScope>> {
    vec![Arc::new(api::search::Blobs), Arc::new(api::search::Commits)]
}

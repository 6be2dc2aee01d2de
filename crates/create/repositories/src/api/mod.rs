//! The endpoints of the REST API for what is in a repository and the rules around it.

mod archive;
mod blobs;
mod branches;
mod changelog;
mod cherry_pick;
mod code;
mod comments;
mod commit_create;
pub(crate) mod commit_entity;
mod commits;
mod compare;
mod contributors;
mod diff_entity;
mod file_writes;
mod files;
mod grants;
mod markdown;
mod notes;
mod protected_branches;
mod protected_tags;
pub(crate) mod search;
mod statuses;
mod tags;
mod tree;
mod writing;

use kernel::api::Api;
use schemars::JsonSchema;
use serde::Serialize;

/// All of them.
pub(crate) fn endpoints() -> Vec<Api> {
    vec![
        tree::api(),
        blobs::api(),
        archive::api(),
        compare::api(),
        contributors::api(),
        changelog::api(),
        files::api(),
        file_writes::api(),
        commits::api(),
        commit_create::api(),
        cherry_pick::api(),
        comments::api(),
        statuses::api(),
        branches::api(),
        tags::api(),
        protected_branches::api(),
        protected_tags::api(),
        markdown::api(),
    ]
}

/// A plain message, such as of what was only scheduled.
#[derive(Debug, Serialize, JsonSchema)]
struct MessageBody {
    message: String,
}

//! Git repositories on disk: reads in process, writes and packs by the git binary.

pub mod ahead_behind;
pub mod archive;
pub mod blame;
pub mod blob;
mod command;
pub mod commit;
mod contains;
mod copy;
pub mod diff;
mod error;
pub mod grep;
pub mod hooks;
pub mod import;
pub mod languages;
pub mod last_commit;
pub mod log;
pub mod maintenance;
pub mod merge;
mod names;
pub mod pack;
pub mod refs;
mod repo;
pub mod revision;
pub mod stats;
mod stream;
pub mod tags;
pub mod tree;
pub mod write;

pub use commit::{Commit, Signature};
pub use copy::end_processes;
pub use error::{GitError, Result};
pub use names::{ByteString, Oid, RefName, RepoPath};
pub use refs::{RefChange, RefInfo};
pub use repo::{Repo, Version, version};
pub use revision::Resolved;
pub use stream::ByteStream;

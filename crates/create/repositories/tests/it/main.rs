//! Repositories at a real server with real git, on each database.
#![allow(clippy::unwrap_used)]

mod api;
mod commit_statuses;
mod housekeeping;
mod imports;
mod refs;

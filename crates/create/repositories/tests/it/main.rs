//! Repositories at a real server with real git, on each database.

mod api;
mod commit_statuses;
mod housekeeping;
mod imports;
mod refs;

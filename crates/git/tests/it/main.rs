//! Tests of the crate against real git.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

mod archives;
mod blame;
mod blobs;
mod commits;
mod diffs;
mod fetch_and_push;
mod housekeeping;
mod imports;
mod last_commits;
mod merges;
mod names;
mod protocol_v2;
mod receive_head;
mod refs;
mod revisions;
mod scale;
mod statistics;
mod trees;
mod writes;

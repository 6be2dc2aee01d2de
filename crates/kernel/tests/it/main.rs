//! The floor at its edges: objects in a folder and in a bucket, the event log and jobs.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod jobs;
mod objects;

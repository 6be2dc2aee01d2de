//! The floor at its edges: objects in a folder and in a bucket, the event log and jobs.

mod objects;

//! Real jobs on the host that runs the tests; what the host cannot do is skipped with a printed reason.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod artifacts;
mod bare;
mod execute;
mod isolation;
mod lifecycle;
mod limits;
mod sources;
mod support;

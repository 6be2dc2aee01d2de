//! Pipelines from the outside: the API, the pages and the engine, with real jobs in the sandbox.

#![allow(clippy::unwrap_used)]

mod api_artifacts;
mod api_jobs;
mod api_lint;
mod api_pipelines;
mod api_roles;
mod api_variables;
mod engine;
mod engine_crash;
mod engine_races;
mod pages_forms;
mod pages_hostile;
mod pages_live;
mod pages_roles;
mod support;

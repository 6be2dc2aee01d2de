//! The floor everything stands on: configuration, database, objects, events, jobs, settings, errors and
//! HTTP plumbing. It knows no product noun.

pub mod api;
mod app;
pub mod auth;
mod config;
pub mod db;
mod error;
pub mod events;
pub mod http;
pub mod jobs;
mod metrics;
mod objects;
mod settings;
mod slice;
mod time;

pub use app::{App, AppBuilder, Tx};
pub use config::Config;
pub use db::Db;
pub use error::{Error, Result};
pub use metrics::Metrics;
pub use objects::Objects;
pub use settings::Settings;
pub use slice::{Slice, Start, Web};
pub use time::Time;

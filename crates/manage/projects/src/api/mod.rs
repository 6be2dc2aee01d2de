//! The endpoints of the REST API for namespaces, groups, projects and what belongs to them.

pub(crate) mod badges;
pub(crate) mod entity;
mod events;
mod forks;
pub(crate) mod form;
mod group_entity;
mod groups;
pub(crate) mod members;
mod namespaces;
pub(crate) mod project_entity;
mod project_lists;
pub(crate) mod project_settings;
mod projects;
pub(crate) mod search;
mod topics;
pub(crate) mod uploads;

use kernel::api::Api;
use kernel::{Error, Result};

/// All of them.
pub(crate) fn endpoints() -> Vec<Api> {
    vec![
        namespaces::api(),
        groups::api(),
        projects::api(),
        project_lists::api(),
        forks::api(),
        members::api(),
        badges::api(),
        uploads::api(),
        events::api(),
        search::api(),
        topics::api(),
    ]
}

/// A whole number from the path.
fn number(text: &str, name: &str) -> Result<i64> {
    text.parse().map_err(|_| Error::BadParameter(format!("{name} is invalid")))
}

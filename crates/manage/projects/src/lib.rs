//! Projects and groups: namespaces, members, visibility, and the table of who may do what.

pub mod access;
pub mod activity;
mod api;
mod avatar;
pub mod badge;
pub mod create;
mod delete;
mod edit;
mod group_edit;
mod group_list;
pub mod hooks;
pub mod languages;
pub mod level;
mod list;
pub mod member;
pub mod namespace;
pub mod permissions;
pub mod project;
mod relocate;
mod roster;
pub mod settings;
pub mod shell;
mod topics;
pub mod user_hook;
mod visibility;
mod web;

pub use access::{GroupAccess, ProjectAccess};
pub use activity::Activity;
pub use edit::{ForkAs, fork, popularity, star};
pub use hooks::{RepositoryHook, RepositoryHooks, SearchScope, SearchScopes};
pub use member::{Member, Source};
pub use namespace::Namespace;
pub use permissions::Permission;
pub use project::{NewProject, Project, ProjectCreated, ProjectDeleted};
pub use settings::{Feature, FeatureLevel, GroupSettings, ProjectSettings};
pub use visibility::Visibility;
pub use web::{HealthFact, HealthFacts};

/// What this area of the product brings.
pub fn slice() -> kernel::Slice {
    let slice = kernel::Slice::new("projects")
        .job::<delete::RemoveObjects>()
        .every::<roster::RemoveExpired>(std::time::Duration::from_secs(3600));
    api::endpoints().into_iter().fold(slice.web(web::web()), kernel::Slice::api)
}

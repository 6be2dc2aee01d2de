//! Projects and groups: namespaces, members, visibility, and the table of who may do what.

pub mod access;
pub mod activity;
mod avatar;
pub mod create;
mod delete;
pub mod hooks;
pub mod level;
pub mod member;
pub mod namespace;
pub mod permissions;
pub mod project;
mod relocate;
pub mod settings;
pub mod shell;
pub mod user_hook;
mod visibility;

pub use access::{GroupAccess, ProjectAccess};
pub use activity::Activity;
pub use hooks::{RepositoryHook, RepositoryHooks, SearchScope, SearchScopes};
pub use member::{Member, Source};
pub use namespace::Namespace;
pub use permissions::Permission;
pub use project::{NewProject, Project, ProjectCreated, ProjectDeleted};
pub use settings::{Feature, FeatureLevel, GroupSettings, ProjectSettings};
pub use visibility::Visibility;

/// What this area of the product brings.
pub fn slice() -> kernel::Slice {
    kernel::Slice::new("projects").job::<delete::RemoveObjects>()
}

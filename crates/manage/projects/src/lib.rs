//! Projects and groups: namespaces, members, visibility, and the table of who may do what.

pub mod access;
mod avatar;
pub mod level;
pub mod member;
pub mod namespace;
pub mod permissions;
pub mod project;
pub mod settings;
pub mod shell;
mod visibility;

pub use access::{GroupAccess, ProjectAccess};
pub use member::{Member, Source};
pub use namespace::Namespace;
pub use permissions::Permission;
pub use project::{NewProject, Project, ProjectCreated, ProjectDeleted};
pub use settings::{Feature, FeatureLevel, GroupSettings, ProjectSettings};
pub use visibility::Visibility;

/// What this area of the product brings.
pub fn slice() -> kernel::Slice {
    kernel::Slice::new("projects")
}

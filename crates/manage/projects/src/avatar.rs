//! Pictures of projects and groups.

use crate::namespace::Namespace;
use crate::project::Project;

/// Where a project's picture is served, if it has one.
pub(crate) fn project_path(project: &Project) -> Option<String> {
    path("project", project.id, project.avatar.as_deref())
}

/// Where a group's picture is served, if it has one.
pub(crate) fn group_path(group: &Namespace) -> Option<String> {
    path("group", group.id, group.avatar.as_deref())
}

fn path(kind: &str, id: i64, key: Option<&str>) -> Option<String> {
    let file = key?.rsplit('/').next()?;
    Some(format!("/uploads/-/system/{kind}/avatar/{id}/{}", crate::shell::encode_path(file)))
}

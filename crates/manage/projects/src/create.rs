//! Making projects and groups: who may, where, and what goes with them.

use accounts::{Actor, audit};
use kernel::db::Sql;
use kernel::{App, Error, Result, Tx};
use serde_json::json;

use crate::access::GroupAccess;
use crate::level;
use crate::member::{Member, Source};
use crate::namespace::Namespace;
use crate::permissions::Permission;
use crate::project::{NewProject, Project};
use crate::settings::GroupSettings;
use crate::visibility::Visibility;

/// Refuses those who may not make projects in a namespace: by their level, the group's settings or their limit.
pub async fn may_create_project(app: &App, access: &GroupAccess) -> Result<()> {
    let user = access.actor.user()?;
    if access.actor.is_admin() {
        return Ok(());
    }
    if access.group.is_group() {
        let least = match access.group.settings()?.project_creation_level.as_str() {
            "noone" | "administrator" => return Err(Error::forbidden("projects can't be created in this group")),
            "owner" => level::OWNER,
            "maintainer" => level::MAINTAINER,
            _ => Permission::CreateProject.rule().member,
        };
        return if access.level >= least { Ok(()) } else { Err(Error::Forbidden(String::new())) };
    }
    if access.group.owner_id != Some(user.id) {
        return Err(Error::Forbidden(String::new()));
    }
    let sql = "SELECT COUNT(*) FROM projects WHERE namespace_id = $1";
    let count = app.db().conn().scalar::<i64>(sql, [access.group.id.into()]).await?.unwrap_or(0);
    if count >= user.projects_limit {
        let why = format!(
            "Your project limit is {} projects. Contact your administrator to increase it",
            user.projects_limit
        );
        return Err(Error::Invalid(vec![("limit_reached".into(), why)]));
    }
    Ok(())
}

/// Makes a project with what goes with it: the creator as owner in their own namespace, an audit event and an activity.
/// The caller has asked [`may_create_project`].
pub async fn project(tx: &Tx, actor: &Actor, namespace: &Namespace, new: NewProject) -> Result<Project> {
    let made = Project::create(tx, namespace, new).await?;
    if let Some(owner) = namespace.owner_id {
        Member::add(&**tx, Source::Project(made.id), owner, level::OWNER, None, actor.id()).await?;
    }
    let details = json!({ "path": made.full_path, "visibility": made.visibility().to_string() });
    audit::record(&**tx, actor, "project.created", ("project", made.id), details).await?;
    if let Some(author) = actor.id() {
        crate::activity::record(&**tx, Some(made.id), author, "created", None).await?;
    }
    Ok(made)
}

/// What it takes to make a group.
#[derive(Clone, Debug, Default)]
pub struct NewGroup {
    /// The last segment of the path.
    pub path: String,
    /// The name to show.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Who may see it.
    pub visibility: Visibility,
    /// Its settings.
    pub settings: GroupSettings,
}

/// Refuses those who may not make a group at the top, or below `parent`.
pub fn may_create_group(actor: &Actor, parent: Option<&GroupAccess>) -> Result<()> {
    let user = actor.user()?;
    let Some(parent) = parent else {
        return if user.can_create_group || actor.is_admin() { Ok(()) } else { Err(Error::Forbidden(String::new())) };
    };
    let least = match parent.group.settings()?.subgroup_creation_level.as_str() {
        "owner" => level::OWNER,
        _ => Permission::CreateSubgroup.rule().member,
    };
    if parent.level >= least { Ok(()) } else { Err(Error::Forbidden(String::new())) }
}

/// Makes a group whose owner is the actor.
pub async fn group(tx: &Tx, actor: &Actor, parent: Option<&Namespace>, new: &NewGroup) -> Result<Namespace> {
    let owner = actor.user()?.id;
    let made = Namespace::create_group(&**tx, parent, &new.path, &new.name, &new.description, new.visibility).await?;
    let settings = serde_json::to_string(&new.settings)?;
    tx.run("UPDATE namespaces SET settings = $2 WHERE id = $1", [made.id.into(), settings.as_str().into()]).await?;
    Member::add(&**tx, Source::Group(made.id), owner, level::OWNER, None, Some(owner)).await?;
    let details = json!({ "path": made.full_path, "visibility": made.visibility().to_string() });
    audit::record(&**tx, actor, "group.created", ("group", made.id), details).await?;
    Ok(Namespace { settings, ..made })
}

//! Making and changing groups: what the API and the pages share.

use accounts::{Actor, audit};
use kernel::db::Sql;
use kernel::{App, Error, Result, Time, Tx};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::access::GroupAccess;
use crate::create::{self, NewGroup};
use crate::namespace::{Namespace, check_name};
use crate::permissions::Permission;
use crate::settings::GroupSettings;
use crate::visibility::Visibility;

/// Who may make projects in a group.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ProjectCreation {
    Noone,
    Owner,
    Maintainer,
    Developer,
    Administrator,
}

/// Who may make subgroups.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SubgroupCreation {
    Owner,
    Maintainer,
}

/// Whether runners of the instance serve a group.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SharedRunners {
    Enabled,
    DisabledAndOverridable,
    DisabledAndUnoverridable,
    DisabledWithOverride,
}

/// Parameters that make or change a group; what is absent stays as it is.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub(crate) struct GroupChange {
    #[serde(skip_serializing)]
    pub(crate) name: Option<String>,
    #[serde(skip_serializing)]
    pub(crate) path: Option<String>,
    #[serde(skip_serializing)]
    pub(crate) parent_id: Option<i64>,
    #[serde(skip_serializing)]
    pub(crate) description: Option<String>,
    #[serde(skip_serializing)]
    pub(crate) visibility: Option<Visibility>,
    #[serde(skip_serializing)]
    pub(crate) avatar: Option<String>,
    pub(crate) project_creation_level: Option<ProjectCreation>,
    pub(crate) subgroup_creation_level: Option<SubgroupCreation>,
    pub(crate) request_access_enabled: Option<bool>,
    pub(crate) require_two_factor_authentication: Option<bool>,
    pub(crate) two_factor_grace_period: Option<i64>,
    pub(crate) emails_enabled: Option<bool>,
    pub(crate) mentions_disabled: Option<bool>,
    pub(crate) lfs_enabled: Option<bool>,
    pub(crate) share_with_group_lock: Option<bool>,
    pub(crate) shared_runners_setting: Option<SharedRunners>,
    pub(crate) default_branch: Option<String>,
}

impl GroupChange {
    fn apply(&self, old: &GroupSettings) -> Result<GroupSettings> {
        let (mut settings, given) = (serde_json::to_value(old)?, serde_json::to_value(self)?);
        for (key, value) in given.as_object().into_iter().flatten().filter(|(_, v)| !v.is_null()) {
            let blank = value.as_str().is_some_and(str::is_empty);
            settings[key] = if blank { Value::Null } else { value.clone() };
        }
        Ok(serde_json::from_value(settings)?)
    }
}

fn check_description(text: &str) -> Result<()> {
    if text.chars().count() > 500 {
        return Err(Error::invalid("description", "is too long (maximum is 500 characters)"));
    }
    if text.contains('\0') { Err(Error::invalid("description", "can't hold NUL characters")) } else { Ok(()) }
}

/// Makes a group from parameters, owned by the actor.
pub(crate) async fn create_group(app: &App, actor: &Actor, wanted: &GroupChange) -> Result<Namespace> {
    actor.user()?;
    let parent = match wanted.parent_id {
        Some(id) => {
            let found = Namespace::find(app.db().conn(), id).await?.filter(Namespace::is_group);
            let found = found.ok_or_else(|| Error::not_found("Group"))?;
            Some(GroupAccess::of(app, actor.clone(), found).await?)
        }
        None => None,
    };
    create::may_create_group(actor, parent.as_ref())?;
    let description = wanted.description.clone().unwrap_or_default();
    check_description(&description)?;
    let above = parent.as_ref().map(|p| p.group.visibility());
    let new = NewGroup {
        path: wanted.path.clone().unwrap_or_default(),
        name: wanted.name.clone().unwrap_or_default(),
        description,
        visibility: wanted.visibility.unwrap_or_else(|| above.unwrap_or_default()),
        settings: wanted.apply(&GroupSettings::default())?,
    };
    let tx = app.begin().await?;
    let made = create::group(&tx, actor, parent.as_ref().map(|p| &p.group), &new).await?;
    tx.commit().await?;
    Ok(made)
}

/// Changes a group as the parameters say.
pub(crate) async fn update_group(app: &App, access: &GroupAccess, wanted: &GroupChange) -> Result<Namespace> {
    access.may(Permission::EditGroup)?;
    let group = &access.group;
    let name = wanted.name.as_deref().unwrap_or(&group.name).trim();
    let description = wanted.description.as_deref().unwrap_or(&group.description);
    check_name(name)?;
    check_description(description)?;
    let tx = app.begin().await?;
    if let Some(visibility) = wanted.visibility.filter(|v| *v != group.visibility()) {
        set_visibility(&tx, access, visibility).await?;
    }
    let settings = serde_json::to_string(&wanted.apply(&group.settings()?)?)?;
    let sql = "UPDATE namespaces SET name = $2, description = $3, settings = $4, updated_at = $5 WHERE id = $1";
    let values = [group.id.into(), name.into(), description.into(), settings.into(), Time::now().into()];
    tx.run(sql, values).await?;
    audit::record(&*tx, &access.actor, "group.changed", ("group", group.id), json!({ "path": group.full_path }))
        .await?;
    if let Some(path) = wanted.path.as_deref().filter(|p| *p != group.path) {
        let parent = match group.parent_id {
            Some(id) => Namespace::find(&*tx, id).await?,
            None => None,
        };
        relocate(&tx, access, parent.as_ref(), path).await?;
    }
    tx.commit().await?;
    Namespace::find(app.db().conn(), group.id).await?.ok_or_else(|| Error::not_found("Group"))
}

async fn relocate(tx: &Tx, access: &GroupAccess, parent: Option<&Namespace>, path: &str) -> Result<Namespace> {
    let moved = access.group.relocate(tx, parent, path).await?;
    let details = json!({ "from": access.group.full_path, "to": moved.full_path });
    audit::record(&**tx, &access.actor, "group.moved", ("group", moved.id), details).await?;
    Ok(moved)
}

/// Moves a group below another, or to the top.
pub(crate) async fn transfer_group(app: &App, access: &GroupAccess, parent: Option<&GroupAccess>) -> Result<Namespace> {
    access.may(Permission::EditGroup)?;
    create::may_create_group(&access.actor, parent)?;
    if parent.map(|p| p.group.id) == access.group.parent_id {
        return Err(Error::bad_request("Group is already associated to the parent group."));
    }
    let tx = app.begin().await?;
    let moved = relocate(&tx, access, parent.map(|p| &p.group), &access.group.path).await?;
    tx.commit().await?;
    Ok(moved)
}

async fn set_visibility(tx: &Tx, access: &GroupAccess, wanted: Visibility) -> Result<()> {
    let group = &access.group;
    let invalid = |why: String| Error::invalid("visibility_level", why);
    if let Some(parent) = group.parent_id {
        let parent = Namespace::find(&**tx, parent).await?.ok_or_else(|| Error::not_found("Group"))?;
        if wanted.number() > parent.visibility {
            return Err(invalid(format!(
                "{wanted} is not allowed since the parent group has a {} visibility.",
                parent.visibility()
            )));
        }
    }
    let below = "SELECT namespace_id FROM namespace_ancestors WHERE ancestor_id = $1";
    for (table, column, what) in [("projects", "namespace_id", "projects"), ("namespaces", "id", "sub-groups")] {
        let sql = format!(
            "SELECT COUNT(*) FROM {table} WHERE {column} IN ({below}) AND visibility > $2 AND (id <> $1 OR $3)"
        );
        let values = [group.id.into(), wanted.number().into(), (table == "projects").into()];
        if tx.scalar::<i64>(&sql, values).await?.unwrap_or(0) > 0 {
            return Err(invalid(format!(
                "{wanted} is not allowed since this group contains {what} with higher visibility."
            )));
        }
    }
    tx.run("UPDATE namespaces SET visibility = $2 WHERE id = $1", [group.id.into(), wanted.number().into()]).await?;
    Ok(())
}

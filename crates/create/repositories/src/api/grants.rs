//! Whom rules of protected refs let through, as the API takes and shows it.

use std::collections::{BTreeSet, HashMap};

use accounts::User;
use kernel::{App, Error, Result};
use projects::access::project_level;
use projects::{GroupAccess, Namespace, ProjectAccess, level};
use schemars::JsonSchema;
use sea_orm::FromQueryResult;
use serde::{Deserialize, Serialize};

use crate::protected::{ADMIN, Grant, GrantRow, NO_ONE};

/// The levels that a grant may name.
const LEVELS: [i64; 4] = [NO_ONE, level::DEVELOPER, level::MAINTAINER, ADMIN];

/// Somebody whom a rule lets through.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct GrantEntity {
    id: i64,
    access_level: Option<i64>,
    access_level_description: String,
    deploy_key_id: Option<i64>,
    user_id: Option<i64>,
    group_id: Option<i64>,
}

/// Names of the users and groups that grants name.
pub(crate) struct Names {
    users: HashMap<i64, String>,
    groups: HashMap<i64, String>,
}

#[derive(FromQueryResult)]
struct Named {
    id: i64,
    name: String,
}

impl Names {
    /// Loads them in two statements at most.
    pub(crate) async fn load(app: &App, grants: &[GrantRow]) -> Result<Self> {
        let ids: BTreeSet<i64> = grants.iter().filter_map(|g| g.user_id).collect();
        let users = match ids.is_empty() {
            true => vec![],
            false => User::by_ids(app.db().conn(), ids).await?,
        };
        let ids: BTreeSet<i64> = grants.iter().filter_map(|g| g.group_id).collect();
        let list: Vec<String> = ids.iter().map(i64::to_string).collect();
        let groups: Vec<Named> = match list.is_empty() {
            true => vec![],
            false => {
                let sql = format!("SELECT id, name FROM namespaces WHERE id IN ({})", list.join(", "));
                app.db().all(&sql, []).await?
            }
        };
        Ok(Self {
            users: users.into_iter().map(|u| (u.id, u.name)).collect(),
            groups: groups.into_iter().map(|g| (g.id, g.name)).collect(),
        })
    }

    /// The grants for an action, as entities.
    pub(crate) fn entities(&self, grants: &[GrantRow], mine: impl Fn(&GrantRow) -> bool) -> Vec<GrantEntity> {
        let of = |g: &GrantRow| {
            let user = g.user_id.and_then(|id| self.users.get(&id));
            let group = g.group_id.and_then(|id| self.groups.get(&id));
            GrantEntity {
                id: g.id,
                access_level: g.access_level,
                access_level_description: user.or(group).cloned().unwrap_or_else(|| g.description()),
                deploy_key_id: None,
                user_id: g.user_id,
                group_id: g.group_id,
            }
        };
        grants.iter().filter(|g| mine(g)).map(of).collect()
    }
}

/// Somebody to let through, or a grant to take back.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub(crate) struct GrantParams {
    /// A grant that is there, to be changed or taken back.
    id: Option<i64>,
    /// Members from this level on: 0 for nobody, 30, 40 or 60.
    access_level: Option<i64>,
    /// One member of the project.
    user_id: Option<i64>,
    /// The members of a group.
    group_id: Option<i64>,
    /// Takes the grant back.
    #[serde(rename = "_destroy", default)]
    destroy: bool,
}

/// What becomes of the grants for one action.
pub(crate) struct Edits {
    /// Ids of grants to take back.
    pub(crate) withdrawn: Vec<i64>,
    /// Grants to add.
    pub(crate) added: Vec<Grant>,
}

/// Checks a level that stands for itself.
pub(crate) fn level_of(name: &str, level: i64) -> Result<Grant> {
    if LEVELS.contains(&level) {
        return Ok(Grant::Level(level));
    }
    Err(Error::BadParameter(format!("{name} does not have a valid value")))
}

/// The grants of a new rule: a level, or lists, or the level of maintainers where there is neither.
pub(crate) async fn of_new(
    app: &App,
    access: &ProjectAccess,
    name: &str,
    level: Option<i64>,
    list: &[GrantParams],
) -> Result<Vec<Grant>> {
    let mut grants = read(app, access, name, list).await?.added;
    match level {
        Some(level) => grants.push(level_of(&format!("{name}_access_level"), level)?),
        None if grants.is_empty() => grants.push(Grant::Level(level::MAINTAINER)),
        None => {}
    }
    Ok(grants)
}

/// Checks that everybody in the list may be let through at all.
pub(crate) async fn read(app: &App, access: &ProjectAccess, name: &str, list: &[GrantParams]) -> Result<Edits> {
    if list.len() > 100 {
        return Err(Error::BadParameter(format!("allowed_to_{name} is too long (maximum is 100 entries)")));
    }
    let mut edits = Edits { withdrawn: vec![], added: vec![] };
    for params in list {
        edits.withdrawn.extend(params.id);
        if params.destroy {
            continue;
        }
        let grant = match (params.access_level, params.user_id, params.group_id) {
            (Some(level), None, None) => level_of(&format!("allowed_to_{name}[access_level]"), level)?,
            (None, Some(user), None) => member(app, access, user).await?,
            (None, None, Some(group)) => group_of(app, access, group).await?,
            _ => {
                let message =
                    format!("allowed_to_{name} needs one of access_level, user_id and group_id in each entry");
                return Err(Error::BadParameter(message));
            }
        };
        edits.added.push(grant);
    }
    Ok(edits)
}

async fn member(app: &App, access: &ProjectAccess, user_id: i64) -> Result<Grant> {
    let known = User::find(app.db().conn(), user_id).await?.is_some();
    let level = project_level(app.db().conn(), user_id, &access.project).await?;
    if known && level >= level::DEVELOPER {
        return Ok(Grant::User(user_id));
    }
    Err(Error::Unprocessable(format!("user {user_id} is not a member of the project who may push")))
}

async fn group_of(app: &App, access: &ProjectAccess, group_id: i64) -> Result<Grant> {
    let unknown = || Error::Unprocessable(format!("there is no group {group_id} that you can see"));
    let group = Namespace::find(app.db().conn(), group_id).await?.filter(Namespace::is_group).ok_or_else(unknown)?;
    GroupAccess::of(app, access.actor.clone(), group).await.map_err(|_| unknown())?;
    Ok(Grant::Group(group_id))
}

//! CI/CD variables of projects and groups.

use accounts::Actor;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use kernel::api::Api;
use kernel::http::{Paging, Params, Query};
use kernel::{App, Error, Result};
use projects::{GroupAccess, Permission, ProjectAccess};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::people_only;
use crate::variable_changes as changes;
use crate::variables::{CiVariable, Owner};

type Named = Path<(String, String)>;

pub(crate) fn api() -> Api {
    Api::new("CI/CD variables")
        .get("/projects/{id}/variables", "Lists the variables of a project", of_project)
        .gives::<Vec<VariableEntity>>()
        .post("/projects/{id}/variables", "Adds a variable to a project", add_to_project)
        .takes::<New>()
        .gives::<VariableEntity>()
        .get("/projects/{id}/variables/{key}", "Shows a variable of a project", show_of_project)
        .takes::<Wanted>()
        .gives::<VariableEntity>()
        .put("/projects/{id}/variables/{key}", "Changes a variable of a project", change_of_project)
        .takes::<Change>()
        .gives::<VariableEntity>()
        .delete("/projects/{id}/variables/{key}", "Removes a variable from a project", remove_from_project)
        .takes::<Wanted>()
        .get("/groups/{id}/variables", "Lists the variables of a group", of_group)
        .gives::<Vec<VariableEntity>>()
        .post("/groups/{id}/variables", "Adds a variable to a group", add_to_group)
        .takes::<New>()
        .gives::<VariableEntity>()
        .get("/groups/{id}/variables/{key}", "Shows a variable of a group", show_of_group)
        .takes::<Wanted>()
        .gives::<VariableEntity>()
        .put("/groups/{id}/variables/{key}", "Changes a variable of a group", change_of_group)
        .takes::<Change>()
        .gives::<VariableEntity>()
        .delete("/groups/{id}/variables/{key}", "Removes a variable from a group", remove_from_group)
        .takes::<Wanted>()
}

/// A variable.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct VariableEntity {
    variable_type: String,
    key: String,
    /// Null where nobody can read it back.
    value: Option<String>,
    hidden: bool,
    protected: bool,
    masked: bool,
    raw: bool,
    environment_scope: String,
    description: Option<String>,
}

impl VariableEntity {
    fn of(variable: &CiVariable) -> Self {
        Self {
            variable_type: variable.variable_type.clone(),
            key: variable.key.clone(),
            value: (!variable.hidden).then(|| variable.value.clone()),
            hidden: variable.hidden,
            protected: variable.protected,
            masked: variable.masked,
            raw: variable.raw,
            environment_scope: variable.environment_scope.clone(),
            description: variable.description.clone(),
        }
    }
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Kind {
    #[default]
    EnvVar,
    File,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::EnvVar => "env_var",
            Self::File => "file",
        }
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
struct New {
    key: String,
    value: String,
    #[serde(default)]
    variable_type: Kind,
    #[serde(default)]
    protected: bool,
    #[serde(default)]
    masked: bool,
    /// Masked, and nobody can read it back.
    #[serde(default)]
    masked_and_hidden: bool,
    #[serde(default)]
    raw: bool,
    environment_scope: Option<String>,
    description: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Change {
    value: Option<String>,
    variable_type: Option<Kind>,
    protected: Option<bool>,
    masked: Option<bool>,
    raw: Option<bool>,
    environment_scope: Option<String>,
    description: Option<String>,
    filter: Option<Filter>,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Wanted {
    filter: Option<Filter>,
}

/// Which of several variables of one name is meant.
#[derive(Debug, Deserialize, JsonSchema)]
struct Filter {
    environment_scope: Option<String>,
}

impl From<New> for CiVariable {
    fn from(new: New) -> Self {
        Self {
            id: 0,
            key: new.key,
            value: new.value,
            variable_type: new.variable_type.word().into(),
            protected: new.protected,
            masked: new.masked || new.masked_and_hidden,
            hidden: new.masked_and_hidden,
            raw: new.raw,
            environment_scope: new.environment_scope.unwrap_or_else(|| "*".into()),
            description: new.description.filter(|d| !d.is_empty()),
        }
    }
}

impl Change {
    /// What is not named stays. What nobody can read back stays hidden and masked.
    fn apply(self, old: CiVariable) -> CiVariable {
        CiVariable {
            value: self.value.unwrap_or(old.value),
            variable_type: self.variable_type.map_or(old.variable_type, |k| k.word().into()),
            protected: self.protected.unwrap_or(old.protected),
            masked: old.hidden || self.masked.unwrap_or(old.masked),
            raw: self.raw.unwrap_or(old.raw),
            environment_scope: self.environment_scope.unwrap_or(old.environment_scope),
            description: self.description.or(old.description).filter(|d| !d.is_empty()),
            ..old
        }
    }
}

fn check_description(variable: &CiVariable) -> Result<()> {
    match &variable.description {
        Some(d) if d.chars().count() > 255 => {
            Err(Error::invalid("description", "is too long (maximum is 255 characters)"))
        }
        _ => Ok(()),
    }
}

/// The owner, if the actor may see and change its variables. Scripts of jobs get theirs from the runner.
fn project_owner(access: &ProjectAccess) -> Result<Owner> {
    people_only(&access.actor)?;
    access.may(Permission::ManageVariables)?;
    Ok(Owner::Project(access.project.id))
}

fn group_owner(access: &GroupAccess) -> Result<Owner> {
    people_only(&access.actor)?;
    if !access.group.is_group() {
        return Err(Error::not_found("Group"));
    }
    access.may(Permission::ReadGroupVariables)?;
    Ok(Owner::Group(access.group.id))
}

async fn find(app: &App, owner: Owner, key: &str, filter: Option<&Filter>) -> Result<CiVariable> {
    let mut found = CiVariable::find(app.db().conn(), owner, key).await?;
    if let Some(scope) = filter.and_then(|f| f.environment_scope.as_ref()) {
        found.retain(|v| v.environment_scope == *scope);
    }
    match found.len() {
        0 => Err(Error::not_found("Variable")),
        1 => Ok(found.remove(0)),
        _ => Err(Error::Conflict(
            "There are multiple variables with provided parameters. Please use 'filter[environment_scope]'".into(),
        )),
    }
}

async fn list(app: &App, owner: Owner, paging: &Paging) -> Result<Response> {
    let all = CiVariable::all(app.db().conn(), owner).await?;
    let from = usize::try_from(paging.offset()).unwrap_or(usize::MAX);
    let shown = all.iter().skip(from).take(usize::try_from(paging.limit()).unwrap_or(100));
    let shown: Vec<VariableEntity> = shown.map(VariableEntity::of).collect();
    Ok(paging.list(&shown, i64::try_from(all.len()).unwrap_or(i64::MAX)))
}

async fn add(app: &App, actor: &Actor, owner: Owner, new: New) -> Result<(StatusCode, Json<VariableEntity>)> {
    let new = CiVariable::from(new);
    check_description(&new)?;
    let added = changes::add(app, actor, owner, &new).await?;
    Ok((StatusCode::CREATED, Json(VariableEntity::of(&added))))
}

async fn change(app: &App, actor: &Actor, owner: Owner, key: &str, wanted: Change) -> Result<Json<VariableEntity>> {
    let old = find(app, owner, key, wanted.filter.as_ref()).await?;
    let changed = wanted.apply(old);
    check_description(&changed)?;
    changes::change(app, actor, owner, &changed).await?;
    Ok(Json(VariableEntity::of(&changed)))
}

async fn remove(app: &App, actor: &Actor, owner: Owner, key: &str, filter: Option<&Filter>) -> Result<StatusCode> {
    let gone = find(app, owner, key, filter).await?;
    changes::remove(app, actor, owner, &gone).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn of_project(State(app): State<App>, access: ProjectAccess, paging: Paging) -> Result<Response> {
    list(&app, project_owner(&access)?, &paging).await
}

async fn of_group(State(app): State<App>, access: GroupAccess, paging: Paging) -> Result<Response> {
    list(&app, group_owner(&access)?, &paging).await
}

async fn add_to_project(
    State(app): State<App>,
    access: ProjectAccess,
    Params(new): Params<New>,
) -> Result<(StatusCode, Json<VariableEntity>)> {
    add(&app, &access.actor, project_owner(&access)?, new).await
}

async fn add_to_group(
    State(app): State<App>,
    access: GroupAccess,
    Params(new): Params<New>,
) -> Result<(StatusCode, Json<VariableEntity>)> {
    add(&app, &access.actor, group_owner(&access)?, new).await
}

async fn show_of_project(
    State(app): State<App>,
    access: ProjectAccess,
    Path((_, key)): Named,
    Query(wanted): Query<Wanted>,
) -> Result<Json<VariableEntity>> {
    let found = find(&app, project_owner(&access)?, &key, wanted.filter.as_ref()).await?;
    Ok(Json(VariableEntity::of(&found)))
}

async fn show_of_group(
    State(app): State<App>,
    access: GroupAccess,
    Path((_, key)): Named,
    Query(wanted): Query<Wanted>,
) -> Result<Json<VariableEntity>> {
    let found = find(&app, group_owner(&access)?, &key, wanted.filter.as_ref()).await?;
    Ok(Json(VariableEntity::of(&found)))
}

async fn change_of_project(
    State(app): State<App>,
    access: ProjectAccess,
    Path((_, key)): Named,
    Params(wanted): Params<Change>,
) -> Result<Json<VariableEntity>> {
    change(&app, &access.actor, project_owner(&access)?, &key, wanted).await
}

async fn change_of_group(
    State(app): State<App>,
    access: GroupAccess,
    Path((_, key)): Named,
    Params(wanted): Params<Change>,
) -> Result<Json<VariableEntity>> {
    change(&app, &access.actor, group_owner(&access)?, &key, wanted).await
}

async fn remove_from_project(
    State(app): State<App>,
    access: ProjectAccess,
    Path((_, key)): Named,
    Params(wanted): Params<Wanted>,
) -> Result<StatusCode> {
    remove(&app, &access.actor, project_owner(&access)?, &key, wanted.filter.as_ref()).await
}

async fn remove_from_group(
    State(app): State<App>,
    access: GroupAccess,
    Path((_, key)): Named,
    Params(wanted): Params<Wanted>,
) -> Result<StatusCode> {
    remove(&app, &access.actor, group_owner(&access)?, &key, wanted.filter.as_ref()).await
}

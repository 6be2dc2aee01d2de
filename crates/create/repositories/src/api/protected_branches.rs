//! Rules of protected branches.

use accounts::audit;
use axum::Json;
use axum::extract::{FromRequestParts, Path, State};
use axum::response::Response;
use http::StatusCode;
use http::request::Parts;
use kernel::api::Api;
use kernel::http::{Paging, Params, Query};
use kernel::{App, Error, Result};
use projects::{Permission, ProjectAccess, level};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::branches::{self, BranchEntity};
use super::code::{Code, filled};
use super::commits::page;
use super::grants::{self, GrantEntity, GrantParams, Names};
use crate::protected::{Action, Grant, GrantRow, NewProtectedBranch};
use crate::{ProtectedBranch, Protections};

const LIST: &str = "/projects/{id}/protected_branches";
const ONE: &str = "/projects/{id}/protected_branches/{name}";

pub(crate) fn api() -> Api {
    Api::new("Protected branches")
        .get(LIST, "Lists rules of protected branches", list)
        .takes::<Filters>()
        .gives::<Vec<RuleEntity>>()
        .post(LIST, "Protects branches", create)
        .takes::<NewRule>()
        .gives::<RuleEntity>()
        .get(ONE, "Shows a rule of protected branches", show)
        .gives::<RuleEntity>()
        .patch(ONE, "Changes a rule of protected branches", update)
        .takes::<RuleChange>()
        .gives::<RuleEntity>()
        .delete(ONE, "Removes a rule of protected branches", delete)
        .put("/projects/{id}/repository/branches/{branch}/protect", "Protects a branch, the old way", protect)
        .takes::<OldProtection>()
        .gives::<BranchEntity>()
        .put("/projects/{id}/repository/branches/{branch}/unprotect", "Unprotects a branch, the old way", unprotect)
        .gives::<BranchEntity>()
}

/// Somebody who may see the rules.
pub(crate) struct Reader(pub(crate) ProjectAccess);

/// Somebody who may change the rules.
pub(crate) struct Manager(pub(crate) ProjectAccess);

impl FromRequestParts<App> for Reader {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let access = ProjectAccess::from_request_parts(parts, app).await?;
        access.may(Permission::ReadProtectedRefs)?;
        Ok(Self(access))
    }
}

impl FromRequestParts<App> for Manager {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let access = ProjectAccess::from_request_parts(parts, app).await?;
        access.may(Permission::ManageProtectedRefs)?;
        Ok(Self(access))
    }
}

/// A rule of protected branches.
#[derive(Debug, Serialize, JsonSchema)]
struct RuleEntity {
    id: i64,
    name: String,
    push_access_levels: Vec<GrantEntity>,
    merge_access_levels: Vec<GrantEntity>,
    unprotect_access_levels: Vec<GrantEntity>,
    allow_force_push: bool,
    code_owner_approval_required: bool,
    inherited: bool,
}

impl RuleEntity {
    fn of(rule: &ProtectedBranch, grants: &[GrantRow], names: &Names) -> Self {
        let of = |action: Action| names.entities(grants, |g| g.branch_id == Some(rule.id) && g.action == action.name());
        Self {
            id: rule.id,
            name: rule.name.clone(),
            push_access_levels: of(Action::Push),
            merge_access_levels: of(Action::Merge),
            unprotect_access_levels: of(Action::Unprotect),
            allow_force_push: rule.allow_force_push,
            code_owner_approval_required: rule.code_owner_approval_required,
            inherited: false,
        }
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Filters {
    /// Only rules whose name holds this.
    search: Option<String>,
}

async fn list(
    State(app): State<App>,
    Reader(access): Reader,
    Query(filters): Query<Filters>,
    paging: Paging,
) -> Result<Response> {
    let rules = Protections::of_project(app.db().conn(), access.project.id).await?;
    let names = Names::load(&app, &rules.grants).await?;
    let wanted = filters.search.unwrap_or_default().to_lowercase();
    let found = rules.branches.iter().filter(|rule| rule.name.to_lowercase().contains(&wanted));
    let entities: Vec<RuleEntity> = found.map(|rule| RuleEntity::of(rule, &rules.grants, &names)).collect();
    Ok(page(&paging, &entities))
}

async fn show(
    State(app): State<App>,
    Reader(access): Reader,
    Path((_, name)): Path<(String, String)>,
) -> Result<Json<RuleEntity>> {
    entity(&app, &access, &name).await
}

async fn entity(app: &App, access: &ProjectAccess, name: &str) -> Result<Json<RuleEntity>> {
    let rules = Protections::of_project(app.db().conn(), access.project.id).await?;
    let names = Names::load(app, &rules.grants).await?;
    let rule = rules.branches.iter().find(|rule| rule.name == name);
    let rule = rule.ok_or_else(|| Error::not_found("Protected Branch"))?;
    Ok(Json(RuleEntity::of(rule, &rules.grants, &names)))
}

#[derive(Debug, Deserialize, JsonSchema)]
struct NewRule {
    /// A name, or a pattern in which `*` stands for any text.
    name: String,
    /// The least level that may push: 0 for nobody, 30, 40 or 60.
    push_access_level: Option<i64>,
    /// The least level that may merge.
    merge_access_level: Option<i64>,
    /// The least level that may unprotect.
    unprotect_access_level: Option<i64>,
    /// Whether those who may push may also force.
    #[serde(default)]
    allow_force_push: bool,
    /// Kept for clients that set it.
    #[serde(default)]
    code_owner_approval_required: bool,
    /// Who may push.
    #[serde(default)]
    allowed_to_push: Vec<GrantParams>,
    /// Who may merge.
    #[serde(default)]
    allowed_to_merge: Vec<GrantParams>,
    /// Who may unprotect.
    #[serde(default)]
    allowed_to_unprotect: Vec<GrantParams>,
}

async fn create(
    State(app): State<App>,
    Manager(access): Manager,
    Params(new): Params<NewRule>,
) -> Result<(StatusCode, Json<RuleEntity>)> {
    filled("name", &new.name)?;
    let mut unprotect = grants::read(&app, &access, "unprotect", &new.allowed_to_unprotect).await?.added;
    if let Some(level) = new.unprotect_access_level {
        unprotect.push(grants::level_of("unprotect_access_level", level)?);
    }
    let rule = NewProtectedBranch {
        name: new.name.clone(),
        allow_force_push: new.allow_force_push,
        code_owner_approval_required: new.code_owner_approval_required,
        push: grants::of_new(&app, &access, "push", new.push_access_level, &new.allowed_to_push).await?,
        merge: grants::of_new(&app, &access, "merge", new.merge_access_level, &new.allowed_to_merge).await?,
        unprotect,
    };
    add(&app, &access, rule).await?;
    Ok((StatusCode::CREATED, entity(&app, &access, &new.name).await?))
}

async fn add(app: &App, access: &ProjectAccess, rule: NewProtectedBranch) -> Result<()> {
    let name = rule.name.clone();
    let taken = |e| match e {
        Error::Conflict(_) => Error::Conflict(format!("Protected branch '{name}' already exists")),
        other => other,
    };
    let tx = app.begin().await?;
    let made = ProtectedBranch::protect(&*tx, access.project.id, rule).await.map_err(taken)?;
    let details = json!({ "project_id": access.project.id, "name": made.name });
    audit::record(&*tx, &access.actor, "protected_branch.created", ("project", access.project.id), details).await?;
    tx.commit().await
}

#[derive(Debug, Deserialize, JsonSchema)]
struct RuleChange {
    /// Whether those who may push may also force.
    allow_force_push: Option<bool>,
    /// Kept for clients that set it.
    code_owner_approval_required: Option<bool>,
    /// Who may push: entries to add, or with `id` to change or (`_destroy`) take back.
    #[serde(default)]
    allowed_to_push: Vec<GrantParams>,
    /// Who may merge.
    #[serde(default)]
    allowed_to_merge: Vec<GrantParams>,
    /// Who may unprotect.
    #[serde(default)]
    allowed_to_unprotect: Vec<GrantParams>,
}

async fn update(
    State(app): State<App>,
    Manager(access): Manager,
    Path((_, name)): Path<(String, String)>,
    Params(change): Params<RuleChange>,
) -> Result<Json<RuleEntity>> {
    let rule = find(&app, &access, &name).await?;
    may_change(&app, &access, &rule).await?;
    let edits = [
        (Action::Push, grants::read(&app, &access, "push", &change.allowed_to_push).await?),
        (Action::Merge, grants::read(&app, &access, "merge", &change.allowed_to_merge).await?),
        (Action::Unprotect, grants::read(&app, &access, "unprotect", &change.allowed_to_unprotect).await?),
    ];
    let tx = app.begin().await?;
    let force = change.allow_force_push.unwrap_or(rule.allow_force_push);
    let owners = change.code_owner_approval_required.unwrap_or(rule.code_owner_approval_required);
    rule.set(&*tx, force, owners).await?;
    for (action, edits) in edits {
        for id in edits.withdrawn {
            rule.withdraw(&*tx, id).await?;
        }
        for grant in edits.added {
            rule.grant(&*tx, action, grant).await?;
        }
    }
    let details = json!({ "project_id": access.project.id, "name": rule.name });
    audit::record(&*tx, &access.actor, "protected_branch.updated", ("project", access.project.id), details).await?;
    tx.commit().await?;
    entity(&app, &access, &name).await
}

async fn find(app: &App, access: &ProjectAccess, name: &str) -> Result<ProtectedBranch> {
    let rule = ProtectedBranch::find(app.db().conn(), access.project.id, name).await?;
    rule.ok_or_else(|| Error::not_found("Protected Branch"))
}

async fn delete(
    State(app): State<App>,
    Manager(access): Manager,
    Path((_, name)): Path<(String, String)>,
) -> Result<StatusCode> {
    let rule = find(&app, &access, &name).await?;
    remove(&app, &access, &rule).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Refuses those whom the rule itself does not let change it.
async fn may_change(app: &App, access: &ProjectAccess, rule: &ProtectedBranch) -> Result<()> {
    let protections = Protections::of_project(app.db().conn(), access.project.id).await?;
    let passenger = protections.passenger(app, access).await?;
    if protections.may_unprotect(&passenger, rule) {
        return Ok(());
    }
    Err(Error::forbidden("the rule says who may change it, and you are not among them"))
}

async fn remove(app: &App, access: &ProjectAccess, rule: &ProtectedBranch) -> Result<()> {
    may_change(app, access, rule).await?;
    let tx = app.begin().await?;
    rule.unprotect(&*tx).await?;
    let details = json!({ "project_id": access.project.id, "name": rule.name });
    audit::record(&*tx, &access.actor, "protected_branch.deleted", ("project", access.project.id), details).await?;
    tx.commit().await
}

#[derive(Debug, Deserialize, JsonSchema)]
struct OldProtection {
    /// Whether developers may push.
    #[serde(default)]
    developers_can_push: bool,
    /// Whether developers may merge.
    #[serde(default)]
    developers_can_merge: bool,
}

async fn protect(
    State(app): State<App>,
    Manager(access): Manager,
    code: Code,
    Path((_, branch)): Path<(String, String)>,
    Params(wanted): Params<OldProtection>,
) -> Result<Json<BranchEntity>> {
    let found = branches::find(&code, &branch).await?;
    let level = |developers: bool| vec![Grant::Level(if developers { level::DEVELOPER } else { level::MAINTAINER })];
    if let Some(rule) = ProtectedBranch::find(app.db().conn(), access.project.id, &branch).await? {
        remove(&app, &access, &rule).await?;
    }
    let rule = NewProtectedBranch {
        name: branch,
        allow_force_push: false,
        code_owner_approval_required: false,
        push: level(wanted.developers_can_push),
        merge: level(wanted.developers_can_merge),
        unprotect: vec![],
    };
    add(&app, &access, rule).await?;
    branches::Context::load(&app, &code).await?.one(&found).await
}

async fn unprotect(
    State(app): State<App>,
    Manager(access): Manager,
    code: Code,
    Path((_, branch)): Path<(String, String)>,
) -> Result<Json<BranchEntity>> {
    let found = branches::find(&code, &branch).await?;
    if let Some(rule) = ProtectedBranch::find(app.db().conn(), access.project.id, &branch).await? {
        remove(&app, &access, &rule).await?;
    }
    branches::Context::load(&app, &code).await?.one(&found).await
}

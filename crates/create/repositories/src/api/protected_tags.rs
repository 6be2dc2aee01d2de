//! Rules of protected tags.

use accounts::audit;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use kernel::api::Api;
use kernel::http::{Paging, Params};
use kernel::{App, Error, Result};
use projects::ProjectAccess;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::code::filled;
use super::commits::page;
use super::grants::{self, GrantEntity, GrantParams, Names};
use super::protected_branches::{Manager, Reader};
use crate::protected::GrantRow;
use crate::{ProtectedTag, Protections};

const LIST: &str = "/projects/{id}/protected_tags";
const ONE: &str = "/projects/{id}/protected_tags/{name}";

pub(crate) fn api() -> Api {
    Api::new("Protected tags")
        .get(LIST, "Lists rules of protected tags", list)
        .gives::<Vec<TagRuleEntity>>()
        .post(LIST, "Protects tags", create)
        .takes::<NewTagRule>()
        .gives::<TagRuleEntity>()
        .get(ONE, "Shows a rule of protected tags", show)
        .gives::<TagRuleEntity>()
        .delete(ONE, "Removes a rule of protected tags", delete)
}

/// A rule of protected tags.
#[derive(Debug, Serialize, JsonSchema)]
struct TagRuleEntity {
    name: String,
    create_access_levels: Vec<GrantEntity>,
}

impl TagRuleEntity {
    fn of(rule: &ProtectedTag, grants: &[GrantRow], names: &Names) -> Self {
        let create_access_levels = names.entities(grants, |g| g.tag_id == Some(rule.id));
        Self { name: rule.name.clone(), create_access_levels }
    }
}

async fn list(State(app): State<App>, Reader(access): Reader, paging: Paging) -> Result<Response> {
    let rules = Protections::of_project(app.db().conn(), access.project.id).await?;
    let names = Names::load(&app, &rules.grants).await?;
    let entities: Vec<TagRuleEntity> =
        rules.tags.iter().map(|rule| TagRuleEntity::of(rule, &rules.grants, &names)).collect();
    Ok(page(&paging, &entities))
}

async fn show(
    State(app): State<App>,
    Reader(access): Reader,
    Path((_, name)): Path<(String, String)>,
) -> Result<Json<TagRuleEntity>> {
    entity(&app, &access, &name).await
}

async fn entity(app: &App, access: &ProjectAccess, name: &str) -> Result<Json<TagRuleEntity>> {
    let rules = Protections::of_project(app.db().conn(), access.project.id).await?;
    let names = Names::load(app, &rules.grants).await?;
    let rule = rules.tags.iter().find(|rule| rule.name == name);
    let rule = rule.ok_or_else(|| Error::not_found("Protected Tag"))?;
    Ok(Json(TagRuleEntity::of(rule, &rules.grants, &names)))
}

#[derive(Debug, Deserialize, JsonSchema)]
struct NewTagRule {
    /// A name, or a pattern in which `*` stands for any text.
    name: String,
    /// The least level that may create such tags: 0 for nobody, 30, 40 or 60.
    create_access_level: Option<i64>,
    /// Who may create such tags.
    #[serde(default)]
    allowed_to_create: Vec<GrantParams>,
}

async fn create(
    State(app): State<App>,
    Manager(access): Manager,
    Params(new): Params<NewTagRule>,
) -> Result<(StatusCode, Json<TagRuleEntity>)> {
    filled("name", &new.name)?;
    let grants = grants::of_new(&app, &access, "create", new.create_access_level, &new.allowed_to_create).await?;
    let tx = app.begin().await?;
    let made = ProtectedTag::protect(&*tx, access.project.id, &new.name, &grants).await.map_err(|e| match e {
        Error::Conflict(_) => Error::Conflict(format!("Protected tag '{}' already exists", new.name)),
        other => other,
    })?;
    let details = json!({ "project_id": access.project.id, "name": made.name });
    audit::record(&*tx, &access.actor, "protected_tag.created", ("project", access.project.id), details).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, entity(&app, &access, &new.name).await?))
}

async fn delete(
    State(app): State<App>,
    Manager(access): Manager,
    Path((_, name)): Path<(String, String)>,
) -> Result<StatusCode> {
    let rule = ProtectedTag::find(app.db().conn(), access.project.id, &name).await?;
    let rule = rule.ok_or_else(|| Error::not_found("Protected Tag"))?;
    let tx = app.begin().await?;
    rule.unprotect(&*tx).await?;
    let details = json!({ "project_id": access.project.id, "name": rule.name });
    audit::record(&*tx, &access.actor, "protected_tag.deleted", ("project", access.project.id), details).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

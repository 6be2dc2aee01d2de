//! Reading pipelines.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use kernel::api::Api;
use kernel::db::Sql;
use kernel::http::{Paging, Query};
use kernel::{App, Error, Result, Time};
use projects::{Permission, ProjectAccess};
use schemars::JsonSchema;
use sea_orm::Value;
use serde::{Deserialize, Serialize};

use super::pipeline_entity::{PipelineDetail, PipelineListItem};
use super::{people_only, pipeline};
use crate::permit;
use crate::pipeline::Pipeline;
use crate::variables::GivenVariable;

/// More rows than this are not counted.
const MAX_COUNTED: i64 = 10_001;

pub(crate) fn api() -> Api {
    Api::new("Pipelines")
        .get("/projects/{id}/pipelines", "Lists the pipelines of a project", list)
        .takes::<Filter>()
        .gives::<Vec<PipelineListItem>>()
        .get("/projects/{id}/pipelines/latest", "Shows the last pipeline of the tip of a branch or tag", latest)
        .takes::<Latest>()
        .gives::<PipelineDetail>()
        .get("/projects/{id}/pipelines/{pipeline_id}", "Shows a pipeline", show)
        .gives::<PipelineDetail>()
        .get(
            "/projects/{id}/pipelines/{pipeline_id}/variables",
            "Lists the variables that a pipeline was started with",
            variables,
        )
        .gives::<Vec<PipelineVariable>>()
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Scope {
    Running,
    Pending,
    Finished,
    Branches,
    Tags,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum StatusWord {
    Created,
    WaitingForCallback,
    WaitingForResource,
    Preparing,
    Pending,
    Running,
    Success,
    Failed,
    Canceling,
    Canceled,
    Skipped,
    Manual,
    Scheduled,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum OrderBy {
    #[default]
    Id,
    Status,
    Ref,
    UpdatedAt,
    UserId,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Sort {
    Asc,
    #[default]
    Desc,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
struct Filter {
    scope: Option<Scope>,
    status: Option<StatusWord>,
    #[serde(rename = "ref")]
    reference: Option<String>,
    sha: Option<String>,
    source: Option<String>,
    name: Option<String>,
    username: Option<String>,
    yaml_errors: Option<bool>,
    updated_after: Option<Time>,
    updated_before: Option<Time>,
    created_after: Option<Time>,
    created_before: Option<Time>,
    #[serde(default)]
    order_by: OrderBy,
    #[serde(default)]
    sort: Sort,
}

/// A condition with its values.
struct Conditions {
    text: String,
    values: Vec<Value>,
}

impl Conditions {
    /// Adds a condition in which `?` stands for the value.
    fn add(&mut self, condition: &str, value: Option<impl Into<Value>>) {
        let Some(value) = value else { return };
        self.values.push(value.into());
        self.text.push_str(" AND ");
        self.text.push_str(&condition.replace('?', &format!("${}", self.values.len())));
    }
}

impl Filter {
    fn conditions(&self, project_id: i64) -> Result<Conditions> {
        let mut all = Conditions { text: "project_id = $1".into(), values: vec![project_id.into()] };
        all.add("status = ?", self.status.map(word).transpose()?);
        all.add("ref_name = ?", self.reference.as_deref());
        all.add("sha = ?", self.sha.as_ref().map(|s| s.to_lowercase()));
        all.add("source = ?", self.source.as_deref());
        all.add("name = ?", self.name.as_deref());
        let by = "user_id IN (SELECT id FROM users WHERE username_key = ?)";
        all.add(by, self.username.as_ref().map(|n| n.to_lowercase()));
        all.add("updated_at > ?", self.updated_after);
        all.add("updated_at < ?", self.updated_before);
        all.add("created_at > ?", self.created_after);
        all.add("created_at < ?", self.created_before);
        if let Some(refused) = self.yaml_errors {
            all.text.push_str(if refused { " AND yaml_errors IS NOT NULL" } else { " AND yaml_errors IS NULL" });
        }
        all.text.push_str(self.scope.map_or("", scope));
        Ok(all)
    }

    fn order(&self) -> String {
        let column = match self.order_by {
            OrderBy::Id => "",
            OrderBy::Status => "status",
            OrderBy::Ref => "ref_name",
            OrderBy::UpdatedAt => "updated_at",
            OrderBy::UserId => "user_id",
        };
        let way = if self.sort == Sort::Asc { "ASC" } else { "DESC" };
        if column.is_empty() { format!("id {way}") } else { format!("{column} {way}, id {way}") }
    }
}

/// The word of a state, also of one that is never reached here.
fn word(status: StatusWord) -> Result<String> {
    Ok(serde_json::to_value(status)?.as_str().unwrap_or_default().to_owned())
}

fn scope(scope: Scope) -> &'static str {
    match scope {
        Scope::Running => " AND status = 'running'",
        Scope::Pending => " AND status = 'pending'",
        Scope::Finished => " AND status IN ('success', 'failed', 'canceled')",
        Scope::Branches => {
            " AND id IN (SELECT MAX(id) FROM pipelines WHERE project_id = $1 AND tag = FALSE GROUP BY ref_name)"
        }
        Scope::Tags => {
            " AND id IN (SELECT MAX(id) FROM pipelines WHERE project_id = $1 AND tag = TRUE GROUP BY ref_name)"
        }
    }
}

async fn list(
    State(app): State<App>,
    access: ProjectAccess,
    Query(filter): Query<Filter>,
    paging: Paging,
) -> Result<Response> {
    permit::read_pipelines(&access)?;
    let Conditions { text, mut values } = filter.conditions(access.project.id)?;
    let counted = format!("SELECT COUNT(*) FROM (SELECT 1 FROM pipelines WHERE {text} LIMIT {MAX_COUNTED}) AS counted");
    let total = app.db().conn().scalar::<i64>(&counted, values.clone()).await?.unwrap_or(0);
    let at = values.len();
    let order = filter.order();
    let sql = format!("SELECT * FROM pipelines WHERE {text} ORDER BY {order} LIMIT ${} OFFSET ${}", at + 1, at + 2);
    values.extend([paging.limit().into(), paging.offset().into()]);
    let found: Vec<Pipeline> = app.db().all(&sql, values).await?;
    let path = &access.project.full_path;
    let items: Vec<_> = found.iter().map(|p| PipelineListItem::of(&app, path, p)).collect();
    Ok(paging.list(&items, total))
}

async fn show(
    State(app): State<App>,
    access: ProjectAccess,
    Path((_, id)): Path<(String, String)>,
) -> Result<Json<PipelineDetail>> {
    permit::read_pipelines(&access)?;
    let pipeline = pipeline(&app, &access, &id).await?;
    Ok(Json(PipelineDetail::load(&app, &access.project, &pipeline).await?))
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Latest {
    #[serde(rename = "ref")]
    reference: Option<String>,
}

async fn latest(
    State(app): State<App>,
    access: ProjectAccess,
    Query(wanted): Query<Latest>,
) -> Result<Json<PipelineDetail>> {
    permit::read_pipelines(&access)?;
    let name = wanted.reference.as_deref().filter(|r| !r.is_empty()).unwrap_or(access.project.branch());
    let repo = repositories::open(&app, &access.project).await?;
    // The API says that the absence of a pipeline is a 403.
    let none = || Error::Forbidden(String::new());
    let tip = repo.resolve(name).await.map_err(|_| none())?.commit.to_string();
    let sql = "SELECT * FROM pipelines WHERE project_id = $1 AND ref_name = $2 AND sha = $3 ORDER BY id DESC LIMIT 1";
    let values = [access.project.id.into(), name.into(), tip.into()];
    let pipeline: Pipeline = app.db().one(sql, values).await?.ok_or_else(none)?;
    Ok(Json(PipelineDetail::load(&app, &access.project, &pipeline).await?))
}

/// A variable that a pipeline was started with.
#[derive(Debug, Serialize, JsonSchema)]
struct PipelineVariable {
    variable_type: &'static str,
    key: String,
    value: String,
    raw: bool,
}

impl From<GivenVariable> for PipelineVariable {
    fn from(v: GivenVariable) -> Self {
        Self { variable_type: if v.file { "file" } else { "env_var" }, key: v.key, value: v.value, raw: v.raw }
    }
}

/// Maintainers see the variables of all pipelines, developers those of their own.
async fn variables(
    State(app): State<App>,
    access: ProjectAccess,
    Path((_, id)): Path<(String, String)>,
) -> Result<Json<Vec<PipelineVariable>>> {
    people_only(&access.actor)?;
    permit::read_pipelines(&access)?;
    let pipeline = pipeline(&app, &access, &id).await?;
    let own = pipeline.user_id.is_some() && pipeline.user_id == access.actor.id();
    if !(own && access.can(Permission::CreatePipeline)) {
        access.may(Permission::ManageVariables)?;
    }
    Ok(Json(pipeline.given_variables().into_iter().map(Into::into).collect()))
}

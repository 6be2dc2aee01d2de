//! Statuses of commits that are set from outside, such as by another CI.

use accounts::entities::UserBasic;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use kernel::api::Api;
use kernel::db::Sql;
use kernel::http::{Paging, Params, Query};
use kernel::{App, Error, Result, Time};
use projects::{Permission, ProjectAccess};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::code::Code;
use super::comments::people;
use super::commits::page;
use crate::CommitStatus;
use crate::commit_status::{EXTERNAL, NewStatus};
use crate::error::OrStatus;

pub(crate) fn api() -> Api {
    Api::new("Commits")
        .get("/projects/{id}/repository/commits/{sha}/statuses", "Lists the statuses of a commit", list)
        .takes::<Filters>()
        .gives::<Vec<StatusEntity>>()
        .post("/projects/{id}/statuses/{sha}", "Sets a status of a commit", set)
        .takes::<NewState>()
        .gives::<StatusEntity>()
}

/// A status of a commit.
#[derive(Debug, Serialize, JsonSchema)]
struct StatusEntity {
    id: i64,
    sha: String,
    #[serde(rename = "ref")]
    reference: String,
    status: String,
    name: String,
    target_url: Option<String>,
    description: Option<String>,
    created_at: Time,
    started_at: Option<Time>,
    finished_at: Option<Time>,
    allow_failure: bool,
    coverage: Option<f64>,
    pipeline_id: Option<i64>,
    author: Option<UserBasic>,
}

impl StatusEntity {
    fn of(row: CommitStatus, author: Option<UserBasic>) -> Self {
        Self {
            id: row.id,
            sha: row.sha,
            reference: row.reference,
            status: row.status,
            name: row.name,
            target_url: row.target_url,
            description: row.description,
            created_at: row.created_at,
            started_at: row.started_at,
            finished_at: row.finished_at,
            allow_failure: row.allow_failure,
            coverage: row.coverage,
            pipeline_id: row.pipeline_id,
            author,
        }
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Filters {
    /// Only statuses of this branch or tag.
    #[serde(rename = "ref")]
    reference: Option<String>,
    /// Only statuses of this stage; those from outside are of the stage `external`.
    stage: Option<String>,
    /// Only statuses of this name.
    name: Option<String>,
    /// Only statuses of this pipeline.
    pipeline_id: Option<i64>,
    /// What the list is sorted by.
    #[serde(default)]
    order_by: OrderBy,
    /// The direction.
    #[serde(default)]
    sort: Sort,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum OrderBy {
    #[default]
    Id,
    PipelineId,
}

#[derive(Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Sort {
    #[default]
    Asc,
    Desc,
}

async fn list(
    State(app): State<App>,
    code: Code,
    Path((_, sha)): Path<(String, String)>,
    Query(filters): Query<Filters>,
    paging: Paging,
) -> Result<Response> {
    let commit = code.commit_of(&sha, "Commit").await?.to_string();
    let mut rows = CommitStatus::of_commit(app.db().conn(), code.access.project.id, &commit).await?;
    rows.retain(|row| {
        let fits = |wanted: &Option<String>, own: &str| wanted.as_deref().is_none_or(|w| w == own);
        fits(&filters.reference, &row.reference)
            && fits(&filters.name, &row.name)
            && fits(&filters.stage, "external")
            && (filters.pipeline_id.is_none() || filters.pipeline_id == row.pipeline_id)
    });
    if matches!(filters.order_by, OrderBy::PipelineId) {
        rows.sort_by_key(|row| row.pipeline_id);
    }
    if filters.sort == Sort::Desc {
        rows.reverse();
    }
    let people = people(&app, rows.iter().filter_map(|row| row.author_id)).await?;
    let author = |row: &CommitStatus| Some(UserBasic::of(&app, people.get(&row.author_id?)?));
    let entities = rows.into_iter().map(|row| {
        let author = author(&row);
        StatusEntity::of(row, author)
    });
    Ok(page(&paging, &entities.collect::<Vec<_>>()))
}

#[derive(Debug, Deserialize, JsonSchema)]
struct NewState {
    /// The state.
    state: CommitState,
    /// The branch or tag; one that holds the commit where it is absent.
    #[serde(rename = "ref")]
    reference: Option<String>,
    /// What was checked; `default` where it is absent.
    name: Option<String>,
    /// The same as `name`.
    context: Option<String>,
    /// Where to read more.
    target_url: Option<String>,
    /// A short description.
    description: Option<String>,
    /// The test coverage in percent.
    coverage: Option<f64>,
    /// The pipeline that it belongs to.
    pipeline_id: Option<i64>,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum CommitState {
    Pending,
    Running,
    Success,
    Failed,
    Canceled,
    Skipped,
}

/// Somebody who may set statuses.
struct Setter(Code);

impl axum::extract::FromRequestParts<App> for Setter {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut http::request::Parts, app: &App) -> Result<Self> {
        let access = ProjectAccess::from_request_parts(parts, app).await?;
        access.may(Permission::SetCommitStatus)?;
        Code::from_request_parts(parts, app).await.map(Self)
    }
}

async fn set(
    State(app): State<App>,
    Setter(code): Setter,
    Path((_, sha)): Path<(String, String)>,
    Params(new): Params<NewState>,
) -> Result<(StatusCode, Json<StatusEntity>)> {
    let commit = git::Oid::from_hex(sha.as_bytes()).map_err(|_| Error::not_found("Commit"))?;
    code.repo.commit(commit).await.map_err(|_| Error::not_found("Commit"))?;
    let name = new.name.or(new.context).filter(|n| !n.trim().is_empty()).unwrap_or_else(|| "default".into());
    check(&name, new.target_url.as_deref(), new.description.as_deref(), new.coverage)?;
    let reference = match new.reference.filter(|r| !r.is_empty()) {
        Some(given) => given.trim_start_matches("refs/heads/").trim_start_matches("refs/tags/").to_owned(),
        None => holder_of(&code, commit).await?,
    };
    let author = code.access.actor.user()?;
    let status = NewStatus {
        project_id: code.access.project.id,
        kind: EXTERNAL,
        sha: commit.to_string(),
        reference,
        name,
        status: serde_json::to_value(new.state)?.as_str().unwrap_or_default().to_owned(),
        target_url: new.target_url,
        description: new.description,
        coverage: new.coverage,
        allow_failure: false,
        pipeline_id: new.pipeline_id,
        author_id: Some(author.id),
    };
    let tx = app.begin().await?;
    // Two that set the same status at once take turns, so that there is one row in the end.
    let lock = "UPDATE projects SET updated_at = updated_at WHERE id = $1";
    tx.run(lock, [code.access.project.id.into()]).await?;
    let row = CommitStatus::set(&*tx, status).await?;
    tx.commit().await?;
    let author = UserBasic::of(&app, author);
    Ok((StatusCode::CREATED, Json(StatusEntity::of(row, Some(author)))))
}

fn check(name: &str, url: Option<&str>, description: Option<&str>, coverage: Option<f64>) -> Result<()> {
    let mut wrong = vec![];
    if name.chars().count() > 255 {
        wrong.push(("name".to_owned(), "is too long (maximum is 255 characters)".to_owned()));
    }
    if description.is_some_and(|d| d.chars().count() > 255) {
        wrong.push(("description".into(), "is too long (maximum is 255 characters)".into()));
    }
    let is_web = |u: &str| url::Url::parse(u).is_ok_and(|u| matches!(u.scheme(), "http" | "https") && u.has_host());
    if let Some(url) = url.filter(|u| !u.is_empty()) {
        if url.chars().count() > 255 {
            wrong.push(("target_url".into(), "is too long (maximum is 255 characters)".into()));
        } else if !is_web(url) {
            wrong.push(("target_url".into(), "is blocked: Only allowed schemes are http, https".into()));
        }
    }
    if coverage.is_some_and(|c| !c.is_finite()) {
        wrong.push(("coverage".into(), "is not a number".into()));
    }
    if wrong.is_empty() { Ok(()) } else { Err(Error::Invalid(wrong)) }
}

/// A branch or tag that holds the commit, the default branch before others.
async fn holder_of(code: &Code, commit: git::Oid) -> Result<String> {
    let holders = code.repo.refs_containing(commit).await.or_status()?;
    let default = code.access.project.branch();
    let short = |name: &git::RefName| name.short().lossy().into_owned();
    let known = holders.iter().find(|n| n.is_branch() && short(n) == default).or(holders.first());
    known.map(short).ok_or_else(|| Error::not_found("References for commit"))
}

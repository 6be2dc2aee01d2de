//! Histories and single commits.

use std::collections::HashMap;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use git::Oid;
use git::log::{LogOrder, LogQuery};
use kernel::api::Api;
use kernel::http::{Paging, Query};
use kernel::{App, Error, Result, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::code::{Code, path_of};
use super::commit_entity::{self, CommitDetail, CommitEntity};
use super::diff_entity::{self, DiffEntity};
use crate::error::OrStatus;

/// The most commits that are skipped; further ones are read with `until`.
const MAX_SKIP: usize = i32::MAX as usize;

pub(crate) fn api() -> Api {
    Api::new("Commits")
        .get("/projects/{id}/repository/commits", "Lists commits", list)
        .takes::<Filters>()
        .gives::<Vec<CommitEntity>>()
        .get("/projects/{id}/repository/commits/{sha}", "Shows a commit", show)
        .takes::<Shown>()
        .gives::<CommitDetail>()
        .get("/projects/{id}/repository/commits/{sha}/diff", "Lists what a commit changed", diff)
        .takes::<Unified>()
        .gives::<Vec<DiffEntity>>()
        .get("/projects/{id}/repository/commits/{sha}/refs", "Lists branches and tags that hold a commit", refs)
        .takes::<RefKind>()
        .gives::<Vec<RefEntity>>()
        .get("/projects/{id}/repository/commits/{sha}/sequence", "Counts a commit and those before it", sequence)
        .takes::<Counted>()
        .gives::<Sequence>()
        .get("/projects/{id}/repository/commits/{sha}/merge_requests", "Lists merge requests of a commit", none_yet)
        .gives::<Vec<Value>>()
        .get("/projects/{id}/repository/commits/{sha}/signature", "Shows the verified signature of a commit", signature)
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Filters {
    /// A branch, tag or commit, or a range such as `v1..main`; the default branch where it is absent.
    ref_name: Option<String>,
    /// Only commits from then on.
    since: Option<Time>,
    /// Only commits until then.
    until: Option<Time>,
    /// Only commits that change this file or folder.
    path: Option<String>,
    /// Only commits whose author's name or address holds this.
    author: Option<String>,
    /// Commits of all branches and tags.
    #[serde(default)]
    all: bool,
    /// Counts changed lines.
    #[serde(default)]
    with_stats: bool,
    /// Follows only the first parent of merges.
    #[serde(default)]
    first_parent: bool,
    /// The order.
    #[serde(default)]
    order: Order,
    /// Reads the trailers of the messages.
    #[serde(default)]
    trailers: bool,
    /// Follows the file at `path` across renames.
    #[serde(default)]
    follow: bool,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Order {
    #[default]
    Default,
    Topo,
}

async fn list(State(app): State<App>, code: Code, Query(filters): Query<Filters>, paging: Paging) -> Result<Response> {
    let Some(query) = query_of(&code, &filters, &paging).await? else {
        return Ok(paging.list_uncounted::<CommitEntity>(&[]));
    };
    let commits = code.repo.log(query).await.or_status()?;
    let stats = match filters.with_stats {
        true => code.repo.commit_stats(&commits.iter().map(|c| c.id).collect::<Vec<Oid>>()).await.or_status()?,
        false => HashMap::new(),
    };
    let entities = commits.iter().map(|commit| {
        let mut entity = CommitEntity::of(&app, &code, commit);
        if filters.trailers {
            entity = entity.with_trailers(commit);
        }
        entity.with_stats(&stats, commit.id)
    });
    Ok(paging.list_uncounted(&entities.collect::<Vec<_>>()))
}

/// What to look for; nothing where there is no commit yet.
async fn query_of(code: &Code, filters: &Filters, paging: &Paging) -> Result<Option<LogQuery>> {
    let mut query = LogQuery {
        all: filters.all,
        path: path_of("path", filters.path.as_deref().unwrap_or_default())?,
        follow: filters.follow,
        author: filters.author.clone().filter(|a| !a.is_empty()),
        since: filters.since.map(Time::seconds),
        until: filters.until.map(Time::seconds),
        first_parent: filters.first_parent,
        order: if matches!(filters.order, Order::Topo) { LogOrder::Topological } else { LogOrder::Date },
        skip: usize::try_from(paging.offset()).unwrap_or(MAX_SKIP).min(MAX_SKIP),
        limit: usize::try_from(paging.limit()).unwrap_or(100) + 1,
        ..LogQuery::default()
    };
    if filters.all {
        return Ok((!code.repo.is_empty().await.or_status()?).then_some(query));
    }
    let Some(wanted) = filters.ref_name.as_deref().filter(|r| !r.is_empty()) else {
        query.tips.extend(code.default_tip().await?);
        return Ok((!query.tips.is_empty()).then_some(query));
    };
    (query.exclude, query.tips) = range(code, wanted).await?;
    Ok(Some(query))
}

/// The commits that a range leaves out, and those that it starts from.
async fn range(code: &Code, text: &str) -> Result<(Vec<Oid>, Vec<Oid>)> {
    let Some((from, to)) = text.split_once("..").filter(|_| text.bytes().any(|b| b != b'.')) else {
        return Ok((vec![], vec![code.commit_of(text, "Commit").await?]));
    };
    let branch = code.access.project.branch();
    let end = |name: &str| if name.is_empty() { branch.to_owned() } else { name.to_owned() };
    let symmetric = to.strip_prefix('.');
    let (from, to) = (end(from), end(symmetric.unwrap_or(to)));
    let (from, to) = (code.commit_of(&from, "Commit").await?, code.commit_of(&to, "Commit").await?);
    if symmetric.is_none() {
        return Ok((vec![from], vec![to]));
    }
    let base = code.repo.merge_base(from, to).await.or_status()?;
    Ok((base.into_iter().collect(), vec![from, to]))
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Shown {
    /// Counts changed lines; yes where it is absent.
    stats: Option<bool>,
}

async fn show(
    State(app): State<App>,
    code: Code,
    Path((_, sha)): Path<(String, String)>,
    Query(shown): Query<Shown>,
) -> Result<Json<CommitDetail>> {
    let id = code.commit_of(&sha, "Commit").await?;
    commit_entity::detail(&app, &code, id, shown.stats.unwrap_or(true)).await.map(Json)
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Unified {
    /// Gives each file the header of unified diffs.
    #[serde(default)]
    unidiff: bool,
}

async fn diff(
    code: Code,
    Path((_, sha)): Path<(String, String)>,
    Query(unified): Query<Unified>,
    paging: Paging,
) -> Result<Response> {
    let id = code.commit_of(&sha, "Commit").await?;
    let base = code.repo.diff_base(id).await.or_status()?;
    let (files, _) = diff_entity::between(&code, base, id, unified.unidiff).await?;
    Ok(page(&paging, &files))
}

#[derive(Debug, Deserialize, JsonSchema)]
struct RefKind {
    /// Which refs: `branch`, `tag` or `all`.
    #[serde(rename = "type", default)]
    kind: Kind,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Branch,
    Tag,
    #[default]
    All,
}

/// A branch or tag.
#[derive(Debug, Serialize, JsonSchema)]
struct RefEntity {
    #[serde(rename = "type")]
    kind: &'static str,
    name: String,
}

async fn refs(
    code: Code,
    Path((_, sha)): Path<(String, String)>,
    Query(wanted): Query<RefKind>,
    paging: Paging,
) -> Result<Response> {
    let id = code.commit_of(&sha, "Commit").await?;
    let found = code.repo.refs_containing(id).await.or_status()?;
    let wanted = found.iter().filter(|name| match wanted.kind {
        Kind::Branch => name.is_branch(),
        Kind::Tag => name.is_tag(),
        Kind::All => true,
    });
    let entity = |name: &git::RefName| RefEntity {
        kind: if name.is_branch() { "branch" } else { "tag" },
        name: name.short().lossy().into_owned(),
    };
    Ok(page(&paging, &wanted.map(entity).collect::<Vec<_>>()))
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Counted {
    /// Follows only the first parent of merges.
    #[serde(default)]
    first_parent: bool,
}

/// Where a commit stands in its history.
#[derive(Debug, Serialize, JsonSchema)]
struct Sequence {
    count: u64,
}

async fn sequence(
    code: Code,
    Path((_, sha)): Path<(String, String)>,
    Query(counted): Query<Counted>,
) -> Result<Json<Sequence>> {
    let id = code.commit_of(&sha, "Commit").await?;
    let query = LogQuery { first_parent: counted.first_parent, ..LogQuery::of(id, 1) };
    Ok(Json(Sequence { count: code.repo.count_commits(&query).await.or_status()? }))
}

/// Nothing refers to commits by merge requests; the list is there for clients that ask.
async fn none_yet(code: Code, Path((_, sha)): Path<(String, String)>, paging: Paging) -> Result<Response> {
    code.commit_of(&sha, "Commit").await?;
    Ok(paging.list::<Value>(&[], 0))
}

/// Signatures aren't verified, so there is none to show.
async fn signature(code: Code, Path((_, sha)): Path<(String, String)>) -> Result<()> {
    code.commit_of(&sha, "Commit").await?;
    Err(Error::not_found("Signature"))
}

/// One page of a list that is there as a whole.
pub(crate) fn page<T: Serialize>(paging: &Paging, all: &[T]) -> Response {
    let start = usize::try_from(paging.offset()).unwrap_or(usize::MAX).min(all.len());
    let end = start.saturating_add(usize::try_from(paging.limit()).unwrap_or(100)).min(all.len());
    paging.list(&all[start..end], i64::try_from(all.len()).unwrap_or(i64::MAX))
}

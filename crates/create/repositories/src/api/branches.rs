//! Branches.

use std::collections::HashSet;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use git::refs::{RefOrder, RefQuery};
use git::{ByteString, Commit, Oid, RefChange, RefInfo};
use http::StatusCode;
use kernel::api::Api;
use kernel::http::{Paging, Params, Query};
use kernel::{App, Error, Result};
use projects::{Permission, level};
use regex::RegexBuilder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::MessageBody;
use super::code::{Code, Pushable, encoded, filled};
use super::commit_entity::CommitEntity;
use crate::error::OrStatus;
use crate::events::Source;
use crate::protected::{Action, Passenger};
use crate::{Protections, update_refs_as};

const LIST: &str = "/projects/{id}/repository/branches";
const ONE: &str = "/projects/{id}/repository/branches/{branch}";

pub(crate) fn api() -> Api {
    Api::new("Branches")
        .get(LIST, "Lists branches", list)
        .takes::<Filters>()
        .gives::<Vec<BranchEntity>>()
        .post(LIST, "Creates a branch", create)
        .takes::<NewBranch>()
        .gives::<BranchEntity>()
        .get(ONE, "Shows a branch", show)
        .gives::<BranchEntity>()
        .head(ONE, "Tells whether a branch exists", head)
        .status(204)
        .delete(ONE, "Deletes a branch", delete)
        .delete("/projects/{id}/repository/merged_branches", "Deletes merged branches", delete_merged)
        .gives::<MessageBody>()
        .status(202)
}

/// A branch.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct BranchEntity {
    name: String,
    commit: Option<CommitEntity>,
    merged: bool,
    protected: bool,
    developers_can_push: bool,
    developers_can_merge: bool,
    can_push: bool,
    default: bool,
    web_url: String,
}

/// What it takes to tell all about a branch.
pub(crate) struct Context<'a> {
    app: &'a App,
    code: &'a Code,
    protections: Protections,
    passenger: Passenger,
    merged: HashSet<ByteString>,
}

impl<'a> Context<'a> {
    pub(crate) async fn load(app: &'a App, code: &'a Code) -> Result<Self> {
        let protections = Protections::of_project(app.db().conn(), code.access.project.id).await?;
        let passenger = protections.passenger(app, &code.access).await?;
        let merged = match code.default_tip().await? {
            Some(tip) => code.repo.merged_branches(tip).await.or_status()?,
            None => HashSet::new(),
        };
        Ok(Self { app, code, protections, passenger, merged })
    }

    /// Whether a rule lets developers do something to the branch.
    fn lets_developers(&self, name: &str, action: Action) -> bool {
        let rules = self.protections.branches.iter().filter(|b| crate::protected::matches(&b.name, name));
        let ids: Vec<i64> = rules.map(|b| b.id).collect();
        let mut grants = self.protections.grants.iter();
        grants.any(|g| {
            g.branch_id.is_some_and(|id| ids.contains(&id))
                && g.action == action.name()
                && g.access_level == Some(level::DEVELOPER)
        })
    }

    fn entity(&self, branch: &RefInfo, commit: Option<&Commit>) -> BranchEntity {
        let short = branch.name.short();
        let name = short.lossy().into_owned();
        let access = &self.code.access;
        let default = access.project.default_branch.as_deref() == Some(&name);
        BranchEntity {
            commit: commit.map(|c| CommitEntity::of(self.app, self.code, c).with_trailers(c)),
            merged: !default && self.merged.contains(branch.name.as_bytes()),
            protected: self.protections.is_protected_branch(&name),
            developers_can_push: self.lets_developers(&name, Action::Push),
            developers_can_merge: self.lets_developers(&name, Action::Merge),
            can_push: access.can(Permission::PushCode) && self.protections.may_push(&self.passenger, &name),
            default,
            web_url: self.code.url(self.app, &format!("/-/tree/{}", encoded(&short))),
            name,
        }
    }

    async fn entities(&self, branches: &[RefInfo]) -> Result<Vec<BranchEntity>> {
        let ids: Vec<Oid> = branches.iter().filter_map(|b| b.commit).collect();
        let commits = self.code.repo.commits(ids).await.or_status()?;
        let commit_of = |branch: &RefInfo| commits.iter().find(|c| Some(c.id) == branch.commit);
        Ok(branches.iter().map(|branch| self.entity(branch, commit_of(branch))).collect())
    }

    pub(crate) async fn one(&self, branch: &RefInfo) -> Result<Json<BranchEntity>> {
        let mut found = self.entities(std::slice::from_ref(branch)).await?;
        found.pop().map(Json).ok_or_else(|| Error::not_found("Branch"))
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Filters {
    /// Only names that hold this; `^` anchors at the start and `$` at the end.
    search: Option<String>,
    /// Only names that match this regular expression.
    regex: Option<String>,
    /// The order.
    #[serde(default)]
    sort: Sort,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Sort {
    #[default]
    NameAsc,
    UpdatedAsc,
    UpdatedDesc,
}

async fn list(State(app): State<App>, code: Code, Query(filters): Query<Filters>, paging: Paging) -> Result<Response> {
    let order = match filters.sort {
        Sort::NameAsc => RefOrder::Name,
        Sort::UpdatedAsc => RefOrder::Oldest,
        Sort::UpdatedDesc => RefOrder::Newest,
    };
    let size = usize::try_from(paging.limit()).unwrap_or(100);
    let mut query = RefQuery { order, search: filters.search, ..RefQuery::default() };
    let by_hand = filters.regex.is_some() || paging.keyset;
    if !by_hand {
        query.skip = usize::try_from(paging.offset()).unwrap_or(usize::MAX);
        query.limit = Some(size);
    }
    let mut found = code.repo.branches(query).await.or_status()?;
    if let Some(pattern) = &filters.regex {
        let pattern = RegexBuilder::new(pattern).size_limit(1 << 20).build();
        let pattern = pattern.map_err(|_| Error::BadParameter("regex is invalid".into()))?;
        found.items.retain(|branch| pattern.is_match(&branch.name.short().lossy()));
        found.total = found.items.len();
    }
    let context = Context::load(&app, &code).await?;
    if paging.keyset {
        return keyset(&context, found.items, &paging, size).await;
    }
    if by_hand {
        let skip = usize::try_from(paging.offset()).unwrap_or(usize::MAX);
        found.items = found.items.into_iter().skip(skip).take(size).collect();
    }
    let entities = context.entities(&found.items).await?;
    Ok(paging.list(&entities, i64::try_from(found.total).unwrap_or(i64::MAX)))
}

/// The page after the branch that the token names.
async fn keyset(context: &Context<'_>, all: Vec<RefInfo>, paging: &Paging, size: usize) -> Result<Response> {
    let start = match &paging.cursor {
        Some(token) => all.iter().position(|b| b.name.short().lossy() == token.as_str()).map_or(all.len(), |at| at + 1),
        None => 0,
    };
    let page = &all[start..(start + size).min(all.len())];
    let next = (start + size < all.len()).then(|| page.last().map(|b| b.name.short().lossy().into_owned())).flatten();
    Ok(paging.list_keyset(&context.entities(page).await?, next.as_deref()))
}

/// A branch that is there.
pub(crate) async fn find(code: &Code, short: &str) -> Result<RefInfo> {
    let unknown = || Error::not_found("Branch");
    let name = git::RefName::branch(short).map_err(|_| unknown())?;
    code.find_ref(&name).await?.ok_or_else(unknown)
}

async fn show(
    State(app): State<App>,
    code: Code,
    Path((_, branch)): Path<(String, String)>,
) -> Result<Json<BranchEntity>> {
    let branch = find(&code, &branch).await?;
    Context::load(&app, &code).await?.one(&branch).await
}

async fn head(code: Code, Path((_, branch)): Path<(String, String)>) -> Result<StatusCode> {
    find(&code, &branch).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Deserialize, JsonSchema)]
struct NewBranch {
    /// The name.
    branch: String,
    /// Where it starts: a branch, tag or commit.
    #[serde(rename = "ref")]
    reference: String,
}

async fn create(
    State(app): State<App>,
    Pushable(code): Pushable,
    Params(new): Params<NewBranch>,
) -> Result<(StatusCode, Json<BranchEntity>)> {
    let name = git::RefName::branch(filled("branch", &new.branch)?)
        .map_err(|_| Error::bad_request("Branch name is invalid"))?;
    let taken = || Error::bad_request("Branch already exists");
    if code.find_ref(&name).await?.is_some() {
        return Err(taken());
    }
    let start = code.try_commit_of(filled("ref", &new.reference)?).await?;
    let start = start.ok_or_else(|| Error::bad_request(format!("Invalid reference name: {}", new.reference)))?;
    let change = RefChange { name, old: Some(Oid::zero()), new: start };
    update_refs_as(&app, &code.access, vec![change], Source::Api).await.map_err(|e| match e {
        Error::Conflict(_) => taken(),
        other => other,
    })?;
    let branch = find(&code, &new.branch).await?;
    Ok((StatusCode::CREATED, Context::load(&app, &code).await?.one(&branch).await?))
}

async fn delete(
    State(app): State<App>,
    Pushable(code): Pushable,
    Path((_, branch)): Path<(String, String)>,
) -> Result<StatusCode> {
    let branch = find(&code, &branch).await?;
    let change = RefChange { name: branch.name, old: Some(branch.target), new: Oid::zero() };
    update_refs_as(&app, &code.access, vec![change], Source::Api).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn delete_merged(State(app): State<App>, Pushable(code): Pushable) -> Result<(StatusCode, Json<MessageBody>)> {
    let accepted = (StatusCode::ACCEPTED, Json(MessageBody { message: "202 Accepted".into() }));
    let context = Context::load(&app, &code).await?;
    let all = code.repo.branches(RefQuery::default()).await.or_status()?.items;
    let goes = |branch: &RefInfo| {
        let name = branch.name.short().lossy().into_owned();
        let kept = code.access.project.default_branch.as_deref() == Some(&name);
        context.merged.contains(branch.name.as_bytes()) && !kept && !context.protections.is_protected_branch(&name)
    };
    let changes: Vec<RefChange> = all
        .into_iter()
        .filter(goes)
        .map(|branch| RefChange { name: branch.name, old: Some(branch.target), new: Oid::zero() })
        .collect();
    if !changes.is_empty() {
        update_refs_as(&app, &code.access, changes, Source::Api).await?;
    }
    Ok(accepted)
}

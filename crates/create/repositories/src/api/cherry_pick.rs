//! Commits that are carried over to another branch, or undone there.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use git::{GitError, Oid, RefChange};
use http::StatusCode;
use kernel::api::Api;
use kernel::http::Params;
use kernel::{App, Error, Result};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::code::{Code, Pushable, filled};
use super::commit_entity::{self, CommitEntity};
use super::writing::branch_name;
use crate::error::OrStatus;
use crate::events::Source;
use crate::rules::check_push;
use crate::{signature, status_of, update_refs_as};

pub(crate) fn api() -> Api {
    Api::new("Commits")
        .post("/projects/{id}/repository/commits/{sha}/cherry_pick", "Carries a commit over to a branch", pick)
        .takes::<Asked>()
        .gives::<CommitEntity>()
        .post("/projects/{id}/repository/commits/{sha}/revert", "Undoes a commit on a branch", revert)
        .takes::<Asked>()
        .gives::<CommitEntity>()
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Asked {
    /// The branch to commit to.
    branch: String,
    /// Only tells whether it would work.
    #[serde(default)]
    dry_run: bool,
    /// The message, where it isn't the one of the commit.
    message: Option<String>,
}

#[derive(Clone, Copy)]
enum Deed {
    Pick,
    Revert,
}

async fn pick(
    State(app): State<App>,
    Pushable(code): Pushable,
    Path((_, sha)): Path<(String, String)>,
    Params(asked): Params<Asked>,
) -> Result<Response> {
    carry_out(&app, &code, &sha, asked, Deed::Pick).await
}

async fn revert(
    State(app): State<App>,
    Pushable(code): Pushable,
    Path((_, sha)): Path<(String, String)>,
    Params(asked): Params<Asked>,
) -> Result<Response> {
    carry_out(&app, &code, &sha, asked, Deed::Revert).await
}

async fn carry_out(app: &App, code: &Code, sha: &str, asked: Asked, deed: Deed) -> Result<Response> {
    let commit = code.commit_of(sha, "Commit").await?;
    let branch = branch_name("branch", filled("branch", &asked.branch)?)?;
    let found = code.find_ref(&branch).await?.ok_or_else(|| Error::not_found("Branch"))?;
    // Whoever may not push there learns so even from a dry run.
    let command = git::pack::receive::Command { name: branch.as_bytes().into(), old: found.target, new: commit };
    check_push(app, &code.access, &[command], Source::Api).await?.allow()?;
    let new = match apply(code, commit, found.target, asked.message, deed).await? {
        Ok(new) => new,
        Err(stopped) => return Ok(stopped.answer(deed)),
    };
    if asked.dry_run {
        return Ok(Json(json!({ "dry_run": "success" })).into_response());
    }
    let change = RefChange { name: branch, old: Some(found.target), new };
    update_refs_as(app, &code.access, vec![change], Source::Api).await?;
    let entity = commit_entity::one(app, code, new, false).await?;
    Ok((StatusCode::CREATED, Json(entity)).into_response())
}

/// Why a change could not be applied.
enum Stopped {
    Conflict,
    Empty,
}

async fn apply(
    code: &Code,
    commit: Oid,
    onto: Oid,
    message: Option<String>,
    deed: Deed,
) -> Result<std::result::Result<Oid, Stopped>> {
    let me = signature(&code.access.actor)?;
    let message = message.filter(|m| !m.trim().is_empty()).map(String::into_bytes);
    let applied = match deed {
        Deed::Pick => {
            let picked = code.repo.commit(commit).await.or_status()?;
            let default = || format!("{}\n\n(cherry picked from commit {commit})", picked.message.lossy().trim_end());
            let message = message.unwrap_or_else(|| default().into_bytes());
            code.repo.cherry_pick(commit, onto, me, Some(message)).await
        }
        Deed::Revert => code.repo.revert(commit, onto, me.clone(), me, message).await,
    };
    match applied {
        Ok(new) => Ok(Ok(new)),
        Err(GitError::MergeConflict(_)) => Ok(Err(Stopped::Conflict)),
        Err(GitError::Conflict(_)) => Ok(Err(Stopped::Empty)),
        Err(other) => Err(status_of(other)),
    }
}

impl Stopped {
    fn answer(&self, deed: Deed) -> Response {
        let deed = match deed {
            Deed::Pick => "cherry-picked",
            Deed::Revert => "reverted",
        };
        let (code, why) = match self {
            Self::Conflict => ("conflict", "the branch has other changes in the same places"),
            Self::Empty => ("empty", "the branch is already as it would be afterwards"),
        };
        let message = format!("The commit can't be {deed} automatically: {why}");
        (StatusCode::BAD_REQUEST, Json(json!({ "message": message, "error_code": code }))).into_response()
    }
}

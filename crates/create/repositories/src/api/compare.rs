//! What leads from one revision to another.

use axum::Json;
use axum::extract::State;
use git::Oid;
use git::log::LogQuery;
use kernel::api::Api;
use kernel::http::Query;
use kernel::{App, Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::code::{Code, encoded, filled};
use super::commit_entity::{self, CommitEntity};
use super::diff_entity::{self, DiffEntity};
use crate::error::OrStatus;

/// The most commits that a comparison lists.
const MAX_COMMITS: usize = 2000;
/// The most revisions whose common ancestor is sought.
const MAX_REFS: usize = 20;

pub(crate) fn api() -> Api {
    Api::new("Repository")
        .get("/projects/{id}/repository/compare", "Compares two revisions", compare)
        .takes::<Asked>()
        .gives::<CompareEntity>()
        .get("/projects/{id}/repository/merge_base", "Finds the common ancestor of revisions", merge_base)
        .takes::<Refs>()
        .gives::<CommitEntity>()
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Asked {
    /// The revision to start from.
    from: String,
    /// The revision that is compared with it.
    to: String,
    /// The project that `from` is in.
    from_project_id: Option<i64>,
    /// Compares the revisions themselves instead of starting where their histories part.
    #[serde(default)]
    straight: bool,
    /// Gives each file the header of unified diffs.
    #[serde(default)]
    unidiff: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
struct CompareEntity {
    commit: Option<CommitEntity>,
    commits: Vec<CommitEntity>,
    diffs: Vec<DiffEntity>,
    compare_timeout: bool,
    compare_same_ref: bool,
    web_url: String,
}

async fn compare(State(app): State<App>, code: Code, Query(asked): Query<Asked>) -> Result<Json<CompareEntity>> {
    if asked.from_project_id.is_some_and(|id| id != code.access.project.id) {
        return Err(Error::bad_request("from_project_id: only revisions of one project can be compared"));
    }
    let from = code.commit_of(filled("from", &asked.from)?, "Ref").await?;
    let to = code.commit_of(filled("to", &asked.to)?, "Ref").await?;
    let query = LogQuery { exclude: vec![from], ..LogQuery::of(to, MAX_COMMITS) };
    let mut commits = code.repo.log(query).await.or_status()?;
    commits.reverse();
    let commits: Vec<CommitEntity> =
        commits.iter().map(|c| CommitEntity::of(&app, &code, c).with_trailers(c)).collect();
    let base = match asked.straight {
        true => from,
        false => code.repo.three_dot_base(from, to).await.or_status()?,
    };
    let (diffs, compare_timeout) = diff_entity::between(&code, base, to, asked.unidiff).await?;
    let dots = if asked.straight { ".." } else { "..." };
    let range = format!("{}{dots}{}", encoded(asked.from.as_bytes()), encoded(asked.to.as_bytes()));
    Ok(Json(CompareEntity {
        commit: commits.last().cloned(),
        commits,
        diffs,
        compare_timeout,
        compare_same_ref: from == to,
        web_url: code.url(&app, &format!("/-/compare/{range}")),
    }))
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Refs {
    /// Two branches, tags or commits, or more.
    refs: Vec<String>,
}

async fn merge_base(State(app): State<App>, code: Code, Query(asked): Query<Refs>) -> Result<Json<CommitEntity>> {
    if !(2..=MAX_REFS).contains(&asked.refs.len()) {
        return Err(Error::bad_request(format!("Provide at least 2 and at most {MAX_REFS} refs")));
    }
    let mut commits = vec![];
    for name in &asked.refs {
        let found = code.try_commit_of(name).await?;
        commits.push(found.ok_or_else(|| Error::bad_request(format!("Could not find ref: {name}")))?);
    }
    let base = best_base(&code, &commits).await?.ok_or_else(|| Error::not_found("Merge Base"))?;
    commit_entity::one(&app, &code, base, false).await.map(Json)
}

/// The youngest of the common ancestors that the first commit has with each of the others.
async fn best_base(code: &Code, commits: &[Oid]) -> Result<Option<Oid>> {
    let Some((first, others)) = commits.split_first() else { return Ok(None) };
    let mut best: Option<Oid> = None;
    for other in others {
        let Some(found) = code.repo.merge_base(*first, *other).await.or_status()? else { continue };
        best = match best {
            Some(known) if code.repo.is_ancestor(found, known).await.or_status()? => Some(known),
            _ => Some(found),
        };
    }
    Ok(best)
}

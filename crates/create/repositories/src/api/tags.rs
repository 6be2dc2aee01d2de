//! Tags.

use std::cmp::Ordering;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use git::refs::{RefOrder, RefQuery};
use git::{Commit, Oid, RefChange, RefInfo, RefName};
use http::StatusCode;
use kernel::api::Api;
use kernel::http::{Paging, Params, Query};
use kernel::{App, Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::code::{Code, Pushable, filled};
use super::commit_entity::{CommitEntity, date};
use crate::error::OrStatus;
use crate::events::Source;
use crate::{Protections, signature, update_refs_as};

const LIST: &str = "/projects/{id}/repository/tags";
const ONE: &str = "/projects/{id}/repository/tags/{tag_name}";

pub(crate) fn api() -> Api {
    Api::new("Tags")
        .get(LIST, "Lists tags", list)
        .takes::<Filters>()
        .gives::<Vec<TagEntity>>()
        .post(LIST, "Creates a tag", create)
        .takes::<NewTag>()
        .gives::<TagEntity>()
        .get(ONE, "Shows a tag", show)
        .gives::<TagEntity>()
        .delete(ONE, "Deletes a tag", delete)
        .get("/projects/{id}/repository/tags/{tag_name}/signature", "Shows the verified signature of a tag", verified)
}

/// A tag.
#[derive(Debug, Serialize, JsonSchema)]
struct TagEntity {
    name: String,
    message: Option<String>,
    target: String,
    commit: Option<CommitEntity>,
    release: Option<Value>,
    protected: bool,
    created_at: Option<String>,
}

impl TagEntity {
    fn of(app: &App, code: &Code, tag: &RefInfo, commits: &[Commit], protections: &Protections) -> Self {
        let name = tag.name.short().lossy().into_owned();
        let commit = commits.iter().find(|c| Some(c.id) == tag.commit);
        let note = tag.tag.as_ref();
        Self {
            message: note.map(|t| t.message.lossy().trim_end().to_owned()),
            target: tag.target.to_string(),
            commit: commit.map(|c| CommitEntity::of(app, code, c).with_trailers(c)),
            release: None,
            protected: protections.is_protected_tag(&name),
            created_at: note.and_then(|t| t.tagger.as_ref()).map(date),
            name,
        }
    }

    async fn all(app: &App, code: &Code, tags: &[RefInfo]) -> Result<Vec<Self>> {
        let ids: Vec<Oid> = tags.iter().filter_map(|tag| tag.commit).collect();
        let commits = code.repo.commits(ids).await.or_status()?;
        let protections = Protections::of_project(app.db().conn(), code.access.project.id).await?;
        Ok(tags.iter().map(|tag| Self::of(app, code, tag, &commits, &protections)).collect())
    }

    async fn one(app: &App, code: &Code, tag: &RefInfo) -> Result<Json<Self>> {
        let mut found = Self::all(app, code, std::slice::from_ref(tag)).await?;
        found.pop().map(Json).ok_or_else(|| Error::not_found("Tag"))
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Filters {
    /// What the list is sorted by.
    #[serde(default)]
    order_by: OrderBy,
    /// The direction.
    #[serde(default)]
    sort: Sort,
    /// Only names that hold this; `^` anchors at the start and `$` at the end.
    search: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum OrderBy {
    Name,
    #[default]
    Updated,
    Version,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Sort {
    Asc,
    #[default]
    Desc,
}

async fn list(State(app): State<App>, code: Code, Query(filters): Query<Filters>, paging: Paging) -> Result<Response> {
    let order = match (filters.order_by, filters.sort) {
        (OrderBy::Updated, Sort::Asc) => RefOrder::Oldest,
        (OrderBy::Updated, Sort::Desc) => RefOrder::Newest,
        (_, Sort::Asc) => RefOrder::Name,
        (_, Sort::Desc) => RefOrder::NameDescending,
    };
    let size = usize::try_from(paging.limit()).unwrap_or(100);
    let by_hand = filters.order_by == OrderBy::Version || paging.keyset;
    let mut skip = usize::try_from(paging.offset()).unwrap_or(usize::MAX);
    let mut query = RefQuery { order, search: filters.search, ..RefQuery::default() };
    if !by_hand {
        (query.skip, query.limit) = (skip, Some(size));
    }
    let mut found = code.repo.tags(query).await.or_status()?;
    if filters.order_by == OrderBy::Version {
        found.items.sort_by_cached_key(|tag| Version::of(&tag.name.short().lossy()));
        if filters.sort == Sort::Desc {
            found.items.reverse();
        }
    }
    if !by_hand {
        let entities = TagEntity::all(&app, &code, &found.items).await?;
        return Ok(paging.list(&entities, i64::try_from(found.total).unwrap_or(i64::MAX)));
    }
    if let (true, Some(token)) = (paging.keyset, &paging.cursor) {
        let at = found.items.iter().position(|tag| tag.name.short().lossy() == token.as_str());
        skip = at.map_or(found.items.len(), |at| at + 1);
    }
    let start = skip.min(found.items.len());
    let end = start.saturating_add(size).min(found.items.len());
    let entities = TagEntity::all(&app, &code, &found.items[start..end]).await?;
    if !paging.keyset {
        return Ok(paging.list(&entities, i64::try_from(found.total).unwrap_or(i64::MAX)));
    }
    let next = entities.last().filter(|_| end < found.items.len()).map(|tag| tag.name.clone());
    Ok(paging.list_keyset(&entities, next.as_deref()))
}

/// A name cut into texts and numbers, so that `v1.10` comes after `v1.9`.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Version(Vec<Piece>);

#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Number(u128),
}

impl Ord for Piece {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            // A suffix such as `-rc1` comes before the next number.
            (Self::Text(_), Self::Number(_)) => Ordering::Less,
            (Self::Number(_), Self::Text(_)) => Ordering::Greater,
        }
    }
}

impl PartialOrd for Piece {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Version {
    fn of(name: &str) -> Self {
        let mut pieces: Vec<Piece> = vec![];
        for c in name.chars() {
            let digit = c.to_digit(10).map(u128::from);
            match (digit, pieces.last_mut()) {
                (Some(d), Some(Piece::Number(n))) => *n = n.saturating_mul(10).saturating_add(d),
                (Some(d), _) => pieces.push(Piece::Number(d)),
                (None, Some(Piece::Text(text))) => text.push(c),
                (None, _) => pieces.push(Piece::Text(c.to_string())),
            }
        }
        Self(pieces)
    }
}

async fn find(code: &Code, short: &str) -> Result<RefInfo> {
    let unknown = || Error::not_found("Tag");
    let name = RefName::tag(short).map_err(|_| unknown())?;
    code.find_ref(&name).await?.ok_or_else(unknown)
}

async fn show(State(app): State<App>, code: Code, Path((_, tag)): Path<(String, String)>) -> Result<Json<TagEntity>> {
    let tag = find(&code, &tag).await?;
    TagEntity::one(&app, &code, &tag).await
}

/// Signatures aren't verified, so there is none to show.
async fn verified(code: Code, Path((_, tag)): Path<(String, String)>) -> Result<()> {
    find(&code, &tag).await?;
    Err(Error::not_found("Signature"))
}

#[derive(Debug, Deserialize, JsonSchema)]
struct NewTag {
    /// The name.
    tag_name: String,
    /// What it names: a branch, tag or commit.
    #[serde(rename = "ref")]
    reference: String,
    /// A message, which makes it an annotated tag.
    message: Option<String>,
}

async fn create(
    State(app): State<App>,
    Pushable(code): Pushable,
    Params(new): Params<NewTag>,
) -> Result<(StatusCode, Json<TagEntity>)> {
    let name = RefName::tag(filled("tag_name", &new.tag_name)?).map_err(|_| Error::bad_request("Tag name invalid"))?;
    let taken = || Error::bad_request(format!("Tag {} already exists", new.tag_name));
    if code.find_ref(&name).await?.is_some() {
        return Err(taken());
    }
    let commit = code.try_commit_of(filled("ref", &new.reference)?).await?;
    let commit = commit.ok_or_else(|| Error::bad_request(format!("Target {} is invalid", new.reference)))?;
    let target = match new.message.as_deref().filter(|m| !m.trim().is_empty()) {
        Some(message) => {
            let tagger = signature(&code.access.actor)?;
            code.repo.write_tag(&name, commit, tagger, message.as_bytes().to_vec()).await.or_status()?
        }
        None => commit,
    };
    let change = RefChange { name, old: Some(Oid::zero()), new: target };
    update_refs_as(&app, &code.access, vec![change], Source::Api).await.map_err(|e| match e {
        Error::Conflict(_) => taken(),
        other => other,
    })?;
    let tag = find(&code, &new.tag_name).await?;
    Ok((StatusCode::CREATED, TagEntity::one(&app, &code, &tag).await?))
}

async fn delete(
    State(app): State<App>,
    Pushable(code): Pushable,
    Path((_, tag)): Path<(String, String)>,
) -> Result<StatusCode> {
    let tag = find(&code, &tag).await?;
    let change = RefChange { name: tag.name, old: Some(tag.target), new: Oid::zero() };
    update_refs_as(&app, &code.access, vec![change], Source::Api).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::Version;

    #[test]
    fn versions_sort_by_their_numbers() {
        let mut names = vec!["v10.0", "v1.10", "v1.9", "v1.9-rc1", "other", "v1"];
        names.sort_by_cached_key(|name| Version::of(name));
        assert_eq!(names, ["other", "v1", "v1.9", "v1.9-rc1", "v1.10", "v10.0"]);
    }
}

//! Turns what people type (branch, tag, id, `HEAD`) into commits, and splits `REF/PATH`.

use gix::Repository;
use gix::objs::Kind;
use serde::Serialize;

use crate::error::{corrupt, not_found};
use crate::refs::find_ref;
use crate::{GitError, Oid, RefName, Repo, RepoPath, Result};

/// The fewest digits that abbreviate an object id.
const MIN_ABBREV: usize = 4;
/// The most slashes in a ref name that splitting looks at.
const MAX_SEGMENTS: usize = 40;

/// Is a revision that was found: a commit, and the ref that led to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Resolved {
    /// The commit.
    pub commit: Oid,
    /// The full name of the ref, unless the revision was an object id.
    pub refname: Option<RefName>,
}

impl Repo {
    /// Finds the commit that `revision` names; a branch wins over a tag of the same name.
    ///
    /// Accepts `HEAD`, full ref names, short branch and tag names, and full or abbreviated commit ids.
    pub async fn resolve(&self, revision: impl AsRef<[u8]>) -> Result<Resolved> {
        let revision = revision.as_ref().to_vec();
        self.read(move |repo| resolve(repo, &revision)?.ok_or_else(|| unknown(&revision))).await
    }

    /// Splits `REF/PATH` at the longest prefix that is a revision.
    pub async fn split_ref_path(&self, text: impl AsRef<[u8]>) -> Result<(Resolved, RepoPath)> {
        let text = text.as_ref().to_vec();
        self.read(move |repo| split(repo, &text)).await
    }

    /// Follows tags from any object id to a commit.
    pub async fn commit_of(&self, oid: Oid) -> Result<Oid> {
        self.read(move |repo| peel_to_commit(repo, oid)?.ok_or_else(|| not_found(format!("commit {oid}")))).await
    }

    /// Tells whether the object exists.
    pub async fn has_object(&self, oid: Oid) -> Result<bool> {
        self.read(move |repo| Ok(repo.has_object(oid.0))).await
    }
}

fn unknown(revision: &[u8]) -> GitError {
    let shown: String = String::from_utf8_lossy(revision).chars().take(100).collect();
    not_found(format!("revision {shown:?}"))
}

pub(crate) fn resolve(repo: &Repository, revision: &[u8]) -> Result<Option<Resolved>> {
    if let Ok(oid) = Oid::from_hex(revision) {
        let commit = peel_to_commit(repo, oid)?;
        return Ok(commit.map(|commit| Resolved { commit, refname: None }));
    }
    for name in candidates(revision) {
        let Some(found) = find_ref(repo, &name)? else { continue };
        let commit = peel_to_commit(repo, found)?;
        return Ok(commit.map(|commit| Resolved { commit, refname: Some(name) }));
    }
    let commit = abbreviated(repo, revision)?;
    Ok(commit.map(|commit| Resolved { commit, refname: None }))
}

/// Lists the refs that a name may mean, the preferred one first.
fn candidates(revision: &[u8]) -> impl Iterator<Item = RefName> {
    let full = RefName::new(revision).ok();
    let branch = RefName::branch(revision).ok();
    let tag = RefName::tag(revision).ok();
    [full, branch, tag].into_iter().flatten()
}

fn abbreviated(repo: &Repository, revision: &[u8]) -> Result<Option<Oid>> {
    let hexadecimal = revision.iter().all(u8::is_ascii_hexdigit);
    if !hexadecimal || !(MIN_ABBREV..40).contains(&revision.len()) {
        return Ok(None);
    }
    let text = String::from_utf8_lossy(revision);
    let prefix = gix::hash::Prefix::from_hex(&text).map_err(corrupt)?;
    match repo.objects.lookup_prefix(prefix, None).map_err(corrupt)? {
        Some(Ok(found)) => peel_to_commit(repo, Oid(found)),
        Some(Err(())) => Err(GitError::InvalidName(format!("{text} is ambiguous; give more digits"))),
        None => Ok(None),
    }
}

fn split(repo: &Repository, text: &[u8]) -> Result<(Resolved, RepoPath)> {
    let mut ends: Vec<usize> = text.iter().enumerate().filter(|(_, b)| **b == b'/').map(|(at, _)| at).collect();
    ends.truncate(MAX_SEGMENTS);
    let whole = text.strip_suffix(b"/").unwrap_or(text).len();
    ends.push(whole);
    for end in ends.into_iter().rev() {
        let rest = text[end..].strip_prefix(b"/").unwrap_or_default();
        if let Some(found) = resolve(repo, &text[..end])? {
            return Ok((found, RepoPath::new(rest)?));
        }
    }
    Err(unknown(text))
}

/// Follows tags to a commit; nothing if the object is missing or of another kind.
pub(crate) fn peel_to_commit(repo: &Repository, oid: Oid) -> Result<Option<Oid>> {
    let Some(header) = repo.try_find_header(oid.0)? else { return Ok(None) };
    match header.kind() {
        Kind::Commit => Ok(Some(oid)),
        Kind::Tag => {
            let end = repo.find_object(oid.0)?.peel_tags_to_end()?;
            Ok((end.kind == Kind::Commit).then_some(Oid(end.id)))
        }
        Kind::Tree | Kind::Blob => Ok(None),
    }
}

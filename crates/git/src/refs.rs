//! Branches, tags and other refs: listing, reading and changing them.

use std::sync::LazyLock;

use gix::Repository;
use gix::objs::Kind;
use gix::refs::{Target, TargetRef};
use moka::sync::Cache;
use serde::Serialize;

use crate::commit::commit_time;
use crate::error::{corrupt, not_found};
use crate::tags::{TagInfo, read_tag};
use crate::{ByteString, GitError, Oid, RefName, Repo, Result};

/// What annotated tags point to; an object never changes, so neither does this.
static PEELED: LazyLock<Cache<gix::ObjectId, Option<gix::ObjectId>>> = LazyLock::new(|| Cache::new(200_000));

/// Describes one ref.
#[derive(Clone, Debug, Serialize)]
pub struct RefInfo {
    /// The full name.
    pub name: RefName,
    /// The object it points to, which is a tag object for an annotated tag.
    pub target: Oid,
    /// The commit behind it, if it leads to one.
    pub commit: Option<Oid>,
    /// The annotated tag, when listed by [`Repo::tags`] or [`Repo::find_ref`].
    pub tag: Option<TagInfo>,
}

/// Says in which order refs are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RefOrder {
    /// By name, ascending.
    #[default]
    Name,
    /// By name, descending.
    NameDescending,
    /// By date of the commit, newest first.
    Newest,
    /// By date of the commit, oldest first.
    Oldest,
}

/// Selects refs.
#[derive(Clone, Debug, Default)]
pub struct RefQuery {
    /// The order of the list.
    pub order: RefOrder,
    /// Keeps names that contain this, ignoring ASCII case; `^` anchors at the start and `$` at the end.
    pub search: Option<String>,
    /// How many to leave out at the start.
    pub skip: usize,
    /// How many to return at most; all if absent.
    pub limit: Option<usize>,
}

/// Is one page of a list of refs.
#[derive(Clone, Debug, Serialize)]
pub struct RefPage {
    /// The refs of the page.
    pub items: Vec<RefInfo>,
    /// How many there are on all pages.
    pub total: usize,
}

/// Is one change of a ref that is applied only if the ref still is where the caller saw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RefChange {
    /// The ref.
    pub name: RefName,
    /// What the ref must point to now: [`Oid::zero`] for "must not exist", nothing for "whatever".
    pub old: Option<Oid>,
    /// What the ref shall point to: [`Oid::zero`] to delete it.
    pub new: Oid,
}

impl Repo {
    /// Lists branches.
    pub async fn branches(&self, query: RefQuery) -> Result<RefPage> {
        self.read(move |repo| list(repo, "refs/heads/", &query)).await
    }

    /// Lists tags, with what annotated ones say.
    pub async fn tags(&self, query: RefQuery) -> Result<RefPage> {
        self.read(move |repo| {
            let mut page = list(repo, "refs/tags/", &query)?;
            for item in &mut page.items {
                item.tag = read_tag(repo, item.target)?;
            }
            Ok(page)
        })
        .await
    }

    /// Lists all refs by name, without those below the given prefixes.
    pub async fn all_refs(&self, hidden: &[&str]) -> Result<Vec<RefInfo>> {
        let hidden: Vec<String> = hidden.iter().map(ToString::to_string).collect();
        self.read(move |repo| {
            let shown = |name: &[u8]| !hidden.iter().any(|prefix| name.starts_with(prefix.as_bytes()));
            collect(repo, repo.references()?.all()?, shown)
        })
        .await
    }

    /// Reads one ref.
    pub async fn find_ref(&self, name: &RefName) -> Result<RefInfo> {
        let name = name.clone();
        self.read(move |repo| {
            let target = find_ref(repo, &name)?.ok_or_else(|| not_found(name.lossy()))?;
            let commit = crate::revision::peel_to_commit(repo, target)?;
            Ok(RefInfo { name: name.clone(), target, commit, tag: read_tag(repo, target)? })
        })
        .await
    }

    /// Reads one branch by its short name.
    pub async fn find_branch(&self, short: impl AsRef<[u8]>) -> Result<RefInfo> {
        self.find_ref(&RefName::branch(short)?).await
    }

    /// Returns the branch that `HEAD` names, whether or not it exists.
    pub async fn default_branch(&self) -> Result<ByteString> {
        self.read(|repo| {
            let head = repo.head_name()?.ok_or_else(|| corrupt("HEAD names no branch"))?;
            Ok(RefName::trusted(head.as_bstr()).short())
        })
        .await
    }

    /// Points `HEAD` to a branch.
    pub async fn set_default_branch(&self, short: impl AsRef<[u8]>) -> Result<()> {
        let name = RefName::branch(short)?;
        self.git("symbolic-ref").arg("HEAD").arg_bytes(name.as_bytes()).run().await?;
        Ok(())
    }

    /// Tells whether there is no branch at all.
    pub async fn is_empty(&self) -> Result<bool> {
        self.read(|repo| Ok(repo.references()?.local_branches()?.next().is_none())).await
    }

    /// Changes several refs at once: all of them, or none if one is not as expected.
    pub async fn update_refs(&self, changes: &[RefChange]) -> Result<()> {
        if changes.is_empty() {
            return Ok(());
        }
        let output = self.git("update-ref").args(["--stdin", "-z", "--no-deref"]).run_any(transaction(changes)).await?;
        match output.code {
            Some(0) => Ok(()),
            _ => Err(refused(&output.stderr)),
        }
    }

    /// Creates a ref that must not exist yet.
    pub async fn create_ref(&self, name: &RefName, target: Oid) -> Result<()> {
        let change = RefChange { name: name.clone(), old: Some(Oid::zero()), new: target };
        self.update_refs(&[change]).await
    }

    /// Deletes a ref that must point to `old`, if given.
    pub async fn delete_ref(&self, name: &RefName, old: Option<Oid>) -> Result<()> {
        if find(self, name).await?.is_none() {
            return Err(not_found(name.lossy()));
        }
        self.update_refs(&[RefChange { name: name.clone(), old, new: Oid::zero() }]).await
    }
}

async fn find(repo: &Repo, name: &RefName) -> Result<Option<Oid>> {
    let name = name.clone();
    repo.read(move |repo| find_ref(repo, &name)).await
}

/// Writes the commands that `git update-ref --stdin -z` reads.
fn transaction(changes: &[RefChange]) -> Vec<u8> {
    let mut input = b"start\0".to_vec();
    for change in changes {
        input.extend_from_slice(b"update ");
        input.extend_from_slice(change.name.as_bytes());
        let old = change.old.map(|oid| oid.to_string()).unwrap_or_default();
        input.extend_from_slice(format!("\0{}\0{old}\0", change.new).as_bytes());
    }
    input.extend_from_slice(b"prepare\0commit\0");
    input
}

/// Turns the complaint of `git update-ref` into an error that names the cause.
fn refused(stderr: &str) -> GitError {
    let message = stderr.trim_start_matches("fatal: ").to_owned();
    if stderr.contains("nonexistent object") || stderr.contains("non-commit object") {
        return not_found(format!("the object to point to ({message})"));
    }
    GitError::Conflict(message)
}

/// Returns what a ref points to, following symbolic refs; nothing if it does not exist.
pub(crate) fn find_ref(repo: &Repository, name: &RefName) -> Result<Option<Oid>> {
    let full = gix::refs::FullName::try_from(gix::bstr::BString::from(name.as_bytes())).map_err(corrupt)?;
    let Some(mut reference) = repo.try_find_reference(full.as_ref())? else { return Ok(None) };
    for _ in 0..5 {
        match reference.target() {
            TargetRef::Object(id) => return Ok(Some(Oid(id.to_owned()))),
            TargetRef::Symbolic(next) => {
                let next = next.to_owned();
                let Some(found) = repo.try_find_reference(next.as_ref())? else { return Ok(None) };
                reference = found;
            }
        }
    }
    Ok(None)
}

fn list(repo: &Repository, prefix: &str, query: &RefQuery) -> Result<RefPage> {
    let platform = repo.references()?;
    let refs = if prefix == "refs/tags/" { platform.tags()? } else { platform.local_branches()? };
    let search = Search::new(query.search.as_deref());
    let mut items = collect(repo, refs, |name| search.matches(&name[prefix.len()..]))?;
    sort(repo, &mut items, query.order);
    let total = items.len();
    let items = items.into_iter().skip(query.skip).take(query.limit.unwrap_or(usize::MAX)).collect();
    Ok(RefPage { items, total })
}

fn collect<'r>(
    repo: &Repository,
    refs: impl Iterator<Item = gix::Result<gix::Reference<'r>>>,
    keep: impl Fn(&[u8]) -> bool,
) -> Result<Vec<RefInfo>> {
    let mut found = Vec::new();
    // A broken ref must not hide all others.
    for reference in refs.filter_map(Result::ok) {
        let reference = reference.detach();
        let name = reference.name.as_bstr();
        let Target::Object(target) = reference.target else { continue };
        if keep(name) {
            let commit = peeled(repo, target, reference.peeled)?.unwrap_or(target);
            found.push(RefInfo {
                name: RefName::trusted(name),
                target: Oid(target),
                commit: Some(Oid(commit)),
                tag: None,
            });
        }
    }
    Ok(found)
}

/// Returns what an annotated tag finally points to; nothing if `target` is not a tag.
pub(crate) fn peeled(
    repo: &Repository,
    target: gix::ObjectId,
    known: Option<gix::ObjectId>,
) -> Result<Option<gix::ObjectId>> {
    if known.is_some() {
        return Ok(known.filter(|peeled| *peeled != target));
    }
    if let Some(cached) = PEELED.get(&target) {
        return Ok(cached);
    }
    let Some(header) = repo.try_find_header(target)? else { return Ok(None) };
    let peeled = match header.kind() {
        Kind::Tag => Some(repo.find_object(target)?.peel_tags_to_end()?.id),
        _ => None,
    };
    PEELED.insert(target, peeled);
    Ok(peeled)
}

fn sort(repo: &Repository, items: &mut [RefInfo], order: RefOrder) {
    let newest_first = |item: &RefInfo| {
        let time = item.commit.and_then(|commit| commit_time(repo, commit)).unwrap_or(i64::MIN);
        std::cmp::Reverse(time)
    };
    match order {
        RefOrder::Name => items.sort_by(|a, b| a.name.cmp(&b.name)),
        RefOrder::NameDescending => items.sort_by(|a, b| b.name.cmp(&a.name)),
        RefOrder::Newest => items.sort_by_cached_key(newest_first),
        RefOrder::Oldest => items.sort_by_cached_key(|item| newest_first(item).0),
    }
}

/// Matches short names against a search text.
struct Search {
    text: Vec<u8>,
    start: bool,
    end: bool,
}

impl Search {
    fn new(search: Option<&str>) -> Self {
        let text = search.unwrap_or_default().to_ascii_lowercase();
        let start = text.starts_with('^');
        let end = text.ends_with('$');
        let text = text.trim_start_matches('^').trim_end_matches('$').as_bytes().to_vec();
        Self { text, start, end }
    }

    fn matches(&self, name: &[u8]) -> bool {
        let name = name.to_ascii_lowercase();
        match (self.start, self.end) {
            (true, true) => name == self.text,
            (true, false) => name.starts_with(&self.text),
            (false, true) => name.ends_with(&self.text),
            (false, false) => self.text.is_empty() || name.windows(self.text.len()).any(|part| part == self.text),
        }
    }
}

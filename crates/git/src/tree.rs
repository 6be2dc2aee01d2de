//! Directories of a commit: entries, recursive listings and submodules.

use std::collections::HashMap;

use gix::Repository;
use gix::objs::{Kind, TreeRefIter};
use serde::Serialize;

use crate::error::{corrupt, not_found};
use crate::{ByteString, GitError, Oid, Repo, RepoPath, Result};

/// The deepest nesting that recursive walks follow.
const MAX_DEPTH: usize = 200;
/// The largest `.gitmodules` that is read.
const MAX_GITMODULES: u64 = 1 << 20;

/// Says what a tree entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EntryKind {
    /// A directory.
    Tree,
    /// A file.
    Blob,
    /// A file that may be run.
    Executable,
    /// A symbolic link.
    Symlink,
    /// A commit of another repository.
    Submodule,
}

impl EntryKind {
    /// Reads the mode as a tree stores it.
    pub fn from_mode(mode: u32) -> Self {
        match mode & 0o170_000 {
            0o040_000 => Self::Tree,
            0o120_000 => Self::Symlink,
            0o160_000 => Self::Submodule,
            _ if mode & 0o111 != 0 => Self::Executable,
            _ => Self::Blob,
        }
    }

    /// Returns the mode as six octal digits.
    pub fn mode(self) -> &'static str {
        match self {
            Self::Tree => "040000",
            Self::Blob => "100644",
            Self::Executable => "100755",
            Self::Symlink => "120000",
            Self::Submodule => "160000",
        }
    }

    /// Tells whether the entry is a regular file.
    pub fn is_file(self) -> bool {
        matches!(self, Self::Blob | Self::Executable)
    }

    pub(crate) fn to_gix(self) -> gix::objs::tree::EntryKind {
        use gix::objs::tree::EntryKind as Gix;
        match self {
            Self::Tree => Gix::Tree,
            Self::Blob => Gix::Blob,
            Self::Executable => Gix::BlobExecutable,
            Self::Symlink => Gix::Link,
            Self::Submodule => Gix::Commit,
        }
    }
}

/// Is one entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The name within its directory.
    pub name: ByteString,
    /// The path from the root of the tree.
    pub path: ByteString,
    /// What it is.
    pub kind: EntryKind,
    /// The object it names.
    pub oid: Oid,
}

/// Is one page of a recursive listing.
#[derive(Clone, Debug, Serialize)]
pub struct EntryPage {
    /// The entries of the page, directories before what they hold.
    pub items: Vec<Entry>,
    /// Tells whether more entries follow.
    pub more: bool,
}

impl Repo {
    /// Lists the directory `dir` of a commit or tree: directories first, then files, both by name.
    pub async fn list_dir(&self, revision: Oid, dir: &RepoPath) -> Result<Vec<Entry>> {
        let dir = dir.clone();
        self.read(move |repo| {
            let mut entries = read_dir(repo, tree_at(repo, revision, &dir)?, dir.as_bytes())?;
            entries.sort_by(|a, b| (a.kind != EntryKind::Tree, &a.name).cmp(&(b.kind != EntryKind::Tree, &b.name)));
            Ok(entries)
        })
        .await
    }

    /// Lists everything below `dir`, leaving out the first `skip` entries.
    pub async fn list_recursive(&self, revision: Oid, dir: &RepoPath, skip: usize, limit: usize) -> Result<EntryPage> {
        let dir = dir.clone();
        self.read(move |repo| {
            let mut items = Vec::new();
            let wanted = skip.saturating_add(limit);
            let mut seen = 0;
            let complete = walk_tree(repo, tree_at(repo, revision, &dir)?, dir.as_bytes(), &mut |entry| {
                seen += 1;
                if seen > skip && seen <= wanted {
                    items.push(entry);
                }
                seen <= wanted
            })?;
            Ok(EntryPage { items, more: !complete })
        })
        .await
    }

    /// Lists the paths of all files, at most `limit`, and tells whether that was all.
    pub async fn list_paths(&self, revision: Oid, limit: usize) -> Result<(Vec<ByteString>, bool)> {
        self.read(move |repo| {
            let mut paths = Vec::new();
            let complete = walk_tree(repo, tree_at(repo, revision, &RepoPath::root())?, b"", &mut |entry| {
                if entry.kind == EntryKind::Tree {
                    return true;
                }
                let room = paths.len() < limit;
                if room {
                    paths.push(entry.path);
                }
                room
            })?;
            Ok((paths, complete))
        })
        .await
    }

    /// Finds the entry at `path`; the root is an entry without a name.
    pub async fn entry(&self, revision: Oid, path: &RepoPath) -> Result<Entry> {
        let path = path.clone();
        self.read(move |repo| find_entry(repo, revision, &path)?.ok_or_else(|| not_found(path.lossy()))).await
    }

    /// Returns the size in bytes of each object that exists.
    pub async fn sizes(&self, oids: Vec<Oid>) -> Result<HashMap<Oid, u64>> {
        self.read(move |repo| {
            let mut sizes = HashMap::with_capacity(oids.len());
            for oid in &oids {
                if let Some(header) = repo.try_find_header(oid.0)? {
                    sizes.insert(*oid, header.size());
                }
            }
            Ok(sizes)
        })
        .await
    }

    /// Reads `.gitmodules`: the URL of each submodule by its path.
    pub async fn submodule_urls(&self, revision: Oid) -> Result<HashMap<ByteString, String>> {
        let path = RepoPath::new(".gitmodules")?;
        match self.blob_at(revision, &path, MAX_GITMODULES).await {
            Ok(blob) => Ok(parse_gitmodules(&String::from_utf8_lossy(&blob.data))),
            Err(GitError::NotFound(_)) => Ok(HashMap::new()),
            Err(error) => Err(error),
        }
    }
}

/// Returns the tree of a commit, tag or tree.
pub(crate) fn root_tree(repo: &Repository, revision: Oid) -> Result<Oid> {
    if revision == Oid::empty_tree() {
        return Ok(revision);
    }
    let object = repo.try_find_object(revision.0)?.ok_or_else(|| not_found(format!("revision {revision}")))?;
    if object.kind == Kind::Blob {
        return Err(not_found(format!("tree of {revision}")));
    }
    Ok(Oid(object.peel_to_tree()?.id))
}

/// Returns the tree of the directory at `dir`.
pub(crate) fn tree_at(repo: &Repository, revision: Oid, dir: &RepoPath) -> Result<Oid> {
    match find_entry(repo, revision, dir)? {
        Some(entry) if entry.kind == EntryKind::Tree => Ok(entry.oid),
        _ => Err(not_found(format!("directory {}", dir.lossy()))),
    }
}

pub(crate) fn find_entry(repo: &Repository, revision: Oid, path: &RepoPath) -> Result<Option<Entry>> {
    let root = root_tree(repo, revision)?;
    let mut found = (root, EntryKind::Tree);
    for name in path.components() {
        if found.1 != EntryKind::Tree {
            return Ok(None);
        }
        let Some(next) = child(repo, found.0, name)? else { return Ok(None) };
        found = next;
    }
    let (oid, kind) = found;
    Ok(Some(Entry { name: path.file_name(), path: path.as_bytes().into(), kind, oid }))
}

/// Finds one entry of a tree.
pub(crate) fn child(repo: &Repository, tree: Oid, name: &[u8]) -> Result<Option<(Oid, EntryKind)>> {
    let data = tree_data(repo, tree)?;
    for entry in tree_iter(&data) {
        let entry = entry.map_err(corrupt)?;
        if entry.filename == name {
            return Ok(Some((Oid(entry.oid.to_owned()), EntryKind::from_mode(entry.mode.value().into()))));
        }
    }
    Ok(None)
}

/// Returns the bytes of a tree object.
pub(crate) fn tree_data(repo: &Repository, tree: Oid) -> Result<Vec<u8>> {
    if tree == Oid::empty_tree() {
        return Ok(Vec::new());
    }
    let object = repo.try_find_object(tree.0)?.ok_or_else(|| corrupt(format!("tree {tree} is missing")))?;
    if object.kind != Kind::Tree {
        return Err(corrupt(format!("{tree} is no tree")));
    }
    Ok(object.detach().data)
}

pub(crate) fn tree_iter(data: &[u8]) -> TreeRefIter<'_> {
    TreeRefIter::from_bytes(data, gix::hash::Kind::Sha1)
}

pub(crate) fn read_dir(repo: &Repository, tree: Oid, dir: &[u8]) -> Result<Vec<Entry>> {
    let data = tree_data(repo, tree)?;
    let entries = tree_iter(&data).map(|entry| {
        let entry = entry.map_err(corrupt)?;
        let path = if dir.is_empty() { entry.filename.to_vec() } else { [dir, b"/", entry.filename].concat() };
        let kind = EntryKind::from_mode(entry.mode.value().into());
        Ok(Entry { name: entry.filename.to_vec().into(), path: path.into(), kind, oid: Oid(entry.oid.to_owned()) })
    });
    entries.collect()
}

/// Visits everything below a tree, directories before what they hold, until `visit` returns false.
///
/// Returns whether the walk came to its end.
pub(crate) fn walk_tree(
    repo: &Repository,
    tree: Oid,
    dir: &[u8],
    visit: &mut dyn FnMut(Entry) -> bool,
) -> Result<bool> {
    let mut stack = vec![read_dir(repo, tree, dir)?.into_iter()];
    while let Some(level) = stack.last_mut() {
        let Some(entry) = level.next() else {
            stack.pop();
            continue;
        };
        let below = (entry.kind == EntryKind::Tree).then(|| (entry.oid, entry.path.clone()));
        if !visit(entry) {
            return Ok(false);
        }
        if let Some((oid, path)) = below {
            if stack.len() >= MAX_DEPTH {
                return Err(GitError::TooLarge("the nesting of directories".into()));
            }
            stack.push(read_dir(repo, oid, &path)?.into_iter());
        }
    }
    Ok(true)
}

/// Reads `path = …` and `url = …` of each section; what is malformed is skipped.
fn parse_gitmodules(text: &str) -> HashMap<ByteString, String> {
    let mut modules = HashMap::new();
    let (mut path, mut url): (Option<String>, Option<String>) = (None, None);
    for line in text.lines().map(str::trim).chain(["["]) {
        if line.starts_with('[') {
            if let (Some(path), Some(url)) = (path.take(), url.take()) {
                modules.insert(path.trim_end_matches('/').to_owned().into(), url);
            }
            (path, url) = (None, None);
        } else if let Some((key, value)) = line.split_once('=') {
            let value = value.trim().trim_matches('"').to_owned();
            match key.trim().to_ascii_lowercase().as_str() {
                "path" => path = Some(value),
                "url" => url = Some(value),
                _ => {}
            }
        }
    }
    modules
}

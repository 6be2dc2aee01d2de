//! Commits made without a work tree.

use std::collections::BTreeMap;

use gix::Repository;
use gix::objs::Tree;

use crate::commit::read_commit;
use crate::error::not_found;
use crate::tree::{Entry, EntryKind, find_entry, root_tree, tree_data};
use crate::{GitError, Oid, RefChange, RefName, Repo, RepoPath, Result, Signature};

/// Is one change of a commit to make.
#[derive(Clone, Debug)]
pub enum Action {
    /// Adds a file that must not exist.
    Create {
        /// Where.
        path: RepoPath,
        /// Its contents.
        content: Vec<u8>,
        /// Whether it may be run.
        executable: bool,
    },
    /// Replaces the contents of a file.
    Update {
        /// Which file.
        path: RepoPath,
        /// Its contents.
        content: Vec<u8>,
    },
    /// Removes a file.
    Delete {
        /// Which file.
        path: RepoPath,
    },
    /// Gives a file another path.
    Move {
        /// The path now.
        from: RepoPath,
        /// The path to be.
        to: RepoPath,
        /// New contents, if they change as well.
        content: Option<Vec<u8>>,
    },
    /// Makes a file runnable, or not.
    Chmod {
        /// Which file.
        path: RepoPath,
        /// Whether it may be run.
        executable: bool,
    },
}

/// Is a commit to make on a branch.
#[derive(Clone, Debug)]
pub struct CommitRequest {
    /// The branch, which is created if it does not exist.
    pub branch: RefName,
    /// Where the branch must be: [`Oid::zero`] for "must not exist", nothing for "wherever it is".
    pub expected_tip: Option<Oid>,
    /// The parent of the commit if the branch does not exist, or is to be reset; none for a first commit.
    pub start: Option<Oid>,
    /// Whether to reset an existing branch to `start` first.
    pub reset: bool,
    /// The changes, in order.
    pub actions: Vec<Action>,
    /// Paths that must still have been changed last by the given commit.
    pub unchanged_since: Vec<(RepoPath, Oid)>,
    /// Who wrote it.
    pub author: Signature,
    /// Who commits it.
    pub committer: Signature,
    /// The message.
    pub message: Vec<u8>,
}

/// Holds what a commit object consists of.
#[derive(Clone, Debug)]
pub struct CommitDraft {
    /// The tree.
    pub tree: Oid,
    /// The parents.
    pub parents: Vec<Oid>,
    /// Who wrote it.
    pub author: Signature,
    /// Who commits it.
    pub committer: Signature,
    /// The message.
    pub message: Vec<u8>,
}

impl Repo {
    /// Makes a commit on a branch and returns the ref's change; all or nothing.
    pub async fn commit_changes(&self, request: CommitRequest) -> Result<RefChange> {
        let change = self.prepare_commit(request).await?;
        self.update_refs(std::slice::from_ref(&change)).await?;
        Ok(change)
    }

    /// Writes the objects of a commit and returns the change of the branch, which is left to the caller.
    pub async fn prepare_commit(&self, request: CommitRequest) -> Result<RefChange> {
        let CommitRequest { branch, expected_tip, start, reset, actions, unchanged_since, author, committer, message } =
            request;
        if !branch.is_branch() {
            return Err(GitError::InvalidName(format!("{branch} is no branch")));
        }
        let name = branch.clone();
        let tip = self.read(move |repo| crate::refs::find_ref(repo, &name)).await?;
        let old = tip.unwrap_or_else(Oid::zero);
        if expected_tip.is_some_and(|expected| expected != old) {
            return Err(GitError::Conflict(format!("{} has changed in the meantime", branch.short())));
        }
        let parent = if reset { start } else { tip.or(start) };
        self.check_unchanged(parent, &unchanged_since).await?;
        let tree = self.read(move |repo| edit(repo, parent, &actions)).await?;
        let parents = parent.into_iter().collect();
        let new = self.write_commit(CommitDraft { tree, parents, author, committer, message }).await?;
        Ok(RefChange { name: branch, old: Some(old), new })
    }

    async fn check_unchanged(&self, tip: Option<Oid>, paths: &[(RepoPath, Oid)]) -> Result<()> {
        for (path, expected) in paths {
            if self.last_commit_of(tip.unwrap_or_else(Oid::zero), path).await? != Some(*expected) {
                return Err(GitError::Conflict(format!("{path} has changed in the meantime")));
            }
        }
        Ok(())
    }

    /// Finds the last commit that changed a path, if any did.
    pub async fn last_commit_of(&self, tip: Oid, path: &RepoPath) -> Result<Option<Oid>> {
        if tip.is_zero() {
            return Ok(None);
        }
        let query = crate::log::LogQuery { path: path.clone(), ..crate::log::LogQuery::of(tip, 1) };
        Ok(self.log_ids(query).await?.first().copied())
    }

    /// Writes a commit object, which no ref points to yet.
    pub async fn write_commit(&self, draft: CommitDraft) -> Result<Oid> {
        let mut message = draft.message;
        message.retain(|b| *b != 0);
        if !message.ends_with(b"\n") {
            message.push(b'\n');
        }
        let commit = gix::objs::Commit {
            tree: draft.tree.0,
            parents: draft.parents.iter().map(|parent| parent.0).collect(),
            author: draft.author.to_gix(),
            committer: draft.committer.to_gix(),
            encoding: None,
            message: message.into(),
            extra_headers: Vec::new(),
        };
        self.read(move |repo| Ok(Oid(repo.write_object(&commit)?.detach()))).await
    }

    /// Writes a blob, which no tree points to yet.
    pub async fn write_blob(&self, content: Vec<u8>) -> Result<Oid> {
        self.read(move |repo| Ok(Oid(repo.write_blob(&content)?.detach()))).await
    }
}

/// Applies the actions to the tree of `parent` and returns the new tree.
fn edit(repo: &Repository, parent: Option<Oid>, actions: &[Action]) -> Result<Oid> {
    let base = match parent {
        Some(parent) => Oid(read_commit(repo, parent)?.tree.0),
        None => Oid::empty_tree(),
    };
    let mut draft = TreeDraft { repo, base, edits: BTreeMap::new() };
    for action in actions {
        draft.apply(action)?;
    }
    write_tree(repo, base, &draft.edits)
}

/// What a path is to become: an object, or nothing.
pub(crate) type Edit = Option<(Oid, EntryKind)>;

/// Writes `base` with the edits applied.
pub(crate) fn write_tree(repo: &Repository, base: Oid, edits: &BTreeMap<RepoPath, Edit>) -> Result<Oid> {
    let data = tree_data(repo, root_tree(repo, base)?)?;
    let root: Tree = gix::objs::TreeRef::from_bytes(&data, gix::hash::Kind::Sha1)?.into();
    let mut editor = gix::objs::tree::Editor::new(root, &repo.objects, gix::hash::Kind::Sha1);
    // Removals come first, so that a file can make room for a directory of the same name.
    for (path, _) in edits.iter().filter(|(_, edit)| edit.is_none()) {
        editor.remove(path.components())?;
    }
    for (path, edit) in edits {
        if let Some((oid, kind)) = edit {
            editor.upsert(path.components(), kind.to_gix(), oid.0)?;
        }
    }
    let written = editor.write(|tree| repo.write_object(tree).map(gix::Id::detach))?;
    Ok(Oid(written))
}

struct TreeDraft<'a> {
    repo: &'a Repository,
    base: Oid,
    edits: BTreeMap<RepoPath, Edit>,
}

impl TreeDraft<'_> {
    fn apply(&mut self, action: &Action) -> Result<()> {
        match action {
            Action::Create { path, content, executable } => {
                self.check_free(path)?;
                self.put(path, content, file_kind(*executable))
            }
            Action::Update { path, content } => {
                let kind = self.file(path)?.1;
                self.put(path, content, kind)
            }
            Action::Delete { path } => {
                self.file(path)?;
                self.edits.insert(path.clone(), None);
                Ok(())
            }
            Action::Move { from, to, content } => self.rename(from, to, content.as_deref()),
            Action::Chmod { path, executable } => {
                let (oid, kind) = self.file(path)?;
                if !kind.is_file() {
                    return Err(GitError::Conflict(format!("{path} is no regular file")));
                }
                self.edits.insert(path.clone(), Some((oid, file_kind(*executable))));
                Ok(())
            }
        }
    }

    fn rename(&mut self, from: &RepoPath, to: &RepoPath, content: Option<&[u8]>) -> Result<()> {
        let (oid, kind) = self.file(from)?;
        self.edits.insert(from.clone(), None);
        self.check_free(to)?;
        match content {
            Some(content) => self.put(to, content, kind),
            None => {
                self.edits.insert(to.clone(), Some((oid, kind)));
                Ok(())
            }
        }
    }

    fn put(&mut self, path: &RepoPath, content: &[u8], kind: EntryKind) -> Result<()> {
        let oid = Oid(self.repo.write_blob(content)?.detach());
        self.edits.insert(path.clone(), Some((oid, kind)));
        Ok(())
    }

    /// Returns what is at `path` after the edits so far.
    fn at(&self, path: &RepoPath) -> Result<Edit> {
        if let Some(edit) = self.edits.get(path) {
            return Ok(*edit);
        }
        let below: Vec<&Edit> = self.below(path).collect();
        if below.iter().any(|edit| edit.is_some()) {
            return Ok(Some((Oid::empty_tree(), EntryKind::Tree)));
        }
        let found: Option<Entry> = find_entry(self.repo, self.base, path)?;
        Ok(found.map(|entry| (entry.oid, entry.kind)))
    }

    /// Returns the edits inside the directory `path`.
    fn below(&self, path: &RepoPath) -> impl Iterator<Item = &Edit> {
        let prefix = [path.as_bytes(), b"/"].concat();
        let edits = self.edits.range(path.clone()..).skip_while(|(key, _)| key.as_bytes() == path.as_bytes());
        let possible = edits.take_while({
            let start = path.as_bytes().to_vec();
            move |(key, _)| key.as_bytes().starts_with(&start)
        });
        possible.filter(move |(key, _)| key.as_bytes().starts_with(&prefix)).map(|(_, edit)| edit)
    }

    fn file(&self, path: &RepoPath) -> Result<(Oid, EntryKind)> {
        match self.at(path)? {
            Some((_, EntryKind::Tree)) => Err(GitError::Conflict(format!("{path} is a directory"))),
            Some(file) => Ok(file),
            None => Err(not_found(format!("file {path}"))),
        }
    }

    /// Makes sure that a file can be put at `path`.
    fn check_free(&self, path: &RepoPath) -> Result<()> {
        if !path.is_writable() {
            return Err(GitError::InvalidName(format!("{path:?} is not a valid path of a file")));
        }
        if let Some((_, kind)) = self.at(path)? {
            let what = if kind == EntryKind::Tree { "directory" } else { "file" };
            return Err(GitError::Conflict(format!("a {what} named {path} exists already")));
        }
        let mut dir = path.parent();
        while !dir.is_root() {
            if self.at(&dir)?.is_some_and(|(_, kind)| kind != EntryKind::Tree) {
                return Err(GitError::Conflict(format!("{dir} is a file, not a directory")));
            }
            dir = dir.parent();
        }
        Ok(())
    }
}

fn file_kind(executable: bool) -> EntryKind {
    if executable { EntryKind::Executable } else { EntryKind::Blob }
}

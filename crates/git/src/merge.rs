//! Merges, cherry-picks and reverts without a work tree.

use crate::error::corrupt;
use crate::log::parse_ids;
use crate::write::CommitDraft;
use crate::{ByteString, Commit, GitError, Oid, Repo, Result, Signature};

/// The most commits that one rebase carries over.
const MAX_REBASE: usize = 1000;

impl Repo {
    /// Merges the trees of two commits and returns the resulting tree.
    ///
    /// Conflicts are a [`GitError::MergeConflict`] that names the paths.
    pub async fn merge_tree(&self, ours: Oid, theirs: Oid) -> Result<Oid> {
        let command = self.git("merge-tree").args(["--write-tree", "--name-only", "--no-messages", "-z"]);
        let command = command.arg("--allow-unrelated-histories").args([ours.to_string(), theirs.to_string()]);
        let output = command.run_any(Vec::new()).await?;
        let mut fields = output.stdout.split(|b| *b == 0).filter(|field| !field.is_empty());
        match output.code {
            Some(0) => Oid::from_hex(fields.next().unwrap_or_default().trim_ascii()).map_err(corrupt),
            Some(1) => {
                let mut paths: Vec<ByteString> = fields.skip(1).map(ByteString::from).collect();
                paths.dedup();
                Err(GitError::MergeConflict(paths))
            }
            _ => Err(GitError::Command { command: "merge-tree".into(), stderr: output.stderr }),
        }
    }

    /// Tells whether two commits merge without conflicts.
    pub async fn can_merge(&self, ours: Oid, theirs: Oid) -> Result<bool> {
        match self.merge_tree(ours, theirs).await {
            Ok(_) => Ok(true),
            Err(GitError::MergeConflict(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Writes the commit that merges `theirs` into `ours`; moving a ref is left to the caller.
    pub async fn merge_commit(
        &self,
        ours: Oid,
        theirs: Oid,
        author: Signature,
        committer: Signature,
        message: Vec<u8>,
    ) -> Result<Oid> {
        let tree = self.merge_tree(ours, theirs).await?;
        self.write_commit(CommitDraft { tree, parents: vec![ours, theirs], author, committer, message }).await
    }

    /// Writes one commit on `ours` that brings everything `theirs` has; moving a ref is left to the caller.
    pub async fn squash_commit(
        &self,
        ours: Oid,
        theirs: Oid,
        author: Signature,
        committer: Signature,
        message: Vec<u8>,
    ) -> Result<Oid> {
        let tree = self.merge_tree(ours, theirs).await?;
        self.write_commit(CommitDraft { tree, parents: vec![ours], author, committer, message }).await
    }

    /// Writes a commit on `onto` with the change of `commit`; moving a ref is left to the caller.
    ///
    /// A merge is taken as its change compared to the first parent. A change that `onto` has already is a
    /// [`GitError::Conflict`].
    pub async fn cherry_pick(
        &self,
        commit: Oid,
        onto: Oid,
        committer: Signature,
        message: Option<Vec<u8>>,
    ) -> Result<Oid> {
        let picked = self.commit(commit).await?;
        let base = self.base_tree(&picked).await?;
        let message = message.unwrap_or_else(|| picked.message.to_vec());
        self.apply_change([base, picked.tree], onto, picked.author, committer, message).await
    }

    /// Writes a commit on `onto` that undoes the change of `commit`; moving a ref is left to the caller.
    pub async fn revert(
        &self,
        commit: Oid,
        onto: Oid,
        author: Signature,
        committer: Signature,
        message: Option<Vec<u8>>,
    ) -> Result<Oid> {
        let reverted = self.commit(commit).await?;
        let base = self.base_tree(&reverted).await?;
        let message = message.unwrap_or_else(|| revert_message(&reverted));
        self.apply_change([reverted.tree, base], onto, author, committer, message).await
    }

    /// Writes the commits that `tip` has and `onto` has not anew on top of `onto`, and returns the last one.
    ///
    /// Merges and changes that are there already are left out; moving a ref is left to the caller.
    pub async fn rebase(&self, tip: Oid, onto: Oid, committer: Signature) -> Result<Oid> {
        let range = format!("{onto}..{tip}");
        let limit = format!("--max-count={}", MAX_REBASE + 1);
        let command = self.git("rev-list").args(["--reverse", "--topo-order", "--no-merges", &limit, &range, "--"]);
        let commits = parse_ids(&command.run().await?)?;
        if commits.len() > MAX_REBASE {
            return Err(GitError::TooLarge("the list of commits to rebase".into()));
        }
        let mut head = onto;
        for commit in commits {
            match self.cherry_pick(commit, head, committer.clone(), None).await {
                Ok(picked) => head = picked,
                Err(GitError::Conflict(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(head)
    }

    async fn base_tree(&self, commit: &Commit) -> Result<Oid> {
        match commit.parents.first() {
            Some(parent) => Ok(self.commit(*parent).await?.tree),
            None => Ok(Oid::empty_tree()),
        }
    }

    /// Applies what leads from one tree to another on top of a commit.
    async fn apply_change(
        &self,
        [from, to]: [Oid; 2],
        onto: Oid,
        author: Signature,
        committer: Signature,
        message: Vec<u8>,
    ) -> Result<Oid> {
        let current = self.commit(onto).await?.tree;
        let tree = self.three_way(from, current, to, &committer).await?;
        if tree == current {
            return Err(GitError::Conflict("the change is there already, so nothing is left to commit".into()));
        }
        self.write_commit(CommitDraft { tree, parents: vec![onto], author, committer, message }).await
    }

    /// Merges two trees that came from a third.
    ///
    /// Git takes the base of a merge from the history (`--merge-base` is younger than the oldest git that is
    /// supported), so the trees get a history of their own, which is never referred to and pruned later.
    async fn three_way(&self, base: Oid, ours: Oid, theirs: Oid, by: &Signature) -> Result<Oid> {
        let draft = |tree: Oid, parents: Vec<Oid>| CommitDraft {
            tree,
            parents,
            author: by.clone(),
            committer: by.clone(),
            message: b"temporary".to_vec(),
        };
        if base == Oid::empty_tree() {
            self.write_empty_tree().await?;
        }
        let root = self.write_commit(draft(base, Vec::new())).await?;
        let ours = self.write_commit(draft(ours, vec![root])).await?;
        let theirs = self.write_commit(draft(theirs, vec![root])).await?;
        self.merge_tree(ours, theirs).await
    }

    /// Stores the empty tree, which git knows without but `fsck` wants to see.
    async fn write_empty_tree(&self) -> Result<()> {
        self.read(|repo| {
            repo.write_object(gix::objs::Tree::empty())?;
            Ok(())
        })
        .await
    }
}

fn revert_message(commit: &Commit) -> Vec<u8> {
    let mut message = b"Revert \"".to_vec();
    message.extend_from_slice(&commit.title());
    message.extend_from_slice(format!("\"\n\nThis reverts commit {}.\n", commit.id).as_bytes());
    message
}

//! A bare repository with a work tree that real git commits and pushes from.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::process::Command;

use git::{Oid, Repo, RepoPath, Signature};
use tempfile::TempDir;

pub(crate) struct World {
    pub(crate) dir: TempDir,
    pub(crate) repo: Repo,
    clock: Cell<i64>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let repo = Repo::init(dir.path().join("bare.git"), "main").await.unwrap();
        let world = Self { dir, repo, clock: Cell::new(1_700_000_000) };
        world.run(world.dir.path(), &["init", "-q", "-b", "main", "work"]);
        world.git(&["remote", "add", "origin", "../bare.git"]);
        world
    }

    pub(crate) fn work(&self) -> PathBuf {
        self.dir.path().join("work")
    }

    /// Runs git in the work tree.
    pub(crate) fn git(&self, args: &[&str]) -> String {
        self.run(&self.work(), args)
    }

    /// Runs git in the bare repository.
    pub(crate) fn bare(&self, args: &[&str]) -> String {
        self.run(self.repo.path(), args)
    }

    fn run(&self, dir: &Path, args: &[&str]) -> String {
        self.clock.set(self.clock.get() + 60);
        let output = command(dir, args, self.clock.get()).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {args:?}: {stderr}");
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.work().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// Commits everything and pushes all branches and tags.
    pub(crate) fn commit(&self, message: &str) -> Oid {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.push();
        self.tip()
    }

    /// Writes one file and commits it.
    pub(crate) fn commit_file(&self, path: &str, content: &str) -> Oid {
        self.write(path, content);
        self.commit(&format!("Change {path}"))
    }

    pub(crate) fn push(&self) {
        self.git(&["push", "-q", "--force", "origin", "--all"]);
        self.git(&["push", "-q", "--force", "origin", "--tags"]);
    }

    pub(crate) fn tip(&self) -> Oid {
        self.git(&["rev-parse", "HEAD"]).parse().unwrap()
    }

    pub(crate) fn fsck(&self) {
        self.bare(&["fsck", "--strict", "--full"]);
    }
}

pub(crate) fn command(dir: &Path, args: &[&str], clock: i64) -> Command {
    let mut command = Command::new("git");
    let date = format!("{clock} +0130");
    command.current_dir(dir).args(args).envs([
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_TERMINAL_PROMPT", "0"),
        ("GIT_AUTHOR_NAME", "Ada"),
        ("GIT_AUTHOR_EMAIL", "ada@example.com"),
        ("GIT_COMMITTER_NAME", "Bob"),
        ("GIT_COMMITTER_EMAIL", "bob@example.com"),
        ("GIT_AUTHOR_DATE", &date),
        ("GIT_COMMITTER_DATE", &date),
    ]);
    command
}

pub(crate) fn path(text: &str) -> RepoPath {
    RepoPath::new(text).unwrap()
}

pub(crate) fn someone() -> Signature {
    Signature::new("Eve", "eve@example.com", 1_700_500_000, 7200)
}

/// Reads a stream to its end.
pub(crate) async fn collect(stream: git::ByteStream) -> std::io::Result<Vec<u8>> {
    use futures_util::TryStreamExt;
    let chunks: Vec<bytes::Bytes> = stream.try_collect().await?;
    Ok(chunks.concat())
}

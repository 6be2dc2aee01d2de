//! Housekeeping: packs, commit-graph, pruning, leftovers, sizes and checks.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::Serialize;

use crate::error::corrupt;
use crate::{Repo, Result};

/// How long one housekeeping command may take.
const TIMEOUT: Duration = Duration::from_secs(4 * 3600);
/// A lock or temporary file older than this belongs to no running process.
const STALE: Duration = Duration::from_secs(3 * 3600);
/// Packs above which all are put into one.
const MANY_PACKS: usize = 40;

/// Says how thorough housekeeping is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// Puts small packs and loose objects together; cheap after each push.
    Quick,
    /// Rewrites everything into one pack with bitmaps, and prunes what nothing refers to.
    Full,
}

/// Says what a check of a repository found.
#[derive(Clone, Debug, Serialize)]
pub struct FsckReport {
    /// Whether nothing is wrong.
    pub ok: bool,
    /// What git complained about, at most a hundred lines.
    pub problems: Vec<String>,
}

impl Repo {
    /// Tidies the repository; unreachable objects younger than `grace` are kept for pushes under way.
    pub async fn gc(&self, effort: Effort, grace: Duration) -> Result<()> {
        self.remove_leftovers(STALE).await?;
        self.housekeeping("pack-refs", &["--all", "--prune"]).await?;
        let borrows = tokio::fs::try_exists(self.path().join("objects/info/alternates")).await?;
        let keep = format!("--expire={}", expiry(grace));
        if effort == Effort::Full || self.pack_count().await? > MANY_PACKS {
            self.repack_all(borrows).await?;
            self.housekeeping("prune", &[&keep]).await?;
        } else {
            self.housekeeping("repack", &["-d", "-q", "--geometric=2", "--write-midx"]).await?;
            self.housekeeping("prune-packed", &["-q"]).await?;
        }
        self.write_commit_graph().await?;
        self.forget();
        Ok(())
    }

    /// Puts all objects into one pack; unreachable ones become loose, to be pruned by age.
    async fn repack_all(&self, borrows: bool) -> Result<()> {
        // A bitmap must cover every object, which a repository that borrows objects can't promise.
        let mut arguments = vec!["-A", "-d", "-q"];
        arguments.push(if borrows { "-l" } else { "-b" });
        self.housekeeping("repack", &arguments).await
    }

    /// Brings the commit-graph with its filters of changed paths up to date.
    pub async fn write_commit_graph(&self) -> Result<()> {
        let arguments = ["write", "--reachable", "--changed-paths", "--split", "--no-progress"];
        self.housekeeping("commit-graph", &arguments).await?;
        self.forget();
        Ok(())
    }

    async fn housekeeping(&self, subcommand: &'static str, arguments: &[&str]) -> Result<()> {
        let command = self.git(subcommand).args(arguments).timeout(TIMEOUT);
        command.run().await.map(drop)
    }

    async fn pack_count(&self) -> Result<usize> {
        let mut entries = tokio::fs::read_dir(self.path().join("objects/pack")).await?;
        let mut count = 0;
        while let Some(entry) = entries.next_entry().await? {
            count += usize::from(entry.path().extension().is_some_and(|extension| extension == "pack"));
        }
        Ok(count)
    }

    /// Removes locks, temporary files and quarantines that killed processes left, and returns how many.
    pub async fn remove_leftovers(&self, older_than: Duration) -> Result<usize> {
        let root = self.path().to_owned();
        let work = tokio::task::spawn_blocking(move || remove_leftovers(&root, older_than));
        Ok(work.await.map_err(corrupt)??)
    }

    /// Returns the bytes that the repository takes on disk.
    pub async fn size(&self) -> Result<u64> {
        let root = self.path().to_owned();
        let work = tokio::task::spawn_blocking(move || {
            let mut total = 0;
            visit_files(&root, &mut |_, metadata| total += metadata.len());
            total
        });
        work.await.map_err(corrupt)
    }

    /// Checks that everything the refs lead to is there and sound.
    pub async fn fsck(&self) -> Result<FsckReport> {
        let command = self.git("fsck").args(["--no-dangling", "--no-progress", "--full", "--connectivity-only"]);
        let output = command.timeout(TIMEOUT).run_any(Vec::new()).await?;
        let stdout = String::from_utf8_lossy(&output.stdout);
        let lines = stdout.lines().chain(output.stderr.lines()).filter(|line| !line.starts_with("notice: "));
        let problems = lines.take(100).map(str::to_owned).collect();
        Ok(FsckReport { ok: output.code == Some(0), problems })
    }
}

fn expiry(grace: Duration) -> String {
    if grace.is_zero() { "now".to_owned() } else { format!("{}.seconds.ago", grace.as_secs()) }
}

fn remove_leftovers(root: &Path, older_than: Duration) -> std::io::Result<usize> {
    let Some(limit) = SystemTime::now().checked_sub(older_than) else { return Ok(0) };
    let mut stale: Vec<PathBuf> = Vec::new();
    visit_files(root, &mut |path, metadata| {
        let old = metadata.modified().is_ok_and(|modified| modified < limit);
        if old && is_temporary(root, path) {
            stale.push(path.to_owned());
        }
    });
    stale.iter().try_for_each(remove)?;
    let mut removed = stale.len();
    for entry in std::fs::read_dir(root.join("objects"))?.filter_map(Result::ok) {
        let quarantine = entry.file_name().to_string_lossy().starts_with("tmp_objdir-");
        let old = entry.metadata().and_then(|metadata| metadata.modified()).is_ok_and(|modified| modified < limit);
        if quarantine && old {
            std::fs::remove_dir_all(entry.path())?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// Removes a file; another process may have been faster.
fn remove(path: &PathBuf) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Recognises git's locks (no ref ends with `.lock`) and its temporary objects and packs.
fn is_temporary(root: &Path, path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let in_objects = path.starts_with(root.join("objects"));
    name.ends_with(".lock") || (in_objects && (name.starts_with("tmp_") || name.starts_with(".tmp-")))
}

/// Visits all files below a folder; those that vanish meanwhile are passed over.
fn visit_files(root: &Path, visit: &mut dyn FnMut(&Path, &std::fs::Metadata)) {
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.filter_map(Result::ok) {
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_dir() {
                folders.push(entry.path());
            } else {
                visit(&entry.path(), &metadata);
            }
        }
    }
}

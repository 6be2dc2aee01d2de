//! A repository on disk and the cache of opened ones.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use gix::open::Options;
use gix::{Repository, ThreadSafeRepository};
use moka::sync::Cache;

use crate::command::Git;
use crate::error::{corrupt, not_found};
use crate::{GitError, RefName, Result};

/// Decoded objects kept per read, which makes walks over neighbouring trees cheap.
const OBJECT_CACHE_BYTES: usize = 8 << 20;
/// Packs that one opened repository can hold; a fixed number spares a listing at each open.
const PACK_SLOTS: u16 = 512;

static OPENED: LazyLock<Cache<PathBuf, Arc<ThreadSafeRepository>>> =
    LazyLock::new(|| Cache::builder().max_capacity(256).time_to_idle(Duration::from_secs(600)).build());

/// Stands for one bare repository on disk; cheap to clone.
#[derive(Clone, Debug)]
pub struct Repo {
    path: Arc<Path>,
}

impl Repo {
    /// Opens the bare repository in `path`.
    pub async fn open(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let exists =
            tokio::fs::try_exists(path.join("HEAD")).await? && tokio::fs::try_exists(path.join("objects")).await?;
        if !exists {
            OPENED.invalidate(&path);
            return Err(not_found("the repository"));
        }
        Ok(Self { path: path.into() })
    }

    /// Creates a bare repository in `path` whose `HEAD` points to the branch `default_branch`.
    pub async fn init(path: impl Into<PathBuf>, default_branch: &str) -> Result<Self> {
        let path = path.into();
        RefName::branch(default_branch)?;
        if tokio::fs::try_exists(path.join("HEAD")).await? {
            return Err(GitError::Conflict("a repository exists there already".into()));
        }
        let branch = format!("--initial-branch={default_branch}");
        Git::new("init").args(["--quiet", "--bare", "--template=", &branch, "--"]).arg(&path).run().await?;
        OPENED.invalidate(&path);
        Ok(Self { path: path.into() })
    }

    /// Returns the folder of the repository.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Drops what is cached of the repository, for when its folder was moved or removed.
    pub fn forget(&self) {
        OPENED.invalidate(&*self.path);
    }

    /// Starts a git command in this repository.
    pub(crate) fn git(&self, subcommand: &'static str) -> Git {
        Git::in_repo(&self.path, subcommand)
    }

    /// Runs `work` on a blocking thread with the repository opened.
    ///
    /// Packs may be replaced under an opened repository; a read that fails on missing data is tried once
    /// more with a freshly opened one.
    pub(crate) async fn read<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&Repository) -> Result<T> + Send + 'static,
    {
        let path = self.path.clone();
        let outcome = tokio::task::spawn_blocking(move || match work(&opened(&path)?) {
            Err(GitError::Corrupt(_)) => {
                OPENED.invalidate(&*path);
                work(&opened(&path)?)
            }
            other => other,
        });
        outcome.await.map_err(corrupt)?
    }
}

/// Returns a thread-local view of the cached repository at `path`.
fn opened(path: &Path) -> Result<Repository> {
    let shared = match OPENED.get(path) {
        Some(shared) => shared,
        None => {
            let opened = Arc::new(open_options().open(path)?);
            OPENED.insert(path.to_owned(), opened.clone());
            opened
        }
    };
    let mut repo = shared.to_thread_local();
    repo.object_cache_size_if_unset(OBJECT_CACHE_BYTES);
    Ok(repo)
}

fn open_options() -> Options {
    Options::isolated()
        .open_path_as_is(true)
        .with(gix::sec::Trust::Full)
        .object_store_slots(gix::odb::store::init::Slots::Given(PACK_SLOTS))
        .config_overrides(["core.useReplaceRefs=false", "gitoxide.objects.noReplace=true"])
}

/// Holds a version of git.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The first number.
    pub major: u32,
    /// The second number.
    pub minor: u32,
    /// The third number.
    pub patch: u32,
}

impl Version {
    /// The oldest version that offers all this crate calls on.
    pub const MINIMUM: Self = Self { major: 2, minor: 38, patch: 0 };

    /// Reads what `git --version` prints.
    pub fn parse(text: &str) -> Option<Self> {
        let numbers = text.trim().strip_prefix("git version ")?;
        let mut parts = numbers.split(['.', ' ', '-']).map(|part| part.parse().ok());
        Some(Self { major: parts.next()??, minor: parts.next()??, patch: parts.next().flatten().unwrap_or(0) })
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// Asks the git binary for its version.
pub async fn version() -> Result<Version> {
    let output = Git::new("version").run().await?;
    let text = String::from_utf8_lossy(&output);
    Version::parse(&text).ok_or_else(|| corrupt(format!("unknown git version {text:?}")))
}

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::Config;
use crate::detect::{Isolation, Level, detect_with};
use crate::error::{Context, Error, Result};
use crate::init::{BUILDS, HOME, JOB_ID, RANGE};

/// Runs jobs, each in a slot with folders and user ids of its own.
#[derive(Clone)]
pub struct Sandbox {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) isolation: Isolation,
    /// Where a hidden folder would be seen through a toolchain's.
    pub(crate) covered: Vec<PathBuf>,
    permits: Arc<Semaphore>,
    free: Mutex<Vec<u32>>,
}

impl Sandbox {
    /// Makes a sandbox, after finding out what the host offers.
    ///
    /// Blocks for a few milliseconds.
    pub fn new(config: Config) -> Result<Self> {
        let isolation = detect_with(&config.init);
        Self::with_isolation(config, isolation)
    }

    /// Makes a sandbox on a host that has been looked at already.
    pub fn with_isolation(config: Config, isolation: Isolation) -> Result<Self> {
        if config.slots == 0 {
            return Err(Error::Invalid("a sandbox needs one slot at least".into()));
        }
        let ids = u64::from(config.first_uid) + u64::from(config.slots) * u64::from(RANGE);
        if config.first_uid == 0 || ids > u64::from(u32::MAX / 2) {
            return Err(Error::Invalid("the slots' user ids must lie between 1 and 2,147,483,647".into()));
        }
        make_private(&config.root).context(|| config.root.display().to_string())?;
        let permits = Arc::new(Semaphore::new(config.slots as usize));
        let free = Mutex::new((0..config.slots).rev().collect());
        let covered = covered(&config);
        Ok(Self { shared: Arc::new(Shared { config, isolation, covered, permits, free }) })
    }

    /// Returns what the host offers.
    pub fn isolation(&self) -> &Isolation {
        &self.shared.isolation
    }

    /// Returns the settings.
    pub fn config(&self) -> &Config {
        &self.shared.config
    }

    /// Returns how many more jobs could start now.
    pub fn free_slots(&self) -> usize {
        self.shared.permits.available_permits()
    }

    /// Waits for a free slot and empties its folders.
    pub async fn acquire(&self) -> Result<Slot> {
        if self.shared.isolation.level == Level::None && !self.shared.config.allow_unisolated {
            let reason = self.shared.isolation.reason.clone();
            return Err(Error::Unavailable(reason.unwrap_or_else(|| "no isolation".into())));
        }
        let permit = Arc::clone(&self.shared.permits).acquire_owned().await;
        let permit = permit.map_err(|_| Error::Unavailable("the sandbox is closed".into()))?;
        let free = self.shared.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let index = free.ok_or_else(|| Error::Unavailable("no slot is free".into()))?;
        let slot = Slot { index, shared: Arc::clone(&self.shared), permit: Some(permit), used: AtomicBool::new(false) };
        slot.renew().await?;
        Ok(slot)
    }
}

/// Finds where folders that must stay unseen would be seen through a toolchain's folder.
fn covered(config: &Config) -> Vec<PathBuf> {
    let hidden = config.hidden.iter().chain([&config.root]).filter_map(|path| path.canonicalize().ok());
    let below =
        |hidden: PathBuf, shown: &PathBuf| Some(shown.join(hidden.strip_prefix(shown.canonicalize().ok()?).ok()?));
    hidden.flat_map(|h| config.read_only.iter().filter_map(move |shown| below(h.clone(), shown))).collect()
}

/// A place for jobs, one at a time; dropping it empties the place and then frees it.
pub struct Slot {
    index: u32,
    pub(crate) shared: Arc<Shared>,
    permit: Option<OwnedSemaphorePermit>,
    used: AtomicBool,
}

impl Slot {
    /// Returns the slot's number.
    pub fn index(&self) -> u32 {
        self.index
    }

    pub(crate) fn folder(&self) -> PathBuf {
        slots_folder(&self.shared.config.root).join(self.index.to_string())
    }

    pub(crate) fn builds(&self) -> PathBuf {
        self.folder().join("builds")
    }

    pub(crate) fn tmp(&self) -> PathBuf {
        self.folder().join("tmp")
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.folder().join("home")
    }

    /// Tells whether steps run without isolation.
    pub(crate) fn is_bare(&self) -> bool {
        self.shared.isolation.level == Level::None
    }

    /// Returns a project's folder as a job of this slot sees it.
    pub fn project_dir(&self, project_path: &str) -> String {
        self.seen(&crate::job::plan::project_dir(project_path))
    }

    /// Returns where the list of untracked files lies, as a job of this slot sees it.
    pub(crate) fn untracked_list(&self) -> PathBuf {
        let home = if self.is_bare() { self.home() } else { HOME.into() };
        home.join(".untracked-files")
    }

    /// Turns a path below the builds folder into the one that a job of this slot sees; leaves every other text.
    pub(crate) fn seen(&self, path: &str) -> String {
        match path.strip_prefix(BUILDS) {
            Some(rest) if self.is_bare() && (rest.is_empty() || rest.starts_with('/')) => {
                format!("{}{rest}", self.builds().display())
            }
            _ => path.to_owned(),
        }
    }

    /// Returns the first outside id of the slot's range, or none when ids cannot be had.
    pub(crate) fn range(&self) -> Option<u32> {
        let config = &self.shared.config;
        (self.shared.isolation.uid_range && !self.is_bare()).then_some(config.first_uid + self.index * RANGE)
    }

    /// Gives a path that the runner made to the job.
    pub(crate) fn give(&self, path: &Path) -> io::Result<()> {
        match self.range() {
            Some(first) => chown(path, Some(first + JOB_ID), Some(first + JOB_ID)),
            None => Ok(()),
        }
    }

    /// Removes all that an earlier job left behind and makes the folders anew.
    pub async fn renew(&self) -> Result<()> {
        self.empty().await?;
        self.prepare()
    }

    /// Makes the slot ready for a job that is the first in it or comes after another.
    pub(crate) async fn begin(&self) -> Result<()> {
        if self.used.swap(true, Ordering::Relaxed) { self.renew().await } else { Ok(()) }
    }

    async fn empty(&self) -> Result<()> {
        let folder = self.folder();
        let result = tokio::task::spawn_blocking(move || remove_tree(&folder)).await;
        result.map_err(io::Error::other).and_then(|r| r).context(|| "emptying a slot".into())
    }

    fn prepare(&self) -> Result<()> {
        let what = || format!("preparing slot {}", self.index);
        make_private(&slots_folder(&self.shared.config.root)).context(what)?;
        make_private(&self.folder()).context(what)?;
        for folder in [self.builds(), self.tmp(), self.home()] {
            DirBuilder::new().mode(0o755).create(&folder).and_then(|()| self.give(&folder)).context(what)?;
        }
        fs::set_permissions(self.tmp(), Permissions::from_mode(0o1777)).context(what)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let (shared, index, folder, permit) = (Arc::clone(&self.shared), self.index, self.folder(), self.permit.take());
        // The next job waits for the cleaning; the result of this one does not.
        std::thread::spawn(move || {
            if let Err(error) = remove_tree(&folder) {
                tracing::warn!(%error, index, "a slot could not be emptied");
            }
            shared.free.lock().unwrap_or_else(PoisonError::into_inner).push(index);
            drop(permit);
        });
    }
}

pub(crate) fn slots_folder(root: &Path) -> PathBuf {
    root.join("slots")
}

pub(crate) fn runs_folder(root: &Path) -> PathBuf {
    root.join("runs")
}

/// Makes a folder that only the server may enter.
pub(crate) fn make_private(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o700))
}

/// Removes a tree that a job may have made hostile: very deep, or with folders that cannot be entered.
pub(crate) fn remove_tree(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Ok(()) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(_) => {}
    }
    // These neither follow links nor recurse on the stack.
    for (program, args) in [("chmod", &["-R", "u+rwX", "--"][..]), ("rm", &["-rf", "--"][..])] {
        Command::new(program).args(args).arg(path).output()?;
    }
    if path.exists() { Err(io::Error::other(format!("{} cannot be removed", path.display()))) } else { Ok(()) }
}

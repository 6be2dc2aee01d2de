//! Records of running steps, so that a server that was killed can clean up when it starts again.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use crate::cgroup::{Groups, remove_group};
use crate::error::{Context, Result};
use crate::slot::{make_private, remove_tree, runs_folder, slots_folder};

#[derive(Debug, Serialize, Deserialize)]
struct Record {
    pid: i32,
    /// The process's start in clock ticks, which tells it from a later one with the same id.
    started: Option<u64>,
    groups: Vec<PathBuf>,
}

/// A step's record on disk; dropping it removes it.
pub(crate) struct Run {
    path: PathBuf,
}

impl Run {
    pub(crate) fn record(root: &Path, name: &str, pid: u32, groups: &Groups) -> io::Result<Self> {
        let folder = runs_folder(root);
        make_private(&folder)?;
        let path = folder.join(format!("{name}.json"));
        let pid = pid as i32;
        let record = Record { pid, started: started(pid), groups: groups.paths.clone() };
        fs::write(&path, serde_json::to_vec(&record)?)?;
        Ok(Self { path })
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Kills jobs of an earlier server that used the folder `root`, and removes what they left.
///
/// Returns how many steps were found. Must be called before any job is started.
pub fn reap_stale(root: &Path) -> Result<usize> {
    let runs = runs_folder(root);
    let mut found = 0;
    for entry in fs::read_dir(&runs).into_iter().flatten().flatten() {
        found += 1;
        match fs::read(entry.path()).map(|text| serde_json::from_slice::<Record>(&text)) {
            Ok(Ok(record)) => end(&record),
            _ => tracing::warn!(record = %entry.path().display(), "a job's record cannot be read"),
        }
        fs::remove_file(entry.path()).context(|| "removing a job's record".into())?;
    }
    remove_tree(&slots_folder(root)).context(|| "removing old builds".into())?;
    Ok(found)
}

fn end(record: &Record) {
    if record.started.is_some() && started(record.pid) == record.started {
        let _ = kill(Pid::from_raw(record.pid), Signal::SIGKILL);
    }
    record.groups.iter().filter(|g| g.starts_with("/sys/fs/cgroup")).for_each(|g| remove_group(g));
}

/// Reads when a process was started.
fn started(pid: i32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name may hold spaces and brackets; the 22nd field is the 20th after it.
    stat.rsplit_once(") ")?.1.split(' ').nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unrelated_process_with_the_same_id_survives() {
        let own = std::process::id() as i32;
        let record = Record { pid: own, started: started(own).map(|s| s + 1), groups: vec!["/tmp/x".into()] };
        end(&record);
        assert!(started(own).is_some());
    }

    #[test]
    fn unreadable_records_are_removed() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("runs")).unwrap();
        fs::write(dir.path().join("runs/x.json"), "{").unwrap();
        assert_eq!(reap_stale(dir.path()).unwrap(), 1);
        assert_eq!(reap_stale(dir.path()).unwrap(), 0);
    }
}

//! What a job uses on disk, measured while it runs: no control group limits that.

use std::ffi::CStr;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::dir::{Dir, Type};
use nix::fcntl::{AtFlags, OFlag};
use nix::sys::stat::{Mode, fstatat};

/// Folders nested deeper than this count as misuse.
const DEPTH_CAP: usize = 200;
/// What an entry counts at least, because empty files use up a file system too.
const ENTRY: u64 = 4096;
const PAUSE: Duration = Duration::from_millis(500);

/// How a job used up its disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Excess {
    Bytes,
    Depth,
}

/// Returns when the folders hold more than `cap` bytes; never otherwise.
pub(crate) async fn watch(folders: Vec<PathBuf>, cap: u64) -> Excess {
    loop {
        tokio::time::sleep(PAUSE).await;
        let began = Instant::now();
        let folders = folders.clone();
        let measured = tokio::task::spawn_blocking(move || measure(&folders, cap)).await;
        if let Ok(Some(excess)) = measured {
            return excess;
        }
        // Big trees are measured less often, so that it costs a tenth of one processor at most.
        tokio::time::sleep(began.elapsed() * 9).await;
    }
}

/// Measures folders until they exceed the cap.
pub(crate) fn measure(folders: &[PathBuf], cap: u64) -> Option<Excess> {
    let mut left = cap;
    folders.iter().find_map(|folder| measure_root(folder, &mut left).err())
}

fn measure_root(folder: &Path, left: &mut u64) -> Result<(), Excess> {
    match File::open(folder) {
        Ok(file) => descend(file.as_fd(), c".", 0, left),
        Err(_) => Ok(()),
    }
}

/// Goes down by descriptors, so that a folder swapped for a link leads nowhere else.
fn descend(parent: BorrowedFd<'_>, name: &CStr, depth: usize, left: &mut u64) -> Result<(), Excess> {
    if depth > DEPTH_CAP {
        return Err(Excess::Depth);
    }
    let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    // What is gone already takes no space.
    let Ok(mut folder) = Dir::openat(parent, name, flags, Mode::empty()) else { return Ok(()) };
    let mut below = Vec::new();
    {
        let entries: Vec<_> = folder.iter().flatten().collect();
        for entry in &entries {
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            if let Ok(stat) = fstatat(&folder, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
                *left = left.checked_sub((stat.st_blocks as u64 * 512).max(ENTRY)).ok_or(Excess::Bytes)?;
            }
            if matches!(entry.file_type(), Some(Type::Directory) | None) {
                below.push(name.to_owned());
            }
        }
    }
    below.iter().try_for_each(|name| descend(folder.as_fd(), name.as_c_str(), depth + 1, left))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn counts_bytes_and_follows_no_links() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("sub")).unwrap();
        std::fs::write(dir.path().join("sub/file"), vec![1; 100_000]).unwrap();
        symlink("/usr", dir.path().join("out")).unwrap();
        let folders = [dir.path().to_path_buf()];
        assert_eq!(measure(&folders, 50_000), Some(Excess::Bytes));
        assert_eq!(measure(&folders, 1_000_000), None);
    }

    #[test]
    fn empty_files_count() {
        let dir = tempfile::tempdir().unwrap();
        for name in 0..30 {
            std::fs::write(dir.path().join(name.to_string()), "").unwrap();
        }
        assert_eq!(measure(&[dir.path().to_path_buf()], 100_000), Some(Excess::Bytes));
    }

    #[test]
    fn deep_nesting_is_misuse() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("d/".repeat(DEPTH_CAP + 5))).unwrap();
        assert_eq!(measure(&[dir.path().to_path_buf()], u64::MAX), Some(Excess::Depth));
    }
}

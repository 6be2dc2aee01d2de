//! Tries on a throw-away process what the host offers.

use std::fs;
use std::io::{self, Read, Write};

use nix::mount::{MsFlags, mount};
use nix::sched::CloneFlags;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitStatus, waitpid};

use super::outer::{map_ids, namespaces};
use crate::config::Network;
use crate::proto::Probe;
use crate::sys::{self, Side};

const NONE: Option<&str> = None;
/// Any range does for a probe; this one belongs to slot 0 of the default configuration.
const FIRST: u32 = 1_879_048_192;

/// Finds out which namespaces, mounts and filters work.
pub(super) fn run(range: bool) -> Probe {
    let user = CloneFlags::CLONE_NEWUSER;
    let works = |flag| attempt(user | flag, None, || Ok(())).is_ok();
    let whole = attempt(namespaces(Network::None), None, private_proc);
    let ranged = range && attempt(user, Some(FIRST), || Ok(())).is_ok();
    Probe {
        user: works(CloneFlags::empty()),
        range: ranged,
        mount: works(CloneFlags::CLONE_NEWNS),
        pid: works(CloneFlags::CLONE_NEWPID),
        net: works(CloneFlags::CLONE_NEWNET),
        ipc: works(CloneFlags::CLONE_NEWIPC),
        uts: works(CloneFlags::CLONE_NEWUTS),
        cgroup: works(CloneFlags::CLONE_NEWCGROUP),
        sandbox: whole.is_ok(),
        overlay: attempt(user | CloneFlags::CLONE_NEWNS, None, overlay).is_ok(),
        seccomp: sys::seccomp_filters(),
        landlock: sys::landlock_abi(),
        reason: whole.err().map(|e| e.to_string()),
    }
}

/// Runs `body` in a process with the given namespaces.
fn attempt(flags: CloneFlags, range: Option<u32>, body: fn() -> io::Result<()>) -> io::Result<()> {
    let (mut go, mut start) = io::pipe()?;
    match sys::fork_into(flags)? {
        Side::Child => {
            drop(start);
            let done = go.read_exact(&mut [0]).and_then(|()| body());
            std::process::exit(done.map_or_else(|e| e.raw_os_error().unwrap_or(1), |()| 0))
        }
        Side::Parent(pid) => {
            let mapped = map_ids(pid, range).and_then(|()| start.write_all(&[1]));
            if mapped.is_err() {
                let _ = kill(pid, Signal::SIGKILL);
            }
            let status = waitpid(pid, None)?;
            mapped?;
            match status {
                WaitStatus::Exited(_, 0) => Ok(()),
                WaitStatus::Exited(_, code) => Err(io::Error::from_raw_os_error(code)),
                _ => Err(io::Error::other("the probe was killed")),
            }
        }
    }
}

fn private_proc() -> io::Result<()> {
    private_tmp()?;
    fs::create_dir("/tmp/proc")?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("proc"), "/tmp/proc", Some("proc"), flags, NONE)?;
    sys::restrict_mount("/tmp/proc".as_ref(), sys::Restrict::ReadOnly)
}

fn overlay() -> io::Result<()> {
    private_tmp()?;
    for name in ["lower", "upper", "work", "merged"] {
        fs::create_dir(format!("/tmp/{name}"))?;
    }
    let options = Some("lowerdir=/tmp/lower,upperdir=/tmp/upper,workdir=/tmp/work,userxattr");
    Ok(mount(Some("overlay"), "/tmp/merged", Some("overlay"), MsFlags::empty(), options)?)
}

fn private_tmp() -> io::Result<()> {
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE)?;
    Ok(mount(Some("tmpfs"), "/tmp", Some("tmpfs"), MsFlags::empty(), Some("size=1m"))?)
}

//! A step without a sandbox, on hosts that offer none: only its end is certain.
//!
//! The process takes in every orphan of the step (`PR_SET_CHILD_SUBREAPER`), so that nothing that the step started
//! outlives it, however far it ran away.

use std::fs::{self, File};
use std::io::{self, PipeReader, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::CloneFlags;
use nix::sys::prctl;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::job;
use crate::proto::{Report, Spawn, Task, write_report};
use crate::sys::{self, Side};

/// Runs the step and ends everything that it started.
pub(super) fn supervise(control: &UnixStream, spawn: &Spawn, payload: Option<File>) -> io::Result<()> {
    // A signal at the server's death would leave the step behind; the hang-up of `control` tells of it too.
    prctl::set_pdeathsig(None)?;
    prctl::set_child_subreaper(true)?;
    if let Task::Script(script) = &spawn.task {
        fs::write(script_path(spawn), script)?;
    }
    let (go, mut start) = io::pipe()?;
    match sys::fork_into(CloneFlags::empty())? {
        Side::Child => {
            drop(start);
            begin(go, control, spawn, payload)
        }
        Side::Parent(pid) => {
            drop((go, payload));
            for group in &spawn.cgroups {
                fs::write(group.join("cgroup.procs"), pid.to_string())?;
            }
            start.write_all(&[1])?;
            watch(control, pid)
        }
    }
}

/// Where the script of a step lies that sees the host's own paths.
pub(super) fn script_path(spawn: &Spawn) -> PathBuf {
    spawn.home.join(".job-script")
}

/// Waits until the control groups are entered, then becomes the step.
fn begin(mut go: PipeReader, control: &UnixStream, spawn: &Spawn, payload: Option<File>) -> ! {
    match go.read_exact(&mut [0]) {
        Ok(()) => job::main(control, spawn, payload),
        Err(_) => std::process::exit(71),
    }
}

/// Waits for the step's end or the server's, whichever comes first; then ends what is left.
fn watch(control: &UnixStream, pid: Pid) -> io::Result<()> {
    let ended = sys::pidfd_open(pid)?;
    loop {
        let mut fds = [PollFd::new(control.as_fd(), PollFlags::POLLIN), PollFd::new(ended.as_fd(), PollFlags::POLLIN)];
        match poll(&mut fds, PollTimeout::NONE) {
            Ok(_) if fds.iter().any(|fd| fd.any() == Some(true)) => break,
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let status = waitpid(pid, Some(WaitPidFlag::WNOHANG))?;
    end_all()?;
    match status {
        WaitStatus::Exited(_, code) => write_report(control, &Report::Exited { code }),
        WaitStatus::Signaled(_, signal, _) => write_report(control, &Report::Signalled { signal: signal as i32 }),
        // Nobody is there any more to be told.
        _ => Ok(()),
    }
}

/// Kills the children, who leave us theirs, until there are none.
fn end_all() -> io::Result<()> {
    loop {
        for child in children()? {
            // It may have ended by itself.
            let _ = kill(child, Signal::SIGKILL);
        }
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Err(Errno::ECHILD) => return Ok(()),
            Ok(WaitStatus::StillAlive) => std::thread::sleep(Duration::from_millis(1)),
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn children() -> io::Result<Vec<Pid>> {
    let own = std::process::id();
    let mut found = vec![];
    for entry in fs::read_dir("/proc")? {
        let Ok(pid) = entry?.file_name().to_string_lossy().parse::<i32>() else { continue };
        // A process may be gone between the two looks. Its name may hold anything, but ends at the last bracket.
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let fields = stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace());
        if fields.and_then(|mut f| f.nth(1)?.parse::<u32>().ok()) == Some(own) {
            found.push(Pid::from_raw(pid));
        }
    }
    Ok(found)
}

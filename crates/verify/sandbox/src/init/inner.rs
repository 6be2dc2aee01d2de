use std::io::{self, PipeReader, Read};
use std::os::fd::AsFd;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::CloneFlags;
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitStatus, wait};
use nix::unistd::{Gid, Pid, Uid, setgroups, setresgid, setresuid};

use super::outer::Inherited;
use super::{job, root};
use crate::proto::{Report, write_report};
use crate::sys::{self, Side};

/// Runs as pid 1 of the job: closes the sandbox, starts the job's process and waits for it.
pub(super) fn main(mut inherited: Inherited<'_>) -> ! {
    let report = match run(&mut inherited) {
        Ok(report) => report,
        Err(error) => Report::Failed { message: error.to_string() },
    };
    let sent = write_report(inherited.control, &report);
    drop(inherited);
    std::process::exit(i32::from(sent.is_err()))
}

fn run(inherited: &mut Inherited<'_>) -> io::Result<Report> {
    await_go(&mut inherited.go)?;
    let spawn = inherited.spawn;
    if spawn.range.is_some() {
        become_root()?;
    }
    // After the change of ids, which would clear it.
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    if hung_up(&inherited.go)? {
        return Err(io::Error::other("the server went away"));
    }
    if spawn.range.is_none() {
        root::stage(spawn)?;
    }
    root::enter(spawn)?;
    // The job must not read this process's descriptors, not even where both have one uid.
    prctl::set_dumpable(false)?;
    match sys::fork_into(CloneFlags::empty())? {
        Side::Child => job::main(inherited.control, inherited.spawn, inherited.payload.take()),
        Side::Parent(pid) => reap(pid),
    }
}

fn await_go(go: &mut PipeReader) -> io::Result<()> {
    go.read_exact(&mut [0])
}

fn hung_up(go: &PipeReader) -> io::Result<bool> {
    let mut fds = [PollFd::new(go.as_fd(), PollFlags::POLLIN)];
    Ok(poll(&mut fds, PollTimeout::ZERO)? > 0)
}

fn become_root() -> io::Result<()> {
    setgroups(&[])?;
    setresgid(Gid::from_raw(0), Gid::from_raw(0), Gid::from_raw(0))?;
    setresuid(Uid::from_raw(0), Uid::from_raw(0), Uid::from_raw(0))?;
    Ok(())
}

/// Reaps every orphan until the job's own process ends; the rest dies with this one.
fn reap(main: Pid) -> io::Result<Report> {
    loop {
        match wait() {
            Ok(WaitStatus::Exited(pid, code)) if pid == main => return Ok(Report::Exited { code }),
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid == main => {
                return Ok(Report::Signalled { signal: signal as i32 });
            }
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

use std::fs::{self, File, OpenOptions};
use std::io::{self, PipeReader, PipeWriter, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{Pid, getegid, geteuid};

use super::{JOB_ID, RANGE, bare, inner, probe, root};
use crate::config::Network;
use crate::proto::{Payload, Report, Request, Spawn, read_request, write_report};
use crate::sys::{self, Side};

/// Reads the request from descriptor 0 and carries it out.
pub(super) fn run() -> io::Result<()> {
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    let control = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    nix::unistd::dup2_stdin(File::open("/dev/null")?)?;
    match read_request(&control)? {
        Request::Probe { range } => write_report(&control, &Report::Probed(probe::run(range))),
        Request::Run(spawn) => {
            let result = supervise(&control, &spawn);
            if let Err(error) = &result {
                write_report(&control, &Report::Failed { message: error.to_string() })?;
            }
            result
        }
    }
}

/// What the inner process inherits.
pub(super) struct Inherited<'a> {
    pub(super) control: &'a UnixStream,
    pub(super) spawn: &'a Spawn,
    pub(super) payload: Option<File>,
    /// Gives one byte when the id maps are written, and hangs up when the outer process is gone.
    pub(super) go: PipeReader,
    /// Hangs up at the outer process when the job is gone.
    pub(super) _life: PipeWriter,
}

fn supervise(control: &UnixStream, spawn: &Spawn) -> io::Result<()> {
    let payload = spawn.payload.as_ref().map(open_payload).transpose()?;
    if spawn.bare {
        return bare::supervise(control, spawn, payload);
    }
    if spawn.range.is_some() {
        // Root builds the tree outside the user namespace, where it may still read the folders' parents.
        unshare(CloneFlags::CLONE_NEWNS)?;
        root::stage(spawn)?;
    }
    let (go, mut start) = io::pipe()?;
    let (watched, life) = io::pipe()?;
    match sys::fork_into(namespaces(spawn.network)).map_err(|e| io::Error::other(format!("namespaces: {e}")))? {
        Side::Child => {
            drop((start, watched));
            inner::main(Inherited { control, spawn, payload, go, _life: life })
        }
        Side::Parent(pid) => {
            drop((go, life, payload));
            if let Err(error) = admit(pid, spawn) {
                end(pid)?;
                return Err(error);
            }
            start.write_all(&[1])?;
            watch(control, &watched, pid)
        }
    }
}

fn open_payload(payload: &Payload) -> io::Result<File> {
    match payload {
        Payload::Read(path) => File::open(path),
        Payload::Write(path) => {
            OpenOptions::new().read(true).write(true).create(true).truncate(true).mode(0o600).open(path)
        }
    }
}

/// Returns the namespaces of a job.
pub(super) fn namespaces(network: Network) -> CloneFlags {
    let mut flags = CloneFlags::CLONE_NEWUSER
        | CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWIPC
        | CloneFlags::CLONE_NEWUTS
        | CloneFlags::CLONE_NEWCGROUP;
    if network == Network::None {
        flags |= CloneFlags::CLONE_NEWNET;
    }
    flags
}

/// Puts the inner process into its control groups and gives it its ids.
fn admit(pid: Pid, spawn: &Spawn) -> io::Result<()> {
    for group in &spawn.cgroups {
        fs::write(group.join("cgroup.procs"), pid.to_string())
            .map_err(|e| io::Error::other(format!("control group {}: {e}", group.display())))?;
    }
    // The job dies of a lack of memory before the server does; refused where the score may not change.
    let _ = fs::write(format!("/proc/{pid}/oom_score_adj"), "300");
    map_ids(pid, spawn.range)
}

/// Writes the id maps of a new user namespace.
pub(super) fn map_ids(pid: Pid, range: Option<u32>) -> io::Result<()> {
    let (uids, gids) = match range {
        Some(first) => (format!("0 {first} {RANGE}"), format!("0 {first} {RANGE}")),
        None => {
            fs::write(format!("/proc/{pid}/setgroups"), "deny")?;
            (format!("{JOB_ID} {} 1", geteuid()), format!("{JOB_ID} {} 1", getegid()))
        }
    };
    fs::write(format!("/proc/{pid}/uid_map"), uids).map_err(|e| io::Error::other(format!("uid map: {e}")))?;
    fs::write(format!("/proc/{pid}/gid_map"), gids).map_err(|e| io::Error::other(format!("gid map: {e}")))
}

/// Waits until the job ends, and ends it when the server goes away.
fn watch(control: &UnixStream, life: &PipeReader, pid: Pid) -> io::Result<()> {
    loop {
        let mut fds = [PollFd::new(control.as_fd(), PollFlags::POLLIN), PollFd::new(life.as_fd(), PollFlags::POLLIN)];
        match poll(&mut fds, PollTimeout::NONE) {
            Ok(_) => {}
            Err(nix::errno::Errno::EINTR) => continue,
            Err(error) => return Err(error.into()),
        }
        if fds.iter().any(|fd| fd.any() == Some(true)) {
            break;
        }
    }
    match end(pid)? {
        // The inner process has reported what became of the job before it left.
        WaitStatus::Exited(..) => Ok(()),
        WaitStatus::Signaled(_, signal, _) => write_report(control, &Report::Signalled { signal: signal as i32 }),
        _ => Ok(()),
    }
}

/// Kills the inner process, and with it every process of the job, and reaps it.
///
/// One that has ended already is not touched by the signal: it stays as it is until reaped.
fn end(pid: Pid) -> io::Result<WaitStatus> {
    let _ = kill(pid, Signal::SIGKILL);
    loop {
        match waitpid(pid, None) {
            Err(nix::errno::Errno::EINTR) => {}
            other => return Ok(other?),
        }
    }
}

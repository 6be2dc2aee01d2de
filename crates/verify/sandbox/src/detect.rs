use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::cgroup::Hierarchies;
use crate::config::InitCommand;
use crate::error::{Context, Result};
use crate::proto::{Probe, Report, Request, encode};

/// How well the host keeps jobs apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Not at all: jobs do not run.
    None,
    /// Jobs are isolated, but share one user id or lack limits on memory or processes.
    Partial,
    /// Jobs have ids and limits of their own.
    Full,
}

/// What the host offers to isolate jobs with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Isolation {
    /// The overall judgement.
    pub level: Level,
    /// Whether each slot can have a range of user ids.
    pub uid_range: bool,
    /// The kinds of namespaces that work.
    pub namespaces: Vec<&'static str>,
    /// Whether system calls can be filtered.
    pub seccomp: bool,
    /// Landlock's ABI version, 0 without it.
    pub landlock: u32,
    /// The control group controllers that can limit a job.
    pub controllers: Vec<&'static str>,
    /// Whether overlay file systems can be mounted in a user namespace.
    pub overlay: bool,
    /// Why jobs cannot be isolated.
    pub reason: Option<String>,
    pub(crate) hierarchies: Hierarchies,
}

/// Finds out what the host offers, by the running binary's own job-init command.
pub fn detect() -> Isolation {
    detect_with(&InitCommand::default())
}

/// Finds out what the host offers, by the given job-init command.
pub fn detect_with(init: &InitCommand) -> Isolation {
    let probe = ask(init).unwrap_or_else(|error| Probe { reason: Some(error.to_string()), ..Probe::default() });
    judge(&probe, nix::unistd::geteuid().is_root(), Hierarchies::detect())
}

fn ask(init: &InitCommand) -> Result<Probe> {
    let (mut ours, theirs) = UnixStream::pair().context(|| "a socket pair".into())?;
    ours.set_read_timeout(Some(Duration::from_secs(10))).context(|| "a time limit".into())?;
    let mut child = Command::new(&init.program)
        .args(&init.args)
        .stdin(Stdio::from(std::os::fd::OwnedFd::from(theirs)))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context(|| format!("starting {}", init.program.display()))?;
    let answer = exchange(&mut ours, nix::unistd::geteuid().is_root());
    // A program that is no job-init may not answer and may not end.
    let _ = child.kill();
    let _ = child.wait();
    answer
}

fn exchange(control: &mut UnixStream, range: bool) -> Result<Probe> {
    let request = encode(&Request::Probe { range }).context(|| "the probe".into())?;
    control.write_all(&request).context(|| "the probe".into())?;
    let mut line = String::new();
    BufReader::new(control).read_line(&mut line).context(|| "the probe's answer".into())?;
    match serde_json::from_str(&line) {
        Ok(Report::Probed(probe)) => Ok(probe),
        _ => Err(crate::Error::Unavailable("the program has no job-init command".into())),
    }
}

fn judge(probe: &Probe, root: bool, hierarchies: Hierarchies) -> Isolation {
    let controllers = hierarchies.controllers();
    let limited = ["memory", "pids"].iter().all(|c| controllers.contains(c));
    // A job with root's own id could write to /proc/sys, whatever its namespaces are.
    let as_root = root && !probe.range;
    let level = match (probe.sandbox && probe.seccomp && !as_root, probe.range && limited) {
        (false, _) => Level::None,
        (true, false) => Level::Partial,
        (true, true) => Level::Full,
    };
    let reason = match (probe.sandbox, probe.seccomp) {
        (false, _) => Some(probe.reason.clone().unwrap_or_else(|| "namespaces are refused".into())),
        (true, false) => Some("the kernel has no seccomp filters".into()),
        _ => {
            as_root.then(|| "the server is root, yet cannot give jobs other user ids: start it as another user".into())
        }
    };
    Isolation {
        level,
        uid_range: probe.range,
        namespaces: namespaces(probe),
        seccomp: probe.seccomp,
        landlock: probe.landlock,
        controllers,
        overlay: probe.overlay,
        reason,
        hierarchies,
    }
}

fn namespaces(probe: &Probe) -> Vec<&'static str> {
    let all = [
        ("user", probe.user),
        ("mount", probe.mount),
        ("pid", probe.pid),
        ("network", probe.net),
        ("ipc", probe.ipc),
        ("uts", probe.uts),
        ("cgroup", probe.cgroup),
    ];
    all.into_iter().filter(|(_, works)| *works).map(|(name, _)| name).collect()
}

impl Isolation {
    /// Says in one plain line how jobs are kept apart.
    pub fn summary(&self) -> String {
        if let (Level::None, Some(reason)) = (self.level, &self.reason) {
            return format!("jobs cannot run isolated on this host: {reason}");
        }
        let ids = if self.uid_range {
            "their own uid range"
        } else {
            "the server's own uid (start it as root for uid ranges)"
        };
        let limits = match self.controllers.as_slice() {
            [] => "resource limits of each process alone (no control groups)".to_owned(),
            names => format!("{} limits", list(names)).replace("pids", "process"),
        };
        format!("jobs run in {} namespaces with {ids}, a seccomp filter and {limits}", list(&self.namespaces))
    }
}

fn list(names: &[&str]) -> String {
    match names {
        [] => "no".into(),
        [one] => (*one).into(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn works() -> Probe {
        Probe {
            user: true,
            mount: true,
            pid: true,
            net: true,
            sandbox: true,
            seccomp: true,
            range: true,
            ..Probe::default()
        }
    }

    fn groups() -> Hierarchies {
        Hierarchies { memory: Some("/m".into()), pids: Some("/p".into()), ..Hierarchies::default() }
    }

    #[test]
    fn the_level_follows_what_works() {
        assert_eq!(judge(&works(), true, groups()).level, Level::Full);
        assert_eq!(judge(&works(), true, Hierarchies::default()).level, Level::Partial);
        assert_eq!(judge(&Probe { range: false, ..works() }, false, groups()).level, Level::Partial);
        assert_eq!(judge(&Probe { range: false, ..works() }, true, groups()).level, Level::None);
        assert_eq!(judge(&Probe { seccomp: false, ..works() }, true, groups()).level, Level::None);
        assert_eq!(judge(&Probe::default(), false, groups()).level, Level::None);
    }

    #[test]
    fn the_summary_is_one_plain_line() {
        let line = judge(&works(), true, groups()).summary();
        assert_eq!(
            line,
            "jobs run in user, mount, pid and network namespaces with their own uid range, a seccomp filter and memory and process limits"
        );
        assert!(judge(&Probe::default(), false, groups()).summary().contains("cannot run isolated"));
    }
}

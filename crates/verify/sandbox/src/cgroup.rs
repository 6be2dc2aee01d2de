//! Control groups, version 1 and 2, below the server's own.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::config::Limits;

/// The hierarchies in which the server may make groups for its jobs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Hierarchies {
    pub(crate) v2: Option<PathBuf>,
    pub(crate) memory: Option<PathBuf>,
    pub(crate) pids: Option<PathBuf>,
    pub(crate) cpu: Option<PathBuf>,
}

impl Hierarchies {
    /// Finds the hierarchies by trying to make a group in each.
    pub(crate) fn detect() -> Self {
        let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let v1 = |controller| own_v1(&own, &mounts, controller).filter(|p| writable(p));
        let v2 = own_v2(&own, &mounts).filter(|p| delegate(p).is_ok() && writable(p));
        Self { v2, memory: v1("memory"), pids: v1("pids"), cpu: v1("cpu") }
    }

    /// Names the controllers that can limit a job.
    pub(crate) fn controllers(&self) -> Vec<&'static str> {
        let v2 = self.v2.as_ref().and_then(|p| fs::read_to_string(p.join("cgroup.subtree_control")).ok());
        let v2 = v2.unwrap_or_default();
        let has = |name: &str, v1: &Option<PathBuf>| v1.is_some() || v2.split_whitespace().any(|c| c == name);
        let all = [("memory", &self.memory), ("pids", &self.pids), ("cpu", &self.cpu)];
        all.into_iter().filter(|(name, v1)| has(name, v1)).map(|(name, _)| name).collect()
    }

    /// Makes a job's groups with its limits.
    pub(crate) fn create(&self, name: &str, limits: &Limits) -> Groups {
        let mut groups = Groups::default();
        if let Some(path) = &self.v2 {
            groups.add(path.join(name), |group| limit_v2(group, limits));
        }
        if let Some(path) = &self.memory {
            let made = groups.add(path.join(name), |group| limit_memory(group, limits.memory));
            groups.memory |= made && limits.memory.is_some();
        }
        if let Some(path) = &self.pids {
            groups.add(path.join(name), |group| write(group, "pids.max", &limits.pids));
        }
        if let (Some(path), Some(millis)) = (&self.cpu, limits.cpu_millis) {
            groups.add(path.join(name), |group| write(group, "cpu.cfs_quota_us", &(millis * 100)));
        }
        groups.memory |= groups.paths.iter().any(|p| p.join("memory.max").exists()) && limits.memory.is_some();
        groups
    }
}

fn write(group: &Path, file: &str, value: &dyn ToString) -> io::Result<()> {
    fs::write(group.join(file), value.to_string())
}

fn limit_memory(group: &Path, limit: Option<u64>) -> io::Result<()> {
    let Some(limit) = limit else { return Ok(()) };
    write(group, "memory.limit_in_bytes", &limit)?;
    // Swap is counted only by kernels that were told to.
    let _ = write(group, "memory.memsw.limit_in_bytes", &limit);
    Ok(())
}

fn limit_v2(group: &Path, limits: &Limits) -> io::Result<()> {
    if let Some(memory) = limits.memory.filter(|_| group.join("memory.max").exists()) {
        write(group, "memory.max", &memory)?;
        let _ = write(group, "memory.swap.max", &0);
    }
    if group.join("pids.max").exists() {
        write(group, "pids.max", &limits.pids)?;
    }
    match limits.cpu_millis {
        Some(millis) if group.join("cpu.max").exists() => write(group, "cpu.max", &format!("{} 100000", millis * 100)),
        _ => Ok(()),
    }
}

/// The groups of one job.
#[derive(Debug, Clone, Default)]
pub(crate) struct Groups {
    pub(crate) paths: Vec<PathBuf>,
    /// Whether memory is limited.
    pub(crate) memory: bool,
}

impl Groups {
    fn add(&mut self, path: PathBuf, limit: impl FnOnce(&Path) -> io::Result<()>) -> bool {
        match fs::create_dir(&path).and_then(|()| limit(&path)) {
            Ok(()) => {
                self.paths.push(path);
                true
            }
            Err(error) => {
                tracing::warn!(%error, group = %path.display(), "no control group for a job");
                let _ = fs::remove_dir(&path);
                false
            }
        }
    }

    /// Tells whether the kernel killed a process of the job for lack of memory.
    pub(crate) fn out_of_memory(&self) -> bool {
        let killed = |file: PathBuf| {
            let text = fs::read_to_string(file).unwrap_or_default();
            text.lines().any(|l| l.strip_prefix("oom_kill ").is_some_and(|n| n.trim() != "0"))
        };
        self.paths.iter().any(|p| killed(p.join("memory.events")) || killed(p.join("memory.oom_control")))
    }

    /// Kills what is left in the groups and removes them.
    pub(crate) fn remove(&self) {
        for path in &self.paths {
            remove_group(path);
        }
    }
}

/// Kills every process of a group and removes it.
pub(crate) fn remove_group(path: &Path) {
    for _ in 0..100 {
        if fs::remove_dir(path).is_ok() || !path.exists() {
            return;
        }
        let _ = fs::write(path.join("cgroup.kill"), "1");
        for pid in fs::read_to_string(path.join("cgroup.procs")).unwrap_or_default().lines() {
            if let Ok(pid) = pid.parse::<i32>() {
                let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL);
            }
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    tracing::warn!(group = %path.display(), "a job's control group could not be removed");
}

fn own_v1(own: &str, mounts: &str, controller: &str) -> Option<PathBuf> {
    let line = own.lines().find(|l| l.split(':').nth(1).is_some_and(|c| c.split(',').any(|c| c == controller)))?;
    let group = line.splitn(3, ':').nth(2)?;
    let has = |m: &Mount<'_>| m.kind == "cgroup" && m.options.split(',').any(|o| o == controller);
    mounts.lines().filter_map(Mount::parse).find(has)?.resolve(group)
}

fn own_v2(own: &str, mounts: &str) -> Option<PathBuf> {
    let group = own.lines().find_map(|l| l.strip_prefix("0::"))?;
    mounts.lines().filter_map(Mount::parse).find(|m| m.kind == "cgroup2")?.resolve(group)
}

/// One line of mountinfo.
struct Mount<'a> {
    root: &'a str,
    target: &'a str,
    kind: &'a str,
    options: &'a str,
}

impl<'a> Mount<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (front, back) = line.split_once(" - ")?;
        let mut front = front.split(' ').skip(3);
        let mut back = back.split(' ');
        let (root, target) = (front.next()?, front.next()?);
        Some(Self { root, target, kind: back.next()?, options: back.nth(1)? })
    }

    /// Finds a group's folder below this mount.
    fn resolve(&self, group: &str) -> Option<PathBuf> {
        let below = group.strip_prefix(self.root.trim_end_matches('/'))?;
        let path = Path::new(self.target).join(below.trim_start_matches('/'));
        path.is_dir().then_some(path)
    }
}

fn writable(group: &Path) -> bool {
    let probe = group.join(format!("tidemill-probe-{}", std::process::id()));
    fs::create_dir(&probe).is_ok_and(|()| fs::remove_dir(&probe).is_ok())
}

/// Switches the controllers on for the groups below the server's own.
///
/// Version 2 allows that only where the group holds no process itself, so the server moves to a group of its own.
fn delegate(group: &Path) -> io::Result<()> {
    let offered = fs::read_to_string(group.join("cgroup.controllers"))?;
    let wanted: Vec<_> = offered.split_whitespace().filter(|c| ["memory", "pids", "cpu"].contains(c)).collect();
    if wanted.is_empty() {
        return Err(io::Error::other("no controller"));
    }
    let switch = wanted.iter().map(|c| format!("+{c}")).collect::<Vec<_>>().join(" ");
    let control = group.join("cgroup.subtree_control");
    if fs::write(&control, &switch).is_ok() {
        return Ok(());
    }
    let alone = fs::read_to_string(group.join("cgroup.procs"))?.lines().all(|p| p == std::process::id().to_string());
    if !alone {
        return Err(io::Error::other("the group holds other processes"));
    }
    let leaf = group.join("server");
    fs::create_dir_all(&leaf)?;
    fs::write(leaf.join("cgroup.procs"), std::process::id().to_string())?;
    fs::write(control, switch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mountinfo_is_parsed() {
        let line = "31 24 0:27 / /sys/fs/cgroup/memory rw,nosuid shared:9 - cgroup cgroup rw,memory";
        let mount = Mount::parse(line).unwrap();
        assert_eq!((mount.root, mount.target), ("/", "/sys/fs/cgroup/memory"));
        assert_eq!((mount.kind, mount.options), ("cgroup", "rw,memory"));
        assert!(Mount::parse("nonsense").is_none());
    }

    #[test]
    fn a_group_outside_the_mounted_part_is_not_resolved() {
        let mount = Mount { root: "/docker/abc", target: "/tmp", kind: "cgroup", options: "" };
        assert_eq!(mount.resolve("/docker/abc"), Some("/tmp/".into()));
        assert_eq!(mount.resolve("/elsewhere"), None);
    }
}

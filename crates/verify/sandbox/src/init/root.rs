//! The job's file tree: an empty root with the host's toolchains read-only and three folders of its own.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::unistd::{chdir, pivot_root, sethostname};

use super::{BUILDS, HOME, SCRIPT};
use crate::config::Network;
use crate::proto::{Spawn, Task};
use crate::sys::{self, Restrict};

/// A file system of ours is mounted here, unseen by the host, to build the tree in.
const STAGE: &str = "/tmp";
const ROOT: &str = "/tmp/root";
const NONE: Option<&str> = None;

/// Folders below `/etc` that programs need and that hold no secrets.
const ETC_FOLDERS: &[&str] = &[
    "alternatives",
    "ssl/certs",
    "ca-certificates",
    "ld.so.conf.d",
    "fonts",
    "maven",
    "gradle",
    "perl",
    "pki/ca-trust",
    "pki/tls/certs",
    "crypto-policies",
    "profile.d",
    "terminfo",
    "ImageMagick-6",
    "python3",
    "dotnet",
];
/// The same for single files.
const ETC_FILES: &[&str] = &[
    "ca-certificates.conf",
    "ld.so.cache",
    "ld.so.conf",
    "localtime",
    "timezone",
    "mime.types",
    "protocols",
    "services",
    "rpc",
    "os-release",
    "debian_version",
    "lsb-release",
    "redhat-release",
    "alpine-release",
    "bash.bashrc",
    "profile",
    "inputrc",
    "magic",
    "gai.conf",
    "host.conf",
    "ssl/openssl.cnf",
    "login.defs",
];
const DEVICES: &[&str] = &["null", "zero", "full", "random", "urandom", "tty"];
/// Links of the root folder on a host with a merged `/usr`, folders on others.
const TOP: &[&str] = &["bin", "sbin", "lib", "lib32", "lib64", "libx32"];

struct Bind {
    source: PathBuf,
    target: PathBuf,
    restrict: Option<Restrict>,
}

/// Builds the tree below a mount of its own; nothing outside the mount namespace sees it.
pub(super) fn stage(spawn: &Spawn) -> io::Result<()> {
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE)?;
    let own =
        [(open_folder(&spawn.builds)?, BUILDS), (open_folder(&spawn.tmp)?, "/tmp"), (open_folder(&spawn.home)?, HOME)];
    tmpfs(STAGE, "mode=0755,size=1m")?;
    fs::create_dir(ROOT)?;
    tmpfs(ROOT, "mode=0755,size=256m")?;
    let mut binds = skeleton(spawn)?;
    for (folder, target) in &own {
        let source = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd()));
        binds.push(Bind { source, target: inside(target), restrict: Some(Restrict::NoSuidNoDev) });
        make_folder(&inside(target))?;
    }
    sys::restrict_mount(Path::new(ROOT), Restrict::ReadOnlyDevices)?;
    mount(Some("tmpfs"), &inside("/dev/shm"), Some("tmpfs"), shm_flags(), Some("mode=1777,size=1g"))?;
    binds.iter().try_for_each(attach)?;
    spawn.covered.iter().try_for_each(|path| cover(&inside(&path.to_string_lossy())))
}

fn cover(path: &Path) -> io::Result<()> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC | MsFlags::MS_RDONLY;
    Ok(mount(Some("tmpfs"), path, Some("tmpfs"), flags, Some("mode=0555,size=4k"))?)
}

fn shm_flags() -> MsFlags {
    MsFlags::MS_NOSUID | MsFlags::MS_NODEV
}

/// Enters the tree, leaves the host's behind and shows the job's own processes.
pub(super) fn enter(spawn: &Spawn) -> io::Result<()> {
    sethostname(&spawn.hostname)?;
    if spawn.network == Network::None {
        sys::loopback_up()?;
    }
    // A copy of the mount, because mounts that came from another user namespace cannot become the root.
    mount(Some(ROOT), ROOT, NONE, MsFlags::MS_BIND | MsFlags::MS_REC, NONE)?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("proc"), &inside("/proc"), Some("proc"), flags, NONE)
        .map_err(|e| io::Error::other(format!("proc: {e}")))?;
    let options = Some("newinstance,ptmxmode=0666,mode=0620");
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC;
    // Without pseudo terminals a job runs all the same.
    let _ = mount(Some("devpts"), &inside("/dev/pts"), Some("devpts"), flags, options);
    chdir(ROOT)?;
    pivot_root(".", ".")?;
    umount2(".", MntFlags::MNT_DETACH)?;
    chdir("/")?;
    Ok(())
}

fn tmpfs(target: &str, options: &str) -> io::Result<()> {
    let flags = MsFlags::MS_NOSUID;
    mount(Some("tmpfs"), target, Some("tmpfs"), flags, Some(options))
        .map_err(|e| io::Error::other(format!("a private {target}: {e}")))
}

fn inside(path: &str) -> PathBuf {
    Path::new(ROOT).join(path.trim_start_matches('/'))
}

/// Creates folders, links and small files, and lists what is to be mounted over them.
fn skeleton(spawn: &Spawn) -> io::Result<Vec<Bind>> {
    for folder in ["/proc", "/dev/pts", "/dev/shm", "/etc", "/run/job", "/var", "/mnt", "/root"] {
        make_folder(&inside(folder))?;
    }
    let mut binds = Vec::new();
    for folder in &spawn.read_only {
        bind_folder(folder, &mut binds)?;
    }
    // After the folders, none of which may be made through the link.
    if !inside("/var/tmp").exists() {
        symlink("/tmp", inside("/var/tmp"))?;
    }
    for name in TOP {
        let path = Path::new("/").join(name);
        match fs::read_link(&path) {
            Ok(target) => symlink(target, inside(name))?,
            Err(_) => bind_folder(&path, &mut binds)?,
        }
    }
    etc(spawn, &mut binds)?;
    devices(&mut binds)?;
    if let Task::Script(script) = &spawn.task {
        write_file(&inside(SCRIPT), script.as_bytes())?;
    }
    Ok(binds)
}

fn bind_folder(folder: &Path, binds: &mut Vec<Bind>) -> io::Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    let target = inside(&folder.to_string_lossy());
    make_folder(&target)?;
    binds.push(Bind { source: folder.into(), target, restrict: Some(Restrict::ReadOnly) });
    Ok(())
}

fn devices(binds: &mut Vec<Bind>) -> io::Result<()> {
    for name in DEVICES {
        let source = Path::new("/dev").join(name);
        if source.exists() {
            let target = inside("/dev").join(name);
            File::create(&target)?;
            binds.push(Bind { source, target, restrict: None });
        }
    }
    for (name, target) in [
        ("fd", "/proc/self/fd"),
        ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
        ("ptmx", "pts/ptmx"),
    ] {
        symlink(target, inside("/dev").join(name))?;
    }
    Ok(())
}

fn etc(spawn: &Spawn, binds: &mut Vec<Bind>) -> io::Result<()> {
    for name in ETC_FOLDERS {
        bind_folder(&Path::new("/etc").join(name), binds)?;
    }
    for entry in fs::read_dir("/etc")?.flatten() {
        let name = entry.file_name();
        if ["java-", "python3."].iter().any(|p| name.to_string_lossy().starts_with(p)) {
            bind_folder(&entry.path(), binds)?;
        }
    }
    ETC_FILES.iter().try_for_each(|name| copy_file(&Path::new("/etc").join(name)))?;
    let host = &spawn.hostname;
    write_file(&inside("/etc/hostname"), format!("{host}\n").as_bytes())?;
    write_file(&inside("/etc/passwd"), PASSWD.as_bytes())?;
    write_file(&inside("/etc/group"), GROUP.as_bytes())?;
    write_file(&inside("/etc/nsswitch.conf"), b"passwd: files\ngroup: files\nhosts: files dns\n")?;
    write_file(&inside("/etc/hosts"), format!("127.0.0.1 localhost {host}\n::1 localhost {host}\n").as_bytes())?;
    match spawn.network {
        Network::Host => copy_file(Path::new("/etc/resolv.conf")),
        Network::None => write_file(&inside("/etc/resolv.conf"), b""),
    }
}

const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\njob:x:1000:1000:job:/home/job:/bin/sh\n\
                      nobody:x:65534:65534:nobody:/nonexistent:/bin/false\n";
const GROUP: &str = "root:x:0:\njob:x:1000:\nnogroup:x:65534:\n";

/// Copies a small file of the host, as a link where it is one.
fn copy_file(path: &Path) -> io::Result<()> {
    let target = inside(&path.to_string_lossy());
    if let Some(parent) = target.parent() {
        make_folder(parent)?;
    }
    if let Ok(link) = fs::read_link(path) {
        return symlink(link, target);
    }
    match fs::read(path) {
        Ok(content) => write_file(&target, &content),
        Err(_) => Ok(()),
    }
}

fn write_file(path: &Path, content: &[u8]) -> io::Result<()> {
    fs::write(path, content)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o644))
}

fn make_folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o755).create(path)
}

fn open_folder(path: &Path) -> io::Result<File> {
    let flags = libc::O_PATH | libc::O_DIRECTORY | libc::O_NOFOLLOW;
    OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(path)
        .map_err(|e| io::Error::other(format!("{}: {e}", path.display())))
}

fn attach(bind: &Bind) -> io::Result<()> {
    let flags = MsFlags::MS_BIND | MsFlags::MS_REC;
    mount(Some(&bind.source), &bind.target, NONE, flags, NONE)
        .map_err(|e| io::Error::other(format!("{}: {e}", bind.source.display())))?;
    bind.restrict.map_or(Ok(()), |restrict| sys::restrict_mount(&bind.target, restrict))
}

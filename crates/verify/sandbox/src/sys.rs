//! The system calls that have no safe wrapper, and the only `unsafe` code of the crate.
#![allow(unsafe_code)]

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::Path;

use nix::sched::CloneFlags;
use nix::sys::signal::{SigHandler, Signal};
use nix::unistd::Pid;

/// Which side of a clone the caller finds itself on.
pub(crate) enum Side {
    /// The new process.
    Child,
    /// The process that cloned, with the child's id.
    Parent(Pid),
}

/// Forks into new namespaces; the child goes on with a copy of the caller's stack.
///
/// Must be called from a process with one thread, so that no lock is held in the copy.
pub(crate) fn fork_into(flags: CloneFlags) -> io::Result<Side> {
    let flags = libc::c_long::from(flags.bits() | libc::SIGCHLD);
    // SAFETY: a null stack makes the kernel copy the caller's, exactly as fork does, and none of the
    // flags shares memory. Only the single-threaded job-init process calls this, so every lock of the
    // allocator and of std is free in the child.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) };
    match pid {
        0 => Ok(Side::Child),
        pid if pid > 0 => Ok(Side::Parent(Pid::from_raw(pid as i32))),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Returns a descriptor that becomes readable when the process ends.
pub(crate) fn pidfd_open(pid: Pid) -> io::Result<OwnedFd> {
    // SAFETY: the call takes integers alone; the descriptor is owned right after the check.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid.as_raw(), 0) };
    check(fd)?;
    // SAFETY: the descriptor was just made and nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// Empties the bounding set, so that no program can bring a capability back.
pub(crate) fn drop_capabilities() {
    for capability in 0..64 {
        // SAFETY: the call takes integers alone; EINVAL past the last capability ends the loop.
        if unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) } != 0 {
            break;
        }
    }
}

#[repr(C)]
struct CapHeader {
    version: u32,
    pid: i32,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct CapData {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// Clears the effective, permitted and inheritable sets.
pub(crate) fn clear_capabilities() -> io::Result<()> {
    const VERSION_3: u32 = 0x2008_0522;
    let header = CapHeader { version: VERSION_3, pid: 0 };
    let data = [CapData::default(); 2];
    // SAFETY: header and data have the layout of version 3 of the call and outlive it.
    check(unsafe { libc::syscall(libc::SYS_capset, &raw const header, data.as_ptr()) })
}

/// Marks every descriptor from `first` upwards to be closed by exec.
pub(crate) fn close_on_exec_from(first: u32) -> io::Result<()> {
    // SAFETY: the call takes integers alone and closes nothing now.
    check(unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) })
}

#[repr(C)]
struct MountAttr {
    set: u64,
    clear: u64,
    propagation: u64,
    userns: u64,
}

/// Attributes that `restrict_mount` adds to a mount.
#[derive(Clone, Copy)]
pub(crate) enum Restrict {
    /// No set-user-id programs and no devices.
    NoSuidNoDev,
    /// The same, and read-only.
    ReadOnly,
    /// Read-only without touching devices, for a tree that holds them.
    ReadOnlyDevices,
}

/// Adds attributes to a mount and everything mounted below it.
pub(crate) fn restrict_mount(path: &Path, restrict: Restrict) -> io::Result<()> {
    const RDONLY: u64 = 1;
    const NOSUID: u64 = 2;
    const NODEV: u64 = 4;
    let set = match restrict {
        Restrict::NoSuidNoDev => NOSUID | NODEV,
        Restrict::ReadOnly => RDONLY | NOSUID | NODEV,
        Restrict::ReadOnlyDevices => RDONLY | NOSUID,
    };
    let attr = MountAttr { set, clear: 0, propagation: 0, userns: 0 };
    let path = c_path(path)?;
    // SAFETY: the path is NUL-terminated, attr has the kernel's layout and its size is passed along.
    check(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            libc::AT_FDCWD,
            path.as_ptr(),
            libc::AT_RECURSIVE,
            &raw const attr,
            size_of::<MountAttr>(),
        )
    })
}

/// Returns landlock's ABI version, 0 where the kernel has none.
pub(crate) fn landlock_abi() -> u32 {
    const VERSION: u32 = 1;
    // SAFETY: with a null attribute and the version flag the kernel only returns a number.
    let abi = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, 0, 0, VERSION) };
    u32::try_from(abi).unwrap_or(0)
}

/// Tells whether the kernel can install seccomp filters.
pub(crate) fn seccomp_filters() -> bool {
    const GET_ACTION_AVAIL: libc::c_uint = 2;
    let action: u32 = libc::SECCOMP_RET_ERRNO;
    // SAFETY: the kernel reads one u32 behind the pointer, which outlives the call.
    unsafe { libc::syscall(libc::SYS_seccomp, GET_ACTION_AVAIL, 0, &raw const action) == 0 }
}

/// Switches the loopback interface of the current network namespace on.
pub(crate) fn loopback_up() -> io::Result<()> {
    const SIOCSIFFLAGS: u64 = 0x8914;
    // SAFETY: socket takes integers; the descriptor is owned right after the check.
    let socket = unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) };
    if socket < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor was just made and nobody else owns it.
    let socket = unsafe { OwnedFd::from_raw_fd(socket) };
    // SAFETY: an ifreq is plain data for which all zeros is a valid value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    request.ifr_name[0] = b'l' as libc::c_char;
    request.ifr_name[1] = b'o' as libc::c_char;
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    // SAFETY: the request is a whole ifreq that outlives the call.
    let done = unsafe { libc::ioctl(socket.as_raw_fd(), SIOCSIFFLAGS as _, &raw const request) };
    check(done.into())
}

/// Gives SIGPIPE its default action back, which Rust's runtime took away.
pub(crate) fn default_signals() -> io::Result<()> {
    for signal in [Signal::SIGPIPE, Signal::SIGCHLD, Signal::SIGHUP] {
        // SAFETY: the default action is no handler of ours, so no code runs in signal context.
        unsafe { nix::sys::signal::signal(signal, SigHandler::SigDfl) }?;
    }
    Ok(())
}

fn check(result: libc::c_long) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn c_path(path: &Path) -> io::Result<CString> {
    use std::os::unix::ffi::OsStrExt;
    CString::new(path.as_os_str().as_bytes()).map_err(io::Error::other)
}

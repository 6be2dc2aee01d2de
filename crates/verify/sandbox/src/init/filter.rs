//! The system calls that a job may make.
//!
//! Two filters are stacked: an allow-list, which answers "not implemented" to everything else so that
//! libraries fall back to older calls, and a list of refusals, whose answer "not permitted" wins
//! because it is installed last.

use std::collections::BTreeMap;
use std::io;

use seccompiler::SeccompCmpArgLen::Dword;
use seccompiler::SeccompCmpOp::{Eq, MaskedEq, Ne};
use seccompiler::{BpfProgram, SeccompAction, SeccompCondition, SeccompFilter, SeccompRule, apply_filter};

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Installs both filters for this process and all that come from it.
pub(super) fn install() -> io::Result<()> {
    let refusals = program(refused()?, SeccompAction::Allow, SeccompAction::Errno(libc::EPERM as u32))?;
    let allowed = ALLOWED.iter().chain(ALLOWED_ARCH).map(|call| (*call, Vec::new())).collect();
    let allowed = program(allowed, SeccompAction::Errno(libc::ENOSYS as u32), SeccompAction::Allow)?;
    apply_filter(&allowed).map_err(io::Error::other)?;
    apply_filter(&refusals).map_err(io::Error::other)
}

fn program(rules: Rules, otherwise: SeccompAction, matching: SeccompAction) -> io::Result<BpfProgram> {
    let arch = std::env::consts::ARCH.try_into().map_err(io::Error::other)?;
    let filter = SeccompFilter::new(rules, otherwise, matching, arch).map_err(io::Error::other)?;
    filter.try_into().map_err(io::Error::other)
}

fn refused() -> io::Result<Rules> {
    let mut rules: Rules = REFUSED.iter().map(|call| (*call, Vec::new())).collect();
    rules.insert(libc::SYS_clone, namespace_rules()?);
    rules.insert(libc::SYS_personality, vec![rule(&[(0, Ne, 0), (0, Ne, ASLR_OFF), (0, Ne, QUERY)])?]);
    rules.insert(libc::SYS_ioctl, vec![rule(&[(1, Eq, TIOCSTI)])?, rule(&[(1, Eq, TIOCLINUX)])?]);
    // Virtual machine sockets, raw packets and the kernel's crypto sockets know no network namespace or add risk.
    let families = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];
    let other: Vec<_> = families.iter().map(|family| (0, Ne, *family as u64)).collect();
    rules.insert(libc::SYS_socket, vec![rule(&other)?]);
    Ok(rules)
}

fn namespace_rules() -> io::Result<Vec<SeccompRule>> {
    let flags = [
        libc::CLONE_NEWUSER,
        libc::CLONE_NEWNS,
        libc::CLONE_NEWPID,
        libc::CLONE_NEWNET,
        libc::CLONE_NEWIPC,
        libc::CLONE_NEWUTS,
        libc::CLONE_NEWCGROUP,
    ];
    flags.iter().map(|flag| rule(&[(0, MaskedEq(*flag as u64), *flag as u64)])).collect()
}

fn rule(conditions: &[(u8, seccompiler::SeccompCmpOp, u64)]) -> io::Result<SeccompRule> {
    let conditions = conditions
        .iter()
        .map(|(arg, op, value)| SeccompCondition::new(*arg, Dword, op.clone(), *value))
        .collect::<Result<Vec<_>, _>>()
        .map_err(io::Error::other)?;
    SeccompRule::new(conditions).map_err(io::Error::other)
}

/// Puts characters into a terminal as if they had been typed.
const TIOCSTI: u64 = 0x5412;
/// Does the same on the console, among other things.
const TIOCLINUX: u64 = 0x541c;
/// `ADDR_NO_RANDOMIZE`, which some build tools ask for.
const ASLR_OFF: u64 = 0x0004_0000;
/// Asks for the current personality.
const QUERY: u64 = 0xffff_ffff;

macro_rules! calls {
    ($($name:ident)*) => { &[$(libc::$name),*] };
}

/// Calls that reach beyond the job: answered with "not permitted".
const REFUSED: &[i64] = calls!(
    SYS_mount SYS_umount2 SYS_pivot_root SYS_chroot SYS_mount_setattr SYS_move_mount SYS_open_tree SYS_fsopen
    SYS_fsconfig SYS_fsmount SYS_fspick SYS_unshare SYS_setns SYS_ptrace SYS_process_vm_readv SYS_process_vm_writev
    SYS_keyctl SYS_add_key SYS_request_key SYS_bpf SYS_perf_event_open SYS_userfaultfd SYS_kexec_load
    SYS_kexec_file_load SYS_init_module SYS_finit_module SYS_delete_module SYS_reboot SYS_swapon SYS_swapoff
    SYS_sethostname SYS_setdomainname SYS_settimeofday SYS_clock_settime SYS_clock_adjtime SYS_adjtimex SYS_acct
    SYS_quotactl SYS_quotactl_fd SYS_syslog SYS_vhangup SYS_open_by_handle_at SYS_name_to_handle_at SYS_lookup_dcookie
    SYS_nfsservctl SYS_io_uring_setup SYS_io_uring_enter SYS_io_uring_register SYS_kcmp
    SYS_pidfd_getfd SYS_fanotify_init SYS_fanotify_mark SYS_move_pages SYS_migrate_pages
    SYS_memfd_secret SYS_process_madvise
);

/// Calls that programs need on every architecture.
const ALLOWED: &[i64] = calls!(
    SYS_read SYS_write SYS_close SYS_fstat SYS_lseek SYS_mmap SYS_mprotect SYS_munmap SYS_brk SYS_rt_sigaction
    SYS_rt_sigprocmask SYS_rt_sigreturn SYS_rt_sigpending SYS_rt_sigqueueinfo SYS_rt_sigsuspend SYS_rt_sigtimedwait
    SYS_rt_tgsigqueueinfo SYS_sigaltstack SYS_ioctl SYS_pread64 SYS_pwrite64 SYS_readv SYS_writev SYS_preadv SYS_pwritev
    SYS_preadv2 SYS_pwritev2 SYS_sched_yield SYS_mremap SYS_msync SYS_mincore SYS_madvise SYS_shmget SYS_shmat SYS_shmctl
    SYS_shmdt SYS_semget SYS_semop SYS_semctl SYS_semtimedop SYS_msgget SYS_msgsnd SYS_msgrcv SYS_msgctl SYS_dup SYS_dup3
    SYS_nanosleep SYS_getitimer SYS_setitimer SYS_getpid SYS_sendfile SYS_socket SYS_connect SYS_accept SYS_accept4
    SYS_sendto SYS_recvfrom SYS_sendmsg SYS_recvmsg SYS_sendmmsg SYS_recvmmsg SYS_shutdown SYS_bind SYS_listen
    SYS_getsockname SYS_getpeername SYS_socketpair SYS_setsockopt SYS_getsockopt SYS_clone SYS_execve SYS_execveat
    SYS_exit SYS_exit_group SYS_wait4 SYS_waitid SYS_kill SYS_tkill SYS_tgkill SYS_uname SYS_fcntl SYS_flock SYS_fsync
    SYS_fdatasync SYS_sync SYS_syncfs SYS_sync_file_range SYS_truncate SYS_ftruncate SYS_fallocate SYS_getcwd SYS_chdir
    SYS_fchdir SYS_fchmod SYS_fchmodat SYS_fchown SYS_fchownat SYS_umask SYS_gettimeofday SYS_getrlimit SYS_setrlimit
    SYS_prlimit64 SYS_getrusage SYS_sysinfo SYS_times SYS_getuid SYS_getgid SYS_geteuid SYS_getegid SYS_getresuid
    SYS_getresgid SYS_setuid SYS_setgid SYS_setreuid SYS_setregid SYS_setresuid SYS_setresgid SYS_setfsuid SYS_setfsgid
    SYS_getgroups SYS_setgroups SYS_setpgid SYS_getpgid SYS_getppid SYS_getsid SYS_setsid SYS_capget SYS_capset
    SYS_statfs SYS_fstatfs SYS_statx SYS_newfstatat SYS_faccessat SYS_faccessat2 SYS_openat SYS_openat2 SYS_mkdirat
    SYS_unlinkat SYS_renameat SYS_renameat2 SYS_linkat SYS_symlinkat SYS_readlinkat SYS_utimensat SYS_getdents64
    SYS_getpriority SYS_setpriority SYS_sched_setparam SYS_sched_getparam SYS_sched_setscheduler SYS_sched_getscheduler
    SYS_sched_get_priority_max SYS_sched_get_priority_min SYS_sched_rr_get_interval SYS_sched_setaffinity
    SYS_sched_getaffinity SYS_sched_setattr SYS_sched_getattr SYS_mlock SYS_mlock2 SYS_munlock SYS_mlockall SYS_munlockall
    SYS_prctl SYS_gettid SYS_readahead SYS_setxattr SYS_lsetxattr SYS_fsetxattr SYS_getxattr SYS_lgetxattr SYS_fgetxattr
    SYS_listxattr SYS_llistxattr SYS_flistxattr SYS_removexattr SYS_lremovexattr SYS_fremovexattr SYS_futex
    SYS_set_tid_address SYS_set_robust_list SYS_get_robust_list SYS_timer_create SYS_timer_settime SYS_timer_gettime
    SYS_timer_getoverrun SYS_timer_delete SYS_clock_gettime SYS_clock_getres SYS_clock_nanosleep SYS_timerfd_create
    SYS_timerfd_settime SYS_timerfd_gettime SYS_epoll_create1 SYS_epoll_ctl SYS_epoll_pwait SYS_epoll_pwait2 SYS_ppoll
    SYS_pselect6 SYS_eventfd2 SYS_signalfd4 SYS_pipe2 SYS_inotify_init1 SYS_inotify_add_watch SYS_inotify_rm_watch
    SYS_ioprio_set SYS_ioprio_get SYS_splice SYS_tee SYS_vmsplice SYS_copy_file_range SYS_fadvise64 SYS_getrandom
    SYS_memfd_create SYS_getcpu SYS_membarrier SYS_rseq SYS_restart_syscall SYS_io_setup SYS_io_destroy SYS_io_submit
    SYS_io_cancel SYS_io_getevents SYS_mq_open SYS_mq_unlink SYS_mq_timedsend SYS_mq_timedreceive SYS_mq_notify
    SYS_mq_getsetattr SYS_pidfd_open SYS_pidfd_send_signal SYS_close_range SYS_seccomp SYS_landlock_create_ruleset
    SYS_landlock_add_rule SYS_landlock_restrict_self SYS_pkey_mprotect SYS_pkey_alloc SYS_pkey_free SYS_mknodat
    SYS_personality SYS_set_mempolicy SYS_get_mempolicy SYS_mbind SYS_futex_waitv SYS_remap_file_pages
);

/// Older calls that only this architecture still has.
#[cfg(target_arch = "x86_64")]
const ALLOWED_ARCH: &[i64] = calls!(
    SYS_open SYS_stat SYS_lstat SYS_poll SYS_access SYS_pipe SYS_select SYS_dup2 SYS_pause SYS_alarm SYS_fork SYS_vfork
    SYS_getdents SYS_rename SYS_mkdir SYS_rmdir SYS_creat SYS_link SYS_unlink SYS_symlink SYS_readlink SYS_chmod SYS_chown
    SYS_lchown SYS_getpgrp SYS_utime SYS_utimes SYS_futimesat SYS_time SYS_arch_prctl SYS_epoll_create SYS_epoll_wait
    SYS_inotify_init SYS_signalfd SYS_eventfd SYS_mknod
);
#[cfg(not(target_arch = "x86_64"))]
const ALLOWED_ARCH: &[i64] = &[];

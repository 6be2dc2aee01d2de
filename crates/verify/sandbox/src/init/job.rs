use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::unix::net::UnixStream;
use std::path::Path;

use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::stat::{Mode, umask};
use nix::unistd::{Gid, Uid, chdir, execve, setgroups, setresgid, setresuid, setsid};

use super::{HOME, JOB_ID, SCRIPT, bare, filter};
use crate::archive;
use crate::proto::{Report, Spawn, Task, write_report};
use crate::sys;

/// Runs as the job's own process: gives every privilege up and starts the task.
pub(super) fn main(control: &UnixStream, spawn: &Spawn, payload: Option<File>) -> ! {
    match run(spawn, payload) {
        Ok(code) => std::process::exit(code),
        Err(error) => {
            // Reported before pid 1 reports the exit code; the first report counts.
            let _ = write_report(control, &Report::Failed { message: error.to_string() });
            std::process::exit(71)
        }
    }
}

fn run(spawn: &Spawn, payload: Option<File>) -> io::Result<i32> {
    setsid()?;
    limit(spawn)?;
    match spawn.bare {
        true => prctl::set_no_new_privs()?,
        false => give_up_privileges(spawn.range.is_some())?,
    }
    sys::default_signals()?;
    umask(Mode::from_bits_truncate(0o022));
    chdir(spawn.workdir.as_str()).map_err(|e| io::Error::other(format!("{}: {e}", spawn.workdir)))?;
    sys::close_on_exec_from(3)?;
    if !spawn.bare {
        filter::install()?;
    }
    match (&spawn.task, payload) {
        (Task::Script(_), _) => exec_script(spawn),
        (Task::Collect(collect), Some(file)) => Ok(archive::collect(collect, &spawn.workdir, file)),
        (Task::Unpack(unpack), Some(file)) => Ok(archive::unpack(unpack, file)),
        _ => Err(io::Error::other("no archive was given")),
    }
}

fn give_up_privileges(range: bool) -> io::Result<()> {
    sys::drop_capabilities();
    if range {
        setgroups(&[])?;
    }
    let (uid, gid) = (Uid::from_raw(JOB_ID), Gid::from_raw(JOB_ID));
    setresgid(gid, gid, gid)?;
    setresuid(uid, uid, uid)?;
    sys::clear_capabilities()?;
    prctl::set_no_new_privs()?;
    Ok(())
}

fn limit(spawn: &Spawn) -> io::Result<()> {
    let limits = &spawn.limits;
    clamp(Resource::RLIMIT_CORE, 0)?;
    clamp(Resource::RLIMIT_FSIZE, limits.file_size)?;
    clamp(Resource::RLIMIT_NOFILE, limits.open_files)?;
    if !spawn.bare {
        // Without ids of its own the job would be counted together with everything else of the server's user.
        clamp(Resource::RLIMIT_NPROC, limits.pids)?;
    }
    clamp(Resource::RLIMIT_MEMLOCK, 8 << 20)?;
    match limits.memory {
        // A limit for each process is the best there is without control groups.
        Some(memory) if !spawn.memory_cgroup => clamp(Resource::RLIMIT_DATA, memory),
        _ => Ok(()),
    }
}

/// Lowers a limit; a hard limit below the wanted one stays, because it cannot be raised.
fn clamp(resource: Resource, wanted: u64) -> io::Result<()> {
    let (_, hard) = getrlimit(resource)?;
    let value = wanted.min(hard);
    Ok(setrlimit(resource, value, value)?)
}

fn exec_script(spawn: &Spawn) -> io::Result<i32> {
    let shell = if Path::new("/bin/bash").exists() { "/bin/bash" } else { "/bin/sh" };
    let env = environment(spawn, shell)?;
    let script = if spawn.bare { bare::script_path(spawn).display().to_string() } else { SCRIPT.to_owned() };
    let args = [c_string(shell)?, c_string(&script)?];
    match execve(&args[0], &args, &env) {
        Err(nix::errno::Errno::E2BIG) => {
            Err(io::Error::other("the job's variables are too large: one may have 128 KiB, all together 2 MiB"))
        }
        Err(error) => Err(io::Error::other(format!("{shell}: {error}"))),
    }
}

fn environment(spawn: &Spawn, shell: &str) -> io::Result<Vec<CString>> {
    let mut env = vec![
        ("PATH", search_path()),
        ("HOME", if spawn.bare { spawn.home.display().to_string() } else { HOME.to_owned() }),
        ("USER", "job".to_owned()),
        ("LOGNAME", "job".to_owned()),
        ("SHELL", shell.to_owned()),
        ("LANG", "C.UTF-8".to_owned()),
    ];
    if Path::new("/usr/local/rustup").is_dir() {
        env.push(("RUSTUP_HOME", "/usr/local/rustup".to_owned()));
    }
    env.retain(|(key, _)| !spawn.env.iter().any(|(own, _)| own == key));
    let own = spawn.env.iter().map(|(key, value)| (key.as_str(), value.clone()));
    env.into_iter().chain(own).map(|(key, value)| c_string(&format!("{key}={value}"))).collect()
}

fn search_path() -> String {
    let mut path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned();
    for folder in ["/usr/local/cargo/bin", "/usr/local/go/bin"] {
        if Path::new(folder).is_dir() {
            path.push(':');
            path.push_str(folder);
        }
    }
    path
}

fn c_string(text: &str) -> io::Result<CString> {
    CString::new(text).map_err(|_| io::Error::other("a variable contains a NUL byte"))
}

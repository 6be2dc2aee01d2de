//! Runs the git binary: clean environment, bounded output and time, no process left behind.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};

use crate::stream::ByteStream;
use crate::{GitError, Result};

/// How long a command may take unless it says otherwise.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How much a command that is not streamed may print.
const OUTPUT_LIMIT: usize = 256 << 20;
/// How much of standard error is kept.
const STDERR_LIMIT: usize = 8 << 10;
/// How long an abandoned command gets to clean up after itself before it is killed.
const GRACE: Duration = Duration::from_secs(3);

/// Settings that hold for each command, whatever the repository's own configuration says.
const SETTINGS: [&str; 7] = [
    "safe.directory=*",
    "core.quotePath=false",
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "receive.autogc=false",
];

/// Builds one git command.
pub(crate) struct Git {
    subcommand: &'static str,
    command: Command,
    timeout: Duration,
}

impl Git {
    /// Starts a command outside any repository.
    pub(crate) fn new(subcommand: &'static str) -> Self {
        Self::build(subcommand, None, &[])
    }

    /// Starts a command in the bare repository at `path`.
    pub(crate) fn in_repo(path: &Path, subcommand: &'static str) -> Self {
        Self::build(subcommand, Some(path), &[])
    }

    /// Starts a command in a repository with further settings, which win over the usual ones.
    pub(crate) fn with_settings(path: &Path, subcommand: &'static str, settings: &[String]) -> Self {
        Self::build(subcommand, Some(path), settings)
    }

    fn build(subcommand: &'static str, repo: Option<&Path>, settings: &[String]) -> Self {
        let mut command = Command::new("git");
        clean_environment(&mut command);
        for setting in SETTINGS.into_iter().chain(settings.iter().map(String::as_str)) {
            command.arg("-c").arg(setting);
        }
        command.args(["--no-replace-objects", "--literal-pathspecs"]);
        if let Some(path) = repo {
            command.arg("--git-dir").arg(path).current_dir(path);
        }
        command.arg(subcommand).process_group(0).kill_on_drop(true);
        Self { subcommand, command, timeout: TIMEOUT }
    }

    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    /// Adds an argument of arbitrary bytes.
    pub(crate) fn arg_bytes(self, bytes: &[u8]) -> Self {
        self.arg(std::os::unix::ffi::OsStrExt::from_bytes(bytes) as &OsStr)
    }

    pub(crate) fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    /// Adds a path; nothing for the root, which limits nothing.
    pub(crate) fn path(self, path: &crate::RepoPath) -> Self {
        if path.is_root() { self } else { self.arg_bytes(path.as_bytes()) }
    }

    /// Adds `arg` if the condition holds.
    pub(crate) fn arg_if(self, condition: bool, arg: &str) -> Self {
        if condition { self.arg(arg) } else { self }
    }

    pub(crate) fn env(mut self, key: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.command.env(key, value);
        self
    }

    pub(crate) fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Runs the command to its end and returns its output.
    pub(crate) async fn run(self) -> Result<Vec<u8>> {
        self.run_with(Vec::new()).await
    }

    /// Runs the command with `input` and returns its output; any exit code but zero is an error.
    pub(crate) async fn run_with(self, input: Vec<u8>) -> Result<Vec<u8>> {
        let subcommand = self.subcommand;
        let output = self.run_any(input).await?;
        if output.code == Some(0) {
            return Ok(output.stdout);
        }
        Err(GitError::Command { command: subcommand.into(), stderr: output.stderr })
    }

    /// Runs the command with `input` and returns what came of it, whatever the exit code.
    pub(crate) async fn run_any(self, input: Vec<u8>) -> Result<Output> {
        let (subcommand, timeout) = (self.subcommand, self.timeout);
        let running = self.spawn(!input.is_empty())?;
        let work = tokio::time::timeout(timeout, running.collect(input, OUTPUT_LIMIT, subcommand));
        work.await.map_err(|_| GitError::TimedOut(format!("git {subcommand}")))?
    }

    /// Starts the command and returns it running.
    pub(crate) fn spawn(mut self, with_input: bool) -> Result<Running> {
        let stdin = if with_input { Stdio::piped() } else { Stdio::null() };
        let child = self.command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        Ok(Running { subcommand: self.subcommand, child: Guard::new(child) })
    }

    /// Starts the command and returns its output as a stream that fails if the command does.
    pub(crate) fn stream(self) -> Result<ByteStream> {
        Ok(ByteStream::of_command(self.spawn(false)?))
    }
}

/// What a finished command left.
pub(crate) struct Output {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

/// Is a command under way; its processes are ended when it is dropped.
pub(crate) struct Running {
    pub(crate) subcommand: &'static str,
    pub(crate) child: Guard,
}

impl Running {
    pub(crate) fn take_stdout(&mut self) -> Result<ChildStdout> {
        self.child.get().and_then(|child| child.stdout.take()).ok_or_else(|| broken_pipe().into())
    }

    pub(crate) fn take_stderr(&mut self) -> Result<ChildStderr> {
        self.child.get().and_then(|child| child.stderr.take()).ok_or_else(|| broken_pipe().into())
    }

    async fn collect(mut self, input: Vec<u8>, limit: usize, subcommand: &str) -> Result<Output> {
        let stdin = self.child.get().and_then(|child| child.stdin.take());
        let (stdout, stderr) = (self.take_stdout()?, self.take_stderr()?);
        let feed = async {
            if let Some(mut stdin) = stdin {
                // A command that ends before it read everything tells why by its exit code.
                let _ = stdin.write_all(&input).await;
            }
        };
        let read = read_limited(stdout, limit);
        let ((), stdout, stderr) = tokio::join!(feed, read, read_stderr(stderr));
        let stdout = stdout?.ok_or_else(|| GitError::TooLarge(format!("the output of git {subcommand}")))?;
        let status = self.child.wait().await?;
        Ok(Output { code: status.code(), stdout, stderr })
    }
}

fn broken_pipe() -> std::io::Error {
    std::io::ErrorKind::BrokenPipe.into()
}

/// Reads to the end, or returns nothing once there is more than `limit`.
async fn read_limited(reader: impl AsyncRead + Unpin, limit: usize) -> Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    reader.take(limit as u64 + 1).read_to_end(&mut bytes).await?;
    Ok((bytes.len() <= limit).then_some(bytes))
}

/// Reads standard error to its end and keeps its first kilobytes.
pub(crate) async fn read_stderr(mut reader: impl AsyncRead + Unpin) -> String {
    let (mut kept, mut chunk) = (Vec::new(), [0; 4096]);
    while let Ok(count @ 1..) = reader.read(&mut chunk).await {
        let room = STDERR_LIMIT.saturating_sub(kept.len()).min(count);
        kept.extend_from_slice(&chunk[..room]);
    }
    String::from_utf8_lossy(&kept).trim().to_owned()
}

/// Keeps nothing of the caller's environment but what finds programs and temporary files.
fn clean_environment(command: &mut Command) {
    command.env_clear();
    for key in ["PATH", "TMPDIR"] {
        if let Some(value) = std::env::var_os(key) {
            command.env(key, value);
        }
    }
    command.envs([
        ("HOME", "/nonexistent"),
        ("LC_ALL", "C"),
        ("TZ", "UTC"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_ATTR_NOSYSTEM", "1"),
        ("GIT_TERMINAL_PROMPT", "0"),
        ("GIT_OPTIONAL_LOCKS", "0"),
        ("GIT_ALLOW_PROTOCOL", ""),
        ("GIT_AUTHOR_NAME", "git"),
        ("GIT_AUTHOR_EMAIL", "git@localhost"),
        ("GIT_COMMITTER_NAME", "git"),
        ("GIT_COMMITTER_EMAIL", "git@localhost"),
    ]);
}

/// Owns a child process and its group, and ends both when dropped early.
pub(crate) struct Guard {
    child: Option<Child>,
}

impl Guard {
    fn new(child: Child) -> Self {
        Self { child: Some(child) }
    }

    pub(crate) fn get(&mut self) -> Option<&mut Child> {
        self.child.as_mut()
    }

    /// Waits for the process to end.
    pub(crate) async fn wait(&mut self) -> std::io::Result<std::process::ExitStatus> {
        let child = self.child.as_mut().ok_or_else(broken_pipe)?;
        let status = child.wait().await?;
        self.child = None;
        Ok(status)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        let Some(group) = child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw) else { return };
        // SIGTERM lets git remove its lock files and quarantine; SIGKILL follows for what does not listen.
        let _ = killpg(group, Signal::SIGTERM);
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            if tokio::time::timeout(GRACE, child.wait()).await.is_err() {
                let _ = killpg(group, Signal::SIGKILL);
                let _ = child.wait().await;
            }
        });
    }
}

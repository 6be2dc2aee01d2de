//! Real git, as a person's machine would run it.

use std::path::Path;
use std::process::Stdio;

/// What git answered.
#[derive(Debug)]
pub struct GitOutput {
    /// Whether it succeeded.
    pub ok: bool,
    /// What it printed.
    pub stdout: String,
    /// What it complained.
    pub stderr: String,
}

/// Runs git in a folder with a clean configuration and a fixed identity.
pub async fn git(folder: &Path, args: &[&str]) -> GitOutput {
    let output = tokio::process::Command::new("git")
        .current_dir(folder)
        .args(["-c", "protocol.file.allow=always", "-c", "init.defaultBranch=main"])
        .args(args)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_AUTHOR_NAME", "Dana")
        .env("GIT_AUTHOR_EMAIL", "dana@example.com")
        .env("GIT_COMMITTER_NAME", "Dana")
        .env("GIT_COMMITTER_EMAIL", "dana@example.com")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .expect("git runs");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    GitOutput { ok: output.status.success(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

impl GitOutput {
    /// Fails the test where git failed; gives what it printed.
    #[track_caller]
    pub fn expect_ok(self) -> String {
        assert!(self.ok, "git failed: {}", self.stderr);
        self.stdout
    }

    /// Fails the test where git succeeded; gives what it complained.
    #[track_caller]
    pub fn expect_failure(self) -> String {
        assert!(!self.ok, "git succeeded: {}{}", self.stdout, self.stderr);
        self.stderr
    }
}

//! Fetching another server's repository.

use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};

use crate::command::Git;
use crate::error::{corrupt, not_found};
use crate::{ByteString, GitError, RefName, Repo, Result};

/// How much a remote may say in one line of progress.
const MAX_LINE: usize = 1000;

/// Says what to fetch and how.
#[derive(Clone, Debug)]
pub struct FetchOptions {
    /// The address: `https`, `http` or `git`, without user and password.
    pub url: String,
    /// User and password.
    pub credentials: Option<(String, String)>,
    /// Pins the host to an address that was checked before, as `HOST:PORT:ADDRESS`.
    pub pin: Option<String>,
    /// Whether refs that the other side no longer has are removed.
    pub prune: bool,
    /// How long it may take.
    pub timeout: Duration,
}

impl FetchOptions {
    /// Makes the usual options for an address.
    pub fn new(url: impl Into<String>) -> Self {
        let timeout = Duration::from_secs(4 * 3600);
        Self { url: url.into(), credentials: None, pin: None, prune: false, timeout }
    }

    /// Checks the address and the credentials.
    pub fn check(&self) -> Result<()> {
        let scheme = self.url.split_once("://");
        let Some((scheme, rest)) = scheme.filter(|(scheme, _)| ["https", "http", "git"].contains(scheme)) else {
            return Err(invalid("the address must start with https://, http:// or git://"));
        };
        let host = rest.split('/').next().unwrap_or_default();
        if host.is_empty() || host.starts_with('-') || host.contains('@') {
            return Err(invalid("the address needs a host, and user and password belong in their own fields"));
        }
        let secrets = self.credentials.iter().flat_map(|(user, password)| [user, password]);
        let texts = secrets.chain([&self.url]).chain(&self.pin);
        if texts.clone().any(|text| text.contains(char::is_control)) || self.url.contains(' ') {
            return Err(invalid("the address, user and password can't hold blanks or control characters"));
        }
        if scheme == "git" && self.credentials.is_some() {
            return Err(invalid("git:// knows no user and password"));
        }
        Ok(())
    }

    fn command(&self, subcommand: &'static str, repo: &Repo) -> Git {
        let mut settings = vec![
            "http.followRedirects=initial".to_owned(),
            "http.lowSpeedLimit=1".to_owned(),
            "http.lowSpeedTime=120".to_owned(),
            "fetch.fsckObjects=false".to_owned(),
            "credential.helper=".to_owned(),
        ];
        if let Some(pin) = &self.pin {
            settings.push(format!("http.curloptResolve={pin}"));
            // A redirect could lead past the checked address.
            settings.push("http.followRedirects=false".to_owned());
        }
        if self.credentials.is_some() {
            let (scheme, rest) = self.url.split_once("://").unwrap_or_default();
            let host = rest.split('/').next().unwrap_or_default();
            // The helper takes the secrets from the environment, so that they show in no list of processes.
            settings.push(format!("credential.{scheme}://{host}.helper={HELPER}"));
        }
        let git = Git::with_settings(repo.path(), subcommand, &settings).timeout(self.timeout);
        let git = git.env("GIT_ALLOW_PROTOCOL", "https:http:git");
        let git = passed_on().fold(git, |git, (key, value)| git.env(key, value));
        match &self.credentials {
            Some((user, password)) => git.env("FETCH_USER", user).env("FETCH_PASSWORD", password),
            None => git,
        }
    }
}

const HELPER: &str =
    "!f() { test \"$1\" = get && echo \"username=$FETCH_USER\" && echo \"password=$FETCH_PASSWORD\"; }; f";

/// Settings of the network that administrators give by environment.
fn passed_on() -> impl Iterator<Item = (&'static str, std::ffi::OsString)> {
    const KEYS: [&str; 9] = [
        "GIT_SSL_CAINFO",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "https_proxy",
        "HTTPS_PROXY",
        "http_proxy",
        "no_proxy",
        "NO_PROXY",
        "all_proxy",
    ];
    KEYS.into_iter().filter_map(|key| Some((key, std::env::var_os(key)?)))
}

fn invalid(message: &str) -> GitError {
    GitError::InvalidName(message.to_owned())
}

impl Repo {
    /// Creates a repository in `path` and fetches into it; nothing is left there on failure.
    pub async fn clone_from_url(
        path: impl Into<PathBuf>,
        options: &FetchOptions,
        progress: impl FnMut(&str) + Send,
    ) -> Result<Self> {
        options.check()?;
        let repo = Self::init(path, "main").await?;
        if let Err(error) = repo.fetch_from(options, progress).await {
            tokio::fs::remove_dir_all(repo.path()).await.map_err(corrupt)?;
            repo.forget();
            return Err(error);
        }
        Ok(repo)
    }

    /// Fetches all branches and tags of another repository over those of this one, and takes over its `HEAD`.
    ///
    /// `progress` gets each line that git or the other side reports.
    pub async fn fetch_from(&self, options: &FetchOptions, progress: impl FnMut(&str) + Send) -> Result<()> {
        options.check()?;
        let command =
            options.command("fetch", self).args(["--progress", "--no-write-fetch-head", "--force", "--no-tags"]);
        let command = command.arg_if(options.prune, "--prune");
        let refspecs = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];
        let command = command.args(["--update-head-ok", "--", &options.url]).args(refspecs);
        let work = run_with_progress(command, progress);
        let timed = tokio::time::timeout(options.timeout, work).await;
        timed.map_err(|_| GitError::TimedOut("fetching".into()))??;
        self.forget();
        if let Some(branch) = self.remote_head(options).await? {
            self.set_default_branch(&branch).await?;
        }
        Ok(())
    }

    /// Asks the other side which branch its `HEAD` names.
    async fn remote_head(&self, options: &FetchOptions) -> Result<Option<ByteString>> {
        let command = options.command("ls-remote", self).timeout(Duration::from_secs(60));
        let output = command.args(["--symref", "--", &options.url, "HEAD"]).run().await?;
        let lines = output.split(|b| *b == b'\n');
        let mut names = lines.filter_map(|line| line.strip_prefix(b"ref: ")?.strip_suffix(b"\tHEAD"));
        let name = names.next().and_then(|name| RefName::new(name).ok());
        Ok(name.filter(RefName::is_branch).map(|name| name.short()))
    }
}

async fn run_with_progress(command: Git, progress: impl FnMut(&str) + Send) -> Result<()> {
    let mut running = command.spawn(false)?;
    let stderr = running.take_stderr()?;
    let last = read_progress(stderr, progress).await?;
    let status = running.child.wait().await?;
    if status.success() {
        return Ok(());
    }
    if last.contains("not found") || last.contains("does not exist") {
        return Err(not_found("the repository to fetch"));
    }
    Err(GitError::Command { command: "fetch".into(), stderr: last })
}

/// Reads lines that end with a line feed or carriage return, and returns the last errors among them.
async fn read_progress(mut reader: impl AsyncRead + Unpin, mut progress: impl FnMut(&str) + Send) -> Result<String> {
    let (mut line, mut chunk) = (Vec::new(), [0; 4096]);
    let mut errors = String::new();
    loop {
        let count = reader.read(&mut chunk).await?;
        for byte in &chunk[..count] {
            match byte {
                b'\r' | b'\n' => end_line(&mut line, &mut errors, &mut progress),
                _ if line.len() < MAX_LINE => line.push(*byte),
                _ => {}
            }
        }
        if count == 0 {
            end_line(&mut line, &mut errors, &mut progress);
            return Ok(errors.trim().to_owned());
        }
    }
}

fn end_line(line: &mut Vec<u8>, errors: &mut String, progress: &mut (impl FnMut(&str) + Send)) {
    let text = String::from_utf8_lossy(line).trim().to_owned();
    line.clear();
    if text.is_empty() {
        return;
    }
    let is_error = ["fatal:", "error:", "remote:"].iter().any(|prefix| text.starts_with(prefix));
    if is_error && errors.len() < 4 * MAX_LINE {
        errors.push_str(&text);
        errors.push('\n');
    }
    progress(&text);
}

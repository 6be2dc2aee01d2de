//! The git processes behind fetches and pushes.

use std::path::PathBuf;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWriteExt, BufReader};
use tokio::process::ChildStdin;
use tokio::sync::{mpsc, oneshot};

use super::{Protocol, Service};
use crate::command::{Git, Running, read_stderr};
use crate::stream::pump;
use crate::{ByteStream, GitError, Repo, Result};

/// Faults in old but harmless objects, which real histories are full of.
const TOLERATED: [&str; 4] = ["missingSpaceBeforeDate", "badTimezone", "zeroPaddedFilemode", "missingEmail"];

/// The pieces in which a client's bytes are passed on; as much as a pipe holds.
const FEED: usize = 64 << 10;

/// Says how a service is to run.
#[derive(Clone, Debug)]
pub struct PackOptions {
    /// Which service.
    pub service: Service,
    /// The version that the client asked for.
    pub protocol: Protocol,
    /// Whether this is one request of several over HTTP; false for a connection as over SSH.
    pub stateless: bool,
    /// Prefixes of refs that the client neither sees nor changes.
    pub hidden: Vec<String>,
    /// The folder of hooks, as made by [`crate::hooks::install`]; no hook runs without one.
    pub hooks: Option<PathBuf>,
    /// Further environment variables, which hooks see.
    pub env: Vec<(String, String)>,
    /// The largest pack accepted by a push, in bytes.
    pub max_input: Option<u64>,
    /// Fewer objects than this in a push are kept as loose objects.
    pub unpack_limit: u32,
    /// Whether branches may only move forward.
    pub forward_only: bool,
}

impl PackOptions {
    /// Makes the usual options for a service.
    pub fn new(service: Service, protocol: Protocol, stateless: bool) -> Self {
        Self {
            service,
            protocol,
            stateless,
            hidden: Vec::new(),
            hooks: None,
            env: Vec::new(),
            max_input: None,
            unpack_limit: 100,
            forward_only: false,
        }
    }

    fn settings(&self) -> Vec<String> {
        let mut settings = vec![
            "uploadpack.allowFilter=true".to_owned(),
            "uploadpack.allowAnySHA1InWant=true".to_owned(),
            "receive.fsckObjects=true".to_owned(),
            "receive.advertisePushOptions=true".to_owned(),
            "receive.denyCurrentBranch=ignore".to_owned(),
            "receive.denyDeleteCurrent=ignore".to_owned(),
            "repack.writeBitmaps=true".to_owned(),
            format!("receive.unpackLimit={}", self.unpack_limit),
            format!("receive.denyNonFastForwards={}", self.forward_only),
        ];
        settings.extend(TOLERATED.map(|fault| format!("receive.fsck.{fault}=ignore")));
        settings.extend(self.hidden.iter().map(|prefix| format!("transfer.hideRefs={prefix}")));
        settings.extend(self.max_input.map(|bytes| format!("receive.maxInputSize={bytes}")));
        if let Some(hooks) = &self.hooks {
            settings.push(format!("core.hooksPath={}", hooks.display()));
        }
        settings
    }

    fn command(&self, repo: &Repo) -> Git {
        let git = Git::with_settings(repo.path(), self.service.subcommand(), &self.settings());
        let git = git.arg_if(self.service == Service::UploadPack, "--strict");
        let git = git.arg_if(self.stateless, "--stateless-rpc");
        let git = self.env.iter().fold(git, |git, (key, value)| git.env(key, value));
        match self.protocol.variable() {
            Some(version) => git.env("GIT_PROTOCOL", version),
            None => git,
        }
    }
}

/// Says how a service ended.
#[derive(Clone, Debug)]
pub struct PackExit {
    /// The exit code; nothing if a signal ended the process.
    pub code: Option<i32>,
    /// What it printed on standard error, cut to a few kilobytes.
    pub stderr: String,
}

/// Is a service under way; it ends when `output` is dropped.
#[derive(Debug)]
pub struct PackProcess {
    /// What the client gets to read.
    pub output: ByteStream,
    /// Tells how the process ended, after the output did; an error if it was cut off.
    pub exit: oneshot::Receiver<PackExit>,
}

impl Repo {
    /// Asks git for the list of refs that opens a conversation in protocols 0 and 1.
    pub async fn advertise_refs(&self, options: &PackOptions) -> Result<Bytes> {
        let command = options.command(self).arg("--http-backend-info-refs").arg(self.path());
        Ok(command.run().await?.into())
    }

    /// Serves a fetch or a push: passes `input` to git and git's answer to the returned stream.
    pub fn serve_pack(
        &self,
        options: &PackOptions,
        input: impl AsyncRead + Send + Unpin + 'static,
    ) -> Result<PackProcess> {
        let running = options.command(self).arg(self.path()).spawn(true)?;
        let (chunks, output) = mpsc::channel(4);
        let (exited, exit) = oneshot::channel();
        tokio::spawn(async move {
            match converse(running, input, &chunks).await {
                Ok(Some(how)) => drop(exited.send(how)),
                Ok(None) => {}
                Err(error) => {
                    tracing::debug!(%error, "a pack service broke off");
                    let _ = chunks.send(Err(std::io::Error::other(error))).await;
                }
            }
        });
        Ok(PackProcess { output: ByteStream::of_channel(output), exit })
    }
}

/// Runs a service to its end; returns nothing if the client went away.
async fn converse(
    mut running: Running,
    input: impl AsyncRead + Send + Unpin + 'static,
    chunks: &mpsc::Sender<std::io::Result<Bytes>>,
) -> Result<Option<PackExit>> {
    let stdin = running.child.get().and_then(|child| child.stdin.take());
    let stdin = stdin.ok_or_else(|| GitError::Io(std::io::ErrorKind::BrokenPipe.into()))?;
    let (stdout, stderr) = (running.take_stdout()?, running.take_stderr()?);
    let complaints = tokio::spawn(read_stderr(stderr));
    let feeding = tokio::spawn(feed(input, stdin));
    let delivered = pump(stdout, chunks).await;
    // The process reads no more once it has closed its output.
    feeding.abort();
    if !delivered? {
        return Ok(None);
    }
    let status = running.child.wait().await?;
    let stderr = complaints.await.unwrap_or_default();
    Ok(Some(PackExit { code: status.code(), stderr }))
}

/// Copies the client's bytes; closing the pipe at the end or at an error tells git that no more will come.
async fn feed(input: impl AsyncRead + Unpin, mut stdin: ChildStdin) {
    let mut input = BufReader::with_capacity(FEED, input);
    if let Err(error) = tokio::io::copy_buf(&mut input, &mut stdin).await {
        tracing::debug!(%error, "the input of a pack service broke off");
    }
    let _ = stdin.shutdown().await;
}

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::archive::Format;
use crate::init::BUILDS;

/// What a job's file tree consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Executor {
    /// The toolchains of the host, read-only.
    #[default]
    Host,
}

/// A variable of a job, already expanded.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Variable {
    /// The name.
    pub key: String,
    /// The value.
    pub value: String,
    /// Whether the job gets the path of a file with the value instead of the value.
    pub file: bool,
    /// Whether the value is replaced in the log.
    pub masked: bool,
}

/// Where a job's source code comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// A bare repository on the host.
    pub repository: PathBuf,
    /// The commit to check out, as a full object id.
    pub sha: String,
    /// The branch's or tag's short name.
    pub ref_name: String,
    /// Whether the name is a tag's.
    pub tag: bool,
    /// How many commits to fetch, 0 for all with all branches and tags.
    pub depth: u32,
    /// The address that the job's clone names as its origin.
    pub url: Option<String>,
}

/// An earlier job whose artifacts this one gets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dependency {
    /// The earlier job's id.
    pub id: u64,
    /// The earlier job's name.
    pub name: String,
}

/// The outcome on which something happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// The script succeeded.
    #[default]
    OnSuccess,
    /// The script failed.
    OnFailure,
    /// Either.
    Always,
}

impl When {
    pub(crate) fn applies(self, success: bool) -> bool {
        self == Self::Always || (self == Self::OnSuccess) == success
    }
}

/// Files to keep after a job.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Artifact {
    /// The archive's name without an extension.
    pub name: Option<String>,
    /// Patterns relative to the project's folder; `**` crosses folders.
    pub paths: Vec<String>,
    /// Patterns of what is left out.
    pub exclude: Vec<String>,
    /// Whether every file unknown to git is taken too.
    pub untracked: bool,
    /// The outcome on which it is kept.
    pub when: When,
    /// The protocol's name of the kind, `archive` or a report's.
    pub kind: String,
    /// How the files are packed.
    pub format: Format,
}

/// One entry of a stored zip archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArtifactEntry {
    /// The path inside; a folder's ends with a slash.
    pub path: String,
    /// The unpacked size.
    pub size: u64,
    /// The packed size.
    pub compressed: u64,
    /// The checksum of the content.
    pub crc32: u32,
    /// The kind and the permission bits, as Unix has them.
    pub mode: u32,
}

/// An archive that is ready to be stored; its file is removed afterwards.
#[derive(Debug)]
pub struct StoredArtifact<'a> {
    /// What the job asked for.
    pub artifact: &'a Artifact,
    /// The name with its extension.
    pub file_name: String,
    /// The packed file.
    pub path: &'a Path,
    /// Its size.
    pub size: u64,
    /// What a zip archive holds.
    pub entries: Vec<ArtifactEntry>,
}

/// A whole job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobPlan {
    /// The job's id, shown in the log.
    pub id: u64,
    /// The project's full path, which names the folder below `/builds`.
    pub project_path: String,
    /// Variables in order; the last of a name counts.
    pub variables: Vec<Variable>,
    /// More values to replace in the log, such as tokens.
    pub secrets: Vec<String>,
    /// The source code, or none for an empty folder.
    pub source: Option<Source>,
    /// Earlier jobs whose artifacts are unpacked.
    pub dependencies: Vec<Dependency>,
    /// Lines that run before the script, in the same shell.
    pub before_script: Vec<String>,
    /// The script's lines.
    pub script: Vec<String>,
    /// Lines that run afterwards in a shell of their own, whatever the outcome.
    pub after_script: Vec<String>,
    /// What to keep.
    pub artifacts: Vec<Artifact>,
    /// The job's time limit.
    pub timeout: Duration,
    /// The image that the job names, which no executor pulls yet.
    pub image: Option<String>,
    /// What the job's file tree consists of.
    pub executor: Executor,
}

/// Returns a project's folder as the job sees it, the value of `CI_PROJECT_DIR`.
pub fn project_dir(project_path: &str) -> String {
    format!("{BUILDS}/{project_path}")
}

/// Why a job failed, in the runner protocol's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureReason {
    /// The script ended with another code than 0.
    ScriptFailure,
    /// The runner could not do its part.
    RunnerSystemFailure,
    /// The time limit was reached.
    JobExecutionTimeout,
}

impl FailureReason {
    /// Returns the protocol's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ScriptFailure => "script_failure",
            Self::RunnerSystemFailure => "runner_system_failure",
            Self::JobExecutionTimeout => "job_execution_timeout",
        }
    }
}

/// How a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Well.
    Success,
    /// Badly.
    Failed(FailureReason),
    /// By a request.
    Canceled,
}

impl Status {
    /// Returns the value of `CI_JOB_STATUS`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failed(_) => "failed",
            Self::Canceled => "canceled",
        }
    }
}

/// The result of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobResult {
    /// How it ended.
    pub status: Status,
    /// The script's exit code, when it is not 0.
    pub exit_code: Option<i32>,
    /// How long it ran.
    pub duration: Duration,
}

/// Requests to end a job.
#[derive(Debug, Clone)]
pub struct Cancel {
    abort: CancellationToken,
    stop: CancellationToken,
}

impl Default for Cancel {
    fn default() -> Self {
        Self::new()
    }
}

impl Cancel {
    /// Makes a request that was not made yet.
    pub fn new() -> Self {
        let abort = CancellationToken::new();
        Self { stop: abort.child_token(), abort }
    }

    /// Ends the script; after_script and the upload of artifacts still run.
    pub fn cancel(&self) {
        self.stop.cancel();
    }

    /// Ends the job at once.
    pub fn abort(&self) {
        self.abort.cancel();
    }

    pub(crate) fn script(&self) -> &CancellationToken {
        &self.stop
    }

    pub(crate) fn rest(&self) -> &CancellationToken {
        &self.abort
    }
}

/// What a job needs from the program around it.
#[async_trait]
pub trait JobIo: Send + Sync {
    /// Appends to the job's log; secrets are masked already.
    async fn log(&self, bytes: &[u8]) -> io::Result<()>;

    /// Returns a zip archive on the host with an earlier job's artifacts, or none when it has none.
    async fn fetch_artifact(&self, dependency: &Dependency) -> io::Result<Option<PathBuf>>;

    /// Stores an archive.
    async fn store_artifact(&self, stored: StoredArtifact<'_>) -> io::Result<()>;
}

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The first argument with which a binary enters [`crate::init_main`].
pub const JOB_INIT: &str = "job-init";

/// How the job's first process is started.
#[derive(Debug, Clone)]
pub struct InitCommand {
    /// The program to execute.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
}

impl Default for InitCommand {
    /// Re-executes the running binary with [`JOB_INIT`] as its argument.
    fn default() -> Self {
        Self { program: "/proc/self/exe".into(), args: vec![JOB_INIT.into()] }
    }
}

/// What a job can reach over the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// Its own loopback interface alone.
    #[default]
    None,
    /// Everything the host reaches, the host's own loopback services included.
    Host,
}

/// Limits of one job.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Limits {
    /// Bytes of memory of all its processes together.
    pub memory: Option<u64>,
    /// Processes and threads at one time.
    pub pids: u64,
    /// Thousandths of a processor.
    pub cpu_millis: Option<u64>,
    /// Bytes on disk below `/builds`, `/tmp` and the home folder together.
    pub disk: u64,
    /// Bytes of one file.
    pub file_size: u64,
    /// Open files of one process.
    pub open_files: u64,
    /// Bytes of one artifact archive.
    pub artifact_size: u64,
}

impl Default for Limits {
    fn default() -> Self {
        const GIB: u64 = 1 << 30;
        Self {
            memory: Some(4 * GIB),
            pids: 1024,
            cpu_millis: None,
            disk: 10 * GIB,
            file_size: 4 * GIB,
            open_files: 65_536,
            artifact_size: GIB,
        }
    }
}

/// Settings of a [`crate::Sandbox`].
#[derive(Debug, Clone)]
pub struct Config {
    /// The folder for builds and run records; nothing else may live in it.
    pub root: PathBuf,
    /// How many jobs run at once.
    pub slots: u32,
    /// The first user id of slot 0; each slot has 65,536 of its own.
    pub first_uid: u32,
    /// The limits of every job.
    pub limits: Limits,
    /// What jobs can reach.
    pub network: Network,
    /// The time limit of a step that names none.
    pub default_timeout: Duration,
    /// Bytes of output that a job may write before the rest is dropped.
    pub output_cap: u64,
    /// Host folders with toolchains, shown read-only at their own path; none may lie below `/tmp`.
    pub read_only: Vec<PathBuf>,
    /// Host folders that no job sees, not even where they lie inside a toolchain's; `root` is one always.
    pub hidden: Vec<PathBuf>,
    /// Whether jobs run at all on a host that can't isolate them: for trusted jobs only.
    pub allow_unisolated: bool,
    /// How the job's first process is started.
    pub init: InitCommand,
}

impl Config {
    /// Makes the default configuration for builds below `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            slots: std::thread::available_parallelism().map_or(1, |n| n.get() as u32),
            // systemd's list of ranges leaves the ids from here to 2^31 to nobody.
            first_uid: 1_879_048_192,
            limits: Limits::default(),
            network: Network::None,
            default_timeout: Duration::from_secs(3600),
            output_cap: 4 << 20,
            read_only: ["/usr", "/opt", "/nix"].map(PathBuf::from).into(),
            hidden: Vec::new(),
            allow_unisolated: false,
            init: InitCommand::default(),
        }
    }
}

//! What an administrator sets before the start; everything else is an instance setting in the database.

use std::path::{Path, PathBuf};

use url::Url;

/// The configuration of one process.
#[derive(Clone, Debug)]
pub struct Config {
    /// The data folder: database, repositories, objects, keys.
    pub data: PathBuf,
    /// The address that HTTP is served on.
    pub http: String,
    /// The address that SSH is served on; empty switches it off.
    pub ssh: String,
    /// The URL under which people reach this instance, without a trailing slash.
    pub url: Url,
    /// The database: `sqlite:PATH` or `postgres://…`.
    pub database: String,
    /// Where objects are kept: `file:PATH` or a URL of an S3-compatible store.
    pub objects: String,
    /// How many jobs the embedded runner carries out side by side; 0 switches it off.
    pub runner_slots: usize,
    /// Whether jobs may reach the network.
    pub runner_network: bool,
    /// Whether outgoing requests (imports, webhooks) may reach private addresses.
    pub allow_private_addresses: bool,
    /// This program, which is started again for a job's sandbox and for git's hooks.
    pub program: PathBuf,
    /// How many background jobs are carried out side by side.
    pub workers: usize,
}

impl Config {
    /// The defaults for a data folder.
    pub fn new(data: &Path) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            data: data.to_owned(),
            http: "127.0.0.1:8080".into(),
            ssh: "127.0.0.1:2222".into(),
            url: Url::parse("http://127.0.0.1:8080").expect("a constant URL"),
            database: format!("sqlite:{}", data.join("tidemill.db").display()),
            objects: format!("file:{}", data.join("objects").display()),
            runner_slots: cores,
            runner_network: false,
            allow_private_addresses: false,
            program: PathBuf::from("/proc/self/exe"),
            workers: 4,
        }
    }

    /// The folder that holds the bare repositories.
    pub fn repositories(&self) -> PathBuf {
        self.data.join("repositories")
    }

    /// The folder for files that live no longer than a request or a job; emptied at the start.
    pub fn temporary(&self) -> PathBuf {
        self.data.join("tmp")
    }

    /// An absolute URL for a path that begins with a slash.
    pub fn link(&self, path: &str) -> String {
        format!("{}{path}", self.url.as_str().trim_end_matches('/'))
    }
}

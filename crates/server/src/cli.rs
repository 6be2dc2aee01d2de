//! The command line, the environment and `tidemill.toml`: the same settings, in this order of precedence.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Args, Parser, Subcommand};
use kernel::Config;
use serde::Deserialize;

/// One application for the whole software life cycle.
#[derive(Debug, Parser)]
#[command(name = "tidemill", version, propagate_version = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serves the web pages, the API and git, and runs pipelines.
    ///
    /// Every option can also be set in the environment (`TIDEMILL_…`) or in `tidemill.toml`, which is looked for in the
    /// data folder and then in the current one; an option wins over the environment, and that over the file.
    Serve(Options),
    /// Administers an instance, also while it is running.
    Admin {
        /// The data folder of the instance.
        #[arg(long, default_value = "data", env = "TIDEMILL_DATA", global = true)]
        data: PathBuf,
        /// The database, where it is not the one in the data folder.
        #[arg(long, env = "TIDEMILL_DATABASE", global = true)]
        database: Option<String>,
        /// What to do.
        #[command(subcommand)]
        action: Admin,
    },
    /// Called by git during a push; not for people.
    #[command(hide = true)]
    Hook {
        /// The name of the hook.
        name: String,
    },
    /// Called for a job's sandbox; not for people.
    #[command(hide = true, name = "job-init")]
    JobInit,
}

/// The options of `serve`, also the keys of `tidemill.toml`.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// The data folder: database, repositories, objects and keys. It is made if it is not there. [default: data]
    #[arg(long, value_name = "DIR", env = "TIDEMILL_DATA")]
    data: Option<PathBuf>,
    /// The address for HTTP. [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR", env = "TIDEMILL_HTTP")]
    http: Option<String>,
    /// The address for git over SSH; `off` switches it off. [default: 127.0.0.1:2222]
    #[arg(long, value_name = "ADDR", env = "TIDEMILL_SSH")]
    ssh: Option<String>,
    /// The URL under which people reach this server, where a proxy stands before it. [default: from --http]
    #[arg(long, value_name = "URL", env = "TIDEMILL_URL")]
    url: Option<String>,
    /// The database: sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME. [default: sqlite:DIR/tidemill.db]
    #[arg(long, value_name = "URL", env = "TIDEMILL_DATABASE")]
    database: Option<String>,
    /// Where uploads, artifacts and LFS objects are kept: file:PATH or s3://BUCKET/PREFIX?endpoint=URL&region=NAME, with
    /// AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment. [default: file:DIR/objects]
    #[arg(long, value_name = "URL", env = "TIDEMILL_OBJECTS")]
    objects: Option<String>,
    /// Jobs that the embedded runner carries out side by side; 0 switches it off. [default: one for each core]
    #[arg(long, value_name = "N", env = "TIDEMILL_RUNNER_SLOTS")]
    runner_slots: Option<usize>,
    /// Lets jobs of the embedded runner reach the network. [default: false]
    #[arg(long, value_name = "BOOL", env = "TIDEMILL_RUNNER_NETWORK", num_args = 0..=1, default_missing_value = "true")]
    runner_network: Option<bool>,
    /// Lets imports and webhooks reach private addresses. [default: false]
    #[arg(long, value_name = "BOOL", env = "TIDEMILL_ALLOW_PRIVATE_ADDRESSES", num_args = 0..=1, default_missing_value = "true")]
    allow_private_addresses: Option<bool>,
    /// Background jobs that are carried out side by side. [default: 4]
    #[arg(long, value_name = "N", env = "TIDEMILL_WORKERS")]
    workers: Option<usize>,
}

/// What `admin` can do.
#[derive(Debug, Subcommand)]
pub enum Admin {
    /// Makes users and sets passwords.
    #[command(subcommand)]
    User(UserAction),
    /// Makes access tokens.
    #[command(subcommand)]
    Token(TokenAction),
    /// Checks the data folder, the database and the repositories against each other and says what to repair.
    Doctor,
}

/// What `admin user` can do.
#[derive(Debug, Subcommand)]
pub enum UserAction {
    /// Makes a user and prints the password.
    Create {
        /// The name in paths and mentions.
        name: String,
        /// The e-mail address.
        #[arg(long)]
        email: String,
        /// Makes an administrator.
        #[arg(long)]
        admin: bool,
    },
    /// Sets a new random password, prints it and ends the user's sessions.
    Password {
        /// The name in paths and mentions.
        name: String,
    },
}

/// What `admin token` can do.
#[derive(Debug, Subcommand)]
pub enum TokenAction {
    /// Makes a personal access token and prints it alone.
    Create {
        /// The name of the user.
        user: String,
        /// The scopes, separated by commas.
        #[arg(long, value_delimiter = ',', default_value = "api")]
        scopes: Vec<String>,
        /// The last day on which it works, such as 2027-01-31. [default: a year from now]
        #[arg(long, value_name = "DATE")]
        expires: Option<String>,
        /// What it is called.
        #[arg(long, default_value = "made by tidemill admin")]
        name: String,
    },
}

impl Options {
    /// The configuration that these options, the environment (clap has read it) and `tidemill.toml` make.
    pub fn into_config(self) -> Result<Config> {
        let given = self.data.clone().unwrap_or_else(|| "data".into());
        let file = Self::from_file(&[given.join("tidemill.toml"), "tidemill.toml".into()])?;
        let o = self.over(file);
        let data = std::path::absolute(o.data.unwrap_or(given)).context("the data folder has no absolute path")?;
        let mut config = Config::new(&data);
        if let Some(http) = o.http {
            config.url = url_of(&http)?;
            config.http = http;
        }
        if let Some(ssh) = o.ssh {
            config.ssh = if ssh == "off" { String::new() } else { ssh };
        }
        if let Some(url) = o.url {
            config.url = url
                .parse()
                .with_context(|| format!("--url {url} is not a URL; write it like https://git.example.com"))?;
        }
        config.database = o.database.unwrap_or(config.database);
        config.objects = o.objects.unwrap_or(config.objects);
        config.runner_slots = o.runner_slots.unwrap_or(config.runner_slots);
        config.runner_network = o.runner_network.unwrap_or(config.runner_network);
        config.allow_private_addresses = o.allow_private_addresses.unwrap_or(config.allow_private_addresses);
        config.workers = o.workers.unwrap_or(config.workers).max(1);
        Ok(config)
    }

    fn from_file(candidates: &[PathBuf]) -> Result<Self> {
        let Some(path) = candidates.iter().find(|p| p.is_file()) else { return Ok(Self::default()) };
        let text = std::fs::read_to_string(path).with_context(|| format!("{} can't be read", path.display()))?;
        toml::from_str(&text).with_context(|| format!("{} is not understood", path.display()))
    }

    fn over(self, file: Self) -> Self {
        Self {
            data: self.data.or(file.data),
            http: self.http.or(file.http),
            ssh: self.ssh.or(file.ssh),
            url: self.url.or(file.url),
            database: self.database.or(file.database),
            objects: self.objects.or(file.objects),
            runner_slots: self.runner_slots.or(file.runner_slots),
            runner_network: self.runner_network.or(file.runner_network),
            allow_private_addresses: self.allow_private_addresses.or(file.allow_private_addresses),
            workers: self.workers.or(file.workers),
        }
    }
}

/// The URL of a server that listens on `address`, as seen from the same machine.
fn url_of(address: &str) -> Result<url::Url> {
    let Some((host, port)) = address.rsplit_once(':') else {
        bail!("--http {address} is not an address; write it like 127.0.0.1:8080 or 0.0.0.0:80");
    };
    let host = if matches!(host, "0.0.0.0" | "[::]" | "") { "127.0.0.1" } else { host };
    let url = format!("http://{host}:{port}");
    url.parse().with_context(|| format!("--http {address} is not an address; write it like 127.0.0.1:8080"))
}

/// The configuration of `admin`: that of the server on the same data folder.
pub fn admin_config(data: &Path, database: Option<String>) -> Result<Config> {
    Options { data: Some(data.to_owned()), database, ..Options::default() }.into_config()
}

//! What tests at the edge need: a real server on a port, on each database, with real git and people in every role.

mod client;
mod databases;
mod git_cli;
mod world;

use std::path::Path;
use std::time::Duration;

use kernel::{App, Config};
use server::compose::Route;
use tokio::sync::oneshot;

pub use client::{Answer, Client};
pub use databases::for_each_database;
pub use git_cli::{GitOutput, git};
pub use world::{Person, World};

/// A server of the test's own. It stops when it is dropped.
pub struct TestApp {
    /// The application, for looking into the database.
    pub app: App,
    /// The URL, without a trailing slash.
    pub url: String,
    /// All routes of the program.
    pub routes: Vec<Route>,
    /// The data folder.
    data: tempfile::TempDir,
    /// A folder for work trees.
    scratch: tempfile::TempDir,
    stop: Option<oneshot::Sender<()>>,
    served: Option<tokio::task::JoinHandle<anyhow::Result<()>>>,
}

impl TestApp {
    /// Starts a server on `database`, or on SQLite in its own folder.
    pub async fn start(database: Option<String>) -> anyhow::Result<Self> {
        Self::start_with(database, |_| {}).await
    }

    /// The same with a changed configuration.
    pub async fn start_with(database: Option<String>, change: impl FnOnce(&mut Config)) -> anyhow::Result<Self> {
        let _already_there = rustls::crypto::ring::default_provider().install_default();
        let (data, scratch) = (tempfile::tempdir()?, tempfile::tempdir()?);
        let mut config = Config::new(data.path());
        config.http = "127.0.0.1:0".into();
        config.ssh = "127.0.0.1:0".into();
        config.url = "http://127.0.0.1:0".parse()?;
        config.allow_private_addresses = true;
        config.runner_slots = 2;
        config.program = program();
        if let Some(database) = database {
            config.database = database;
        }
        change(&mut config);
        let ready = server::serve::prepare(config).await?;
        let url = format!("http://{}", ready.address()?);
        let (app, routes) = (ready.program.app.clone(), ready.program.routes.clone());
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(ready.run(async {
            let _dropped_means_stop = stopped.await;
        }));
        Ok(Self { app, url, routes, data, scratch, stop: Some(stop), served: Some(served) })
    }

    /// A client that isn't signed in.
    pub fn anonymous(&self) -> Client {
        Client::new(&self.url, None)
    }

    /// A client with a token.
    pub fn client(&self, token: &str) -> Client {
        Client::new(&self.url, Some(token.to_owned()))
    }

    /// The data folder.
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// A folder for work trees.
    pub fn scratch(&self) -> &Path {
        self.scratch.path()
    }

    /// Makes the people, groups and projects that most tests play with.
    pub async fn world(&self) -> World {
        World::make(self).await
    }

    /// The URL of a repository with a person's token in it.
    pub fn remote(&self, person: &Person, project: &str) -> String {
        let host = self.url.trim_start_matches("http://");
        format!("http://{}:{}@{host}/{project}.git", person.username, person.token)
    }

    /// Waits until `check` gives something, for at most twenty seconds.
    pub async fn eventually<T>(&self, what: &str, check: impl AsyncFn() -> Option<T>) -> T {
        let deadline = std::time::Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(found) = check().await {
                return found;
            }
            assert!(std::time::Instant::now() < deadline, "{what} did not happen in time");
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    /// Stops the server and waits for it.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        if let Some(served) = self.served.take() {
            served.await.expect("the server panicked").expect("the server failed");
        }
    }
}

/// The built `tidemill`, which the sandbox and git's hooks start; it lies beside the folder of the test's own program.
pub fn program() -> std::path::PathBuf {
    let own = std::env::current_exe().expect("the test's own program");
    let built = own.parent().and_then(Path::parent).expect("target/debug").join("tidemill");
    assert!(built.is_file(), "{} is not there; run `cargo build -p server` first", built.display());
    built
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.app.stopping().cancel();
    }
}

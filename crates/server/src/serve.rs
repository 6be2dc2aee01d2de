//! From a configuration to a running server, and back down.

use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use axum::serve::ListenerExt;
use kernel::db::MigrateError;
use kernel::{App, Config, Db, Objects, Settings};
use tokio::net::TcpListener;

use crate::compose::{Program, compose};

const PATIENCE: Duration = Duration::from_secs(25);
/// The file that says that a server has this data folder.
const LOCK: &str = "lock";
/// The file with the first administrator's password.
const PASSWORD_FILE: &str = "initial_root_password";

/// A server that has its port and its database and is not serving yet.
pub struct Ready {
    /// The composed program.
    pub program: Program,
    listener: TcpListener,
    _lock: std::fs::File,
}

/// Makes everything ready: folder, database, first administrator, port.
pub async fn prepare(mut config: Config) -> Result<Ready> {
    let version = git::version().await.map_err(|_| anyhow::anyhow!("git was not found; install git 2.38 or newer"))?;
    if version < git::Version::MINIMUM {
        bail!("git {version} is too old; install git 2.38 or newer");
    }
    let lock = make_folders(&config)?;
    let listener = bind(&config.http).await?;
    if config.url.port() == Some(0) {
        let _port_is_free_to_set = config.url.set_port(Some(listener.local_addr()?.port()));
    }
    let db = open_database(&config).await?;
    let objects = Objects::open(&config.objects)?;
    let settings = Settings::default();
    settings.load(&db).await?;
    let program = compose(config, db, objects, settings);
    first_administrator(&program.app).await?;
    Ok(Ready { program, listener, _lock: lock })
}

/// Opens the database and brings it up to date.
pub async fn open_database(config: &Config) -> Result<Db> {
    let hint = "check --database; the embedded default needs none";
    let db = Db::connect(&config.database).await.with_context(|| format!("the database can't be opened; {hint}"))?;
    match db.migrate().await {
        Ok(()) => Ok(db),
        Err(newer @ MigrateError::Newer(_)) => bail!("{newer}"),
        Err(e) => Err(e).context("the database can't be brought up to date"),
    }
}

impl Ready {
    /// The address that HTTP is served on.
    pub fn address(&self) -> Result<SocketAddr> {
        Ok(self.listener.local_addr()?)
    }

    /// Serves until `stop` resolves; then finishes what is under way.
    pub async fn run(self, stop: impl Future<Output = ()> + Send + 'static) -> Result<()> {
        let app = self.program.app.clone();
        app.start();
        for start in &self.program.starts {
            start(app.clone()).await?;
        }
        let service = self.program.service.into_make_service_with_connect_info::<SocketAddr>();
        let listener = self.listener.tap_io(|stream| {
            let _only_slower_without = stream.set_nodelay(true);
        });
        let stopping = app.stopping().clone();
        tokio::spawn(async move {
            stop.await;
            stopping.cancel();
        });
        let graceful = axum::serve(listener, service).with_graceful_shutdown(app.stopping().clone().cancelled_owned());
        let deadline = async {
            app.stopping().cancelled().await;
            tokio::time::sleep(PATIENCE).await;
        };
        tokio::select! {
            served = graceful => served?,
            () = deadline => tracing::warn!("some requests did not end in time"),
        }
        app.stop(PATIENCE).await;
        Ok(())
    }
}

/// `tidemill serve`.
pub async fn serve(config: Config) -> Result<()> {
    let ready = prepare(config).await?;
    announce(&ready.program.app)?;
    ready.run(stop_signal()).await
}

async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

/// The three lines that somebody needs who starts it for the first time.
fn announce(app: &App) -> Result<()> {
    let (config, mut out) = (app.config(), std::io::stdout().lock());
    let url = config.url.as_str().trim_end_matches('/');
    let password = config.data.join(PASSWORD_FILE);
    let sign_in = match password.exists() {
        true => format!("as root, with the password in {}", password.display()),
        false => "as root, with the password you set".to_owned(),
    };
    writeln!(out, "Tidemill   {url}")?;
    writeln!(out, "Sign in    {sign_in}")?;
    writeln!(out, "Push       git push {url}/root/hello.git main     (the push makes the project)")?;
    Ok(out.flush()?)
}

fn make_folders(config: &Config) -> Result<std::fs::File> {
    let data = &config.data;
    let help = "choose a folder that you may write to, with --data DIR";
    let unwritable = || format!("the data folder {} can't be written; {help}", data.display());
    std::fs::create_dir_all(data).with_context(unwritable)?;
    let lock = std::fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(data.join(LOCK))
        .with_context(unwritable)?;
    if lock.try_lock().is_err() {
        bail!(
            "another tidemill serves the data folder {}; stop it, or choose another folder with --data DIR",
            data.display()
        );
    }
    // Others on this machine have no business in here; a job's sandbox never sees it.
    std::fs::set_permissions(data, std::fs::Permissions::from_mode(0o700)).with_context(unwritable)?;
    let _leftovers_are_no_error = std::fs::remove_dir_all(config.temporary());
    for folder in [config.repositories(), config.temporary()] {
        std::fs::create_dir_all(folder).with_context(unwritable)?;
    }
    Ok(lock)
}

async fn bind(address: &str) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|e| match e.kind() {
        std::io::ErrorKind::AddrInUse => {
            anyhow::anyhow!(
                "{address} is taken by another program; stop it, or choose another address with --http ADDR"
            )
        }
        std::io::ErrorKind::PermissionDenied => {
            anyhow::anyhow!(
                "{address} needs more rights; choose a port above 1023 with --http ADDR and put a proxy before it"
            )
        }
        _ => anyhow::anyhow!("{address} can't be listened on ({e}); choose another address with --http ADDR"),
    })
}

async fn first_administrator(app: &App) -> Result<()> {
    let file = app.config().data.join(PASSWORD_FILE);
    accounts::bootstrap::first_admin(app, |password| Ok(write_secret(&file, password)?)).await?;
    Ok(())
}

fn write_secret(path: &Path, secret: &str) -> Result<()> {
    let _an_old_one_may_be_there = std::fs::remove_file(path);
    let mut file = std::fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(path)?;
    writeln!(file, "{secret}")?;
    Ok(file.sync_all()?)
}

/// Starts the log: for people on a terminal, as JSON otherwise. `RUST_LOG` sets what is logged.
pub fn start_log() {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,russh=warn,sqlx=warn"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        log.compact().init();
    } else {
        log.json().flatten_event(true).init();
    }
}

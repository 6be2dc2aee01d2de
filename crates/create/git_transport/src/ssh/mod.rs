//! Git over SSH, in the same process: public keys, the same gate, the same pushes and fetches as over HTTP.

mod command;
mod connection;
mod host_key;
mod session;

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use kernel::{App, Error, Result};
use russh::keys::ssh_key::PrivateKey;
use russh::server::Config;
use russh::{MethodKind, MethodSet};
use tokio::net::{TcpListener, TcpStream};

use connection::Connection;

/// Connections at once, in all and from one address.
const MAX_CONNECTIONS: usize = 512;
const MAX_FROM_ONE: usize = 64;
/// How long somebody may take to sign in.
const GRACE: Duration = Duration::from_secs(30);

/// The address that SSH is served on, known once it is; registered in the application.
#[derive(Debug, Default)]
pub struct SshAddress(OnceLock<SocketAddr>);

/// The address that SSH is served on; `None` while it isn't.
pub fn ssh_address(app: &App) -> Option<SocketAddr> {
    app.get::<SshAddress>().and_then(|a| a.0.get().copied())
}

/// Starts to serve SSH, unless the configuration switches it off.
pub(crate) async fn start(app: App) -> Result<()> {
    let address = app.config().ssh.clone();
    if address.is_empty() {
        return Ok(());
    }
    let key = host_key::load_or_make(&app.config().data).await?;
    let listener = TcpListener::bind(&address).await.map_err(|e| {
        Error::Unavailable(format!(
            "{address} can't be listened on ({e}); choose another address with --ssh ADDR, or --ssh '' for none"
        ))
    })?;
    if let (Some(known), Ok(bound)) = (app.get::<SshAddress>(), listener.local_addr()) {
        let _first_one_stays = known.0.set(bound);
    }
    app.tasks().spawn(accept(app.clone(), listener, Arc::new(config(key))));
    Ok(())
}

fn config(key: PrivateKey) -> Config {
    Config {
        server_id: russh::SshId::Standard("SSH-2.0-Tidemill".into()),
        methods: MethodSet::from([MethodKind::PublicKey].as_slice()),
        auth_rejection_time: Duration::from_millis(200),
        auth_rejection_time_initial: Some(Duration::ZERO),
        keys: vec![key],
        max_auth_attempts: 10,
        inactivity_timeout: Some(Duration::from_secs(600)),
        keepalive_interval: Some(Duration::from_secs(30)),
        keepalive_max: 6,
        nodelay: true,
        ..Config::default()
    }
}

/// How many connections there are from each address.
#[derive(Debug, Default)]
struct Counts(Mutex<HashMap<IpAddr, usize>>);

/// One connection's place among the counted ones.
struct Place {
    counts: Arc<Counts>,
    address: IpAddr,
}

impl Counts {
    fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = counts.values().sum();
        let from_one = counts.entry(address).or_default();
        if all >= MAX_CONNECTIONS || *from_one >= MAX_FROM_ONE {
            return None;
        }
        *from_one += 1;
        Some(Place { counts: self.clone(), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.counts.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
        }
        counts.retain(|_, count| *count > 0);
    }
}

async fn accept(app: App, listener: TcpListener, config: Arc<Config>) {
    let counts = Arc::new(Counts::default());
    loop {
        let accepted = tokio::select! {
            () = app.stopping().cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                // Who is one too many is let go at once, without a word.
                if let Some(place) = counts.enter(peer.ip()) {
                    app.tasks().spawn(serve(app.clone(), stream, peer.ip(), config.clone(), place));
                }
            }
            Err(e) => {
                tracing::warn!(error = %e, "an SSH connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn serve(app: App, stream: TcpStream, ip: IpAddr, config: Arc<Config>, place: Place) {
    let _counted = place;
    let _only_slower_without = stream.set_nodelay(true);
    let connection = Connection::new(app.clone(), ip);
    let (signed_in, busy) = (connection.signed_in(), connection.busy());
    let begun = tokio::time::timeout(GRACE, russh::server::run_stream(config, stream, connection)).await;
    let mut session = match begun {
        Ok(Ok(session)) => session,
        Ok(Err(e)) => return tracing::debug!(error = %e, %ip, "an SSH connection did not begin"),
        Err(_) => return,
    };
    let handle = session.handle();
    let reason = tokio::select! {
        ended = &mut session => {
            if let Err(e) = ended {
                tracing::debug!(error = %e, %ip, "an SSH connection broke");
            }
            return;
        }
        () = never_signed_in(signed_in) => "nobody signed in",
        () = idle_at_the_end(&app, busy) => "the server stops",
    };
    let _already_gone = handle.disconnect(russh::Disconnect::ByApplication, reason.into(), "en".into()).await;
    let _in_time = tokio::time::timeout(Duration::from_secs(1), session).await;
}

async fn never_signed_in(signed_in: tokio::sync::watch::Receiver<bool>) {
    tokio::time::sleep(GRACE).await;
    if *signed_in.borrow() {
        std::future::pending::<()>().await;
    }
}

/// Waits until the server stops and no command is under way on the connection.
async fn idle_at_the_end(app: &App, busy: Arc<tokio::sync::Semaphore>) {
    app.stopping().cancelled().await;
    let all = u32::try_from(connection::MAX_COMMANDS).unwrap_or(1);
    let _all_ended = busy.acquire_many(all).await;
}

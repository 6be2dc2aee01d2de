//! One SSH connection: who it is, and the channels it opens.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use accounts::{Actor, SshKey, User, Via};
use git::pack::Protocol;
use kernel::App;
use russh::keys::{HashAlg, PublicKey};
use russh::server::{Auth, ChannelOpenHandle, Handler, Msg, PublicKeyOffer, Session, VerifiedPublicKey};
use russh::{Channel, ChannelId, ChannelOpenFailure};
use tokio::sync::{Semaphore, watch};

use super::command::Command;
use super::session;

/// Channels that may be open on one connection, and commands that may run.
pub(super) const MAX_COMMANDS: usize = 16;

/// What is known of a connection.
pub(super) struct Connection {
    app: App,
    ip: IpAddr,
    actor: Option<Actor>,
    channels: HashMap<ChannelId, Channel<Msg>>,
    protocols: HashMap<ChannelId, Protocol>,
    signed_in: watch::Sender<bool>,
    busy: Arc<Semaphore>,
}

impl Connection {
    pub(super) fn new(app: App, ip: IpAddr) -> Self {
        let (signed_in, busy) = (watch::Sender::new(false), Arc::new(Semaphore::new(MAX_COMMANDS)));
        Self { app, ip, actor: None, channels: HashMap::new(), protocols: HashMap::new(), signed_in, busy }
    }

    pub(super) fn signed_in(&self) -> watch::Receiver<bool> {
        self.signed_in.subscribe()
    }

    pub(super) fn busy(&self) -> Arc<Semaphore> {
        self.busy.clone()
    }

    /// The owner of a key that opens the door now.
    async fn owner(&self, key: &PublicKey) -> kernel::Result<Option<(User, SshKey)>> {
        let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
        let conn = self.app.db().conn();
        let Some(known) = SshKey::by_fingerprint(conn, &fingerprint).await?.filter(SshKey::opens) else {
            return Ok(None);
        };
        let user = User::find(conn, known.user_id).await?.filter(User::is_active);
        Ok(user.map(|u| (u, known)))
    }

    async fn owner_or_nobody(&self, key: &PublicKey) -> Option<(User, SshKey)> {
        self.owner(key).await.unwrap_or_else(|e| {
            tracing::error!(error = ?e, "an SSH key could not be looked up");
            None
        })
    }

    fn run(&mut self, id: ChannelId, command: Option<Command>, session: &mut Session) -> Result<(), russh::Error> {
        let (Some(channel), Some(actor)) = (self.channels.remove(&id), self.actor.clone()) else {
            return session.channel_failure(id);
        };
        let Ok(permit) = self.busy.clone().try_acquire_owned() else { return session.channel_failure(id) };
        session.channel_success(id)?;
        let (app, protocol) = (self.app.clone(), self.protocols.remove(&id).unwrap_or_default());
        self.app.tasks().spawn(async move {
            session::run(app, actor, channel, command, protocol).await;
            drop(permit);
        });
        Ok(())
    }
}

impl Handler for Connection {
    type Error = russh::Error;

    async fn auth_publickey_offered(&mut self, _: &str, offer: PublicKeyOffer<'_>) -> Result<Auth, Self::Error> {
        let known = self.owner_or_nobody(offer.public_key).await.is_some();
        Ok(if known { Auth::Accept } else { Auth::reject() })
    }

    async fn auth_publickey(&mut self, _: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, Self::Error> {
        let Some((user, known)) = self.owner_or_nobody(key.public_key).await else { return Ok(Auth::reject()) };
        if let Err(e) = known.touch(self.app.db().conn()).await {
            tracing::warn!(error = ?e, "the use of an SSH key was not noted");
        }
        let mut actor = Actor::new(user, Via::Key(known.id));
        actor.ip = self.ip.to_string();
        self.actor = Some(actor);
        self.signed_in.send_replace(true);
        Ok(Auth::Accept)
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Self::Error> {
        if self.channels.len() >= MAX_COMMANDS {
            reply.reject(ChannelOpenFailure::ResourceShortage).await;
            return Ok(());
        }
        self.channels.insert(channel.id(), channel);
        reply.accept().await;
        Ok(())
    }

    async fn channel_close(&mut self, id: ChannelId, _: &mut Session) -> Result<(), Self::Error> {
        self.channels.remove(&id);
        self.protocols.remove(&id);
        Ok(())
    }

    async fn env_request(
        &mut self,
        id: ChannelId,
        name: &str,
        value: &str,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        if name != "GIT_PROTOCOL" {
            return session.channel_failure(id);
        }
        self.protocols.insert(id, Protocol::parse(value));
        session.channel_success(id)
    }

    async fn pty_request(
        &mut self,
        id: ChannelId,
        _: &str,
        _: u32,
        _: u32,
        _: u32,
        _: u32,
        _: &[(russh::Pty, u32)],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_success(id)
    }

    async fn shell_request(&mut self, id: ChannelId, session: &mut Session) -> Result<(), Self::Error> {
        self.run(id, None, session)
    }

    async fn exec_request(&mut self, id: ChannelId, data: &[u8], session: &mut Session) -> Result<(), Self::Error> {
        let line = String::from_utf8_lossy(data);
        self.run(id, Some(Command::parse(&line)), session)
    }

    async fn subsystem_request(&mut self, id: ChannelId, _: &str, session: &mut Session) -> Result<(), Self::Error> {
        session.channel_failure(id)
    }
}

//! One command on an SSH channel, from its first byte to its exit status.

use std::io::Cursor;

use accounts::Actor;
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use git::pack::pktline::{Packet, decode};
use git::pack::receive::read_head;
use git::pack::v2::{self, Request};
use git::pack::{Protocol, Service};
use kernel::{App, Error, Result};
use repositories::{OrStatus, hidden_refs};
use russh::server::Msg;
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::command::Command;
use crate::gate::{Admitted, Door, admit, empty_repository};
use crate::{fetch, lfs, messages, push};

/// Bytes of input that wait for git before the client has to.
const AHEAD: usize = 256 << 10;

/// Runs a command, or greets who came without one, and ends the channel.
pub(super) async fn run(app: App, actor: Actor, channel: Channel<Msg>, command: Option<Command>, protocol: Protocol) {
    let (read, write) = channel.split();
    let (input, feed) = tokio::io::duplex(AHEAD);
    let pumping = tokio::spawn(pump(read, feed));
    let session = Session { app, actor, write, protocol };
    let outcome = match command {
        None => session.greet().await,
        Some(Command::Pack(Service::UploadPack, path)) => session.fetch(&path, input).await,
        Some(Command::Pack(Service::ReceivePack, path)) => session.push(&path, input).await,
        Some(Command::LfsAuthenticate(path, upload)) => session.lfs(&path, upload).await,
        Some(Command::Unknown(line)) => Err(Error::bad_request(format!(
            "this server runs git-upload-pack, git-receive-pack and git-lfs-authenticate, not {line:?}"
        ))),
    };
    session.end(outcome).await;
    pumping.abort();
}

/// Passes what the client sends on, as fast as it is taken.
async fn pump(mut read: ChannelReadHalf, mut feed: DuplexStream) {
    while let Some(message) = read.wait().await {
        match message {
            ChannelMsg::Data { data } => match feed.write_all(&data).await {
                Ok(()) => {}
                Err(_) => return,
            },
            ChannelMsg::Eof | ChannelMsg::Close => return,
            _ => {}
        }
    }
}

struct Session {
    app: App,
    actor: Actor,
    write: ChannelWriteHalf<Msg>,
    protocol: Protocol,
}

/// The client went away.
fn gone(e: russh::Error) -> Error {
    Error::internal(std::io::Error::other(e))
}

impl Session {
    async fn say(&self, text: &str) -> Result<()> {
        self.write.extended_data_bytes(1, Bytes::from(text.to_owned())).await.map_err(gone)
    }

    async fn send(&self, bytes: Bytes) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.write.data_bytes(bytes).await.map_err(gone)
    }

    async fn greet(&self) -> Result<()> {
        let name = &self.actor.user()?.username;
        self.send(Bytes::from(format!("Welcome to Tidemill, @{name}. Git works here; a shell does not.\r\n"))).await
    }

    async fn end(self, outcome: Result<()>) {
        let status = match outcome {
            Ok(()) => 0,
            Err(e) => {
                if let Error::Internal(cause) = &e {
                    tracing::warn!(error = format!("{cause:#}"), "an SSH command failed");
                }
                let _client_may_be_gone = self.say(&format!("tidemill: {}\n", messages::spoken(&e))).await;
                1
            }
        };
        let _client_may_be_gone = self.write.exit_status(status).await;
        let _client_may_be_gone = self.write.eof().await;
        let _client_may_be_gone = self.write.close().await;
    }

    async fn fetch(&self, path: &str, mut input: DuplexStream) -> Result<()> {
        let Door::Open(admitted) = admit(&self.app, &self.actor, path, Service::UploadPack).await? else {
            return Err(Error::not_found("Project"));
        };
        self.tell_move(&admitted).await?;
        let repo = repositories::open(&self.app, &admitted.access.project).await?;
        if self.protocol != Protocol::V2 {
            return self.relay(fetch::stream(&repo, self.protocol, false, input).await?).await;
        }
        self.send(v2::capabilities(fetch::AGENT)).await?;
        loop {
            match v2::read_request(&mut input).await.map_err(messages::unreadable)? {
                Request::End => return Ok(()),
                Request::LsRefs(wanted) => self.send(repo.ls_refs(wanted, &hidden_refs()).await.or_status()?).await?,
                Request::Other { consumed, .. } => {
                    let input = Cursor::new(consumed).chain(input);
                    let output = fetch::stream(&repo, self.protocol, false, input).await?;
                    return self.relay(without_advertisement(output)).await;
                }
            }
        }
    }

    async fn relay(&self, mut output: impl Stream<Item = std::io::Result<Bytes>> + Unpin) -> Result<()> {
        while let Some(chunk) = output.next().await {
            self.send(chunk?).await?;
        }
        Ok(())
    }

    async fn push(&self, path: &str, mut input: DuplexStream) -> Result<()> {
        let door = admit(&self.app, &self.actor, path, Service::ReceivePack).await?;
        let repo = match &door {
            Door::Open(admitted) => repositories::open(&self.app, &admitted.access.project).await?,
            Door::Vacant(_) => empty_repository(&self.app).await?,
        };
        // Protocol 1 only adds a line that says so; the answers are those of protocol 0.
        let protocol = if self.protocol == Protocol::V1 { Protocol::V1 } else { Protocol::V0 };
        self.send(fetch::advertise(&repo, Service::ReceivePack, protocol).await?).await?;
        let head = read_head(&mut input).await.map_err(messages::unreadable)?;
        if head.commands.is_empty() {
            return Ok(());
        }
        let admitted = match door {
            Door::Open(admitted) => *admitted,
            Door::Vacant(vacant) => vacant.create(&self.app, &self.actor).await?,
        };
        self.relay(push::receive(&self.app, admitted, head, input).await?).await
    }

    async fn lfs(&self, path: &str, upload: bool) -> Result<()> {
        let service = if upload { Service::ReceivePack } else { Service::UploadPack };
        let Door::Open(admitted) = admit(&self.app, &self.actor, path, service).await? else {
            return Err(Error::not_found("Project"));
        };
        let answer = lfs::authenticate(&self.app, &admitted.access, upload).await?;
        self.send(Bytes::from(answer.to_string())).await
    }

    async fn tell_move(&self, admitted: &Admitted) -> Result<()> {
        if admitted.moved {
            let project = &admitted.access.project;
            self.say(&format!("The project has moved to {}; update the address of your remote.\n", project.full_path))
                .await?;
        }
        Ok(())
    }
}

/// Leaves out the capabilities at the start of git's output, which the client has had already.
fn without_advertisement(output: fetch::Chunks) -> impl Stream<Item = std::io::Result<Bytes>> + Unpin {
    let mut head = Some(BytesMut::new());
    let cut = output.map(move |chunk| {
        let chunk = chunk?;
        let Some(buffer) = head.as_mut() else { return Ok(chunk) };
        buffer.extend_from_slice(&chunk);
        let mut at = 0;
        while let Some((packet, length)) = decode(&buffer[at..]).map_err(std::io::Error::other)? {
            at += length;
            if packet == Packet::Flush {
                drop(buffer.split_to(at));
                return Ok(head.take().unwrap_or_default().freeze());
            }
        }
        Ok(Bytes::new())
    });
    Box::pin(cut)
}

#[cfg(test)]
mod tests {
    use git::pack::pktline::Writer;

    use super::*;

    #[tokio::test]
    async fn the_advertisement_is_left_out_in_any_pieces() {
        let whole = Writer::new().data("version 2\n").data("agent=x\n").flush().data("packfile\n").flush().finish();
        for size in 1..whole.len() {
            let pieces: Vec<_> = whole.chunks(size).map(|c| Ok(Bytes::copy_from_slice(c))).collect();
            let rest: Vec<_> = without_advertisement(futures_util::stream::iter(pieces).boxed()).collect().await;
            let rest: Vec<u8> = rest.into_iter().flat_map(|c| c.unwrap()).collect();
            assert_eq!(rest, Writer::new().data("packfile\n").flush().finish());
        }
    }
}

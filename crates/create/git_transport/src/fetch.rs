//! Serving fetches: what can be answered in process is, the rest goes to `git upload-pack`.

use std::io::Cursor;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use git::Repo;
use git::pack::v2::{self, Request};
use git::pack::{PackOptions, Protocol, Service};
use kernel::{Error, Result};
use repositories::{OrStatus, hidden_refs};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::{limits, messages};

/// Bytes on their way to the client.
pub(crate) type Chunks = BoxStream<'static, std::io::Result<Bytes>>;

/// What the server calls itself on the wire.
pub(crate) const AGENT: &str = concat!("tidemill/", env!("CARGO_PKG_VERSION"));

pub(crate) fn options(service: Service, protocol: Protocol, stateless: bool) -> PackOptions {
    let mut options = PackOptions::new(service, protocol, stateless);
    options.hidden = hidden_refs();
    options
}

/// The list of refs (protocols 0 and 1) or of capabilities (2) that opens a conversation.
pub(crate) async fn advertise(repo: &Repo, service: Service, protocol: Protocol) -> Result<Bytes> {
    match (service, protocol) {
        (Service::UploadPack, Protocol::V2) => return Ok(v2::capabilities(AGENT)),
        (Service::ReceivePack, _) => return repo.advertise_for_push(protocol, AGENT, &hidden_refs()).await.or_status(),
        _ => {}
    }
    let _turn = limits::turn().await?;
    repo.advertise_refs(&options(service, protocol, true)).await.or_status()
}

/// The answer to one request of a fetch.
pub(crate) enum Answer {
    Whole(Bytes),
    Stream(Chunks),
}

/// Answers one request over HTTP.
pub(crate) async fn answer(
    repo: &Repo,
    protocol: Protocol,
    mut input: impl AsyncRead + Send + Unpin + 'static,
) -> Result<Answer> {
    if protocol != Protocol::V2 {
        return stream(repo, protocol, true, input).await.map(Answer::Stream);
    }
    match v2::read_request(&mut input).await.map_err(messages::unreadable)? {
        Request::End => Ok(Answer::Whole(Bytes::new())),
        Request::LsRefs(wanted) => Ok(Answer::Whole(repo.ls_refs(wanted, &hidden_refs()).await.or_status()?)),
        Request::Other { command, consumed } => {
            if command != "fetch" {
                return Err(Error::bad_request(format!("unknown command {command:?}")));
            }
            let input = Cursor::new(consumed).chain(input);
            stream(repo, protocol, true, input).await.map(Answer::Stream)
        }
    }
}

/// Has git answer; its turn ends with the answer, or when the client takes nothing for too long.
pub(crate) async fn stream(
    repo: &Repo,
    protocol: Protocol,
    stateless: bool,
    input: impl AsyncRead + Send + Unpin + 'static,
) -> Result<Chunks> {
    let turn = limits::turn().await?;
    let mut process = repo.serve_pack(&options(Service::UploadPack, protocol, stateless), input).or_status()?;
    let (sender, receiver) = mpsc::channel(2);
    tokio::spawn(async move {
        while let Some(chunk) = process.output.next().await {
            if sender.send_timeout(chunk, limits::STALLED).await.is_err() {
                break;
            }
        }
        drop(turn);
    });
    Ok(ReceiverStream::new(receiver).boxed())
}

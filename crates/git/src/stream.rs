//! Bytes that a git command produces while they are consumed.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use tokio::io::{AsyncBufRead, AsyncRead, AsyncReadExt};
use tokio::sync::mpsc;
use tokio_util::io::StreamReader;

use crate::command::{Running, read_stderr};

/// The size of the chunks that a stream yields.
const CHUNK: usize = 64 << 10;
/// Chunks read ahead of the consumer.
const AHEAD: usize = 4;

/// Streams bytes; dropping it ends the process that produces them.
#[derive(Debug)]
pub struct ByteStream {
    chunks: mpsc::Receiver<io::Result<Bytes>>,
}

impl ByteStream {
    /// Streams a command's output and ends with an error if the command fails.
    pub(crate) fn of_command(mut running: Running) -> Self {
        let (sender, chunks) = mpsc::channel(AHEAD);
        tokio::spawn(async move {
            let result = pump_command(&mut running, &sender).await;
            if let Err(error) = result {
                let _ = sender.send(Err(error)).await;
            }
        });
        Self { chunks }
    }

    /// Streams what a task sends.
    pub(crate) fn of_channel(chunks: mpsc::Receiver<io::Result<Bytes>>) -> Self {
        Self { chunks }
    }

    /// Streams what a reader yields.
    pub fn of_reader(reader: impl AsyncRead + Send + Unpin + 'static) -> Self {
        let (sender, chunks) = mpsc::channel(AHEAD);
        tokio::spawn(async move {
            if let Err(error) = pump(reader, &sender).await {
                let _ = sender.send(Err(error)).await;
            }
        });
        Self { chunks }
    }

    /// Turns the stream into a reader.
    pub fn into_reader(self) -> impl AsyncBufRead + Send + Unpin + 'static {
        StreamReader::new(self)
    }
}

impl Stream for ByteStream {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.chunks.poll_recv(cx)
    }
}

async fn pump_command(running: &mut Running, sender: &mpsc::Sender<io::Result<Bytes>>) -> io::Result<()> {
    let stdout = running.take_stdout().map_err(io::Error::other)?;
    let stderr = running.take_stderr().map_err(io::Error::other)?;
    let complaints = tokio::spawn(read_stderr(stderr));
    if !pump(stdout, sender).await? {
        return Ok(());
    }
    let status = running.child.wait().await?;
    if status.success() {
        return Ok(());
    }
    let stderr = complaints.await.unwrap_or_default();
    Err(io::Error::other(format!("git {} failed: {stderr}", running.subcommand)))
}

/// Passes all bytes on; returns false if nobody listens any more.
pub(crate) async fn pump(
    mut reader: impl AsyncRead + Unpin,
    sender: &mpsc::Sender<io::Result<Bytes>>,
) -> io::Result<bool> {
    let mut buffer = BytesMut::with_capacity(CHUNK);
    loop {
        buffer.reserve(CHUNK);
        let count = tokio::select! {
            count = reader.read_buf(&mut buffer) => count?,
            () = sender.closed() => return Ok(false),
        };
        if count == 0 {
            return Ok(true);
        }
        if sender.send(Ok(buffer.split().freeze())).await.is_err() {
            return Ok(false);
        }
    }
}

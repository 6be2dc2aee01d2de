//! One file out of an archive among the objects, without a copy of the whole.

use std::io::{self, Read, Seek, SeekFrom};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use kernel::{App, Error, Objects, Result};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;

use crate::artifacts::Artifact;

/// What is read of the object at once.
const WINDOW: u64 = 256 << 10;
/// What is handed to the client at once, and how many such parts wait for it.
const PART: usize = 64 << 10;
const WAITING: usize = 4;
/// A client that takes nothing for so long gets nothing more: each holds a thread.
const PATIENCE: Duration = Duration::from_secs(30);

/// A file of an archive on its way out.
pub(crate) struct Entry {
    /// Its length.
    pub(crate) size: u64,
    /// Its content.
    pub(crate) content: ReceiverStream<io::Result<Bytes>>,
}

/// Finds a file in a zip archive and begins to unpack it; `None` if it isn't inside.
pub(crate) async fn open(app: &App, artifact: &Artifact, path: &str) -> Result<Option<Entry>> {
    let key = artifact.key();
    let length = app.objects().size(&key).await?.ok_or_else(|| Error::not_found(""))?;
    let object = Object {
        objects: app.objects().clone(),
        key,
        length,
        at: 0,
        window: Bytes::new(),
        from: 0,
        handle: Handle::current(),
    };
    let (found, answer) = oneshot::channel();
    let (parts, content) = mpsc::channel(WAITING);
    let path = path.to_owned();
    // Ends when the last part was taken, or when nobody takes any more.
    tokio::task::spawn_blocking(move || unpack(object, &path, found, &parts));
    let size = answer.await.map_err(|_| Error::internal(io::Error::other("an archive was not read")))??;
    Ok(size.map(|size| Entry { size, content: ReceiverStream::new(content) }))
}

type Found = oneshot::Sender<Result<Option<u64>>>;

fn unpack(object: Object, path: &str, found: Found, parts: &mpsc::Sender<io::Result<Bytes>>) {
    let mut archive = match zip::ZipArchive::new(object) {
        Ok(archive) => archive,
        Err(e) => return drop(found.send(Err(Error::internal(e)))),
    };
    let mut inside = match archive.by_name(path) {
        Ok(file) if file.is_file() => file,
        Ok(_) | Err(zip::result::ZipError::FileNotFound) => return drop(found.send(Ok(None))),
        Err(e) => return drop(found.send(Err(Error::internal(e)))),
    };
    let size = inside.size();
    if found.send(Ok(Some(size))).is_err() {
        return;
    }
    let handle = Handle::current();
    // What an archive says of itself is not believed: no more than the size is unpacked.
    let mut inside = (&mut inside).take(size);
    loop {
        let mut part = vec![0; PART];
        let part = match inside.read(&mut part) {
            Ok(0) => return,
            Ok(n) => Ok(Bytes::from(part).slice(..n)),
            Err(e) => Err(e),
        };
        let broken = part.is_err();
        let sent = handle.block_on(tokio::time::timeout(PATIENCE, parts.send(part)));
        if broken || !matches!(sent, Ok(Ok(()))) {
            return;
        }
    }
}

/// An object as a file, read a window at a time.
struct Object {
    objects: Objects,
    key: String,
    length: u64,
    at: u64,
    window: Bytes,
    from: u64,
    handle: Handle,
}

impl Object {
    fn fill(&mut self) -> io::Result<()> {
        let end = self.length.min(self.at.saturating_add(WINDOW));
        let (objects, key, range) = (&self.objects, &self.key, (self.at, end));
        let read = self.handle.block_on(async {
            let found = objects.stream(key, Some(range)).await.map_err(io::Error::other)?;
            let (_, stream) = found.ok_or(io::ErrorKind::NotFound)?;
            stream.map(|part| part.map(|p| p.to_vec())).try_concat().await
        })?;
        (self.window, self.from) = (read.into(), self.at);
        Ok(())
    }
}

impl Read for Object {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.length || buffer.is_empty() {
            return Ok(0);
        }
        let inside = |o: &Self| o.at >= o.from && o.at < o.from + o.window.len() as u64;
        if !inside(self) {
            self.fill()?;
        }
        let skip = usize::try_from(self.at - self.from).map_err(io::Error::other)?;
        let left = self.window.get(skip..).unwrap_or_default();
        let count = left.len().min(buffer.len());
        buffer[..count].copy_from_slice(&left[..count]);
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Object {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let wanted = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = wanted.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

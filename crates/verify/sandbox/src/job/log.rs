use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;

use super::plan::JobIo;
use crate::error::{Context, Result};
use crate::mask::Masker;
use crate::run::Sink;

pub(super) const CYAN: &str = "\x1b[36;1m";
pub(super) const GREEN: &str = "\x1b[32;1m";
pub(super) const RED: &str = "\x1b[31;1m";
pub(super) const YELLOW: &str = "\x1b[0;33m";
pub(super) const RESET: &str = "\x1b[0;m";

/// A job's log: sections, coloured lines and the job's own output, with secrets masked.
pub(super) struct Log<'a> {
    io: &'a dyn JobIo,
    masker: Masker,
    section: Option<&'static str>,
}

#[async_trait]
impl Sink for Log<'_> {
    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let shown = self.masker.push(bytes);
        self.send(&shown).await
    }
}

impl<'a> Log<'a> {
    pub(super) fn new(io: &'a dyn JobIo, masker: Masker) -> Self {
        Self { io, masker, section: None }
    }

    async fn send(&self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() { Ok(()) } else { self.io.log(bytes).await }
    }

    /// Writes one line.
    pub(super) async fn line(&mut self, text: &str) -> Result<()> {
        self.write(format!("{text}\n").as_bytes()).await.context(|| "the job's log".into())
    }

    /// Writes one line in a colour.
    pub(super) async fn coloured(&mut self, colour: &str, text: &str) -> Result<()> {
        self.line(&format!("{colour}{text}{RESET}")).await
    }

    /// Ends the open section and starts the next.
    pub(super) async fn section(&mut self, name: &'static str, title: &str) -> Result<()> {
        self.end_section().await?;
        self.section = Some(name);
        let text = format!("section_start:{}:{name}\r\x1b[0K\x1b[0K{CYAN}{title}{RESET}{RESET}\n", now());
        self.write(text.as_bytes()).await.context(|| "the job's log".into())
    }

    /// Ends the open section, showing what the masker still holds back.
    pub(super) async fn end_section(&mut self) -> Result<()> {
        let held = self.masker.finish();
        self.send(&held).await.context(|| "the job's log".into())?;
        let Some(name) = self.section.take() else { return Ok(()) };
        let text = format!("section_end:{}:{name}\r\x1b[0K", now());
        self.send(text.as_bytes()).await.context(|| "the job's log".into())
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())
}

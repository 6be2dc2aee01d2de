//! What a push says before its pack, and how to refuse it in process.

use bytes::{Bytes, BytesMut};
use serde::Serialize;
use tokio::io::{AsyncRead, AsyncReadExt};

use super::pktline::{Packet, Writer, decode};
use crate::{ByteString, GitError, Oid, RefChange, RefName, Result};

/// The largest list of commands accepted.
const MAX_HEAD: usize = 32 << 20;
/// The most push options accepted, and the longest one.
const MAX_OPTIONS: usize = 1000;

/// Is one ref that a push wants to change; the name is as sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Command {
    /// The ref.
    pub name: ByteString,
    /// Where the client saw it; [`Oid::zero`] to create it.
    pub old: Oid,
    /// Where it shall point to; [`Oid::zero`] to delete it.
    pub new: Oid,
}

impl Command {
    /// Checks the name and returns the change.
    pub fn change(&self) -> Result<RefChange> {
        Ok(RefChange { name: RefName::new(&self.name)?, old: Some(self.old), new: self.new })
    }
}

/// Holds what a push says before its pack.
#[derive(Clone, Debug, Default)]
pub struct ReceiveHead {
    /// The refs to change.
    pub commands: Vec<Command>,
    /// The capabilities that the client chose.
    pub capabilities: Vec<String>,
    /// The push options.
    pub options: Vec<String>,
    /// All bytes read, perhaps with a part of the pack; they go to git before the rest.
    pub consumed: Bytes,
}

impl ReceiveHead {
    /// Tells whether the client chose a capability.
    pub fn has(&self, capability: &str) -> bool {
        self.capabilities.iter().any(|have| have == capability)
    }

    /// Writes the answer that refuses all refs: a message for people, and a reason for each ref.
    pub fn refusal(&self, message: &str, reason: &str) -> Bytes {
        let mut writer = Writer::new();
        let side_band = self.has("side-band-64k");
        if side_band && !message.is_empty() {
            writer.band(2, format!("{}\n", message.trim_end()).as_bytes());
        }
        if self.has("report-status") || self.has("report-status-v2") {
            let report = self.report(&reason.replace(['\n', '\r'], " "));
            if side_band {
                writer.band(1, &report)
            } else {
                return report;
            };
        }
        writer.flush().finish()
    }

    fn report(&self, reason: &str) -> Bytes {
        let mut report = Writer::new();
        report.data("unpack ok\n");
        for command in &self.commands {
            report.data([b"ng ", command.name.as_bytes(), b" ", reason.as_bytes(), b"\n"].concat());
        }
        report.flush().finish()
    }
}

/// Reads the start of a push from a stream as it arrives.
#[derive(Debug, Default)]
pub struct ReceiveParser {
    head: ReceiveHead,
    buffer: BytesMut,
    parsed: usize,
    stage: Stage,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Commands,
    Certificate,
    Options,
    Done,
}

impl ReceiveParser {
    /// Starts a parser.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes more bytes and tells whether the start is complete.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<bool> {
        self.buffer.extend_from_slice(bytes);
        self.advance()
    }

    /// Returns what was read, after [`ReceiveParser::feed`] returned true.
    pub fn finish(self) -> ReceiveHead {
        ReceiveHead { consumed: self.buffer.freeze(), ..self.head }
    }

    fn advance(&mut self) -> Result<bool> {
        // The buffer is taken for the loop because packets borrow from it.
        let buffer = std::mem::take(&mut self.buffer);
        let outcome = self.parse(&buffer);
        self.buffer = buffer;
        outcome?;
        if self.stage != Stage::Done && self.buffer.len() > MAX_HEAD {
            return Err(GitError::TooLarge("the list of refs to push".into()));
        }
        Ok(self.stage == Stage::Done)
    }

    fn parse(&mut self, buffer: &[u8]) -> Result<()> {
        while self.stage != Stage::Done {
            let Some((packet, length)) = decode(&buffer[self.parsed..])? else { return Ok(()) };
            self.parsed += length;
            match packet {
                Packet::Flush => self.end_section(),
                Packet::Data(_) => self.line(packet.line().unwrap_or_default())?,
                Packet::Delimiter | Packet::ResponseEnd => return Err(malformed()),
            }
        }
        Ok(())
    }

    fn end_section(&mut self) {
        let options = self.stage == Stage::Commands && self.head.has("push-options") && !self.head.commands.is_empty();
        self.stage = if options { Stage::Options } else { Stage::Done };
    }

    fn line(&mut self, line: &[u8]) -> Result<()> {
        match self.stage {
            Stage::Commands if line.starts_with(b"shallow ") => Ok(()),
            Stage::Commands if line.starts_with(b"push-cert\0") => {
                self.choose(&line[10..]);
                self.stage = Stage::Certificate;
                Ok(())
            }
            Stage::Commands => self.command(line),
            Stage::Certificate => {
                self.certificate(line);
                Ok(())
            }
            Stage::Options => self.option(line),
            Stage::Done => Ok(()),
        }
    }

    /// Reads a signed push: its commands stand among other lines.
    fn certificate(&mut self, line: &[u8]) {
        if line == b"push-cert-end" {
            self.stage = Stage::Commands;
        } else if let Some(command) = parse_command(line) {
            self.head.commands.push(command);
        }
    }

    fn command(&mut self, line: &[u8]) -> Result<()> {
        let mut parts = line.splitn(2, |b| *b == 0);
        let command = parts.next().unwrap_or_default();
        if let Some(capabilities) = parts.next() {
            self.choose(capabilities);
        }
        self.head.commands.push(parse_command(command).ok_or_else(malformed)?);
        Ok(())
    }

    fn choose(&mut self, capabilities: &[u8]) {
        let text = String::from_utf8_lossy(capabilities);
        self.head.capabilities = text.split_ascii_whitespace().map(str::to_owned).collect();
    }

    fn option(&mut self, line: &[u8]) -> Result<()> {
        if self.head.options.len() >= MAX_OPTIONS {
            return Err(GitError::TooLarge("the list of push options".into()));
        }
        self.head.options.push(String::from_utf8_lossy(line).into_owned());
        Ok(())
    }
}

fn parse_command(line: &[u8]) -> Option<Command> {
    let old = Oid::from_hex(line.get(..40)?).ok()?;
    let new = Oid::from_hex(line.get(41..81)?).ok()?;
    let spaced = line[40] == b' ' && line.get(81) == Some(&b' ');
    let name = line.get(82..).filter(|name| spaced && !name.is_empty())?;
    Some(Command { name: name.into(), old, new })
}

fn malformed() -> GitError {
    GitError::InvalidName("the push starts with a malformed list of refs".into())
}

/// Reads the start of a push from a reader; an empty one, which clients send to probe, has no commands.
pub async fn read_head(reader: &mut (impl AsyncRead + Unpin)) -> Result<ReceiveHead> {
    let mut parser = ReceiveParser::new();
    let mut chunk = vec![0; 16 << 10];
    loop {
        let count = reader.read(&mut chunk).await?;
        if count == 0 {
            return if parser.buffer.is_empty() { Ok(parser.finish()) } else { Err(malformed()) };
        }
        if parser.feed(&chunk[..count])? {
            return Ok(parser.finish());
        }
    }
}

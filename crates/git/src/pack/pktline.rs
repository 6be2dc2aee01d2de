//! The framing of git's wire protocol: four hexadecimal digits of length, then data.

use bytes::{BufMut, BytesMut};

use crate::{GitError, Result};

/// The most data that one packet carries.
pub const MAX_DATA: usize = 65_516;

/// Is one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// `0000`: the end of a message.
    Flush,
    /// `0001`: the border between the sections of a message.
    Delimiter,
    /// `0002`: the end of a response.
    ResponseEnd,
    /// Data.
    Data(&'a [u8]),
}

impl<'a> Packet<'a> {
    /// Returns the data without a line feed at its end; nothing for the other packets.
    pub fn line(self) -> Option<&'a [u8]> {
        match self {
            Self::Data(data) => Some(data.strip_suffix(b"\n").unwrap_or(data)),
            _ => None,
        }
    }
}

/// Reads the packet at the start of `bytes` and returns it with its length; nothing if it is incomplete.
pub fn decode(bytes: &[u8]) -> Result<Option<(Packet<'_>, usize)>> {
    let Some(head) = bytes.get(..4) else { return Ok(None) };
    if !head.iter().all(u8::is_ascii_hexdigit) {
        return Err(malformed());
    }
    let digits = std::str::from_utf8(head).map_err(|_| malformed())?;
    let length = usize::from_str_radix(digits, 16).map_err(|_| malformed())?;
    let packet = match length {
        0 => (Packet::Flush, 4),
        1 => (Packet::Delimiter, 4),
        2 => (Packet::ResponseEnd, 4),
        3 => return Err(malformed()),
        _ if length > MAX_DATA + 4 => return Err(malformed()),
        _ => match bytes.get(4..length) {
            Some(data) => (Packet::Data(data), length),
            None => return Ok(None),
        },
    };
    Ok(Some(packet))
}

fn malformed() -> GitError {
    GitError::InvalidName("the request holds a malformed packet".into())
}

/// Builds a message of packets.
#[derive(Debug, Default)]
pub struct Writer {
    bytes: BytesMut,
}

impl Writer {
    /// Starts an empty message.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds data, as several packets if one can't hold it.
    pub fn data(&mut self, data: impl AsRef<[u8]>) -> &mut Self {
        for chunk in data.as_ref().chunks(MAX_DATA) {
            self.bytes.put_slice(format!("{:04x}", chunk.len() + 4).as_bytes());
            self.bytes.put_slice(chunk);
        }
        self
    }

    /// Adds data on a side band: 1 for the answer, 2 for messages to people, 3 for a fatal error.
    pub fn band(&mut self, band: u8, data: &[u8]) -> &mut Self {
        for chunk in data.chunks(MAX_DATA - 1) {
            self.bytes.put_slice(format!("{:04x}", chunk.len() + 5).as_bytes());
            self.bytes.put_u8(band);
            self.bytes.put_slice(chunk);
        }
        self
    }

    /// Adds a flush packet.
    pub fn flush(&mut self) -> &mut Self {
        self.bytes.put_slice(b"0000");
        self
    }

    /// Adds a delimiter packet.
    pub fn delimiter(&mut self) -> &mut Self {
        self.bytes.put_slice(b"0001");
        self
    }

    /// Returns the message.
    pub fn finish(&mut self) -> bytes::Bytes {
        self.bytes.split().freeze()
    }
}

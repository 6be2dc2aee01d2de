//! Following the answer of `git receive-pack` while it is passed on: which refs moved, and where it ends.

use bytes::{Buf, Bytes, BytesMut};

use super::pktline::{Packet, decode};
use crate::{ByteString, Result};

/// The largest report that is kept.
const MAX_REPORT: usize = 64 << 20;

/// Follows the answer to a push. The end of a side-band answer is held back, so that more can be said before it.
#[derive(Debug)]
pub struct ReportReader {
    side_band: bool,
    pending: BytesMut,
    report: BytesMut,
}

/// Says what became of a push.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Whether there is a report at all; a client may not have asked for one.
    pub complete: bool,
    /// Why the pack was refused, if it was.
    pub unpack_error: Option<String>,
    /// The refs that were moved.
    pub moved: Vec<ByteString>,
    /// The refs that were not, with the reason.
    pub refused: Vec<(ByteString, String)>,
}

impl ReportReader {
    /// Starts following an answer, which is on side bands or not.
    pub fn new(side_band: bool) -> Self {
        Self { side_band, pending: BytesMut::new(), report: BytesMut::new() }
    }

    /// Takes a piece of the answer and returns what to pass on now.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Bytes> {
        if !self.side_band {
            self.keep(bytes);
            return Ok(Bytes::copy_from_slice(bytes));
        }
        self.pending.extend_from_slice(bytes);
        let (mut passed, mut at) = (BytesMut::new(), 0);
        let mut kept = BytesMut::new();
        while let Some((packet, length)) = decode(&self.pending[at..])? {
            match packet {
                Packet::Data(data) => {
                    if let Some((1, report)) = data.split_first() {
                        kept.extend_from_slice(report);
                    }
                    passed.extend_from_slice(&self.pending[at..at + length]);
                }
                // The flush at the end is for the caller to write.
                Packet::Flush | Packet::Delimiter | Packet::ResponseEnd => {}
            }
            at += length;
        }
        self.pending.advance(at);
        self.keep(&kept);
        Ok(passed.freeze())
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = MAX_REPORT.saturating_sub(self.report.len()).min(bytes.len());
        self.report.extend_from_slice(&bytes[..room]);
    }

    /// Reads the report at the end of the answer.
    pub fn finish(self) -> Result<Report> {
        let (mut bytes, mut report) = (&self.report[..], Report::default());
        while let Some((packet, length)) = decode(bytes)? {
            bytes = &bytes[length..];
            match packet.line() {
                Some(line) => report.line(line),
                None => break,
            }
        }
        Ok(report)
    }
}

impl Report {
    fn line(&mut self, line: &[u8]) {
        if let Some(outcome) = line.strip_prefix(b"unpack ") {
            self.complete = true;
            self.unpack_error = (outcome != b"ok").then(|| String::from_utf8_lossy(outcome).into_owned());
        } else if let Some(name) = line.strip_prefix(b"ok ") {
            self.moved.push(name.into());
        } else if let Some(rest) = line.strip_prefix(b"ng ") {
            let end = rest.iter().position(|b| *b == b' ').unwrap_or(rest.len());
            let reason = String::from_utf8_lossy(rest.get(end + 1..).unwrap_or_default()).into_owned();
            self.refused.push((rest[..end].into(), reason));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pack::pktline::Writer;

    fn report() -> Bytes {
        let mut lines = Writer::new();
        lines
            .data("unpack ok\n")
            .data("ok refs/heads/main\n")
            .data("ng refs/heads/x non-fast-forward\n")
            .flush()
            .finish()
    }

    #[test]
    fn a_side_band_answer_is_followed_in_any_pieces() {
        let answer = Writer::new().band(2, b"hello\n").band(1, &report()).flush().finish();
        for size in 1..answer.len() {
            let mut reader = ReportReader::new(true);
            let passed: Vec<u8> = answer.chunks(size).flat_map(|c| reader.feed(c).unwrap()).collect();
            assert_eq!(passed, answer[..answer.len() - 4]);
            let found = reader.finish().unwrap();
            assert!(found.complete && found.unpack_error.is_none());
            assert_eq!(found.moved, [ByteString::from(b"refs/heads/main")]);
            assert_eq!(found.refused[0].1, "non-fast-forward");
        }
    }

    #[test]
    fn a_plain_answer_is_passed_on_whole() {
        let mut reader = ReportReader::new(false);
        assert_eq!(reader.feed(&report()).unwrap(), report());
        assert_eq!(reader.finish().unwrap().moved.len(), 1);
    }
}

//! Output of programs in a terminal: colours, overwriting and foldable sections, read piece by piece.
//!
//! The parser never trusts its input: every character is escaped, unknown sequences are dropped, lines are bounded.

mod colour;

use std::sync::LazyLock;

use colour::{Style, paint};
use regex::Regex;

/// Longer lines are broken here.
const MAX_LINE: usize = 16_384;
/// Longer escape sequences are given up.
const MAX_SEQUENCE: usize = 256;

/// The start or end of a section at the end of what a line holds so far.
static MARKER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"section_(start|end):(\d{1,13}):([A-Za-z0-9_.\-]{1,128})(?:\[([A-Za-z0-9_,=]{0,128})\])?$").ok()
});

/// One finished line of output.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Line {
    /// Its number, from 1.
    pub number: u64,
    /// Its content as safe HTML.
    pub html: String,
    /// Its plain text.
    pub text: String,
    /// The time the runner wrote before it, as in `2026-01-02T03:04:05.678901Z`.
    pub timestamp: Option<String>,
    /// Whether it came from the error stream.
    pub error: bool,
}

/// What the output consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A line.
    Line(Line),
    /// A section begins; the line is its title.
    SectionStart {
        /// Its name.
        name: String,
        /// When it began, in seconds since 1970.
        at: i64,
        /// Whether it is to be folded at first.
        collapsed: bool,
        /// Its title line.
        title: Line,
    },
    /// A section ends.
    SectionEnd {
        /// Its name.
        name: String,
        /// When it ended, in seconds since 1970.
        at: i64,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Ground,
    Escape,
    /// A control sequence, `ESC [`.
    Control,
    /// A string that ends with BEL or `ESC \`, such as a title or a link.
    Text,
    TextEscape,
    /// One more byte of a two-byte sequence.
    Skip,
}

/// Reads output piece by piece and keeps what spans pieces.
#[derive(Debug, Default)]
pub struct Parser {
    state: State,
    sequence: Vec<u8>,
    partial: Vec<u8>,
    style: Style,
    cells: Vec<(char, Style)>,
    cursor: usize,
    number: u64,
    opening: Option<(String, i64, bool)>,
    events: Vec<Event>,
}

impl Parser {
    /// Makes a parser at the start of the output.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a parser whose next line has the number after the given one.
    pub fn after_line(number: u64) -> Self {
        Self { number, ..Self::default() }
    }

    /// Reads a piece and returns what it finished.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Event> {
        for byte in bytes {
            self.byte(*byte);
        }
        std::mem::take(&mut self.events)
    }

    /// Ends the output: returns the last line, if it has no line end.
    pub fn finish(&mut self) -> Vec<Event> {
        self.flush_partial();
        if !self.cells.is_empty() || self.opening.is_some() {
            self.end_line();
        }
        std::mem::take(&mut self.events)
    }

    fn byte(&mut self, byte: u8) {
        match self.state {
            State::Ground => self.ground(byte),
            State::Escape => self.escape(byte),
            State::Control => self.control(byte),
            State::Text => match byte {
                7 | b'\n' => self.state = State::Ground,
                27 => self.state = State::TextEscape,
                _ => {}
            },
            State::TextEscape => self.state = if byte == b'\\' { State::Ground } else { State::Text },
            State::Skip => self.state = State::Ground,
        }
    }

    fn ground(&mut self, byte: u8) {
        if byte >= 0x80 {
            self.partial.push(byte);
            self.try_partial();
            return;
        }
        self.flush_partial();
        match byte {
            27 => self.state = State::Escape,
            b'\n' => self.end_line(),
            b'\r' => self.carriage_return(),
            8 => self.cursor = self.cursor.saturating_sub(1),
            b'\t' => {
                let spaces = 8 - self.cursor % 8;
                (0..spaces).for_each(|_| self.put(' '));
            }
            0..32 | 127 => {}
            _ => self.put(char::from(byte)),
        }
    }

    fn try_partial(&mut self) {
        match std::str::from_utf8(&self.partial) {
            Ok(text) => {
                let found: Vec<char> = text.chars().collect();
                self.partial.clear();
                found.into_iter().filter(|c| !is_hazard(*c)).for_each(|c| self.put(c));
            }
            Err(error) if error.error_len().is_none() => {}
            Err(_) => self.flush_partial(),
        }
    }

    fn flush_partial(&mut self) {
        if !self.partial.is_empty() {
            let text = String::from_utf8_lossy(&std::mem::take(&mut self.partial)).into_owned();
            text.chars().filter(|c| !is_hazard(*c)).for_each(|c| self.put(c));
        }
    }

    fn put(&mut self, c: char) {
        if self.cursor >= MAX_LINE {
            self.end_line();
        }
        while self.cells.len() < self.cursor {
            self.cells.push((' ', Style::default()));
        }
        let cell = (c, self.style);
        match self.cells.get_mut(self.cursor) {
            Some(old) => *old = cell,
            None => self.cells.push(cell),
        }
        self.cursor += 1;
    }

    fn escape(&mut self, byte: u8) {
        self.sequence.clear();
        self.state = match byte {
            b'[' => State::Control,
            b']' | b'P' | b'^' | b'_' | b'X' => State::Text,
            b'(' | b')' | b'*' | b'+' | b'#' | b'%' => State::Skip,
            b'\n' => {
                self.end_line();
                State::Ground
            }
            _ => State::Ground,
        };
    }

    fn control(&mut self, byte: u8) {
        match byte {
            0x40..=0x7e => {
                self.state = State::Ground;
                self.sequence_done(byte);
            }
            0x20..=0x3f if self.sequence.len() < MAX_SEQUENCE => self.sequence.push(byte),
            b'\n' => {
                self.state = State::Ground;
                self.end_line();
            }
            _ => self.state = State::Ground,
        }
    }

    fn sequence_done(&mut self, last: u8) {
        let numbers: Vec<u32> = self
            .sequence
            .split(|byte| *byte == b';' || *byte == b':')
            .map(|part| std::str::from_utf8(part).ok().and_then(|text| text.parse().ok()).unwrap_or(0))
            .collect();
        let first = numbers.first().copied().unwrap_or(0);
        let distance = first.max(1) as usize;
        match last {
            b'm' => self.style.select(&numbers),
            b'K' => self.erase(first),
            b'C' => self.cursor = (self.cursor + distance).min(MAX_LINE),
            b'D' => self.cursor = self.cursor.saturating_sub(distance),
            b'G' => self.cursor = (distance - 1).min(MAX_LINE),
            _ => {}
        }
    }

    fn erase(&mut self, mode: u32) {
        match mode {
            0 => self.cells.truncate(self.cursor),
            1 => self.cells.iter_mut().take(self.cursor + 1).for_each(|cell| *cell = (' ', Style::default())),
            _ => {
                self.cells.clear();
                self.cursor = 0;
            }
        }
    }

    fn carriage_return(&mut self) {
        self.marker();
        self.cursor = 0;
    }

    /// Takes a section marker off the end of the line.
    fn marker(&mut self) {
        if self.cells.len() < 14 {
            return;
        }
        let tail = self.cells.len().saturating_sub(320);
        let text: String = self.cells[tail..].iter().map(|cell| if cell.0.is_ascii() { cell.0 } else { '?' }).collect();
        let Some(found) = MARKER.as_ref().and_then(|marker| marker.captures(&text)) else { return };
        let start = tail + found.get(0).map_or(0, |all| all.start());
        let at = found.get(2).and_then(|digits| digits.as_str().parse().ok()).unwrap_or(0);
        let name = found.get(3).map_or("", |name| name.as_str()).to_owned();
        let options = found.get(4).map_or("", |options| options.as_str());
        let collapsed = options.split(',').any(|option| option == "collapsed=true");
        let opens = found.get(1).is_some_and(|kind| kind.as_str() == "start");
        self.cells.truncate(start);
        if self.cells.iter().any(|cell| cell.0 != ' ') || self.opening.is_some() {
            self.emit_line();
        }
        self.cells.clear();
        self.cursor = 0;
        if opens {
            self.opening = Some((name, at, collapsed));
        } else {
            self.events.push(Event::SectionEnd { name, at });
        }
    }

    fn end_line(&mut self) {
        let ended = self.events.len();
        self.marker();
        let only_marker = self.events.len() > ended && self.cells.is_empty();
        if !only_marker || self.opening.is_some() {
            self.emit_line();
        }
        self.cells.clear();
        self.cursor = 0;
    }

    fn emit_line(&mut self) {
        self.number += 1;
        let (cells, timestamp, error) = strip_timestamp(&self.cells);
        let line = Line {
            number: self.number,
            html: paint(cells),
            text: cells.iter().map(|cell| cell.0).collect(),
            timestamp,
            error,
        };
        self.events.push(match self.opening.take() {
            Some((name, at, collapsed)) => Event::SectionStart { name, at, collapsed, title: line },
            None => Event::Line(line),
        });
    }
}

/// Tells whether a character could hide or reorder text around it.
fn is_hazard(c: char) -> bool {
    matches!(c, '\u{80}'..='\u{9f}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Takes `2026-01-02T03:04:05.678901Z 00O ` off the start of a line.
fn strip_timestamp(cells: &[(char, Style)]) -> (&[(char, Style)], Option<String>, bool) {
    let head: String = cells.iter().take(32).map(|cell| cell.0).collect();
    let bytes = head.as_bytes();
    let fits = bytes.len() >= 31
        && bytes[..4].iter().all(u8::is_ascii_digit)
        && bytes[4] == b'-'
        && bytes[7] == b'-'
        && bytes[10] == b'T'
        && bytes[13] == b':'
        && bytes[19] == b'.'
        && bytes[26] == b'Z'
        && bytes[27] == b' '
        && bytes[28..30].iter().all(u8::is_ascii_hexdigit)
        && matches!(bytes[30], b'O' | b'E');
    if !fits {
        return (cells, None, false);
    }
    let skip = if matches!(bytes.get(31), Some(b' ' | b'+')) { 32 } else { 31 };
    (&cells[skip.min(cells.len())..], head.get(..27).map(str::to_owned), bytes[30] == b'E')
}

/// Reads a whole text at once.
pub fn parse(bytes: &[u8]) -> Vec<Event> {
    let mut parser = Parser::new();
    let mut events = parser.push(bytes);
    events.extend(parser.finish());
    events
}

#[cfg(test)]
mod tests;

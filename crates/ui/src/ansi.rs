//! Output of programs in a terminal: colours, overwriting and foldable sections, read piece by piece.
//!
//! The parser never trusts its input: every character is escaped, unknown sequences are dropped, lines are bounded.

use std::sync::LazyLock;

use regex::Regex;

use crate::highlight::push_escaped;

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
enum Colour {
    #[default]
    Plain,
    /// One of the sixteen.
    Index(u8),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Style {
    fore: Colour,
    back: Colour,
    flags: u8,
}

const BOLD: u8 = 1;
const FAINT: u8 = 2;
const ITALIC: u8 = 4;
const UNDERLINE: u8 = 8;
const STRIKE: u8 = 16;
const INVERSE: u8 = 32;
const HIDDEN: u8 = 64;

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
            b'm' => self.select(&numbers),
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

    fn select(&mut self, numbers: &[u32]) {
        let mut rest = numbers;
        while let Some((number, after)) = rest.split_first() {
            rest = after;
            match *number {
                0 => self.style = Style::default(),
                1 => self.style.flags |= BOLD,
                2 => self.style.flags |= FAINT,
                3 => self.style.flags |= ITALIC,
                4 => self.style.flags |= UNDERLINE,
                7 => self.style.flags |= INVERSE,
                8 => self.style.flags |= HIDDEN,
                9 => self.style.flags |= STRIKE,
                22 => self.style.flags &= !(BOLD | FAINT),
                23 => self.style.flags &= !ITALIC,
                24 => self.style.flags &= !UNDERLINE,
                27 => self.style.flags &= !INVERSE,
                28 => self.style.flags &= !HIDDEN,
                29 => self.style.flags &= !STRIKE,
                code @ (30..=37 | 90..=97) => self.style.fore = basic(code, 30),
                code @ (40..=47 | 100..=107) => self.style.back = basic(code, 40),
                38 => self.style.fore = extended(&mut rest),
                48 => self.style.back = extended(&mut rest),
                39 => self.style.fore = Colour::Plain,
                49 => self.style.back = Colour::Plain,
                _ => {}
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

fn basic(code: u32, base: u32) -> Colour {
    let index = if code >= 90 { code - base - 60 + 8 } else { code - base };
    u8::try_from(index).map_or(Colour::Plain, Colour::Index)
}

fn extended(rest: &mut &[u32]) -> Colour {
    match **rest {
        [5, index, ..] => {
            *rest = &rest[2..];
            from_256(index)
        }
        [2, red, green, blue, ..] => {
            *rest = &rest[4..];
            nearest(red.min(255), green.min(255), blue.min(255))
        }
        _ => {
            *rest = &[];
            Colour::Plain
        }
    }
}

fn from_256(index: u32) -> Colour {
    match index {
        0..16 => u8::try_from(index).map_or(Colour::Plain, Colour::Index),
        16..232 => {
            let level = |part: u32| if part == 0 { 0 } else { 55 + part * 40 };
            let index = index - 16;
            nearest(level(index / 36), level(index / 6 % 6), level(index % 6))
        }
        232..256 => {
            let grey = 8 + (index - 232) * 10;
            nearest(grey, grey, grey)
        }
        _ => Colour::Plain,
    }
}

/// Finds the colour of the sixteen that comes closest by hue, or by tone for greys.
fn nearest(red: u32, green: u32, blue: u32) -> Colour {
    let (high, low) = (red.max(green).max(blue), red.min(green).min(blue));
    if high - low < 40 {
        return Colour::Index(match high {
            0..64 => 0,
            64..150 => 8,
            150..225 => 7,
            _ => 15,
        });
    }
    let middle = (high + low) / 2;
    let bits = u8::from(red > middle) | u8::from(green > middle) << 1 | u8::from(blue > middle) << 2;
    Colour::Index(if low > 110 { bits + 8 } else { bits })
}

/// Takes `2026-01-02T03:04:05.678901Z 00O ` off the start of a line.
fn strip_timestamp(cells: &[(char, Style)]) -> (&[(char, Style)], Option<String>, bool) {
    let head: String = cells.iter().take(32).map(|cell| cell.0).collect();
    let bytes = head.as_bytes();
    let fits = bytes.len() >= 31
        && bytes[..4].iter().all(u8::is_ascii_digit)
        && bytes[4] == b'-' && bytes[7] == b'-' && bytes[10] == b'T' && bytes[13] == b':' && bytes[19] == b'.'
        && bytes[26] == b'Z' && bytes[27] == b' '
        && bytes[28..30].iter().all(u8::is_ascii_hexdigit)
        && matches!(bytes[30], b'O' | b'E');
    if !fits {
        return (cells, None, false);
    }
    let skip = if matches!(bytes.get(31), Some(b' ' | b'+')) { 32 } else { 31 };
    (&cells[skip.min(cells.len())..], head.get(..27).map(str::to_owned), bytes[30] == b'E')
}

fn paint(cells: &[(char, Style)]) -> String {
    let mut out = String::with_capacity(cells.len() + 32);
    let mut buffer = [0; 4];
    let mut open = Style::default();
    for (c, style) in cells {
        if *style != open {
            if open != Style::default() {
                out.push_str("</span>");
            }
            if *style != Style::default() {
                out.push_str("<span class=\"");
                push_classes(&mut out, *style);
                out.push_str("\">");
            }
            open = *style;
        }
        push_escaped(&mut out, c.encode_utf8(&mut buffer));
    }
    if open != Style::default() {
        out.push_str("</span>");
    }
    out
}

fn push_classes(out: &mut String, style: Style) {
    let mut classes: Vec<String> = Vec::new();
    let inverse = style.flags & INVERSE != 0;
    let (fore, back) = if inverse { (style.back, style.fore) } else { (style.fore, style.back) };
    if let Colour::Index(index) = fore {
        classes.push(format!("x{index}"));
    }
    if let Colour::Index(index) = back {
        classes.push(format!("y{index}"));
    }
    if inverse && fore == Colour::Plain && back == Colour::Plain {
        classes.push("xv".to_owned());
    }
    let flags = [(BOLD, "xb"), (FAINT, "xf"), (ITALIC, "xi"), (UNDERLINE, "xu"), (STRIKE, "xs"), (HIDDEN, "xh")];
    classes.extend(flags.iter().filter(|(flag, _)| style.flags & flag != 0).map(|(_, class)| (*class).to_owned()));
    out.push_str(&classes.join(" "));
}

/// Reads a whole text at once.
pub fn parse(bytes: &[u8]) -> Vec<Event> {
    let mut parser = Parser::new();
    let mut events = parser.push(bytes);
    events.extend(parser.finish());
    events
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        parse(text.as_bytes()).into_iter().filter_map(|event| match event {
            Event::Line(line) => Some(line.html),
            _ => None,
        }).collect()
    }

    #[test]
    fn colours_become_classes() {
        assert_eq!(lines("\x1b[31;1mbad\x1b[0m <ok>\n"), ["<span class=\"x1 xb\">bad</span> &lt;ok&gt;"]);
        assert_eq!(lines("\x1b[38;5;9ma\x1b[48;2;0;0;255mb\n"), ["<span class=\"x9\">a</span><span class=\"x9 y4\">b</span>"]);
        assert_eq!(lines("\x1b[7mx\x1b[27my"), ["<span class=\"xv\">x</span>y"]);
        assert_eq!(lines("\x1b[32ma\nb\x1b[m"), ["<span class=\"x2\">a</span>", "<span class=\"x2\">b</span>"]);
    }

    #[test]
    fn overwriting_leaves_the_last_state() {
        assert_eq!(lines("10%\r50%\r100%\n"), ["100%"]);
        assert_eq!(lines("abcdef\rxy\x1b[K\n"), ["xy"]);
        assert_eq!(lines("abc\x08d\n"), ["abd"]);
        assert_eq!(lines("a\r\nb\r\n"), ["a", "b"]);
        assert_eq!(lines("abc\x1b[2Kd"), ["d"]);
    }

    #[test]
    fn sections_are_events() {
        let text = "section_start:1560896352:my_part[collapsed=true]\r\x1b[0KThe title\nin\nsection_end:1560896353:my_part\r\x1b[0K\nafter\n";
        let events = parse(text.as_bytes());
        let Event::SectionStart { name, at, collapsed, title } = &events[0] else { panic!("{events:?}") };
        assert_eq!((name.as_str(), *at, *collapsed, title.html.as_str()), ("my_part", 1_560_896_352, true, "The title"));
        assert!(matches!(&events[1], Event::Line(line) if line.html == "in" && line.number == 2));
        assert!(matches!(&events[2], Event::SectionEnd { name, at: 1_560_896_353 } if name == "my_part"));
        assert!(events.iter().any(|event| matches!(event, Event::Line(line) if line.text == "after")));
    }

    #[test]
    fn sections_follow_each_other_on_one_line() {
        let text = "\x1b[0Ksection_start:1:a\r\x1b[0Kone\nsection_end:2:a\r\x1b[0Ksection_start:3:b\r\x1b[0Ktwo\nx\nsection_end:4:b\r\x1b[0K";
        let kinds: Vec<String> = parse(text.as_bytes()).iter().map(|event| match event {
            Event::Line(line) => line.text.clone(),
            Event::SectionStart { name, title, .. } => format!("+{name} {}", title.text),
            Event::SectionEnd { name, .. } => format!("-{name}"),
        }).collect();
        assert_eq!(kinds, ["+a one", "-a", "+b two", "x", "-b"]);
    }

    #[test]
    fn pieces_may_break_anywhere() {
        let text = "section_start:1:a\r\x1b[0K\x1b[31mTitel ü€😀\x1b[0m\nx\rsection_end:2:a\r\x1b[0Kende\n".as_bytes();
        let whole = parse(text);
        for size in 1..9 {
            let mut parser = Parser::new();
            let mut events: Vec<Event> = text.chunks(size).flat_map(|chunk| parser.push(chunk)).collect();
            events.extend(parser.finish());
            assert_eq!(events, whole);
        }
    }

    #[test]
    fn timestamps_are_taken_off() {
        let events = parse(b"2026-05-22T12:43:46.962646Z 00E hello\n");
        let Event::Line(line) = &events[0] else { panic!() };
        assert_eq!((line.text.as_str(), line.timestamp.as_deref(), line.error), ("hello", Some("2026-05-22T12:43:46.962646Z"), true));
    }

    #[test]
    fn hostile_input_is_bounded_and_escaped() {
        assert_eq!(lines("\x1b]8;;javascript:alert(1)\x07x\x1b]8;;\x1b\\\n"), ["x"]);
        assert_eq!(lines("<script>\"'"), ["&lt;script&gt;&quot;&#39;"]);
        assert!(lines(&"a".repeat(MAX_LINE * 2 + 1)).len() == 3);
        assert!(lines("\x1b[99999999C\x1b[9999999999;x").len() <= 1);
        let noise: Vec<u8> = (0..40_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let _ = parse(&noise);
        assert_eq!(lines("a\u{202e}b"), ["ab"]);
        let nested = format!("\x1b[{}m", "1;".repeat(200));
        assert_eq!(lines(&format!("{nested}x")).len(), 1);
    }
}

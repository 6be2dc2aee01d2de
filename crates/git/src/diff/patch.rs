//! The lines that differ, read from git's patch as it comes and bounded on the way.

use std::time::Duration;

use serde::Serialize;
use tokio::io::{AsyncBufRead, AsyncBufReadExt};

use super::list::read_raw;
use super::words::mark_words;
use super::{DiffOptions, FileChange, FileDiff, Hunk, Line, LineKind, Status};
use crate::{GitError, Oid, Repo, Result};

/// How long a diff may take.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Holds the difference of two revisions.
#[derive(Clone, Debug, Serialize)]
pub struct Diff {
    /// The files.
    pub files: Vec<FileDiff>,
    /// Whether there are more files than the limit.
    pub truncated: bool,
}

impl Repo {
    /// Compares two revisions line by line.
    pub async fn diff(&self, old: Oid, new: Oid, options: &DiffOptions) -> Result<Diff> {
        let command = self.diff_command(old, new, options, &["-p", &format!("-U{}", options.context.min(10_000))])?;
        let mut reader = command.stream()?.into_reader();
        let read = read_diff(&mut reader, options);
        tokio::time::timeout(TIMEOUT, read).await.map_err(|_| GitError::TimedOut("the comparison".into()))?
    }
}

async fn read_diff(reader: &mut (impl AsyncBufRead + Unpin), options: &DiffOptions) -> Result<Diff> {
    let (changes, truncated, _) = read_raw(reader, options.max_files).await?;
    let mut parser = Parser::new(changes, options);
    // The list is cut before the patches start, so there is none to read.
    if truncated {
        return Ok(Diff { files: parser.finish(), truncated });
    }
    let mut line = Vec::new();
    while !parser.full && read_line(reader, &mut line, options.max_file_bytes).await? {
        parser.line(&line);
    }
    Ok(Diff { files: parser.finish(), truncated })
}

/// Reads a line and keeps its first `cap` bytes and one more; false at the end.
pub(crate) async fn read_line(
    reader: &mut (impl AsyncBufRead + Unpin),
    line: &mut Vec<u8>,
    cap: usize,
) -> Result<bool> {
    line.clear();
    let mut any = false;
    loop {
        let chunk = reader.fill_buf().await?;
        if chunk.is_empty() {
            return Ok(any);
        }
        any = true;
        let end = chunk.iter().position(|b| *b == b'\n');
        let part = &chunk[..end.unwrap_or(chunk.len())];
        let room = (cap + 1).saturating_sub(line.len()).min(part.len());
        line.extend_from_slice(&part[..room]);
        let used = part.len() + usize::from(end.is_some());
        reader.consume(used);
        if end.is_some() {
            return Ok(true);
        }
    }
}

/// Puts the patch's lines to the files they belong to.
struct Parser<'a> {
    options: &'a DiffOptions,
    waiting: std::vec::IntoIter<FileChange>,
    done: Vec<FileDiff>,
    current: Option<FileDiff>,
    /// Headers that the current file still has: a change of type is shown as a deletion and an addition.
    headers: u8,
    old_left: u32,
    new_left: u32,
    old_next: u32,
    new_next: u32,
    file_lines: usize,
    file_bytes: usize,
    total_bytes: usize,
    full: bool,
}

impl<'a> Parser<'a> {
    fn new(changes: Vec<FileChange>, options: &'a DiffOptions) -> Self {
        Self {
            options,
            waiting: changes.into_iter(),
            done: Vec::new(),
            current: None,
            headers: 0,
            old_left: 0,
            new_left: 0,
            old_next: 0,
            new_next: 0,
            file_lines: 0,
            file_bytes: 0,
            total_bytes: 0,
            full: false,
        }
    }

    fn line(&mut self, line: &[u8]) {
        if self.old_left > 0 || self.new_left > 0 {
            self.content(line);
        } else if line.starts_with(b"diff --git ") {
            self.header();
        } else if let Some(current) = &mut self.current {
            if line.starts_with(b"@@ ") {
                self.hunk(line);
            } else if line.starts_with(b"\\ ") {
                mark_no_newline(current);
            } else if line.starts_with(b"Binary files ") {
                current.change.binary = true;
            }
        }
    }

    fn header(&mut self) {
        if self.headers > 0 {
            self.headers -= 1;
            return;
        }
        self.close();
        if self.total_bytes > self.options.max_total_bytes {
            self.full = true;
            return;
        }
        let Some(mut change) = self.waiting.next() else { return };
        self.headers = u8::from(change.status == Status::TypeChanged);
        (change.additions, change.deletions) = (Some(0), Some(0));
        self.current = Some(FileDiff { change, hunks: Vec::new(), too_large: false, collapsed: false });
        (self.file_lines, self.file_bytes) = (0, 0);
    }

    fn hunk(&mut self, line: &[u8]) {
        let Some(hunk) = parse_hunk(line) else { return };
        (self.old_left, self.new_left) = (hunk.old_lines, hunk.new_lines);
        (self.old_next, self.new_next) = (hunk.old_start, hunk.new_start);
        if let Some(current) = self.current.as_mut().filter(|current| !current.too_large) {
            current.hunks.push(hunk);
        }
    }

    fn content(&mut self, line: &[u8]) {
        let Some(current) = &mut self.current else { return };
        let (sign, text) = line.split_first().unwrap_or((&b' ', &[]));
        let kind = match sign {
            b'+' => LineKind::Added,
            b'-' => LineKind::Removed,
            b'\\' => return mark_no_newline(current),
            _ => LineKind::Context,
        };
        let (mut old, mut new) = (None, None);
        if kind != LineKind::Added {
            old = Some(self.old_next);
            self.old_next += 1;
            self.old_left = self.old_left.saturating_sub(1);
        }
        if kind != LineKind::Removed {
            new = Some(self.new_next);
            self.new_next += 1;
            self.new_left = self.new_left.saturating_sub(1);
        }
        count(&mut current.change, kind);
        self.file_lines += 1;
        self.file_bytes += line.len();
        if self.file_lines > self.options.max_file_lines || self.file_bytes > self.options.max_file_bytes {
            current.too_large = true;
            current.hunks.clear();
        } else if let Some(hunk) = current.hunks.last_mut() {
            hunk.lines.push(Line { kind, old, new, text: text.into(), words: Vec::new(), no_newline: false });
        }
    }

    fn close(&mut self) {
        let Some(mut file) = self.current.take() else { return };
        if !file.too_large {
            self.total_bytes += self.file_bytes;
        }
        if self.options.words {
            file.hunks.iter_mut().for_each(mark_words);
        }
        self.done.push(file);
    }

    /// Returns all files; those that were not reached are collapsed.
    fn finish(mut self) -> Vec<FileDiff> {
        self.close();
        let rest = self.waiting.by_ref();
        let collapsed = |change| FileDiff { change, hunks: Vec::new(), too_large: false, collapsed: true };
        self.done.extend(rest.map(collapsed));
        self.done
    }
}

fn count(change: &mut FileChange, kind: LineKind) {
    match kind {
        LineKind::Added => change.additions = change.additions.map(|count| count + 1),
        LineKind::Removed => change.deletions = change.deletions.map(|count| count + 1),
        LineKind::Context => {}
    }
}

fn mark_no_newline(file: &mut FileDiff) {
    if let Some(line) = file.hunks.last_mut().and_then(|hunk| hunk.lines.last_mut()) {
        line.no_newline = true;
    }
}

/// Reads `@@ -1,2 +3,4 @@ heading`.
fn parse_hunk(line: &[u8]) -> Option<Hunk> {
    let rest = line.strip_prefix(b"@@ -")?;
    let end = rest.windows(3).position(|part| part == b" @@")?;
    let ranges = std::str::from_utf8(&rest[..end]).ok()?;
    let (old, new) = ranges.split_once(" +")?;
    let side = |text: &str| -> Option<(u32, u32)> {
        let (start, count) = text.split_once(',').unwrap_or((text, "1"));
        Some((start.parse().ok()?, count.parse().ok()?))
    };
    let ((old_start, old_lines), (new_start, new_lines)) = (side(old)?, side(new)?);
    let heading = rest[end + 3..].trim_ascii_start().into();
    Some(Hunk { old_start, old_lines, new_start, new_lines, heading, lines: Vec::new() })
}

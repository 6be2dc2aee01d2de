//! Marks the words that differ between a removed and an added line.

use std::ops::Range;

use imara_diff::{Algorithm, Diff, InternedInput, Interner};

use super::{Hunk, Line, LineKind};

/// Longer lines are not compared by words.
const MAX_LINE: usize = 2000;
/// More pairs of lines in one place are not compared by words.
const MAX_PAIRS: usize = 100;

/// Marks the changed words wherever removed lines are followed by added ones.
pub(super) fn mark_words(hunk: &mut Hunk) {
    let lines = &mut hunk.lines;
    let mut at = 0;
    while at < lines.len() {
        let removed = run(&lines[at..], LineKind::Removed);
        let added = run(&lines[at + removed..], LineKind::Added);
        let pairs = removed.min(added);
        if pairs <= MAX_PAIRS {
            let (left, right) = lines[at..].split_at_mut(removed);
            left.iter_mut().zip(right.iter_mut()).take(pairs).for_each(|(old, new)| compare(old, new));
        }
        at += (removed + added).max(1);
    }
}

fn run(lines: &[Line], kind: LineKind) -> usize {
    lines.iter().take_while(|line| line.kind == kind).count()
}

fn compare(old: &mut Line, new: &mut Line) {
    if old.text.len() > MAX_LINE || new.text.len() > MAX_LINE {
        return;
    }
    let (before, after) = (tokens(&old.text), tokens(&new.text));
    let mut input = InternedInput { before: Vec::new(), after: Vec::new(), interner: Interner::new(64) };
    input.update_before(before.iter().map(|range| &old.text[range.clone()]));
    input.update_after(after.iter().map(|range| &new.text[range.clone()]));
    let diff = Diff::compute(Algorithm::Histogram, &input);
    let removed = changed(&before, |token| diff.is_removed(token));
    let added = changed(&after, |token| diff.is_added(token));
    // Lines with little in common are easier to read without marks.
    if covers(&removed) * 10 <= old.text.len() * 8 || covers(&added) * 10 <= new.text.len() * 8 {
        (old.words, new.words) = (removed, added);
    }
}

fn covers(ranges: &[(u32, u32)]) -> usize {
    ranges.iter().map(|(start, end)| (end - start) as usize).sum()
}

/// Joins the changed tokens to ranges.
fn changed(tokens: &[Range<usize>], is_changed: impl Fn(u32) -> bool) -> Vec<(u32, u32)> {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for (index, token) in (0u32..).zip(tokens) {
        let (Ok(start), Ok(end)) = (u32::try_from(token.start), u32::try_from(token.end)) else { break };
        match ranges.last_mut() {
            _ if !is_changed(index) => {}
            Some(last) if last.1 == start => last.1 = end,
            _ => ranges.push((start, end)),
        }
    }
    ranges
}

/// Cuts a line into words, runs of blanks, and single other characters.
fn tokens(text: &[u8]) -> Vec<Range<usize>> {
    let mut tokens: Vec<Range<usize>> = Vec::new();
    let mut last = None;
    for (at, byte) in text.iter().enumerate() {
        let class = match byte {
            b' ' | b'\t' => Some(0),
            // Bytes outside ASCII stay together, so that no character is cut in two.
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | 0x80.. => Some(1),
            _ => None,
        };
        match tokens.last_mut() {
            Some(token) if class.is_some() && class == last => token.end = at + 1,
            _ => tokens.push(at..at + 1),
        }
        last = class;
    }
    tokens
}

//! Syntax highlighting: one string of HTML per line, every span closed within its line.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use moka::sync::Cache;
use syntect::parsing::{ParseState, Scope, ScopeStack, SyntaxReference, SyntaxSet};

/// Longer lines stay plain.
pub const MAX_LINE: usize = 2_000;
/// Larger texts stay plain.
pub const MAX_TEXT: usize = 512 * 1024;
/// After this time the rest of a text stays plain.
const BUDGET: Duration = Duration::from_secs(3);
const CACHE_BYTES: u64 = 8 * 1024 * 1024;

static SYNTAXES: LazyLock<SyntaxSet> = LazyLock::new(two_face::syntax::extra_newlines);

static CACHE: LazyLock<Cache<String, Arc<Vec<String>>>> = LazyLock::new(|| {
    Cache::builder()
        .max_capacity(CACHE_BYTES)
        .weigher(|key: &String, lines: &Arc<Vec<String>>| {
            let size = key.len() + lines.iter().map(|line| line.len() + 24).sum::<usize>();
            u32::try_from(size).unwrap_or(u32::MAX)
        })
        .time_to_idle(Duration::from_secs(15 * 60))
        .build()
});

/// Classes by the beginning of a scope's name, the more particular ones first.
static CLASSES: LazyLock<Vec<(Scope, &'static str)>> = LazyLock::new(|| {
    let table = [
        ("comment", "sc"),
        ("punctuation.definition.comment", "sc"),
        ("string", "ss"),
        ("constant.character", "sn"),
        ("constant", "sn"),
        ("markup.raw", "ss"),
        ("markup.heading", "sk"),
        ("markup.inserted", "ss"),
        ("markup.deleted", "sy"),
        ("entity.name.function", "sf"),
        ("support.function", "sf"),
        ("variable.function", "sf"),
        ("meta.function-call.identifier", "sf"),
        ("support.macro", "sf"),
        ("entity.name.tag", "sk"),
        ("entity.other.attribute-name", "sf"),
        ("entity.name", "sy"),
        ("entity.other.inherited-class", "sy"),
        ("support.type.property-name", "sk"),
        ("support", "sy"),
        ("storage.type", "sk"),
        ("storage", "sk"),
        ("keyword.operator.word", "sk"),
        ("keyword.operator", ""),
        ("keyword", "sk"),
        ("variable.language", "sk"),
        ("invalid", ""),
    ];
    table.iter().filter_map(|(name, class)| Scope::new(name).ok().map(|scope| (scope, *class))).collect()
});

/// Highlights a text; the language comes from the file name, else from the first line.
pub fn lines(file_name: &str, first_line: &str, text: &str) -> Vec<String> {
    if text.len() > MAX_TEXT || is_plain(file_name) {
        return plain(text);
    }
    let syntaxes = &*SYNTAXES;
    match by_file(syntaxes, file_name, first_line) {
        Some(syntax) => paint(syntaxes, syntax, text),
        None => plain(text),
    }
}

/// Highlights a text as [`lines`] does and keeps the result under the caller's key, as a blob's id with the path.
pub fn lines_cached(key: &str, file_name: &str, first_line: &str, text: &str) -> Arc<Vec<String>> {
    CACHE.get_with_by_ref(key, || Arc::new(lines(file_name, first_line, text)))
}

/// Highlights a fenced block by the name of its language.
pub fn fenced(language: &str, text: &str) -> Vec<String> {
    if text.len() > MAX_TEXT || language.is_empty() || is_plain(language) {
        return plain(text);
    }
    let syntaxes = &*SYNTAXES;
    match syntaxes.find_syntax_by_token(alias(language)) {
        Some(syntax) if syntax.name != "Plain Text" => paint(syntaxes, syntax, text),
        _ => plain(text),
    }
}

/// Names the language of a file, if one is known.
pub fn language(file_name: &str, first_line: &str) -> Option<&'static str> {
    if is_plain(file_name) {
        return None;
    }
    by_file(&SYNTAXES, file_name, first_line).map(|syntax| syntax.name.as_str())
}

fn is_plain(name: &str) -> bool {
    matches!(name, "txt" | "text" | "plain" | "plaintext" | "mermaid") || name.ends_with(".txt")
}

fn alias(language: &str) -> &str {
    match language {
        "shell" | "console" | "zsh" | "shell-session" => "bash",
        "golang" => "go",
        "c++" => "cpp",
        "c#" => "cs",
        "jsonc" | "json5" => "json",
        "yml" => "yaml",
        "docker" => "Dockerfile",
        other => other,
    }
}

fn by_file(set: &'static SyntaxSet, file_name: &str, first_line: &str) -> Option<&'static SyntaxReference> {
    let base = file_name.rsplit('/').next().unwrap_or(file_name);
    let extension = base.rsplit_once('.').map_or(base, |(_, extension)| extension);
    let known = set
        .find_syntax_by_extension(base)
        .or_else(|| set.find_syntax_by_extension(extension))
        .or_else(|| set.find_syntax_by_extension(&extension.to_ascii_lowercase()));
    known
        .or_else(|| set.find_syntax_by_first_line(first_line.get(..200).unwrap_or(first_line)))
        .filter(|syntax| syntax.name != "Plain Text")
}

fn plain(text: &str) -> Vec<String> {
    text.lines().map(escape).collect()
}

/// Escapes text for HTML, also inside attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    push_escaped(&mut out, text);
    out
}

pub(crate) fn push_escaped(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
}

fn paint(set: &SyntaxSet, syntax: &SyntaxReference, text: &str) -> Vec<String> {
    let started = Instant::now();
    let mut state = ParseState::new(syntax);
    let mut stack = ScopeStack::new();
    let mut alive = true;
    let mut out = Vec::new();
    for line in text.split_inclusive('\n') {
        let visible = line.trim_end_matches(['\n', '\r']);
        if !alive || line.len() > MAX_LINE {
            out.push(escape(visible));
            continue;
        }
        match state.parse_line(line, set) {
            Ok(ops) => out.push(paint_line(visible, &ops, &mut stack)),
            Err(_) => {
                alive = false;
                out.push(escape(visible));
            }
        }
        alive = alive && started.elapsed() < BUDGET;
    }
    out
}

type Op = (usize, syntect::parsing::ScopeStackOp);

fn paint_line(line: &str, ops: &[Op], stack: &mut ScopeStack) -> String {
    let mut painter = Painter { out: String::with_capacity(line.len() * 2), open: "" };
    let mut at = 0;
    for (offset, op) in ops {
        let until = (*offset).min(line.len());
        if let Some(piece) = line.get(at..until) {
            painter.piece(piece, class_of(stack));
        }
        at = at.max(until);
        if stack.apply(op).is_err() {
            stack.scopes.clear();
        }
    }
    painter.piece(line.get(at..).unwrap_or_default(), class_of(stack));
    painter.finish()
}

/// Joins neighbouring pieces of one class into one span.
struct Painter {
    out: String,
    open: &'static str,
}

impl Painter {
    fn piece(&mut self, text: &str, class: &'static str) {
        if text.is_empty() {
            return;
        }
        let blank = text.bytes().all(|byte| byte == b' ' || byte == b'\t');
        if class != self.open && (self.open.is_empty() || !blank) {
            self.close();
            if !class.is_empty() && !blank {
                self.out.push_str("<span class=\"");
                self.out.push_str(class);
                self.out.push_str("\">");
                self.open = class;
            }
        }
        push_escaped(&mut self.out, text);
    }

    fn close(&mut self) {
        if !self.open.is_empty() {
            self.out.push_str("</span>");
            self.open = "";
        }
    }

    fn finish(mut self) -> String {
        self.close();
        self.out
    }
}

fn class_of(stack: &ScopeStack) -> &'static str {
    for scope in stack.as_slice().iter().rev() {
        if let Some((_, class)) = CLASSES.iter().find(|(prefix, _)| prefix.is_prefix_of(*scope)) {
            return class;
        }
    }
    ""
}

/// Marks parts of a highlighted line, given as byte ranges of its plain text, with `<ins>` or `<del>`.
///
/// The line must come from this module: flat spans and escaped text.
pub(crate) fn mark(html: &str, ranges: &[std::ops::Range<usize>], tag: &str) -> String {
    if ranges.is_empty() {
        return html.to_owned();
    }
    let mut marker = Marker { out: String::with_capacity(html.len() + 32), tag, marked: false, span: "" };
    let (mut at, mut rest) = (0_usize, html);
    while let Some(first) = rest.chars().next() {
        let size = match first {
            '<' => rest.find('>').map_or(rest.len(), |end| end + 1),
            '&' => rest.find(';').map_or(1, |end| end + 1),
            c => c.len_utf8(),
        };
        let (piece, after) = rest.split_at(size);
        rest = after;
        match first {
            '<' => marker.set(false, if piece == "</span>" { "" } else { piece }),
            _ => {
                marker.set(ranges.iter().any(|range| range.contains(&at)), marker.span);
                marker.out.push_str(piece);
                at += if first == '&' { 1 } else { size };
            }
        }
    }
    marker.set(false, "");
    marker.out
}

/// Writes marks inside spans, so that both always nest.
struct Marker<'a> {
    out: String,
    tag: &'a str,
    marked: bool,
    span: &'a str,
}

impl<'a> Marker<'a> {
    fn set(&mut self, marked: bool, span: &'a str) {
        if self.marked && (!marked || span != self.span) {
            self.tag_piece("</");
            self.marked = false;
        }
        if span != self.span {
            if !self.span.is_empty() {
                self.out.push_str("</span>");
            }
            self.out.push_str(span);
            self.span = span;
        }
        if marked && !self.marked {
            self.tag_piece("<");
            self.marked = true;
        }
    }

    fn tag_piece(&mut self, start: &str) {
        self.out.push_str(start);
        self.out.push_str(self.tag);
        self.out.push('>');
    }
}

#[cfg(test)]
#[allow(clippy::single_range_in_vec_init)]
mod tests {
    use super::*;

    fn balanced(html: &str) -> bool {
        let mut open = Vec::new();
        let mut rest = html;
        while let Some(start) = rest.find('<') {
            let end = start + rest[start..].find('>').expect("closed") + 1;
            let piece = &rest[start..end];
            rest = &rest[end..];
            if let Some(name) = piece.strip_prefix("</") {
                if open.pop() != Some(name.trim_end_matches('>').to_owned()) {
                    return false;
                }
            } else {
                open.push(piece[1..piece.len() - 1].split(' ').next().expect("name").to_owned());
            }
        }
        open.is_empty()
    }

    #[test]
    fn lines_are_closed_and_escaped() {
        let text = "/* a <b>\n c */\nfn main() { let s = \"x&y\"; }\n";
        let lines = lines("src/main.rs", "", text);
        assert_eq!(lines.len(), 3);
        assert!(lines.iter().all(|line| balanced(line)), "{lines:?}");
        assert!(lines[0].starts_with("<span class=\"sc\">") && lines[1].starts_with("<span class=\"sc\">"));
        assert!(lines[0].contains("&lt;b&gt;"));
        assert!(lines[2].contains("<span class=\"sk\">fn</span>") || lines[2].contains("<span class=\"sk\">fn "));
    }

    #[test]
    fn large_and_long_stay_plain() {
        let long = format!("let x = \"{}\";", "a".repeat(MAX_LINE));
        assert!(!lines("a.rs", "", &long)[0].contains("<span"));
        let large = "let a = 1;\n".repeat(MAX_TEXT / 11 + 1);
        assert!(!lines("a.rs", "", &large)[0].contains("<span"));
        assert_eq!(lines("x.unknown-ending", "", "a<b"), ["a&lt;b"]);
    }

    #[test]
    fn names_find_their_language() {
        assert_eq!(language("Dockerfile", ""), Some("Dockerfile"));
        assert_eq!(language("a/b.yml", ""), Some("YAML"));
        assert!(language("run", "#!/bin/bash\n").is_some());
        assert!(fenced("ts", "const a: number = 1")[0].contains("<span"));
    }

    #[test]
    fn marks_nest_with_spans() {
        let html = "a<span class=\"sk\">bcd</span>e&amp;f";
        for from in 0..7 {
            for to in from..=7 {
                let marked = mark(html, &[from..to], "ins");
                assert!(balanced(&marked) || from == to, "{marked}");
            }
        }
        assert_eq!(mark("a&amp;b", &[1..2], "del"), "a<del>&amp;</del>b");
    }

    #[test]
    fn caching_returns_the_same_lines() {
        let first = lines_cached("k1", "a.rs", "", "let a = 1;");
        assert!(Arc::ptr_eq(&first, &lines_cached("k1", "a.rs", "", "something else")));
    }
}

//! Changes: data of a diff and how it is shown, inline or side by side.

mod paint;

use std::ops::Range;

use maud::{Markup, PreEscaped, html};

use crate::highlight::{escape, mark};
use crate::parts::{changes, copy_button};
use crate::{code, icon};

pub use paint::highlight;

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Change {
    /// Its content or mode changed.
    #[default]
    Modified,
    /// It is new.
    Added,
    /// It is gone.
    Deleted,
    /// It has another name.
    Renamed,
    /// It was copied from another file.
    Copied,
}

/// The kind of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// Stands in both.
    #[default]
    Context,
    /// Stands only in the new file.
    Added,
    /// Stands only in the old file.
    Removed,
    /// A remark such as a missing newline at the end.
    Note,
}

/// One line of a hunk.
#[derive(Debug, Clone, Default)]
pub struct Line {
    /// Its kind.
    pub kind: Kind,
    /// Its number in the old file.
    pub old: Option<u32>,
    /// Its number in the new file.
    pub new: Option<u32>,
    /// Its text without the sign and the line end.
    pub text: String,
    /// The same as HTML from [`crate::highlight`], if highlighted.
    pub html: Option<String>,
    /// Changed words as byte ranges of the text.
    pub words: Vec<Range<usize>>,
    /// Markup shown in a row below, such as a discussion.
    pub below: Option<Markup>,
}

/// Neighbouring lines.
#[derive(Debug, Clone, Default)]
pub struct Hunk {
    /// What surrounds it, as in `impl Lease`.
    pub heading: String,
    /// How many lines are left out before it.
    pub hidden: u32,
    /// An address that returns the left-out lines as table rows (see [`context_rows`]).
    pub expand_href: Option<String>,
    /// The lines.
    pub lines: Vec<Line>,
}

/// One file of a diff.
#[derive(Debug, Clone, Default)]
pub struct File {
    /// Its id on the page; anchors of lines start with it.
    pub id: String,
    /// Its old path.
    pub old_path: String,
    /// Its new path.
    pub new_path: String,
    /// What happened.
    pub change: Change,
    /// Old and new mode where they differ, as in `100644`.
    pub modes: Option<(String, String)>,
    /// Added lines.
    pub added: u64,
    /// Removed lines.
    pub removed: u64,
    /// Whether the content is binary.
    pub binary: bool,
    /// Addresses of the old and new picture, when it is one.
    pub pictures: Option<(Option<String>, Option<String>)>,
    /// Why the lines aren't here: too large, generated.
    pub collapsed: Option<String>,
    /// An address that returns the whole file section, for collapsed files.
    pub load_href: Option<String>,
    /// Where the file itself is.
    pub view_href: Option<String>,
    /// Whether the reader has seen it; shown as a box to tick when given.
    pub viewed: Option<bool>,
    /// More for the header.
    pub extra: Option<Markup>,
    /// The hunks.
    pub hunks: Vec<Hunk>,
    /// Left-out lines after the last hunk, with the address of their rows.
    pub tail: Option<(u32, String)>,
}

/// How changes are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Layout {
    /// One column.
    #[default]
    Inline,
    /// Old at the left, new at the right.
    SideBySide,
}

impl Layout {
    /// Parses the names used in addresses: `parallel` is side by side, everything else inline.
    pub fn parse(name: &str) -> Self {
        if name == "parallel" { Self::SideBySide } else { Self::Inline }
    }

    fn columns(self) -> u8 {
        if self == Self::Inline { 3 } else { 4 }
    }
}

/// Shows one file.
pub fn file(file: &File, layout: Layout) -> Markup {
    let path = if file.change == Change::Deleted { &file.old_path } else { &file.new_path };
    html! {
        section.panel.file id=(file.id) aria-label=(path) data-place {
            (header(file, path))
            (body(file, layout))
        }
    }
}

/// Shows all files one below the other.
pub fn files(files: &[File], layout: Layout) -> Markup {
    html! { div.stack.stops { @for entry in files { (file(entry, layout)) } } }
}

fn header(file: &File, path: &str) -> Markup {
    let (folder, base) = path.rsplit_once('/').map_or(("", path), |(folder, base)| (folder, base));
    html! {
        header {
            (icon("file"))
            @if matches!(file.change, Change::Renamed | Change::Copied) && file.old_path != path {
                span.mono.faint.cut { (file.old_path) } (icon("go"))
            }
            a.mono.cut href={ "#" (file.id) } { @if !folder.is_empty() { (folder) "/" } b { (base) } }
            (copy_button(path, "path"))
            @if let Some(word) = change_word(file.change) { span.tag.bare { (word) } }
            @if let Some((old, new)) = &file.modes { span.faint.mono.wide-only { (old) " → " (new) } }
            @if file.added + file.removed > 0 { span { (changes(file.added, file.removed)) } }
            @if let Some(extra) = &file.extra { (extra) }
            span.push.line.fix {
                @if let Some(href) = &file.view_href { a.btn.quiet.small.wide-only href=(href) { "View file" } }
                @if let Some(viewed) = file.viewed {
                    label.check { input.seen type="checkbox" checked[viewed] data-viewed=(path); "Viewed" }
                }
            }
        }
    }
}

fn change_word(change: Change) -> Option<&'static str> {
    match change {
        Change::Modified => None,
        Change::Added => Some("new"),
        Change::Deleted => Some("deleted"),
        Change::Renamed => Some("renamed"),
        Change::Copied => Some("copied"),
    }
}

fn body(file: &File, layout: Layout) -> Markup {
    if let Some(why) = &file.collapsed {
        return html! {
            div.note.line {
                span { (why) }
                @if let Some(href) = &file.load_href { a.btn.small href=(href) data-load { "Show the changes" } }
            }
        };
    }
    if let Some((old, new)) = &file.pictures {
        return html! { div.pictures { (figure("Before", old.as_deref())) (figure("After", new.as_deref())) } };
    }
    if file.binary {
        return html! { div.note { "A binary file; its changes can't be shown." } };
    }
    if file.hunks.is_empty() {
        return html! { div.note { (nothing(file)) } };
    }
    table(file, layout)
}

fn nothing(file: &File) -> &'static str {
    match file.change {
        Change::Renamed => "Only the name changed.",
        Change::Copied => "Copied without changes.",
        Change::Added | Change::Deleted => "An empty file.",
        Change::Modified if file.modes.is_some() => "Only the mode changed.",
        Change::Modified => "No lines changed.",
    }
}

fn figure(name: &str, src: Option<&str>) -> Markup {
    html! { @if let Some(src) = src { figure { figcaption { (name) } (code::picture(src, name)) } } }
}

fn table(file: &File, layout: Layout) -> Markup {
    let split = layout == Layout::SideBySide;
    let caption = if split { "Side by side: old on the left, new on the right" } else { "Inline" };
    html! {
        div.scroll {
            table.diff.split[split] {
                caption.vh { (caption) }
                colgroup { col.n; @if split { col; col.n; col; } @else { col.n; col; } }
                tbody {
                    @for hunk in &file.hunks {
                        (gap(hunk, layout))
                        (rows(&file.id, &hunk.lines, layout))
                    }
                    @if let Some((hidden, href)) = &file.tail {
                        tr.gap data-place { td colspan=(layout.columns()) { (expander(*hidden, Some(href))) } }
                    }
                }
            }
        }
    }
}

fn gap(hunk: &Hunk, layout: Layout) -> Markup {
    html! {
        @if hunk.hidden > 0 || !hunk.heading.is_empty() {
            tr.gap.hunk data-place {
                td colspan=(layout.columns()) {
                    span.line.fix { (expander(hunk.hidden, hunk.expand_href.as_deref())) span.mono.cut { (hunk.heading) } }
                }
            }
        }
    }
}

fn expander(hidden: u32, href: Option<&str>) -> Markup {
    let words = format!("Show {}", crate::format::plural(i64::from(hidden), "line"));
    html! {
        @if hidden > 0 {
            @if let Some(href) = href { a.btn.quiet.small href=(href) data-load { (icon("expand")) (words) } }
            @else { span { (crate::format::plural(i64::from(hidden), "line")) " left out" } }
        }
    }
}

/// Writes lines as table rows alone, for what an expand address returns.
pub fn context_rows(file_id: &str, lines: &[Line], layout: Layout) -> Markup {
    rows(file_id, lines, layout)
}

fn rows(file_id: &str, lines: &[Line], layout: Layout) -> Markup {
    if layout == Layout::Inline {
        return html! { @for line in lines { (inline_row(file_id, line)) (below(line, 3)) } };
    }
    html! {
        @for pair in pairs(lines) {
            (split_row(file_id, &pair))
            @if let Some(line) = pair.old { @if line.kind != Kind::Context { (below(line, 4)) } }
            @if let Some(line) = pair.new { (below(line, 4)) }
        }
    }
}

fn below(line: &Line, columns: u8) -> Markup {
    html! { @if let Some(markup) = &line.below { tr.talk { td colspan=(columns) { (markup) } } } }
}

fn class(kind: Kind) -> &'static str {
    match kind {
        Kind::Added => " a",
        Kind::Removed => " d",
        Kind::Context | Kind::Note => "",
    }
}

fn number(file_id: &str, side: char, number: Option<u32>, class: &str, anchor: bool) -> Markup {
    html! {
        td class={ "n" (class) } {
            @if let Some(number) = number {
                @if anchor { a href={ "#" (file_id) "-" (side) (number) } id={ (file_id) "-" (side) (number) } { (number) } }
                @else { (number) }
            }
        }
    }
}

fn text(line: &Line) -> Markup {
    let content = line.html.clone().unwrap_or_else(|| escape(&line.text));
    let (hint, tag) = match line.kind {
        Kind::Added => ("added ", "ins"),
        Kind::Removed => ("removed ", "del"),
        Kind::Context | Kind::Note => ("", ""),
    };
    html! {
        td class={ "t" (class(line.kind)) } {
            @if !hint.is_empty() { span.vh { (hint) } }
            @if tag.is_empty() { (PreEscaped(content)) } @else { (PreEscaped(mark(&content, &line.words, tag))) }
        }
    }
}

fn inline_row(file_id: &str, line: &Line) -> Markup {
    if line.kind == Kind::Note {
        return html! { tr { td.m colspan="3" { (line.text) } } };
    }
    let shade = class(line.kind);
    html! {
        tr {
            (number(file_id, 'A', line.old, shade, line.kind == Kind::Removed))
            (number(file_id, 'B', line.new, shade, line.new.is_some()))
            (text(line))
        }
    }
}

struct Pair<'a> {
    old: Option<&'a Line>,
    new: Option<&'a Line>,
}

/// Puts runs of removed lines beside the runs of added lines that follow them.
fn pairs(lines: &[Line]) -> Vec<Pair<'_>> {
    let mut out = Vec::with_capacity(lines.len());
    let mut rest = lines;
    while let Some(first) = rest.first() {
        if matches!(first.kind, Kind::Context | Kind::Note) {
            out.push(Pair { old: Some(first), new: Some(first) });
            rest = &rest[1..];
            continue;
        }
        let removed = rest.iter().take_while(|line| line.kind == Kind::Removed).count();
        let added = rest[removed..].iter().take_while(|line| line.kind == Kind::Added).count();
        let (olds, after) = rest.split_at(removed);
        let (news, after) = after.split_at(added);
        for index in 0..removed.max(added) {
            out.push(Pair { old: olds.get(index), new: news.get(index) });
        }
        rest = after;
    }
    out
}

fn split_row(file_id: &str, pair: &Pair<'_>) -> Markup {
    if let Some(line) = pair.old.filter(|line| line.kind == Kind::Note) {
        return html! { tr { td.m colspan="4" { (line.text) } } };
    }
    let context = pair.old.is_some_and(|line| line.kind == Kind::Context);
    html! {
        tr.c[context] {
            @match pair.old {
                Some(line) => { (number(file_id, 'A', line.old, class(line.kind), !context)) (text(line)) }
                None => { td.n.e {} td.t.e {} }
            }
            @match pair.new {
                Some(line) => { (number(file_id, 'B', line.new, class(line.kind), true)) (text(line)) }
                None => { td.n.e {} td.t.e {} }
            }
        }
    }
}

/// The name of a file with its folder behind, so that the name stays in view where there is little room.
fn base(path: &str) -> Markup {
    match path.rsplit_once('/') {
        Some((folder, name)) => html! { (name) " " span.faint { (folder) } },
        None => html! { (path) },
    }
}

/// Lists the changed files with their counts, each linking to its section; typing filters the list.
pub fn overview(files: &[File]) -> Markup {
    let (added, removed) = files.iter().fold((0, 0), |sum, file| (sum.0 + file.added, sum.1 + file.removed));
    let count = i64::try_from(files.len()).unwrap_or(i64::MAX);
    html! {
        div.line { b { (crate::format::plural(count, "file")) } span.push { (changes(added, removed)) } }
        @if files.len() > 4 { (crate::form::filter("changed", "Filter files")) }
        ul.tree id="changed" {
            @for file in files {
                @let path = if file.change == Change::Deleted { &file.old_path } else { &file.new_path };
                li {
                    a href={ "#" (file.id) } title=(path) {
                        (icon("file")) span.cut { (base(path)) }
                        @if let Some(word) = change_word(file.change) { span.push.faint { (word) } }
                        @if file.added > 0 { span.add-n.push[file.change == Change::Modified] { "+" (file.added) } }
                        @if file.removed > 0 { span.del-n { "−" (file.removed) } }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;

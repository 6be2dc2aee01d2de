//! The log of a job: foldable sections, every line a link.

mod live;

use maud::{Markup, PreEscaped, html};

use crate::ansi::{Event, Line};
use crate::{format, icon, icon_with};

pub use live::{Live, Update};

/// Sections deeper than this stay flat.
const DEEPEST: usize = 8;

/// What surrounds a log.
#[derive(Debug, Clone, Default)]
pub struct Log {
    /// What the log is of, for assistive technology.
    pub name: String,
    /// Where the raw text is.
    pub raw_href: Option<String>,
    /// Server-sent events that go on where the events end.
    pub live_href: Option<String>,
    /// How many bytes are left out at the start, with the address of the whole.
    pub left_out: Option<u64>,
    /// Where the same page shows what is left out; the raw text where there is none.
    pub whole_href: Option<String>,
    /// Numbers of lines that hold errors.
    pub errors: Vec<u64>,
    /// More at the foot.
    pub foot: Option<Markup>,
}

impl Log {
    /// Writes the panel with its tools and all lines.
    pub fn render(&self, events: &[Event]) -> Markup {
        html! {
            section.panel.logpanel aria-label={ "Log of " (self.name) } {
                (self.tools())
                @if let Some(bytes) = self.left_out { (self.cut(bytes)) }
                div.log id="log" tabindex="0" role="log" aria-live="off" aria-label={ "Log of " (self.name) }
                    data-live=[self.live_href.as_deref()] data-end="reload" {
                    (self.lines(events))
                    @if events.is_empty() { p.waiting { (if self.live_href.is_some() { "Waiting for the first line." } else { "This job wrote nothing." }) } }
                }
                @if let Some(foot) = &self.foot { footer { (foot) } }
            }
        }
    }

    fn tools(&self) -> Markup {
        html! {
            header {
                label.filter {
                    (icon("search")) span.vh { "Find in log" }
                    input.in type="search" placeholder="Find in log" autocomplete="off" data-filter="log";
                    kbd.wide-only { "/" }
                }
                @if let Some(first) = self.errors.first() {
                    a.btn.quiet.small href={ "#L" (first) } { (icon_with("bad", "bad")) "First error" }
                }
                button.btn.quiet.small.icon type="button" data-press="log" data-class="nowrap" aria-pressed="false"
                    aria-label="Keep lines whole" title="Keep lines whole" { (icon("wrap")) }
                @if self.live_href.is_some() {
                    button.btn.quiet.small.icon type="button" data-press="log" data-class="follow" aria-pressed="false"
                        aria-label="Follow the end" title="Follow the end" { (icon("tail")) }
                }
                @if let Some(href) = &self.raw_href {
                    a.btn.quiet.small.icon href=(href) aria-label="Raw log" title="Raw log" { (icon("save")) }
                }
            }
        }
    }

    fn lines(&self, events: &[Event]) -> Markup {
        let mut errors = self.errors.clone();
        errors.sort_unstable();
        let live = self.live_href.is_some();
        html! { (nodes(&tree(events, live), &errors)) @if live { (tail(0)) } }
    }

    fn cut(&self, bytes: u64) -> Markup {
        html! {
            p.waiting {
                "The first " (format::bytes(bytes)) " are left out. "
                @if let Some(href) = self.whole_href.as_ref().or(self.raw_href.as_ref()) { a href=(href) { "Show the whole log" } }
            }
        }
    }
}

enum Node<'a> {
    Line(&'a Line),
    Section {
        title: &'a Line,
        at: i64,
        end: Option<i64>,
        collapsed: bool,
        inside: Vec<Node<'a>>,
    },
    /// Where a section that is still open goes on.
    Tail(u64),
}

/// Builds the tree of sections; sections deeper than a few levels stay flat. What is open at the end of a live log
/// gets a place where it goes on.
fn tree(events: &[Event], live: bool) -> Vec<Node<'_>> {
    let mut open: Vec<(&str, Node<'_>)> = Vec::new();
    let mut top = Vec::new();
    for event in events {
        match event {
            Event::Line(line) => place(&mut top, &mut open, Node::Line(line)),
            Event::SectionStart { title, .. } if open.len() >= DEEPEST => place(&mut top, &mut open, Node::Line(title)),
            Event::SectionStart { name, at, collapsed, title } => {
                let section = Node::Section { title, at: *at, end: None, collapsed: *collapsed, inside: Vec::new() };
                open.push((name, section));
            }
            Event::SectionEnd { name, at } => close(&mut top, &mut open, name, *at),
        }
    }
    while let Some((_, mut node)) = open.pop() {
        if let Node::Section { title, inside, .. } = &mut node
            && live
        {
            inside.push(Node::Tail(title.number));
        }
        place(&mut top, &mut open, node);
    }
    top
}

fn place<'a>(top: &mut Vec<Node<'a>>, open: &mut [(&'a str, Node<'a>)], node: Node<'a>) {
    match open.last_mut() {
        Some((_, Node::Section { inside, .. })) => inside.push(node),
        _ => top.push(node),
    }
}

fn close<'a>(top: &mut Vec<Node<'a>>, open: &mut Vec<(&'a str, Node<'a>)>, name: &str, at: i64) {
    let Some(depth) = open.iter().rposition(|(opened, _)| *opened == name) else { return };
    while open.len() > depth {
        let Some((_, mut node)) = open.pop() else { return };
        if let Node::Section { end, .. } = &mut node {
            *end = Some(at);
        }
        place(top, open, node);
    }
}

/// Writes the lines of a log with their sections, without what surrounds them.
pub fn lines(events: &[Event], errors: &[u64]) -> Markup {
    let mut sorted = errors.to_vec();
    sorted.sort_unstable();
    nodes(&tree(events, false), &sorted)
}

/// Marks where lines are put in before; the script takes the first that it finds, which is the innermost.
fn tail(section: u64) -> Markup {
    html! { div data-tail id={ "tail-" (section) } {} }
}

fn nodes(list: &[Node<'_>], errors: &[u64]) -> Markup {
    html! {
        @for node in list {
            @match node {
                Node::Line(entry) => { (line(entry, errors.binary_search(&entry.number).is_ok())) }
                Node::Tail(section) => { (tail(*section)) }
                Node::Section { title, at, end, collapsed, inside } => {
                    details open[!*collapsed] id={ "S" (title.number) } {
                        summary id={ "L" (title.number) } {
                            span { (icon_with("right", "turn")) span { (PreEscaped(&title.html)) } }
                            @if let Some(end) = end { time { (format::duration(end.saturating_sub(*at).max(0) as f64)) } }
                            @else if matches!(inside.last(), Some(Node::Tail(_))) { time id={ "time-" (title.number) } {} }
                        }
                        (nodes(inside, errors))
                    }
                }
            }
        }
    }
}

/// Writes one line, as live events send it.
pub fn line(line: &Line, hit: bool) -> Markup {
    let clock = line.timestamp.as_deref().and_then(|stamp| stamp.get(11..19));
    html! {
        div.l.hit[hit] id={ "L" (line.number) } {
            a href={ "#L" (line.number) } aria-label={ "Line " (line.number) } { (line.number) }
            span { (PreEscaped(&line.html)) }
            @if let Some(clock) = clock { time title=[line.timestamp.as_deref()] { (clock) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ansi::parse;

    #[test]
    fn sections_fold_and_show_their_time() {
        let events = parse(b"section_start:10:a[collapsed=true]\r\x1b[0KTitle\nin\nsection_end:75:a\r\x1b[0Kout\n");
        let html = lines(&events, &[3]).into_string();
        assert!(html.contains("<details id=\"S1\">") && html.contains("1 min 5 s"), "{html}");
        assert!(html.contains("class=\"l hit\" id=\"L3\""));
    }

    #[test]
    fn sections_without_end_and_ends_without_start_are_kept() {
        let events = parse(b"section_end:1:x\r\x1b[0Ksection_start:1:a\r\x1b[0KA\nsection_start:1:b\r\x1b[0KB\nin\nsection_end:2:a\r\x1b[0K");
        let html = lines(&events, &[]).into_string();
        assert_eq!(html.matches("<details").count(), 2);
        assert!(html.contains(">in<"));
    }

    #[test]
    fn deep_sections_stay_flat() {
        let text: String = (0..5000).map(|n| format!("section_start:1:s{n}\r\x1b[0KT{n}\n")).collect();
        let html = lines(&parse(text.as_bytes()), &[]).into_string();
        assert_eq!(html.matches("<details").count(), 8);
        assert!(html.contains("T4999"));
    }
}

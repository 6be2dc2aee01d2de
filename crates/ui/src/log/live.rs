//! A log that goes on: what is sent to a page that shows its beginning.

use maud::{Markup, PreEscaped, html};

use super::{DEEPEST, line, tail};
use crate::ansi::{Event, Line};
use crate::{format, icon_with};

/// One change of a page that shows a log.
#[derive(Debug, Clone)]
pub enum Update {
    /// Goes before the first `[data-tail]` (`append`).
    Append(Markup),
    /// Takes the place of the elements with the same ids (`replace`).
    Replace(Markup),
}

/// Knows which sections are open, as the page that shows them does.
#[derive(Debug, Default)]
pub struct Live {
    /// Name, start and number of the title's line.
    open: Vec<(String, i64, u64)>,
}

impl Live {
    /// Turns what a parser finished into changes of the page; `error` tells which lines to mark.
    pub fn push(&mut self, events: &[Event], error: impl Fn(&Line) -> bool) -> Vec<Update> {
        let mut updates = Vec::new();
        for event in events {
            match event {
                Event::Line(entry) => append(&mut updates, line(entry, error(entry))),
                Event::SectionStart { title, .. } if self.open.len() >= DEEPEST => {
                    append(&mut updates, line(title, false));
                }
                Event::SectionStart { name, at, collapsed, title } => {
                    self.open.push((name.clone(), *at, title.number));
                    append(&mut updates, begin(title, *collapsed));
                }
                Event::SectionEnd { name, at } => self.end(name, *at, &mut updates),
            }
        }
        updates
    }

    fn end(&mut self, name: &str, at: i64, updates: &mut Vec<Update>) {
        let Some(depth) = self.open.iter().rposition(|(opened, ..)| opened == name) else { return };
        for (_, begun, number) in self.open.drain(depth..).rev() {
            let time = format::duration(at.saturating_sub(begun).max(0) as f64);
            updates.push(Update::Replace(
                html! { span id={ "tail-" (number) } hidden {} time id={ "time-" (number) } { (time) } },
            ));
        }
    }
}

fn append(updates: &mut Vec<Update>, markup: Markup) {
    match updates.last_mut() {
        Some(Update::Append(before)) => before.0.push_str(&markup.0),
        _ => updates.push(Update::Append(markup)),
    }
}

fn begin(title: &Line, collapsed: bool) -> Markup {
    html! {
        details open[!collapsed] id={ "S" (title.number) } {
            summary id={ "L" (title.number) } {
                span { (icon_with("right", "turn")) span { (PreEscaped(&title.html)) } }
                time id={ "time-" (title.number) } {}
            }
            (tail(title.number))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ansi::parse;

    #[test]
    fn sections_open_and_close_where_the_page_has_them() {
        let mut live = Live::default();
        let first = live.push(&parse(b"section_start:10:a\r\x1b[0KTitle\nin\n"), |_| false);
        let [Update::Append(html)] = &first[..] else { panic!("{first:?}") };
        assert!(html.0.contains("id=\"tail-1\"") && html.0.contains("id=\"L2\""));
        let then = live.push(&parse(b"section_end:15:a\r\x1b[0Kafter\n"), |_| true);
        let [Update::Replace(end), Update::Append(after)] = &then[..] else { panic!("{then:?}") };
        assert!(end.0.contains("id=\"tail-1\" hidden") && end.0.contains("5 s"), "{}", end.0);
        assert!(after.0.contains("l hit"));
    }
}

//! Blame: who changed which lines last.

use maud::{Markup, PreEscaped, html};

use crate::{format, parts};

/// Neighbouring lines that came with one commit.
#[derive(Debug, Clone, Default)]
pub struct Group {
    /// The commit's title.
    pub title: String,
    /// Where the commit is.
    pub href: String,
    /// Its author.
    pub author: String,
    /// The author's picture.
    pub avatar: Option<String>,
    /// When it was made, in microseconds since 1970.
    pub at: i64,
    /// Blame of the file before this commit.
    pub before_href: Option<String>,
    /// How many lines the group has.
    pub lines: usize,
}

/// Shows highlighted lines with the groups they belong to; newer groups have a stronger edge.
pub fn blame(groups: &[Group], lines: &[String]) -> Markup {
    let oldest = groups.iter().map(|group| group.at).min().unwrap_or(0);
    let newest = groups.iter().map(|group| group.at).max().unwrap_or(0);
    let mut number = 0;
    html! {
        div.scroll tabindex="0" role="region" aria-label="Blame" {
            table.src.blame {
                tbody {
                    @for group in groups {
                        @for index in 0..group.lines {
                            @if let Some(line) = lines.get(number) {
                                @let shown = { number += 1; number };
                                tr.first[index == 0] id={ "L" (shown) } {
                                    td class={ "who " (heat(group.at, oldest, newest)) } { @if index == 0 { (who(group)) } }
                                    td.n { a href={ "#L" (shown) } data-n=(shown) aria-label={ "Line " (shown) } {} }
                                    td.t { (PreEscaped(line)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn who(group: &Group) -> Markup {
    html! {
        span {
            (parts::avatar_small(&group.author, group.avatar.as_deref()))
            a.plain.cut href=(group.href) title={ (group.title) ", by " (group.author) } { (group.title) }
            span.wide-only { (format::time(group.at)) }
            @if let Some(href) = &group.before_href {
                a.wide-only href=(href) title="Blame before this commit" aria-label="Blame before this commit" { (crate::icon("history")) }
            }
        }
    }
}

/// Returns `h1` for the newest fifth of the time to `h5` for the oldest.
fn heat(at: i64, oldest: i64, newest: i64) -> &'static str {
    let span = newest.saturating_sub(oldest).max(1) as f64;
    let age = newest.saturating_sub(at) as f64 / span;
    match (age * 5.0) as u8 {
        0 => "h1",
        1 => "h2",
        2 => "h3",
        3 => "h4",
        _ => "h5",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_numbered_through_groups() {
        let group = |at, lines| Group { at, lines, ..Group::default() };
        let lines: Vec<String> = (0..3).map(|n| n.to_string()).collect();
        let html = blame(&[group(10, 2), group(20, 5)], &lines).into_string();
        assert!(html.contains("id=\"L3\"") && !html.contains("id=\"L4\""));
        assert_eq!((heat(20, 10, 20), heat(10, 10, 20)), ("h1", "h5"));
    }
}

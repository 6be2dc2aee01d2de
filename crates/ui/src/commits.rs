//! Commits in rows: by day, or with the graph of their parents.

use maud::{Markup, html};

use crate::parts::{avatar, copy_button};
use crate::{Status, format, icon, lanes, status};

/// What a row shows of a commit.
#[derive(Debug, Clone, Default)]
pub struct Commit {
    /// The full id.
    pub id: String,
    /// The ids of its parents, for the graph.
    pub parents: Vec<String>,
    /// The first line of its message.
    pub title: String,
    /// The rest of its message, shown when unfolded.
    pub message: String,
    /// Where it is.
    pub href: String,
    /// Its author.
    pub author: String,
    /// Where the author is, if known here.
    pub author_href: Option<String>,
    /// The author's picture.
    pub avatar: Option<String>,
    /// When it was made, in microseconds since 1970.
    pub at: i64,
    /// The state of its build and where that is.
    pub status: Option<(Status, String)>,
    /// Whether its signature was checked and holds.
    pub verified: bool,
    /// Branches and tags that point at it.
    pub refs: Vec<String>,
    /// Where its files are.
    pub browse_href: Option<String>,
}

impl Commit {
    fn short(&self) -> &str {
        self.id.get(..8).unwrap_or(&self.id)
    }
}

/// Shows one commit as the inside of a row.
pub fn row(commit: &Commit) -> Markup {
    html! {
        (avatar(&commit.author, commit.avatar.as_deref()))
        div.grow {
            span.line.tight {
                a.plain href=(commit.href) { b { (commit.title) } }
                @for name in &commit.refs { span.tag.bare { (name) } }
            }
            span.meta { (author(commit)) span { (format::time(commit.at)) } }
        }
        @if commit.verified { span.st.ok.wide-only { (icon("secure")) "Verified" } }
        @if let Some((state, href)) = &commit.status { (status::status_link(*state, href)) }
        a.mono.faint.wide-only href=(commit.href) { (commit.short()) }
        span.wide-only { (copy_button(&commit.id, "commit id")) }
        @if let Some(href) = &commit.browse_href {
            a.btn.quiet.small.icon.wide-only href=(href) aria-label="Files at this commit" title="Files at this commit" { (icon("folder")) }
        }
    }
}

fn author(commit: &Commit) -> Markup {
    html! {
        @if let Some(href) = &commit.author_href { a.plain href=(href) { (commit.author) } } @else { span { (commit.author) } }
    }
}

/// Lists commits under the days they were made on.
pub fn list(commits: &[Commit]) -> Markup {
    let mut last = None;
    html! {
        ul.rows.commits {
            @for commit in commits {
                @let day = commit.at.div_euclid(86_400_000_000);
                @if last.replace(day) != Some(day) { li.day { (format::date(commit.at)) } }
                li { (row(commit)) }
            }
        }
    }
}

/// Lists commits with the graph of their parents; children come before parents.
pub fn graph(commits: &[Commit]) -> Markup {
    let edges: Vec<_> = commits.iter().map(|commit| (commit.id.clone(), commit.parents.clone())).collect();
    let rows = lanes::assign(&edges);
    let width = lanes::width(&rows);
    html! {
        ul.list.lanes {
            @for (commit, lane) in commits.iter().zip(&rows) {
                li {
                    (lanes::cell(lane, width))
                    @for name in &commit.refs { span.tag.bare { (name) } }
                    a.plain.cut href=(commit.href) { (commit.title) }
                    span.faint.wide-only { (commit.author) }
                    a.mono.faint.wide-only href=(commit.href) { (commit.short()) }
                    span.faint.num { (format::time(commit.at)) }
                }
            }
        }
    }
}

/// Shows the commit above a list of files: who changed what last.
pub fn latest(commit: &Commit) -> Markup {
    html! {
        header.fix {
            (avatar(&commit.author, commit.avatar.as_deref()))
            a.plain.cut href=(commit.href) title=(commit.title) { b { (commit.title) } }
            span.push.line.fix {
                @if let Some((state, href)) = &commit.status { (status::status_link(*state, href)) }
                a.mono.faint.wide-only href=(commit.href) { (commit.short()) }
                span.faint.num.wide-only { (format::time(commit.at)) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_head_their_commits_once() {
        let commit = |at| Commit { id: "0123456789".into(), title: "<x>".into(), at, ..Commit::default() };
        let html = list(&[commit(86_400_000_000 * 3), commit(86_400_000_000 * 3 - 1), commit(86_400_000_000 * 2)])
            .into_string();
        assert_eq!(html.matches("class=\"day\"").count(), 2);
        assert!(html.contains("&lt;x&gt;") && html.contains(">01234567<"));
        assert!(graph(&[commit(0)]).into_string().contains("<circle"));
    }
}

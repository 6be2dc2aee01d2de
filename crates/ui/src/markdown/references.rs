//! References in running text: `#1`, `!1`, `@user`, `~label`, `%milestone`, `&1`, `$1` and commits.

use std::sync::LazyLock;

use comrak::nodes::{Node, NodeValue};
use comrak::{Arena, parse_document};
use regex::{Captures, Regex};

use super::trusted::Trusted;
use super::{MAX_INPUT, comrak_options, is_shallow};
use crate::highlight::escape;

/// More references than this in one text stay text.
const MOST: usize = 2_000;

/// What a reference points to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RefKind {
    /// `#1`
    Issue,
    /// `!1`
    MergeRequest,
    /// `@name`
    User,
    /// `~name`
    Label,
    /// `%name`
    Milestone,
    /// `&1`
    Epic,
    /// `$1`
    Snippet,
    /// A commit's id of at least seven digits.
    Commit,
}

/// A reference as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference {
    /// What it points to.
    pub kind: RefKind,
    /// The path before the sign, as in `group/project#1`.
    pub project: Option<String>,
    /// The number, name or id.
    pub name: String,
}

/// Where a reference leads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resolved {
    /// Its address.
    pub href: String,
    /// The title of what it points to.
    pub title: String,
    /// What is shown instead of what was written.
    pub text: Option<String>,
    /// The colour of a label.
    pub colour: Option<String>,
    /// Whether what it points to is done.
    pub closed: bool,
}

/// Finds what references point to; what isn't found stays text.
pub trait Resolver: Send + Sync {
    /// Finds one reference.
    fn resolve(&self, reference: &Reference) -> Option<Resolved>;
}

static PATTERN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?x)
        (?P<project>[A-Za-z0-9_][A-Za-z0-9_.\-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.\-]*)*)? (?P<sign>[\#!&$]) (?P<number>[0-9]{1,18})
        | @ (?P<user>[A-Za-z0-9_](?:[A-Za-z0-9_.\-/]*[A-Za-z0-9_])?)
        | (?P<mark>[~%]) (?: "(?P<quoted>[^"\n]{1,255})" | (?P<word>[A-Za-z0-9_](?:[A-Za-z0-9_.\-:]*[A-Za-z0-9_])?) )
        | (?: (?P<of>[A-Za-z0-9_][A-Za-z0-9_.\-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.\-]*)+) @ )? (?P<sha>[0-9a-f]{7,40}) \b
        "#,
    )
    .ok()
});

fn group(found: &Captures<'_>, name: &str) -> Option<String> {
    found.name(name).map(|part| part.as_str().to_owned())
}

fn read(found: &Captures<'_>) -> Option<Reference> {
    if let Some(number) = group(found, "number") {
        let kind = match found.name("sign")?.as_str() {
            "#" => RefKind::Issue,
            "!" => RefKind::MergeRequest,
            "&" => RefKind::Epic,
            _ => RefKind::Snippet,
        };
        return Some(Reference { kind, project: group(found, "project"), name: number });
    }
    if let Some(name) = group(found, "user") {
        return Some(Reference { kind: RefKind::User, project: None, name });
    }
    if let Some(mark) = found.name("mark") {
        let kind = if mark.as_str() == "~" { RefKind::Label } else { RefKind::Milestone };
        return Some(Reference { kind, project: None, name: group(found, "quoted").or_else(|| group(found, "word"))? });
    }
    // A word such as "defaced" or a plain number is no commit.
    let name = group(found, "sha").filter(|sha| {
        sha.bytes().any(|b| b.is_ascii_digit()) && (sha.len() > 9 || sha.bytes().any(|b| b.is_ascii_alphabetic()))
    })?;
    Some(Reference { kind: RefKind::Commit, project: group(found, "of"), name })
}

/// Finds the references of a piece of text with their places.
fn scan(text: &str) -> Vec<(std::ops::Range<usize>, Reference)> {
    let Some(pattern) = PATTERN.as_ref() else { return Vec::new() };
    let free = |at: usize| !text[..at].ends_with(|c: char| c.is_alphanumeric() || "_/&#@$~%.=-".contains(c));
    let ends = |at: usize| !text[at..].starts_with(|c: char| c.is_alphanumeric() || c == '_');
    pattern
        .captures_iter(text)
        .filter_map(|found| {
            let range = found.get(0)?.range();
            (free(range.start) && ends(range.end)).then(|| read(&found).map(|reference| (range, reference)))?
        })
        .collect()
}

fn is_linkable(at: Node<'_>) -> bool {
    !at.ancestors().any(|above| {
        matches!(
            above.data().value,
            NodeValue::Link(_) | NodeValue::Image(_) | NodeValue::WikiLink(_) | NodeValue::Escaped
        )
    })
}

/// Lists the references of a text, so that all can be looked up at once before it is rendered.
pub fn references(text: &str) -> Vec<Reference> {
    if text.len() > MAX_INPUT {
        return Vec::new();
    }
    let arena = Arena::new();
    let root = parse_document(&arena, text, &comrak_options(false));
    if !is_shallow(root) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for at in root.descendants() {
        if let NodeValue::Text(text) = &at.data().value
            && is_linkable(at)
        {
            found.extend(scan(text).into_iter().map(|(_, reference)| reference));
        }
    }
    found.truncate(MOST);
    found.sort_unstable();
    found.dedup();
    found
}

/// Makes links of the references that the resolver knows.
pub(super) fn link<'a>(all: &[Node<'a>], resolver: &dyn Resolver, trusted: &mut Trusted) {
    let mut left = MOST;
    for at in all {
        let text = match &at.data().value {
            NodeValue::Text(text) if is_linkable(at) => text.to_string(),
            _ => continue,
        };
        let mut end = 0;
        let mut pieces = Vec::new();
        for (range, reference) in scan(&text) {
            let Some(target) = resolver.resolve(&reference).filter(|_| left > 0) else { continue };
            left -= 1;
            pieces.push(text[end..range.start].to_owned());
            pieces.push(trusted.keep(markup(&text[range.clone()], &reference, &target)));
            end = range.end;
        }
        if !pieces.is_empty() {
            pieces.push(text[end..].to_owned());
            at.data_mut().value = NodeValue::Text(pieces.concat().into());
        }
    }
}

fn markup(written: &str, reference: &Reference, target: &Resolved) -> String {
    if reference.kind == RefKind::Label {
        let name = target.text.as_deref().unwrap_or(&reference.name);
        return crate::parts::label(name, target.colour.as_deref().unwrap_or(""), Some(&target.href)).into_string();
    }
    let class = if target.closed { "ref closed" } else { "ref" };
    let text = target.text.as_deref().unwrap_or(written);
    format!(
        "<a class=\"{class}\" href=\"{}\" title=\"{}\">{}</a>",
        escape(&target.href),
        escape(&target.title),
        escape(text)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        scan(text)
            .into_iter()
            .map(|(_, found)| {
                format!("{:?} {}{}", found.kind, found.project.map_or(String::new(), |p| p + " "), found.name)
            })
            .collect()
    }

    #[test]
    fn signs_are_understood() {
        assert_eq!(
            names("Closes #12, group/sub.project!3 by @ada.l."),
            ["Issue 12", "MergeRequest group/sub.project 3", "User ada.l"]
        );
        assert_eq!(
            names("~bug ~\"two words\" %1.0 %\"Next one\" &4 $5 ~type::fix"),
            [
                "Label bug",
                "Label two words",
                "Milestone 1.0",
                "Milestone Next one",
                "Epic 4",
                "Snippet 5",
                "Label type::fix"
            ]
        );
        assert_eq!(names("see 8f3c1ae and a/b@0123456789abcdef"), ["Commit 8f3c1ae", "Commit a/b 0123456789abcdef"]);
    }

    #[test]
    fn what_only_looks_like_one_is_left() {
        assert!(
            names("a@b.example C# 50% #x 1234567 defaced !important x=#1a &amp &#39;").is_empty(),
            "{:?}",
            names("a@b.example C# 50% #x 1234567 defaced !important x=#1a &amp &#39;")
        );
    }
}

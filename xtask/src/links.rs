//! Relative links in Markdown files lead to a file that exists, and to a heading that is in it.

use std::path::{Component, Path, PathBuf};

use crate::{File, Finding};

pub(crate) fn check(root: &Path, files: &[File]) -> Vec<Finding> {
    let pages = files.iter().filter(|f| f.extension() == "md" && !f.is_test());
    pages.flat_map(|page| check_page(root, files, page)).collect()
}

fn check_page(root: &Path, files: &[File], page: &File) -> Vec<Finding> {
    let folder = Path::new(&page.path).parent().unwrap_or(Path::new(""));
    let mut findings = Vec::new();
    for (line, target) in targets(&page.text) {
        let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
        let place = || format!("{}:{line}", page.path);
        let file = if path.is_empty() { PathBuf::from(&page.path) } else { normal(&folder.join(path)) };
        if !root.join(&file).exists() {
            findings.push(Finding::failure(place(), format!("the link to {target} leads nowhere")));
            continue;
        }
        let text = files.iter().find(|f| Path::new(&f.path) == file).map(|f| f.text.as_str());
        if !anchor.is_empty() && text.is_some_and(|t| !headings(t).any(|h| h == anchor)) {
            findings.push(Finding::failure(place(), format!("there is no heading for {target}")));
        }
    }
    findings
}

/// The targets of relative links, with their line, outside code.
fn targets(text: &str) -> Vec<(usize, &str)> {
    let mut fenced = false;
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            found.extend(line_targets(line).map(|t| (index + 1, t)));
        }
    }
    found
}

fn line_targets(line: &str) -> impl Iterator<Item = &str> {
    let ends = line.match_indices("](").filter(|(at, _)| line[..*at].matches('`').count().is_multiple_of(2));
    let targets = ends.filter_map(|(at, _)| line[at + 2..].split_once(')')).map(|(target, _)| target.trim());
    targets.filter(|t| !t.is_empty() && !t.contains("://") && !t.starts_with("mailto:") && !t.starts_with('/'))
}

fn headings(text: &str) -> impl Iterator<Item = String> + '_ {
    text.lines().filter(|l| l.starts_with('#')).map(|l| slug(l.trim_start_matches('#').trim()))
}

/// The anchor that Markdown renderers give a heading.
fn slug(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

/// Resolves `.` and `..` without looking at the disk.
fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                out.pop();
            }
            Component::CurDir => {}
            part => out.push(part),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_links_but_not_code() {
        let text = "[a](b.md#c) and `[x](y.md)` [w](https://example.org)\n```\n[n](no.md)\n```\n![i](../i.png)\n";
        assert_eq!(targets(text), [(1, "b.md#c"), (5, "../i.png")]);
    }

    #[test]
    fn makes_anchors_as_renderers_do() {
        assert_eq!(slug("Git over HTTP, SSH & LFS"), "git-over-http-ssh--lfs");
    }

    #[test]
    fn finds_dead_links_and_dead_anchors() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("b.md"), "# One\n").unwrap();
        let file = |path: &str, text: &str| File { path: path.into(), text: text.into() };
        let files = [file("a.md", "[x](b.md#one) [y](b.md#two)\n[z](c.md)"), file("b.md", "# One\n")];
        let found = check(root.path(), &files);
        assert_eq!(found.iter().map(|f| f.place.as_str()).collect::<Vec<_>>(), ["a.md:1", "a.md:2"]);
    }
}

//! The text of a changelog: commits with a trailer such as `Changelog: added`, by category.

/// A version with its date, in the order of semantic versions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    numbers: (u64, u64, u64),
    /// A release comes after what leads to it; `true` sorts last.
    release: bool,
    suffix: Vec<Identifier>,
}

/// A part of what follows the numbers; numbers sort before words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Identifier {
    Number(u64),
    Word(String),
}

impl Version {
    /// Reads `1.2.3`, `v1.2.3-rc.1` and the like.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let text = text.split('+').next().unwrap_or_default();
        let (core, suffix) = match text.split_once('-') {
            Some((_, "")) => return None,
            Some((core, suffix)) => (core, Some(suffix)),
            None => (text, None),
        };
        let mut numbers = core.split('.').map(number);
        let numbers = (numbers.next()??, numbers.next()??, numbers.next()??, numbers.next());
        let (major, minor, patch, None) = numbers else { return None };
        let identifiers = suffix.into_iter().flat_map(|s| s.split('.')).map(|part| match number(part) {
            Some(n) => Identifier::Number(n),
            None => Identifier::Word(part.to_owned()),
        });
        Some(Self { numbers: (major, minor, patch), release: suffix.is_none(), suffix: identifiers.collect() })
    }

    /// Whether this is a release, and none of what leads to one.
    pub(crate) fn is_release(&self) -> bool {
        self.release
    }
}

fn number(digits: &str) -> Option<u64> {
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    if plain { digits.parse().ok() } else { None }
}

/// One line of a changelog.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// What the trailer says.
    pub(crate) category: String,
    /// The first line of the commit's message.
    pub(crate) title: String,
    /// The page of the commit.
    pub(crate) url: String,
    /// The name of its author.
    pub(crate) author: String,
    /// What its trailer `MR` says.
    pub(crate) merge_request: Option<String>,
}

/// The section of a version.
pub(crate) fn section(version: &str, date: &str, entries: &[Entry]) -> String {
    let mut text = format!("## {} ({date})\n\n", version.strip_prefix('v').unwrap_or(version));
    if entries.is_empty() {
        text.push_str("No changes.\n");
        return text;
    }
    let mut groups: Vec<(&str, Vec<&Entry>)> = vec![];
    for entry in entries {
        let title = entry.category.as_str();
        match groups.iter_mut().find(|(name, _)| *name == title) {
            Some((_, group)) => group.push(entry),
            None => groups.push((title, vec![entry])),
        }
    }
    groups.sort_by_key(|(title, _)| title.to_lowercase());
    let texts: Vec<String> = groups.iter().map(|(title, group)| group_text(title, group)).collect();
    text.push_str(&texts.join("\n"));
    text
}

fn group_text(title: &str, group: &[&Entry]) -> String {
    let count = match group.len() {
        1 => "1 change".to_owned(),
        n => format!("{n} changes"),
    };
    let mut text = format!("### {} ({count})\n\n", plain(title));
    for entry in group {
        text.push_str(&format!("- [{}]({}) by {}", plain(&entry.title), entry.url, plain(&entry.author)));
        if let Some(merge_request) = &entry.merge_request {
            text.push_str(&format!(" ([merge request]({}))", plain(merge_request)));
        }
        text.push('\n');
    }
    text
}

/// One line that breaks no link.
fn plain(text: &str) -> String {
    let escaped: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    escaped.replace('[', "\\[").replace(']', "\\]")
}

/// Puts a section into a changelog: before the first section of an older version, else at the end.
pub(crate) fn insert(changelog: &str, version: &Version, section: &str) -> String {
    let mut at = 0;
    for line in changelog.split_inclusive('\n') {
        let known = line.strip_prefix("## ").and_then(|rest| rest.split_whitespace().next()).and_then(Version::parse);
        if known.is_some_and(|known| known < *version) {
            let (before, after) = changelog.split_at(at);
            return format!("{before}{section}\n{after}");
        }
        at += line.len();
    }
    match changelog.trim_end() {
        "" => section.to_owned(),
        before => format!("{before}\n\n{section}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_in_order() {
        let ordered = ["0.9.0", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-rc.2", "1.0.0-rc.10", "v1.0.0", "1.10.0"];
        let parsed: Vec<Version> = ordered.iter().map(|v| Version::parse(v).unwrap()).collect();
        assert!(parsed.is_sorted(), "{parsed:?}");
        for bad in ["1.0", "1.0.0.0", "a.b.c", "1.0.0-", "", "1..0"] {
            assert_eq!(Version::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn sections_find_their_place() {
        let version = Version::parse("1.1.0").unwrap();
        let old = "# Changelog\n\n## 2.0.0 (x)\n\nb\n\n## 1.0.0 (y)\n\na\n";
        let new = insert(old, &version, "## 1.1.0 (z)\n\nc\n");
        assert_eq!(new, "# Changelog\n\n## 2.0.0 (x)\n\nb\n\n## 1.1.0 (z)\n\nc\n\n## 1.0.0 (y)\n\na\n");
        assert_eq!(insert("", &version, "s\n"), "s\n");
        assert_eq!(insert("# Changelog\n", &version, "s\n"), "# Changelog\n\ns\n");
    }
}

//! Addresses of pages below a project. Names are bytes, so that those which are no UTF-8 come back unchanged.

use std::fmt::Display;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use projects::Project;

const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Percent-encodes a path, but not its slashes.
pub(crate) fn encode(path: &[u8]) -> String {
    let encoded = percent_encode(path, KEPT).to_string();
    // A browser would resolve segments of dots before it sends them.
    if encoded.split('/').any(|s| s == "." || s == "..") {
        return encoded
            .split('/')
            .map(|s| if s == "." || s == ".." { s.replace('.', "%2E") } else { s.to_owned() })
            .collect::<Vec<_>>()
            .join("/");
    }
    encoded
}

/// Percent-encodes a value of a query string.
pub(crate) fn query(value: &str) -> String {
    percent_encode(value.as_bytes(), NON_ALPHANUMERIC).to_string()
}

/// Makes addresses of one project.
#[derive(Clone, Debug)]
pub(crate) struct Links {
    /// The project's own page.
    pub(crate) root: String,
}

impl Links {
    /// The addresses of a project.
    pub(crate) fn of(project: &Project) -> Self {
        Self { root: format!("/{}", project.full_path) }
    }

    /// A page of a kind, such as `tree`, at a ref and a path.
    pub(crate) fn at(&self, kind: &str, reference: impl AsRef<[u8]>, path: impl AsRef<[u8]>) -> String {
        let (reference, path) = (encode(reference.as_ref()), encode(path.as_ref()));
        match path.is_empty() {
            true => format!("{}/-/{kind}/{reference}", self.root),
            false => format!("{}/-/{kind}/{reference}/{path}", self.root),
        }
    }

    /// A page that isn't about a ref.
    pub(crate) fn page(&self, name: &str) -> String {
        format!("{}/-/{name}", self.root)
    }

    /// The page of a commit.
    pub(crate) fn commit(&self, id: impl Display) -> String {
        format!("{}/-/commit/{id}", self.root)
    }

    /// The page that compares two revisions.
    pub(crate) fn compare(&self, from: &[u8], to: &[u8]) -> String {
        format!("{}/-/compare/{}...{}", self.root, encode(from), encode(to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_kept() {
        let links = Links { root: "/g/p".into() };
        assert_eq!(links.at("blob", "feat/a b", b"d/\xff#.txt"), "/g/p/-/blob/feat/a%20b/d/%FF%23.txt");
        assert_eq!(links.at("tree", "main", ""), "/g/p/-/tree/main");
        assert_eq!(encode(b"../a"), "%2E%2E/a");
    }
}

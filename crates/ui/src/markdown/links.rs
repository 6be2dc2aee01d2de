//! Where links and pictures of a text lead.

/// The place of a file within a repository, to which relative links are taken.
#[derive(Debug, Clone, Default)]
pub struct Base {
    /// What stands before the path of a linked file, ending with `/`.
    pub links: String,
    /// What stands before the path of a picture, ending with `/`.
    pub images: String,
    /// The folder of the file, without slashes at the ends.
    pub folder: String,
}

/// All that decides where an address leads.
pub(super) struct Links {
    pub(super) base: Option<Base>,
    pub(super) uploads: Option<String>,
    pub(super) prefix: String,
}

/// Finds where an address leads; `None` leaves it as it is.
pub(super) fn resolve(value: &str, image: bool, links: &Links) -> Option<String> {
    let value = value.trim();
    let prefix = links.prefix.as_str();
    if let Some(fragment) = value.strip_prefix('#') {
        let known = fragment.is_empty() || fragment.starts_with(prefix);
        return (!known && !image).then(|| format!("#{prefix}{fragment}"));
    }
    if value.is_empty() || value.starts_with("//") || has_scheme(value) {
        return None;
    }
    if let Some(uploads) = links.uploads.as_ref().filter(|_| value.starts_with("/uploads/")) {
        return Some(format!("{uploads}{value}"));
    }
    let base = links.base.as_ref()?;
    let start = if image { &base.images } else { &base.links };
    let (path, ending) = value.split_at(value.find(['?', '#']).unwrap_or(value.len()));
    let folder = if path.starts_with('/') { "" } else { base.folder.as_str() };
    Some(format!("{start}{}{ending}", join(folder, path)))
}

fn has_scheme(value: &str) -> bool {
    value.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    })
}

/// Joins a folder and a path and resolves `.` and `..` without leaving the root.
fn join(folder: &str, path: &str) -> String {
    let mut steps: Vec<&str> = folder.split('/').filter(|step| !step.is_empty()).collect();
    for step in path.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                steps.pop();
            }
            step => steps.push(step),
        }
    }
    let mut out = steps.join("/");
    if path.ends_with('/') && !out.is_empty() {
        out.push('/');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_within_the_repository() {
        assert_eq!(join("docs/api", "../a.md"), "docs/a.md");
        assert_eq!(join("docs", "../../../../etc"), "etc");
        assert_eq!(join("", "./x/"), "x/");
        assert_eq!(join("docs", "/README.md"), "docs/README.md");
    }

    #[test]
    fn schemes_are_recognised() {
        assert!(has_scheme("https://x") && has_scheme("mailto:x"));
        assert!(!has_scheme("a/b:c") && !has_scheme("1:2"));
    }
}

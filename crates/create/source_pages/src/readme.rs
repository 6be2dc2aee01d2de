//! The file that introduces a directory, and Markdown that is kept in repositories.

use std::sync::{Arc, LazyLock};

use git::tree::{Entry, EntryKind};
use git::{ByteString, RepoPath};
use kernel::Result;
use moka::sync::Cache;
use ui::markdown::{Base, MarkdownOptions};
use ui::{Markup, PreEscaped, html, icon_with};

use crate::links::encode;
use crate::place::{OrNothing, Spot};

/// Longer READMEs are shown on their own page only.
const MOST: u64 = 1 << 20;
const CACHE_BYTES: u64 = 8 << 20;
/// How many links are followed from one to the next.
const MAX_LINKS: usize = 5;

/// The names that a README may have in lower case, the preferred ones first.
const NAMES: &[&str] = &[
    "readme.md",
    "readme.markdown",
    "readme.mdown",
    "readme.mkd",
    "readme",
    "readme.txt",
    "readme.rst",
    "readme.adoc",
    "readme.org",
];

/// Text made into HTML, by what it was made of.
static RENDERED: LazyLock<Cache<String, Arc<str>>> = LazyLock::new(|| {
    let weight = |key: &String, html: &Arc<str>| u32::try_from(key.len() + html.len()).unwrap_or(u32::MAX);
    Cache::builder().max_capacity(CACHE_BYTES).weigher(weight).build()
});

/// A README with its text as HTML.
pub(crate) struct Readme {
    path: ByteString,
    name: ByteString,
    html: Arc<str>,
    formatted: bool,
}

/// Finds and formats the README among the entries of a directory.
pub(crate) async fn of(spot: &Spot, entries: &[Entry]) -> Result<Option<Readme>> {
    let Some(entry) = pick(entries) else { return Ok(None) };
    let Some((path, oid)) = target(spot, entry).await? else { return Ok(None) };
    let blob = spot.repo.blob(oid, MOST).await.or_404()?;
    if blob.truncated || blob.is_binary() || blob.lfs_pointer().is_some() {
        return Ok(None);
    }
    let formatted = is_markdown(&path.file_name());
    let html = match formatted {
        true => markdown(spot, &path, oid, blob.data).await?,
        false => plain(&blob.data),
    };
    Ok(Some(Readme { path: path.as_bytes().into(), name: entry.name.clone(), html, formatted }))
}

impl Readme {
    /// The panel below the files.
    pub(crate) fn panel(&self, spot: &Spot) -> Markup {
        let name = self.name.lossy();
        html! {
            section.panel aria-labelledby="readme" {
                header {
                    (icon_with("book", "faint"))
                    h2 id="readme" { a.plain href=(spot.other("blob", &self.path)) { (name) } }
                    @if spot.can_edit() {
                        a.btn.quiet.small.icon.push href=(spot.other("edit", &self.path)) aria-label={ "Edit " (name) } title={ "Edit " (name) } { (ui::icon("pencil")) }
                    }
                }
                article.body.prose[self.formatted] { (PreEscaped(&self.html)) }
            }
        }
    }
}

fn pick(entries: &[Entry]) -> Option<&Entry> {
    let rank = |entry: &Entry| {
        let name = entry.name.to_ascii_lowercase();
        let is_file = entry.kind.is_file() || entry.kind == EntryKind::Symlink;
        NAMES.iter().position(|n| is_file && n.as_bytes() == name)
    };
    entries.iter().filter_map(|e| Some((rank(e)?, e))).min_by_key(|(rank, _)| *rank).map(|(_, e)| e)
}

/// Follows links within the repository to a file.
async fn target(spot: &Spot, entry: &Entry) -> Result<Option<(RepoPath, git::Oid)>> {
    let Ok(mut path) = RepoPath::new(&entry.path) else { return Ok(None) };
    let (mut kind, mut oid) = (entry.kind, entry.oid);
    for _ in 0..MAX_LINKS {
        if kind.is_file() {
            return Ok(Some((path, oid)));
        }
        if kind != EntryKind::Symlink {
            return Ok(None);
        }
        let link = spot.repo.blob(oid, 4096).await.or_404()?;
        let Some(next) = resolve(&path.parent(), &link.data) else { return Ok(None) };
        let Ok(found) = spot.repo.entry(spot.commit(), &next).await else { return Ok(None) };
        (path, kind, oid) = (next, found.kind, found.oid);
    }
    Ok(None)
}

/// The path that a symbolic link in a directory leads to, if it stays within the repository.
pub(crate) fn resolve(dir: &RepoPath, link: &[u8]) -> Option<RepoPath> {
    if link.is_empty() || link.starts_with(b"/") {
        return None;
    }
    let mut steps: Vec<&[u8]> = dir.components().collect();
    for step in link.split(|b| *b == b'/') {
        match step {
            b"" | b"." => {}
            b".." => {
                steps.pop()?;
            }
            step => steps.push(step),
        }
    }
    RepoPath::new(steps.join(&b'/')).ok()
}

/// Whether a file is Markdown by its name.
pub(crate) fn is_markdown(name: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    [&b".md"[..], b".markdown", b".mdown", b".mkd", b".mkdn"].iter().any(|end| name.ends_with(end))
}

/// Formats Markdown of a file; links lead to other files of the same ref.
pub(crate) async fn markdown(spot: &Spot, path: &RepoPath, oid: git::Oid, data: Vec<u8>) -> Result<Arc<str>> {
    let base = base(spot, path);
    let key = format!("{oid} {} {}", base.links, base.folder);
    if let Some(known) = RENDERED.get(&key) {
        return Ok(known);
    }
    let html: Arc<str> =
        tokio::task::spawn_blocking(move || format(&String::from_utf8_lossy(&data), base)).await?.into();
    RENDERED.insert(key, html.clone());
    Ok(html)
}

/// Formats Markdown that isn't committed yet.
pub(crate) async fn preview(base: Base, text: String) -> Result<String> {
    Ok(tokio::task::spawn_blocking(move || format(&text, base)).await?)
}

fn format(text: &str, base: Base) -> String {
    let options = MarkdownOptions { base: Some(base), anchors: true, front_matter: true, ..MarkdownOptions::default() };
    ui::markdown::render(text, &options)
}

/// Where links and pictures in a file lead.
pub(crate) fn base(spot: &Spot, path: &RepoPath) -> Base {
    let folder = path.parent();
    Base {
        links: format!("{}/", spot.links.at("blob", &spot.reference, "")),
        images: format!("{}/", spot.links.at("raw", &spot.reference, "")),
        folder: encode(folder.as_bytes()),
    }
}

fn plain(data: &[u8]) -> Arc<str> {
    let text = String::from_utf8_lossy(data);
    html! { pre.plain-text { (text) } }.into_string().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_stay_within() {
        let dir = RepoPath::new("a/b").unwrap();
        assert_eq!(resolve(&dir, b"../c.md").unwrap().as_bytes(), b"a/c.md");
        assert!(resolve(&dir, b"../../../etc/passwd").is_none());
        assert!(resolve(&dir, b"/etc/passwd").is_none());
    }
}

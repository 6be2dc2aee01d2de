//! What a file is and how it is shown.

use git::blob::{Blob, LfsPointer};
use git::tree::{Entry, EntryKind};
use git::{GitError, Oid};
use kernel::Result;
use ui::markdown::MarkdownOptions;
use ui::{Markup, PreEscaped, code, csv, format, highlight, html, notebook};

use crate::place::{OrNothing, Spot};
use crate::raw::safe_type;
use crate::readme;

/// Larger texts are offered as raw files.
pub(crate) const SHOWN: u64 = 1 << 20;

/// What a file is.
pub(crate) enum Kind {
    /// Nothing is in it.
    Empty,
    /// Text.
    Text(Vec<u8>),
    /// Markdown.
    Markdown(Vec<u8>),
    /// Values separated by commas, tabs and the like.
    Csv(Vec<u8>),
    /// A Jupyter notebook.
    Notebook(Vec<u8>),
    /// A picture whose source is text.
    Svg(Vec<u8>),
    /// A picture.
    Picture,
    /// A sound.
    Sound,
    /// A film.
    Film,
    /// A PDF file.
    Pdf,
    /// A file that Git LFS keeps.
    Lfs(LfsPointer),
    /// A symbolic link, with what it says.
    Link(Vec<u8>),
    /// Anything else that is no text.
    Binary,
    /// A text that is too large.
    TooLarge,
}

/// A file as its page shows it.
pub(crate) struct Contents {
    /// What it is.
    pub(crate) kind: Kind,
    /// Whether it can be run.
    pub(crate) executable: bool,
    oid: Oid,
    size: u64,
}

impl Contents {
    /// Reads as much of a file as is shown.
    pub(crate) async fn read(spot: &Spot, entry: &Entry) -> Result<Self> {
        let limit = if is_notebook(&entry.name) { notebook::MAX_INPUT as u64 } else { SHOWN };
        let blob = spot.repo.blob(entry.oid, limit).await.or_404()?;
        let (oid, size) = (blob.oid, blob.size);
        let kind = if entry.kind == EntryKind::Symlink { Kind::Link(blob.data) } else { kind(&entry.name, blob) };
        Ok(Self { kind, executable: entry.kind == EntryKind::Executable, oid, size })
    }

    /// Its size in bytes; that of the file which a pointer of Git LFS stands for.
    pub(crate) fn size(&self) -> u64 {
        if let Kind::Lfs(pointer) = &self.kind { pointer.size } else { self.size }
    }

    /// The text, if it is one.
    pub(crate) fn text(&self) -> Option<&[u8]> {
        match &self.kind {
            Kind::Text(data) | Kind::Markdown(data) | Kind::Csv(data) | Kind::Notebook(data) | Kind::Svg(data) => {
                Some(data)
            }
            Kind::Empty => Some(&[]),
            _ => None,
        }
    }

    /// Whether it can be read and edited as text.
    pub(crate) fn is_text(&self) -> bool {
        self.text().is_some()
    }

    /// How many lines it has.
    pub(crate) fn lines(&self) -> Option<i64> {
        let text = self.text()?;
        let ends = text.iter().filter(|b| **b == b'\n').count();
        let rest = text.last().is_some_and(|b| *b != b'\n');
        i64::try_from(ends + usize::from(rest)).ok()
    }

    /// The body of the file's panel.
    pub(crate) async fn markup(&self, spot: &Spot, plain: bool) -> Result<Markup> {
        let name = spot.path.file_name();
        let raw = spot.here("raw");
        let download = format!("{raw}?inline=false");
        Ok(match &self.kind {
            Kind::Markdown(data) if !plain => {
                let html = readme::markdown(spot, &spot.path, self.oid, data.clone()).await?;
                html! { article.body.prose { (PreEscaped(html)) } }
            }
            Kind::Csv(data) if !plain => {
                let data = data.clone();
                tokio::task::spawn_blocking(move || csv::table(&String::from_utf8_lossy(&data))).await?
            }
            Kind::Notebook(data) if !plain => shown_notebook(spot, data.clone()).await?,
            Kind::Svg(_) if !plain => code::picture(&raw, &name.lossy()),
            Kind::Picture => code::picture(&raw, &name.lossy()),
            Kind::Sound => html! { div.binary { audio controls preload="metadata" src=(raw) {} } },
            Kind::Film => html! { div.binary { video.shown controls preload="metadata" src=(raw) {} } },
            Kind::Pdf => {
                html! { div.binary { p { "A PDF file." } a.btn href=(raw) { (ui::icon("eye")) "Open it in the browser" } } }
            }
            Kind::Lfs(pointer) => lfs(pointer),
            Kind::Link(target) => link(spot, target),
            Kind::Empty => html! { p.none.faint { "This file is empty." } },
            Kind::Binary => code::binary(self.size, &download, "A binary file; it can't be shown here."),
            Kind::TooLarge => code::binary(self.size, &download, "This file is too large to be shown here."),
            Kind::Text(data) | Kind::Markdown(data) | Kind::Csv(data) | Kind::Notebook(data) | Kind::Svg(data) => {
                let lines = lines(&name.lossy(), self.oid, data.clone()).await?;
                code::code(&lines, &name.lossy())
            }
        })
    }
}

fn kind(name: &[u8], blob: Blob) -> Kind {
    let media = safe_type(name).unwrap_or_default();
    if blob.size == 0 {
        return Kind::Empty;
    }
    if let Some(pointer) = blob.lfs_pointer() {
        return Kind::Lfs(pointer);
    }
    match media.split('/').next() {
        _ if media == "image/svg+xml" && !blob.truncated && !blob.is_binary() => return Kind::Svg(blob.data),
        Some("image") => return Kind::Picture,
        Some("audio") => return Kind::Sound,
        Some("video") => return Kind::Film,
        Some("application") => return Kind::Pdf,
        _ => {}
    }
    if blob.is_binary() {
        return Kind::Binary;
    }
    if blob.truncated {
        return Kind::TooLarge;
    }
    let lower = name.to_ascii_lowercase();
    match () {
        () if readme::is_markdown(name) => Kind::Markdown(blob.data),
        () if lower.ends_with(b".csv") || lower.ends_with(b".tsv") => Kind::Csv(blob.data),
        () if is_notebook(name) => Kind::Notebook(blob.data),
        () => Kind::Text(blob.data),
    }
}

fn is_notebook(name: &[u8]) -> bool {
    name.to_ascii_lowercase().ends_with(b".ipynb")
}

/// Highlights a file; the result is kept by its content and name.
pub(crate) async fn lines(name: &str, oid: Oid, data: Vec<u8>) -> Result<std::sync::Arc<Vec<String>>> {
    let name = name.to_owned();
    let work = move || {
        let text = String::from_utf8_lossy(&data);
        let first = text.lines().next().unwrap_or_default().chars().take(200).collect::<String>();
        highlight::lines_cached(&format!("{oid} {name}"), &name, &first, &text)
    };
    Ok(tokio::task::spawn_blocking(work).await?)
}

async fn shown_notebook(spot: &Spot, data: Vec<u8>) -> Result<Markup> {
    let base = readme::base(spot, &spot.path);
    let work = move || {
        let options = MarkdownOptions { base: Some(base), ..MarkdownOptions::default() };
        notebook::render(&String::from_utf8_lossy(&data), &options)
    };
    Ok(match tokio::task::spawn_blocking(work).await? {
        Ok(shown) => shown,
        Err(why) => html! { p.none { (why) } },
    })
}

fn lfs(pointer: &LfsPointer) -> Markup {
    html! {
        div.binary {
            p { "This file is kept by Git LFS: " (format::bytes(pointer.size)) ". Clone with git-lfs installed to get it." }
            p.mono.faint { "sha256:" (pointer.oid) }
        }
    }
}

fn link(spot: &Spot, target: &[u8]) -> Markup {
    let words = String::from_utf8_lossy(target);
    let inside = readme::resolve(&spot.path.parent(), target);
    html! {
        div.binary {
            p { "A symbolic link to " @if let Some(path) = inside { a.mono href=(spot.other("blob", path.as_bytes())) { (words) } } @else { code { (words) } } }
        }
    }
}

/// Whether an error says that something is too large to be looked at.
pub(crate) fn is_too_large(error: &GitError) -> bool {
    matches!(error, GitError::TooLarge(_) | GitError::TimedOut(_))
}

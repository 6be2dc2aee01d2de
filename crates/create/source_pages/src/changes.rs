//! Differences of two revisions as pages show them: loaded file by file where they are large, with context on demand.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use git::diff::{DiffOptions, FileDiff, Hunk, LineKind, Status};
use git::{ByteString, Oid, Repo};
use kernel::Result;
use moka::sync::Cache;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use ui::diff::{self, Change, Kind, Layout, Line};
use ui::{Item, Markup, PreEscaped, Tone, html, parts};

use crate::links::{Links, encode};
use crate::place::OrNothing;
use crate::raw::safe_type;

const CACHE_BYTES: u64 = 16 << 20;
/// Files whose lines are counted for the gap after their last change.
const COUNTED_FILES: usize = 100;
const COUNTED_BYTES: u64 = 512 << 10;

/// Differences made into HTML, by what was compared and how it is shown.
static SHOWN: LazyLock<Cache<String, Arc<str>>> = LazyLock::new(|| {
    let weight = |key: &String, html: &Arc<str>| u32::try_from(key.len() + html.len()).unwrap_or(u32::MAX);
    Cache::builder().max_capacity(CACHE_BYTES).weigher(weight).build()
});

/// How the reader wants to see a difference.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Looks {
    view: Option<String>,
    w: Option<bool>,
}

impl Looks {
    /// The layout.
    pub(crate) fn layout(&self) -> Layout {
        Layout::parse(self.view.as_deref().unwrap_or_default())
    }

    fn ignores_space(&self) -> bool {
        self.w.unwrap_or(false)
    }

    /// The same as a query string.
    fn query(parallel: bool, ignore: bool) -> String {
        let view = if parallel { "parallel" } else { "inline" };
        if ignore { format!("?view={view}&w=1") } else { format!("?view={view}") }
    }

    fn as_query(&self) -> String {
        Self::query(self.layout() == Layout::SideBySide, self.ignores_space())
    }
}

/// Two revisions and where their difference is shown.
pub(crate) struct Pair<'a> {
    /// The repository.
    pub(crate) repo: &'a Repo,
    /// The addresses of the project.
    pub(crate) links: &'a Links,
    /// The revision before; the empty tree for a first commit.
    pub(crate) old: Oid,
    /// The revision after.
    pub(crate) new: Oid,
}

/// The limits of a whole page.
fn page_options(looks: &Looks) -> DiffOptions {
    DiffOptions {
        max_file_lines: 1000,
        max_file_bytes: 96 << 10,
        max_total_bytes: 192 << 10,
        ignore_whitespace: looks.ignores_space(),
        ..DiffOptions::default()
    }
}

impl Pair<'_> {
    /// The files with their changes, and the switches above them; `here` is the address of the page.
    pub(crate) async fn markup(&self, looks: &Looks, here: &str) -> Result<Markup> {
        let key = format!("{} {} {} {}", self.old, self.new, looks.as_query(), self.links.root);
        let body = match SHOWN.get(&key) {
            Some(known) => known,
            None => {
                let made: Arc<str> = self.render(looks).await?.into_string().into();
                SHOWN.insert(key, made.clone());
                made
            }
        };
        Ok(html! { div.stack { (switches(looks, here)) (PreEscaped(body)) } })
    }

    async fn render(&self, looks: &Looks) -> Result<Markup> {
        let options = page_options(looks);
        let (list, diff) =
            tokio::join!(self.repo.changes(self.old, self.new, &options), self.repo.diff(self.old, self.new, &options));
        let (list, diff) = (list.or_404()?, diff.or_404()?);
        let counts: HashMap<&ByteString, (u64, u64)> =
            list.files.iter().map(|f| (&f.new_path, (f.additions.unwrap_or(0), f.deletions.unwrap_or(0)))).collect();
        let ends = self.ends(&diff.files).await;
        let mut files: Vec<diff::File> = Vec::with_capacity(diff.files.len());
        for file in &diff.files {
            let mut made = self.file(looks, file, ends.get(&file.change.new_oid).copied());
            if let Some((added, removed)) = counts.get(&file.change.new_path) {
                (made.added, made.removed) = (*added, *removed);
            }
            files.push(fold(made, file));
        }
        let layout = looks.layout();
        let truncated = diff.truncated;
        Ok(tokio::task::spawn_blocking(move || {
            files.iter_mut().for_each(diff::highlight);
            assemble(&files, layout, truncated)
        })
        .await?)
    }

    /// One file alone, with wider limits, as the script asks for it.
    pub(crate) async fn single(&self, looks: &Looks, path: &[u8]) -> Result<Markup> {
        let options = page_options(looks);
        let list = self
            .repo
            .changed_files(self.old, self.new, &DiffOptions { max_files: 20_000, ..options.clone() })
            .await
            .or_404()?;
        let missing = || kernel::Error::not_found("File");
        let change =
            list.files.iter().find(|f| f.new_path == *String::from_utf8_lossy(path) || f.new_path.as_bytes() == path);
        let paths = change.ok_or_else(missing)?.selection();
        let wide =
            DiffOptions { paths, max_file_lines: 20_000, max_file_bytes: 2 << 20, max_total_bytes: 4 << 20, ..options };
        let diff = self.repo.diff(self.old, self.new, &wide).await.or_404()?;
        let file = diff.files.into_iter().find(|f| f.change.new_path.as_bytes() == path).ok_or_else(missing)?;
        let ends = self.ends(std::slice::from_ref(&file)).await;
        let mut made = self.file(looks, &file, ends.get(&file.change.new_oid).copied());
        if file.too_large {
            made.collapsed = Some("Too large to be shown. The patch has it.".into());
        }
        let layout = looks.layout();
        Ok(tokio::task::spawn_blocking(move || {
            diff::highlight(&mut made);
            diff::file(&made, layout)
        })
        .await?)
    }

    /// How many lines the changed files have, for what is left out at their ends.
    async fn ends(&self, files: &[FileDiff]) -> HashMap<Oid, u32> {
        let wanted = files
            .iter()
            .filter(|f| !f.hunks.is_empty() && f.change.status != Status::Deleted && !f.change.is_submodule());
        let mut ends = HashMap::new();
        for file in wanted.take(COUNTED_FILES) {
            let Ok(blob) = self.repo.blob(file.change.new_oid, COUNTED_BYTES).await else { continue };
            if blob.truncated {
                continue;
            }
            let lines = blob.data.iter().filter(|b| **b == b'\n').count();
            let lines = lines + usize::from(blob.data.last().is_some_and(|b| *b != b'\n'));
            ends.insert(file.change.new_oid, u32::try_from(lines).unwrap_or(u32::MAX));
        }
        ends
    }

    fn file(&self, looks: &Looks, file: &FileDiff, end: Option<u32>) -> diff::File {
        let change = &file.change;
        let deleted = change.status == Status::Deleted;
        let (revision, path) = if deleted { (self.old, &change.old_path) } else { (self.new, &change.new_path) };
        let gaps = Gaps { links: self.links, looks, oid: change.new_oid, path: &change.new_path, end };
        let (hunks, tail) = if deleted { (plain_hunks(&file.hunks), None) } else { gaps.fill(&file.hunks) };
        let modes = (change.old_mode != change.new_mode && change.old_mode != 0 && change.new_mode != 0)
            .then(|| (format!("{:06o}", change.old_mode), format!("{:06o}", change.new_mode)));
        diff::File {
            id: id_of(&change.new_path),
            old_path: change.old_path.lossy().into_owned(),
            new_path: change.new_path.lossy().into_owned(),
            change: word(change.status),
            modes,
            added: change.additions.unwrap_or(0),
            removed: change.deletions.unwrap_or(0),
            binary: change.binary,
            pictures: self.pictures(file),
            collapsed: None,
            load_href: Some(format!(
                "{}/-/diff_files/{}/{}/{}{}",
                self.links.root,
                self.old,
                self.new,
                encode(&change.new_path),
                looks.as_query()
            )),
            view_href: (!change.is_submodule()).then(|| self.links.at("blob", revision.to_string(), path)),
            viewed: None,
            extra: None,
            hunks,
            tail,
        }
    }

    fn pictures(&self, file: &FileDiff) -> Option<(Option<String>, Option<String>)> {
        let change = &file.change;
        let picture = safe_type(&change.new_path).is_some_and(|t| t.starts_with("image/"));
        if !picture || !file.hunks.is_empty() || !change.binary {
            return None;
        }
        let raw = |there: bool, revision: Oid, path: &ByteString| {
            there.then(|| self.links.at("raw", revision.to_string(), path))
        };
        let before = raw(change.status != Status::Added, self.old, &change.old_path);
        Some((before, raw(change.status != Status::Deleted, self.new, &change.new_path)))
    }
}

/// Folds what is too large, generated, or was not reached.
fn fold(mut made: diff::File, file: &FileDiff) -> diff::File {
    let lines = i64::try_from(made.added + made.removed).unwrap_or(i64::MAX);
    made.collapsed = if file.too_large {
        Some(format!("Large: {} changed.", ui::format::plural(lines, "line")))
    } else if file.collapsed {
        Some("The changes above are many already; these are loaded when you ask for them.".into())
    } else if file.change.generated && !file.hunks.is_empty() {
        Some("A generated file.".into())
    } else {
        None
    };
    if made.collapsed.is_some() {
        made.hunks.clear();
        made.tail = None;
    }
    made
}

fn switches(looks: &Looks, here: &str) -> Markup {
    let (parallel, ignore) = (looks.layout() == Layout::SideBySide, looks.ignores_space());
    let to = |parallel, ignore| format!("{here}{}", Looks::query(parallel, ignore));
    let layouts = [
        Item::new("Inline", to(false, ignore)).current(!parallel),
        Item::new("Side by side", to(true, ignore)).current(parallel),
    ];
    html! {
        div.line {
            a.btn.small href=(to(parallel, !ignore)) { (if ignore { "Show changes of white space" } else { "Hide changes of white space" }) }
            span.push { (parts::segments("Layout", &layouts)) }
        }
    }
}

fn assemble(files: &[diff::File], layout: Layout, truncated: bool) -> Markup {
    if files.is_empty() {
        return html! { section.panel { (parts::Empty { icon: "compare", title: "Nothing differs", text: "Both sides have the same files.", ..parts::Empty::default() }.render()) } };
    }
    html! {
        @if truncated {
            (parts::alert(Tone::Warn, &html! { "There are more changed files than fit on a page; these are the first " (files.len()) ". The patch has all of them." }))
        }
        @if files.len() == 1 { (diff::files(files, layout)) }
        @else {
            div.difflay {
                aside.stack.tight aria-label="Changed files" { (diff::overview(files)) }
                (diff::files(files, layout))
            }
        }
    }
}

fn word(status: Status) -> Change {
    match status {
        Status::Added => Change::Added,
        Status::Deleted => Change::Deleted,
        Status::Renamed => Change::Renamed,
        Status::Copied => Change::Copied,
        Status::Modified | Status::TypeChanged => Change::Modified,
    }
}

/// The id of a file's section, made of its path.
pub(crate) fn id_of(path: &[u8]) -> String {
    format!("f{}", &hex::encode(Sha256::digest(path))[..16])
}

/// What is left out between the changes of a file, and where it can be loaded from.
struct Gaps<'a> {
    links: &'a Links,
    looks: &'a Looks,
    oid: Oid,
    path: &'a ByteString,
    end: Option<u32>,
}

impl Gaps<'_> {
    fn fill(&self, hunks: &[Hunk]) -> (Vec<diff::Hunk>, Option<(u32, String)>) {
        let mut next = 1;
        let mut shift = 0_i64;
        let mut out = plain_hunks(hunks);
        for (made, hunk) in out.iter_mut().zip(hunks) {
            // A side without lines is numbered by the line before it.
            let start = hunk.new_start + u32::from(hunk.new_lines == 0);
            made.hidden = start.saturating_sub(next);
            made.expand_href = (made.hidden > 0).then(|| self.href(next, start.saturating_sub(1), shift));
            next = start + hunk.new_lines;
            shift += i64::from(hunk.old_lines) - i64::from(hunk.new_lines);
        }
        let rest = self.end.map_or(0, |end| (end + 1).saturating_sub(next));
        let tail = (rest > 0 && !hunks.is_empty()).then(|| (rest, self.href(next, next + rest - 1, shift)));
        (out, tail)
    }

    fn href(&self, from: u32, to: u32, shift: i64) -> String {
        lines_href(self.links, (self.oid, self.path), (from, to), shift, self.looks.layout())
    }
}

/// Where lines `from` to `to` of a file are had as rows; `shift` leads from their numbers to those before the change.
pub(crate) fn lines_href(
    links: &Links,
    (oid, path): (Oid, &[u8]),
    (from, to): (u32, u32),
    shift: i64,
    layout: Layout,
) -> String {
    let view = if layout == Layout::SideBySide { "parallel" } else { "inline" };
    format!("{}/-/diff_lines/{oid}/{}?from={from}&to={to}&shift={shift}&view={view}", links.root, encode(path))
}

fn plain_hunks(hunks: &[Hunk]) -> Vec<diff::Hunk> {
    let hunk = |hunk: &Hunk| diff::Hunk {
        heading: hunk.heading.lossy().into_owned(),
        hidden: 0,
        expand_href: None,
        lines: hunk.lines.iter().flat_map(line).collect(),
    };
    hunks.iter().map(hunk).collect()
}

fn line(line: &git::diff::Line) -> Vec<Line> {
    let kind = match line.kind {
        LineKind::Context => Kind::Context,
        LineKind::Added => Kind::Added,
        LineKind::Removed => Kind::Removed,
    };
    let valid = std::str::from_utf8(&line.text).is_ok();
    // Replacing what is no UTF-8 would move the marked words.
    let words = if valid { line.words.iter().map(|(from, to)| *from as usize..*to as usize).collect() } else { vec![] };
    let made =
        Line { kind, old: line.old, new: line.new, text: line.text.lossy().into_owned(), words, ..Line::default() };
    let note = line.no_newline.then(|| Line {
        kind: Kind::Note,
        text: "No newline at the end of the file".into(),
        ..Line::default()
    });
    std::iter::once(made).chain(note).collect()
}

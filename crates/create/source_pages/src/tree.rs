//! Directories: what is in them, with the last commit of each entry.

use std::collections::HashMap;
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use git::tree::{Entry, EntryKind};
use git::{ByteString, Commit, RepoPath};
use kernel::http::Query;
use kernel::{App, Result};
use projects::ProjectAccess;
use serde::Deserialize;
use ui::menu::{Clone as CloneMenu, menu};
use ui::parts::{self, Button};
use ui::{Item, Markup, Page, format, html, icon_with};

use crate::history::{self, micros};
use crate::place::{OrNothing, Rest, Spot};
use crate::{readme, switcher};

/// Entries on one page; few directories have more.
const PER_PAGE: usize = 1000;
/// How long a page waits for the last commits of its entries.
const PATIENCE: Duration = Duration::from_millis(800);

#[derive(Deserialize)]
pub(crate) struct Asked {
    page: Option<usize>,
}

/// Sends on to the default branch where an address names none.
pub(crate) async fn at_default(State(app): State<App>, access: ProjectAccess) -> Result<Response> {
    crate::place::code(&app, &access).await?;
    let links = crate::links::Links::of(&access.project);
    Ok(accounts::shell::redirect(&links.at("tree", access.project.branch(), "")))
}

pub(crate) async fn show(
    State(app): State<App>,
    access: ProjectAccess,
    Rest(rest): Rest,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    if let Some(home) = nothing_yet(&access, &rest) {
        return Ok(home);
    }
    let spot = Spot::find(&app, access, &rest).await?;
    let entry = spot.repo.entry(spot.commit(), &spot.path).await.or_404()?;
    if entry.kind != EntryKind::Tree {
        return Ok(accounts::shell::redirect(&spot.here("blob")));
    }
    let listing = Listing::read(&app, &spot, asked.page.unwrap_or(1)).await?;
    let readme = readme::of(&spot, &listing.entries).await?;
    let title = match spot.path.is_root() {
        true => format!("Files · {}", spot.shown()),
        false => format!("{} · {}", spot.path.lossy(), spot.shown()),
    };
    let body = html! {
        h1.vh { "Files of " (spot.shown()) @if !spot.path.is_root() { ": " (spot.path.lossy()) } }
        div.stack {
            (toolbar(&app, &spot).await?)
            @if !spot.path.is_root() { (steps(&spot)) }
            (listing.table(&spot))
            @if let Some(readme) = &readme { (readme.panel(&spot)) }
        }
    };
    Ok(Page { body, ..spot.page(&app, "tree", &title, "files") }.render().into_response())
}

/// The way home, where the repository is empty and so has no default branch to show.
pub(crate) fn nothing_yet(access: &ProjectAccess, rest: &[u8]) -> Option<Response> {
    let default = rest == access.project.branch().as_bytes();
    let empty = access.project.empty_repo && default && access.can(projects::Permission::ReadCode);
    empty.then(|| accounts::shell::redirect(&format!("/{}", access.project.full_path)))
}

/// The path as links, each step into its folder.
pub(crate) fn steps(spot: &Spot) -> Markup {
    let root = [spot.access.project.path.clone()];
    let names: Vec<String> = spot.path.components().map(|c| String::from_utf8_lossy(c).into_owned()).collect();
    let mut hrefs = vec![spot.other("tree", "")];
    let whole = spot.path.as_bytes();
    let ends = whole.iter().enumerate().filter(|(_, b)| **b == b'/').map(|(at, _)| at).chain([whole.len()]);
    hrefs.extend(ends.map(|end| spot.other("tree", &whole[..end])));
    let steps: Vec<parts::Step<'_>> = root.iter().chain(&names).map(String::as_str).zip(hrefs).collect();
    parts::path(&steps)
}

/// What stands above the files: branch, search, history and what can be added.
pub(crate) async fn toolbar(app: &App, spot: &Spot) -> Result<Markup> {
    let switch = switcher::refs(spot, "tree").await?;
    Ok(html! {
        div.line {
            (switch)
            form.filter action=(spot.links.at("find_file", &spot.reference, "")) role="search" {
                (ui::icon("search"))
                input.in type="search" name="q" aria-label="Find a file" placeholder="Find a file" autocomplete="off" data-slash;
                kbd.wide-only { "T" }
            }
            a.btn.wide-only href=(spot.here("commits")) { (ui::icon("clock")) "History" }
            @if spot.can_edit() { (add_menu(spot)) }
            (clone_menu(app, spot))
        }
    })
}

fn add_menu(spot: &Spot) -> Markup {
    let button = Button { label: "Add a file", icon: "plus", icon_only: true, ..Button::default() };
    let items = [
        Item::new("New file", spot.here("new")).icon("file"),
        Item::new("Upload files", spot.here("upload")).icon("upload"),
        Item::new("New folder", spot.here("new_dir")).icon("folder"),
        Item::new(
            "New branch",
            format!("{}?from={}", spot.links.page("branches/new"), crate::links::query(&spot.shown())),
        )
        .icon("branch"),
        Item::new("New tag", format!("{}?from={}", spot.links.page("tags/new"), crate::links::query(&spot.shown())))
            .icon("tag"),
    ];
    menu("add", &button, &items)
}

fn clone_menu(app: &App, spot: &Spot) -> Markup {
    let project = &spot.access.project;
    let ssh = if app.config().ssh.is_empty() { String::new() } else { project.ssh_url(app) };
    let archives = crate::archive::choices(spot);
    let keys = spot.access.actor.known().map(|_| "/-/user_settings/ssh_keys");
    CloneMenu { http: &project.http_url(app), ssh: &ssh, archives: &archives, keys_href: keys }.render()
}

/// The entries of a directory, or one page of them.
pub(crate) struct Listing {
    /// All entries, for finding the README.
    pub(crate) entries: Vec<Entry>,
    page: usize,
    commits: HashMap<ByteString, std::sync::Arc<Commit>>,
    complete: bool,
    modules: HashMap<ByteString, String>,
    latest: Option<ui::commits::Commit>,
}

impl Listing {
    /// Reads a directory and the last commits in it.
    pub(crate) async fn read(app: &App, spot: &Spot, page: usize) -> Result<Self> {
        let (repo, commit, path) = (&spot.repo, spot.commit(), &spot.path);
        let (entries, last, latest) =
            tokio::join!(repo.list_dir(commit, path), repo.last_commits(commit, path, PATIENCE), latest(app, spot));
        let (entries, latest) = (entries.or_404()?, latest?);
        let last = last.or_404()?;
        let has_modules = entries.iter().any(|e| e.kind == EntryKind::Submodule);
        let modules = if has_modules { repo.submodule_urls(commit).await.or_404()? } else { HashMap::new() };
        Ok(Self { entries, page: page.max(1), commits: last.entries, complete: last.complete, modules, latest })
    }

    /// The panel with the newest commit above and a row for each entry.
    pub(crate) fn table(&self, spot: &Spot) -> Markup {
        let pages = self.entries.len().div_ceil(PER_PAGE);
        let shown = self.entries.iter().skip((self.page - 1).saturating_mul(PER_PAGE)).take(PER_PAGE);
        html! {
            section.panel aria-labelledby="files" {
                h2.vh id="files" { "Files" }
                @if let Some(latest) = &self.latest { (ui::commits::latest(latest)) }
                @if self.entries.is_empty() { p.none.faint { "There is nothing in this folder." } }
                @else {
                    table.data {
                        caption.vh { "Files on " (spot.shown()) " with the last commit that changed them" }
                        thead.vh { tr { th scope="col" { "Name" } th scope="col" { "Last commit" } th scope="col" { "When" } } }
                        tbody {
                            @if !spot.path.is_root() { (parent_row(spot)) }
                            @for entry in shown { (self.row(spot, entry)) }
                        }
                    }
                }
                @if !self.complete {
                    p.waiting { "The history is long, so some last commits are not found yet. They are here when the page is loaded again." }
                }
            }
            (parts::pages(self.page as u64, pages as u64, |page| format!("{}?page={page}", spot.here("tree"))))
        }
    }

    fn row(&self, spot: &Spot, entry: &Entry) -> Markup {
        let commit = self.commits.get(&entry.name);
        html! {
            tr {
                th scope="row" { (self.name(spot, entry)) }
                td.wide-only.fit-cell {
                    @if let Some(commit) = commit {
                        @let title = history::title(commit);
                        a.plain.soft.cut.block href=(spot.links.commit(commit.id)) title=(title) { (title) }
                    }
                }
                td.r.faint { @if let Some(commit) = commit { (format::time(micros(commit.committer.time))) } }
            }
        }
    }

    fn name(&self, spot: &Spot, entry: &Entry) -> Markup {
        let name = entry.name.lossy();
        if entry.kind == EntryKind::Submodule {
            let href = self.modules.get(&entry.path).and_then(|url| module_href(&spot.links.root, url));
            let words =
                html! { (icon_with("box", "faint")) span.cut { (name) span.faint.mono { " @ " (entry.oid.short()) } } };
            return html! { @if let Some(href) = href { a.line.fix.tight href=(href) rel="noreferrer" { (words) } } @else { span.line.fix.tight { (words) } } };
        }
        let (kind, picture, class) = match entry.kind {
            EntryKind::Tree => ("tree", "folder", "tide"),
            EntryKind::Symlink => ("blob", "link", "faint"),
            _ => ("blob", "file", "faint"),
        };
        html! { a.line.fix.tight href=(spot.other(kind, &entry.path)) { (icon_with(picture, class)) span.cut { (name) } } }
    }
}

fn parent_row(spot: &Spot) -> Markup {
    html! {
        tr {
            th scope="row" { a.line.fix.tight href=(spot.other("tree", spot.path.parent().as_bytes())) { (icon_with("folder", "tide")) span { ".." } span.vh { "up to the folder above" } } }
            td.wide-only {} td {}
        }
    }
}

/// The last commit that changed the directory, as the head of its files.
async fn latest(app: &App, spot: &Spot) -> Result<Option<ui::commits::Commit>> {
    let id = match spot.path.is_root() {
        true => Some(spot.commit()),
        false => last_of(spot, &spot.path).await?,
    };
    let Some(id) = id else { return Ok(None) };
    let commit = spot.repo.commit(id).await.or_404()?;
    Ok(history::rows(app, &spot.access, std::slice::from_ref(&commit)).await?.pop())
}

/// The last commit that changed a path, from the table of its directory, or by a walk of its own.
pub(crate) async fn last_of(spot: &Spot, path: &RepoPath) -> Result<Option<git::Oid>> {
    let table = spot.repo.last_commits(spot.commit(), &path.parent(), PATIENCE).await.or_404()?;
    match table.entries.get(&path.file_name()) {
        Some(found) => Ok(Some(found.id)),
        None => spot.repo.last_commit_of(spot.commit(), path).await.or_404(),
    }
}

/// Where a submodule's repository can be looked at; nothing for addresses that a browser can't open.
fn module_href(root: &str, url: &str) -> Option<String> {
    let url = url.trim().trim_end_matches(".git");
    if url.starts_with("https://") || url.starts_with("http://") {
        return Some(url.to_owned());
    }
    if let Some(rest) = url.strip_prefix("git@") {
        let (host, path) = rest.split_once(':')?;
        return Some(format!("https://{host}/{path}"));
    }
    let mut base: Vec<&str> = root.split('/').filter(|s| !s.is_empty()).collect();
    let mut rest = url;
    if !rest.starts_with("../") && !rest.starts_with("./") {
        return None;
    }
    while let Some(after) = rest.strip_prefix("../") {
        base.pop()?;
        rest = after;
    }
    base.extend(rest.split('/').filter(|s| !s.is_empty() && *s != "."));
    Some(format!("/{}", base.join("/")))
}

#[cfg(test)]
mod tests {
    use super::module_href;

    #[test]
    fn modules_lead_where_a_browser_can_go() {
        let at = |url| module_href("/g/sub/p", url);
        assert_eq!(at("https://x.org/a/b.git").as_deref(), Some("https://x.org/a/b"));
        assert_eq!(at("git@x.org:a/b.git").as_deref(), Some("https://x.org/a/b"));
        assert_eq!(at("../q.git").as_deref(), Some("/g/sub/q"));
        assert_eq!(at("../../../../q"), None);
        assert_eq!(at("javascript:alert(1)"), None);
    }
}

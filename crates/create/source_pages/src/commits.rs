//! Histories: of a branch, a folder or a file, as a list or as a graph.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use git::log::{LogOrder, LogQuery};
use git::tree::EntryKind;
use git::{Commit, RepoPath};
use kernel::http::Query;
use kernel::{App, Error, Result};
use projects::ProjectAccess;
use serde::Deserialize;
use ui::{Markup, Page, commits, form, html, parts};

use crate::links::{self, Links};
use crate::place::{OrNothing, Rest, Spot, code};
use crate::{history, switcher, tree};

const PER_PAGE: usize = 40;
const GRAPHED: usize = 100;
/// The history is not followed further than this by pages.
const LAST_PAGE: usize = 5_000;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    search: String,
    author: String,
    page: Option<usize>,
}

impl Asked {
    fn page(&self) -> usize {
        self.page.unwrap_or(1).clamp(1, LAST_PAGE)
    }

    /// Whether everything is asked for, from the beginning.
    fn is_plain(&self) -> bool {
        self.page() == 1 && self.search.is_empty() && self.author.is_empty()
    }

    fn href(&self, here: &str, page: usize) -> String {
        let mut href = format!("{here}?page={page}");
        for (name, value) in [("search", &self.search), ("author", &self.author)] {
            if !value.is_empty() {
                href.push_str(&format!("&{name}={}", links::query(value)));
            }
        }
        href
    }

    /// The query, for one commit more than a page holds.
    fn query(&self, spot: &Spot, follow: bool) -> LogQuery {
        let given = |text: &str| Some(text.trim().to_owned()).filter(|t| !t.is_empty());
        LogQuery {
            tips: vec![spot.commit()],
            path: spot.path.clone(),
            follow,
            author: given(&self.author),
            message: given(&self.search),
            skip: (self.page() - 1) * PER_PAGE,
            limit: PER_PAGE + 1,
            ..LogQuery::default()
        }
    }
}

/// Sends on to the default branch where an address names none.
pub(crate) async fn at_default(State(app): State<App>, access: ProjectAccess) -> Result<Response> {
    code(&app, &access).await?;
    Ok(accounts::shell::redirect(&Links::of(&access.project).at("commits", access.project.branch(), "")))
}

pub(crate) async fn show(
    State(app): State<App>,
    access: ProjectAccess,
    Rest(rest): Rest,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    if let Some(home) = tree::nothing_yet(&access, &rest) {
        return Ok(home);
    }
    let spot = Spot::find(&app, access, &rest).await?;
    let follow = is_file(&spot, &spot.path).await;
    let (found, switch) = tokio::join!(spot.repo.log(asked.query(&spot, follow)), switcher::refs(&spot, "commits"));
    let mut found = found.or_404()?;
    if found.is_empty() && !spot.path.is_root() && asked.is_plain() {
        return Err(Error::not_found("Path"));
    }
    let more = found.len() > PER_PAGE;
    found.truncate(PER_PAGE);
    let body = html! {
        h1.vh { "Commits of " (spot.shown()) }
        div.stack {
            div.line {
                (switch?)
                @if !spot.path.is_root() { (tree::steps(&spot)) }
                (search(&spot, &asked))
            }
            (list(&app, &spot, &found, &asked).await?)
            (paging(&spot, &asked, more))
        }
    };
    let title = format!("Commits · {}", spot.shown());
    Ok(Page { body, ..spot.page(&app, "commits", &title, "commits") }.render().into_response())
}

/// Whether a path is a file now; the history of one that is gone is found by its path alone.
async fn is_file(spot: &Spot, path: &RepoPath) -> bool {
    !path.is_root() && spot.repo.entry(spot.commit(), path).await.is_ok_and(|e| e.kind != EntryKind::Tree)
}

fn search(spot: &Spot, asked: &Asked) -> Markup {
    let here = spot.here("commits");
    let kept: Vec<(&str, &str)> = if asked.author.is_empty() { vec![] } else { vec![("author", &asked.author)] };
    html! {
        (form::search(&here, "search", &asked.search, "Search in messages", &kept))
        @if !asked.author.is_empty() {
            a.btn href=(Asked { search: asked.search.clone(), ..Asked::default() }.href(&here, 1)) { (ui::icon("x")) "By " (asked.author) }
        }
    }
}

async fn list(app: &App, spot: &Spot, found: &[Commit], asked: &Asked) -> Result<Markup> {
    if found.is_empty() {
        let text =
            if asked.page() > 1 { "The history ends before this page." } else { "No commit fits. Try fewer words." };
        let empty = parts::Empty { icon: "commit", title: "No commits", text, ..parts::Empty::default() };
        return Ok(html! { section.panel { (empty.render()) } });
    }
    let mut rows = history::rows(app, &spot.access, found).await?;
    if !spot.path.is_root() {
        for row in &mut rows {
            row.browse_href = Some(spot.links.at("blob", &row.id, spot.path.as_bytes()));
        }
    }
    Ok(html! { section.panel aria-label="Commits" { (commits::list(&rows)) } })
}

fn paging(spot: &Spot, asked: &Asked, more: bool) -> Markup {
    let (here, page) = (spot.here("commits"), asked.page());
    let back = (page > 1).then(|| asked.href(&here, page - 1));
    let next = (more && page < LAST_PAGE).then(|| asked.href(&here, page + 1));
    parts::pages_keyset(back.as_deref(), next.as_deref())
}

/// The graph of the newest commits of all branches.
pub(crate) async fn network(
    State(app): State<App>,
    access: ProjectAccess,
    Rest(rest): Rest,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    if let Some(home) = tree::nothing_yet(&access, &rest) {
        return Ok(home);
    }
    let spot = Spot::of_ref(&app, access, &rest).await?;
    let (marks, switch) = tokio::join!(history::marks(&spot.repo), switcher::refs(&spot, "network"));
    let marks = marks?;
    let query = LogQuery {
        tips: vec![spot.commit()],
        all: true,
        order: LogOrder::Topological,
        skip: (asked.page() - 1) * GRAPHED,
        limit: GRAPHED + 1,
        ..LogQuery::default()
    };
    let mut found = spot.repo.log(query).await.or_404()?;
    let more = found.len() > GRAPHED;
    found.truncate(GRAPHED);
    let mut rows = history::rows(&app, &spot.access, &found).await?;
    for (row, commit) in rows.iter_mut().zip(&found) {
        let names = marks.get(&commit.id).into_iter().flatten().take(5);
        row.refs = names.map(|n| n.lossy().into_owned()).collect();
    }
    let (here, page) = (spot.here("network"), asked.page());
    let back = (page > 1).then(|| asked.href(&here, page - 1));
    let next = more.then(|| asked.href(&here, page + 1));
    let body = html! {
        h1.vh { "Graph" }
        div.stack {
            div.line { (switch?) span.soft { "All branches and tags, the newest commits first" } }
            section.panel aria-label="Graph" { div.scroll { (commits::graph(&rows)) } }
            (parts::pages_keyset(back.as_deref(), next.as_deref()))
        }
    };
    Ok(Page { body, ..spot.page(&app, "network", "Graph", "network") }.render().into_response())
}

//! Finding a file by parts of its path.

use std::sync::{Arc, LazyLock};

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use git::{ByteString, Oid};
use kernel::http::Query;
use kernel::{App, Result};
use moka::sync::Cache;
use projects::ProjectAccess;
use serde::Deserialize;
use ui::{Markup, Page, format, html, icon_with};

use crate::place::{OrNothing, Rest, Spot};
use crate::{switcher, tree};

/// More paths than this are not looked at.
const MOST: usize = 200_000;
/// Paths on the page.
const SHOWN: usize = 500;

type Paths = Arc<(Vec<ByteString>, bool)>;

/// Lists of paths by commit, so that each further letter costs little.
static LISTS: LazyLock<Cache<Oid, Paths>> = LazyLock::new(|| {
    let weight =
        |_: &Oid, list: &Paths| u32::try_from(list.0.iter().map(|p| p.len() + 24).sum::<usize>()).unwrap_or(u32::MAX);
    Cache::builder().max_capacity(16 << 20).weigher(weight).time_to_idle(std::time::Duration::from_secs(300)).build()
});

#[derive(Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    q: String,
}

async fn paths(spot: &Spot) -> Result<Paths> {
    if let Some(known) = LISTS.get(&spot.commit()) {
        return Ok(known);
    }
    let list: Paths = Arc::new(spot.repo.list_paths(spot.commit(), MOST).await.or_404()?);
    LISTS.insert(spot.commit(), list.clone());
    Ok(list)
}

/// All paths of files of a ref, as JSON.
pub(crate) async fn list(State(app): State<App>, access: ProjectAccess, Rest(rest): Rest) -> Result<Response> {
    let spot = Spot::of_ref(&app, access, &rest).await?;
    let list = paths(&spot).await?;
    let words: Vec<_> = list.0.iter().map(|p| p.lossy()).collect();
    Ok(Json(words).into_response())
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
    let spot = Spot::of_ref(&app, access, &rest).await?;
    let (list, switch) = tokio::join!(paths(&spot), switcher::refs(&spot, "find_file"));
    let (list, wanted) = (list?, asked.q.trim().to_lowercase());
    let found = {
        let list = list.clone();
        tokio::task::spawn_blocking(move || search(&list.0, &wanted)).await?
    };
    let body = html! {
        h1.vh { "Find a file on " (spot.shown()) }
        div.stack {
            div.line {
                (switch?)
                form.filter action=(spot.here("find_file")) role="search" {
                    (ui::icon("search"))
                    input.in type="search" name="q" value=(asked.q) aria-label="Find a file" placeholder="Parts of the path, such as src lease" autocomplete="off" autofocus data-filter="paths" data-slash;
                }
            }
            section.panel aria-label="Files" { (rows(&spot, &list, &found)) }
        }
    };
    let title = format!("Find a file · {}", spot.shown());
    Ok(Page { body, ..spot.page(&app, "find_file", &title, "files") }.render().into_response())
}

fn rows(spot: &Spot, list: &Paths, found: &[usize]) -> Markup {
    let all = i64::try_from(list.0.len()).unwrap_or(i64::MAX);
    html! {
        @if found.is_empty() { p.none.faint { "No path matches." } }
        ul.rows.files id="paths" {
            @for path in found.iter().take(SHOWN).filter_map(|at| list.0.get(*at)) {
                li { (icon_with("file", "faint")) a.grow.mono.cut.plain href=(spot.other("blob", path)) { (path.lossy()) } }
            }
        }
        @if found.len() > SHOWN {
            p.waiting { "The first " (SHOWN) " of " (format::plural(i64::try_from(found.len()).unwrap_or(all), "file")) ". Enter searches in all of them." }
        }
        @if !list.1 { p.waiting { "There are more files than can be searched here; only the first " (format::count(all)) " are." } }
    }
}

/// The places of the paths that have all words, the best first: those with a word in the name before those with it in a folder.
fn search(paths: &[ByteString], wanted: &str) -> Vec<usize> {
    let words: Vec<&str> = wanted.split_whitespace().take(10).collect();
    if words.is_empty() {
        return (0..paths.len()).collect();
    }
    let score = |(at, path): (usize, &ByteString)| {
        let path = path.lossy().to_lowercase();
        let name = path.rsplit('/').next().unwrap_or_default();
        let mut score = path.len();
        for word in &words {
            score += match () {
                () if name == *word => 0,
                () if name.starts_with(word) => 1_000,
                () if name.contains(word) => 2_000,
                () if path.contains(word) => 4_000,
                () if is_spread(&path, word) => 8_000,
                () => return None,
            };
        }
        Some((score, at))
    };
    let mut found: Vec<(usize, usize)> = paths.iter().enumerate().filter_map(score).collect();
    found.sort_unstable();
    found.into_iter().map(|(_, at)| at).collect()
}

/// Whether the letters of a word occur in this order.
fn is_spread(path: &str, word: &str) -> bool {
    let mut letters = path.chars();
    word.chars().all(|wanted| letters.any(|c| c == wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_comes_first() {
        let paths: Vec<ByteString> =
            ["src/lease/mod.rs", "lease.rs", "docs/x.md", "l/e/a/s/e"].iter().map(|p| ByteString::from(*p)).collect();
        assert_eq!(search(&paths, "lease"), [1, 0, 3]);
        assert_eq!(search(&paths, "").len(), 4);
        assert_eq!(search(&paths, "src mod"), [0]);
    }
}

//! The parts of differences that the script asks for: single files and lines of context.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use git::Oid;
use kernel::http::Query;
use kernel::{App, Error, Result};
use projects::ProjectAccess;
use projects::shell::project_page;
use serde::Deserialize;
use ui::diff::{self, Kind, Layout, Line};
use ui::{Markup, Page, html, icon};

use crate::changes::{Looks, Pair, id_of, lines_href};
use crate::links::Links;
use crate::place::{Fragment, OrNothing, Rest, code};

/// Lines of context that are given at once.
const AT_ONCE: u32 = 200;
const MOST_BYTES: u64 = 8 << 20;

/// Splits `HEX/rest`.
fn oid_first(rest: &[u8]) -> Result<(Oid, &[u8])> {
    let missing = || Error::not_found("");
    let slash = rest.iter().position(|b| *b == b'/').ok_or_else(missing)?;
    Ok((Oid::from_hex(&rest[..slash]).map_err(|_| missing())?, &rest[slash + 1..]))
}

/// `/-/diff_files/OLD/NEW/PATH`: one file's changes.
pub(crate) async fn file(
    State(app): State<App>,
    access: ProjectAccess,
    Rest(rest): Rest,
    Query(looks): Query<Looks>,
    Fragment(part): Fragment,
) -> Result<Response> {
    let repo = code(&app, &access).await?;
    let links = Links::of(&access.project);
    let (old, rest) = oid_first(&rest)?;
    let (new, path) = oid_first(rest)?;
    let body = Pair { repo: &repo, links: &links, old, new }.single(&looks, path).await?;
    Ok(answer(&app, &access, body, part, &String::from_utf8_lossy(path)))
}

#[derive(Deserialize)]
pub(crate) struct Lines {
    from: u32,
    to: u32,
    #[serde(default)]
    shift: i64,
    #[serde(default)]
    view: String,
}

/// `/-/diff_lines/BLOB/PATH`: rows of context.
pub(crate) async fn lines(
    State(app): State<App>,
    access: ProjectAccess,
    Rest(rest): Rest,
    Query(asked): Query<Lines>,
    Fragment(part): Fragment,
) -> Result<Response> {
    let repo = code(&app, &access).await?;
    let links = Links::of(&access.project);
    let (oid, path) = oid_first(&rest)?;
    let layout = Layout::parse(&asked.view);
    let from = asked.from.max(1).max(asked.to.saturating_sub(AT_ONCE - 1));
    let found = repo.blob_lines(oid, from as usize, asked.to as usize, MOST_BYTES).await.or_404()?;
    let name = String::from_utf8_lossy(path).into_owned();
    let lines: Vec<Line> = found.iter().zip(from..).map(|(text, number)| context(text, number, asked.shift)).collect();
    let id = id_of(path);
    let (file, left) = (name.clone(), from.saturating_sub(asked.from.max(1)));
    let before = (asked.from.max(1), from.saturating_sub(1));
    let rest_href = lines_href(&links, (oid, path), before, asked.shift, layout);
    let rows = tokio::task::spawn_blocking(move || rows(&id, &file, lines, layout, left, &rest_href)).await?;
    let body = if part {
        rows
    } else {
        html! { section.panel { table.diff { tbody { (rows) } } } }
    };
    Ok(answer(&app, &access, body, part, &name))
}

fn context(text: &git::ByteString, number: u32, shift: i64) -> Line {
    let old = u32::try_from(i64::from(number).saturating_add(shift)).ok();
    Line { kind: Kind::Context, old, new: Some(number), text: text.lossy().into_owned(), ..Line::default() }
}

fn rows(id: &str, name: &str, lines: Vec<Line>, layout: Layout, left: u32, rest_href: &str) -> Markup {
    let mut file = diff::File { old_path: name.into(), new_path: name.into(), ..diff::File::default() };
    file.hunks.push(diff::Hunk { lines, ..diff::Hunk::default() });
    diff::highlight(&mut file);
    let columns = if layout == Layout::SideBySide { 4 } else { 3 };
    let lines = file.hunks.first().map_or(&[][..], |h| h.lines.as_slice());
    html! {
        @if left > 0 {
            tr.gap data-place { td colspan=(columns) { a.btn.quiet.small href=(rest_href) data-load { (icon("expand")) "Show " (ui::format::plural(left.into(), "line")) } } }
        }
        (diff::context_rows(id, lines, layout))
    }
}

/// The part alone for the script, or a whole page around it for who follows the link.
fn answer(app: &App, access: &ProjectAccess, body: Markup, part: bool, title: &str) -> Response {
    if part {
        return ui::fragment(&body).into_response();
    }
    Page { body, ..project_page(app, access, title, "commits") }.render().into_response()
}

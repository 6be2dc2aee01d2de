//! The page of a file.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use git::tree::EntryKind;
use kernel::http::Query;
use kernel::{App, Error, Result};
use projects::ProjectAccess;
use serde::Deserialize;
use ui::parts::{self, Button};
use ui::{Item, Markup, Page, format, html, icon_with};

use crate::blob_body::{Contents, Kind};
use crate::place::{OrNothing, Rest, Spot};
use crate::{history, switcher, tree};

#[derive(Deserialize)]
pub(crate) struct Asked {
    plain: Option<bool>,
}

pub(crate) async fn show(
    State(app): State<App>,
    access: ProjectAccess,
    Rest(rest): Rest,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let spot = Spot::find(&app, access, &rest).await?;
    let entry = spot.repo.entry(spot.commit(), &spot.path).await.or_404()?;
    match entry.kind {
        EntryKind::Tree => return Ok(accounts::shell::redirect(&spot.here("tree"))),
        EntryKind::Submodule => return Err(Error::not_found("File")),
        _ => {}
    }
    let plain = asked.plain.unwrap_or(false);
    let (contents, switch, latest) =
        tokio::join!(Contents::read(&spot, &entry), switcher::refs(&spot, "blob"), latest(&app, &spot));
    let contents = contents?;
    let body = html! {
        h1.vh { (spot.path.lossy()) " on " (spot.shown()) }
        div.stack {
            div.line { (switch?) (tree::steps(&spot)) (parts::copy_button(&spot.path.lossy(), "path")) }
            section.panel {
                @if let Some(latest) = latest? { (ui::commits::latest(&latest)) }
            }
            section.panel.filebox aria-labelledby="file" {
                (header(&spot, &contents, plain))
                (contents.markup(&spot, plain).await?)
            }
        }
    };
    let title = format!("{} · {}", spot.path.lossy(), spot.shown());
    Ok(Page { body, ..spot.page(&app, "blob", &title, "files") }.render().into_response())
}

/// The last commit that changed the file.
async fn latest(app: &App, spot: &Spot) -> Result<Option<ui::commits::Commit>> {
    let Some(id) = tree::last_of(spot, &spot.path).await? else { return Ok(None) };
    let commit = spot.repo.commit(id).await.or_404()?;
    Ok(history::rows(app, &spot.access, std::slice::from_ref(&commit)).await?.pop())
}

fn header(spot: &Spot, contents: &Contents, plain: bool) -> Markup {
    let name = spot.path.file_name();
    html! {
        header {
            (icon_with("file", "faint"))
            h2.mono.cut id="file" { (name.lossy()) }
            span.faint.num.wide-only { (facts(contents)) }
            span.push.line {
                @if contents.has_preview() { (views(spot, plain)) }
                (buttons(spot, contents))
            }
        }
    }
}

fn facts(contents: &Contents) -> String {
    let mut facts = vec![];
    if let Some(lines) = contents.lines() {
        facts.push(format::plural(lines, "line"));
    }
    facts.push(format::bytes(contents.size()));
    if contents.executable {
        facts.push("executable".into());
    }
    facts.join(" · ")
}

fn views(spot: &Spot, plain: bool) -> Markup {
    let here = spot.here("blob");
    let items = [
        Item::new("Preview", here.clone()).current(!plain),
        Item::new("Source", format!("{here}?plain=1")).current(plain),
    ];
    parts::segments("How the file is shown", &items)
}

fn buttons(spot: &Spot, contents: &Contents) -> Markup {
    let raw = spot.here("raw");
    let download = format!("{raw}?inline=false");
    let quiet = |label, icon, href: &str| {
        Button { label, icon, class: "small quiet", icon_only: true, href: Some(href), ..Button::default() }.render()
    };
    let small = |label, href: &str| Button { label, class: "small", href: Some(href), ..Button::default() }.render();
    html! {
        @if contents.is_text() { (small("Blame", &spot.here("blame"))) }
        (small("History", &spot.here("commits")))
        (small("Raw", &raw))
        (quiet("Download", "save", &download))
        @if spot.can_edit() {
            @if contents.is_text() { (quiet("Edit", "pencil", &spot.here("edit"))) }
            (quiet("Replace", "upload", &spot.here("replace")))
            (quiet("Delete", "trash", &spot.here("delete")))
        }
    }
}

impl Contents {
    fn has_preview(&self) -> bool {
        matches!(self.kind, Kind::Markdown(_) | Kind::Csv(_) | Kind::Notebook(_) | Kind::Svg(_))
    }
}

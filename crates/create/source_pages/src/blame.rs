//! Who last changed each line of a file.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use git::blame::BlameRange;
use git::tree::EntryKind;
use kernel::{App, Error, Result};
use projects::ProjectAccess;
use ui::blame::{Group, blame};
use ui::parts;
use ui::{Markup, Page, html, icon_with};

use crate::blob_body::{Contents, is_too_large, lines};
use crate::history::{self, micros};
use crate::people::People;
use crate::place::{OrNothing, Rest, Spot};
use crate::{switcher, tree};

pub(crate) async fn show(State(app): State<App>, access: ProjectAccess, Rest(rest): Rest) -> Result<Response> {
    let spot = Spot::find(&app, access, &rest).await?;
    let entry = spot.repo.entry(spot.commit(), &spot.path).await.or_404()?;
    if !matches!(entry.kind, EntryKind::Blob | EntryKind::Executable) {
        return Err(Error::not_found("File"));
    }
    let contents = Contents::read(&spot, &entry).await?;
    let (inside, switch) = tokio::join!(inside(&app, &spot, &contents, entry.oid), switcher::refs(&spot, "blame"));
    let name = spot.path.file_name();
    let body = html! {
        h1.vh { "Blame of " (spot.path.lossy()) }
        div.stack {
            div.line { (switch?) (tree::steps(&spot)) }
            section.panel aria-labelledby="file" {
                header {
                    (icon_with("history", "faint"))
                    h2.mono.cut id="file" { (name.lossy()) }
                    span.push.line {
                        a.btn.small href=(spot.here("blob")) { "File" }
                        a.btn.small href=(spot.here("commits")) { "History" }
                        a.btn.small href=(spot.here("raw")) { "Raw" }
                    }
                }
                (inside?)
            }
        }
    };
    let title = format!("Blame · {}", spot.path.lossy());
    Ok(Page { body, ..spot.page(&app, "blame", &title, "files") }.render().into_response())
}

async fn inside(app: &App, spot: &Spot, contents: &Contents, oid: git::Oid) -> Result<Markup> {
    let Some(text) = contents.text() else {
        return Ok(html! { p.none { "Only text has lines that can be blamed on somebody." } });
    };
    let ranges = match spot.repo.blame(spot.commit(), &spot.path, None).await {
        Err(e) if is_too_large(&e) => {
            let text = "The file or its history is too long for this page. Try git blame on your machine.";
            return Ok(
                html! { (parts::Empty { icon: "history", title: "This takes too long", text, ..parts::Empty::default() }.render()) },
            );
        }
        other => other.or_404()?,
    };
    let emails = ranges.iter().map(|r| r.commit.author.email.lossy().into_owned()).collect();
    let people = People::by_email(app, emails).await?;
    let groups: Vec<Group> = ranges.iter().map(|range| group(spot, &people, range)).collect();
    let lines = lines(&spot.path.file_name().lossy(), oid, text.to_vec()).await?;
    Ok(blame(&groups, &lines))
}

fn group(spot: &Spot, people: &People, range: &BlameRange) -> Group {
    let commit = &range.commit;
    let before = range.previous.as_ref();
    Group {
        title: history::title(commit),
        href: spot.links.commit(commit.id),
        author: people.name(&commit.author),
        avatar: people.picture(&commit.author),
        at: micros(commit.author.time),
        before_href: before.map(|(id, path)| spot.links.at("blame", id.to_string(), path)),
        lines: range.lines as usize,
    }
}

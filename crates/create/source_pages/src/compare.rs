//! Comparing two revisions.

use accounts::shell::redirect;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use git::log::LogQuery;
use git::refs::RefQuery;
use git::{Oid, Repo};
use kernel::http::Query;
use kernel::{App, Error, Result};
use projects::ProjectAccess;
use projects::shell::project_page;
use serde::Deserialize;
use ui::{Markup, Page, Tone, commits, format, html, parts};

use crate::changes::{Looks, Pair};
use crate::commit::{find, plain};
use crate::history;
use crate::links::{Links, encode};
use crate::place::{OrNothing, Rest, code};

/// Commits listed above the changes.
const LISTED: usize = 100;
/// Names offered while one types.
const OFFERED: usize = 500;
/// Commits in a patch.
const MAILED: usize = 1000;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    from: String,
    to: String,
    straight: bool,
}

/// The form, or where it leads.
pub(crate) async fn form(
    State(app): State<App>,
    access: ProjectAccess,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let repo = code(&app, &access).await?;
    let links = Links::of(&access.project);
    let (from, to) = (asked.from.trim(), asked.to.trim());
    if !from.is_empty() && !to.is_empty() {
        let dots = if asked.straight { ".." } else { "..." };
        let (from, to) = (encode(from.as_bytes()), encode(to.as_bytes()));
        return Ok(redirect(&format!("{}/-/compare/{from}{dots}{to}", links.root)));
    }
    let from = if from.is_empty() { access.project.branch() } else { from };
    let body = html! {
        (parts::head(&html! { "Compare" }, &html! {}, &html! { p.soft { "What one branch, tag or commit has that another one has not." } }))
        (fields(&repo, &links, from, to, false).await?)
    };
    Ok(Page { body, ..project_page(&app, &access, "Compare", "compare") }.render().into_response())
}

async fn fields(repo: &Repo, links: &Links, from: &str, to: &str, straight: bool) -> Result<Markup> {
    let query = || RefQuery { limit: Some(OFFERED), ..RefQuery::default() };
    let (branches, tags) = tokio::join!(repo.branches(query()), repo.tags(query()));
    let (branches, tags) = (branches.or_404()?, tags.or_404()?);
    let field = |name: &str, label: &str, value: &str| {
        html! {
            div.field {
                label for={ "f-" (name) } { (label) }
                input.in.mono id={ "f-" (name) } name=(name) value=(value) list="revisions" required autocomplete="off";
            }
        }
    };
    Ok(html! {
        form.compare-form action=(links.page("compare")) {
            (field("from", "From", from))
            (field("to", "To", to))
            label.check { input type="checkbox" name="straight" value="true" checked[straight]; span { "As they are, not since they parted" } }
            button.btn.primary type="submit" { "Compare" }
            datalist id="revisions" {
                @for found in branches.items.iter().chain(&tags.items) { option value=(found.name.short().lossy()) {} }
            }
        }
    })
}

/// `FROM...TO`, or `FROM..TO` for the revisions as they are.
fn split(rest: &[u8]) -> Option<(&[u8], &[u8], bool)> {
    let three = rest.windows(3).position(|w| w == b"...").map(|at| (&rest[..at], &rest[at + 3..], false));
    let two = || rest.windows(2).position(|w| w == b"..").map(|at| (&rest[..at], &rest[at + 2..], true));
    three.or_else(two).filter(|(from, to, _)| !from.is_empty() && !to.is_empty())
}

pub(crate) async fn show(
    State(app): State<App>,
    access: ProjectAccess,
    Rest(rest): Rest,
    Query(looks): Query<Looks>,
) -> Result<Response> {
    let repo = code(&app, &access).await?;
    let links = Links::of(&access.project);
    let (bare, patch) = [(&b".patch"[..], true), (b".diff", false)]
        .into_iter()
        .find_map(|(end, mail)| rest.strip_suffix(end).map(|bare| (bare, Some(mail))))
        .unwrap_or((&rest, None));
    let (from, to, straight) = split(bare).ok_or_else(|| Error::not_found(""))?;
    let (from_id, to_id) = match (find(&repo, from).await, find(&repo, to).await) {
        (Ok(from), Ok(to)) => (from, to),
        (Err(Error::NotFound(_)), _) | (_, Err(Error::NotFound(_))) => {
            return missing(&app, &access, &repo, (from, to)).await;
        }
        (Err(e), _) | (_, Err(e)) => return Err(e),
    };
    let old = if straight { from_id } else { repo.three_dot_base(from_id, to_id).await.or_404()? };
    match patch {
        Some(true) => {
            return Ok(plain(Body::from_stream(repo.format_patch_stream(Some(from_id), to_id, MAILED).or_404()?)));
        }
        Some(false) => return Ok(plain(Body::from_stream(repo.patch_stream(old, to_id).or_404()?))),
        None => {}
    }
    let here = format!("{}/-/compare/{}", links.root, encode(&rest));
    let (from, to) = (String::from_utf8_lossy(from), String::from_utf8_lossy(to));
    let pair = Pair { repo: &repo, links: &links, old, new: to_id };
    let (fields, list, changes) = tokio::join!(
        fields(&repo, &links, &from, &to, straight),
        listed(&app, &access, &repo, (from_id, to_id)),
        pair.markup(&looks, &here)
    );
    let actions = html! {
        (parts::link_button(&links.compare(to.as_bytes(), from.as_bytes()), "retry", "Swap"))
        (parts::link_button(&format!("{here}.patch"), "save", "Patch"))
    };
    let body =
        html! { (parts::head(&html! { "Compare" }, &actions, &html! {})) div.stack { (fields?) (list?) (changes?) } };
    let title = format!("{from}...{to}");
    Ok(Page { body, ..project_page(&app, &access, &title, "compare") }.render().into_response())
}

/// Says which revision there is none of.
async fn missing(app: &App, access: &ProjectAccess, repo: &Repo, (from, to): (&[u8], &[u8])) -> Result<Response> {
    let links = Links::of(&access.project);
    let (from, to) = (String::from_utf8_lossy(from), String::from_utf8_lossy(to));
    let body = html! {
        (parts::head(&html! { "Compare" }, &html! {}, &html! {}))
        div.stack {
            (parts::alert(Tone::Bad, &html! { "One of these is not a branch, tag or commit of this project." }))
            (fields(repo, &links, &from, &to, false).await?)
        }
    };
    let markup = Page { body, ..project_page(app, access, "Compare", "compare") }.render();
    Ok((http::StatusCode::NOT_FOUND, markup).into_response())
}

/// The commits that only the second revision has.
async fn listed(app: &App, access: &ProjectAccess, repo: &Repo, (from, to): (Oid, Oid)) -> Result<Markup> {
    let query = LogQuery { tips: vec![to], exclude: vec![from], limit: LISTED + 1, ..LogQuery::default() };
    let mut found = repo.log(query).await.or_404()?;
    let more = found.len() > LISTED;
    found.truncate(LISTED);
    let count = format::plural(i64::try_from(found.len()).unwrap_or(0), "commit");
    let rows = history::rows(app, access, &found).await?;
    Ok(html! {
        @if !rows.is_empty() {
            details.panel open[rows.len() <= 20] {
                summary { b { @if more { "The newest " } (count) } (ui::icon_with("right", "turn")) }
                (commits::list(&rows))
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn revisions_are_split_at_dots() {
        assert_eq!(split(b"main...feat/x"), Some((&b"main"[..], &b"feat/x"[..], false)));
        assert_eq!(split(b"v1.0..v1.1"), Some((&b"v1.0"[..], &b"v1.1"[..], true)));
        assert_eq!(split(b"main"), None);
        assert_eq!(split(b"...x"), None);
    }
}

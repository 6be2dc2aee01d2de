//! The page of a commit, and the commit as a patch.

use std::sync::LazyLock;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use git::log::CommitStats;
use git::{Commit, Oid, Repo, Signature};
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use kernel::http::Query;
use kernel::{App, Error, Result};
use moka::sync::Cache;
use projects::shell::project_page;
use projects::{Permission, ProjectAccess};
use ui::parts::{self, Button};
use ui::{Item, Markup, Page, format, html, icon, icon_with, menu, status};

use crate::changes::{Looks, Pair};
use crate::history::{self, micros};
use crate::links::Links;
use crate::people::People;
use crate::place::{Fragment, OrNothing, Rest, code, within};

/// How long the page waits for the branches that hold the commit.
const PATIENCE: Duration = Duration::from_millis(100);
static COUNTED: LazyLock<Cache<Oid, CommitStats>> = LazyLock::new(|| Cache::new(20_000));

/// Refs named at once.
const MOST_REFS: usize = 30;

/// `/-/commit/ID`, `/-/commit/ID.patch` and `/-/commit/ID.diff`.
pub(crate) async fn show(
    State(app): State<App>,
    access: ProjectAccess,
    Rest(rest): Rest,
    Query(looks): Query<Looks>,
) -> Result<Response> {
    let repo = code(&app, &access).await?;
    for (ending, mail) in [(&b".patch"[..], true), (b".diff", false)] {
        if let Some(id) = rest.strip_suffix(ending) {
            return patch(&repo, id, mail).await;
        }
    }
    let id = find(&repo, &rest).await?;
    let links = Links::of(&access.project);
    let commit = repo.commit(id).await.or_404()?;
    let old = commit.parents.first().copied().unwrap_or_else(Oid::empty_tree);
    let pair = Pair { repo: &repo, links: &links, old, new: id };
    let here = links.commit(id);
    let (facts, changes) = tokio::join!(facts(&app, &access, &repo, &links, &commit), pair.markup(&looks, &here));
    let body = html! {
        (head(&access, &links, &commit))
        div.stack { (facts?) (changes?) }
    };
    let title = format!("{} · {}", history::title(&commit), id.short());
    let mut page = project_page(&app, &access, &title, "commits");
    page.find_file_href = Some(links.at("find_file", id.to_string(), ""));
    page.permalink = Some(here);
    Ok(Page { body, ..page }.render().into_response())
}

/// The commit that a whole or shortened id, or a ref, names.
pub(crate) async fn find(repo: &Repo, revision: &[u8]) -> Result<Oid> {
    Ok(repo.resolve(revision).await.or_404()?.commit)
}

async fn patch(repo: &Repo, id: &[u8], mail: bool) -> Result<Response> {
    let id = find(repo, id).await?;
    let stream = match mail {
        true => repo.format_patch_stream(None, id, 1),
        false => repo.patch_stream(repo.diff_base(id).await.or_404()?, id),
    };
    Ok(plain(Body::from_stream(stream.or_404()?)))
}

/// An answer of plain text that nothing can run in.
pub(crate) fn plain(body: Body) -> Response {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

fn head(access: &ProjectAccess, links: &Links, commit: &Commit) -> Markup {
    let id = commit.id.to_string();
    let more = Button { label: "Options", icon: "dots", icon_only: true, ..Button::default() };
    let items = [
        Item::new("Patch", format!("{}.patch", links.commit(&id))).icon("save"),
        Item::new("Plain diff", format!("{}.diff", links.commit(&id))).icon("save"),
        Item::new("New tag here", format!("{}?from={id}", links.page("tags/new"))).icon("tag"),
        Item::new("New branch here", format!("{}?from={id}", links.page("branches/new"))).icon("branch"),
    ];
    let shown = if access.can(Permission::PushCode) { &items[..] } else { &items[..2] };
    let actions = html! {
        (parts::link_button(&links.at("tree", &id, ""), "folder", "Files"))
        @if access.can(Permission::PushCode) {
            (parts::link_button(&format!("{}/cherry_pick", links.commit(&id)), "commit", "Cherry-pick"))
            (parts::link_button(&format!("{}/revert", links.commit(&id)), "retry", "Revert"))
        }
        (menu::menu("more", &more, shown))
    };
    parts::head(&html! { (history::title(commit)) }, &actions, &Markup::default())
}

async fn facts(app: &App, access: &ProjectAccess, repo: &Repo, links: &Links, commit: &Commit) -> Result<Markup> {
    let id = commit.id.to_string();
    let emails = [&commit.author, &commit.committer].map(|s| s.email.lossy().into_owned()).to_vec();
    let (people, states, stats, refs) = tokio::join!(
        People::by_email(app, emails),
        history::statuses(app, access, std::slice::from_ref(&commit.id)),
        stats_of(repo, commit.id),
        containing(repo, links, commit.id)
    );
    let (people, states) = (people?, states?);
    let stats = stats?;
    let state = history::state(links, &id, &states);
    let body = commit.body();
    Ok(html! {
        section.panel aria-label="Commit" {
            header {
                (parts::avatar(&people.name(&commit.author), people.picture(&commit.author).as_deref()))
                span { (people.link(&commit.author)) span.faint { " wrote this " (format::time(micros(commit.author.time))) } }
                @if !same(&commit.author, &commit.committer) {
                    span { (people.link(&commit.committer)) span.faint { " committed it " (format::time(micros(commit.committer.time))) } }
                }
                span.push.line {
                    @if let Some((state, href)) = &state { (status::status_link(*state, href)) }
                    @if commit.signature.is_some() { span.tag.bare title="It carries a signature, which is not checked here." { (icon("key")) "Signed" } }
                    span.mono.faint { (commit.id.short()) } (parts::copy_button(&id, "commit id"))
                }
            }
            @if !body.is_empty() { div.body { pre.plain-text.message { (body.lossy()) } } }
            div.body.stack.tight {
                div.line { (parents(links, commit)) span.soft { (format::plural(i64::try_from(stats.files).unwrap_or(0), "file")) " changed" } (parts::changes(stats.additions, stats.deletions)) }
                (refs)
            }
        }
    })
}

/// What a commit changed, counted once.
async fn stats_of(repo: &Repo, id: Oid) -> Result<CommitStats> {
    if let Some(known) = COUNTED.get(&id) {
        return Ok(known);
    }
    let stats = repo.commit_stats(&[id]).await.or_404()?.get(&id).copied().unwrap_or_default();
    COUNTED.insert(id, stats);
    Ok(stats)
}

/// Whether author and committer are one, so that only one is shown.
fn same(author: &Signature, committer: &Signature) -> bool {
    author.email == committer.email && author.name == committer.name && (author.time - committer.time).abs() < 60
}

fn parents(links: &Links, commit: &Commit) -> Markup {
    html! {
        span.soft {
            @match commit.parents.len() { 0 => "The first commit", 1 => "Parent", n => { (n) " parents" } }
            @for parent in &commit.parents { " " a.mono href=(links.commit(parent)) { (parent.short()) } }
        }
    }
}

/// The branches and tags that hold the commit, or a link to load them.
async fn containing(repo: &Repo, links: &Links, id: Oid) -> Markup {
    let asked = repo.clone();
    match within(PATIENCE, async move { asked.refs_containing(id).await }).await {
        Some(found) => names(links, &found),
        None => {
            let href = format!("{}/refs", links.commit(id));
            html! { div data-place { a.btn.quiet.small href=(href) data-load { (icon("branch")) "Show the branches and tags that have it" } } }
        }
    }
}

fn names(links: &Links, found: &[git::RefName]) -> Markup {
    html! {
        @if found.is_empty() { p.soft { "In no branch or tag." } }
        @else {
            div.line.tight {
                @for name in found.iter().take(MOST_REFS) {
                    a.tag.bare href=(links.at("tree", name.short(), "")) { (icon_with(if name.is_tag() { "tag" } else { "branch" }, "")) (name.short().lossy()) }
                }
                @if found.len() > MOST_REFS { span.soft { "and " (found.len() - MOST_REFS) " more" } }
            }
        }
    }
}

/// `/-/commit/ID/refs`: the branches and tags that hold a commit.
pub(crate) async fn refs(
    State(app): State<App>,
    access: ProjectAccess,
    Rest(rest): Rest,
    Fragment(part): Fragment,
) -> Result<Response> {
    let repo = code(&app, &access).await?;
    let id = rest.strip_suffix(b"/refs").ok_or_else(|| Error::not_found(""))?;
    let id = find(&repo, id).await?;
    let body = names(&Links::of(&access.project), &repo.refs_containing(id).await.or_404()?);
    if part {
        return Ok(ui::fragment(&body).into_response());
    }
    Ok(Page { body, ..project_page(&app, &access, "Branches and tags", "commits") }.render().into_response())
}

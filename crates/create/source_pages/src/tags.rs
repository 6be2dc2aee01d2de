//! Tags: lists, making and deleting them.

use accounts::shell::redirect_with;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use git::refs::{RefOrder, RefQuery};
use git::{Oid, RefChange, RefInfo, RefName, Repo};
use http::StatusCode;
use kernel::http::{Params, Query};
use kernel::{App, Error, Result};
use projects::shell::project_page;
use projects::{Permission, ProjectAccess, level};
use repositories::{OrStatus, Protections, Source, signature, update_refs_as};
use serde::Deserialize;
use ui::form::{self, Field};
use ui::{Item, Markup, Page, Tone, format, html, icon, parts};

use crate::branch_edits::bad_name;
use crate::history::{self, micros};
use crate::links::{self, Links};
use crate::place::{OrNothing, Rest, code};
use crate::target::sentence;

const PER_PAGE: usize = 20;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    search: String,
    sort: String,
    page: Option<usize>,
}

const ORDERS: [(&str, &str, RefOrder); 3] = [
    ("updated_desc", "Newest", RefOrder::Newest),
    ("updated_asc", "Oldest", RefOrder::Oldest),
    ("name_asc", "Name", RefOrder::Name),
];

pub(crate) async fn show(
    State(app): State<App>,
    access: ProjectAccess,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let repo = code(&app, &access).await?;
    let links = Links::of(&access.project);
    let order = ORDERS.iter().find(|o| o.0 == asked.sort).unwrap_or(&ORDERS[0]);
    let page = asked.page.unwrap_or(1).max(1);
    let search = Some(asked.search.trim().to_owned()).filter(|s| !s.is_empty());
    let query = RefQuery { order: order.2, search, skip: (page - 1).saturating_mul(PER_PAGE), limit: Some(PER_PAGE) };
    let found = repo.tags(query).await.or_404()?;
    let href = |sort: &str, page: u64| {
        format!("{}?sort={sort}&search={}&page={page}", links.page("tags"), links::query(&asked.search))
    };
    let orders: Vec<Item> = ORDERS.iter().map(|o| Item::new(o.1, href(o.0, 1)).current(o.0 == order.0)).collect();
    let actions = html! { @if access.can(Permission::PushCode) { (parts::primary_link(&links.page("tags/new"), "plus", "New tag")) } };
    let body = html! {
        (parts::head(&html! { "Tags" }, &actions, &html! {}))
        div.stack {
            div.line { (parts::segments("Order", &orders)) (form::search(&links.page("tags"), "search", &asked.search, "Search tags", &[("sort", order.0)])) }
            (list(&app, &access, &repo, &links, &found.items, &asked).await?)
            (parts::pages(page as u64, found.total.div_ceil(PER_PAGE) as u64, |page| href(order.0, page)))
        }
    };
    Ok(Page { body, ..project_page(&app, &access, "Tags", "tags") }.render().into_response())
}

async fn list(
    app: &App,
    access: &ProjectAccess,
    repo: &Repo,
    links: &Links,
    shown: &[RefInfo],
    asked: &Asked,
) -> Result<Markup> {
    if shown.is_empty() {
        let title = if asked.search.is_empty() { "No tags yet" } else { "No tag has this in its name" };
        let command = asked.search.is_empty().then_some("git tag v0.1.0 && git push --tags");
        let text = "A tag marks a commit for good, such as a version.";
        return Ok(
            html! { section.panel { (parts::Empty { icon: "tag", title, text, command, ..parts::Empty::default() }.render()) } },
        );
    }
    let protections = Protections::of_project(app.db().conn(), access.project.id).await?;
    // A tag may mark something else than a commit; it has no row of facts then.
    let mut commits = vec![];
    for tag in shown {
        commits.push(repo.commit(tag.commit.unwrap_or(tag.target)).await.ok());
    }
    let ids: Vec<Oid> = commits.iter().flatten().map(|c| c.id).collect();
    let states = history::statuses(app, access, &ids).await?;
    Ok(html! {
        section.panel aria-label="Tags" {
            ul.rows {
                @for (tag, commit) in shown.iter().zip(&commits) {
                    @let protected = protections.is_protected_tag(&tag.name.short().lossy());
                    @let state = commit.as_ref().and_then(|c| history::state(links, &c.id.to_string(), &states));
                    li { (row(access, links, tag, commit.as_ref(), protected, state.as_ref())) }
                }
            }
        }
    })
}

fn row(
    access: &ProjectAccess,
    links: &Links,
    tag: &RefInfo,
    commit: Option<&git::Commit>,
    protected: bool,
    state: Option<&(ui::Status, String)>,
) -> Markup {
    let name = tag.name.short();
    let message = tag.tag.as_ref().map(|t| t.message.lossy().trim().to_owned()).filter(|m| !m.is_empty());
    let may_delete = access.can(Permission::PushCode) && (!protected || access.level >= level::MAINTAINER);
    let archive =
        links.at("archive", &name, [access.project.path.as_bytes(), b"-", &name.replace_slashes(), b".zip"].concat());
    html! {
        (icon("tag"))
        div.grow {
            span.line.tight {
                a.plain.mono href=(links.at("tree", &name, "")) { b { (name.lossy()) } }
                @if protected { (parts::tag_icon("lock", "protected")) }
                @if tag.tag.as_ref().is_some_and(|t| t.signature.is_some()) { (parts::tag_icon("key", "signed")) }
            }
            @if let Some(message) = &message { span.soft.tag-message { (message) } }
            @if let Some(commit) = commit {
                span.meta {
                    a.plain.mono href=(links.commit(commit.id)) { (commit.id.short()) }
                    span.cut { (history::title(commit)) } span { (format::time(micros(commit.committer.time))) }
                }
            }
        }
        @if let Some((state, href)) = state { (ui::status::status_link(*state, href)) }
        @if commit.is_some() { a.btn.quiet.small.icon.wide-only href=(archive) download aria-label={ "Download " (name.lossy()) } title="Download" { (icon("save")) } }
        @if may_delete {
            form.inline method="post" action=(links.at("delete_tag", &name, "")) data-confirm={ "Delete the tag " (name.lossy()) "?" } {
                button.btn.quiet.small.icon.danger type="submit" aria-label={ "Delete " (name.lossy()) } title="Delete" { (icon("trash")) }
            }
        }
    }
}

/// Names as they stand in names of files.
trait FileName {
    fn replace_slashes(&self) -> Vec<u8>;
}

impl FileName for git::ByteString {
    fn replace_slashes(&self) -> Vec<u8> {
        self.iter().map(|b| if *b == b'/' { b'-' } else { *b }).collect()
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct New {
    name: String,
    from: String,
    message: String,
}

pub(crate) async fn new(
    State(app): State<App>,
    access: ProjectAccess,
    Query(mut wanted): Query<New>,
) -> Result<Response> {
    code(&app, &access).await?;
    access.may(Permission::PushCode)?;
    if wanted.from.is_empty() {
        wanted.from = access.project.branch().to_owned();
    }
    Ok(new_page(&app, &access, &wanted, None))
}

fn new_page(app: &App, access: &ProjectAccess, wanted: &New, error: Option<&str>) -> Response {
    let links = Links::of(&access.project);
    let body = html! {
        (parts::head(&html! { "New tag" }, &html! {}, &html! {}))
        form.stack.narrow-form method="post" action=(links.page("tags")) {
            (Field { name: "name", label: "Name", value: &wanted.name, error, required: true, autofocus: true, mono: true, hint: "Versions often look like v1.2.0.", ..Field::default() }.input())
            (Field { name: "from", label: "Marks", value: &wanted.from, required: true, mono: true, hint: "A branch, a tag or a commit.", ..Field::default() }.input())
            (Field { name: "message", label: "Message", value: &wanted.message, rows: 5, hint: "With a message, the tag also says who made it and when.", ..Field::default() }.textarea())
            (form::actions("Create tag", Some((&links.page("tags"), "Cancel"))))
        }
    };
    let status = if error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    (status, Page { body, ..project_page(app, access, "New tag", "tags") }.render()).into_response()
}

pub(crate) async fn create(
    State(app): State<App>,
    access: ProjectAccess,
    Params(wanted): Params<New>,
) -> Result<Response> {
    let repo = code(&app, &access).await?;
    access.may(Permission::PushCode)?;
    match make(&app, &access, &repo, &wanted).await {
        Ok(()) => {
            let text = format!("The tag {} is made.", wanted.name.trim());
            Ok(redirect_with(&Links::of(&access.project).page("tags"), Tone::Ok, &text))
        }
        Err(e @ (Error::Internal(_) | Error::Unauthenticated)) => Err(e),
        Err(e) => Ok(new_page(&app, &access, &wanted, Some(&sentence(&e)))),
    }
}

async fn make(app: &App, access: &ProjectAccess, repo: &Repo, wanted: &New) -> Result<()> {
    let (name, from) = (wanted.name.trim(), wanted.from.trim());
    let refname = RefName::tag(name).map_err(|_| bad_name(name))?;
    if repo.find_ref(&refname).await.is_ok() {
        return Err(Error::Conflict(format!("There is a tag called {name} already.")));
    }
    let missing = |_| Error::bad_request(format!("{from} is no branch, tag or commit of this project."));
    let commit = repo.resolve(from).await.map_err(missing)?.commit;
    let message = wanted.message.replace("\r\n", "\n");
    let target = match message.trim() {
        "" => commit,
        text => {
            repo.write_tag(&refname, commit, signature(&access.actor)?, text.as_bytes().to_vec()).await.or_status()?
        }
    };
    let change = RefChange { name: refname, old: Some(Oid::zero()), new: target };
    update_refs_as(app, access, vec![change], Source::Web).await
}

/// `/-/delete_tag/NAME`
pub(crate) async fn delete(State(app): State<App>, access: ProjectAccess, Rest(rest): Rest) -> Result<Response> {
    let repo = code(&app, &access).await?;
    access.may(Permission::PushCode)?;
    let found = repo.find_ref(&RefName::new([b"refs/tags/", &rest[..]].concat()).or_404()?).await.or_404()?;
    let change = RefChange { name: found.name.clone(), old: Some(found.target), new: Oid::zero() };
    let (back, name) = (Links::of(&access.project).page("tags"), found.name.short());
    match update_refs_as(&app, &access, vec![change], Source::Web).await {
        Ok(()) => Ok(redirect_with(
            &back,
            Tone::Ok,
            &format!("The tag {name} is deleted. It was at {}.", found.target.short()),
        )),
        Err(e @ (Error::Internal(_) | Error::Unauthenticated)) => Err(e),
        Err(e) => Ok(redirect_with(&back, Tone::Bad, &sentence(&e))),
    }
}

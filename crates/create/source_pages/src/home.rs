//! A project's own page: its files, its README and what is good to know of it.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use kernel::{App, Error, Result};
use projects::shell::project_page;
use projects::{Permission, Project, ProjectAccess, Visibility, popularity};
use ui::parts;
use ui::{Markup, Page, Tone, html, icon};

use crate::links::Links;
use crate::place::Spot;
use crate::tree::{Listing, toolbar};
use crate::{aside, empty, readme};

pub(crate) async fn show(State(app): State<App>, access: ProjectAccess) -> Result<Response> {
    let head = head(&app, &access).await?;
    let project = &access.project;
    if matches!(project.import_status.as_str(), "scheduled" | "started") {
        return Ok(importing(&app, &access, &head));
    }
    if !access.can(Permission::ReadCode) {
        return Ok(without_code(&app, &access, &head));
    }
    if project.empty_repo {
        let body = html! { (head) (empty::body(&app, &access)) };
        return Ok(Page { body, ..project_page(&app, &access, &project.name, "home") }.render().into_response());
    }
    files(&app, access.clone(), &head).await
}

async fn files(app: &App, access: ProjectAccess, head: &Markup) -> Result<Response> {
    let default = access.project.branch().as_bytes().to_vec();
    let spot = match Spot::of_ref(app, access.clone(), &default).await {
        Err(Error::NotFound(_)) => return Ok(without_default(app, &access, head)),
        found => found?,
    };
    let (tools, listing) = tokio::join!(toolbar(app, &spot), Listing::read(app, &spot, 1));
    let (tools, listing) = (tools?, listing?);
    let (readme, side) = tokio::join!(readme::of(&spot, &listing.entries), aside::of(app, &spot, &listing.entries));
    let (readme, side) = (readme?, side?);
    let body = html! {
        (head)
        div.with-aside {
            div.stack {
                (tools)
                (listing.table(&spot))
                @match &readme {
                    Some(readme) => (readme.panel(&spot)),
                    None if spot.can_edit() => (no_readme(&spot)),
                    None => {}
                }
            }
            aside.side aria-label="About this project" { (side) }
        }
    };
    let name = spot.access.project.name.clone();
    let page = Page { body, head: Some(go_import(app, &spot.access.project)), ..spot.page(app, "tree", &name, "home") };
    Ok(page.render().into_response())
}

/// Tells `go get` where a module is.
fn go_import(app: &App, project: &Project) -> Markup {
    let path = project.url(app, "");
    let module = path.split_once("://").map_or(path.as_str(), |(_, rest)| rest);
    html! { meta name="go-import" content={ (module) " git " (project.http_url(app)) }; }
}

fn no_readme(spot: &Spot) -> Markup {
    let href = format!("{}?path=README.md", spot.other("new", ""));
    let text = "A README says what this is for and how to begin. It is shown here.";
    html! { section.panel { (parts::Empty { icon: "book", title: "No README yet", text, action: Some((&href, "Write one")), ..parts::Empty::default() }.render()) } }
}

/// Name, visibility, stars and forks, description.
pub(crate) async fn head(app: &App, access: &ProjectAccess) -> Result<Markup> {
    let project = &access.project;
    let (starred, forks) = popularity(app, access).await?;
    let origin = match project.forked_from_id {
        Some(id) => visible(app, access, id).await?,
        None => None,
    };
    let title = html! { (project.name) " " (visibility(project)) @if project.archived { " " (parts::tag_icon("box", "Archived")) } };
    let below = html! {
        @if !project.description.is_empty() { p.soft { (project.description) } }
        @if let Some(origin) = &origin { p.soft { "Forked from " a href={ "/" (origin.full_path) } { (origin.full_path) } } }
        @if !project.topics().is_empty() { div.line.tight { @for topic in project.topics() { (parts::tag(&topic)) } } }
    };
    Ok(html! {
        (parts::head(&title, &buttons(access, starred, forks), &Markup::default()))
        @if !below.0.is_empty() { div.stack.tight.under { (below) } }
        @if project.archived { (parts::alert(Tone::Warn, &html! { "This project is archived. It can be read, but nothing in it can be changed." })) }
        @if project.import_status == "failed" { (failed(project)) }
    })
}

async fn visible(app: &App, access: &ProjectAccess, id: i64) -> Result<Option<Project>> {
    let Some(project) = Project::find(app.db().conn(), id).await? else { return Ok(None) };
    Ok(ProjectAccess::of(app, access.actor.clone(), project).await.ok().map(|a| a.project))
}

fn visibility(project: &Project) -> Markup {
    match project.visibility() {
        Visibility::Private => parts::tag_icon("lock", "Private"),
        Visibility::Internal => parts::tag_icon("lock", "Internal"),
        Visibility::Public => parts::tag_icon("globe", "Public"),
    }
}

fn buttons(access: &ProjectAccess, starred: bool, forks: i64) -> Markup {
    let links = Links::of(&access.project);
    let stars = html! { (icon("star")) (if starred { "Starred" } else { "Star" }) " " (parts::badge(access.project.star_count)) };
    let may_fork =
        access.can(Permission::ForkProject) && access.can(Permission::ReadCode) && !access.project.empty_repo;
    html! {
        @if access.actor.known().is_some() {
            form.inline method="post" action=(links.page(if starred { "unstar" } else { "star" })) {
                button.btn type="submit" aria-pressed=(starred) { (stars) }
            }
        } @else {
            a.btn href={ "/users/sign_in?redirect_to=" (crate::links::query(&links.root)) } { (stars) }
        }
        @if may_fork { a.btn href=(links.page("forks/new")) { (icon("fork")) "Fork " (parts::badge(forks)) } }
    }
}

fn importing(app: &App, access: &ProjectAccess, head: &Markup) -> Response {
    let project = &access.project;
    let what =
        if project.forked_from_id.is_some() { "The fork is being made" } else { "The repository is being imported" };
    let progress = project.import_progress.as_deref().unwrap_or("It begins in a moment.");
    let text = format!("{progress} This page looks again by itself.");
    let body = html! { (head) section.panel { (parts::Empty { icon: "clock", title: what, text: &text, ..parts::Empty::default() }.render()) } };
    let refresh = html! { meta http-equiv="refresh" content="3"; };
    let page = Page { body, head: Some(refresh), ..project_page(app, access, &project.name, "home") };
    page.render().into_response()
}

fn failed(project: &Project) -> Markup {
    let why = project.import_error.as_deref().unwrap_or("The server does not know why.");
    parts::alert(Tone::Bad, &html! { b { "The import failed." } " " (why) })
}

/// A repository that has branches, but not the one that it should begin with.
fn without_default(app: &App, access: &ProjectAccess, head: &Markup) -> Response {
    let title = format!("There is no branch {}", access.project.branch());
    let text = "It is the default branch of this project. A maintainer can choose another one in the settings.";
    let branches = Links::of(&access.project).page("branches");
    let action = Some((branches.as_str(), "See the branches"));
    let empty = parts::Empty { icon: "branch", title: &title, text, action, ..parts::Empty::default() };
    let body = html! { (head) section.panel { (empty.render()) } };
    Page { body, ..project_page(app, access, &access.project.name, "home") }.render().into_response()
}

fn without_code(app: &App, access: &ProjectAccess, head: &Markup) -> Response {
    let text = "Its code is for members from reporter on. An owner or maintainer can make you one.";
    let empty = parts::Empty {
        icon: "lock",
        title: "You may not see the code of this project",
        text,
        ..parts::Empty::default()
    };
    let body = html! { (head) section.panel { (empty.render()) } };
    Page { body, ..project_page(app, access, &access.project.name, "home") }.render().into_response()
}

//! One's own projects and groups, and those of everybody.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use kernel::http::{Paging, Query};
use kernel::{App, Result};
use serde::Deserialize;
use ui::parts::Empty;
use ui::{Crumb, Item, Markup, html, parts};

use accounts::Actor;
use accounts::shell::{home_page, redirect};

use super::feed;
use super::parts::{filter_form, group_counts, group_row, paging as page_links, project_row, rows};
use crate::group_list::{GroupFilters, GroupOrder};
use crate::list::{Conditions, ProjectFilters, ProjectOrder, Sort};

#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    name: String,
    #[serde(default)]
    sort: String,
    topic: Option<String>,
}

/// Word in the address, word on the page, order.
const PROJECT_ORDERS: &[(&str, &str, ProjectOrder, Sort)] = &[
    ("latest_activity_desc", "Last active", ProjectOrder::LastActivityAt, Sort::Desc),
    ("name_asc", "Name", ProjectOrder::Name, Sort::Asc),
    ("created_desc", "Newest", ProjectOrder::CreatedAt, Sort::Desc),
    ("created_asc", "Oldest", ProjectOrder::CreatedAt, Sort::Asc),
    ("stars_desc", "Most stars", ProjectOrder::StarCount, Sort::Desc),
];

const GROUP_ORDERS: &[(&str, &str, GroupOrder, Sort)] = &[
    ("name_asc", "Name", GroupOrder::Name, Sort::Asc),
    ("name_desc", "Name, from Z", GroupOrder::Name, Sort::Desc),
    ("created_desc", "Newest", GroupOrder::Id, Sort::Desc),
    ("created_asc", "Oldest", GroupOrder::Id, Sort::Asc),
];

pub(super) async fn root(actor: Actor) -> Response {
    redirect(if actor.known().is_some() { "/dashboard/projects" } else { "/users/sign_in" })
}

/// What a page with a list of projects is.
struct Listing {
    title: &'static str,
    path: &'static str,
    key: &'static str,
    filters: ProjectFilters,
    explore: bool,
}

fn project_tabs(current: &str, explore: bool) -> Markup {
    let all = match explore {
        true => [("Projects", "/explore"), ("Groups", "/explore/groups"), ("", "")],
        false => {
            [("Yours", "/dashboard/projects"), ("Starred", "/dashboard/projects/starred"), ("Explore", "/explore")]
        }
    };
    let items: Vec<Item> = all
        .iter()
        .filter(|(t, _)| !t.is_empty())
        .map(|(t, href)| Item::new(*t, *href).current(*href == current))
        .collect();
    parts::tabs("Lists of projects", &items)
}

async fn project_list(app: &App, actor: &Actor, asked: &Asked, paging: &Paging, listing: Listing) -> Result<Response> {
    let order = PROJECT_ORDERS.iter().find(|o| o.0 == asked.sort).unwrap_or(&PROJECT_ORDERS[0]);
    let filters = ProjectFilters {
        search: Some(asked.name.clone()),
        search_namespaces: Some(true),
        order_by: Some(order.2),
        sort: Some(order.3),
        topic: asked.topic.clone().into_iter().collect(),
        ..listing.filters
    };
    let (projects, total) = filters.page(app, filters.conditions(actor)?, paging).await?;
    let shown: Vec<Markup> = projects.iter().map(project_row).collect();
    let mut page = home_page(app, actor, listing.title, listing.key);
    page.crumbs = vec![Crumb::new(listing.title, listing.path)];
    let orders: Vec<(&str, &str)> = PROJECT_ORDERS.iter().map(|o| (o.0, o.1)).collect();
    let topic = asked.topic.as_deref().unwrap_or_default();
    let mut kept = vec![("name", asked.name.as_str()), ("sort", order.0)];
    if !topic.is_empty() {
        kept.push(("topic", topic));
    }
    let new = if actor.known().is_some() {
        parts::primary_link("/projects/new", "plus", "New project")
    } else {
        html! {}
    };
    page.body = html! {
        (parts::head(&html! { (listing.title) @if !topic.is_empty() { ": " (topic) } }, &new, &html! {}))
        div.stack {
            (project_tabs(listing.path, listing.explore))
            @if total > 0 || !asked.name.is_empty() {
                (filter_form(listing.path, "projects", &asked.name, &orders, order.0, &kept[2..]))
            }
            @if shown.is_empty() { (empty(app, actor, &asked.name, listing.path)) }
            @else { (rows("projects", &shown)) }
            (page_links(paging, total, listing.path, &kept))
        }
    };
    Ok(page.render().into_response())
}

fn empty(app: &App, actor: &Actor, name: &str, path: &str) -> Markup {
    if !name.is_empty() {
        return Empty { icon: "search", title: "No project matches", text: "Try a shorter word.", ..Empty::default() }
            .render();
    }
    match (path, actor.known()) {
        ("/dashboard/projects", Some(user)) => {
            let command = format!("git push {} main", app.config().link(&format!("/{}/hello.git", user.username)));
            Empty {
                icon: "folder",
                title: "No projects yet",
                text: "Push a repository you have to a path of yours, and the project is there. Or start with an empty one.",
                command: Some(&command),
                action: Some(("/projects/new", "New project")),
            }
            .render()
        }
        ("/dashboard/projects/starred", _) => {
            let text = "A star on a project's page puts it here.";
            Empty {
                icon: "star",
                title: "Nothing starred yet",
                text,
                action: Some(("/explore", "Explore projects")),
                ..Empty::default()
            }
            .render()
        }
        _ => {
            let text = "Projects that their owners made public or internal are listed here.";
            Empty { icon: "globe", title: "Nothing to explore yet", text, ..Empty::default() }.render()
        }
    }
}

pub(super) async fn own_projects(
    State(app): State<App>,
    actor: Actor,
    Query(asked): Query<Asked>,
    paging: Paging,
) -> Result<Response> {
    actor.user()?;
    let filters = ProjectFilters { membership: Some(true), ..ProjectFilters::default() };
    let listing = Listing { title: "Projects", path: "/dashboard/projects", key: "projects", filters, explore: false };
    project_list(&app, &actor, &asked, &paging, listing).await
}

pub(super) async fn starred_projects(
    State(app): State<App>,
    actor: Actor,
    Query(asked): Query<Asked>,
    paging: Paging,
) -> Result<Response> {
    actor.user()?;
    let filters = ProjectFilters { starred: Some(true), ..ProjectFilters::default() };
    let listing = Listing {
        title: "Starred projects",
        path: "/dashboard/projects/starred",
        key: "projects",
        filters,
        explore: false,
    };
    project_list(&app, &actor, &asked, &paging, listing).await
}

pub(super) async fn explore_projects(
    State(app): State<App>,
    actor: Actor,
    Query(asked): Query<Asked>,
    paging: Paging,
) -> Result<Response> {
    let listing = Listing {
        title: "Explore",
        path: "/explore",
        key: "explore",
        filters: ProjectFilters::default(),
        explore: true,
    };
    project_list(&app, &actor, &asked, &paging, listing).await
}

async fn group_list(app: &App, actor: &Actor, asked: &Asked, paging: &Paging, explore: bool) -> Result<Response> {
    let (title, path, key) = if explore {
        ("Explore groups", "/explore/groups", "explore")
    } else {
        ("Groups", "/dashboard/groups", "groups")
    };
    let order = GROUP_ORDERS.iter().find(|o| o.0 == asked.sort).unwrap_or(&GROUP_ORDERS[0]);
    let filters = GroupFilters {
        search: Some(asked.name.clone()),
        order_by: Some(order.2),
        sort: Some(order.3),
        all_available: Some(explore),
        ..GroupFilters::default()
    };
    let (groups, total) = filters.page(app, filters.conditions(actor)?, paging).await?;
    let counts = group_counts(app, actor, &groups).await?;
    let shown: Vec<Markup> = groups.iter().zip(counts).map(|(g, c)| group_row(g, c)).collect();
    let mut page = home_page(app, actor, title, key);
    page.crumbs = vec![Crumb::new(title, path)];
    let may = actor.known().is_some_and(|u| u.can_create_group || actor.is_admin());
    let new = if may {
        parts::primary_link("/groups/new", "plus", "New group")
    } else {
        html! {}
    };
    let orders: Vec<(&str, &str)> = GROUP_ORDERS.iter().map(|o| (o.0, o.1)).collect();
    let none = Empty {
        icon: "people",
        title: if asked.name.is_empty() { "No groups yet" } else { "No group matches" },
        text: "A group holds projects and the people who work on them together.",
        action: may.then_some(("/groups/new", "New group")),
        ..Empty::default()
    };
    page.body = html! {
        (parts::head(&html! { (title) }, &new, &html! {}))
        div.stack {
            @if explore { (project_tabs(path, true)) }
            @if total > 0 || !asked.name.is_empty() { (filter_form(path, "groups", &asked.name, &orders, order.0, &[])) }
            @if shown.is_empty() { (none.render()) } @else { (rows("groups", &shown)) }
            (page_links(paging, total, path, &[("name", &asked.name), ("sort", order.0)]))
        }
    };
    Ok(page.render().into_response())
}

pub(super) async fn own_groups(
    State(app): State<App>,
    actor: Actor,
    Query(asked): Query<Asked>,
    paging: Paging,
) -> Result<Response> {
    actor.user()?;
    group_list(&app, &actor, &asked, &paging, false).await
}

pub(super) async fn explore_groups(
    State(app): State<App>,
    actor: Actor,
    Query(asked): Query<Asked>,
    paging: Paging,
) -> Result<Response> {
    group_list(&app, &actor, &asked, &paging, true).await
}

pub(super) async fn activity(State(app): State<App>, actor: Actor, paging: Paging) -> Result<Response> {
    let user = actor.user()?.id;
    let mut c = Conditions::default();
    c.and(format!("(v.author_id = {user} OR {})", crate::access::member_projects(user)));
    let (rows, more) = feed::feed(&app, &actor, c, paging.limit(), paging.offset()).await?;
    let mut page = home_page(&app, &actor, "Activity", "activity");
    page.crumbs = vec![Crumb::new("Activity", "/dashboard/activity")];
    page.body = html! {
        (parts::head(&html! { "Activity" }, &html! {}, &html! { "What happened in your projects." }))
        (feed::panel("Latest", &rows))
        (feed::paging("/dashboard/activity", &paging, more))
    };
    Ok(page.render().into_response())
}

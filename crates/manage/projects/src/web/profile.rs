//! The profile of a person.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use kernel::http::{Paging, Query};
use kernel::{App, Error, Result, Time};
use sea_orm::FromQueryResult;
use serde::Deserialize;
use ui::parts::Empty;
use ui::{Crumb, Item, Markup, format, html, parts};

use accounts::shell::home_page;
use accounts::{Actor, User};

use super::feed;
use super::parts::{group_counts, group_row, paging as page_links, project_row, rows};
use crate::access::member_groups_at;
use crate::activity::visible_activities;
use crate::group_list::GroupFilters;
use crate::level;
use crate::list::{Conditions, ProjectFilters, ProjectOrder};

#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    tab: String,
}

const TABS: &[(&str, &str)] = &[
    ("", "Overview"),
    ("activity", "Activity"),
    ("projects", "Projects"),
    ("starred", "Starred"),
    ("groups", "Groups"),
];

pub(super) async fn show(
    State(app): State<App>,
    actor: Actor,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
    paging: Paging,
) -> Result<Response> {
    let user = User::by_username(app.db().conn(), &name).await?.ok_or_else(|| Error::not_found("User"))?;
    if user.state == "blocked_pending_approval" && !actor.is_admin() {
        return Err(Error::not_found("User"));
    }
    let open = !user.private_profile || actor.is_admin() || actor.id() == Some(user.id);
    let tab = TABS.iter().find(|(t, _)| *t == asked.tab).map_or("", |(t, _)| t);
    let mut page = home_page(&app, &actor, &user.name, "");
    page.crumbs = vec![Crumb::new(user.username.clone(), user.path())];
    let content = if open { content(&app, &actor, &user, tab, &paging).await? } else { private() };
    page.body = html! {
        (head(&actor, &user, open))
        @if open {
            (parts::tabs("Profile", &TABS.iter().map(|(t, title)| {
                let href = if t.is_empty() { user.path() } else { format!("{}?tab={t}", user.path()) };
                Item::new(*title, href).current(*t == tab)
            }).collect::<Vec<_>>()))
        }
        div.stack.wide { (content) }
    };
    Ok(page.render().into_response())
}

fn private() -> Markup {
    Empty {
        icon: "lock",
        title: "This profile is private",
        text: "Its owner keeps activity, projects and groups to themselves.",
        ..Empty::default()
    }
    .render()
}

fn head(actor: &Actor, user: &User, open: bool) -> Markup {
    let title = html! { (parts::avatar_large(&user.name, user.avatar_path().as_deref())) " " (user.name)
        @if !user.pronouns.is_empty() && open { " " span.soft { "(" (user.pronouns) ")" } }
        @if !user.is_active() { " " (parts::tag("Blocked")) }
        @if user.bot { " " (parts::tag("Bot")) }
    };
    let own = actor.id() == Some(user.id);
    let actions = html! {
        @if own { (parts::link_button("/-/user_settings/profile", "pencil", "Edit profile")) }
        @if actor.is_admin() && !own { (parts::link_button(&format!("/admin/users/{}", user.username), "server", "Administer")) }
    };
    parts::head(&title, &actions, &html! { "@" (user.username) @if open { (facts(user)) } })
}

fn facts(user: &User) -> Markup {
    let web =
        |text: &str| url::Url::parse(text).ok().filter(|u| matches!(u.scheme(), "http" | "https")).map(String::from);
    html! {
        @for text in [&user.job_title, &user.organization, &user.location, &user.public_email] {
            @if !text.is_empty() { " · " (text) }
        }
        @if let Some(href) = web(&user.website_url) { " · " a href=(href) rel="nofollow noopener me" { (user.website_url) } }
        " · here since " (format::date(user.created_at.0))
        @if !user.bio.is_empty() { p { (user.bio) } }
    }
}

async fn content(app: &App, actor: &Actor, user: &User, tab: &str, paging: &Paging) -> Result<Markup> {
    match tab {
        "activity" => activity(app, actor, user, paging).await,
        "projects" => {
            let mut c = ProjectFilters::default().conditions(actor)?;
            c.with("p.namespace_id IN (SELECT n.id FROM namespaces n WHERE n.owner_id = {})", user.id);
            projects(app, c, user, tab, paging, "No projects to see here.").await
        }
        "starred" => {
            let mut c = ProjectFilters::default().conditions(actor)?;
            c.with("p.id IN (SELECT s.project_id FROM stars s WHERE s.user_id = {})", user.id);
            projects(app, c, user, tab, paging, "Nothing starred that you may see.").await
        }
        "groups" => groups(app, actor, user, paging).await,
        _ => overview(app, actor, user).await,
    }
}

async fn overview(app: &App, actor: &Actor, user: &User) -> Result<Markup> {
    let calendar = calendar(app, actor, user).await?;
    let mut c = Conditions::default();
    c.with("v.author_id = {}", user.id);
    let (feed, _) = feed::feed(app, actor, c, 10, 0).await?;
    let filters = ProjectFilters { order_by: Some(ProjectOrder::LastActivityAt), ..ProjectFilters::default() };
    let mut c = filters.conditions(actor)?;
    c.with("p.namespace_id IN (SELECT n.id FROM namespaces n WHERE n.owner_id = {})", user.id);
    let sql = format!("SELECT p.* FROM projects p WHERE {} ORDER BY p.last_activity_at DESC LIMIT 6", c.sql());
    let own: Vec<crate::Project> = app.db().all(&sql, c.values).await?;
    Ok(html! {
        (calendar)
        div.halves {
            (feed::panel("Latest activity", &feed))
            (parts::panel_rows("own", "Projects", &html! {
                @if own.is_empty() { div.body { p.soft { "No projects to see here." } } }
                @else { (parts::rows(&own.iter().map(project_row).collect::<Vec<_>>())) }
            }))
        }
    })
}

#[derive(FromQueryResult)]
struct Day {
    day: i64,
    n: i64,
}

const MICROS_PER_DAY: i64 = 86_400_000_000;
const DAYS: i64 = 365;

/// A year of activity, of which only that is counted which the reader may see.
async fn calendar(app: &App, actor: &Actor, user: &User) -> Result<Markup> {
    let today = Time::now().0.div_euclid(MICROS_PER_DAY);
    let first = today - DAYS + 1;
    let sql = format!(
        "SELECT v.created_at / {MICROS_PER_DAY} AS day, COUNT(*) AS n FROM activities v LEFT JOIN projects p ON p.id = v.project_id
         WHERE v.author_id = $1 AND v.created_at >= $2 AND {} GROUP BY v.created_at / {MICROS_PER_DAY}",
        visible_activities(actor)
    );
    let found: Vec<Day> = app.db().all(&sql, [user.id.into(), (first * MICROS_PER_DAY).into()]).await?;
    let mut days = vec![0_u32; usize::try_from(DAYS).unwrap_or(365)];
    for day in &found {
        if let Some(slot) = usize::try_from(day.day - first).ok().and_then(|at| days.get_mut(at)) {
            *slot = u32::try_from(day.n).unwrap_or(u32::MAX);
        }
    }
    let total: i64 = found.iter().map(|d| d.n).sum();
    // The epoch was a Thursday, the fourth day of a week that begins on Monday.
    let weekday = usize::try_from((first + 3).rem_euclid(7)).unwrap_or(0);
    let finding = format!("{} within the last year", format::plural(total, "contribution"));
    Ok(parts::panel("calendar", &finding, &ui::chart::calendar(&finding, &days, weekday)))
}

async fn activity(app: &App, actor: &Actor, user: &User, paging: &Paging) -> Result<Markup> {
    let mut c = Conditions::default();
    c.with("v.author_id = {}", user.id);
    let (rows, more) = feed::feed(app, actor, c, paging.limit(), paging.offset()).await?;
    let link = |n: u64| format!("{}?tab=activity&page={n}", user.path());
    let newer = (paging.page > 1).then(|| link(paging.page - 1));
    let older = more.then(|| link(paging.page + 1));
    Ok(html! { (feed::panel("Activity", &rows)) (parts::pages_keyset(newer.as_deref(), older.as_deref())) })
}

async fn projects(app: &App, c: Conditions, user: &User, tab: &str, paging: &Paging, none: &str) -> Result<Markup> {
    let filters = ProjectFilters { order_by: Some(ProjectOrder::LastActivityAt), ..ProjectFilters::default() };
    let (found, total) = filters.page(app, c, paging).await?;
    let shown: Vec<Markup> = found.iter().map(project_row).collect();
    Ok(html! {
        @if shown.is_empty() { p.soft { (none) } } @else { (ui::form::filter("list", "Filter by name")) (rows("list", &shown)) }
        (page_links(paging, total, &user.path(), &[("tab", tab)]))
    })
}

async fn groups(app: &App, actor: &Actor, user: &User, paging: &Paging) -> Result<Markup> {
    let filters = GroupFilters::default();
    let mut c = filters.conditions(actor)?;
    c.and(member_groups_at(user.id, level::GUEST));
    let (found, total) = filters.page(app, c, paging).await?;
    let counts = group_counts(app, actor, &found).await?;
    let shown: Vec<Markup> = found.iter().zip(counts).map(|(g, c)| group_row(g, c)).collect();
    Ok(html! {
        @if shown.is_empty() { p.soft { "No groups to see here." } } @else { (rows("list", &shown)) }
        (page_links(paging, total, &user.path(), &[("tab", "groups")]))
    })
}

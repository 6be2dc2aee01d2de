//! The admin area: health, projects and groups of the instance.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use kernel::db::Sql;
use kernel::http::{Paging, Query};
use kernel::{App, Error, Result, Time};
use sea_orm::FromQueryResult;
use serde::Deserialize;
use ui::parts::Empty;
use ui::{Markup, Tone, format, html, parts};

use accounts::Actor;
use accounts::shell::admin_page;

use super::parts::{filter_form, group_counts, group_row, paging as page_links, project_row, rows};
use crate::group_list::{GroupFilters, GroupOrder};
use crate::list::{ProjectFilters, ProjectOrder, Sort};

/// A line of the admin overview that another area knows, such as how jobs are isolated.
#[async_trait]
pub trait HealthFact: Send + Sync {
    /// The name of the line.
    fn name(&self) -> &'static str;

    /// Its value, in words.
    async fn value(&self, app: &App) -> Result<String>;
}

/// The lines that areas brought; registered when the program is composed.
#[derive(Default)]
pub struct HealthFacts(pub Vec<Arc<dyn HealthFact>>);

/// Refuses those who don't administer the instance and needn't know of this area.
pub(super) fn admin_only(actor: &Actor) -> Result<()> {
    actor.user()?;
    if actor.is_admin() { Ok(()) } else { Err(Error::not_found("Page")) }
}

#[derive(FromQueryResult)]
struct Counts {
    users: i64,
    blocked: i64,
    pending: i64,
    groups: i64,
    projects: i64,
    bytes: i64,
    waiting: i64,
    running: i64,
    failed: i64,
}

async fn counts(app: &App) -> Result<Counts> {
    let sql = "SELECT (SELECT COUNT(*) FROM users) AS users,
        (SELECT COUNT(*) FROM users WHERE state IN ('blocked', 'banned')) AS blocked,
        (SELECT COUNT(*) FROM users WHERE state = 'blocked_pending_approval') AS pending,
        (SELECT COUNT(*) FROM namespaces WHERE kind = 'group') AS groups,
        (SELECT COUNT(*) FROM projects) AS projects,
        (SELECT CAST(COALESCE(SUM(repository_size), 0) AS BIGINT) FROM projects) AS bytes,
        (SELECT COUNT(*) FROM jobs WHERE state = 'ready' AND run_at <= $1) AS waiting,
        (SELECT COUNT(*) FROM jobs WHERE state = 'running') AS running,
        (SELECT COUNT(*) FROM jobs WHERE state = 'failed') AS failed";
    app.db().one(sql, [Time::now().into()]).await?.ok_or_else(|| Error::not_found("Page"))
}

pub(super) async fn overview(State(app): State<App>, actor: Actor) -> Result<Response> {
    admin_only(&actor)?;
    let counts = counts(&app).await?;
    let server = server_facts(&app).await?;
    let mut page = admin_page(&app, &actor, "Overview", "overview");
    page.body = html! {
        (parts::head(&html! { "Overview" }, &html! {}, &html! {}))
        div.stack.wide {
            @if counts.failed > 0 {
                (parts::alert_with(Tone::Warn, &html! { (format::plural(counts.failed, "background job")) " failed for good." },
                    &parts::link_button("/admin/jobs?state=failed", "", "Look at them")))
            }
            @if counts.pending > 0 {
                (parts::alert_with(Tone::Info, &html! { (format::plural(counts.pending, "person")) " " (if counts.pending == 1 { "waits" } else { "wait" }) " for approval." },
                    &parts::link_button("/admin/users?filter=pending", "", "Decide")))
            }
            div.halves {
                (parts::panel("content", "What is here", &content(&counts)))
                (parts::panel("server", "Server", &parts::facts(&server.iter().map(|(n, v)| (*n, html! { (v) })).collect::<Vec<_>>())))
            }
        }
    };
    Ok(page.render().into_response())
}

fn content(counts: &Counts) -> Markup {
    let link = |href: &str, n: i64| html! { a href=(href) { (format::count(n)) } };
    parts::facts(&[
        (
            "Users",
            html! { (link("/admin/users", counts.users)) @if counts.blocked > 0 { ", " (format::count(counts.blocked)) " of them blocked" } },
        ),
        ("Groups", link("/admin/groups", counts.groups)),
        ("Projects", link("/admin/projects", counts.projects)),
        ("Repositories", html! { (format::bytes(u64::try_from(counts.bytes).unwrap_or(0))) }),
        ("Jobs waiting", link("/admin/jobs", counts.waiting)),
        ("Jobs running", link("/admin/jobs?state=running", counts.running)),
        ("Jobs failed", link("/admin/jobs?state=failed", counts.failed)),
    ])
}

async fn server_facts(app: &App) -> Result<Vec<(&'static str, String)>> {
    let git = git::version().await.map_or_else(|e| format!("not usable: {e}"), |v| v.to_string());
    let mut facts = vec![
        ("Version", format!("Tidemill {}", env!("CARGO_PKG_VERSION"))),
        ("Running for", format::duration(Time::now().since(app.started()).as_secs_f64().floor())),
        ("Address", app.config().url.to_string()),
        ("Database", database(app).await?),
        ("git", git),
    ];
    let data = app.config().data.clone();
    facts.push(("Data folder", data.display().to_string()));
    facts.push(("Disk", tokio::task::spawn_blocking(move || disk(&data)).await?));
    for fact in app.get::<HealthFacts>().iter().flat_map(|f| &f.0) {
        facts.push((fact.name(), fact.value(app).await?));
    }
    Ok(facts)
}

async fn database(app: &App) -> Result<String> {
    let (name, version, size) = match app.db().is_postgres() {
        true => {
            ("PostgreSQL", "SELECT current_setting('server_version')", "SELECT pg_database_size(current_database())")
        }
        false => (
            "SQLite",
            "SELECT sqlite_version()",
            "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
        ),
    };
    let conn = app.db().conn();
    let version = conn.scalar::<String>(version, []).await?.unwrap_or_default();
    let size = conn.scalar::<i64>(size, []).await?.unwrap_or(0);
    Ok(format!("{name} {version}, {}", format::bytes(u64::try_from(size).unwrap_or(0))))
}

/// How much room there is where the data folder is.
fn disk(folder: &PathBuf) -> String {
    match nix::sys::statvfs::statvfs(folder) {
        Ok(found) => {
            let bytes = |blocks| found.fragment_size().saturating_mul(blocks);
            format!(
                "{} free of {}",
                format::bytes(bytes(found.blocks_available())),
                format::bytes(bytes(found.blocks()))
            )
        }
        Err(e) => format!("unknown: {e}"),
    }
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    name: String,
    #[serde(default)]
    sort: String,
}

pub(super) async fn projects(
    State(app): State<App>,
    actor: Actor,
    Query(asked): Query<Asked>,
    paging: Paging,
) -> Result<Response> {
    admin_only(&actor)?;
    const ORDERS: &[(&str, &str)] =
        &[("activity", "Last active"), ("name", "Name"), ("size", "Largest"), ("created", "Newest")];
    let order = ORDERS.iter().find(|o| o.0 == asked.sort).unwrap_or(&ORDERS[0]).0;
    let (by, sort) = match order {
        "name" => (ProjectOrder::Name, Sort::Asc),
        "size" => (ProjectOrder::RepositorySize, Sort::Desc),
        "created" => (ProjectOrder::CreatedAt, Sort::Desc),
        _ => (ProjectOrder::LastActivityAt, Sort::Desc),
    };
    let filters = ProjectFilters {
        search: Some(asked.name.clone()),
        search_namespaces: Some(true),
        order_by: Some(by),
        sort: Some(sort),
        ..ProjectFilters::default()
    };
    let (found, total) = filters.page(&app, filters.conditions(&actor)?, &paging).await?;
    let shown: Vec<Markup> = found
        .iter()
        .map(|p| {
            html! {
                (project_row(p))
                span.faint.num { (format::bytes(u64::try_from(p.repository_size).unwrap_or(0))) }
                (parts::link_button(&format!("/{}/-/edit", p.full_path), "settings", "Settings"))
            }
        })
        .collect();
    let mut page = admin_page(&app, &actor, "Projects", "projects");
    page.body = html! {
        (parts::head(&html! { "Projects" }, &parts::primary_link("/projects/new", "plus", "New project"), &html! { (format::plural(total, "project")) }))
        div.stack {
            (filter_form("/admin/projects", "projects", &asked.name, ORDERS, order, &[]))
            @if shown.is_empty() { (Empty { icon: "folder", title: "No projects here", ..Empty::default() }.render()) } @else { (rows("projects", &shown)) }
            (page_links(&paging, total, "/admin/projects", &[("name", &asked.name), ("sort", order)]))
        }
    };
    Ok(page.render().into_response())
}

pub(super) async fn groups(
    State(app): State<App>,
    actor: Actor,
    Query(asked): Query<Asked>,
    paging: Paging,
) -> Result<Response> {
    admin_only(&actor)?;
    const ORDERS: &[(&str, &str)] = &[("name", "Name"), ("created", "Newest")];
    let order = ORDERS.iter().find(|o| o.0 == asked.sort).unwrap_or(&ORDERS[0]).0;
    let (by, sort) = if order == "created" { (GroupOrder::Id, Sort::Desc) } else { (GroupOrder::Name, Sort::Asc) };
    let filters = GroupFilters {
        search: Some(asked.name.clone()),
        order_by: Some(by),
        sort: Some(sort),
        ..GroupFilters::default()
    };
    let (found, total) = filters.page(&app, filters.conditions(&actor)?, &paging).await?;
    let counts = group_counts(&app, &actor, &found).await?;
    let shown: Vec<Markup> = found
        .iter()
        .zip(counts)
        .map(|(g, c)| html! { (group_row(g, c)) (parts::link_button(&format!("/groups/{}/-/edit", g.full_path), "settings", "Settings")) })
        .collect();
    let mut page = admin_page(&app, &actor, "Groups", "groups");
    page.body = html! {
        (parts::head(&html! { "Groups" }, &parts::primary_link("/groups/new", "plus", "New group"), &html! { (format::plural(total, "group")) }))
        div.stack {
            (filter_form("/admin/groups", "groups", &asked.name, ORDERS, order, &[]))
            @if shown.is_empty() { (Empty { icon: "people", title: "No groups here", ..Empty::default() }.render()) } @else { (rows("groups", &shown)) }
            (page_links(&paging, total, "/admin/groups", &[("name", &asked.name), ("sort", order)]))
        }
    };
    Ok(page.render().into_response())
}

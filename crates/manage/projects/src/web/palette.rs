//! What the command palette finds.

use axum::Json;
use axum::extract::State;
use kernel::db::like;
use kernel::http::Query;
use kernel::{App, Error, Result};
use serde::{Deserialize, Serialize};

use accounts::{Actor, User};

use crate::access::{ProjectAccess, member_projects};
use crate::group_list::GroupFilters;
use crate::list::{Conditions, ProjectFilters, ProjectOrder};
use crate::namespace::Namespace;
use crate::project::Project;
use crate::shell::project_page;

const EACH: i64 = 6;
const MAX_QUERY: usize = 200;

#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    q: String,
    /// The path of the page that it was opened on.
    #[serde(default)]
    at: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Found {
    groups: Vec<Group>,
}

#[derive(Debug, Serialize)]
struct Group {
    title: &'static str,
    items: Vec<Entry>,
}

#[derive(Debug, Default, Serialize)]
struct Entry {
    href: String,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    icon: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    keys: &'static str,
}

pub(super) async fn find(State(app): State<App>, actor: Actor, Query(asked): Query<Asked>) -> Result<Json<Found>> {
    let text: String = asked.q.trim().chars().take(MAX_QUERY).collect();
    let (people_only, commands_only) = (text.starts_with('@'), text.starts_with('>'));
    let text = text.trim_start_matches(['@', '>']).trim().to_owned();
    let mut groups = vec![];
    if !people_only {
        groups.push(Group { title: "Here", items: here(&app, &actor, &asked.at, &text).await? });
        groups.push(Group { title: "Go to", items: places(&app, &actor, &text) });
    }
    if !people_only && !commands_only {
        groups.push(Group { title: "Projects", items: projects(&app, &actor, &text).await? });
        groups.push(Group { title: "Groups", items: groups_of(&app, &actor, &text).await? });
    }
    if !commands_only && !text.is_empty() && actor.known().is_some() {
        groups.push(Group { title: "People", items: people(&app, &text).await? });
    }
    groups.retain(|g| !g.items.is_empty());
    Ok(Json(Found { groups }))
}

fn matches(title: &str, text: &str) -> bool {
    let title = title.to_lowercase();
    text.to_lowercase().split_whitespace().all(|word| title.contains(word))
}

/// The pages of the project that the reader is in.
async fn here(app: &App, actor: &Actor, at: &str, text: &str) -> Result<Vec<Entry>> {
    let path = at.trim_matches('/').split("/-/").next().unwrap_or_default();
    if !path.contains('/') || path.len() > 2000 {
        return Ok(vec![]);
    }
    let path = percent_encoding::percent_decode_str(path).decode_utf8_lossy().into_owned();
    let access = match ProjectAccess::by_path(app, actor.clone(), &path).await {
        Ok(access) => access,
        Err(Error::Internal(cause)) => return Err(Error::Internal(cause)),
        Err(_) => return Ok(vec![]),
    };
    let page = project_page(app, &access, "", "");
    let areas = page.nav.areas.iter().flat_map(|a| a.items.iter().map(move |i| (a.icon, i)));
    let items = page.nav.top.iter().map(|i| ("home", i)).chain(areas);
    let shown = items.filter(|(_, i)| text.is_empty() || matches(&i.title, text)).take(16);
    let entry = |(icon, item): (&'static str, &ui::Item)| Entry {
        href: item.href.clone(),
        title: item.title.clone(),
        note: Some(access.project.name.clone()),
        icon,
        keys: "",
    };
    Ok(shown.map(entry).collect())
}

/// The pages and things to make that every page's navigation and create menu have.
fn places(app: &App, actor: &Actor, text: &str) -> Vec<Entry> {
    let page = accounts::shell::page(app, actor, "");
    let made = page.create.iter().flat_map(|c| c.items.iter());
    let account = page.viewer.iter().flat_map(|v| v.menu.iter());
    let all = page.nav.top.iter().chain(made).chain(account);
    let shown = all.filter(|i| !text.is_empty() && matches(&i.title, text)).take(8);
    shown
        .map(|i| Entry { href: i.href.clone(), title: i.title.clone(), note: None, icon: i.icon, keys: i.keys })
        .collect()
}

async fn projects(app: &App, actor: &Actor, text: &str) -> Result<Vec<Entry>> {
    let filters = ProjectFilters {
        search: Some(text.to_owned()),
        search_namespaces: Some(true),
        order_by: Some(ProjectOrder::LastActivityAt),
        archived: Some(false),
        ..ProjectFilters::default()
    };
    let mut c = filters.conditions(actor)?;
    let mine = actor.id().map_or_else(|| "FALSE".to_owned(), member_projects);
    if text.is_empty() {
        c.and(mine.as_str());
    }
    let exact = c.bind(text.to_lowercase());
    let sql = format!(
        "SELECT p.* FROM projects p WHERE {} ORDER BY CASE WHEN LOWER(p.path) = {exact} THEN 0 WHEN {mine} THEN 1 ELSE 2 END,
         p.last_activity_at DESC LIMIT {EACH}",
        c.sql()
    );
    let found: Vec<Project> = app.db().all(&sql, c.values).await?;
    let entry = |p: Project| Entry {
        href: format!("/{}", p.full_path),
        title: p.full_path,
        icon: "folder",
        ..Entry::default()
    };
    Ok(found.into_iter().map(entry).collect())
}

async fn groups_of(app: &App, actor: &Actor, text: &str) -> Result<Vec<Entry>> {
    let filters = GroupFilters {
        search: Some(text.to_owned()),
        all_available: Some(!text.is_empty()),
        ..GroupFilters::default()
    };
    let mut c = filters.conditions(actor)?;
    if text.is_empty() && actor.id().is_none() {
        c.and("FALSE");
    }
    let sql = format!(
        "SELECT n.* FROM namespaces n WHERE {} ORDER BY LENGTH(n.full_path), n.full_path_key LIMIT {EACH}",
        c.sql()
    );
    let found: Vec<Namespace> = app.db().all(&sql, c.values).await?;
    let entry = |n: Namespace| Entry {
        href: format!("/{}", n.full_path),
        note: (n.name != n.full_path).then_some(n.name),
        title: n.full_path,
        icon: "people",
        ..Entry::default()
    };
    Ok(found.into_iter().map(entry).collect())
}

async fn people(app: &App, text: &str) -> Result<Vec<Entry>> {
    let mut c = Conditions::default();
    let pattern = c.bind(like(text));
    c.and("u.state = 'active'");
    c.and(format!("(u.username_key LIKE {pattern} ESCAPE '\\' OR LOWER(u.name) LIKE {pattern} ESCAPE '\\')"));
    let sql =
        format!("SELECT u.* FROM users u WHERE {} ORDER BY LENGTH(u.username), u.username_key LIMIT {EACH}", c.sql());
    let found: Vec<User> = app.db().all(&sql, c.values).await?;
    let entry = |u: User| Entry {
        href: u.path(),
        note: Some(format!("@{}", u.username)),
        title: u.name,
        icon: "user",
        ..Entry::default()
    };
    Ok(found.into_iter().map(entry).collect())
}

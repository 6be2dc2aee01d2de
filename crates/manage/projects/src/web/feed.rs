//! Feeds of what people did.

use std::collections::HashMap;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use kernel::http::Paging;
use kernel::{App, Result};
use serde_json::Value;
use ui::{Markup, format, html, parts};

use accounts::{Actor, User};

use crate::access::{GroupAccess, ProjectAccess};
use crate::activity::{Activity, visible_activities};
use crate::api::entity;
use crate::delete::id_list;
use crate::list::Conditions;
use crate::project::Project;
use crate::shell::{encode_path, group_page, project_page};

/// A page of the activities that meet `c` and that the actor may see, with whether there are more.
pub(super) async fn feed(
    app: &App,
    actor: &Actor,
    mut c: Conditions,
    limit: i64,
    offset: i64,
) -> Result<(Vec<Markup>, bool)> {
    c.and(visible_activities(actor));
    let sql = format!(
        "SELECT v.* FROM activities v LEFT JOIN projects p ON p.id = v.project_id WHERE {} ORDER BY v.id DESC LIMIT {} OFFSET {offset}",
        c.sql(),
        limit + 1
    );
    let mut rows: Vec<Activity> = app.db().all(&sql, c.values).await?;
    let more = i64::try_from(rows.len()).unwrap_or(i64::MAX) > limit;
    rows.truncate(usize::try_from(limit).unwrap_or(20));
    let people = entity::users(app, rows.iter().map(|r| r.author_id).collect::<Vec<_>>()).await?;
    let ids: Vec<i64> = rows.iter().filter_map(|r| r.project_id).collect();
    let sql = format!("SELECT * FROM projects WHERE id IN ({})", id_list(&ids));
    let projects: Vec<Project> = app.db().all(&sql, []).await?;
    let projects: HashMap<i64, Project> = projects.into_iter().map(|p| (p.id, p)).collect();
    let shown = rows
        .iter()
        .filter_map(|r| Some(row(r, people.get(&r.author_id)?, r.project_id.and_then(|id| projects.get(&id)))));
    Ok((shown.collect(), more))
}

fn row(activity: &Activity, author: &User, project: Option<&Project>) -> Markup {
    let data: Value = serde_json::from_str(&activity.data).unwrap_or_default();
    let push = data.get("push_data");
    let title = html! {
        a.plain href=(author.path()) { b { (author.name) } } " "
        @if let (Some(push), Some(project)) = (push, project) { (pushed(activity, push, project)) }
        @else { (plain(activity, project)) }
    };
    let meta = html! {
        @if let Some(title) = push.and_then(|p| p["commit_title"].as_str()) { span.cut { (title) } }
    };
    let when = html! { span.faint { (format::time(activity.created_at.0)) } };
    parts::row(&parts::avatar(&author.name, author.avatar_path().as_deref()), &title, &meta, &when)
}

fn in_project(project: &Project) -> Markup {
    html! { " in " a.plain href={ "/" (project.full_path) } { (project.full_path) } }
}

fn pushed(activity: &Activity, push: &Value, project: &Project) -> Markup {
    let reference = push["ref"].as_str().unwrap_or_default();
    let kind = if push["ref_type"] == "tag" { "tag" } else { "branch" };
    let count = push["commit_count"].as_i64().unwrap_or(0);
    let (removed, root) = (push["action"] == "removed", &project.full_path);
    let href = format!("/{root}/-/commits/{}", encode_path(reference));
    html! {
        (activity.action) " " (kind) " "
        @if removed { code { (reference) } } @else { a.plain.mono href=(href) { (reference) } }
        (in_project(project))
        @if count > 1 {
            @if let (Some(from), Some(to)) = (push["commit_from"].as_str(), push["commit_to"].as_str()) {
                " · " a.plain href={ "/" (root) "/-/compare/" (from) "..." (to) } { (format::plural(count, "commit")) }
            }
        }
    }
}

fn plain(activity: &Activity, project: Option<&Project>) -> Markup {
    let target = activity.target_title.as_deref().unwrap_or_default();
    html! {
        (activity.action)
        @if let Some(kind) = &activity.target_type { " " (kind.to_lowercase()) @if let Some(iid) = activity.target_iid { " #" (iid) } " " (target) }
        @if let Some(project) = project {
            @if activity.target_type.is_some() { (in_project(project)) }
            @else { " " a.plain href={ "/" (project.full_path) } { (project.full_path) } }
        }
    }
}

/// A panel with a feed, or words where nothing happened yet.
pub(super) fn panel(title: &str, rows: &[Markup]) -> Markup {
    let body = html! {
        @if rows.is_empty() { div.body { p.soft { "Nothing has happened yet." } } } @else { (parts::rows(rows)) }
    };
    parts::panel_rows("activity", title, &body)
}

/// Links to newer and older activities.
pub(super) fn paging(path: &str, paging: &Paging, more: bool) -> Markup {
    let newer = (paging.page > 1).then(|| format!("{path}?page={}", paging.page - 1));
    let older = more.then(|| format!("{path}?page={}", paging.page + 1));
    parts::pages_keyset(newer.as_deref(), older.as_deref())
}

pub(super) async fn of_project(State(app): State<App>, access: ProjectAccess, paging: Paging) -> Result<Response> {
    let mut c = Conditions::default();
    c.with("v.project_id = {}", access.project.id);
    let (rows, more) = feed(&app, &access.actor, c, paging.limit(), paging.offset()).await?;
    let mut page = project_page(&app, &access, "Activity", "activity");
    let path = format!("/{}/-/activity", access.project.full_path);
    page.body = html! {
        (parts::head(&html! { "Activity" }, &html! {}, &html! {}))
        (panel("What happened here", &rows))
        (self::paging(&path, &paging, more))
    };
    Ok(page.render().into_response())
}

pub(super) async fn of_group(State(app): State<App>, access: GroupAccess, paging: Paging) -> Result<Response> {
    let mut c = Conditions::default();
    c.with(
        "p.namespace_id IN (SELECT a.namespace_id FROM namespace_ancestors a WHERE a.ancestor_id = {})",
        access.group.id,
    );
    let (rows, more) = feed(&app, &access.actor, c, paging.limit(), paging.offset()).await?;
    let mut page = group_page(&app, &access, "Activity", "activity");
    let path = format!("/groups/{}/-/activity", access.group.full_path);
    page.body = html! {
        (parts::head(&html! { "Activity" }, &html! {}, &html! {}))
        (panel("What happened in this group", &rows))
        (self::paging(&path, &paging, more))
    };
    Ok(page.render().into_response())
}

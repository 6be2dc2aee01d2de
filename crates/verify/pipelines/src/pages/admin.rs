//! The runner of this server, for administrators.

use accounts::Actor;
use accounts::shell::admin_page;
use axum::extract::State;
use kernel::{App, Error, Result, Time};
use sandbox::Level;
use sea_orm::FromQueryResult;
use ui::{Markup, Tone, format, html, parts};

use super::facts::shown;
use crate::runner::RunnerState;
use crate::status::Status;

const SHOWN: usize = 100;

#[derive(FromQueryResult)]
struct Row {
    id: i64,
    name: String,
    status: Status,
    full_path: String,
    runner: Option<String>,
    queued_at: Option<Time>,
    started_at: Option<Time>,
}

/// How jobs are kept apart on this server.
pub(super) fn isolation(app: &App) -> Markup {
    let state = app.get::<RunnerState>();
    let Some(isolation) = state.as_ref().and_then(|s| s.isolation()) else {
        return parts::alert(
            Tone::Warn,
            &html! { b { "The runner of this server is switched off." } " Jobs wait until an administrator starts it." },
        );
    };
    let tone = match isolation.level {
        Level::Full => Tone::Ok,
        Level::Partial => Tone::Info,
        Level::None => Tone::Warn,
    };
    let slots = i64::try_from(app.config().runner_slots).unwrap_or(i64::MAX);
    html! {
        (parts::alert(tone, &html! { "The runner of this server carries out up to " (format::plural(slots, "job")) " at once: " (isolation.summary()) "." }))
    }
}

pub(super) async fn runners(State(app): State<App>, actor: Actor) -> Result<Markup> {
    if actor.known().is_none() {
        return Err(Error::Unauthenticated);
    }
    if !actor.is_admin() {
        return Err(Error::not_found("Page"));
    }
    let sql = format!(
        "SELECT b.id, b.name, b.status, p.full_path, b.runner, b.queued_at, b.started_at FROM builds b JOIN projects p ON p.id = b.project_id
         WHERE b.status IN ('pending', 'running', 'canceling') ORDER BY CASE WHEN b.status = 'pending' THEN 1 ELSE 0 END, b.id LIMIT {SHOWN}"
    );
    let rows: Vec<Row> = app.db().all(&sql, []).await?;
    let (waiting, running): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|r| r.status == Status::Pending);
    let mut page = admin_page(&app, &actor, "Runners", "runners");
    page.body = html! {
        (parts::head(&html! { "Runners" }, &html! {}, &html! {}))
        div.stack.wide {
            (parts::panel("embedded", "Embedded runner", &html! { (isolation(&app)) (details(&app)) }))
            (list("running", "Running", &running, "Nothing runs."))
            (list("queue", "Waiting", &waiting, "Nothing waits."))
        }
    };
    Ok(page.render())
}

fn details(app: &App) -> Markup {
    let state = app.get::<RunnerState>();
    let Some(isolation) = state.as_ref().and_then(|s| s.isolation()) else { return Markup::default() };
    let yes = |is: bool| html! { (if is { "Yes" } else { "No" }) };
    let joined = |list: &[&str]| html! { (if list.is_empty() { "None".to_owned() } else { list.join(", ") }) };
    let mut pairs = vec![
        ("Places", html! { span.num { (app.config().runner_slots) } }),
        ("Network", html! { (if app.config().runner_network { "That of the server" } else { "None" }) }),
        ("Namespaces", joined(&isolation.namespaces)),
        ("Own user ids", yes(isolation.uid_range)),
        ("System call filter", yes(isolation.seccomp)),
        ("Limits by control groups", joined(&isolation.controllers)),
    ];
    if let Some(reason) = &isolation.reason {
        pairs.push(("Why not more", html! { (reason) }));
    }
    parts::facts(&pairs)
}

fn list(id: &str, title: &str, rows: &[Row], none: &str) -> Markup {
    let lines: Vec<Vec<Markup>> = rows.iter().map(line).collect();
    let body = html! {
        @if rows.is_empty() { p.waiting { (none) } } @else { (parts::table(title, &["Job", "Project", "Status", "Since", "Held by"], &[], &lines)) }
    };
    parts::panel_rows(id, title, &body)
}

fn line(row: &Row) -> Vec<Markup> {
    let href = format!("/{}/-/jobs/{}", row.full_path, row.id);
    let since = row.started_at.or(row.queued_at);
    vec![
        html! { a.plain href=(href) { (row.name) } " " span.faint.num { "#" (row.id) } },
        html! { a.plain href={ "/" (row.full_path) } { (row.full_path) } },
        html! { (ui::status::status(shown(row.status, false))) },
        html! { @if let Some(since) = since { (format::time(since.0)) } },
        html! { span.faint.mono { (row.runner.as_deref().unwrap_or_default()) } },
    ]
}

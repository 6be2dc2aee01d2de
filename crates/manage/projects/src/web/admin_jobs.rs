//! The background jobs of the instance, for administrators.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use kernel::db::Sql;
use kernel::http::{Paging, Query};
use kernel::{App, Error, Result, Time};
use sea_orm::FromQueryResult;
use serde::Deserialize;
use serde_json::json;
use ui::parts::{Button, Empty};
use ui::{Item, Markup, Tone, format, html, parts};

use accounts::shell::{admin_page, redirect_with};
use accounts::{Actor, audit};

use super::admin::admin_only;
use super::parts::paging as page_links;
use crate::list::Conditions;

const HERE: &str = "/admin/jobs";
const STATES: &[(&str, &str)] = &[("", "All"), ("ready", "Waiting"), ("running", "Running"), ("failed", "Failed")];

#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    state: String,
}

#[derive(FromQueryResult)]
struct Row {
    id: i64,
    kind: String,
    payload: String,
    state: String,
    run_at: Time,
    attempts: i64,
    error: Option<String>,
}

pub(super) async fn list(
    State(app): State<App>,
    actor: Actor,
    Query(asked): Query<Asked>,
    paging: Paging,
) -> Result<Response> {
    admin_only(&actor)?;
    let state = STATES.iter().find(|(s, _)| *s == asked.state).map_or("", |(s, _)| s);
    let mut c = Conditions::default();
    if !state.is_empty() {
        c.with("state = {}", state);
    }
    let total = format!("SELECT COUNT(*) FROM jobs WHERE {}", c.sql());
    let total = app.db().conn().scalar::<i64>(&total, c.values.clone()).await?.unwrap_or(0);
    let sql = format!(
        "SELECT id, kind, payload, state, run_at, attempts, error FROM jobs WHERE {} ORDER BY run_at DESC, id DESC LIMIT {} OFFSET {}",
        c.sql(),
        paging.limit(),
        paging.offset()
    );
    let found: Vec<Row> = app.db().all(&sql, c.values).await?;
    let shown: Vec<Markup> = found.iter().map(row).collect();
    let tabs: Vec<Item> =
        STATES.iter().map(|(s, title)| Item::new(*title, format!("{HERE}?state={s}")).current(*s == state)).collect();
    let mut page = admin_page(&app, &actor, "Background jobs", "jobs");
    page.body = html! {
        (parts::head(&html! { "Background jobs" }, &html! {}, &html! { "Work that the server does beside requests. A job that fails is tried again, ten times in all." }))
        div.stack {
            (parts::tabs("Jobs by state", &tabs))
            @if shown.is_empty() { (Empty { icon: "ok", title: "No jobs here", text: "Everything is done.", ..Empty::default() }.render()) }
            @else { (parts::rows(&shown)) }
            (page_links(&paging, total, HERE, &[("state", state)]))
        }
    };
    Ok(page.render().into_response())
}

fn row(job: &Row) -> Markup {
    let (tone, icon, word) = match job.state.as_str() {
        "running" => ("run", "run", "Running"),
        "failed" => ("bad", "bad", "Failed"),
        _ => ("rest", "wait", "Waiting"),
    };
    let title = html! { b { (job.kind) } " " span.faint.num { "#" (job.id) } };
    let meta = html! {
        (format::plural(job.attempts, "attempt"))
        " · " @if job.run_at > Time::now() { "runs " } @else { "due " } (format::time(job.run_at.0))
        " · " code.cut { (job.payload.chars().take(160).collect::<String>()) }
        @if let Some(error) = &job.error { " · " span.bad { (error.chars().take(400).collect::<String>()) } }
    };
    let act = |what: &str, label, icon| {
        parts::post_button(
            &format!("{HERE}/{}/{what}", job.id),
            &[],
            &Button { label, icon, class: "small", ..Button::default() },
        )
    };
    let end = html! {
        @if job.state != "running" {
            (act("retry", if job.state == "failed" { "Retry" } else { "Run now" }, "retry"))
            (act("delete", "Delete", "trash"))
        }
    };
    parts::row(&html! { span class={ "st " (tone) } { (ui::icon(icon)) (word) } }, &title, &meta, &end)
}

pub(super) async fn act(
    State(app): State<App>,
    actor: Actor,
    Path((id, action)): Path<(i64, String)>,
) -> Result<Response> {
    admin_only(&actor)?;
    let (sql, message) = match action.as_str() {
        "retry" => (
            "UPDATE jobs SET state = 'ready', attempts = 0, run_at = $2, error = NULL WHERE id = $1 AND state <> 'running'",
            "The job runs now.",
        ),
        "delete" => {
            ("DELETE FROM jobs WHERE id = $1 AND state <> 'running' AND created_at <= $2", "The job is deleted.")
        }
        _ => return Err(Error::not_found("Page")),
    };
    let tx = app.begin().await?;
    let changed = tx.run(sql, [id.into(), Time::now().into()]).await?;
    audit::record(&*tx, &actor, "job.changed", ("job", id), json!({ "action": action })).await?;
    tx.commit().await?;
    Ok(match changed {
        0 => redirect_with(HERE, Tone::Warn, "The job runs or is done already."),
        _ => redirect_with(HERE, Tone::Ok, message),
    })
}

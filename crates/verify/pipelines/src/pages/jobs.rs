//! The list of a project's jobs.

use std::collections::HashMap;

use axum::extract::State;
use kernel::http::Query;
use kernel::{App, Result};
use projects::{Permission, ProjectAccess};
use sea_orm::FromQueryResult;
use serde::Deserialize;
use ui::parts::{self, Button, Empty};
use ui::{Item, Markup, format, html};

use super::facts::clock;
use super::job_side::state_link;
use super::{at, commit_link, page, ref_link};
use crate::build::Build;
use crate::visibility::sees_pipelines;

const SIZE: usize = 30;

/// Word in the address, word shown, and the states.
const KINDS: &[(&str, &str, &str)] = &[
    ("", "All", ""),
    ("active", "Running", "'pending', 'running', 'canceling'"),
    ("waiting", "Waiting", "'created', 'manual', 'scheduled'"),
    ("success", "Passed", "'success'"),
    ("failed", "Failed", "'failed'"),
    ("canceled", "Cancelled", "'canceled'"),
];

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    status: String,
    before: Option<i64>,
    after: Option<i64>,
}

#[derive(FromQueryResult)]
struct Of {
    id: i64,
    ref_name: String,
    sha: String,
}

pub(super) async fn list(State(app): State<App>, access: ProjectAccess, Query(asked): Query<Asked>) -> Result<Markup> {
    sees_pipelines(&access)?;
    let (kind, _, states) = KINDS.iter().find(|k| k.0 == asked.status).unwrap_or(&KINDS[0]);
    let (mut builds, newer, older) = read(&app, &access, states, &asked).await?;
    builds.sort_by_key(|b| std::cmp::Reverse(b.id));
    let pipelines = pipelines_of(&app, &builds).await?;
    let mut page = page(&app, &access, "Jobs", "jobs", &[("Jobs", at(&access, "/-/jobs"))]);
    let href = |more: &str| at(&access, format_args!("/-/jobs?status={kind}{more}"));
    let back = newer.map(|id| href(&format!("&after={id}")));
    let next = older.map(|id| href(&format!("&before={id}")));
    let segments: Vec<Item> = KINDS
        .iter()
        .map(|(key, word, _)| Item::new(*word, at(&access, format_args!("/-/jobs?status={key}"))).current(key == kind))
        .collect();
    page.body = html! {
        (parts::head(&html! { "Jobs" }, &html! {}, &html! {}))
        (parts::tabs("Jobs by state", &segments))
        @if builds.is_empty() { (empty(&access, !kind.is_empty())) } @else {
            section.panel aria-label="Jobs" { (table(&access, &builds, &pipelines)) }
            (parts::pages_keyset(back.as_deref(), next.as_deref()))
        }
    };
    Ok(page.render())
}

/// One page of jobs with the ids from which newer and older ones go on.
async fn read(
    app: &App,
    access: &ProjectAccess,
    states: &str,
    asked: &Asked,
) -> Result<(Vec<Build>, Option<i64>, Option<i64>)> {
    let wanted = if states.is_empty() { String::new() } else { format!("AND status IN ({states})") };
    let (bound, order) = match (asked.before, asked.after) {
        (_, Some(id)) => (format!("AND id > {id}"), "ASC"),
        (Some(id), None) => (format!("AND id < {id}"), "DESC"),
        (None, None) => (String::new(), "DESC"),
    };
    let sql =
        format!("SELECT * FROM builds WHERE project_id = $1 {wanted} {bound} ORDER BY id {order} LIMIT {}", SIZE + 1);
    let mut builds: Vec<Build> = app.db().all(&sql, [access.project.id.into()]).await?;
    let more = builds.len() > SIZE;
    builds.truncate(SIZE);
    let (least, most) = (builds.iter().map(|b| b.id).min(), builds.iter().map(|b| b.id).max());
    Ok(match asked.after {
        Some(_) => (builds, most.filter(|_| more), least),
        None => (builds, most.filter(|_| asked.before.is_some()), least.filter(|_| more)),
    })
}

async fn pipelines_of(app: &App, builds: &[Build]) -> Result<HashMap<i64, Of>> {
    let mut ids: Vec<String> = builds.iter().map(|b| b.pipeline_id.to_string()).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = format!("SELECT id, ref_name, sha FROM pipelines WHERE id IN ({})", ids.join(", "));
    Ok(app.db().all::<Of>(&sql, []).await?.into_iter().map(|p| (p.id, p)).collect())
}

fn empty(access: &ProjectAccess, filtered: bool) -> Markup {
    let pipelines = at(access, "/-/pipelines");
    let (title, text) = match filtered {
        true => ("No jobs in this state", "Other jobs are one tab away."),
        false => ("No jobs yet", "Jobs come with pipelines: each runs one script of the configuration."),
    };
    Empty { icon: "build", title, text, action: (!filtered).then_some((&pipelines, "Pipelines")), ..Empty::default() }
        .render()
}

fn table(access: &ProjectAccess, builds: &[Build], pipelines: &HashMap<i64, Of>) -> Markup {
    html! {
        div.scroll {
            table.data {
                caption.vh { "Jobs, the newest first" }
                thead { tr {
                    th scope="col" { "Job" } th scope="col" { "Status" } th.wide-only scope="col" { "Commit" }
                    th.wide-only scope="col" { "Pipeline" } th.r scope="col" { "Time" } th.r.wide-only scope="col" { "When" }
                    th.wide-only scope="col" { span.vh { "Actions" } }
                } }
                tbody { @for build in builds { (row(access, build, pipelines.get(&build.pipeline_id))) } }
            }
        }
    }
}

fn row(access: &ProjectAccess, build: &Build, of: Option<&Of>) -> Markup {
    let href = at(access, format_args!("/-/jobs/{}", build.id));
    let time = build.finished_at.or(build.started_at).unwrap_or(build.created_at);
    html! {
        tr {
            th scope="row" { a.plain href=(href) { (build.name) } " " span.faint.wide-only { (build.stage) } }
            td { (state_link(&href, build)) @if build.retried { " " span.faint { "retried" } } }
            td.wide-only { @if let Some(of) = of { span.line.fix { (commit_link(access, &of.sha)) (ref_link(access, &of.ref_name)) } } }
            td.wide-only { a href=(at(access, format_args!("/-/pipelines/{}", build.pipeline_id))) { "#" (build.pipeline_id) } }
            td.r.num { (clock(build.duration())) }
            td.r.wide-only.faint { (format::time(time.0)) }
            td.r.wide-only { (action(access, build)) }
        }
    }
}

/// The one thing that can be done with a job in a list.
pub(super) fn action(access: &ProjectAccess, build: &Build) -> Markup {
    if !access.can(Permission::ManagePipeline) {
        return Markup::default();
    }
    let (verb, icon, word) = match () {
        () if build.is_playable() => ("play", "play", "Start"),
        () if build.is_retryable() => ("retry", "retry", "Retry"),
        () if build.status.is_cancelable() => ("cancel", "stop", "Cancel"),
        () => return Markup::default(),
    };
    let label = format!("{word} {}", build.name);
    let button = Button { label: &label, icon, class: "small quiet", icon_only: true, ..Button::default() };
    parts::post_button(&at(access, format_args!("/-/jobs/{}/{verb}", build.id)), &[], &button)
}

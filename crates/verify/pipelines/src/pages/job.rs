//! The page of a job: what it did, its log, and what can be done with it.

use accounts::User;
use axum::extract::{Path, State};
use kernel::http::Query;
use kernel::{App, Result, Time};
use projects::ProjectAccess;
use sea_orm::FromQueryResult;
use serde::Deserialize;
use ui::menu::Confirm;
use ui::parts::{self, Button};
use ui::{Markup, Tone, format, html};

use super::facts::{failure, of_build, seconds};
use super::job_side::{Neighbours, side};
use super::{at, commit_link, job_log, job_of, manages, page, person, pipeline_of, ref_link};
use crate::artifacts::Artifact;
use crate::build::Build;
use crate::permit;
use crate::pipeline::Pipeline;
use crate::runner::RunnerState;
use crate::status::Status;
use crate::visibility::{reads_artifact, reads_logs};

#[derive(Deserialize)]
pub(super) struct Asked {
    log: Option<String>,
}

/// Everything that the page shows beside the log.
pub(super) struct View<'a> {
    pub(super) access: &'a ProjectAccess,
    pub(super) build: &'a Build,
    pub(super) pipeline: Pipeline,
    pub(super) user: Option<User>,
    pub(super) artifacts: Vec<Artifact>,
    pub(super) neighbours: Neighbours,
    /// Whether the actor may retry, cancel and play.
    pub(super) manages: bool,
}

pub(super) async fn show(
    State(app): State<App>,
    access: ProjectAccess,
    Path((_, id)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Result<Markup> {
    let build = job_of(&app, &access, &id).await?;
    let conn = app.db().conn();
    let pipeline = pipeline_of(&app, &build).await?;
    let user = match build.user_id {
        Some(id) => User::find(conn, id).await?,
        None => None,
    };
    let mut artifacts = Artifact::of_build(conn, build.id).await?;
    artifacts.retain(|a| reads_artifact(&access, a) && a.kind != "metadata");
    let neighbours = Neighbours::of(&app, &build).await?;
    let manages = manages(&app, &access, &pipeline).await?;
    let view = View { access: &access, build: &build, pipeline, user, artifacts, neighbours, manages };
    let log = log(&app, &view, asked.log.as_deref() == Some("all")).await?;
    let steps = [
        ("Pipelines", at(&access, "/-/pipelines")),
        (&*format!("#{}", view.pipeline.id), at(&access, format_args!("/-/pipelines/{}", view.pipeline.id))),
        (&*build.name, at(&access, format_args!("/-/jobs/{}", build.id))),
    ];
    let mut page = page(&app, &access, &format!("{} (#{})", build.name, build.id), "jobs", &steps);
    page.body = html! {
        (head(&view))
        div.with-aside.narrow {
            div.stack { (notes(&app, &view).await?) (log) }
            (side(&view))
        }
        (erase_dialog(&view))
    };
    Ok(page.render())
}

fn head(view: &View<'_>) -> Markup {
    let build = view.build;
    let attempts = view.neighbours.attempts;
    let time = build.finished_at.or(build.started_at).or(build.queued_at).unwrap_or(build.created_at);
    parts::head(
        &html! { (build.name) " " span.faint.num { "#" (build.id) } },
        &actions(view),
        &html! {
            (ui::status::status_pill(of_build(build)))
            @if attempts > 1 { span.soft { "attempt " (attempts) } }
            @if let (Some(user), Some(_)) = (&view.user, build.queued_at) { span.soft { "started by" } (person(user)) }
            span.soft { "for " (commit_link(view.access, &view.pipeline.sha)) " on " (ref_link(view.access, &view.pipeline.ref_name)) }
            span.faint.num {
                @if let Some(taken) = build.duration() { (format::duration(taken)) ", " }
                (format::time(time.0))
            }
        },
    )
}

fn actions(view: &View<'_>) -> Markup {
    let (access, build) = (view.access, view.build);
    let to = |verb: &str| at(access, format_args!("/-/jobs/{}/{verb}", build.id));
    let manage = view.manages;
    let erasable =
        build.status.is_complete() && build.erased_at.is_none() && (build.trace_size > 0 || !view.artifacts.is_empty());
    html! {
        @if manage && build.is_retryable() {
            (parts::post_button(&to("retry"), &[], &Button { label: "Retry", icon: "retry", ..Button::default() }))
        }
        @if manage && build.status.is_cancelable() {
            (parts::post_button(&to("cancel"), &[], &Button { label: "Cancel", icon: "stop", class: "danger", ..Button::default() }))
        }
        @if erasable && permit::erase(access, build).is_ok() {
            (Button { label: "Erase", icon: "trash", class: "quiet", dialog: Some("erase"), ..Button::default() }.render())
        }
    }
}

fn erase_dialog(view: &View<'_>) -> Markup {
    Confirm {
        id: "erase",
        title: "Erase the log and the artifacts?",
        text: "Nobody can bring them back. The job itself stays in its pipeline.",
        action: &at(view.access, format_args!("/-/jobs/{}/erase", view.build.id)),
        act: "Erase",
        ..Confirm::default()
    }
    .render()
}

/// Why the job failed, waits or was replaced, above the log.
async fn notes(app: &App, view: &View<'_>) -> Result<Markup> {
    let build = view.build;
    Ok(html! {
        @if build.retried {
            (parts::alert(Tone::Info, &html! {
                "This job was run again. "
                @if let Some(id) = view.neighbours.newest { a href=(at(view.access, format_args!("/-/jobs/{id}"))) { "Show the newest" } "." }
            }))
        }
        @if build.status == Status::Failed {
            @let (why, help) = failure(build);
            @let tone = if build.allow_failure { Tone::Warn } else { Tone::Bad };
            (parts::alert(tone, &html! { b { (why) } " " (help) @if build.allow_failure { " It may fail: the pipeline goes on." } }))
        }
        @if let Some(erased) = build.erased_at {
            (parts::alert(Tone::Info, &html! { "The log and the artifacts were erased " (format::time(erased.0)) "." }))
        }
        (waiting(app, view).await?)
    })
}

/// What a job waits for.
async fn waiting(app: &App, view: &View<'_>) -> Result<Markup> {
    let build = view.build;
    Ok(match build.status {
        Status::Pending => parts::alert(Tone::Info, &html! { (why_pending(app, build).await?) }),
        Status::Created => {
            let open: Vec<&str> =
                view.neighbours.needs.iter().filter(|n| !n.status.is_complete()).map(|n| n.name.as_str()).collect();
            let what = match (build.dag, open.as_slice()) {
                (true, [..]) if !open.is_empty() => format!("It starts when {} ended.", list(&open)),
                _ => "It starts when the stages before have ended.".to_owned(),
            };
            parts::alert(Tone::Info, &html! { (what) })
        }
        Status::Manual => play_form(view, "It waits for somebody to start it."),
        Status::Scheduled => {
            let at = build.scheduled_at.unwrap_or_else(Time::now);
            play_form(view, &format!("It starts by itself {}.", format::ago(at.0, Time::now().0)))
        }
        _ => Markup::default(),
    })
}

fn list(names: &[&str]) -> String {
    match names {
        [one] => format!("{one} has"),
        [many @ .., last] => format!("{} and {last} have", many.join(", ")),
        [] => String::new(),
    }
}

fn play_form(view: &View<'_>, why: &str) -> Markup {
    if !view.manages {
        return parts::alert(Tone::Info, &html! { (why) " Developers of the project can start it." });
    }
    let question = view.build.spec().ok().and_then(|s| s.options.manual_confirmation);
    let action = at(view.access, format_args!("/-/jobs/{}/play", view.build.id));
    parts::panel(
        "start",
        "Start this job",
        &html! {
            p.soft { (why) }
            form.stack method="post" action=(action) data-confirm=[question] {
                details {
                    summary.btn { (ui::icon("plus")) "Further variables" }
                    (ui::form::Field { name: "variables", label: "Variables", rows: 3, mono: true, placeholder: "KEY=value",
                        hint: "One a line. They rank above those of the project and are shown to those who see the job.", ..Default::default() }.textarea())
                }
                (ui::form::actions("Start job", None))
            }
        },
    )
}

#[derive(FromQueryResult)]
struct Queue {
    before: i64,
    running: i64,
}

/// What holds a job up that could run.
pub(super) async fn why_pending(app: &App, build: &Build) -> Result<String> {
    let off = app.get::<RunnerState>().is_none_or(|r| r.isolation().is_none());
    if off {
        return Ok(
            "No runner is there: the runner of this server is switched off. An administrator can start it.".into()
        );
    }
    let sql = "SELECT CAST(COALESCE(SUM(CASE WHEN status = 'pending' AND id < $1 THEN 1 ELSE 0 END), 0) AS BIGINT) AS before,
                 CAST(COALESCE(SUM(CASE WHEN status IN ('running', 'canceling') THEN 1 ELSE 0 END), 0) AS BIGINT) AS running
               FROM builds WHERE status IN ('pending', 'running', 'canceling')";
    let queue = app.db().one::<Queue>(sql, [build.id.into()]).await?.unwrap_or(Queue { before: 0, running: 0 });
    let slots = i64::try_from(app.config().runner_slots).unwrap_or(i64::MAX);
    Ok(match queue.running >= slots {
        true => format!(
            "It waits for a free place: {} on this server's runner now and {} before this one.",
            running(queue.running),
            waiting_before(queue.before)
        ),
        false => "A runner is about to take it.".to_owned(),
    })
}

fn running(count: i64) -> String {
    if count == 1 { "1 job runs".into() } else { format!("{count} jobs run") }
}

fn waiting_before(count: i64) -> String {
    match count {
        0 => "none waits".into(),
        1 => "1 waits".into(),
        n => format!("{n} wait"),
    }
}

async fn log(app: &App, view: &View<'_>, all: bool) -> Result<Markup> {
    let build = view.build;
    if permit::read_trace(view.access, build).is_err() {
        let why = match reads_logs(view.access) {
            true => "This log shows every variable (CI_DEBUG_TRACE), so it is for developers.",
            false => "The logs of this project's jobs are for its members from reporter on.",
        };
        return Ok(parts::alert(Tone::Info, &html! { (why) }));
    }
    if matches!(build.status, Status::Created | Status::Manual | Status::Scheduled) && build.trace_size == 0 {
        // There is no log yet, but the page hears when there is.
        let stream = at(view.access, format_args!("/-/jobs/{}/stream", build.id));
        return Ok(html! { div data-live=(stream) data-end="reload" {} });
    }
    if (build.status == Status::Skipped || build.erased_at.is_some()) && build.trace_size == 0 {
        return Ok(Markup::default());
    }
    job_log::panel(app, view.access, build, all).await
}

/// The time limit in words.
pub(super) fn limit(build: &Build) -> String {
    format::duration(seconds(build.timeout))
}

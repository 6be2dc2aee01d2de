//! What stands beside the log of a job: needs, facts, earlier runs, artifacts.

use kernel::{App, Result};
use sea_orm::FromQueryResult;
use ui::{Markup, format, html, parts};

use super::at;
use super::facts::{clock, of_build, shown};
use super::job::{View, limit};
use crate::artifacts::Artifact;
use crate::build::Build;
use crate::status::Status;

const RUNS: usize = 20;
const SIBLINGS: usize = 12;

/// A job as others refer to it.
#[derive(Debug, FromQueryResult)]
pub(super) struct Brief {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) status: Status,
    pub(super) allow_failure: bool,
    started_at: Option<kernel::Time>,
    finished_at: Option<kernel::Time>,
}

/// The jobs around a job.
#[derive(Debug)]
pub(super) struct Neighbours {
    pub(super) needs: Vec<Brief>,
    needed_by: Vec<Brief>,
    stage: Vec<Brief>,
    runs: Vec<Brief>,
    /// How often the job was run in this pipeline up to this one.
    pub(super) attempts: i64,
    /// The one that took its place.
    pub(super) newest: Option<i64>,
}

const COLUMNS: &str = "b.id, b.name, b.status, b.allow_failure, b.started_at, b.finished_at";

impl Neighbours {
    pub(super) async fn of(app: &App, build: &Build) -> Result<Self> {
        let db = app.db();
        let needs = format!(
            "SELECT {COLUMNS} FROM builds b JOIN build_needs n ON n.needed_name = b.name
             WHERE n.build_id = $1 AND b.pipeline_id = $2 AND b.retried = FALSE ORDER BY b.stage_index, b.position"
        );
        let needed_by = format!(
            "SELECT {COLUMNS} FROM builds b JOIN build_needs n ON n.build_id = b.id
             WHERE n.needed_name = $1 AND b.pipeline_id = $2 AND b.retried = FALSE ORDER BY b.stage_index, b.position"
        );
        let stage = format!(
            "SELECT {COLUMNS} FROM builds b WHERE b.pipeline_id = $1 AND b.stage_index = $2 AND b.retried = FALSE AND b.name <> $3
             ORDER BY b.position LIMIT {SIBLINGS}"
        );
        let runs = format!(
            "SELECT {COLUMNS} FROM builds b WHERE b.project_id = $1 AND b.name = $2 AND b.id <= $3
             AND b.status IN ('success', 'failed') ORDER BY b.id DESC LIMIT {RUNS}"
        );
        let same = "SELECT id FROM builds WHERE pipeline_id = $1 AND name = $2 ORDER BY id";
        let ids: Vec<Same> = db.all(same, [build.pipeline_id.into(), build.name.as_str().into()]).await?;
        let pipeline = build.pipeline_id;
        Ok(Self {
            needs: db.all(&needs, [build.id.into(), pipeline.into()]).await?,
            needed_by: db.all(&needed_by, [build.name.as_str().into(), pipeline.into()]).await?,
            stage: db.all(&stage, [pipeline.into(), build.stage_index.into(), build.name.as_str().into()]).await?,
            runs: db.all(&runs, [build.project_id.into(), build.name.as_str().into(), build.id.into()]).await?,
            attempts: ids.iter().filter(|s| s.id <= build.id).count().try_into().unwrap_or(1),
            newest: ids.last().map(|s| s.id).filter(|id| *id != build.id),
        })
    }
}

#[derive(FromQueryResult)]
struct Same {
    id: i64,
}

impl Brief {
    fn taken(&self) -> Option<f64> {
        let (started, finished) = (self.started_at?, self.finished_at?);
        Some(finished.since(started).as_secs_f64())
    }
}

pub(super) fn side(view: &View<'_>) -> Markup {
    let around = &view.neighbours;
    html! {
        aside.side aria-label="Job details" {
            (group(view, "Needs", &around.needs))
            (group(view, "Needed by", &around.needed_by))
            section { h2 { "Facts" } (facts(view)) }
            (runs(&around.runs))
            (artifacts(view))
            (group(view, "Also in this stage", &around.stage))
        }
    }
}

fn group(view: &View<'_>, title: &str, jobs: &[Brief]) -> Markup {
    html! {
        @if !jobs.is_empty() {
            section {
                h2 { (title) }
                @for job in jobs {
                    @let state = shown(job.status, job.allow_failure);
                    div.line.fix {
                        a class={ "st cut " (state.tone()) } href=(at(view.access, format_args!("/-/jobs/{}", job.id))) title={ (job.name) ": " (state.word()) } {
                            (ui::icon(state.icon())) span.cut { (job.name) }
                        }
                        span.faint.num.push { (clock(job.taken())) }
                    }
                }
            }
        }
    }
}

fn facts(view: &View<'_>) -> Markup {
    let build = view.build;
    let pipeline = at(view.access, format_args!("/-/pipelines/{}", view.pipeline.id));
    let mut pairs =
        vec![("Pipeline", html! { a href=(pipeline) { "#" (view.pipeline.id) } }), ("Stage", html! { (build.stage) })];
    let mut add = |name, value: Option<String>| {
        if let Some(value) = value {
            pairs.push((name, html! { span.num { (value) } }));
        }
    };
    add("Duration", build.finished_at.and_then(|_| build.duration()).map(format::duration));
    add("Queued", build.started_at.and_then(|_| build.queued()).map(format::duration));
    add("Time limit", Some(limit(build)));
    add("Runner", build.runner.as_deref().map(|r| r.split(' ').next().unwrap_or(r).to_owned()));
    add("Exit code", build.exit_code.map(|c| c.to_string()));
    add("Coverage", build.coverage.map(|c| format!("{c:.1} %")));
    let tags = build.tags();
    if !tags.is_empty() {
        pairs.push(("Tags", html! { @for tag in &tags { (parts::tag(tag)) " " } }));
    }
    parts::facts(&pairs)
}

/// How the last runs of a job of this name went.
#[allow(clippy::cast_precision_loss)]
fn runs(runs: &[Brief]) -> Markup {
    if runs.len() < 2 {
        return Markup::default();
    }
    let bar = |b: &Brief| (b.taken().unwrap_or(0.0), if b.status == Status::Success { "ok" } else { "bad" });
    let bars: Vec<_> = runs.iter().rev().map(bar).collect();
    let failed = runs.iter().filter(|b| b.status == Status::Failed).count();
    let mean = runs.iter().filter_map(Brief::taken).sum::<f64>() / runs.len() as f64;
    let finding = format!("{} passed, {failed} failed; {} on average", runs.len() - failed, format::duration(mean));
    html! {
        section {
            h2 { "Last " (runs.len()) " runs" }
            (ui::chart::bars(&finding, 36, &bars))
            span.faint { (finding) }
        }
    }
}

fn artifacts(view: &View<'_>) -> Markup {
    let build = view.build;
    let expected = view.artifacts.is_empty() && !build.status.is_complete();
    let wanted = build.spec().ok().is_some_and(|s| s.options.artifacts.is_some());
    html! {
        @if !view.artifacts.is_empty() {
            section {
                h2 { "Artifacts" }
                @for artifact in &view.artifacts { (artifact_line(view, artifact)) }
            }
        } @else if expected && wanted {
            section { h2 { "Artifacts" } span.faint { "After the job" } }
        }
    }
}

fn artifact_line(view: &View<'_>, artifact: &Artifact) -> Markup {
    let to = |rest: &str| at(view.access, format_args!("/-/jobs/{}/artifacts/{rest}", artifact.build_id));
    let archive = artifact.kind == "archive";
    let download = if archive { to("download") } else { to(&format!("download?file_type={}", artifact.kind)) };
    html! {
        div.line.fix {
            @if archive { a.cut href=(to("browse")) { (artifact.file_name) } } @else { a.cut href=(download) download { (artifact.kind) } }
            span.faint.num.push { (format::bytes(artifact.size.try_into().unwrap_or(0))) }
            @if archive { a.btn.quiet.small.icon href=(download) download aria-label="Download the archive" title="Download the archive" { (ui::icon("save")) } }
        }
        @if archive {
            span.faint {
                @match artifact.expires_at {
                    Some(at) => { "Kept until " (format::date(at.0)) },
                    None => { "Kept for good" },
                }
            }
        }
    }
}

/// The state of a job in a list, as a link to it.
pub(super) fn state_link(view_href: &str, build: &Build) -> Markup {
    ui::status::status_link(of_build(build), view_href)
}

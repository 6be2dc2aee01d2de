//! The parts of a pipeline's page that change while it runs.

use kernel::{App, Result, Time};
use projects::Permission;
use ui::parts::{self, Button};
use ui::pipeline::{Arrange, Node, legend};
use ui::{Item, Markup, Tone, format, html};

use super::facts::{clock, failure, of_build};
use super::jobs::action;
use super::pipeline::{View, expected_end};
use super::pipelines::{overall, title};
use super::{at, commit_link, definition, person, ref_link};
use crate::build::Build;
use crate::status::Status;

/// Above this many jobs a graph says less than the table.
const GRAPH: usize = 300;
/// More edges than this between two stages are left out but for the longest way.
const DENSE: usize = 64;

fn warned(view: &View) -> bool {
    view.builds.iter().any(|b| b.allow_failure && b.status == Status::Failed)
}

pub(super) fn head(view: &View) -> Markup {
    let (access, pipeline) = (&view.access, &view.pipeline);
    let verb = match pipeline.source.as_str() {
        "push" => "pushed",
        _ => "ran",
    };
    html! {
        (parts::head(
            &html! { (title(pipeline)) " " span.faint.num { "#" (pipeline.id) } },
            &actions(view),
            &html! {
                (ui::status::status_pill(overall(pipeline, warned(view))))
                @if let Some(user) = &view.user { (person(user)) }
                span.soft { (verb) " " (commit_link(access, &pipeline.sha)) " " (if pipeline.tag { "as" } else { "to" }) " " (ref_link(access, &pipeline.ref_name)) }
                span.faint.num { (format::time(pipeline.created_at.0)) }
            },
        ))
        (stats(view))
    }
}

fn actions(view: &View) -> Markup {
    let failed = view.builds.iter().any(|b| matches!(b.status, Status::Failed | Status::Canceled));
    let open = view.builds.iter().any(|b| b.status.is_cancelable());
    html! {
        @if view.manages && failed {
            (parts::post_button(&view.href("/retry"), &[], &Button { label: "Retry failed", icon: "retry", ..Button::default() }))
        }
        @if view.manages && open && !view.pipeline.status.is_complete() {
            (parts::post_button(&view.href("/cancel"), &[], &Button { label: "Cancel", icon: "stop", class: "danger", ..Button::default() }))
        }
        @if view.access.can(Permission::DeletePipeline) {
            (Button { label: "Delete pipeline", icon: "trash", class: "quiet", icon_only: true, dialog: Some("delete-pipeline"), ..Button::default() }.render())
        }
    }
}

fn stats(view: &View) -> Markup {
    let pipeline = &view.pipeline;
    let total = view.builds.iter().filter(|b| b.status != Status::Skipped).count();
    let done = view.builds.iter().filter(|b| b.status.is_complete() && b.status != Status::Skipped).count();
    if view.builds.is_empty() {
        return Markup::default();
    }
    let queued = view.builds.iter().filter_map(Build::queued).fold(0.0, f64::max);
    html! {
        dl.stats {
            div { dt { "Progress" } dd { (done) " of " (format::plural(total.try_into().unwrap_or(0), "job")) (parts::progress("Progress", done as u64, total as u64)) } }
            @if let Some(taken) = pipeline.duration() { div { dt { "Elapsed" } dd.num { (format::duration(taken as f64)) } } }
            @if let Some(end) = expected_end(view) {
                div { dt { "Expected end" } dd.num { "about " (format::duration(end.since(Time::now()).as_secs_f64().round())) " from now" } }
            }
            @if view.critical.seconds > 0.0 && view.builds.len() > 1 {
                div { dt { "Critical path" } dd.num { (format::duration(view.critical.seconds)) " " span.faint { (format::plural(view.critical.path.len().try_into().unwrap_or(0), "job")) } } }
            }
            @if queued >= 1.0 { div { dt { "Queued" } dd.num { (format::duration(queued.round())) " " span.faint { "at most" } } } }
            @if let Some(coverage) = pipeline.coverage { div { dt { "Coverage" } dd.num { (format!("{coverage:.1} %")) } } }
        }
    }
}

/// Why the configuration was refused, each with its line.
pub(super) async fn refused(app: &App, view: &View) -> Result<Markup> {
    let Some(errors) = &view.pipeline.yaml_errors else { return Ok(Markup::default()) };
    let problems = definition::problems(app, &view.access, &view.pipeline).await?;
    Ok(parts::alert(
        Tone::Bad,
        &html! {
            b { "The configuration was refused, so no job ran." }
            ul {
                @if problems.is_empty() { @for line in errors.lines() { li { (line) } } }
                @for problem in &problems { li { (definition::problem(&view.access, &view.pipeline.sha, problem)) } }
            }
        },
    ))
}

/// The jobs that failed, with the end of their logs.
pub(super) fn failures(view: &View) -> Markup {
    if view.failures.is_empty() {
        return Markup::default();
    }
    let body = html! {
        @for (build, lines) in &view.failures {
            @let (why, _) = failure(build);
            div.stack.failure {
                div.line {
                    (ui::status::tone(of_build(build).tone(), of_build(build).icon(), &build.name))
                    span.soft { (why) }
                    a.push href=(at(&view.access, format_args!("/-/jobs/{}", build.id))) { "Whole log" }
                }
                @if !lines.0.is_empty() { pre.log.tail tabindex="0" role="region" aria-label={ "End of the log of " (build.name) } { (lines) } }
            }
        }
    };
    parts::panel("failures", "What failed", &body)
}

/// The graph of the jobs.
pub(super) fn graph(view: &View) -> Markup {
    if view.builds.is_empty() || view.builds.len() > GRAPH {
        return Markup::default();
    }
    let nodes = nodes(view);
    let stages = view.pipeline.stages();
    let choice = |word: &str, key: &str, is| Item::new(word, view.href(&format!("?arrange={key}"))).current(is);
    let header = html! {
        h2 id="graph" { "Graph" }
        (legend())
        div.push {
            (parts::segments("Arrange by", &[
                choice("Stages", "stages", view.arrange == Arrange::Stages), choice("Needs", "needs", view.arrange == Arrange::Needs),
            ]))
        }
    };
    parts::panel_with("graph", &header, &ui::pipeline::graph(&nodes, &stages, view.arrange), None)
}

fn nodes(view: &View) -> Vec<Node> {
    let critical = |at: usize| view.critical.path.len() > 1 && view.critical.path.contains(&at);
    let node = |(at, build): (usize, &Build)| Node {
        id: build.name.clone(),
        title: build.name.clone(),
        href: self::at(&view.access, format_args!("/-/jobs/{}", build.id)),
        status: of_build(build),
        time: match build.duration() {
            Some(taken) => format::clock(taken),
            None if view.weights[at] >= 1.0 => format!("~{}", format::clock(view.weights[at])),
            None => String::new(),
        },
        note: None,
        stage: usize::try_from(build.stage_index).unwrap_or(0),
        needs: before(view, at),
        critical: critical(at),
    };
    view.builds.iter().enumerate().map(node).collect()
}

/// What a job comes after: its needs, else the jobs of the stage before.
fn before(view: &View, at: usize) -> Vec<String> {
    let build = &view.builds[at];
    if build.dag {
        return view.needs.get(&build.id).into_iter().flatten().map(|n| n.name.clone()).collect();
    }
    if view.arrange == Arrange::Stages && !view.builds.iter().any(|b| b.dag) {
        // Stages say it already, but for the way that decides.
        return next_on_path(view, at).map(|b| b.name.clone()).into_iter().collect();
    }
    let stage = view.builds[..at].iter().rev().map(|b| b.stage_index).find(|s| *s < build.stage_index);
    let earlier: Vec<&Build> = view.builds.iter().filter(|b| Some(b.stage_index) == stage).collect();
    let here = view.builds.iter().filter(|b| b.stage_index == build.stage_index).count();
    match earlier.len() * here > DENSE {
        true => next_on_path(view, at).or(earlier.first().copied()).map(|b| b.name.clone()).into_iter().collect(),
        false => earlier.iter().map(|b| b.name.clone()).collect(),
    }
}

/// The job before this one on the critical path.
fn next_on_path(view: &View, at: usize) -> Option<&Build> {
    let place = view.critical.path.iter().position(|p| *p == at)?;
    view.critical.path.get(place + 1).map(|p| &view.builds[*p])
}

/// The jobs as a table with a bar for each.
pub(super) fn jobs(view: &View) -> Markup {
    if view.builds.is_empty() {
        return Markup::default();
    }
    let start = view.builds.iter().filter_map(|b| b.started_at).min().unwrap_or(view.pipeline.created_at);
    let end = view.pipeline.finished_at.filter(|_| view.pipeline.status.is_complete()).unwrap_or_else(Time::now);
    let span = end.since(start).as_secs_f64().max(1.0);
    let header = html! { h2 id="jobs" { "Jobs" } div.push.fit { (ui::form::filter("job-rows", "Filter jobs")) } };
    let table = html! {
        div.scroll {
            table.data id="job-rows" {
                caption.vh { "Jobs, by stage" }
                thead { tr {
                    th scope="col" { "Job" } th scope="col" { "Status" } th.wide-only scope="col" { "Stage" }
                    th.wide-only.tl scope="col" { span.line.fix { span { "0:00" } span.push { (format::clock(span / 2.0)) } span.push { (format::clock(span)) } } }
                    th.r scope="col" { "Time" } th.wide-only scope="col" { span.vh { "Actions" } }
                } }
                tbody { @for (at, build) in view.builds.iter().enumerate() { (row(view, at, build, start, span)) } }
            }
        }
    };
    parts::panel_with("jobs", &header, &table, None)
}

fn row(view: &View, at: usize, build: &Build, start: Time, span: f64) -> Markup {
    let href = self::at(&view.access, format_args!("/-/jobs/{}", build.id));
    let critical = view.critical.path.len() > 1 && view.critical.path.contains(&at);
    html! {
        tr {
            th scope="row" { a.plain href=(href) { (build.name) } @if critical { " " span.tag.bare.wide-only { "critical" } } }
            td { (ui::status::status(of_build(build))) }
            td.faint.wide-only { (build.stage) }
            td.wide-only.tl { (bar(build, start, span)) }
            td.r.num {
                @match build.duration() {
                    Some(taken) => { (clock(Some(taken))) },
                    None if view.weights[at] >= 1.0 => { span.faint { "about " (clock(Some(view.weights[at]))) } },
                    None => {},
                }
            }
            td.r.wide-only { @if view.manages { (action(&view.access, build)) } }
        }
    }
}

/// When a job ran, as a bar in the time of the pipeline.
fn bar(build: &Build, start: Time, span: f64) -> Markup {
    let percent = |seconds: f64| format!("{:.1}%", (seconds / span * 100.0).clamp(0.0, 100.0));
    html! {
        svg.chart height="16" aria-hidden="true" {
            line.grid x1="50%" x2="50%" y1="0" y2="16" {}
            @if let (Some(begun), Some(taken)) = (build.started_at, build.duration()) {
                rect class=(of_build(build).tone()) x=(percent(begun.since(start).as_secs_f64())) width=(percent(taken.max(span / 150.0))) y="4" height="8" rx="2" {}
            }
        }
    }
}

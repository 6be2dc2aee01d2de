//! The list of a project's pipelines.

use std::collections::HashMap;

use accounts::User;
use axum::extract::State;
use kernel::http::{Query, page_links};
use kernel::{App, Result};
use projects::{Permission, ProjectAccess};
use sea_orm::{FromQueryResult, Value};
use serde::Deserialize;
use ui::form::hidden;
use ui::parts::{self, Button};
use ui::pipeline::{Bead, beads};
use ui::{Item, Markup, format, html};

use super::facts::shown;
use super::{at, commit_link, page, people, ref_link};
use crate::pipeline::Pipeline;
use crate::status::{Status, composite};
use crate::visibility::sees_pipelines;

const SIZE: usize = 20;

const STATES: &[(&str, &str)] = &[
    ("", "Any state"),
    ("running", "Running"),
    ("pending", "Pending"),
    ("success", "Passed"),
    ("failed", "Failed"),
    ("canceled", "Cancelled"),
    ("skipped", "Skipped"),
    ("manual", "Manual"),
    ("scheduled", "Scheduled"),
    ("created", "Created"),
];

const SOURCES: &[(&str, &str)] = &[
    ("", "Any source"),
    ("push", "Push"),
    ("web", "This website"),
    ("api", "API"),
    ("schedule", "Schedule"),
    ("trigger", "Trigger"),
];

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    scope: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    source: String,
    #[serde(default, rename = "ref")]
    ref_name: String,
    before: Option<i64>,
    after: Option<i64>,
}

impl Asked {
    fn narrows(&self) -> bool {
        [&self.scope, &self.status, &self.source, &self.ref_name].iter().any(|f| !f.is_empty())
    }

    fn query(&self) -> String {
        let pairs =
            [("scope", &self.scope), ("status", &self.status), ("source", &self.source), ("ref", &self.ref_name)];
        let mut out = url::form_urlencoded::Serializer::new(String::new());
        out.extend_pairs(pairs.into_iter().filter(|(_, v)| !v.is_empty()));
        out.finish()
    }
}

/// The jobs of a stage that are in one state.
#[derive(FromQueryResult)]
struct Part {
    pipeline_id: i64,
    stage: String,
    status: Status,
    allow_failure: bool,
}

pub(super) async fn list(State(app): State<App>, access: ProjectAccess, Query(asked): Query<Asked>) -> Result<Markup> {
    sees_pipelines(&access)?;
    let (pipelines, newer, older) = read(&app, &access, &asked).await?;
    let parts = stages_of(&app, &pipelines).await?;
    let people = people(&app, pipelines.iter().map(|p| p.user_id)).await?;
    let base = at(&access, "/-/pipelines");
    let href = |key: &str, id: i64| page_links(&base, &asked.query(), &[(key, &id.to_string())]);
    let mut page = page(&app, &access, "Pipelines", "pipelines", &[("Pipelines", base.clone())]);
    let may_run = access.can(Permission::CreatePipeline);
    page.body = html! {
        (parts::head(&html! { "Pipelines" }, &html! {
            @if may_run {
                (parts::link_button(&at(&access, "/-/ci/lint"), "", "Check a configuration"))
                (parts::primary_link(&at(&access, "/-/pipelines/new"), "play", "Run pipeline")) }
        }, &html! {}))
        @if pipelines.is_empty() && !asked.narrows() { (starter(&access)) } @else {
            (tabs(&base, &asked))
            div.stack {
            (filters(&base, &asked))
            @if pipelines.is_empty() {
                (parts::Empty { icon: "build", title: "No pipelines like that", text: "Another state, source or ref may have some.", ..Default::default() }.render())
            } @else {
                section.panel aria-label="Pipelines" { (table(&access, &pipelines, &parts, &people)) }
            }
            }
            (parts::pages_keyset(newer.map(|id| href("after", id)).as_deref(), older.map(|id| href("before", id)).as_deref()))
        }
    };
    Ok(page.render())
}

/// One page of pipelines, the newest first, with the ids from which newer and older ones go on.
async fn read(app: &App, access: &ProjectAccess, asked: &Asked) -> Result<(Vec<Pipeline>, Option<i64>, Option<i64>)> {
    let mut values: Vec<Value> = vec![access.project.id.into()];
    let mut sql = "SELECT * FROM pipelines WHERE project_id = $1".to_owned();
    match asked.scope.as_str() {
        "finished" => sql.push_str(" AND status IN ('success', 'failed', 'canceled', 'skipped')"),
        "branches" => sql.push_str(" AND tag = FALSE"),
        "tags" => sql.push_str(" AND tag = TRUE"),
        _ => {}
    }
    for (column, value) in [("status", &asked.status), ("source", &asked.source), ("ref_name", &asked.ref_name)] {
        if !value.is_empty() {
            values.push(value.as_str().into());
            sql.push_str(&format!(" AND {column} = ${}", values.len()));
        }
    }
    let order = match (asked.before, asked.after) {
        (_, Some(id)) => format!(" AND id > {id} ORDER BY id ASC"),
        (Some(id), None) => format!(" AND id < {id} ORDER BY id DESC"),
        (None, None) => " ORDER BY id DESC".to_owned(),
    };
    let mut found: Vec<Pipeline> = app.db().all(&format!("{sql}{order} LIMIT {}", SIZE + 1), values).await?;
    let more = found.len() > SIZE;
    found.truncate(SIZE);
    found.sort_by_key(|p| std::cmp::Reverse(p.id));
    let (most, least) = (found.first().map(|p| p.id), found.last().map(|p| p.id));
    Ok(match asked.after {
        Some(_) => (found, most.filter(|_| more), least),
        None => (found, most.filter(|_| asked.before.is_some()), least.filter(|_| more)),
    })
}

async fn stages_of(app: &App, pipelines: &[Pipeline]) -> Result<HashMap<i64, Vec<Part>>> {
    let ids: Vec<String> = pipelines.iter().map(|p| p.id.to_string()).collect();
    let mut out: HashMap<i64, Vec<Part>> = HashMap::new();
    if ids.is_empty() {
        return Ok(out);
    }
    let sql = format!(
        "SELECT pipeline_id, stage_index, stage, status, allow_failure FROM builds WHERE pipeline_id IN ({}) AND retried = FALSE
         GROUP BY pipeline_id, stage_index, stage, status, allow_failure ORDER BY pipeline_id, stage_index",
        ids.join(", ")
    );
    for part in app.db().all::<Part>(&sql, []).await? {
        out.entry(part.pipeline_id).or_default().push(part);
    }
    Ok(out)
}

fn tabs(base: &str, asked: &Asked) -> Markup {
    let tab = |scope: &str, word: &str| {
        let href = if scope.is_empty() { base.to_owned() } else { format!("{base}?scope={scope}") };
        Item::new(word, href).current(asked.scope == scope)
    };
    parts::tabs(
        "Pipelines",
        &[tab("", "All"), tab("finished", "Finished"), tab("branches", "Branches"), tab("tags", "Tags")],
    )
}

fn filters(base: &str, asked: &Asked) -> Markup {
    html! {
        form.line.filters action=(base) {
            @if !asked.scope.is_empty() { (hidden("scope", &asked.scope)) }
            (select("status", "State", &asked.status, STATES))
            (select("source", "Source", &asked.source, SOURCES))
            label { span.vh { "Branch or tag" } input.in name="ref" value=(asked.ref_name) placeholder="Branch or tag" autocomplete="off"; }
            button.btn type="submit" { "Filter" }
            @if asked.narrows() { a.btn.quiet href=(base) { "Clear" } }
        }
    }
}

fn select(name: &str, label: &str, chosen: &str, choices: &[(&str, &str)]) -> Markup {
    html! {
        label { span.vh { (label) }
            select.in name=(name) data-submit { @for (value, word) in choices { option value=(value) selected[*value == chosen] { (word) } } }
        }
    }
}

fn table(
    access: &ProjectAccess,
    pipelines: &[Pipeline],
    parts: &HashMap<i64, Vec<Part>>,
    people: &HashMap<i64, User>,
) -> Markup {
    html! {
        div.scroll {
            table.data {
                caption.vh { "Pipelines, the newest first" }
                thead { tr {
                    th scope="col" { "Pipeline" } th scope="col" { "Status" } th.wide-only scope="col" { "Stages" }
                    th.r.wide-only scope="col" { "Time" } th.r.wide-only scope="col" { "When" } th.wide-only scope="col" { span.vh { "Actions" } }
                } }
                tbody {
                    @for pipeline in pipelines {
                        (row(access, pipeline, parts.get(&pipeline.id).map_or(&[], Vec::as_slice), pipeline.user_id.and_then(|id| people.get(&id))))
                    }
                }
            }
        }
    }
}

fn row(access: &ProjectAccess, pipeline: &Pipeline, stages: &[Part], user: Option<&User>) -> Markup {
    let href = at(access, format_args!("/-/pipelines/{}", pipeline.id));
    let warned = stages.iter().any(|s| s.status == Status::Failed && s.allow_failure);
    html! {
        tr {
            th scope="row" {
                div.stack.tight {
                    span { a.plain href=(href) { (title(pipeline)) } " " span.faint.num { "#" (pipeline.id) } }
                    span.line.tight.faint.normal {
                        @if let Some(user) = user { (parts::avatar_small(&user.name, user.avatar_path().as_deref())) }
                        (commit_link(access, &pipeline.sha)) (ref_link(access, &pipeline.ref_name))
                        @if pipeline.tag { (parts::tag("tag")) }
                        @if pipeline.source != "push" { (parts::tag(&pipeline.source)) }
                        @if pipeline.yaml_errors.is_some() { (parts::tag("configuration refused")) }
                    }
                }
            }
            td { (ui::status::status_link(overall(pipeline, warned), &href)) }
            td.wide-only { (stage_beads(&href, stages)) }
            td.r.num.wide-only { @if let Some(taken) = pipeline.duration() { (format::clock(taken as f64)) } }
            td.r.faint.wide-only { (format::time(pipeline.created_at.0)) }
            td.r.wide-only { (actions(access, pipeline, &href)) }
        }
    }
}

fn actions(access: &ProjectAccess, pipeline: &Pipeline, href: &str) -> Markup {
    if !access.can(Permission::ManagePipeline) {
        return Markup::default();
    }
    let button = |verb: &str, icon: &str, word: &str| {
        let label = format!("{word} #{}", pipeline.id);
        let button = Button { label: &label, icon, class: "small quiet", icon_only: true, ..Button::default() };
        parts::post_button(&format!("{href}/{verb}"), &[], &button)
    };
    match pipeline.status {
        Status::Failed | Status::Canceled if pipeline.yaml_errors.is_none() => button("retry", "retry", "Retry"),
        status if status.is_cancelable() => button("cancel", "stop", "Cancel"),
        _ => Markup::default(),
    }
}

/// What a pipeline is called: its own name, else the commit's title.
pub(super) fn title(pipeline: &Pipeline) -> &str {
    let name = pipeline.name.as_deref().unwrap_or(&pipeline.commit_title);
    if name.trim().is_empty() { "Pipeline" } else { name }
}

/// The state of a pipeline as the interface shows it.
pub(super) fn overall(pipeline: &Pipeline, warned: bool) -> ui::Status {
    match pipeline.status {
        Status::Success if warned => ui::Status::Warnings,
        status => shown(status, false),
    }
}

fn stage_beads(href: &str, stages: &[Part]) -> Markup {
    let mut list: Vec<Bead> = vec![];
    for group in stages.chunk_by(|a, b| a.stage == b.stage) {
        let warned = group.iter().any(|s| s.status == Status::Failed && s.allow_failure);
        let status = composite(group.iter().map(|s| (s.status, s.allow_failure))).unwrap_or(Status::Skipped);
        let status = if status == Status::Success && warned { ui::Status::Warnings } else { shown(status, false) };
        list.push(Bead { name: group[0].stage.clone(), status, href: href.to_owned() });
    }
    if list.is_empty() { Markup::default() } else { beads(&list) }
}

const STARTER: &str = "stages: [build, test]

build:
  stage: build
  script:
    - mkdir -p out && date > out/built
  artifacts:
    paths: [out/]

test:
  stage: test
  script:
    - test -s out/built
";

/// What stands in place of the list before the first pipeline.
fn starter(access: &ProjectAccess) -> Markup {
    let branch = projects::shell::encode_path(access.project.branch());
    let new = at(access, format_args!("/-/new/{branch}?file_name=.gitlab-ci.yml"));
    html! {
        (parts::Empty { icon: "build", title: "No pipelines yet",
            text: "A pipeline runs the jobs of .gitlab-ci.yml at every push. This one is a start:", ..Default::default() }.render())
        div.starter {
            (parts::code_box(STARTER, ".gitlab-ci.yml"))
            div.line {
                @if access.can(Permission::PushCode) { (parts::primary_link(&new, "plus", "Add .gitlab-ci.yml")) }
                @if access.can(Permission::CreatePipeline) { (parts::link_button(&at(access, "/-/ci/lint"), "", "Check a configuration")) }
            }
        }
    }
}

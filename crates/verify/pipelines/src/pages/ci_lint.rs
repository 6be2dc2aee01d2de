//! The page that checks a configuration.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use git::{Oid, Repo};
use http::StatusCode;
use kernel::http::Params;
use kernel::{App, Result};
use projects::{Permission, ProjectAccess};
use serde::Deserialize;
use ui::form::{Field, checkbox};
use ui::{Markup, Tone, html, parts};

use super::{at, definition, page};
use crate::create::{Wanted, config_text};
use crate::lint::{self, Linted};

#[derive(Deserialize)]
pub(super) struct Form {
    content: String,
    #[serde(default)]
    dry_run: bool,
}

/// Who may write the configuration may check one; it reads files of the repository.
fn may(access: &ProjectAccess) -> Result<()> {
    access.sees(Permission::ReadCode, "Page")?;
    access.may(Permission::CreatePipeline)
}

pub(super) async fn show(State(app): State<App>, access: ProjectAccess) -> Result<Response> {
    may(&access)?;
    let repo = repositories::open(&app, &access.project).await?;
    let text = match head(&access, &repo).await {
        Some(sha) => config_text(&repo, &access.project, sha).await?.unwrap_or_default(),
        None => String::new(),
    };
    answer(&app, &access, &text, false, None)
}

async fn head(access: &ProjectAccess, repo: &Repo) -> Option<Oid> {
    repo.find_branch(access.project.branch()).await.ok()?.commit
}

pub(super) async fn check(
    State(app): State<App>,
    access: ProjectAccess,
    Params(form): Params<Form>,
) -> Result<Response> {
    may(&access)?;
    let repo = repositories::open(&app, &access.project).await?;
    let text = form.content.replace("\r\n", "\n");
    let linted = match (head(&access, &repo).await, form.dry_run) {
        (Some(sha), true) => {
            let wanted = Wanted {
                ref_name: access.project.branch().to_owned(),
                tag: false,
                sha,
                before: Oid::zero(),
                source: "push",
                user: Some(Arc::new(access.actor.user()?.clone())),
                variables: vec![],
            };
            lint::dry_run(&app, &repo, &access.project, &wanted, text.clone()).await?
        }
        (sha, _) => lint::check(&repo, &access.project, sha, text.clone()).await?,
    };
    answer(&app, &access, &text, form.dry_run, Some(&linted))
}

fn answer(app: &App, access: &ProjectAccess, text: &str, dry_run: bool, linted: Option<&Linted>) -> Result<Response> {
    let here = at(access, "/-/ci/lint");
    let steps = [("Pipelines", at(access, "/-/pipelines")), ("Check", here.clone())];
    let mut page = page(app, access, "Check a configuration", "pipelines", &steps);
    page.body = html! {
        (parts::head(&html! { "Check a configuration" }, &html! {}, &html! { span.soft { "Nothing is stored and nothing runs." } }))
        div.stack.wide {
            @if let Some(linted) = linted { (result(linted, dry_run)) }
            form.stack method="post" action=(here) {
                (Field { name: "content", label: definition::config_path(access), value: text, rows: 22, mono: true, required: true, ..Field::default() }.textarea())
                (checkbox("dry_run", "Work out the pipeline of a push to the default branch", dry_run,
                    "Rules, needs and variables are evaluated too; the jobs listed are those that would run."))
                (ui::form::actions("Check", None))
            }
            @if let Some(merged) = linted.and_then(|l| l.merged.as_deref()) {
                (parts::panel_rows("merged", "With everything that it includes and extends",
                    &ui::code::code(&ui::highlight::lines("a.yml", "", merged), "Merged configuration")))
            }
        }
    };
    let refused = linted.is_some_and(|l| !l.is_valid());
    let status = if refused { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok((status, page.render()).into_response())
}

fn result(linted: &Linted, dry_run: bool) -> Markup {
    let problem = |p: &ci_yaml::Problem| {
        html! {
            @if let Some(line) = p.line { b { @if let Some(file) = &p.file { (file) ", " } "Line " (line) ": " } }
            (p.message)
            @if let Some(hint) = &p.hint { br; span.soft { (hint) } }
        }
    };
    html! {
        @if linted.is_valid() {
            (parts::alert(Tone::Ok, &html! { b { "The configuration is good." } @if dry_run { " A push would run " (ui::format::plural(linted.jobs.len().try_into().unwrap_or(0), "job")) "." } }))
        } @else {
            (parts::alert(Tone::Bad, &html! { b { "The configuration would be refused." } ul { @for error in &linted.errors { li { (problem(error)) } } } }))
        }
        @for warning in &linted.warnings { (parts::alert(Tone::Warn, &problem(warning))) }
        @if !linted.jobs.is_empty() { (jobs(linted)) }
        @if !linted.includes.is_empty() {
            p.soft { "Included: " @for (n, file) in linted.includes.iter().enumerate() { @if n > 0 { ", " } code { (file) } } "." }
        }
    }
}

fn jobs(linted: &Linted) -> Markup {
    let rows: Vec<Vec<Markup>> = linted
        .jobs
        .iter()
        .map(|job| {
            let spec = &job.spec;
            let needs: Vec<&str> = spec.needs.iter().flatten().map(|n| n.job.as_str()).collect();
            let script = spec.options.script.first().map_or("", String::as_str);
            vec![
                html! { (spec.name) },
                html! { (spec.stage) },
                html! { (spec.when.word().replace('_', " ")) },
                html! { (needs.join(", ")) },
                html! { code.cut { (script) } },
            ]
        })
        .collect();
    parts::panel_rows(
        "jobs",
        "Jobs",
        &parts::table("Jobs of the configuration", &["Job", "Stage", "When", "Needs", "Script begins"], &[], &rows),
    )
}

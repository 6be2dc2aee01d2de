//! The pages of pipelines.

mod admin;
mod artifact_list;
mod artifacts;
mod badges;
mod ci_lint;
mod critical;
mod definition;
mod facts;
mod group_settings;
mod job;
mod job_actions;
mod job_log;
mod job_side;
mod jobs;
mod pipeline;
mod pipeline_actions;
mod pipeline_new;
mod pipeline_parts;
mod pipelines;
mod settings;
mod sse;
mod tests_tab;
mod variables;

use std::collections::HashMap;

use accounts::User;
use accounts::shell::{Entry, Place, redirect_with};
use axum::response::Response;
use axum::routing::{get, post};
use kernel::{App, Error, Result, Web};
use projects::shell::{Area, NavItem, encode_path};
use projects::{Permission, ProjectAccess};
use ui::{Crumb, Markup, Page, Tone, html, parts};

use crate::build::Build;
use crate::permit;
use crate::pipeline::Pipeline;
use crate::visibility::sees_pipelines;

/// All pages.
pub(crate) fn web() -> Web {
    settings(artifacts(jobs(pipelines(Web::default()))))
}

fn pipelines(web: Web) -> Web {
    web.at("/@project/{project}/-/pipelines", get(pipelines::list).post(pipeline_new::run))
        .at("/@project/{project}/-/pipelines/new", get(pipeline_new::new))
        .at("/@project/{project}/-/pipelines/{pipeline}", get(pipeline::show))
        .at("/@project/{project}/-/pipelines/{pipeline}/stream", get(pipeline::stream))
        .at("/@project/{project}/-/pipelines/{pipeline}/retry", post(pipeline_actions::retry))
        .at("/@project/{project}/-/pipelines/{pipeline}/cancel", post(pipeline_actions::cancel))
        .at("/@project/{project}/-/pipelines/{pipeline}/delete", post(pipeline_actions::delete))
}

fn jobs(web: Web) -> Web {
    web.at("/@project/{project}/-/jobs", get(jobs::list))
        .at("/@project/{project}/-/jobs/{job}", get(job::show))
        .at("/@project/{project}/-/jobs/{job}/raw", get(job_log::raw))
        .at("/@project/{project}/-/jobs/{job}/stream", get(job_log::stream))
        .at("/@project/{project}/-/jobs/{job}/retry", post(job_actions::retry))
        .at("/@project/{project}/-/jobs/{job}/cancel", post(job_actions::cancel))
        .at("/@project/{project}/-/jobs/{job}/play", post(job_actions::play))
        .at("/@project/{project}/-/jobs/{job}/erase", post(job_actions::erase))
}

fn artifacts(web: Web) -> Web {
    web.at("/@project/{project}/-/artifacts", get(artifact_list::list))
        .at("/@project/{project}/-/jobs/{job}/artifacts/browse", get(artifacts::browse_top))
        .at("/@project/{project}/-/jobs/{job}/artifacts/browse/{*path}", get(artifacts::browse))
        .at("/@project/{project}/-/jobs/{job}/artifacts/file/{*path}", get(artifacts::file))
        .at("/@project/{project}/-/jobs/{job}/artifacts/raw/{*path}", get(artifacts::file))
        .at("/@project/{project}/-/jobs/{job}/artifacts/download", get(artifacts::download))
        .at("/@project/{project}/-/jobs/{job}/artifacts/keep", post(artifacts::keep))
        .at("/@project/{project}/-/jobs/{job}/artifacts/delete", post(artifacts::delete))
        .at("/@project/{project}/-/badges/{*rest}", get(badges::show))
}

fn settings(web: Web) -> Web {
    web.at("/@project/{project}/-/ci/lint", get(ci_lint::show).post(ci_lint::check))
        .at("/@project/{project}/-/settings/ci_cd", get(settings::show).post(settings::update))
        .at("/@project/{project}/-/settings/ci_cd/variables", post(settings::add))
        .at("/@project/{project}/-/settings/ci_cd/variables/{id}", get(settings::edit).post(settings::change))
        .at("/@project/{project}/-/settings/ci_cd/variables/{id}/delete", post(settings::delete))
        .at("/@group/{group}/-/settings/ci_cd", get(group_settings::show))
        .at("/@group/{group}/-/settings/ci_cd/variables", post(group_settings::add))
        .at("/@group/{group}/-/settings/ci_cd/variables/{id}", get(group_settings::edit).post(group_settings::change))
        .at("/@group/{group}/-/settings/ci_cd/variables/{id}/delete", post(group_settings::delete))
        .at("/admin/runners", get(admin::runners))
}

/// The entry of the admin area.
pub fn entries() -> Vec<Entry> {
    let (place, order) = (Place::Admin, 45);
    vec![Entry { place, key: "runners", title: "Runners", href: "/admin/runners", icon: "build", keys: "", order }]
}

/// The entries of the navigation.
pub fn nav() -> Vec<NavItem> {
    use Permission as P;
    vec![
        NavItem::project(Area::Build, "pipelines", "Pipelines", "/-/pipelines", P::ReadPipelines, 10),
        NavItem::project(Area::Build, "jobs", "Jobs", "/-/jobs", P::ReadPipelines, 20),
        NavItem::project(Area::Build, "artifacts", "Artifacts", "/-/artifacts", P::ReadArtifacts, 30),
        NavItem::project(Area::Settings, "ci_cd", "CI/CD", "/-/settings/ci_cd", P::ManageVariables, 40),
        NavItem::group(Area::Settings, "ci_cd", "CI/CD", "/-/settings/ci_cd", P::ReadGroupVariables, 40),
    ]
}

/// The job that the address names; a 404 where there is none or the actor may not know of it.
async fn job_of(app: &App, access: &ProjectAccess, id: &str) -> Result<Build> {
    sees_pipelines(access)?;
    let id = id.parse().map_err(|_| Error::not_found("Job"))?;
    Build::find(app.db().conn(), access.project.id, id).await?.ok_or_else(|| Error::not_found("Job"))
}

/// The pipeline of a job.
async fn pipeline_of(app: &App, build: &Build) -> Result<Pipeline> {
    let found = Pipeline::find(app.db().conn(), build.project_id, build.pipeline_id).await?;
    found.ok_or_else(|| Error::not_found("Pipeline"))
}

/// Whether the actor may retry, cancel and play the jobs of a pipeline.
async fn manages(app: &App, access: &ProjectAccess, pipeline: &Pipeline) -> Result<bool> {
    Ok(access.can(Permission::ManagePipeline)
        && permit::may_run_on(app, access, &pipeline.ref_name, pipeline.tag).await?)
}

/// The path of something in the project: `/g/p` and the rest.
fn at(access: &ProjectAccess, rest: impl std::fmt::Display) -> String {
    format!("/{}{rest}", access.project.full_path)
}

/// A page of the project with further steps in the breadcrumb.
fn page(app: &App, access: &ProjectAccess, title: &str, current: &str, steps: &[(&str, String)]) -> Page {
    let mut page = projects::shell::project_page(app, access, title, current);
    page.crumbs.extend(steps.iter().map(|(word, href)| Crumb::new(*word, href.clone())));
    page
}

/// Sends the browser on with the outcome of what was asked for.
fn outcome(path: &str, result: Result<()>, done: &str) -> Result<Response> {
    match result {
        Ok(()) => Ok(redirect_with(path, Tone::Ok, done)),
        Err(Error::Forbidden(why) | Error::BadRequest(why) | Error::Conflict(why)) if !why.is_empty() => {
            Ok(redirect_with(path, Tone::Warn, &format!("{}.", why.trim_end_matches(['!', '.']))))
        }
        Err(e) => Err(e),
    }
}

/// The people with these ids.
async fn people(app: &App, ids: impl Iterator<Item = Option<i64>>) -> Result<HashMap<i64, User>> {
    let mut ids: Vec<i64> = ids.flatten().collect();
    ids.sort_unstable();
    ids.dedup();
    let found = User::by_ids(app.db().conn(), ids).await?;
    Ok(found.into_iter().map(|u| (u.id, u)).collect())
}

/// A person with picture and link.
fn person(user: &User) -> Markup {
    html! { (parts::avatar_small(&user.name, user.avatar_path().as_deref())) a.plain href=(user.path()) { b { (user.name) } } }
}

/// The first characters of a commit, as a link.
fn commit_link(access: &ProjectAccess, sha: &str) -> Markup {
    html! { a.mono href=(at(access, format_args!("/-/commit/{sha}"))) { (sha.get(..8).unwrap_or(sha)) } }
}

/// A branch or tag as a link.
fn ref_link(access: &ProjectAccess, name: &str) -> Markup {
    html! { a.mono.cut title=(name) href=(at(access, format_args!("/-/tree/{}", encode_path(name)))) { (name) } }
}

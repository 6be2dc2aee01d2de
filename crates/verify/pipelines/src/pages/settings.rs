//! The CI/CD settings of a project.

use accounts::audit;
use accounts::shell::redirect_with;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use kernel::db::Sql;
use kernel::http::Params;
use kernel::{App, Error, Result, Time};
use projects::{Permission, ProjectAccess, ProjectSettings};
use serde::Deserialize;
use serde_json::json;
use ui::form::{Field, checkbox};
use ui::{Markup, Tone, html, parts};

use super::admin::isolation;
use super::variables::{self, Place, private};
use super::{at, page};
use crate::variables::Owner;

const TITLE: &str = "CI/CD settings";
/// The longest time limit of jobs, in seconds: a month.
const LONGEST: i64 = 31 * 24 * 3600;

fn place<'a>(app: &'a App, access: &'a ProjectAccess) -> Result<Place<'a>> {
    access.may(Permission::ManageVariables)?;
    let settings = at(access, "/-/settings/ci_cd");
    Ok(Place { app, actor: &access.actor, owner: Owner::Project(access.project.id), settings })
}

fn frame(app: &App, access: &ProjectAccess, title: &str, body: Markup) -> Markup {
    let mut steps = vec![("CI/CD", at(access, "/-/settings/ci_cd"))];
    if title != TITLE {
        steps.push((title, String::new()));
    }
    let mut page = page(app, access, title, "ci_cd", &steps);
    page.body = body;
    page.render()
}

pub(super) async fn show(State(app): State<App>, access: ProjectAccess) -> Result<Response> {
    let place = place(&app, &access)?;
    let variables = variables::panel(
        &place,
        "Jobs get them as environment variables. Those of the groups above come too; the project's win.",
    )
    .await?;
    let body = body(&app, &access, &General::of(&access.settings), &[], &variables);
    Ok(private(StatusCode::OK, frame(&app, &access, TITLE, body)))
}

fn body(
    app: &App,
    access: &ProjectAccess,
    general: &General,
    wrong: &[(String, String)],
    variables: &Markup,
) -> Markup {
    html! {
        (parts::head(&html! { (TITLE) }, &html! {}, &html! {}))
        div.stack.wide {
            (general_panel(access, general, wrong))
            (variables)
            (parts::panel("runner", "Runner", &isolation(app)))
            (badges(app, access))
        }
    }
}

#[derive(Deserialize)]
pub(super) struct General {
    #[serde(default)]
    ci_config_path: String,
    #[serde(default)]
    ci_default_git_depth: String,
    #[serde(default)]
    build_timeout: String,
    #[serde(default)]
    public_jobs: bool,
    #[serde(default)]
    auto_cancel_pending_pipelines: bool,
}

impl General {
    fn of(settings: &ProjectSettings) -> Self {
        Self {
            ci_config_path: settings.ci_config_path.clone().unwrap_or_default(),
            ci_default_git_depth: settings.ci_default_git_depth.to_string(),
            build_timeout: span(settings.build_timeout),
            public_jobs: settings.public_jobs,
            auto_cancel_pending_pipelines: settings.auto_cancel_pending_pipelines,
        }
    }

    /// The settings with these; complaints by field otherwise.
    fn apply(&self, old: &ProjectSettings) -> Result<ProjectSettings> {
        let mut wrong = vec![];
        let path = self.ci_config_path.trim();
        if path.contains("..") || path.starts_with('/') || path.len() > 255 || path.chars().any(char::is_control) {
            wrong.push((
                "ci_config_path".to_owned(),
                "A path in the repository can't begin with / or hold \"..\".".to_owned(),
            ));
        }
        let depth = self.ci_default_git_depth.trim().parse::<i64>().ok().filter(|d| (0..=1000).contains(d));
        if depth.is_none() {
            wrong.push((
                "ci_default_git_depth".into(),
                "The depth is a number from 0 to 1,000; 0 fetches everything.".into(),
            ));
        }
        let timeout = seconds(&self.build_timeout).filter(|t| (60..=LONGEST).contains(t));
        if timeout.is_none() {
            wrong
                .push(("build_timeout".into(), "A time limit is between 1 minute and 1 month, such as 1h 30m.".into()));
        }
        let (Some(ci_default_git_depth), Some(build_timeout), true) = (depth, timeout, wrong.is_empty()) else {
            return Err(Error::Invalid(wrong));
        };
        Ok(ProjectSettings {
            ci_config_path: Some(path.to_owned()).filter(|p| !p.is_empty()),
            ci_default_git_depth,
            build_timeout,
            public_jobs: self.public_jobs,
            auto_cancel_pending_pipelines: self.auto_cancel_pending_pipelines,
            ..old.clone()
        })
    }
}

/// Seconds as people write them: `1h 30m`.
fn span(seconds: i64) -> String {
    let parts = [(seconds / 3600, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
    let shown: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n}{unit}")).collect();
    shown.join(" ")
}

/// What people write: `3600`, `1h 30m`, `90 minutes`.
fn seconds(text: &str) -> Option<i64> {
    let text = text.trim();
    let plain = text.parse::<u64>().ok();
    plain.or_else(|| ci_yaml::duration::parse(text)).and_then(|s| i64::try_from(s).ok())
}

fn general_panel(access: &ProjectAccess, general: &General, wrong: &[(String, String)]) -> Markup {
    let error = |field: &str| wrong.iter().find(|(f, _)| f == field).map(|(_, why)| why.as_str());
    parts::panel(
        "general",
        "General pipelines",
        &html! {
            form.stack method="post" action=(at(access, "/-/settings/ci_cd")) {
                (Field { name: "ci_config_path", label: "Configuration file", value: &general.ci_config_path, placeholder: ".gitlab-ci.yml",
                    error: error("ci_config_path"), mono: true, hint: "Its path in the repository; empty for .gitlab-ci.yml.", ..Field::default() }.input())
                (Field { name: "ci_default_git_depth", label: "Git depth", value: &general.ci_default_git_depth, kind: "number",
                    error: error("ci_default_git_depth"), hint: "How many commits a job fetches; 0 for all. GIT_DEPTH overrides it.", ..Field::default() }.input())
                (Field { name: "build_timeout", label: "Time limit of jobs", value: &general.build_timeout,
                    error: error("build_timeout"), hint: "Such as 1h or 90m. The keyword timeout overrides it.", ..Field::default() }.input())
                (checkbox("public_jobs", "Everybody who sees the pipelines sees logs and artifacts", general.public_jobs,
                    "Switched off, they are for members from reporter on."))
                (checkbox("auto_cancel_pending_pipelines", "Cancel what a newer push makes redundant", general.auto_cancel_pending_pipelines,
                    "Older pipelines of the same branch that haven't begun, and jobs that are interruptible."))
                (ui::form::actions("Save settings", None))
            }
        },
    )
}

/// The badges of the default branch, to be copied.
fn badges(app: &App, access: &ProjectAccess) -> Markup {
    let branch = projects::shell::encode_path(access.project.branch());
    let list = [("Pipeline", "pipeline"), ("Coverage", "coverage")];
    parts::panel(
        "badges",
        "Badges",
        &html! {
            @for (word, kind) in list {
                @let path = at(access, format_args!("/-/badges/{branch}/{kind}.svg"));
                @let url = app.config().link(&path);
                @let target = app.config().link(&at(access, format_args!("/-/pipelines?ref={branch}")));
                div.line { img src=(path) alt=(word) height="20"; (parts::copy_box(&format!("[![{kind}]({url})]({target})"), &format!("Markdown of the {kind} badge"))) }
            }
        },
    )
}

pub(super) async fn update(
    State(app): State<App>,
    access: ProjectAccess,
    Params(form): Params<General>,
) -> Result<Response> {
    let place = place(&app, &access)?;
    access.may(Permission::EditProject)?;
    let settings = match form.apply(&access.settings) {
        Ok(settings) => settings,
        Err(Error::Invalid(wrong)) => {
            let variables = variables::panel(&place, "").await?;
            let body = body(&app, &access, &form, &wrong, &variables);
            return Ok(private(StatusCode::UNPROCESSABLE_ENTITY, frame(&app, &access, TITLE, body)));
        }
        Err(e) => return Err(e),
    };
    let tx = app.begin().await?;
    let sql = "UPDATE projects SET settings = $2, updated_at = $3 WHERE id = $1";
    let text = serde_json::to_string(&settings)?;
    tx.run(sql, [access.project.id.into(), text.into(), Time::now().into()]).await?;
    let details = json!({ "public_jobs": settings.public_jobs, "ci_config_path": settings.ci_config_path });
    audit::record(&*tx, &access.actor, "project.changed", ("project", access.project.id), details).await?;
    tx.commit().await?;
    Ok(redirect_with(&place.settings, Tone::Ok, "The settings are saved."))
}

type Named = Path<(String, String)>;

pub(super) async fn add(
    State(app): State<App>,
    access: ProjectAccess,
    Params(form): Params<variables::Form>,
) -> Result<Response> {
    variables::add(&place(&app, &access)?, &form, |title, body| frame(&app, &access, title, body)).await
}

pub(super) async fn edit(State(app): State<App>, access: ProjectAccess, Path((_, id)): Named) -> Result<Response> {
    variables::edit(&place(&app, &access)?, &id, |title, body| frame(&app, &access, title, body)).await
}

pub(super) async fn change(
    State(app): State<App>,
    access: ProjectAccess,
    Path((_, id)): Named,
    Params(form): Params<variables::Form>,
) -> Result<Response> {
    variables::update(&place(&app, &access)?, &id, form, |title, body| frame(&app, &access, title, body)).await
}

pub(super) async fn delete(State(app): State<App>, access: ProjectAccess, Path((_, id)): Named) -> Result<Response> {
    variables::delete(&place(&app, &access)?, &id).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_and_written() {
        assert_eq!(span(5400), "1h 30m");
        assert_eq!(seconds("1h 30m"), Some(5400));
        assert_eq!(seconds(&span(3661)), Some(3661));
        assert_eq!((seconds("90"), seconds("soon")), (Some(90), None));
    }
}

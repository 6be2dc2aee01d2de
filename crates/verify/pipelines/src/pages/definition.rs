//! The configuration of a pipeline: its text with includes, problems with their line and help.

use ci_yaml::Problem;
use git::Oid;
use kernel::{App, Result};
use projects::shell::encode_path;
use projects::{Permission, ProjectAccess};
use ui::{Markup, Tone, html, parts};

use super::at;
use crate::create::{CONFIG_PATH, config_text};
use crate::lint::{self, Linted};
use crate::pipeline::Pipeline;

/// Where the project has its configuration.
pub(super) fn config_path(access: &ProjectAccess) -> &str {
    access.settings.ci_config_path.as_deref().filter(|p| !p.is_empty()).unwrap_or(CONFIG_PATH)
}

/// Checks the configuration at a pipeline's commit again; `None` where it can't be read.
async fn check(app: &App, access: &ProjectAccess, pipeline: &Pipeline) -> Result<Option<(String, Linted)>> {
    if !access.can(Permission::ReadCode) {
        return Ok(None);
    }
    let Ok(sha) = Oid::from_hex(pipeline.sha.as_bytes()) else { return Ok(None) };
    let repo = repositories::open(app, &access.project).await?;
    let Ok(Some(text)) = config_text(&repo, &access.project, sha).await else { return Ok(None) };
    let linted = lint::check(&repo, &access.project, Some(sha), text.clone()).await?;
    Ok(Some((text, linted)))
}

/// Why the configuration was refused, with what helps; empty where only the pipeline's rules were at fault.
pub(super) async fn problems(app: &App, access: &ProjectAccess, pipeline: &Pipeline) -> Result<Vec<Problem>> {
    Ok(check(app, access, pipeline).await?.map(|(_, linted)| linted.errors).unwrap_or_default())
}

/// A problem with a link to its line.
pub(super) fn problem(access: &ProjectAccess, sha: &str, problem: &Problem) -> Markup {
    let path = problem.file.as_deref().unwrap_or(config_path(access));
    html! {
        (problem.message)
        @if let Some(line) = problem.line {
            " (" a href=(at(access, format_args!("/-/blob/{sha}/{}#L{line}", encode_path(path)))) { (path) ", line " (line) } ")"
        }
        @if let Some(hint) = &problem.hint { br; span.soft { (hint) } }
    }
}

/// What the tab shows: warnings, the text, and all of it with what it includes.
pub(super) async fn body(app: &App, access: &ProjectAccess, pipeline: &Pipeline) -> Result<Markup> {
    let Some((text, linted)) = check(app, access, pipeline).await? else {
        return Ok(parts::alert(Tone::Info, &html! { "The configuration at this commit can't be shown to you." }));
    };
    let path = config_path(access).to_owned();
    let merged = linted.merged.filter(|m| !linted.includes.is_empty() || m.len() > text.len());
    let draw =
        |name: &'static str, text: String| tokio::task::spawn_blocking(move || ui::highlight::lines(name, "", &text));
    let lines = draw("a.yml", text).await?;
    let merged = match merged {
        Some(text) => Some(draw("a.yml", text).await?),
        None => None,
    };
    Ok(html! {
        div.stack.wide {
            @for warning in &linted.warnings { (parts::alert(Tone::Warn, &problem(access, &pipeline.sha, warning))) }
            (parts::panel_rows("definition", &path, &ui::code::code(&lines, &format!("Text of {path}"))))
            @if let Some(merged) = merged {
                (parts::panel_rows("merged", "With everything that it includes and extends", &ui::code::code(&merged, "Merged configuration")))
            }
        }
    })
}

//! What the buttons of a job do.

use accounts::audit;
use axum::extract::{Path, State};
use axum::response::Response;
use kernel::http::Params;
use kernel::{App, Error, Result};
use projects::ProjectAccess;
use serde::Deserialize;
use serde_json::json;

use super::{at, job_of, outcome, pipeline_of};
use crate::variables::GivenVariable;
use crate::{actions, permit};

type Named = Path<(String, String)>;

pub(super) async fn retry(State(app): State<App>, access: ProjectAccess, Path((_, id)): Named) -> Result<Response> {
    let build = job_of(&app, &access, &id).await?;
    permit::manage(&app, &access, &pipeline_of(&app, &build).await?).await?;
    match actions::retry(&app, &build, access.actor.user()?.id).await {
        Ok(new) => outcome(&at(&access, format_args!("/-/jobs/{}", new.id)), Ok(()), "The job runs again."),
        Err(e) => outcome(&at(&access, format_args!("/-/jobs/{}", build.id)), Err(e), ""),
    }
}

pub(super) async fn cancel(State(app): State<App>, access: ProjectAccess, Path((_, id)): Named) -> Result<Response> {
    let build = job_of(&app, &access, &id).await?;
    permit::manage(&app, &access, &pipeline_of(&app, &build).await?).await?;
    let done = actions::cancel(&app, &build).await;
    outcome(&at(&access, format_args!("/-/jobs/{}", build.id)), done, "The job is being cancelled.")
}

#[derive(Deserialize)]
pub(super) struct Play {
    #[serde(default)]
    variables: String,
}

pub(super) async fn play(
    State(app): State<App>,
    access: ProjectAccess,
    Path((_, id)): Named,
    Params(form): Params<Play>,
) -> Result<Response> {
    let build = job_of(&app, &access, &id).await?;
    permit::manage(&app, &access, &pipeline_of(&app, &build).await?).await?;
    let here = at(&access, format_args!("/-/jobs/{}", build.id));
    let done = match written(&form.variables) {
        Ok(variables) => actions::play(&app, &build, access.actor.user()?.id, &variables).await,
        Err(e) => Err(e),
    };
    outcome(&here, done, "The job has been started.")
}

pub(super) async fn erase(State(app): State<App>, access: ProjectAccess, Path((_, id)): Named) -> Result<Response> {
    let build = job_of(&app, &access, &id).await?;
    permit::erase(&access, &build)?;
    let done = actions::erase(&app, &build).await;
    if done.is_ok() {
        let details = json!({ "job": build.name, "project_id": access.project.id });
        audit::record(app.db().conn(), &access.actor, "job.erased", ("Job", build.id), details).await?;
    }
    outcome(&at(&access, format_args!("/-/jobs/{}", build.id)), done, "The log and the artifacts are gone.")
}

/// Variables written one a line as `KEY=value`.
pub(super) fn written(text: &str) -> Result<Vec<GivenVariable>> {
    let lines = text.lines().filter(|l| !l.trim().is_empty());
    lines
        .map(|line| {
            let (key, value) = line.split_once('=').unwrap_or((line, ""));
            let key = key.trim();
            let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if key.is_empty() || !key.chars().all(word) || !line.contains('=') {
                return Err(Error::bad_request(format!(
                    "\"{}\" is no variable; write KEY=value, one a line",
                    short(line)
                )));
            }
            Ok(GivenVariable::new(key, value))
        })
        .collect()
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_one_a_line() {
        let found = written("A=1\r\n\nB_2=x=y \n").unwrap();
        let pairs: Vec<_> = found.iter().map(|v| (v.key.as_str(), v.value.as_str())).collect();
        assert_eq!(pairs, [("A", "1"), ("B_2", "x=y ")]);
        assert!(written("no").is_err() && written("a-b=1").is_err() && written("=1").is_err());
    }
}

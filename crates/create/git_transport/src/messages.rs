//! What `git push` prints besides git's own words.

use git::pack::report::Report;
use git::{Repo, RepoPath};
use kernel::{App, Error};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use projects::{Feature, FeatureLevel};
use repositories::RefUpdate;

use crate::gate::Admitted;

/// What of a ref's name can't stand in a path.
const REF: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'<').add(b'>').add(b'?').add(b'`').add(b'\\');

/// The reason inside an error, as people may read it.
pub(crate) fn reason(error: &Error) -> String {
    match error {
        Error::Forbidden(why) if !why.is_empty() => why.clone(),
        Error::Internal(_) => "the server failed; its log says why".into(),
        other => other.to_string(),
    }
}

/// What is wrong with a request that can't be read.
pub(crate) fn unreadable(error: git::GitError) -> Error {
    match error {
        git::GitError::Io(_) => Error::bad_request("the request broke off, or is not compressed as it says"),
        other => repositories::status_of(other),
    }
}

/// The same where a status code says nothing.
pub(crate) fn spoken(error: &Error) -> String {
    match error {
        Error::NotFound(_) => "there is no such project, or you may not see it".into(),
        Error::Forbidden(why) if why.is_empty() => "you may not do that".into(),
        other => reason(other),
    }
}

/// Paragraphs with empty lines around them, so that they stand out among git's lines.
pub(crate) fn boxed(paragraphs: &[Vec<String>]) -> String {
    let mut text = String::from("\n");
    for line in paragraphs.iter().flatten() {
        text.push_str(line);
        text.push('\n');
    }
    text.push('\n');
    text
}

/// Explains what git's report says in few words.
pub(crate) fn of_report(report: &Report) -> Vec<String> {
    let mut lines = vec![];
    if let Some(why) = &report.unpack_error {
        lines.push(format!("Nothing was pushed: the objects that were sent can't be used ({why})."));
        lines.push("If this happens again, check your copy with `git fsck` and the space on the server's disk.".into());
        return lines;
    }
    if report.refused.iter().any(|(_, why)| why == "non-fast-forward") {
        lines
            .push("A protected branch can't be force pushed. Fetch and merge first, or push to another branch.".into());
    }
    lines
}

/// Says what is useful to know after a push.
pub(crate) async fn after_push(app: &App, admitted: &Admitted, repo: &Repo, moved: &[RefUpdate]) -> Vec<String> {
    let project = &admitted.access.project;
    let mut lines = vec![];
    if moved.is_empty() {
        return lines;
    }
    if admitted.created {
        lines.push(format!("The private project {} was created:", project.full_path));
        lines.push(format!("  {}", project.url(app, "")));
        lines.push(String::new());
        lines.push("To use it as the remote of this repository:".into());
        lines.push(format!("  git remote add origin {}", project.url(app, ".git")));
    }
    if !admitted.created && project.empty_repo {
        lines.extend(["View the project:".into(), format!("  {}", project.url(app, ""))]);
    }
    if admitted.moved {
        lines.push("The project has moved. Use its new address:".into());
        lines.push(format!("  git remote set-url origin {}", project.url(app, ".git")));
    }
    for paragraph in [comparison(app, admitted, moved), pipeline(app, admitted, repo, moved).await] {
        if !lines.is_empty() && !paragraph.is_empty() {
            lines.push(String::new());
        }
        lines.extend(paragraph);
    }
    lines
}

/// The comparison of a single new branch with the default branch.
fn comparison(app: &App, admitted: &Admitted, moved: &[RefUpdate]) -> Vec<String> {
    let project = &admitted.access.project;
    let mut new = moved.iter().filter(|u| u.name.is_branch() && u.creates());
    let (Some(update), None, Some(default)) = (new.next(), new.next(), project.default_branch.as_deref()) else {
        return vec![];
    };
    let short = update.name.short();
    if short == *default {
        return vec![];
    }
    let (from, to) = (utf8_percent_encode(default, REF), short.lossy().into_owned());
    let url = project.url(app, &format!("/-/compare/{from}...{}", utf8_percent_encode(&to, REF)));
    vec![format!("Compare {to} with {default}:"), format!("  {url}")]
}

/// Where the pipeline of this push is to be seen, if it has one.
async fn pipeline(app: &App, admitted: &Admitted, repo: &Repo, moved: &[RefUpdate]) -> Vec<String> {
    let access = &admitted.access;
    let config = access.settings.ci_config_path.as_deref().filter(|p| !p.is_empty()).unwrap_or(".gitlab-ci.yml");
    let (Ok(path), Some(update)) = (RepoPath::new(config), moved.iter().find(|u| !u.deletes())) else { return vec![] };
    let off = access.settings.level_of(Feature::Builds) == FeatureLevel::Disabled;
    let Ok(commit) = repo.commit_of(update.new).await else { return vec![] };
    if off || repo.entry(commit, &path).await.is_err() {
        return vec![];
    }
    let name = update.name.short().lossy().into_owned();
    let url = access.project.url(app, &format!("/-/pipelines?ref={}", utf8_percent_encode(&name, REF)));
    vec![format!("Pipelines of {name}:"), format!("  {url}")]
}

//! The branch that a change in the browser goes to, and what is said when it can't.

use git::Repo;
use kernel::{App, Error, Result};
use projects::{Permission, ProjectAccess};
use repositories::Protections;

/// Whether the actor may push to a branch.
pub(crate) async fn may_push(app: &App, access: &ProjectAccess, branch: &str) -> Result<bool> {
    if !access.can(Permission::PushCode) {
        return Ok(false);
    }
    let rules = Protections::of_project(app.db().conn(), access.project.id).await?;
    let who = rules.passenger(app, access).await?;
    Ok(rules.may_push(&who, branch))
}

/// The name itself, or with a number behind it where a branch is called so already.
pub(crate) async fn free_name(repo: &Repo, wanted: &str) -> String {
    let mut name = wanted.to_owned();
    for number in 2..100 {
        if repo.find_branch(&name).await.is_err() {
            break;
        }
        name = format!("{wanted}-{number}");
    }
    name
}

/// An error as a sentence for a page.
pub(crate) fn sentence(error: &Error) -> String {
    let text = match error {
        Error::Forbidden(why) if why.is_empty() => "You may not do this here.".to_owned(),
        Error::Forbidden(why) => why.clone(),
        Error::NotFound(_) => "It is not there any more.".to_owned(),
        other => other.to_string(),
    };
    let mut chars = text.chars();
    let first: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
    let end = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{end}", chars.as_str())
}

//! Making and deleting branches.

use accounts::shell::redirect_with;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use git::refs::RefQuery;
use git::{Oid, RefChange, RefInfo, RefName, Repo};
use http::StatusCode;
use kernel::http::{Params, Query};
use kernel::{App, Error, Result};
use projects::shell::project_page;
use projects::{Permission, ProjectAccess};
use repositories::{OrStatus, Protections, Source, update_refs_as};
use serde::Deserialize;
use ui::form::{self, Field};
use ui::{Page, Tone, html, parts};

use crate::links::Links;
use crate::place::{OrNothing, Rest, code};
use crate::target::sentence;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct New {
    name: String,
    from: String,
}

pub(crate) async fn new(
    State(app): State<App>,
    access: ProjectAccess,
    Query(mut wanted): Query<New>,
) -> Result<Response> {
    code(&app, &access).await?;
    access.may(Permission::PushCode)?;
    if wanted.from.is_empty() {
        wanted.from = access.project.branch().to_owned();
    }
    Ok(new_page(&app, &access, &wanted, None))
}

fn new_page(app: &App, access: &ProjectAccess, wanted: &New, error: Option<&str>) -> Response {
    let links = Links::of(&access.project);
    let body = html! {
        (parts::head(&html! { "New branch" }, &html! {}, &html! {}))
        form.stack.narrow-form method="post" action=(links.page("branches")) {
            (Field { name: "name", label: "Name", value: &wanted.name, error, required: true, autofocus: true, mono: true, hint: "Letters, digits, dashes and slashes, such as fix/lease-renewal.", ..Field::default() }.input())
            (Field { name: "from", label: "Starts at", value: &wanted.from, required: true, mono: true, hint: "A branch, a tag or a commit.", ..Field::default() }.input())
            (form::actions("Create branch", Some((&links.page("branches"), "Cancel"))))
        }
    };
    let status = if error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    (status, Page { body, ..project_page(app, access, "New branch", "branches") }.render()).into_response()
}

pub(crate) async fn create(
    State(app): State<App>,
    access: ProjectAccess,
    Params(wanted): Params<New>,
) -> Result<Response> {
    let repo = code(&app, &access).await?;
    access.may(Permission::PushCode)?;
    let made = make(&app, &access, &repo, wanted.name.trim(), wanted.from.trim()).await;
    match made {
        Ok(()) => {
            let place = Links::of(&access.project).at("tree", wanted.name.trim(), "");
            Ok(redirect_with(&place, Tone::Ok, &format!("The branch {} is made.", wanted.name.trim())))
        }
        Err(e @ (Error::Internal(_) | Error::Unauthenticated)) => Err(e),
        Err(e) => Ok(new_page(&app, &access, &wanted, Some(&sentence(&e)))),
    }
}

async fn make(app: &App, access: &ProjectAccess, repo: &Repo, name: &str, from: &str) -> Result<()> {
    let refname = RefName::branch(name).map_err(|_| bad_name(name))?;
    if repo.find_ref(&refname).await.is_ok() {
        return Err(Error::Conflict(format!("There is a branch called {name} already.")));
    }
    let missing = |_| Error::bad_request(format!("{from} is no branch, tag or commit of this project."));
    let start = repo.resolve(from).await.map_err(missing)?.commit;
    let change = RefChange { name: refname, old: Some(Oid::zero()), new: start };
    update_refs_as(app, access, vec![change], Source::Web).await
}

/// Says what is wrong with a name and what might do instead.
pub(crate) fn bad_name(name: &str) -> Error {
    let kept = |c: char| if c.is_alphanumeric() || "/._-".contains(c) { c } else { '-' };
    let tidy: String = name.trim_matches(['-', '.', '/', ' ']).chars().map(kept).take(100).collect();
    let tidy = tidy.replace("..", ".").replace("//", "/");
    let help = if tidy.is_empty() || RefName::branch(&tidy).is_err() { String::new() } else { format!(" Try {tidy}.") };
    Error::bad_request(format!(
        "This can't be a name in git: no spaces, no ~ ^ : ? * [ \\, no two dots in a row, and no dash in front.{help}"
    ))
}

/// `/-/delete_branch/NAME`
pub(crate) async fn delete(State(app): State<App>, access: ProjectAccess, Rest(rest): Rest) -> Result<Response> {
    let repo = code(&app, &access).await?;
    access.may(Permission::PushCode)?;
    let found = repo.find_ref(&RefName::new([b"refs/heads/", &rest[..]].concat()).or_404()?).await.or_404()?;
    let change = RefChange { name: found.name.clone(), old: Some(found.target), new: Oid::zero() };
    let back = Links::of(&access.project).page("branches");
    let name = found.name.short();
    match update_refs_as(&app, &access, vec![change], Source::Web).await {
        Ok(()) => {
            let text = format!("The branch {name} is deleted. It was at {}.", found.target.short());
            Ok(redirect_with(&back, Tone::Ok, &text))
        }
        Err(e @ (Error::Internal(_) | Error::Unauthenticated)) => Err(e),
        Err(e) => Ok(redirect_with(&back, Tone::Bad, &sentence(&e))),
    }
}

/// Deletes all branches whose commits the default branch has, but for protected ones.
pub(crate) async fn delete_merged(State(app): State<App>, access: ProjectAccess) -> Result<Response> {
    let repo = code(&app, &access).await?;
    access.may(Permission::PushCode)?;
    let default = repo.find_branch(access.project.branch()).await.or_404()?;
    let merged = repo.merged_branches(default.target).await.or_status()?;
    let protections = Protections::of_project(app.db().conn(), access.project.id).await?;
    let all = repo.branches(RefQuery::default()).await.or_404()?.items;
    let goes = |b: &&RefInfo| {
        b.name != default.name
            && merged.contains(b.name.as_bytes())
            && !protections.is_protected_branch(&b.name.short().lossy())
    };
    let change = |b: &RefInfo| RefChange { name: b.name.clone(), old: Some(b.target), new: Oid::zero() };
    let changes: Vec<RefChange> = all.iter().filter(goes).map(change).collect();
    let (count, back) = (changes.len(), Links::of(&access.project).page("branches"));
    if count == 0 {
        return Ok(redirect_with(&back, Tone::Info, "No branch is merged but not deleted."));
    }
    update_refs_as(&app, &access, changes, Source::Web).await?;
    let word = if count == 1 { "branch is" } else { "branches are" };
    Ok(redirect_with(&back, Tone::Ok, &format!("{count} merged {word} deleted.")))
}

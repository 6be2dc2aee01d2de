//! Cherry-picking and reverting a commit in the browser.

use accounts::shell::redirect_with;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use git::{Commit, GitError, Oid, RefName, Repo};
use http::StatusCode;
use kernel::http::Params;
use kernel::{App, Error, Result};
use projects::shell::project_page;
use projects::{Permission, ProjectAccess};
use repositories::{OrStatus, Source, signature, status_of, update_refs_as};
use serde::Deserialize;
use ui::form::{self, Field};
use ui::{Page, Tone, html, parts};

use crate::commit::find;
use crate::history;
use crate::links::Links;
use crate::place::{OrNothing, Rest, code};
use crate::target;

/// What is done with the change of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Pick,
    Revert,
}

impl Deed {
    /// Splits `ID/cherry_pick` or `ID/revert`.
    fn split(rest: &[u8]) -> Result<(Self, &[u8])> {
        let pick = rest.strip_suffix(b"/cherry_pick").map(|id| (Self::Pick, id));
        let revert = || rest.strip_suffix(b"/revert").map(|id| (Self::Revert, id));
        pick.or_else(revert).ok_or_else(|| Error::not_found(""))
    }

    fn title(self) -> &'static str {
        if self == Self::Pick { "Cherry-pick" } else { "Revert" }
    }

    fn path(self) -> &'static str {
        if self == Self::Pick { "cherry_pick" } else { "revert" }
    }

    fn about(self) -> &'static str {
        match self {
            Self::Pick => "A new commit with the same change is put on top of the branch.",
            Self::Revert => "A new commit that undoes the change is put on top of the branch.",
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Wanted {
    branch: String,
    new_branch: String,
    message: String,
}

pub(crate) async fn form(State(app): State<App>, access: ProjectAccess, Rest(rest): Rest) -> Result<Response> {
    let (deed, commit, repo) = commit_of(&app, &access, &rest).await?;
    let me = access.actor.user()?.username.clone();
    let branch = access.project.branch().to_owned();
    let lets = target::may_push(&app, &access, &branch).await?;
    let short = commit.id.short();
    let new_branch = if lets {
        String::new()
    } else {
        target::free_name(&repo, &format!("{me}-{}-{short}", deed.title().to_lowercase())).await
    };
    let wanted = Wanted { branch, new_branch, message: String::new() };
    page(&app, &access, deed, &commit, &wanted, None)
}

async fn commit_of(app: &App, access: &ProjectAccess, rest: &[u8]) -> Result<(Deed, Commit, Repo)> {
    let repo = code(app, access).await?;
    access.may(Permission::PushCode)?;
    let (deed, id) = Deed::split(rest)?;
    let commit = repo.commit(find(&repo, id).await?).await.or_404()?;
    Ok((deed, commit, repo))
}

fn page(
    app: &App,
    access: &ProjectAccess,
    deed: Deed,
    commit: &Commit,
    wanted: &Wanted,
    error: Option<&str>,
) -> Result<Response> {
    let links = Links::of(&access.project);
    let here = links.commit(commit.id);
    let message = if wanted.message.is_empty() { default_message(deed, commit) } else { wanted.message.clone() };
    let title = html! { (deed.title()) " " span.mono { (commit.id.short()) } };
    let body = html! {
        (parts::head(&title, &html! {}, &html! { p.soft { b { (history::title(commit)) } ". " (deed.about()) } }))
        form.stack.narrow-form method="post" action={ (here) "/" (deed.path()) } {
            @if let Some(error) = error { (parts::alert(Tone::Bad, &html! { (error) })) }
            (Field { name: "branch", label: "Branch", value: &wanted.branch, required: true, mono: true, ..Field::default() }.input())
            (Field { name: "new_branch", label: "Or on a new branch that starts there", value: &wanted.new_branch, hint: "Leave it empty to commit to the branch itself.", mono: true, ..Field::default() }.input())
            (Field { name: "message", label: "Message", value: &message, rows: 6, mono: true, ..Field::default() }.textarea())
            (form::actions(deed.title(), Some((&here, "Cancel"))))
        }
    };
    let markup = Page { body, ..project_page(app, access, deed.title(), "commits") }.render();
    let status = if error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok((status, markup).into_response())
}

fn default_message(deed: Deed, commit: &Commit) -> String {
    let (text, id) = (commit.message.lossy(), commit.id);
    match deed {
        Deed::Pick => format!("{}\n\n(cherry picked from commit {id})", text.trim_end()),
        Deed::Revert => format!("Revert \"{}\"\n\nThis reverts commit {id}.", history::title(commit)),
    }
}

pub(crate) async fn act(
    State(app): State<App>,
    access: ProjectAccess,
    Rest(rest): Rest,
    Params(wanted): Params<Wanted>,
) -> Result<Response> {
    let (deed, commit, repo) = commit_of(&app, &access, &rest).await?;
    let (deed, commit) = (deed, &commit);
    match carry_out(&app, &access, &repo, deed, commit, &wanted).await {
        Ok((branch, id)) => {
            let links = Links::of(&access.project);
            let text = format!("The change is on {branch} now.");
            Ok(redirect_with(&links.commit(id), Tone::Ok, &text))
        }
        Err(e @ (Error::Internal(_) | Error::Unauthenticated)) => Err(e),
        Err(e) => page(&app, &access, deed, commit, &wanted, Some(&target::sentence(&e))),
    }
}

async fn carry_out(
    app: &App,
    access: &ProjectAccess,
    repo: &Repo,
    deed: Deed,
    commit: &Commit,
    wanted: &Wanted,
) -> Result<(String, Oid)> {
    let base = wanted.branch.trim();
    let missing = || Error::bad_request(format!("There is no branch called {base}."));
    let onto = repo.find_branch(base).await.map_err(|_| missing())?.target;
    let new_branch = Some(wanted.new_branch.trim()).filter(|n| !n.is_empty() && *n != base);
    let me = signature(&access.actor)?;
    let message = Some(wanted.message.replace("\r\n", "\n").into_bytes()).filter(|m| !m.trim_ascii().is_empty());
    let made = match deed {
        Deed::Pick => repo.cherry_pick(commit.id, onto, me, message).await,
        Deed::Revert => repo.revert(commit.id, onto, me.clone(), me, message).await,
    };
    let made = made.map_err(conflict)?;
    let (name, old) = match new_branch {
        Some(name) => (name, Oid::zero()),
        None => (base, onto),
    };
    let change = git::RefChange { name: RefName::branch(name).or_status()?, old: Some(old), new: made };
    update_refs_as(app, access, vec![change], Source::Web).await?;
    Ok((name.to_owned(), made))
}

fn conflict(error: GitError) -> Error {
    match error {
        GitError::MergeConflict(paths) => {
            let names: Vec<String> = paths.iter().take(5).map(|p| p.lossy().into_owned()).collect();
            Error::Conflict(format!(
                "The change does not fit: {} was changed since in the same places. Do it on your machine, where the conflict can be resolved.",
                names.join(", ")
            ))
        }
        other => status_of(other),
    }
}

//! Where a change in the browser is made: the ref and folder it starts from, and the branch that it goes to.

use std::borrow::Cow;

use accounts::shell::redirect_with;
use axum::response::{IntoResponse, Response};
use git::tree::EntryKind;
use git::write::{Action, CommitRequest};
use git::{GitError, Oid, RefName, Repo, RepoPath};
use http::StatusCode;
use kernel::{App, Error, Result};
use projects::shell::project_page;
use projects::{Permission, ProjectAccess};
use repositories::{Source, signature, status_of, update_refs_as};
use ui::markdown::Base;
use ui::{Markup, Page, Tone, html, parts};

use crate::links::{Links, encode};
use crate::place::{OrNothing, Spot, code};
use crate::target::{free_name, may_push, sentence};

/// What a change in the browser starts from.
pub(crate) struct Ground {
    /// The project and who acts.
    pub(crate) access: ProjectAccess,
    /// Its repository.
    pub(crate) repo: Repo,
    /// Its addresses.
    pub(crate) links: Links,
    /// The ref as it stands in the address.
    pub(crate) reference: Vec<u8>,
    /// The commit; none in an empty repository.
    pub(crate) start: Option<Oid>,
    /// The file or folder.
    pub(crate) path: RepoPath,
    /// The branch that is suggested: the one looked at, or a new one where the actor may not push there.
    pub(crate) target: String,
    /// The branch that is looked at, if it is one.
    branch: Option<String>,
}

/// What is to be committed.
pub(crate) struct Change {
    /// What changes.
    pub(crate) actions: Vec<Action>,
    /// Paths that must still be as they were.
    pub(crate) unchanged_since: Vec<(RepoPath, Oid)>,
    /// The message.
    pub(crate) message: String,
    /// The branch.
    pub(crate) branch: String,
}

/// A change that was committed.
pub(crate) struct Landed {
    /// The branch.
    pub(crate) branch: String,
}

/// Why a change could not be committed, for the form that it came from.
#[derive(Debug, Default)]
pub(crate) struct Problem {
    /// The field that is wrong and what helps.
    field: Option<(&'static str, String)>,
    /// What is wrong with the whole.
    pub(crate) general: Option<String>,
    /// The file was changed by somebody else.
    pub(crate) changed: bool,
    /// The status of the answer.
    pub(crate) status: Option<StatusCode>,
}

impl Problem {
    /// Something is wrong with a field.
    pub(crate) fn new(field: &'static str, why: impl Into<String>) -> Self {
        let status = Some(StatusCode::UNPROCESSABLE_ENTITY);
        Self { field: Some((field, why.into())), status, ..Self::default() }
    }

    /// Something is wrong with the whole.
    pub(crate) fn general(why: impl Into<String>, status: StatusCode) -> Self {
        Self { general: Some(why.into()), status: Some(status), ..Self::default() }
    }

    /// What is wrong with a field.
    pub(crate) fn of(&self, name: &str) -> Option<&str> {
        self.field.as_ref().filter(|(field, _)| *field == name).map(|(_, why)| why.as_str())
    }
}

impl Ground {
    /// Finds what `REF/PATH` means for a change; a 403 for those who may not push at all.
    pub(crate) async fn find(app: &App, access: ProjectAccess, rest: &[u8]) -> Result<Self> {
        access.sees(Permission::ReadCode, "Repository")?;
        access.may(Permission::PushCode)?;
        access.actor.user()?;
        if access.project.empty_repo {
            return Self::empty(app, access, rest).await;
        }
        let spot = Spot::find(app, access, rest).await?;
        let branch = spot.branch().and_then(|b| String::from_utf8(b.into_vec()).ok());
        let Spot { access, repo, links, reference, at, path } = spot;
        let mut ground =
            Self { access, repo, links, reference, start: Some(at.commit), path, target: String::new(), branch };
        ground.target = ground.suggest(app).await?;
        Ok(ground)
    }

    /// Finds what `REF/FOLDER` means for something new in it; a 404 where there is no such folder.
    pub(crate) async fn folder(app: &App, access: ProjectAccess, rest: &[u8]) -> Result<Self> {
        let ground = Self::find(app, access, rest).await?;
        if let Some(start) = ground.start {
            let entry = ground.repo.entry(start, &ground.path).await.or_404()?;
            if entry.kind != EntryKind::Tree {
                return Err(Error::not_found("Folder"));
            }
        }
        Ok(ground)
    }

    /// The ground of an empty repository, where the first commit makes the branch.
    async fn empty(app: &App, access: ProjectAccess, rest: &[u8]) -> Result<Self> {
        let repo = code(app, &access).await?;
        let branch = access.project.branch().to_owned();
        if rest != branch.as_bytes() {
            return Err(Error::not_found(""));
        }
        let links = Links::of(&access.project);
        let path = RepoPath::root();
        Ok(Self {
            access,
            repo,
            links,
            reference: rest.to_vec(),
            start: None,
            path,
            target: branch.clone(),
            branch: Some(branch),
        })
    }

    async fn suggest(&self, app: &App) -> Result<String> {
        if let Some(branch) = &self.branch
            && may_push(app, &self.access, branch).await?
        {
            return Ok(branch.clone());
        }
        let name = format!("{}-patch", self.access.actor.user()?.username);
        Ok(free_name(&self.repo, &name).await)
    }

    /// What is said below the field of the branch.
    pub(crate) fn branch_hint(&self) -> Cow<'static, str> {
        match &self.branch {
            Some(branch) if *branch == self.target => "Another name makes a new branch that starts here.".into(),
            Some(branch) => format!("{branch} is protected, so the change goes to a new branch.").into(),
            None => "A new branch that starts here; what you looked at is none.".into(),
        }
    }

    /// The address of a kind of page about the same ref and path.
    pub(crate) fn here(&self, kind: &str) -> String {
        self.links.at(kind, &self.reference, self.path.as_bytes())
    }

    /// The commit that last changed the path.
    pub(crate) async fn last_commit(&self) -> Result<Option<Oid>> {
        let tip = match &self.branch {
            Some(branch) => self.repo.find_branch(branch).await.ok().map(|b| b.target),
            None => self.start,
        };
        let Some(tip) = tip.or(self.start) else { return Ok(None) };
        self.repo.last_commit_of(tip, &self.path).await.map_err(status_of)
    }

    /// Where links in a text at a path lead.
    pub(crate) fn base(&self, path: &RepoPath) -> Base {
        Base {
            links: format!("{}/", self.links.at("blob", &self.reference, "")),
            images: format!("{}/", self.links.at("raw", &self.reference, "")),
            folder: encode(path.parent().as_bytes()),
        }
    }

    /// Commits a change. What the person can do something about comes back for the form.
    pub(crate) async fn commit(&self, app: &App, change: Change) -> Result<Result<Landed, Problem>> {
        let branch = change.branch.trim().to_owned();
        let Ok(refname) = RefName::branch(&branch) else {
            return Ok(Err(Problem::new("branch", sentence(&crate::branch_edits::bad_name(&branch)))));
        };
        let own = self.branch.as_ref() == Some(&branch);
        let me = signature(&self.access.actor)?;
        let request = CommitRequest {
            branch: refname,
            expected_tip: (!own || self.start.is_none()).then(Oid::zero),
            start: self.start,
            reset: false,
            actions: change.actions,
            unchanged_since: if own { change.unchanged_since } else { vec![] },
            author: me.clone(),
            committer: me,
            message: change.message.replace("\r\n", "\n").into_bytes(),
        };
        let prepared = match self.repo.prepare_commit(request).await {
            Ok(prepared) => prepared,
            Err(error) => return problem_of(error, own, &branch).map(Err),
        };
        match update_refs_as(app, &self.access, vec![prepared], Source::Web).await {
            Ok(()) => Ok(Ok(Landed { branch })),
            Err(e @ Error::Forbidden(_)) => {
                Ok(Err(Problem { status: Some(StatusCode::FORBIDDEN), ..Problem::new("branch", sentence(&e)) }))
            }
            Err(e @ (Error::Conflict(_) | Error::BadRequest(_) | Error::Unavailable(_))) => {
                Ok(Err(Problem::general(sentence(&e), e.status())))
            }
            Err(e) => Err(e),
        }
    }

    /// Sends on to what was changed.
    pub(crate) fn done(&self, place: &str, branch: &str) -> Response {
        redirect_with(place, Tone::Ok, &format!("The change is committed to {branch}."))
    }

    /// A page in the project's frame.
    pub(crate) fn page(&self, app: &App, title: &str, body: Markup) -> Markup {
        Page { body, ..project_page(app, &self.access, title, "files") }.render()
    }

    /// A page that says why nothing can be done here.
    pub(crate) fn refuse(&self, app: &App, why: &str) -> Result<Response> {
        let body = html! {
            (parts::head(&html! { (self.path.lossy()) }, &html! {}, &html! {}))
            div.stack { (parts::alert(Tone::Warn, &html! { (why) })) div.line { (parts::link_button(&self.here("blob"), "left", "Back to the file")) } }
        };
        Ok((StatusCode::UNPROCESSABLE_ENTITY, self.page(app, "Edit", body)).into_response())
    }
}

/// What git's refusal means to somebody at a form.
fn problem_of(error: GitError, own: bool, branch: &str) -> Result<Problem> {
    Ok(match error {
        GitError::Conflict(why) if why.ends_with("in the meantime") && !own => {
            Problem::new("branch", format!("There is a branch called {branch} already. Use another name."))
        }
        GitError::Conflict(why) if why.ends_with("in the meantime") => {
            Problem { changed: true, status: Some(StatusCode::CONFLICT), ..Problem::default() }
        }
        GitError::Conflict(why) | GitError::InvalidName(why) => Problem::new("path", sentence(&Error::BadRequest(why))),
        GitError::NotFound(_) => Problem {
            changed: true,
            status: Some(StatusCode::CONFLICT),
            general: Some("The file is not there any more.".into()),
            ..Problem::default()
        },
        other => return Err(status_of(other)),
    })
}

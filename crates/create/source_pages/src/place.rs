//! What a request is about: the rest of its path as bytes, and the ref and the path in that.

use std::borrow::Cow;
use std::time::Duration;

use axum::extract::FromRequestParts;
use git::{ByteString, GitError, Oid, RefName, Repo, RepoPath, Resolved};
use http::request::Parts;
use kernel::{App, Error, Result};
use percent_encoding::percent_decode_str;
use projects::shell::project_page;
use projects::{Permission, ProjectAccess};
use repositories::status_of;
use ui::Page;

use crate::links::Links;

/// What stands in an address behind `/-/KIND/`, as bytes.
#[derive(Debug)]
pub(crate) struct Rest(pub(crate) Vec<u8>);

impl<S: Send + Sync> FromRequestParts<S> for Rest {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        // `/@project/PROJECT/-/KIND/REST`: the router's own parameters are UTF-8, names of files need not be.
        let rest = parts.uri.path().splitn(6, '/').nth(5).unwrap_or_default();
        Ok(Self(percent_decode_str(rest).collect()))
    }
}

/// Whether the script asks for a part of a page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fragment(pub(crate) bool);

impl<S: Send + Sync> FromRequestParts<S> for Fragment {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        Ok(Self(parts.headers.contains_key("x-fragment")))
    }
}

/// Lets what can't be found or can't even be a name be a 404.
pub(crate) trait OrNothing<T> {
    /// The same result with the house's error.
    fn or_404(self) -> Result<T>;
}

impl<T> OrNothing<T> for git::Result<T> {
    fn or_404(self) -> Result<T> {
        self.map_err(|e| match e {
            GitError::NotFound(_) | GitError::InvalidName(_) => Error::not_found(""),
            other => status_of(other),
        })
    }
}

/// The repository of a project whose code the actor may see.
pub(crate) async fn code(app: &App, access: &ProjectAccess) -> Result<Repo> {
    access.sees(Permission::ReadCode, "Repository")?;
    repositories::open(app, &access.project).await
}

/// A ref of a project and a path in it.
#[derive(Debug)]
pub(crate) struct Spot {
    /// The project and who looks.
    pub(crate) access: ProjectAccess,
    /// Its repository.
    pub(crate) repo: Repo,
    /// Its addresses.
    pub(crate) links: Links,
    /// The ref as it stands in the address.
    pub(crate) reference: Vec<u8>,
    /// What the ref means.
    pub(crate) at: Resolved,
    /// The path; the root where only a ref was given.
    pub(crate) path: RepoPath,
}

impl Spot {
    /// Finds the ref and the path that `REF/PATH` means; a 404 where there is no such ref.
    pub(crate) async fn find(app: &App, access: ProjectAccess, rest: &[u8]) -> Result<Self> {
        let repo = code(app, &access).await?;
        let (at, path) = repo.split_ref_path(rest).await.or_404()?;
        let end = rest.iter().rposition(|b| *b != b'/').map_or(0, |last| last + 1);
        let end = if path.is_root() { end } else { end.saturating_sub(path.as_bytes().len() + 1) };
        let links = Links::of(&access.project);
        Ok(Self { access, repo, links, reference: rest[..end].to_vec(), at, path })
    }

    /// Finds a ref alone, for pages that are about no path; a 404 where more follows.
    pub(crate) async fn of_ref(app: &App, access: ProjectAccess, rest: &[u8]) -> Result<Self> {
        let spot = Self::find(app, access, rest).await?;
        if spot.path.is_root() { Ok(spot) } else { Err(Error::not_found("")) }
    }

    /// The commit.
    pub(crate) fn commit(&self) -> Oid {
        self.at.commit
    }

    /// The branch, if the ref is one.
    pub(crate) fn branch(&self) -> Option<ByteString> {
        self.at.refname.as_ref().filter(|r| r.is_branch()).map(RefName::short)
    }

    /// The ref in words: its name, or the beginning of the commit's id.
    pub(crate) fn shown(&self) -> Cow<'_, str> {
        match &self.at.refname {
            Some(_) => String::from_utf8_lossy(&self.reference),
            None => self.commit().short().into(),
        }
    }

    /// The address of a kind of page about the same ref and path.
    pub(crate) fn here(&self, kind: &str) -> String {
        self.links.at(kind, &self.reference, self.path.as_bytes())
    }

    /// The address of a kind of page about another path of the same ref.
    pub(crate) fn other(&self, kind: &str, path: impl AsRef<[u8]>) -> String {
        self.links.at(kind, &self.reference, path)
    }

    /// Whether files can be changed in the browser by this actor, on this branch or a new one.
    pub(crate) fn can_edit(&self) -> bool {
        self.access.can(Permission::PushCode)
    }

    /// A page in the project's frame; `kind` is what the address has behind `/-/`, `current` the navigation's entry.
    pub(crate) fn page(&self, app: &App, kind: &str, title: &str, current: &str) -> Page {
        let mut page = project_page(app, &self.access, title, current);
        page.find_file_href = Some(self.links.at("find_file", &self.reference, ""));
        page.permalink = Some(self.links.at(kind, self.commit().to_string(), self.path.as_bytes()));
        page
    }
}

/// Waits for a while; what takes longer goes on in the background to fill its cache, and is left out here.
pub(crate) async fn within<T: Send + 'static>(
    patience: Duration,
    work: impl Future<Output = git::Result<T>> + Send + 'static,
) -> Option<T> {
    match tokio::time::timeout(patience, tokio::spawn(work)).await {
        Ok(Ok(Ok(done))) => Some(done),
        Ok(Ok(Err(error))) => {
            tracing::debug!(%error, "a part of a page is left out");
            None
        }
        Ok(Err(_)) | Err(_) => None,
    }
}

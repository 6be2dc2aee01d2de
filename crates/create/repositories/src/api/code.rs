//! The repository behind a request, loaded through the actor's right to read or change it.

use axum::extract::FromRequestParts;
use git::{GitError, Oid, RefInfo, RefName, Repo, RepoPath};
use http::request::Parts;
use kernel::{App, Error, Result};
use projects::{Feature, FeatureLevel, Permission, ProjectAccess};

use crate::{repository, status_of};

/// A repository whose code the actor may read.
pub(crate) struct Code {
    /// The project.
    pub(crate) access: ProjectAccess,
    /// Its repository.
    pub(crate) repo: Repo,
}

/// A repository that the actor may push to in general; protected refs are checked when they move.
pub(crate) struct Pushable(pub(crate) Code);

impl Code {
    async fn of(app: &App, access: ProjectAccess) -> Result<Self> {
        if access.settings.level_of(Feature::Repository) == FeatureLevel::Disabled {
            return Err(Error::not_found(""));
        }
        access.may(Permission::ReadCode)?;
        let repo = repository::open(app, &access.project).await?;
        Ok(Self { access, repo })
    }

    /// The commit that a branch, tag or id names; a 404 that calls it `what` where there is none.
    pub(crate) async fn commit_of(&self, revision: &str, what: &str) -> Result<Oid> {
        self.try_commit_of(revision).await?.ok_or_else(|| Error::not_found(what))
    }

    /// The commit that a branch, tag or id names, if there is one.
    pub(crate) async fn try_commit_of(&self, revision: &str) -> Result<Option<Oid>> {
        match self.repo.resolve(revision).await {
            Ok(found) => Ok(Some(found.commit)),
            Err(GitError::NotFound(_) | GitError::InvalidName(_)) => Ok(None),
            Err(e) => Err(status_of(e)),
        }
    }

    /// A branch or tag, if it is there.
    pub(crate) async fn find_ref(&self, name: &RefName) -> Result<Option<RefInfo>> {
        match self.repo.find_ref(name).await {
            Ok(found) => Ok(Some(found)),
            Err(e) if e.is_not_found() => Ok(None),
            Err(e) => Err(status_of(e)),
        }
    }

    /// The commit at the tip of the default branch, if there is one.
    pub(crate) async fn default_tip(&self) -> Result<Option<Oid>> {
        let Ok(name) = RefName::branch(self.access.project.branch()) else { return Ok(None) };
        Ok(self.find_ref(&name).await?.and_then(|found| found.commit))
    }

    /// An address of a page of the project.
    pub(crate) fn url(&self, app: &App, path: &str) -> String {
        self.access.project.url(app, path)
    }
}

impl FromRequestParts<App> for Code {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let access = ProjectAccess::from_request_parts(parts, app).await?;
        Self::of(app, access).await
    }
}

impl FromRequestParts<App> for Pushable {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let access = ProjectAccess::from_request_parts(parts, app).await?;
        access.may(Permission::PushCode)?;
        Code::of(app, access).await.map(Self)
    }
}

/// A path of a file or folder, or a 400 in which `name` is the parameter.
pub(crate) fn path_of(name: &str, text: &str) -> Result<RepoPath> {
    RepoPath::new(text).map_err(|_| Error::BadParameter(format!("{name} should be a valid file path")))
}

/// Refuses a parameter that is there and empty.
pub(crate) fn filled<'a>(name: &str, text: &'a str) -> Result<&'a str> {
    if text.trim().is_empty() { Err(Error::BadParameter(format!("{name} is empty"))) } else { Ok(text) }
}

/// Encodes a name or path for an address; slashes stay.
pub(crate) fn encoded(bytes: &[u8]) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    percent_encode(bytes, KEPT).to_string()
}

/// The value of a `Content-Disposition` header that names a file.
pub(crate) fn disposition(kind: &str, name: &str) -> String {
    let plain: String =
        name.chars().map(|c| if c.is_ascii_graphic() && !"\"\\%".contains(c) || c == ' ' { c } else { '_' }).collect();
    format!("{kind}; filename=\"{plain}\"; filename*=UTF-8''{}", encoded(name.replace('/', "_").as_bytes()))
}

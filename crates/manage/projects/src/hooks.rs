//! What areas above bring to projects: the repository behind one, and further things to search for.

use std::sync::Arc;

use accounts::Actor;
use async_trait::async_trait;
use kernel::{App, Result};
use serde_json::Value;

use crate::access::{GroupAccess, ProjectAccess};
use crate::project::Project;

/// What the owner of the repositories does for projects. Forks and imports begin by themselves, when
/// [`ProjectCreated`](crate::ProjectCreated) tells of a project with `forked_from_id` or `import_url`.
#[async_trait]
pub trait RepositoryHook: Send + Sync {
    /// Makes the first commit of a new project: a README with its name, on its default branch.
    async fn initialise(&self, app: &App, actor: &Actor, project: &Project) -> Result<()>;

    /// Makes an existing branch the default one, in the row and in `HEAD`; a 400 where there is no such branch.
    async fn set_default_branch(&self, app: &App, actor: &Actor, project: &Project, branch: &str) -> Result<()>;

    /// The languages of the default branch with their shares in percent, the largest first.
    async fn languages(&self, app: &App, project: &Project) -> Result<Vec<(String, f64)>>;

    /// The path of the file that introduces the project on its default branch, such as `README.md`.
    async fn readme(&self, app: &App, project: &Project) -> Result<Option<String>>;

    /// Packs the repository soon.
    async fn housekeep(&self, app: &App, project: &Project) -> Result<()>;
}

/// The one who owns the repositories; absent in a program without them.
pub struct RepositoryHooks(pub Arc<dyn RepositoryHook>);

/// Where is searched.
#[derive(Clone, Copy)]
pub enum Within<'a> {
    /// All that the actor may see.
    Everywhere(&'a Actor),
    /// A group and what is below.
    Group(&'a GroupAccess),
    /// A project.
    Project(&'a ProjectAccess),
}

/// What is searched for, and which part of the hits is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The words.
    pub text: &'a str,
    /// The branch, tag or commit to look in; the default branch where it is `None`.
    pub reference: Option<&'a str>,
    /// Hits to skip.
    pub offset: i64,
    /// Hits to give at most.
    pub limit: i64,
}

/// One thing that was found.
#[derive(Clone, Debug)]
pub struct Hit {
    /// Its entity in the API.
    pub entity: Value,
    /// The words of its link on the page.
    pub title: String,
    /// Where it is, a path.
    pub href: String,
    /// One line of facts.
    pub note: String,
    /// A piece of text, shown in the monospaced face.
    pub excerpt: Option<String>,
}

/// A kind of thing that can be searched for, such as `blobs`.
#[async_trait]
pub trait SearchScope: Send + Sync {
    /// The word in the API's `scope`.
    fn name(&self) -> &'static str;

    /// The word on the page.
    fn title(&self) -> &'static str;

    /// Whether it can be searched for there at all.
    fn fits(&self, within: Within<'_>) -> bool;

    /// The hits that the actor may see.
    async fn find(&self, app: &App, within: Within<'_>, wanted: Wanted<'_>) -> Result<Vec<Hit>>;
}

/// The kinds of things that areas above made searchable.
#[derive(Default)]
pub struct SearchScopes(pub Vec<Arc<dyn SearchScope>>);

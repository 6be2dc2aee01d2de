//! What this area does for projects, which stand below it.

use accounts::Actor;
use async_trait::async_trait;
use git::write::{Action, CommitRequest};
use git::{Oid, RefName, RepoPath, Signature};
use kernel::db::Sql;
use kernel::{App, Error, Result, Time};
use projects::{Project, ProjectAccess, RepositoryHook};

use crate::error::OrStatus;
use crate::events::Source;
use crate::housekeeping::Housekeep;
use crate::push::update_refs_as;
use crate::repository;

/// The usual names of the file that introduces a project, the preferred ones first.
const READMES: &[&str] = &[
    "README.md",
    "readme.md",
    "Readme.md",
    "README.markdown",
    "README",
    "README.txt",
    "README.rst",
    "README.adoc",
    "README.org",
];

/// The repositories, as projects know them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Repositories;

#[async_trait]
impl RepositoryHook for Repositories {
    async fn initialise(&self, app: &App, actor: &Actor, project: &Project) -> Result<()> {
        let repo = repository::open(app, project).await?;
        let me = signature(actor)?;
        let mut readme = format!("# {}\n", project.name);
        if !project.description.trim().is_empty() {
            readme.push_str(&format!("\n{}\n", project.description.trim()));
        }
        let path = RepoPath::new("README.md").or_status()?;
        let request = CommitRequest {
            branch: RefName::branch(project.branch()).or_status()?,
            expected_tip: Some(Oid::zero()),
            start: None,
            reset: false,
            actions: vec![Action::Create { path, content: readme.into_bytes(), executable: false }],
            unchanged_since: vec![],
            author: me.clone(),
            committer: me,
            message: b"Initial commit".to_vec(),
        };
        let change = repo.prepare_commit(request).await.or_status()?;
        let access = ProjectAccess::of(app, actor.clone(), project.clone()).await?;
        update_refs_as(app, &access, vec![change], Source::Web).await
    }

    async fn set_default_branch(&self, app: &App, _: &Actor, project: &Project, branch: &str) -> Result<()> {
        let repo = repository::open(app, project).await?;
        let refused = || Error::invalid("base", format!("Could not change HEAD: branch '{branch}' does not exist"));
        repo.find_branch(branch).await.map_err(|_| refused())?;
        let tx = app.begin().await?;
        let sql = "UPDATE projects SET default_branch = $2, updated_at = $3 WHERE id = $1";
        tx.run(sql, [project.id.into(), branch.into(), Time::now().into()]).await?;
        repo.set_default_branch(branch).await.or_status()?;
        tx.commit().await
    }

    async fn languages(&self, app: &App, project: &Project) -> Result<Vec<(String, f64)>> {
        let repo = repository::open(app, project).await?;
        let Ok(found) = repo.find_branch(project.branch()).await else { return Ok(vec![]) };
        let shares = repo.languages(found.target).await.or_status()?;
        Ok(shares.iter().map(|s| (s.name.to_owned(), s.percent)).collect())
    }

    async fn readme(&self, app: &App, project: &Project) -> Result<Option<String>> {
        let repo = repository::open(app, project).await?;
        let Ok(found) = repo.find_branch(project.branch()).await else { return Ok(None) };
        let paths: Vec<RepoPath> = READMES.iter().filter_map(|name| RepoPath::new(name).ok()).collect();
        let entries = repo.find_entries(found.target, paths).await.or_status()?;
        let first = entries.iter().position(|e| e.as_ref().is_some_and(|e| e.kind.is_file()));
        Ok(first.and_then(|at| READMES.get(at)).map(|name| (*name).to_owned()))
    }

    async fn housekeep(&self, app: &App, project: &Project) -> Result<()> {
        let tx = app.begin().await?;
        Housekeep::soon(&tx, project.id, true).await?;
        tx.commit().await
    }
}

/// The actor as author of a commit made now.
pub fn signature(actor: &Actor) -> Result<Signature> {
    let user = actor.user()?;
    let email = if user.public_email.is_empty() { &user.email } else { &user.public_email };
    Ok(Signature::new(&user.name, email, Time::now().seconds(), 0))
}

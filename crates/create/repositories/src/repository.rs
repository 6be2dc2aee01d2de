//! Where repositories are kept: made on demand, removed with their project.

use std::path::Path;

use git::{GitError, Repo};
use kernel::{App, Result, auth};
use projects::{Project, ProjectDeleted};

use crate::error::OrStatus;

/// Refs of our own, which clients neither see nor change.
pub const HIDDEN_REFS: &[&str] = &["refs/tidemill/", "refs/keep-around/"];

/// Refs that clients may read, but that we alone write.
pub const READ_ONLY_REFS: &[&str] = &["refs/merge-requests/", "refs/pipelines/", "refs/environments/", "refs/remotes/"];

/// [`HIDDEN_REFS`] as the pack services take them.
pub fn hidden_refs() -> Vec<String> {
    HIDDEN_REFS.iter().map(|r| (*r).to_owned()).collect()
}

/// Opens the repository of a project; makes it where it is not there yet.
pub async fn open(app: &App, project: &Project) -> Result<Repo> {
    let path = project.repository_path(app);
    match Repo::open(&path).await {
        Err(GitError::NotFound(_)) => create(app, &path, project.branch()).await,
        opened => opened.or_status(),
    }
}

/// Makes a repository beside its place and moves it there, so that a half-made one is never found.
async fn create(app: &App, path: &Path, branch: &str) -> Result<Repo> {
    let staged = app.config().repositories().join(format!("new-{}", auth::random_token("", 16)));
    if let Some(parent) = path.parent() {
        tokio::fs::create_dir_all(parent).await?;
    }
    Repo::init(&staged, branch).await.or_status()?;
    if let Err(e) = tokio::fs::rename(&staged, path).await {
        tokio::fs::remove_dir_all(&staged).await?;
        tracing::debug!(error = %e, "somebody else made the repository first");
    }
    Repo::open(path).await.or_status()
}

/// Removes the repository of a project that is gone.
pub(crate) async fn on_project_deleted(app: App, event: ProjectDeleted) -> Result<()> {
    let path = Project::repository_path_of(&app, event.project_id);
    if let Ok(repo) = Repo::open(&path).await {
        repo.forget();
    }
    match tokio::fs::remove_dir_all(&path).await {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e.into()),
        _ => Ok(()),
    }
}

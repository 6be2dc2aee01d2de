//! Filling the repository of a new project: from a git URL, or from the project that it was forked from.

use std::time::Duration;

use git::import::FetchOptions;
use git::{Oid, Repo};
use kernel::db::Sql;
use kernel::{App, Error, Result, Time};
use projects::{Project, ProjectCreated};
use tokio::sync::watch;
use url::Url;

use crate::error::OrStatus;
use crate::events::{Origin, RefUpdate, RepositoryImported, Source};
use crate::{finish, network, protected, repository, status_of};

/// Fills the repository of a project that says where from.
pub(crate) async fn on_project_created(app: App, event: ProjectCreated) -> Result<()> {
    let Some(project) = Project::find(app.db().conn(), event.project_id).await? else { return Ok(()) };
    let Some(source) = source_of(&app, &project).await? else { return Ok(()) };
    if matches!(project.import_status.as_str(), "finished" | "failed") {
        return Ok(());
    }
    set_status(&app, project.id, "started", None).await?;
    let filled = fill(&app, &project, &source).await;
    let told = match filled {
        Ok(repo) => tell(&app, &project, &repo).await,
        Err(e) => Err(e),
    };
    let Err(error) = told else { return Ok(()) };
    tracing::warn!(project = project.id, error = ?error, "an import failed");
    set_status(&app, project.id, "failed", Some(&public_reason(&error))).await
}

enum Origins {
    Url(String),
    Project(Box<Project>),
}

async fn source_of(app: &App, project: &Project) -> Result<Option<Origins>> {
    if let Some(url) = &project.import_url {
        return Ok(Some(Origins::Url(url.clone())));
    }
    let Some(id) = project.forked_from_id else { return Ok(None) };
    let parent = Project::find(app.db().conn(), id).await?;
    Ok(parent.map(|p| Origins::Project(Box::new(p))))
}

async fn fill(app: &App, project: &Project, source: &Origins) -> Result<Repo> {
    let repo = repository::open(app, project).await?;
    match source {
        Origins::Url(url) => fetch(app, project, &repo, url).await?,
        Origins::Project(parent) => {
            let from = repository::open(app, parent).await?;
            repo.copy_from(&from).await.or_status()?;
        }
    }
    Ok(repo)
}

async fn fetch(app: &App, project: &Project, repo: &Repo, url: &str) -> Result<()> {
    let mut options = options_of(app, url).await?;
    options.prune = true;
    let (say, heard) = watch::channel(String::new());
    let writer = tokio::spawn(write_progress(app.clone(), project.id, heard));
    let fetched = repo.fetch_from(&options, move |line| drop(say.send(line.to_owned()))).await;
    writer.abort();
    fetched.map_err(|e| match e {
        git::GitError::Command { stderr, .. } => Error::bad_request(stderr),
        git::GitError::NotFound(_) => {
            Error::bad_request("there is no repository at this address, or it needs a password")
        }
        other => status_of(other),
    })
}

/// Checks an address and splits user and password off.
pub(crate) async fn options_of(app: &App, url: &str) -> Result<FetchOptions> {
    let malformed = || Error::bad_request("the address is malformed; it must look like https://host/path.git");
    let mut url = Url::parse(url.trim()).map_err(|_| malformed())?;
    let host = url.host_str().ok_or_else(malformed)?.to_owned();
    let port = match url.scheme() {
        "git" => url.port().unwrap_or(9418),
        _ => url.port_or_known_default().ok_or_else(malformed)?,
    };
    let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let credentials = (!url.username().is_empty() || url.password().is_some())
        .then(|| (decode(url.username()), decode(url.password().unwrap_or_default())));
    let _always_possible_with_a_host = (url.set_username(""), url.set_password(None));
    let mut options = FetchOptions::new(url.as_str());
    options.credentials = credentials;
    options.check().or_status()?;
    let address = network::permitted_address(app, &host, port).await?;
    if !app.config().allow_private_addresses {
        if url.scheme() == "git" {
            return Err(Error::bad_request("git:// can't be held to a checked address; use https://"));
        }
        options.pin = Some(format!("{host}:{port}:{address}"));
    }
    Ok(options)
}

/// Writes what git reports, once a second at most.
async fn write_progress(app: App, project_id: i64, mut heard: watch::Receiver<String>) {
    while heard.changed().await.is_ok() {
        let line: String = heard.borrow_and_update().chars().take(200).collect();
        let sql = "UPDATE projects SET import_progress = $2 WHERE id = $1";
        if let Err(e) = app.db().run(sql, [project_id.into(), line.into()]).await {
            tracing::warn!(error = %e, "the progress of an import was not written");
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Writes that the repository is there: row, default branch and events, once.
async fn tell(app: &App, project: &Project, repo: &Repo) -> Result<()> {
    repo.forget();
    let refs = repo.all_refs(crate::HIDDEN_REFS).await.or_status()?;
    let update = |r: git::RefInfo| RefUpdate { name: r.name, old: Oid::zero(), new: r.target };
    let moved: Vec<RefUpdate> = refs.into_iter().map(update).collect();
    let origin = Origin { source: Source::Import, options: vec![], key_id: None, job_id: None };
    let tx = app.begin().await?;
    // The address may hold a password, which nobody needs any more.
    let sql =
        "UPDATE projects SET import_status = 'finished', import_progress = NULL, import_error = NULL, import_url = $2
               WHERE id = $1 AND import_status = 'started'";
    let url = project.import_url.as_deref().map(without_password);
    if tx.run(sql, [project.id.into(), url.into()]).await? == 0 {
        return Ok(());
    }
    let sql = "INSERT INTO lfs_project_objects (project_id, oid, created_at)
               SELECT $1, oid, $3 FROM lfs_project_objects WHERE project_id = $2 ON CONFLICT DO NOTHING";
    let parent = project.forked_from_id.unwrap_or(0);
    tx.run(sql, [project.id.into(), parent.into(), Time::now().into()]).await?;
    finish::write(&tx, repo, project, project.creator_id.unwrap_or(0), &origin, &moved).await?;
    if let Some(branch) = default_branch(&tx, project.id).await? {
        protected::protect_default(app, &*tx, project.id, &branch).await?;
    }
    tx.publish(&RepositoryImported { project_id: project.id }).await?;
    tx.commit().await
}

async fn default_branch(tx: &kernel::Tx, project_id: i64) -> Result<Option<String>> {
    let sql = "SELECT default_branch FROM projects WHERE id = $1 AND default_branch IS NOT NULL";
    tx.scalar(sql, [project_id.into()]).await
}

async fn set_status(app: &App, project_id: i64, status: &str, error: Option<&str>) -> Result<()> {
    let sql = "UPDATE projects SET import_status = $2, import_error = $3, import_progress = NULL, updated_at = $4 WHERE id = $1";
    app.db().run(sql, [project_id.into(), status.into(), error.into(), Time::now().into()]).await?;
    Ok(())
}

fn public_reason(error: &Error) -> String {
    match error {
        Error::Internal(_) => "the import failed for a reason that is in the server's log".into(),
        other => other.to_string(),
    }
}

fn without_password(url: &str) -> String {
    let Ok(mut parsed) = Url::parse(url) else { return String::new() };
    let _no_host_no_password = (parsed.set_username(""), parsed.set_password(None));
    parsed.into()
}

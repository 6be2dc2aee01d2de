//! After a process was killed: what its pushes did is read from the refs, and told.

use std::time::Duration;

use git::{Oid, RefName, Repo};
use kernel::jobs::Job;
use kernel::{App, Result};
use projects::Project;
use serde::{Deserialize, Serialize};

use crate::events::{Origin, RefUpdate};
use crate::push::PUSH_VARIABLE;
use crate::{finish, intents, repository, status_of};

/// How long a git process that outlived its server may go on.
const ORPHAN_PATIENCE: Duration = Duration::from_secs(15);

/// Settles what other processes left, every so often; on one machine the start has done so.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct RepairAll {}

impl Job for RepairAll {
    const KIND: &'static str = "repositories.repair";

    async fn run(self, app: App) -> Result<()> {
        all(&app).await
    }
}

/// Settles what killed processes left, before anything else is served.
pub(crate) async fn at_start(app: App) -> Result<()> {
    remove_staged(&app).await?;
    all(&app).await
}

/// Removes repositories that were being made.
async fn remove_staged(app: &App) -> Result<()> {
    let folder = app.config().repositories();
    tokio::fs::create_dir_all(&folder).await?;
    let mut entries = tokio::fs::read_dir(&folder).await?;
    while let Some(entry) = entries.next_entry().await? {
        let old = entry
            .metadata()
            .await
            .and_then(|m| m.modified())
            .is_ok_and(|m| m.elapsed().is_ok_and(|age| !app.db().is_postgres() || age > Duration::from_secs(3600)));
        if old && entry.file_name().to_string_lossy().starts_with("new-") {
            tokio::fs::remove_dir_all(entry.path()).await?;
        }
    }
    Ok(())
}

async fn all(app: &App) -> Result<()> {
    for key in intents::dead(app, None).await? {
        settle(app, &key).await?;
    }
    Ok(())
}

/// Settles what killed processes left in one project, so that the next push starts from the truth.
pub(crate) async fn project(app: &App, project_id: i64) -> Result<()> {
    for key in intents::dead(app, Some(project_id)).await? {
        settle(app, &key).await?;
    }
    Ok(())
}

/// Finds out which refs of a push moved, and finishes it accordingly.
pub(crate) async fn settle(app: &App, key: &str) -> Result<()> {
    let intents = intents::of_push(app, key).await?;
    let Some(first) = intents.first() else { return Ok(()) };
    let Some(project) = Project::find(app.db().conn(), first.project_id).await? else { return Ok(()) };
    end_orphans(key).await;
    let repo = repository::open(app, &project).await?;
    repo.forget();
    let mut moved = vec![];
    for intent in &intents {
        let intended = intent.update()?;
        let now = target(&repo, &intended.name).await?;
        if now != intended.old {
            moved.push(RefUpdate { new: now, ..intended });
        }
    }
    let origin: Origin = serde_json::from_str(&first.origin)?;
    tracing::info!(project = project.id, moved = moved.len(), "a push that broke off was settled");
    finish::settle(app, project.id, first.actor_id, &origin, key, &moved).await
}

async fn target(repo: &Repo, name: &RefName) -> Result<Oid> {
    match repo.find_ref(name).await {
        Ok(found) => Ok(found.target),
        Err(e) if e.is_not_found() => Ok(Oid::zero()),
        Err(e) => Err(status_of(e)),
    }
}

/// Waits for git processes of a push that go on without their server, and in the end stops them.
async fn end_orphans(key: &str) {
    let marker = format!("{PUSH_VARIABLE}={key}");
    let begun = std::time::Instant::now();
    loop {
        let wanted = marker.clone();
        let found = tokio::task::spawn_blocking(move || processes_with(&wanted)).await.unwrap_or_default();
        if found.is_empty() {
            return;
        }
        if begun.elapsed() > ORPHAN_PATIENCE {
            git::end_processes(&found);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// The processes whose environment holds `marker`, where the system shows that.
fn processes_with(marker: &str) -> Vec<i32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().filter_map(std::result::Result::ok);
    let ids = entries.filter_map(|e| e.file_name().to_str()?.parse::<i32>().ok());
    ids.filter(|id| holds(&format!("/proc/{id}/environ"), marker)).collect()
}

fn holds(file: &str, marker: &str) -> bool {
    std::fs::read(file).is_ok_and(|bytes| bytes.split(|b| *b == 0).any(|v| v == marker.as_bytes()))
}

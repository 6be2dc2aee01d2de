//! Keeping repositories small and fast, and their numbers in the database true.

use std::time::Duration;

use git::log::LogQuery;
use git::maintenance::Effort;
use kernel::db::Sql;
use kernel::jobs::{Job, When};
use kernel::{App, Result, Time, Tx};
use projects::Project;
use sea_orm::FromQueryResult;
use serde::{Deserialize, Serialize};

use crate::error::OrStatus;
use crate::repository;

/// After this many pushes a repository is tidied.
const PUSHES: i64 = 20;
/// Tidying waits until a burst of pushes is over.
const BURST: Duration = Duration::from_secs(10);
/// So does measuring, for less long.
const PAUSE: Duration = Duration::from_secs(3);
/// Unreachable objects are kept this long, for pushes under way and for mistakes to be noticed.
const GRACE: Duration = Duration::from_secs(14 * 24 * 3600);

/// Tidies a repository: packs, commit-graph, bitmaps, pruning.
#[derive(Debug, Serialize, Deserialize)]
pub struct Housekeep {
    /// The project.
    pub project_id: i64,
    /// Whether everything is repacked.
    pub full: bool,
}

/// Tidies what was pushed to since it was last tidied; nightly.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct HousekeepAll {}

/// Writes the repository's size and number of commits to the project.
#[derive(Debug, Serialize, Deserialize)]
pub struct Measure {
    /// The project.
    pub project_id: i64,
}

#[derive(FromQueryResult)]
struct State {
    project_id: i64,
    pushes: i64,
    pushes_housekept: i64,
}

impl Housekeep {
    /// Has the repository tidied soon.
    pub async fn soon(tx: &Tx, project_id: i64, full: bool) -> Result<()> {
        Self::after(tx, project_id, full, Duration::ZERO).await
    }

    async fn after(tx: &Tx, project_id: i64, full: bool, pause: Duration) -> Result<()> {
        let unique = Some(format!("repository.housekeep:{project_id}"));
        let at = Some(Time::now() + pause);
        tx.enqueue(&Self { project_id, full }, When { at, unique }).await
    }
}

impl Job for Housekeep {
    const KIND: &'static str = "repository.housekeep";

    async fn run(self, app: App) -> Result<()> {
        let Some(project) = Project::find(app.db().conn(), self.project_id).await? else { return Ok(()) };
        let Some(state) = state(&app, self.project_id).await? else { return Ok(()) };
        let repo = repository::open(&app, &project).await?;
        let effort = if self.full { Effort::Full } else { Effort::Quick };
        repo.gc(effort, GRACE).await.or_status()?;
        let sql = "UPDATE repository_states SET pushes_housekept = $2, housekept_at = $3 WHERE project_id = $1";
        app.db().run(sql, [self.project_id.into(), state.pushes.into(), Time::now().into()]).await?;
        measure(&app, &project).await
    }
}

impl Job for HousekeepAll {
    const KIND: &'static str = "repositories.housekeep";

    async fn run(self, app: App) -> Result<()> {
        let sql = "SELECT project_id, pushes, pushes_housekept FROM repository_states WHERE pushes > pushes_housekept";
        for state in app.db().all::<State>(sql, []).await? {
            let tx = app.begin().await?;
            Housekeep::soon(&tx, state.project_id, state.pushes - state.pushes_housekept > 2).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}

impl Job for Measure {
    const KIND: &'static str = "repository.measure";

    async fn run(self, app: App) -> Result<()> {
        loop {
            let before = state(&app, self.project_id).await?.map(|s| s.pushes);
            let Some(project) = Project::find(app.db().conn(), self.project_id).await? else { return Ok(()) };
            measure(&app, &project).await?;
            // A push that arrived meanwhile found this job waiting and added none of its own.
            if state(&app, self.project_id).await?.map(|s| s.pushes) == before {
                return Ok(());
            }
        }
    }
}

async fn state(app: &App, project_id: i64) -> Result<Option<State>> {
    let sql = "SELECT project_id, pushes, pushes_housekept FROM repository_states WHERE project_id = $1";
    app.db().one(sql, [project_id.into()]).await
}

async fn measure(app: &App, project: &Project) -> Result<()> {
    let repo = repository::open(app, project).await?;
    let size = repo.size().await.or_status()?;
    let commits = match repo.find_branch(project.branch()).await {
        Ok(found) => repo.count_commits(&LogQuery::of(found.target, usize::MAX)).await.or_status()?,
        Err(_) => 0,
    };
    let empty = repo.is_empty().await.or_status()?;
    let sql = "UPDATE projects SET repository_size = $2, commit_count = $3, empty_repo = $4 WHERE id = $1";
    let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let values = [project.id.into(), number(size).into(), number(commits).into(), empty.into()];
    app.db().run(sql, values).await?;
    Ok(())
}

/// Counts a push, and has the repository measured soon and tidied now and then.
pub(crate) async fn note_push(tx: &Tx, project_id: i64) -> Result<()> {
    let sql = "INSERT INTO repository_states (project_id, pushes) VALUES ($1, 1)
               ON CONFLICT (project_id) DO UPDATE SET pushes = repository_states.pushes + 1
               RETURNING project_id, pushes, pushes_housekept";
    let state: Option<State> = tx.one(sql, [project_id.into()]).await?;
    if state.is_some_and(|s| s.pushes - s.pushes_housekept >= PUSHES) {
        Housekeep::after(tx, project_id, false, BURST).await?;
    }
    let unique = Some(format!("repository.measure:{project_id}"));
    let at = Some(Time::now() + PAUSE);
    tx.enqueue(&Measure { project_id }, When { at, unique }).await
}

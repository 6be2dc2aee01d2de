//! Background jobs: a table, so that a job commits with the change it belongs to.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::{ConnectionTrait, FromQueryResult};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;

use crate::db::Sql;
use crate::events::Signals;
use crate::{App, Result, Time};

/// The topic that is woken when a job was added.
pub(crate) const TOPIC: &str = "jobs";
const LEASE: Duration = Duration::from_secs(60);
const MAX_ATTEMPTS: i64 = 10;

/// A piece of work that outlives the request; carried out at least once.
pub trait Job: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The noun and what is done to it, such as `repository.housekeep`.
    const KIND: &'static str;

    /// Does the work; an error means that it is tried again later, ten times in all.
    fn run(self, app: App) -> impl Future<Output = Result<()>> + Send;
}

/// When a job is carried out, and whether it may wait twice.
#[derive(Clone, Debug, Default)]
pub struct When {
    /// Not before this instant.
    pub at: Option<Time>,
    /// A second job with the same key is dropped while the first waits.
    pub unique: Option<String>,
}

/// Adds a job of `kind`; on a transaction, it exists once that is committed.
pub(crate) async fn insert<C: ConnectionTrait>(conn: &C, kind: &str, payload: &str, when: When) -> Result<()> {
    let now = Time::now();
    let sql = "INSERT INTO jobs (kind, payload, unique_key, run_at, created_at) VALUES ($1, $2, $3, $4, $5)
               ON CONFLICT (unique_key) DO NOTHING";
    let values = [kind.into(), payload.into(), when.unique.into(), when.at.unwrap_or(now).into(), now.into()];
    conn.run(sql, values).await?;
    Ok(())
}

#[derive(FromQueryResult)]
struct Claimed {
    id: i64,
    kind: String,
    payload: String,
    attempts: i64,
}

/// Carries out jobs until the application stops; then waits for those under way.
pub(crate) async fn work(app: App) {
    if let Err(e) = recover(&app).await {
        tracing::error!(error = %e, "jobs of an earlier process were not handed back");
    }
    // Beside the loop, which waits while all workers are busy.
    let leases = tokio::spawn(keep_leases(app.clone()));
    let slots = Arc::new(Semaphore::new(app.config().workers));
    let mut signals = app.signals().subscribe();
    while !app.stopping().is_cancelled() {
        let Ok(permit) = slots.clone().acquire_owned().await else { break };
        match claim(&app).await {
            Ok(Some(job)) => {
                let app = app.clone();
                tokio::spawn(async move {
                    carry_out(&app, job).await;
                    drop(permit);
                });
                continue;
            }
            Ok(None) => {}
            Err(e) => tracing::error!(error = %e, "no job could be claimed"),
        }
        drop(permit);
        tokio::select! {
            () = app.stopping().cancelled() => break,
            () = Signals::wait(&mut signals, &[TOPIC]) => {}
            () = tokio::time::sleep(Duration::from_millis(1000)) => {}
        }
    }
    let all = u32::try_from(app.config().workers).unwrap_or(1);
    let _all_done = tokio::time::timeout(Duration::from_secs(20), slots.acquire_many(all)).await;
    leases.abort();
}

/// Renews the leases of this process, and hands back what other processes have lost.
async fn keep_leases(app: App) {
    let mut beat = tokio::time::interval(LEASE / 3);
    loop {
        beat.tick().await;
        renew(&app).await;
    }
}

/// Adds every periodic job whose time has come; the unique key keeps it single across processes.
pub(crate) async fn schedule(app: App) {
    loop {
        for (kind, interval) in &app.inner().periodic {
            let seconds = i64::try_from(interval.as_secs()).unwrap_or(i64::MAX).max(1);
            let slot = Time::now().seconds() / seconds;
            let unique = Some(format!("{kind}@{slot}"));
            let at = Some(Time::from_seconds((slot + 1).saturating_mul(seconds)));
            if let Err(e) = insert(app.db().conn(), kind, "{}", When { at, unique }).await {
                tracing::error!(error = %e, kind, "a periodic job was not added");
            }
        }
        tokio::select! {
            () = app.stopping().cancelled() => return,
            () = tokio::time::sleep(Duration::from_secs(15)) => {}
        }
    }
}

async fn claim(app: &App) -> Result<Option<Claimed>> {
    let skip = if app.db().is_postgres() { "FOR UPDATE SKIP LOCKED" } else { "" };
    let now = Time::now();
    let ready = "SELECT id FROM jobs WHERE state = 'ready' AND run_at <= $1 ORDER BY run_at, id LIMIT 1";
    if !app.db().is_postgres() && app.db().conn().scalar::<i64>(ready, [now.into()]).await?.is_none() {
        return Ok(None); // SQLite would take its write lock only to find nothing.
    }
    let sql = format!(
        "UPDATE jobs SET state = 'running', worker = $2, lease_until = $3, attempts = attempts + 1
         WHERE id = ({ready} {skip}) AND state = 'ready' RETURNING id, kind, payload, attempts"
    );
    app.db().one(&sql, [now.into(), app.process().into(), (now + LEASE).into()]).await
}

async fn carry_out(app: &App, job: Claimed) {
    let Some(handler) = app.inner().jobs.get(job.kind.as_str()).cloned() else {
        tracing::error!(kind = job.kind, "no slice knows this kind of job");
        return settle(app, &job, Err("no slice knows this kind of job".into())).await;
    };
    let payload = serde_json::from_str(&job.payload).unwrap_or_default();
    let done = tokio::spawn(handler(app.clone(), payload)).await;
    let outcome = match done {
        Ok(Ok(())) => Ok(()),
        Ok(Err(crate::Error::Internal(cause))) => Err(format!("{cause:#}")),
        Ok(Err(e)) => Err(e.to_string()),
        Err(panic) => Err(panic.to_string()),
    };
    settle(app, &job, outcome).await;
}

async fn settle(app: &App, job: &Claimed, outcome: Result<(), String>) {
    let written = match &outcome {
        Ok(()) => app.db().run("DELETE FROM jobs WHERE id = $1", [job.id.into()]).await,
        Err(why) => {
            tracing::warn!(kind = job.kind, attempt = job.attempts, why, "a job failed");
            let state = if job.attempts >= MAX_ATTEMPTS { "failed" } else { "ready" };
            let pause = Duration::from_secs(1 << job.attempts.clamp(0, 12));
            let sql =
                "UPDATE jobs SET state = $2, run_at = $3, error = $4, worker = NULL, lease_until = NULL WHERE id = $1";
            let values = [job.id.into(), state.into(), (Time::now() + pause).into(), why.as_str().into()];
            app.db().run(sql, values).await
        }
    };
    if let Err(e) = written {
        tracing::error!(error = %e, kind = job.kind, "the end of a job was not written; its lease will run out");
    }
}

async fn renew(app: &App) {
    let now = Time::now();
    let mine = "UPDATE jobs SET lease_until = $2 WHERE worker = $1 AND state = 'running'";
    let lost = "UPDATE jobs SET state = 'ready', worker = NULL WHERE state = 'running' AND lease_until < $1";
    for (sql, values) in [(mine, vec![app.process().into(), (now + LEASE).into()]), (lost, vec![now.into()])] {
        if let Err(e) = app.db().run(sql, values).await {
            tracing::error!(error = %e, "leases of jobs were not renewed");
        }
    }
}

/// On SQLite there is one process, so whatever runs at the start belongs to one that is gone.
async fn recover(app: &App) -> Result<()> {
    if !app.db().is_postgres() {
        app.db().run("UPDATE jobs SET state = 'ready', worker = NULL WHERE state = 'running'", []).await?;
    }
    Ok(())
}

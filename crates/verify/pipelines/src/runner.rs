//! The embedded runner: takes jobs that wait and carries them out in the sandbox, as many at once as it has slots.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use kernel::db::Sql;
use kernel::events::Signals;
use kernel::{App, Result, Time, Tx, auth};
use sandbox::{Cancel, Isolation, Level, Network, Sandbox, Slot};
use sea_orm::FromQueryResult;
use tokio_util::sync::CancellationToken;

use crate::advance::{advance, change};
use crate::build::{Build, QUEUE};
use crate::finish::{Ending, finish};
use crate::pipeline::Pipeline;
use crate::runner_job::{GATHER_TIME, Io, plan};
use crate::status::Status;
use crate::{token, trace};

/// The name of the embedded runner in lists.
pub const NAME: &str = "embedded";
const LEASE: Duration = Duration::from_secs(60);
/// A job that was lost with its server this often fails.
const MAX_LOSSES: i64 = 3;

/// What the runner found out about this machine, for pages; registered when the program is composed.
#[derive(Default)]
pub struct RunnerState {
    isolation: OnceLock<Isolation>,
}

impl RunnerState {
    /// How jobs are kept apart; `None` where the runner is off.
    pub fn isolation(&self) -> Option<&Isolation> {
        self.isolation.get()
    }
}

/// Starts the runner, unless it is switched off.
pub(crate) async fn start(app: App) -> Result<()> {
    recover(&app).await?;
    app.tasks().spawn(reap(app.clone()));
    let slots = app.config().runner_slots;
    if slots == 0 {
        tracing::info!("the embedded runner is off");
        return Ok(());
    }
    let mut config = sandbox::Config::new(app.config().data.join("builds"));
    config.slots = u32::try_from(slots).unwrap_or(1);
    config.init.program = app.config().program.clone();
    config.allow_unisolated = true; // `claim` takes trusted jobs only where that matters.
    config.hidden = vec![app.config().data.clone()];
    config.network = if app.config().runner_network { Network::Host } else { Network::None };
    let sandbox = tokio::task::spawn_blocking(move || {
        if let Err(e) = std::fs::create_dir_all(&config.root) {
            tracing::error!(error = %e, "the folder for builds can't be made");
        }
        if let Err(e) = sandbox::reap_stale(&config.root) {
            tracing::warn!(error = %e, "what an earlier runner left could not be removed");
        }
        Sandbox::new(config)
    });
    let sandbox = sandbox.await?.map_err(kernel::Error::internal)?;
    let isolation = sandbox.isolation().clone();
    tracing::info!(slots, "{}", isolation.summary());
    if isolation.level == Level::None {
        tracing::warn!(
            "jobs can't be kept apart here, so only those that administrators start in their own projects run"
        );
    }
    if let Some(state) = app.get::<RunnerState>() {
        let _started_twice = state.isolation.set(isolation);
    }
    app.tasks().clone().spawn(serve(app, sandbox));
    Ok(())
}

/// Takes jobs while there is room for them.
async fn serve(app: App, sandbox: Sandbox) {
    let trusted_only = sandbox.isolation().level == Level::None;
    let mut signals = app.signals().subscribe();
    loop {
        let slot = tokio::select! {
            () = app.stopping().cancelled() => return,
            slot = sandbox.acquire() => slot,
        };
        let slot = match slot {
            Ok(slot) => slot,
            Err(e) => {
                tracing::error!(error = %e, "a slot of the runner could not be made ready");
                tokio::time::sleep(Duration::from_secs(5)).await;
                continue;
            }
        };
        let claimed = loop {
            match claim(&app, trusted_only).await {
                Ok(Some(claimed)) => break claimed,
                Ok(None) => {}
                Err(e) => tracing::error!(error = %e, "no job could be taken"),
            }
            tokio::select! {
                () = app.stopping().cancelled() => return,
                () = Signals::wait(&mut signals, &[QUEUE]) => {}
                () = tokio::time::sleep(Duration::from_secs(2)) => {}
            }
        };
        app.tasks().spawn(carry_out(app.clone(), slot, claimed));
    }
}

#[derive(FromQueryResult)]
struct Candidate {
    id: i64,
    pipeline_id: i64,
}

/// Takes the job that has waited longest in the project that has the fewest running.
async fn claim(app: &App, trusted_only: bool) -> Result<Option<(Build, String)>> {
    let trusted = "AND EXISTS (SELECT 1 FROM users u JOIN projects p ON p.creator_id = u.id WHERE p.id = b.project_id AND u.admin)
                   AND EXISTS (SELECT 1 FROM users u WHERE u.id = b.user_id AND u.admin)";
    let sql = format!(
        "SELECT b.id, b.pipeline_id FROM builds b WHERE b.status = 'pending' {}
         ORDER BY (SELECT COUNT(*) FROM builds r WHERE r.project_id = b.project_id AND r.status = 'running'), b.id LIMIT 1",
        if trusted_only { trusted } else { "" }
    );
    loop {
        let Some(candidate) = app.db().one::<Candidate>(&sql, []).await? else { return Ok(None) };
        let tx = app.begin().await?;
        // The pipeline first, as everywhere: two who want both in another order would wait for each other.
        let Some(pipeline) = Pipeline::lock(&tx, candidate.pipeline_id).await? else { continue };
        let token = auth::random_token(token::PREFIX, 32);
        let take =
            "UPDATE builds SET status = 'running', runner = $2, started_at = $3, lease_until = $4, token_hash = $5
                    WHERE id = $1 AND status = 'pending' RETURNING *";
        let now = Time::now();
        let values = [
            candidate.id.into(),
            holder(app).into(),
            now.into(),
            (now + LEASE).into(),
            auth::hash_token(&token).into(),
        ];
        let Some(build) = tx.one::<Build>(take, values).await? else { continue };
        advance(&tx, &pipeline).await?;
        tx.wake(&Build::topic(build.id)).await?;
        tx.commit().await?;
        return Ok(Some((build, token)));
    }
}

/// The name under which this process holds jobs.
fn holder(app: &App) -> String {
    format!("{NAME} {}", app.process())
}

async fn carry_out(app: App, slot: Slot, (build, token): (Build, String)) {
    let id = build.id;
    let ending = match plan(&app, &build, &token).await {
        Ok(plan) => {
            let cancel = Cancel::new();
            let io = Arc::new(Io::new(app.clone(), build));
            let watch = tokio::spawn(watch(app.clone(), id, cancel.clone()));
            let ended = CancellationToken::new();
            let writer = tokio::spawn(write_log(io.clone(), ended.clone()));
            let result = sandbox::execute(&slot, &plan, &*io, &cancel).await;
            watch.abort();
            // Never cut off: it may be between the database and its own account of what is written.
            ended.cancel();
            let _it_can_only_have_panicked = writer.await;
            if let Err(e) = io.flush().await {
                tracing::warn!(job = id, error = %e, "the end of a log was lost");
            }
            if app.stopping().is_cancelled() && result.status != sandbox::Status::Success {
                return hand_back(&app, id).await;
            }
            ending(&result)
        }
        Err(e) => {
            tracing::error!(job = id, error = %e, "a job could not be prepared");
            let note = format!("\x1b[31;1mThe job could not be prepared: {e}\x1b[0;m\n");
            let _there_is_no_better_place = trace::append(&app, id, note.as_bytes()).await;
            Ending { status: Status::Failed, exit_code: None, reason: Some("runner_system_failure") }
        }
    };
    if let Err(e) = finish(&app, id, ending).await {
        tracing::error!(job = id, error = %e, "the end of a job was not written; its lease will run out");
    }
}

/// Writes what a job has said and not followed up, so that those who watch see it soon.
async fn write_log(io: Arc<Io>, ended: CancellationToken) {
    while tokio::time::timeout(GATHER_TIME, ended.cancelled()).await.is_err() {
        if let Err(e) = io.flush().await {
            tracing::debug!(error = %e, "a part of a log waits");
        }
    }
}

fn ending(result: &sandbox::JobResult) -> Ending {
    let exit_code = result.exit_code.map(i64::from);
    match result.status {
        sandbox::Status::Success => Ending { status: Status::Success, exit_code, reason: None },
        sandbox::Status::Canceled => Ending { status: Status::Canceled, exit_code: None, reason: None },
        sandbox::Status::Failed(why) => Ending { status: Status::Failed, exit_code, reason: Some(why.as_str()) },
    }
}

/// Renews the lease of a job and passes on that it should end.
async fn watch(app: App, build_id: i64, cancel: Cancel) {
    let mut signals = app.signals().subscribe();
    let topic = Build::topic(build_id);
    let topics = [topic.as_str()];
    loop {
        tokio::select! {
            () = app.stopping().cancelled() => return cancel.abort(),
            () = Signals::wait(&mut signals, &topics) => {}
            () = tokio::time::sleep(LEASE / 4) => {}
        }
        let sql = "UPDATE builds SET lease_until = $2 WHERE id = $1 AND lease_until < $3 AND status IN ('running', 'canceling')";
        let now = Time::now();
        let renewed = app.db().run(sql, [build_id.into(), (now + LEASE).into(), (now + LEASE * 3 / 4).into()]).await;
        let found = Build::by_id(app.db().conn(), build_id).await;
        match (renewed, found) {
            (Ok(_), Ok(Some(build))) if build.status == Status::Running => {}
            (Ok(_), Ok(Some(build))) if build.status == Status::Canceling => cancel.cancel(),
            (Ok(_), Ok(_)) => return cancel.abort(),
            (Err(e), _) | (_, Err(e)) => {
                tracing::warn!(error = %e, job = build_id, "the lease of a job was not renewed");
            }
        }
    }
}

/// Gives a job back to the queue, because its server stops.
async fn hand_back(app: &App, build_id: i64) {
    let Ok(Some(build)) = Build::by_id(app.db().conn(), build_id).await else { return };
    if let Err(e) = change(app, build.pipeline_id, async |tx| return_to_queue(tx, &build).await).await {
        tracing::error!(error = %e, job = build_id, "a job was not handed back; its lease will run out");
    }
}

/// Puts a job whose runner is gone back into the queue, or ends it where it was to end or was lost too often.
async fn return_to_queue(tx: &Tx, build: &Build) -> Result<()> {
    let (status, reason) = match build.status {
        Status::Canceling => (Status::Canceled, None),
        Status::Running if build.attempt >= MAX_LOSSES => (Status::Failed, Some("runner_system_failure")),
        Status::Running => (Status::Pending, None),
        _ => return Ok(()),
    };
    let finished = status.is_complete().then(Time::now);
    let sql = "UPDATE builds SET status = $2, failure_reason = $3, finished_at = $4, runner = NULL, token_hash = NULL,
                 lease_until = NULL, attempt = attempt + 1, started_at = CASE WHEN $5 THEN NULL ELSE started_at END,
                 trace_size = CASE WHEN $5 THEN 0 ELSE trace_size END
               WHERE id = $1 AND status IN ('running', 'canceling')";
    let waits = status == Status::Pending;
    tx.run(sql, [build.id.into(), status.into(), reason.into(), finished.into(), waits.into()]).await?;
    if waits {
        tx.run("DELETE FROM trace_chunks WHERE build_id = $1", [build.id.into()]).await?;
        tx.wake(QUEUE).await?;
    }
    tx.wake(&Build::topic(build.id)).await
}

/// On SQLite there is one process, so whatever runs at the start has lost its runner.
async fn recover(app: &App) -> Result<()> {
    if app.db().is_postgres() {
        return Ok(());
    }
    let lost: Vec<Build> = app.db().all("SELECT * FROM builds WHERE status IN ('running', 'canceling')", []).await?;
    for build in lost {
        change(app, build.pipeline_id, async |tx| return_to_queue(tx, &build).await).await?;
    }
    Ok(())
}

/// Takes jobs back whose runner has not been heard of for a while.
async fn reap(app: App) {
    loop {
        tokio::select! {
            () = app.stopping().cancelled() => return,
            () = tokio::time::sleep(LEASE / 4) => {}
        }
        let sql = "SELECT * FROM builds WHERE status IN ('running', 'canceling') AND lease_until < $1";
        let lost = app.db().all::<Build>(sql, [Time::now().into()]).await.unwrap_or_default();
        for build in lost {
            hand_back(&app, build.id).await;
        }
    }
}

//! What people do to pipelines and jobs: cancel, retry, play, erase, delete.

use kernel::db::Sql;
use kernel::jobs::When;
use kernel::{App, Error, Result, Time, Tx};
use sea_orm::Value;

use crate::advance::change;
use crate::build::{Build, QUEUE};
use crate::finish::Archive;
use crate::pipeline::Pipeline;
use crate::status::Status;
use crate::variables::GivenVariable;
use crate::{artifacts, trace};

/// Cancels every job of a pipeline that can be.
pub async fn cancel_pipeline(app: &App, pipeline: &Pipeline) -> Result<()> {
    change(app, pipeline.id, async |tx| {
        let builds = Build::of_pipeline(&**tx, pipeline.id).await?;
        let ids: Vec<i64> = builds.iter().filter(|b| b.status.is_cancelable()).map(|b| b.id).collect();
        cancel_builds(tx, &ids).await
    })
    .await
}

/// Cancels a job; a 403 where it has ended.
pub async fn cancel(app: &App, build: &Build) -> Result<()> {
    if !build.status.is_cancelable() {
        return Err(Error::forbidden("Job is not cancelable"));
    }
    change(app, build.pipeline_id, async |tx| cancel_builds(tx, &[build.id]).await).await
}

/// Ends a job that was asked to end and whose runner doesn't; a 403 where it wasn't asked.
pub async fn force_cancel(app: &App, build: &Build) -> Result<()> {
    let ended = change(app, build.pipeline_id, async |tx| {
        let sql = "UPDATE builds SET status = 'canceled', finished_at = $2, token_hash = NULL, lease_until = NULL
                   WHERE id = $1 AND status = 'canceling'";
        let ended = tx.run(sql, [build.id.into(), Time::now().into()]).await?;
        tx.enqueue(&Archive { build_id: build.id }, When::default()).await?;
        tx.wake(&Build::topic(build.id)).await?;
        Ok(ended)
    });
    if ended.await? == 0 { Err(Error::forbidden("Job is not being cancelled, so it can't be forced")) } else { Ok(()) }
}

/// Asks runners to end what they run and ends what nobody runs, under the lock of the pipeline.
pub(crate) async fn cancel_builds(tx: &Tx, ids: &[i64]) -> Result<()> {
    let now = Time::now();
    for chunk in ids.chunks(500) {
        let waiting = format!(
            "UPDATE builds SET status = 'canceled', finished_at = $1
             WHERE id IN ({}) AND status IN ('created', 'pending', 'scheduled', 'manual')",
            marks(chunk.len(), 1)
        );
        let running = format!(
            "UPDATE builds SET status = 'canceling' WHERE id IN ({}) AND status = 'running'",
            marks(chunk.len(), 0)
        );
        let chosen = chunk.iter().map(|id| Value::from(*id));
        tx.run(&waiting, std::iter::once(now.into()).chain(chosen.clone())).await?;
        tx.run(&running, chosen).await?;
    }
    for id in ids {
        tx.wake(&Build::topic(*id)).await?;
    }
    Ok(())
}

fn marks(count: usize, after: usize) -> String {
    (1..=count).map(|n| format!("${}", n + after)).collect::<Vec<_>>().join(", ")
}

/// Runs a job again: a new one takes its place, and what was skipped because of it gets another turn.
pub async fn retry(app: &App, build: &Build, user: i64) -> Result<Build> {
    if !build.is_retryable() {
        return Err(Error::forbidden("Job is not retryable"));
    }
    let id = change(app, build.pipeline_id, async |tx| {
        let id = again(tx, build, Some(user), 0).await?.ok_or_else(|| Error::forbidden("Job is not retryable"))?;
        revive(tx, build.pipeline_id, build.stage_index).await?;
        Ok(id)
    })
    .await?;
    Build::by_id(app.db().conn(), id).await?.ok_or_else(|| Error::not_found("Job"))
}

/// Runs every job again that failed or was cancelled.
pub async fn retry_pipeline(app: &App, pipeline: &Pipeline, user: i64) -> Result<()> {
    change(app, pipeline.id, async |tx| {
        let builds = Build::of_pipeline(&**tx, pipeline.id).await?;
        let ended = builds.iter().filter(|b| matches!(b.status, Status::Failed | Status::Canceled));
        let mut first = None;
        for build in ended {
            again(tx, build, Some(user), 0).await?;
            first = Some(first.map_or(build.stage_index, |f: i64| f.min(build.stage_index)));
        }
        match first {
            Some(stage) => revive(tx, pipeline.id, stage).await,
            None => Ok(()),
        }
    })
    .await
}

/// Puts a copy in the place of a job; `None` where another has done so.
pub(crate) async fn again(tx: &Tx, build: &Build, user: Option<i64>, attempt: i64) -> Result<Option<i64>> {
    let mark = "UPDATE builds SET retried = TRUE WHERE id = $1 AND retried = FALSE";
    if tx.run(mark, [build.id.into()]).await? == 0 {
        return Ok(None);
    }
    let sql = "INSERT INTO builds (project_id, pipeline_id, user_id, name, stage, stage_index, position, status, when_to_run,
                 allow_failure, dag, interruptible, tags, spec, play_variables, timeout, attempt, created_at, queued_at)
               SELECT project_id, pipeline_id, COALESCE($2, user_id), name, stage, stage_index, position, 'pending', when_to_run,
                 allow_failure, dag, interruptible, tags, spec, play_variables, timeout, $3, $4, $4 FROM builds WHERE id = $1
               RETURNING id";
    let now = Time::now();
    let id = tx.scalar::<i64>(sql, [build.id.into(), user.into(), attempt.into(), now.into()]).await?;
    let id = id.ok_or_else(|| Error::not_found("Job"))?;
    let needs = "INSERT INTO build_needs (build_id, needed_name, artifacts)
                 SELECT $2, needed_name, artifacts FROM build_needs WHERE build_id = $1";
    tx.run(needs, [build.id.into(), id.into()]).await?;
    tx.wake(QUEUE).await?;
    Ok(Some(id))
}

/// Gives jobs another turn that were skipped in or after a stage.
async fn revive(tx: &Tx, pipeline_id: i64, stage_index: i64) -> Result<()> {
    let sql = "UPDATE builds SET status = 'created', finished_at = NULL WHERE pipeline_id = $1 AND retried = FALSE
               AND stage_index >= $2 AND status = 'skipped'";
    tx.run(sql, [pipeline_id.into(), stage_index.into()]).await?;
    Ok(())
}

/// Starts a job that waits for somebody or for a time, with further variables.
pub async fn play(app: &App, build: &Build, user: i64, variables: &[GivenVariable]) -> Result<()> {
    if !build.is_playable() {
        return Err(Error::bad_request("Unplayable Job"));
    }
    change(app, build.pipeline_id, async |tx| {
        let sql = "UPDATE builds SET status = 'pending', user_id = $2, play_variables = $3, queued_at = $4
                   WHERE id = $1 AND status IN ('manual', 'scheduled')";
        let variables = serde_json::to_string(variables)?;
        tx.run(sql, [build.id.into(), user.into(), variables.into(), Time::now().into()]).await?;
        // What was skipped because nobody had played it is waited for again.
        revive(tx, build.pipeline_id, build.stage_index).await?;
        tx.wake(QUEUE).await
    })
    .await
}

/// Removes the log and the artifacts of a job that has ended.
pub async fn erase(app: &App, build: &Build) -> Result<()> {
    if !build.status.is_complete() || build.erased_at.is_some() {
        return Err(Error::forbidden("Job is not erasable!"));
    }
    artifacts::delete_all(app, build.id).await?;
    trace::delete(app, build).await?;
    app.db().run("UPDATE builds SET erased_at = $2 WHERE id = $1", [build.id.into(), Time::now().into()]).await?;
    Ok(())
}

/// Removes a pipeline with its jobs, logs and artifacts.
pub async fn delete_pipeline(app: &App, pipeline: &Pipeline) -> Result<()> {
    cancel_pipeline(app, pipeline).await?;
    let all: Vec<Build> = app.db().all("SELECT * FROM builds WHERE pipeline_id = $1", [pipeline.id.into()]).await?;
    for build in &all {
        artifacts::delete_all(app, build.id).await?;
        trace::delete(app, build).await?;
    }
    let tx = app.begin().await?;
    repositories::CommitStatus::forget_pipeline(&*tx, pipeline.id).await?;
    tx.run("DELETE FROM pipelines WHERE id = $1", [pipeline.id.into()]).await?;
    tx.commit().await
}

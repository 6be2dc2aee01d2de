//! The state machine: what may start now that something has changed.
//!
//! Every change of a job's state takes the lock of its pipeline first, so that two changes at once never both look at
//! the state before. [`advance`] is called under that lock until nothing moves any more.

use std::collections::HashMap;
use std::time::Duration;

use ci_yaml::When;
use kernel::db::Sql;
use kernel::jobs::{Job, When as At};
use kernel::{App, Result, Time, Tx};
use serde::{Deserialize, Serialize};

use crate::build::{Build, Need, QUEUE, needs_of_pipeline};
use crate::pipeline::Pipeline;
use crate::status::{Status, composite, needs_composite};

/// Starts, offers or skips every job whose turn has come, and writes the state of the pipeline.
pub(crate) async fn advance(tx: &Tx, pipeline: &Pipeline) -> Result<()> {
    let mut builds = Build::of_pipeline(&**tx, pipeline.id).await?;
    let needs = needs_of_pipeline(&**tx, pipeline.id).await?;
    // Those with needs may wait for one of their own stage that comes later in the list.
    while step(tx, &mut builds, &needs).await? {}
    pipeline.settle(tx, &builds).await?;
    Ok(())
}

async fn step(tx: &Tx, builds: &mut [Build], needs: &HashMap<i64, Vec<Need>>) -> Result<bool> {
    let mut moved = false;
    let mut before = Before::default();
    for at in 0..builds.len() {
        before.enter(builds, at);
        if builds[at].status != Status::Created {
            continue;
        }
        let earlier = match builds[at].dag {
            true => of_needs(builds, needs.get(&builds[at].id)),
            false => before.status,
        };
        let next = turn(builds[at].when(), builds[at].dag, earlier.unwrap_or(Status::Success));
        let Some(next) = next else { continue };
        start(tx, &mut builds[at], next).await?;
        moved = true;
    }
    Ok(moved)
}

/// The state of all stages before the one being looked at.
#[derive(Default)]
struct Before {
    stage: Option<i64>,
    status: Option<Status>,
}

impl Before {
    fn enter(&mut self, builds: &[Build], at: usize) {
        let stage = builds[at].stage_index;
        if self.stage != Some(stage) {
            self.stage = Some(stage);
            self.status =
                composite(builds.iter().filter(|b| b.stage_index < stage).map(|b| (b.status, b.allow_failure)));
        }
    }
}

fn of_needs(builds: &[Build], needs: Option<&Vec<Need>>) -> Option<Status> {
    let needed = |b: &&Build| needs.is_some_and(|n| n.iter().any(|n| n.name == b.name));
    needs_composite(builds.iter().filter(needed).map(|b| (b.status, b.allow_failure)))
}

/// What becomes of a waiting job when what comes before it is in the state `earlier`; `None` while that isn't over.
fn turn(when: When, dag: bool, earlier: Status) -> Option<Status> {
    if !earlier.is_complete() {
        return None;
    }
    // A stage whose jobs were all skipped holds nothing up; a need that never ran does.
    let good = earlier == Status::Success || (earlier == Status::Skipped && !dag);
    Some(match when {
        When::OnSuccess if good => Status::Pending,
        When::OnFailure if earlier == Status::Failed => Status::Pending,
        When::Always => Status::Pending,
        When::Manual if good => Status::Manual,
        When::Delayed if good => Status::Scheduled,
        _ => Status::Skipped,
    })
}

/// Moves a job from `created`.
async fn start(tx: &Tx, build: &mut Build, next: Status) -> Result<()> {
    let now = Time::now();
    build.status = next;
    match next {
        Status::Pending => {
            build.queued_at = Some(now);
            tx.wake(QUEUE).await?;
        }
        Status::Scheduled => {
            let delay = build.spec()?.start_in.unwrap_or(0);
            let at = now + Duration::from_secs(delay);
            build.scheduled_at = Some(at);
            tx.enqueue(&StartDelayed { build_id: build.id }, At { at: Some(at), unique: None }).await?;
        }
        _ => {}
    }
    let sql = "UPDATE builds SET status = $2, queued_at = $3, scheduled_at = $4 WHERE id = $1";
    tx.run(sql, [build.id.into(), next.into(), build.queued_at.into(), build.scheduled_at.into()]).await?;
    tx.wake(&Build::topic(build.id)).await
}

/// Starts a delayed job when its time has come.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StartDelayed {
    build_id: i64,
}

impl Job for StartDelayed {
    const KIND: &'static str = "build.start_delayed";

    async fn run(self, app: App) -> Result<()> {
        let Some(build) = Build::by_id(app.db().conn(), self.build_id).await? else { return Ok(()) };
        change(&app, build.pipeline_id, async |tx| {
            let sql = "UPDATE builds SET status = 'pending', queued_at = $2 WHERE id = $1 AND status = 'scheduled'";
            tx.run(sql, [self.build_id.into(), Time::now().into()]).await?;
            tx.wake(QUEUE).await
        })
        .await
    }
}

/// Carries out a change of jobs under the lock of their pipeline, then moves the pipeline on.
pub(crate) async fn change<T>(app: &App, pipeline_id: i64, change: impl AsyncFnOnce(&Tx) -> Result<T>) -> Result<T> {
    let tx = app.begin().await?;
    let pipeline = Pipeline::lock(&tx, pipeline_id).await?.ok_or_else(|| kernel::Error::not_found("Pipeline"))?;
    let result = change(&tx).await?;
    advance(&tx, &pipeline).await?;
    tx.commit().await?;
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns() {
        use Status::{Canceled, Failed, Manual, Pending, Running, Scheduled, Skipped, Success};
        for (when, dag, earlier, expected) in [
            (When::OnSuccess, false, Success, Some(Pending)),
            (When::OnSuccess, false, Running, None),
            (When::OnSuccess, false, Manual, None),
            (When::OnSuccess, false, Failed, Some(Skipped)),
            (When::OnSuccess, false, Skipped, Some(Pending)),
            (When::OnSuccess, true, Skipped, Some(Skipped)),
            (When::OnFailure, false, Failed, Some(Pending)),
            (When::OnFailure, false, Success, Some(Skipped)),
            (When::Always, false, Failed, Some(Pending)),
            (When::Always, false, Canceled, Some(Pending)),
            (When::Manual, false, Success, Some(Manual)),
            (When::Manual, false, Failed, Some(Skipped)),
            (When::Delayed, false, Success, Some(Scheduled)),
        ] {
            assert_eq!(turn(when, dag, earlier), expected, "{when:?} {dag} {earlier:?}");
        }
    }
}

//! The end of a job: its state, another try if that is due, coverage, and what follows in the pipeline.

use ci_yaml::{AllowFailure, AutoCancel, JobSpec};
use kernel::db::Sql;
use kernel::jobs::{Job, When};
use kernel::{App, Result, Time, Tx};
use serde::{Deserialize, Serialize};

use crate::actions::{again, cancel_builds};
use crate::advance::change;
use crate::build::Build;
use crate::status::Status;
use crate::trace;

/// How a job ended.
#[derive(Clone, Debug)]
pub(crate) struct Ending {
    pub(crate) status: Status,
    pub(crate) exit_code: Option<i64>,
    pub(crate) reason: Option<&'static str>,
}

/// Writes the end of a job that runs; nothing where it has ended already.
pub(crate) async fn finish(app: &App, build_id: i64, ending: Ending) -> Result<()> {
    let Some(build) = Build::by_id(app.db().conn(), build_id).await? else { return Ok(()) };
    let spec = build.spec()?;
    let coverage = coverage(app, &build, &spec).await?;
    change(app, build.pipeline_id, async |tx| end(tx, &build, &spec, &ending, coverage).await).await
}

async fn end(tx: &Tx, build: &Build, spec: &JobSpec, ending: &Ending, coverage: Option<f64>) -> Result<()> {
    let allowed = match (&spec.allow_failure, ending.exit_code) {
        (AllowFailure::ExitCodes(codes), Some(code)) => ending.status == Status::Failed && codes.contains(&code),
        (AllowFailure::ExitCodes(_), None) => false,
        _ => build.allow_failure,
    };
    // A job that was asked to end while it ended is cancelled, whatever its script said.
    let sql = "UPDATE builds SET status = CASE WHEN status = 'canceling' THEN 'canceled' ELSE $2 END, exit_code = $3,
                 failure_reason = $4, coverage = $5, allow_failure = $6, finished_at = $7, token_hash = NULL, lease_until = NULL
               WHERE id = $1 AND status IN ('running', 'canceling') RETURNING status";
    let values = [
        build.id.into(),
        ending.status.into(),
        ending.exit_code.into(),
        ending.reason.into(),
        coverage.into(),
        allowed.into(),
        Time::now().into(),
    ];
    let Some(status) = tx.scalar::<Status>(sql, values).await? else { return Ok(()) };
    if status == Status::Failed && deserves_retry(build, spec, ending) {
        again(tx, build, None, build.attempt + 1).await?;
    } else if status == Status::Failed && !allowed {
        end_with_it(tx, build.pipeline_id).await?;
    }
    tx.enqueue(&Archive { build_id: build.id }, When::default()).await?;
    tx.wake(&Build::topic(build.id)).await
}

/// Cancels what else the pipeline has, where the configuration asks for it (`workflow:auto_cancel:on_job_failure`).
async fn end_with_it(tx: &Tx, pipeline_id: i64) -> Result<()> {
    let mode = tx.scalar::<String>("SELECT auto_cancel FROM pipelines WHERE id = $1", [pipeline_id.into()]).await?;
    let mode: AutoCancel = mode.and_then(|m| serde_json::from_str(&m).ok()).unwrap_or_default();
    if mode.on_job_failure.as_deref() != Some("all") {
        return Ok(());
    }
    let builds = Build::of_pipeline(&**tx, pipeline_id).await?;
    let open: Vec<i64> = builds.iter().filter(|b| b.status.is_cancelable()).map(|b| b.id).collect();
    cancel_builds(tx, &open).await
}

/// Whether the configuration asks for another try (`retry`).
fn deserves_retry(build: &Build, spec: &JobSpec, ending: &Ending) -> bool {
    let Some(retry) = &spec.options.retry else { return false };
    let reason = ending.reason.unwrap_or("unknown_failure");
    let named = |r: &String| r == "always" || r == reason;
    let by_reason = retry.when.iter().any(named) || (retry.when.is_empty() && retry.exit_codes.is_empty());
    let by_code = ending.exit_code.is_some_and(|c| retry.exit_codes.contains(&c));
    build.attempt < i64::from(retry.max) && (by_reason || by_code)
}

/// The last number that the job's `coverage` pattern finds in the log.
async fn coverage(app: &App, build: &Build, spec: &JobSpec) -> Result<Option<f64>> {
    let Some(pattern) = spec.options.coverage.as_deref() else { return Ok(None) };
    let pattern = pattern.strip_prefix('/').and_then(|p| p.strip_suffix('/')).unwrap_or(pattern);
    let Ok(pattern) = regex::RegexBuilder::new(pattern).size_limit(1 << 20).build() else { return Ok(None) };
    let log = trace::read_all(app, build).await?;
    let found = tokio::task::spawn_blocking(move || {
        let log = String::from_utf8_lossy(&log);
        let last = pattern.find_iter(&log).last().map(|m| m.as_str().to_owned())?;
        let number: String =
            last.chars().skip_while(|c| !c.is_ascii_digit()).take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        number.trim_end_matches('.').parse::<f64>().ok().filter(|n| (0.0..=100.0).contains(n))
    });
    Ok(found.await?)
}

/// Moves the log of a job that has ended out of the database.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Archive {
    pub(crate) build_id: i64,
}

impl Job for Archive {
    const KIND: &'static str = "trace.archive";

    async fn run(self, app: App) -> Result<()> {
        trace::archive(&app, self.build_id).await
    }
}

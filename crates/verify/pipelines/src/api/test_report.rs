//! What the JUnit reports of a pipeline's jobs say.

use std::io::Read;

use axum::Json;
use axum::extract::{Path, State};
use flate2::read::MultiGzDecoder;
use kernel::api::Api;
use kernel::{App, Result, Time};
use projects::ProjectAccess;
use schemars::JsonSchema;
use sea_orm::FromQueryResult;
use serde::Serialize;

use super::junit::{self, TestCase};
use super::pipeline;
use crate::artifacts::Artifact;
use crate::permit;

type Ids = Path<(String, String)>;

/// A report that unpacks to more is not read.
const MAX_REPORT: u64 = 64 << 20;
/// What all reports of a pipeline may unpack to.
const MAX_REPORTS: u64 = 128 << 20;
/// Reports of more jobs than this are left out.
const MAX_JOBS: i64 = 500;

pub(crate) fn api() -> Api {
    Api::new("Pipelines")
        .get(
            "/projects/{id}/pipelines/{pipeline_id}/test_report",
            "Shows what the JUnit reports of a pipeline say",
            report,
        )
        .gives::<TestReport>()
        .get(
            "/projects/{id}/pipelines/{pipeline_id}/test_report_summary",
            "Counts what the JUnit reports of a pipeline say",
            summary,
        )
        .gives::<Summary>()
}

/// All tests of a pipeline.
#[derive(Debug, Serialize, JsonSchema)]
struct TestReport {
    #[serde(flatten)]
    counts: Counts,
    test_suites: Vec<TestSuite>,
}

/// How many tests ended how.
#[derive(Clone, Copy, Debug, Default, Serialize, JsonSchema)]
pub(crate) struct Counts {
    pub(crate) total_time: f64,
    pub(crate) total_count: usize,
    pub(crate) success_count: usize,
    pub(crate) failed_count: usize,
    pub(crate) skipped_count: usize,
    pub(crate) error_count: usize,
}

/// The tests of a job.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TestSuite {
    pub(crate) name: String,
    #[serde(flatten)]
    pub(crate) counts: Counts,
    pub(crate) suite_error: Option<String>,
    pub(crate) test_cases: Vec<TestCase>,
    #[serde(skip)]
    pub(crate) build_ids: Vec<i64>,
}

/// How many tests of a pipeline ended how.
#[derive(Debug, Serialize, JsonSchema)]
struct Summary {
    total: Total,
    test_suites: Vec<SuiteSummary>,
}

/// The sum over all jobs.
#[derive(Debug, Serialize, JsonSchema)]
struct Total {
    time: f64,
    count: usize,
    success: usize,
    failed: usize,
    skipped: usize,
    error: usize,
    suite_error: Option<String>,
}

/// How many tests of a job ended how.
#[derive(Debug, Serialize, JsonSchema)]
struct SuiteSummary {
    name: String,
    #[serde(flatten)]
    counts: Counts,
    build_ids: Vec<i64>,
    suite_error: Option<String>,
}

impl Counts {
    pub(crate) fn of<'a>(cases: impl Iterator<Item = &'a TestCase>) -> Self {
        let mut counts = Self::default();
        for case in cases {
            counts.total_count += 1;
            counts.total_time += case.execution_time;
            match case.status {
                "failed" => counts.failed_count += 1,
                "skipped" => counts.skipped_count += 1,
                "error" => counts.error_count += 1,
                _ => counts.success_count += 1,
            }
        }
        counts
    }
}

#[derive(FromQueryResult)]
struct Reported {
    id: i64,
    name: String,
}

/// The suites of a pipeline: one for each job that left a report, instances of a parallel job together.
pub(crate) async fn suites(app: &App, pipeline_id: i64) -> Result<Vec<TestSuite>> {
    let sql = "SELECT b.id, b.name FROM builds b WHERE b.pipeline_id = $1 AND b.retried = FALSE AND EXISTS
                 (SELECT 1 FROM build_artifacts a WHERE a.build_id = b.id AND a.kind = 'junit' AND (a.expires_at IS NULL OR a.expires_at > $2))
               ORDER BY b.stage_index, b.position, b.id LIMIT $3";
    let values = [pipeline_id.into(), Time::now().into(), MAX_JOBS.into()];
    let jobs: Vec<Reported> = app.db().all(sql, values).await?;
    let ids: Vec<i64> = jobs.iter().map(|j| j.id).collect();
    let reports = Artifact::of_builds(app.db().conn(), &ids).await?;
    let (mut suites, mut room): (Vec<TestSuite>, _) = (vec![], MAX_REPORTS);
    for report in reports.iter().filter(|a| a.kind == "junit") {
        let Some(job) = jobs.iter().find(|j| j.id == report.build_id) else { continue };
        let (cases, error) = match read(app, report, room.min(MAX_REPORT)).await? {
            Ok((cases, size)) => {
                room -= size;
                (cases, None)
            }
            Err(why) => (vec![], Some(why)),
        };
        let name = group_name(&job.name);
        let at = suites.iter().position(|s| s.name == name).unwrap_or_else(|| {
            suites.push(TestSuite {
                name,
                counts: Counts::default(),
                suite_error: None,
                test_cases: vec![],
                build_ids: vec![],
            });
            suites.len() - 1
        });
        let suite = &mut suites[at];
        suite.test_cases.extend(cases);
        suite.build_ids.push(job.id);
        suite.suite_error = suite.suite_error.take().or(error);
        suite.counts = Counts::of(suite.test_cases.iter());
    }
    Ok(suites)
}

/// The name of a job without its instance, such as `1/3`.
fn group_name(name: &str) -> String {
    let instance =
        |tail: &str| tail.split_once('/').is_some_and(|(n, of)| n.parse::<u32>().is_ok() && of.parse::<u32>().is_ok());
    match name.rsplit_once(' ') {
        Some((head, tail)) if instance(tail) => head.to_owned(),
        _ => name.to_owned(),
    }
}

/// The cases of a report, and what it unpacked to; at most `room` bytes.
async fn read(app: &App, report: &Artifact, room: u64) -> Result<Result<(Vec<TestCase>, u64), String>> {
    let too_large = || {
        format!("the reports are too large to be read: {} MiB each, {} MiB in all", MAX_REPORT >> 20, MAX_REPORTS >> 20)
    };
    if u64::try_from(report.size).unwrap_or(0) > room {
        return Ok(Err(too_large()));
    }
    let Some(packed) = app.objects().get(&report.key()).await? else { return Ok(Err("the report is gone".into())) };
    let parsed = tokio::task::spawn_blocking(move || {
        let mut text = Vec::new();
        if MultiGzDecoder::new(&packed[..]).take(room + 1).read_to_end(&mut text).is_err() {
            text = packed.to_vec();
        }
        let size = text.len() as u64;
        if size > room {
            return Err(too_large());
        }
        Ok((junit::parse(&text)?, size))
    });
    Ok(parsed.await?)
}

async fn report(State(app): State<App>, access: ProjectAccess, Path((_, id)): Ids) -> Result<Json<TestReport>> {
    permit::read_jobs(&access)?;
    let pipeline = pipeline(&app, &access, &id).await?;
    let test_suites = suites(&app, pipeline.id).await?;
    Ok(Json(TestReport { counts: Counts::of(test_suites.iter().flat_map(|s| &s.test_cases)), test_suites }))
}

async fn summary(State(app): State<App>, access: ProjectAccess, Path((_, id)): Ids) -> Result<Json<Summary>> {
    permit::read_jobs(&access)?;
    let pipeline = pipeline(&app, &access, &id).await?;
    let suites = suites(&app, pipeline.id).await?;
    let all = Counts::of(suites.iter().flat_map(|s| &s.test_cases));
    let total = Total {
        time: all.total_time,
        count: all.total_count,
        success: all.success_count,
        failed: all.failed_count,
        skipped: all.skipped_count,
        error: all.error_count,
        suite_error: None,
    };
    let one = |s: TestSuite| SuiteSummary {
        name: s.name,
        counts: s.counts,
        build_ids: s.build_ids,
        suite_error: s.suite_error,
    };
    Ok(Json(Summary { total, test_suites: suites.into_iter().map(one).collect() }))
}

#[cfg(test)]
mod tests {
    use super::group_name;

    #[test]
    fn instances_share_a_suite() {
        assert_eq!(group_name("rspec 1/3"), "rspec");
        assert_eq!(group_name("unit tests"), "unit tests");
        assert_eq!(group_name("a/b"), "a/b");
    }
}

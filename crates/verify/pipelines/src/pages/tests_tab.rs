//! What the JUnit reports of a pipeline's jobs say.

use kernel::{App, Result};
use projects::ProjectAccess;
use sea_orm::FromQueryResult;
use ui::parts::{self, Empty};
use ui::{Markup, Tone, format, html};

use super::at;
use crate::api::junit::TestCase;
use crate::api::test_report::{Counts, TestSuite, suites};
use crate::pipeline::Pipeline;

/// Failed tests that are shown with their output.
const FAILED: usize = 50;
/// Characters of a test's output.
const OUTPUT: usize = 4000;

#[derive(FromQueryResult)]
struct Count {
    count: i64,
}

/// How many jobs left a report.
pub(super) async fn reports(app: &App, pipeline: &Pipeline) -> Result<i64> {
    let sql = "SELECT COUNT(*) AS count FROM build_artifacts a JOIN builds b ON b.id = a.build_id
               WHERE b.pipeline_id = $1 AND b.retried = FALSE AND a.kind = 'junit'";
    Ok(app.db().one::<Count>(sql, [pipeline.id.into()]).await?.map_or(0, |c| c.count))
}

/// What the tab shows: the sums, what failed, and the suites.
pub(super) async fn body(app: &App, access: &ProjectAccess, pipeline: &Pipeline) -> Result<Markup> {
    let suites = suites(app, pipeline.id).await?;
    if suites.is_empty() {
        let text = "A job that writes a JUnit report and names it by artifacts:reports:junit has its tests here.";
        return Ok(Empty { icon: "ok", title: "No test reports", text, ..Empty::default() }.render());
    }
    let all = Counts::of(suites.iter().flat_map(|s| &s.test_cases));
    let bad = |case: &&TestCase| matches!(case.status, "failed" | "error");
    let failed: Vec<(&TestSuite, &TestCase)> =
        suites.iter().flat_map(|s| s.test_cases.iter().filter(bad).map(move |c| (s, c))).take(FAILED).collect();
    Ok(html! {
        div.stack.wide {
            (sums(&all))
            @for suite in &suites {
                @if let Some(why) = &suite.suite_error { (parts::alert(Tone::Warn, &html! { "The report of " b { (suite.name) } " could not be read: " (why) "." })) }
            }
            @if !failed.is_empty() { (failures(access, &failed, all.failed_count + all.error_count)) }
            (table(access, &suites))
        }
    })
}

fn number(count: usize) -> String {
    format::count(i64::try_from(count).unwrap_or(i64::MAX))
}

fn sums(all: &Counts) -> Markup {
    html! {
        dl.stats {
            div { dt { "Tests" } dd.num { (number(all.total_count)) (parts::progress("Passed", all.success_count as u64, all.total_count as u64)) } }
            div { dt { "Failed" } dd.num { (number(all.failed_count + all.error_count)) } }
            div { dt { "Skipped" } dd.num { (number(all.skipped_count)) } }
            div { dt { "Time" } dd.num { (format::duration(all.total_time)) } }
        }
    }
}

fn failures(access: &ProjectAccess, failed: &[(&TestSuite, &TestCase)], total: usize) -> Markup {
    let body = html! {
        @for (suite, case) in failed {
            details {
                summary {
                    (ui::icon_with("right", "turn")) " " (ui::icon_with("bad", "bad")) " " b { (case.name) } " "
                    @if let Some(class) = &case.classname { span.faint { (class) } }
                }
                div.stack {
                    @if let Some(id) = suite.build_ids.first() { p.soft { "In " a href=(at(access, format_args!("/-/jobs/{id}"))) { (suite.name) } "." } }
                    @if let Some(output) = &case.system_output {
                        pre.log.tail tabindex="0" role="region" aria-label={ "Output of " (case.name) } { (output.chars().take(OUTPUT).collect::<String>()) }
                    }
                }
            }
        }
        @if total > failed.len() { p.faint { "And " (number(total - failed.len())) " more." } }
    };
    parts::panel("failed-tests", "Failed tests", &body)
}

fn table(access: &ProjectAccess, suites: &[TestSuite]) -> Markup {
    let row = |suite: &TestSuite| {
        let counts = &suite.counts;
        let job = suite.build_ids.first().map(|id| at(access, format_args!("/-/jobs/{id}")));
        vec![
            html! { @if let Some(job) = job { a.plain href=(job) { (suite.name) } } @else { (suite.name) } },
            html! { (number(counts.total_count)) },
            html! { (number(counts.failed_count + counts.error_count)) },
            html! { (number(counts.skipped_count)) },
            html! { (format::clock(counts.total_time)) },
        ]
    };
    let rows: Vec<Vec<Markup>> = suites.iter().map(row).collect();
    let columns = ["Suite", "Tests", "Failed", "Skipped", "Time"];
    parts::panel_rows("suites", "Suites", &parts::table("Suites of tests", &columns, &[1, 2, 3, 4], &rows))
}

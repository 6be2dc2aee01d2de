//! From a push to jobs that have ended: order, needs, rules, artifacts, retries, limits.

use serde_json::{Value, json};
use testkit::{TestApp, for_each_database, git};

use crate::support::{api, configured, job, job_reaches, jobs, pipeline, reaches};

const PROJECT: &str = "mill/pond";

/// Waits until a pipeline has ended or waits for somebody, for longer than a state usually takes.
pub(crate) async fn settles(t: &TestApp, client: &testkit::Client, made: &Value) -> Value {
    let over = ["success", "failed", "canceled", "skipped", "manual"];
    for _ in 0..4 {
        let now = pipeline(client, PROJECT, made).await;
        if over.contains(&now["status"].as_str().unwrap()) {
            return now;
        }
        tokio::time::timeout(std::time::Duration::from_secs(15), async {
            loop {
                let now = pipeline(client, PROJECT, made).await;
                if over.contains(&now["status"].as_str().unwrap()) {
                    return;
                }
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        })
        .await
        .ok();
    }
    let all = jobs(client, PROJECT, made).await;
    let states: Vec<String> = all.iter().map(|j| format!("{} {}", j["name"], j["status"])).collect();
    panic!("the pipeline did not end in {}: {states:?}", t.url)
}

async fn states(client: &testkit::Client, made: &Value) -> Vec<(String, String)> {
    let path = format!("{}/pipelines/{}/jobs?include_retried=true&per_page=100", api(PROJECT), made["id"]);
    let all = client.get(path).await.expect(200).json();
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let mut found: Vec<_> = all.as_array().unwrap().iter().map(|j| (text(&j["name"]), text(&j["status"]))).collect();
    found.sort();
    found
}

fn expected(list: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut all: Vec<_> = list.iter().map(|(n, s)| ((*n).to_owned(), (*s).to_owned())).collect();
    all.sort();
    all
}

const EVERYTHING: &str = "stages: [build, test, deploy]
default: {before_script: ['set -u']}
build:
  stage: build
  script: ['mkdir out', 'echo \"built $CI_COMMIT_SHORT_SHA\" > out/a.txt']
  artifacts: {paths: [out/]}
takes:
  stage: test
  script: ['grep built out/a.txt', 'test \"$CI_PIPELINE_SOURCE\" = push']
leaves:
  stage: test
  dependencies: []
  script: ['test ! -e out']
early:
  stage: deploy
  needs: []
  script: ['test ! -e out', 'echo early']
after_need:
  stage: deploy
  needs: [{job: build, artifacts: true}]
  script: ['test -s out/a.txt']
flaky:
  stage: test
  retry: 1
  allow_failure: true
  script: ['exit 3']
coded:
  stage: test
  allow_failure: {exit_codes: [42]}
  script: ['exit 42']
never:
  stage: test
  rules: [{if: '$CI_COMMIT_BRANCH == \"other\"'}]
  script: ['true']
mended:
  stage: deploy
  when: on_failure
  script: ['true']
always:
  stage: deploy
  when: always
  script: ['true']
hand:
  stage: deploy
  when: manual
  script: ['echo \"for $WORD\"']
later:
  stage: deploy
  when: delayed
  start_in: 1 second
  script: ['true']
";

#[tokio::test]
async fn a_push_by_git_runs_everything_in_order() {
    for_each_database(async |t| {
        let w = t.world().await;
        let mats = w.mats.client(&t);
        let tree = t.scratch().join("tree");
        std::fs::create_dir_all(&tree).unwrap();
        std::fs::write(tree.join(".gitlab-ci.yml"), EVERYTHING).unwrap();
        git(&tree, &["init", "-q"]).await.expect_ok();
        git(&tree, &["add", "-A"]).await.expect_ok();
        git(&tree, &["commit", "-q", "-m", "Begin"]).await.expect_ok();
        git(&tree, &["push", "-q", &t.remote(&w.mats, PROJECT), "main"]).await.expect_ok();
        let list = format!("{}/pipelines", api(PROJECT));
        let made = t.eventually("the pipeline", async || mats.get(&list).await.json().get(0).cloned()).await;
        let ended = settles(&t, &mats, &made).await;
        let want = expected(&[
            ("build", "success"),
            ("takes", "success"),
            ("leaves", "success"),
            ("early", "success"),
            ("after_need", "success"),
            ("flaky", "failed"),
            ("flaky", "failed"),
            ("coded", "failed"),
            ("mended", "skipped"),
            ("always", "success"),
            ("hand", "manual"),
            ("later", "success"),
        ]);
        assert_eq!(states(&mats, &made).await, want);
        assert_eq!(ended["status"], "success");
        // Nothing of a later stage began before all of an earlier one had ended.
        let build = job(&mats, PROJECT, &made, "build").await;
        let takes = job(&mats, PROJECT, &made, "takes").await;
        assert!(build["finished_at"].as_str() <= takes["started_at"].as_str());
        let hand = job(&mats, PROJECT, &made, "hand").await;
        let browser = w.mats.browser(&t).await;
        let play = format!("/{PROJECT}/-/jobs/{}/play", hand["id"]);
        let answer = browser.form(play, &[("variables", "WORD=harvest")]).await.expect(303);
        assert!(answer.header("location").ends_with(&format!("/-/jobs/{}", hand["id"])));
        job_reaches(&t, &mats, PROJECT, &hand, "success").await;
        let log = mats.get(format!("/{PROJECT}/-/jobs/{}/raw", hand["id"])).await.expect(200).text();
        assert!(log.contains("for harvest"), "{log}");
    })
    .await;
}

#[tokio::test]
async fn failures_hold_up_what_follows_and_a_retry_goes_on() {
    for_each_database(async |t| {
        let w = t.world().await;
        let mats = w.mats.client(&t);
        let yaml = "stages: [a, b]
first: {stage: a, script: ['test \"$CI_PIPELINE_SOURCE\" = nothing']}
slow: {stage: a, script: ['sleep 30'], timeout: 2 seconds}
second: {stage: b, script: ['true']}
alarm: {stage: b, script: ['true'], when: on_failure}
needs_it: {stage: b, needs: [first], script: ['true']}
";
        let made = configured(&t, &mats, PROJECT, yaml).await;
        let ended = settles(&t, &mats, &made).await;
        assert_eq!(ended["status"], "failed");
        let want = expected(&[
            ("first", "failed"),
            ("slow", "failed"),
            ("second", "skipped"),
            ("alarm", "success"),
            ("needs_it", "skipped"),
        ]);
        assert_eq!(states(&mats, &made).await, want);
        let slow = job(&mats, PROJECT, &made, "slow").await;
        assert_eq!(slow["failure_reason"], "job_execution_timeout");
        let page = mats.page(format!("/{PROJECT}/-/jobs/{}", slow["id"])).await.expect(200).text();
        assert!(page.contains("ended after its time limit of 2 s"), "the reason in plain words");
        let page = mats.page(format!("/{PROJECT}/-/pipelines/{}", made["id"])).await.expect(200).text();
        assert!(page.contains("What failed") && page.contains("exit code 1"));
        // A retry of the pipeline runs what failed again, and what was skipped gets another turn.
        let browser = w.mats.browser(&t).await;
        browser.form(format!("/{PROJECT}/-/pipelines/{}/retry", made["id"]), &[]).await.expect(303);
        reaches(&t, &mats, PROJECT, &made, "failed").await;
        let again = states(&mats, &made).await;
        assert_eq!(again.iter().filter(|s| s.0 == "first").count(), 2, "{again:?}");
    })
    .await;
}

#[tokio::test]
async fn a_running_job_is_cancelled_with_all_that_it_started() {
    for_each_database(async |t| {
        let w = t.world().await;
        let mats = w.mats.client(&t);
        let yaml = "stages: [a, b]
long: {stage: a, script: ['sleep 300 & echo begun; wait']}
next: {stage: b, script: ['true']}
";
        let made = configured(&t, &mats, PROJECT, yaml).await;
        let long = job(&mats, PROJECT, &made, "long").await;
        let raw = format!("/{PROJECT}/-/jobs/{}/raw", long["id"]);
        t.eventually("its first line", async || mats.get(&raw).await.text().contains("\nbegun").then_some(())).await;
        let browser = w.mats.browser(&t).await;
        browser.form(format!("/{PROJECT}/-/pipelines/{}/cancel", made["id"]), &[]).await.expect(303);
        job_reaches(&t, &mats, PROJECT, &long, "canceled").await;
        reaches(&t, &mats, PROJECT, &made, "canceled").await;
        assert_eq!(states(&mats, &made).await, expected(&[("long", "canceled"), ("next", "canceled")]));
        // The sandbox is free again.
        let made = configured(&t, &mats, PROJECT, "one: {script: 'true'}").await;
        reaches(&t, &mats, PROJECT, &made, "success").await;
    })
    .await;
}

#[tokio::test]
async fn many_jobs_with_needs_are_made_at_once() {
    for_each_database(async |t| {
        let w = t.world().await;
        let mats = w.mats.client(&t);
        let mut yaml =
            "stages: [a, b]\nhold: {stage: a, when: manual, allow_failure: false, script: 'true'}\n".to_owned();
        for n in 0..1000 {
            let needs = if n == 0 { "hold".to_owned() } else { format!("j{}", n / 2) };
            let needs = if n == 1 { "j0".to_owned() } else { needs };
            yaml.push_str(&format!("j{n}: {{stage: b, needs: [{needs}], script: 'true'}}\n"));
        }
        let begun = std::time::Instant::now();
        let made = configured(&t, &mats, PROJECT, &yaml).await;
        println!("a push with 1,001 jobs became a pipeline after {:?} at most", begun.elapsed());
        let page = mats.page(format!("/{PROJECT}/-/pipelines/{}", made["id"])).await.expect(200);
        assert!(page.text().contains("j999"));
        let body = json!({});
        mats.post(format!("{}/pipelines/{}/cancel", api(PROJECT), made["id"]), body).await;
        reaches(&t, &mats, PROJECT, &made, "canceled").await;
    })
    .await;
}

#[tokio::test]
async fn a_failure_ends_the_rest_where_that_is_asked_for() {
    for_each_database(async |t| {
        let w = t.world().await;
        let mats = w.mats.client(&t);
        let yaml = "workflow: {auto_cancel: {on_job_failure: all}}
stages: [a, b]
long: {stage: a, script: ['sleep 60']}
bad: {stage: a, script: ['exit 1']}
next: {stage: b, script: ['true'], when: always}
";
        let made = configured(&t, &mats, PROJECT, yaml).await;
        let ended = settles(&t, &mats, &made).await;
        assert_eq!(
            states(&mats, &made).await,
            expected(&[("long", "canceled"), ("bad", "failed"), ("next", "canceled")])
        );
        assert_eq!(ended["status"], "failed");
    })
    .await;
}

#[tokio::test]
async fn the_latest_artifacts_outlive_their_time() {
    for_each_database(async |t| {
        use kernel::db::Sql;
        let w = t.world().await;
        let mats = w.mats.client(&t);
        let yaml = "make: {script: ['echo $CI_PIPELINE_ID > a'], artifacts: {paths: [a], expire_in: 1 day}}";
        let mut jobs = vec![];
        for n in 0..2 {
            let made = configured(&t, &mats, PROJECT, &format!("{yaml}\n# {n}\n")).await;
            reaches(&t, &mats, PROJECT, &made, "success").await;
            jobs.push(job(&mats, PROJECT, &made, "make").await["id"].clone());
        }
        t.app.db().run("UPDATE build_artifacts SET expires_at = 1", []).await.unwrap();
        t.app.enqueue(&pipelines::artifacts::Expire::default(), kernel::jobs::When::default()).await.unwrap();
        let count = "SELECT COUNT(*) FROM build_artifacts WHERE kind = 'archive'";
        t.eventually("the first is gone", async || {
            (t.app.db().conn().scalar::<i64>(count, []).await.unwrap() == Some(1)).then_some(())
        })
        .await;
        let status =
            async |id: &Value| mats.get(format!("/{PROJECT}/-/jobs/{id}/artifacts/download")).await.status.as_u16();
        assert_eq!((status(&jobs[0]).await, status(&jobs[1]).await), (404, 200));
    })
    .await;
}

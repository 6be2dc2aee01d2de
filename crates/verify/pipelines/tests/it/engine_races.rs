//! Many at once: states stay exact.

use futures_util::future::join_all;
use serde_json::Value;
use testkit::for_each_database;

use crate::engine::settles;
use crate::support::{api, configured, job, job_reaches, jobs, reaches};

const PROJECT: &str = "mill/pond";

#[tokio::test]
async fn retries_at_once_make_one_job() {
    for_each_database(async |t| {
        let w = t.world().await;
        let mats = w.mats.client(&t);
        let made =
            configured(&t, &mats, PROJECT, "bad: {script: 'exit 1'}\nheld: {script: 'true', when: manual}\n").await;
        let bad = job(&mats, PROJECT, &made, "bad").await;
        job_reaches(&t, &mats, PROJECT, &bad, "failed").await;
        let browser = w.mats.browser(&t).await;
        let path = format!("/{PROJECT}/-/jobs/{}/retry", bad["id"]);
        let answers = join_all((0..8).map(|_| browser.form(&path, &[]))).await;
        assert!(answers.iter().all(|a| a.status == 303), "{:?}", answers.iter().map(|a| a.status).collect::<Vec<_>>());
        let all = mats.get(format!("{}/pipelines/{}/jobs?include_retried=true", api(PROJECT), made["id"])).await.json();
        let bad: Vec<&Value> = all.as_array().unwrap().iter().filter(|j| j["name"] == "bad").collect();
        assert_eq!(bad.len(), 2, "one retry of eight counts: {bad:?}");
        let held = job(&mats, PROJECT, &made, "held").await;
        let path = format!("/{PROJECT}/-/jobs/{}/play", held["id"]);
        join_all((0..8).map(|_| browser.form(&path, &[]))).await;
        job_reaches(&t, &mats, PROJECT, &held, "success").await;
        settles(&t, &mats, &made).await;
    })
    .await;
}

#[tokio::test]
async fn cancel_retry_and_finish_at_once_leave_one_truth() {
    for_each_database(async |t| {
        let w = t.world().await;
        let mats = w.mats.client(&t);
        let yaml: String = (0..6).map(|n| format!("j{n}: {{script: 'sleep 0.{n}'}}\n")).collect();
        let made = configured(&t, &mats, PROJECT, &yaml).await;
        let browser = w.mats.browser(&t).await;
        let all = jobs(&mats, PROJECT, &made).await;
        for round in 0..4 {
            let each = all.iter().flat_map(|j| {
                ["cancel", "retry"].map(|verb| browser.form(format!("/{PROJECT}/-/jobs/{}/{verb}", j["id"]), &[]))
            });
            let whole = ["retry", "cancel"]
                .map(|verb| browser.form(format!("/{PROJECT}/-/pipelines/{}/{verb}", made["id"]), &[]));
            let (each, whole) =
                tokio::join!(join_all(each), async { if round % 2 == 0 { join_all(whole).await } else { vec![] } });
            for answer in each.iter().chain(&whole) {
                assert_eq!(answer.status, 303, "{}", answer.text());
            }
        }
        let ended = settles(&t, &mats, &made).await;
        let now = jobs(&mats, PROJECT, &made).await;
        let mut names: Vec<&str> = now.iter().map(|j| j["name"].as_str().unwrap()).collect();
        names.sort_unstable();
        assert_eq!(names, ["j0", "j1", "j2", "j3", "j4", "j5"], "each job has one that counts");
        let good = now.iter().all(|j| j["status"] == "success");
        let any = |state: &str| now.iter().any(|j| j["status"] == state);
        let truth = if any("failed") {
            "failed"
        } else if good {
            "success"
        } else {
            "canceled"
        };
        assert_eq!(ended["status"], truth, "{now:?}");
        assert!(now.iter().all(|j| j["finished_at"].is_string()));
        // All that was cancelled can be run again, to the end.
        browser.form(format!("/{PROJECT}/-/pipelines/{}/retry", made["id"]), &[]).await.expect(303);
        reaches(&t, &mats, PROJECT, &made, "success").await;
    })
    .await;
}

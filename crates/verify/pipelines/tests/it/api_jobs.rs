use futures_util::future::join_all;
use serde_json::{Value, json};
use testkit::for_each_database;

use crate::support::{api, configured, job, job_reaches, jobs, keys, reaches};

const PROJECT: &str = "mill/pond";
const YAML: &str = "stages: [build, deploy]
build: {stage: build, script: echo built, tags: [], coverage: '/\\d+%/'}
flaky: {stage: build, script: exit 3, allow_failure: true}
deploy: {stage: deploy, script: 'echo to $PLACE', when: manual, allow_failure: false}
";

#[tokio::test]
async fn a_job_has_all_fields_of_the_documentation() {
    for_each_database(async |t| {
        let w = t.world().await;
        let mats = w.mats.client(&t);
        let made = configured(&t, &mats, PROJECT, YAML).await;
        reaches(&t, &mats, PROJECT, &made, "manual").await;
        let build = job(&mats, PROJECT, &made, "build").await;
        let expected = [
            "id",
            "status",
            "stage",
            "name",
            "ref",
            "tag",
            "coverage",
            "allow_failure",
            "created_at",
            "started_at",
            "finished_at",
            "erased_at",
            "duration",
            "queued_duration",
            "user",
            "commit",
            "pipeline",
            "web_url",
            "project",
            "artifacts",
            "runner",
            "runner_manager",
            "artifacts_expire_at",
            "archived",
            "tag_list",
        ];
        assert_eq!(keys(&build), expected);
        assert_eq!((&build["user"]["username"], &build["commit"]["id"]), (&json!("mats"), &made["sha"]));
        assert_eq!((&build["runner"]["name"], &build["pipeline"]["id"]), (&json!("embedded"), &made["id"]));
        assert!(build["duration"].is_f64() && build["started_at"].is_string(), "{build}");
        let flaky = job(&mats, PROJECT, &made, "flaky").await;
        assert_eq!((&flaky["status"], &flaky["failure_reason"]), (&json!("failed"), &json!("script_failure")));
        let one = mats.get(format!("{}/jobs/{}", api(PROJECT), flaky["id"])).await.expect(200).json();
        assert_eq!(keys(&one), keys(&flaky));
        let log = mats.get(format!("{}/jobs/{}/trace", api(PROJECT), build["id"])).await.expect(200);
        assert!(log.header("content-type").starts_with("text/plain") && log.text().contains("built"), "{}", log.text());
        assert!(
            mats.get(format!("{}/pipelines/{}/bridges", api(PROJECT), made["id"])).await.expect(200).json()
                == json!([])
        );
        mats.get(format!("{}/jobs/999999", api(PROJECT))).await.expect(404);
        mats.get(format!("{}/jobs/999999/trace", api(PROJECT))).await.expect(404);
        mats.get(format!("{}/jobs/{}", api("mill/wheel"), build["id"])).await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn jobs_are_listed_by_state_and_page() {
    for_each_database(async |t| {
        let w = t.world().await;
        let mats = w.mats.client(&t);
        let made = configured(&t, &mats, PROJECT, YAML).await;
        reaches(&t, &mats, PROJECT, &made, "manual").await;
        let names = async |query: &str| -> Vec<String> {
            let list = mats.get(format!("{}/jobs?{query}", api(PROJECT))).await.expect(200).json();
            list.as_array().unwrap().iter().map(|j| j["name"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(names("").await, ["deploy", "flaky", "build"]);
        assert_eq!(names("scope=manual").await, ["deploy"]);
        assert_eq!(names("scope[]=manual&scope[]=failed").await, ["deploy", "flaky"]);
        assert_eq!(names("scope[]=preparing").await, Vec::<String>::new());
        assert_eq!(names("per_page=1&page=2").await, ["flaky"]);
        let refused = mats.get(format!("{}/jobs?scope[]=good", api(PROJECT))).await.expect(400).json();
        assert_eq!(refused, json!({ "error": "scope does not have a valid value" }));
        let first = mats
            .get(format!("{}/jobs?pagination=keyset&order_by=id&sort=desc&per_page=2", api(PROJECT)))
            .await
            .expect(200);
        let link = first.header("link").to_owned();
        let cursor = link.split("cursor=").nth(1).unwrap().split(['&', '>']).next().unwrap();
        let second =
            mats.get(format!("{}/jobs?pagination=keyset&per_page=2&cursor={cursor}", api(PROJECT))).await.expect(200);
        assert_eq!((second.json()[0]["name"].as_str(), second.header("link")), (Some("build"), ""));
        mats.get(format!("{}/jobs?pagination=keyset&cursor=x", api(PROJECT))).await.expect(400);
        let of_pipeline =
            mats.get(format!("{}/pipelines/{}/jobs?scope[]=success", api(PROJECT), made["id"])).await.expect(200);
        assert_eq!((of_pipeline.json()[0]["name"].as_str(), of_pipeline.header("x-total")), (Some("build"), "1"));
    })
    .await;
}

#[tokio::test]
async fn jobs_are_played_retried_and_erased() {
    for_each_database(async |t| {
        let w = t.world().await;
        let mats = w.mats.client(&t);
        let made = configured(&t, &mats, PROJECT, YAML).await;
        reaches(&t, &mats, PROJECT, &made, "manual").await;
        let deploy = job(&mats, PROJECT, &made, "deploy").await;
        let at = format!("{}/jobs/{}", api(PROJECT), deploy["id"]);
        mats.post(format!("{at}/retry"), json!({})).await.expect(403);
        assert_eq!(
            mats.post(format!("{at}/erase"), json!({})).await.expect(403).json()["message"],
            "403 Forbidden - Job is not erasable!"
        );
        mats.post(format!("{at}/play"), json!({ "job_inputs": { "a": 1 } })).await.expect(400);
        mats.post(format!("{at}/play"), json!({ "job_variables_attributes": [{ "key": "a-b" }] })).await.expect(400);
        let body = json!({ "job_variables_attributes": [{ "key": "PLACE", "value": "the moon" }] });
        mats.post(format!("{at}/play"), body).await.expect(200);
        job_reaches(&t, &mats, PROJECT, &deploy, "success").await;
        assert!(mats.get(format!("{at}/trace")).await.text().contains("to the moon"));
        let unplayable = mats.post(format!("{at}/play"), json!({})).await.expect(400).json();
        assert_eq!(unplayable["message"], "400 Bad request - Unplayable Job");
        mats.post(format!("{at}/cancel"), json!({})).await.expect(201);
        let again = mats.post(format!("{at}/retry"), json!({})).await.expect(201).json();
        assert_ne!(again["id"], deploy["id"]);
        let twice = mats.post(format!("{at}/retry"), json!({})).await.expect(403).json();
        assert_eq!(twice["message"], "403 Forbidden - Job is not retryable");
        let erased = mats.post(format!("{at}/erase"), json!({})).await.expect(201).json();
        assert!(erased["erased_at"].is_string(), "{erased}");
        assert_eq!(mats.get(format!("{at}/trace")).await.expect(200).text(), "");
        // A developer erases their own jobs alone, and doesn't touch those of protected branches.
        let flaky = job(&mats, PROJECT, &made, "flaky").await;
        let dana = w.dana.client(&t);
        dana.post(format!("{}/jobs/{}/erase", api(PROJECT), flaky["id"]), json!({})).await.expect(403);
        dana.post(format!("{}/jobs/{}/retry", api(PROJECT), flaky["id"]), json!({})).await.expect(403);
        w.gus.client(&t).post(format!("{}/jobs/{}/retry", api(PROJECT), flaky["id"]), json!({})).await.expect(403);
    })
    .await;
}

#[tokio::test]
async fn a_running_job_is_cancelled() {
    for_each_database(async |t| {
        let w = t.world().await;
        let mats = w.mats.client(&t);
        let made = configured(&t, &mats, PROJECT, "slow: {script: sleep 60}").await;
        let slow = job(&mats, PROJECT, &made, "slow").await;
        let slow = job_reaches(&t, &mats, PROJECT, &slow, "running").await;
        let at = format!("{}/jobs/{}", api(PROJECT), slow["id"]);
        let asked = mats.post(format!("{at}/cancel"), json!({ "force": false })).await.expect(201).json();
        assert!(matches!(asked["status"].as_str(), Some("canceling" | "canceled")), "{asked}");
        mats.post(format!("{at}/cancel?force=true"), json!({})).await;
        let ended = job_reaches(&t, &mats, PROJECT, &slow, "canceled").await;
        assert!(ended["finished_at"].is_string(), "{ended}");
        reaches(&t, &mats, PROJECT, &made, "canceled").await;
    })
    .await;
}

#[tokio::test]
async fn a_job_is_known_by_its_token() {
    for_each_database(async |t| {
        let w = t.world().await;
        let mats = w.mats.client(&t);
        // The token is masked whole, so the log shows it in two halves.
        let yaml = "say: {script: ['echo \"A=${CI_JOB_TOKEN:0:20}\"', 'echo \"B=${CI_JOB_TOKEN:20}\"', sleep 60]}";
        let made = configured(&t, &mats, PROJECT, yaml).await;
        let say = job(&mats, PROJECT, &made, "say").await;
        let trace = format!("{}/jobs/{}/trace", api(PROJECT), say["id"]);
        let token = t.eventually("the token", async || {
            let text = mats.get(&trace).await.text();
            let part = |name: &str| text.lines().find_map(|l| l.trim().strip_prefix(name).map(str::to_owned));
            Some(part("A=")? + &part("B=")?)
        });
        let token = token.await;
        let with = |path: &str| t.anonymous().request(http::Method::GET, path).header("job-token", &token);
        let own = t.anonymous().send(with("/api/v4/job")).await.expect(200).json();
        assert_eq!(own["id"], say["id"]);
        t.anonymous().send(with(&format!("{}/jobs", api(PROJECT)))).await.expect(200);
        t.anonymous().send(with(&format!("{}/variables", api(PROJECT)))).await.expect(401);
        let write = t.anonymous().request(http::Method::POST, format!("{}/jobs/{}/cancel", api(PROJECT), say["id"]));
        t.anonymous().send(write.header("job-token", &token)).await.expect(401);
        mats.get("/api/v4/job").await.expect(404);
        t.anonymous().get("/api/v4/job").await.expect(401);
        mats.post(format!("{}/jobs/{}/cancel", api(PROJECT), say["id"]), json!({})).await.expect(201);
        job_reaches(&t, &mats, PROJECT, &say, "canceled").await;
        t.anonymous().send(with("/api/v4/job")).await.expect(401);
    })
    .await;
}

#[tokio::test]
async fn of_many_who_retry_at_once_one_does() {
    for_each_database(async |t| {
        let w = t.world().await;
        let mats = w.mats.client(&t);
        let made = configured(&t, &mats, PROJECT, "bad: {script: exit 1}").await;
        reaches(&t, &mats, PROJECT, &made, "failed").await;
        let bad = job(&mats, PROJECT, &made, "bad").await;
        let retry = format!("{}/jobs/{}/retry", api(PROJECT), bad["id"]);
        let answers = join_all((0..8).map(|_| mats.post(&retry, json!({})))).await;
        let statuses: Vec<u16> = answers.iter().map(|a| a.status.as_u16()).collect();
        assert_eq!(statuses.iter().filter(|s| **s == 201).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|s| matches!(s, 201 | 403)), "{statuses:?}");
        assert_eq!(jobs(&mats, PROJECT, &made).await.len(), 1);
        let all: Value =
            mats.get(format!("{}/pipelines/{}/jobs?include_retried=1", api(PROJECT), made["id"])).await.json();
        assert_eq!(all.as_array().unwrap().len(), 2);
    })
    .await;
}

use serde_json::{Value, json};
use testkit::for_each_database;

use crate::support::{api, commit, configured, job, jobs, keys, pipeline, reaches};

const PROJECT: &str = "mill/pond";
const WAITING: &str = "stages: [build, deploy]\nbuild: {stage: build, script: echo hi, when: manual}\n";

#[tokio::test]
async fn a_pipeline_has_all_fields_of_the_documentation() {
    for_each_database(async |t| {
        let (w, yaml) = (t.world().await, "workflow: {name: 'Of $CI_COMMIT_BRANCH'}\nbuild: {script: echo hi}\n");
        let mats = w.mats.client(&t);
        let made = configured(&t, &mats, PROJECT, yaml).await;
        let done = reaches(&t, &mats, PROJECT, &made, "success").await;
        let expected = [
            "id",
            "iid",
            "project_id",
            "sha",
            "ref",
            "status",
            "source",
            "created_at",
            "updated_at",
            "web_url",
            "before_sha",
            "tag",
            "yaml_errors",
            "user",
            "started_at",
            "finished_at",
            "committed_at",
            "duration",
            "queued_duration",
            "coverage",
            "detailed_status",
            "archived",
            "name",
        ];
        assert_eq!(keys(&done), expected);
        assert_eq!(
            (&done["iid"], &done["source"], &done["ref"], &done["tag"]),
            (&json!(1), &json!("push"), &json!("main"), &json!(false))
        );
        assert_eq!(done["name"], "Of main");
        assert_eq!(done["user"]["username"], "mats");
        assert_eq!(
            done["web_url"],
            format!("{}/mill/pond/-/pipelines/{}", t.app.config().url.as_str().trim_end_matches('/'), done["id"])
        );
        let detailed = &done["detailed_status"];
        assert_eq!(
            (&detailed["icon"], &detailed["text"], &detailed["group"]),
            (&json!("status_success"), &json!("Passed"), &json!("success"))
        );
        assert_eq!(detailed["details_path"], format!("/mill/pond/-/pipelines/{}", done["id"]));
        let listed = mats.get(format!("{}/pipelines", api(PROJECT))).await.expect(200).json();
        assert_eq!(
            keys(&listed[0]),
            [
                "id",
                "iid",
                "project_id",
                "sha",
                "ref",
                "status",
                "source",
                "created_at",
                "updated_at",
                "web_url",
                "name"
            ]
        );
        let shown = mats
            .get(format!("{}/repository/commits/{}", api(PROJECT), done["sha"].as_str().unwrap()))
            .await
            .expect(200)
            .json();
        assert_eq!((&shown["status"], &shown["last_pipeline"]["id"]), (&json!("success"), &done["id"]));
    })
    .await;
}

#[tokio::test]
async fn pipelines_are_found_by_what_they_are() {
    for_each_database(async |t| {
        let w = t.world().await;
        let mats = w.mats.client(&t);
        let first = configured(&t, &mats, PROJECT, WAITING).await;
        let body = json!({ "branch": "side/way", "start_branch": "main", "commit_message": "x", "actions": [
            { "action": "update", "file_path": ".gitlab-ci.yml", "content": "build: {script: x, stage: nowhere}" }] });
        mats.post(format!("{}/repository/commits", api(PROJECT)), body).await.expect(201);
        let second = t.eventually("the refused pipeline", async || {
            mats.get(format!("{}/pipelines?yaml_errors=true", api(PROJECT))).await.expect(200).json().get(0).cloned()
        });
        let second = pipeline(&mats, PROJECT, &second.await).await;
        assert_eq!(second["status"], "failed");
        assert!(second["yaml_errors"].as_str().unwrap().contains("stage"), "{second}");
        let ids = async |query: &str| -> Vec<i64> {
            let list = mats.get(format!("{}/pipelines?{query}", api(PROJECT))).await.expect(200).json();
            list.as_array().unwrap().iter().map(|p| p["id"].as_i64().unwrap()).collect()
        };
        let (a, b) = (first["id"].as_i64().unwrap(), second["id"].as_i64().unwrap());
        for (query, expected) in [
            ("", vec![b, a]),
            ("sort=asc", vec![a, b]),
            ("order_by=ref&sort=asc", vec![a, b]),
            ("order_by=status", vec![a, b]),
            ("order_by=updated_at&sort=asc", vec![a, b]),
            ("order_by=user_id", vec![b, a]),
            ("ref=side%2Fway", vec![b]),
            ("ref=nowhere", vec![]),
            ("status=failed", vec![b]),
            ("status=waiting_for_resource", vec![]),
            ("scope=finished", vec![b]),
            ("scope=running", vec![]),
            ("scope=branches", vec![b, a]),
            ("scope=tags", vec![]),
            ("yaml_errors=false", vec![a]),
            ("username=Mats", vec![b, a]),
            ("username=gus", vec![]),
            ("source=push", vec![b, a]),
            ("source=api", vec![]),
            ("created_after=2020-01-01T00:00:00Z", vec![b, a]),
            ("updated_before=2020-01-01", vec![]),
            ("name=none", vec![]),
            ("per_page=1&page=2", vec![a]),
        ] {
            assert_eq!(ids(query).await, expected, "{query}");
        }
        let by_sha = format!("sha={}", first["sha"].as_str().unwrap());
        assert_eq!(ids(&by_sha).await, [a]);
        let answer = mats.get(format!("{}/pipelines?per_page=1", api(PROJECT))).await.expect(200);
        assert_eq!((answer.header("x-total"), answer.header("x-next-page")), ("2", "2"));
        for wrong in [
            "status=good",
            "scope=all",
            "order_by=name",
            "sort=up",
            "yaml_errors=maybe",
            "updated_after=soon",
            "page=0",
        ] {
            let refused = mats.get(format!("{}/pipelines?{wrong}", api(PROJECT))).await.expect(400).json();
            assert!(refused["error"].as_str().unwrap().starts_with(wrong.split('=').next().unwrap()), "{refused}");
        }
        let latest = mats.get(format!("{}/pipelines/latest?ref=side%2Fway", api(PROJECT))).await.expect(200).json();
        assert_eq!(latest["id"], second["id"]);
        assert_eq!(mats.get(format!("{}/pipelines/latest", api(PROJECT))).await.expect(200).json()["id"], first["id"]);
        mats.get(format!("{}/pipelines/latest?ref=nowhere", api(PROJECT))).await.expect(403);
        commit(&mats, PROJECT, "main", &[("note", "[skip ci]"), (".gitlab-ci.yml", "# none")]).await;
        mats.get(format!("{}/pipelines/999999", api(PROJECT))).await.expect(404);
        mats.get(format!("{}/pipelines/none", api(PROJECT))).await.expect(400);
    })
    .await;
}

#[tokio::test]
async fn pipelines_are_run_with_variables() {
    for_each_database(async |t| {
        let w = t.world().await;
        let mats = w.mats.client(&t);
        let yaml =
            "build: {script: 'echo \"got $WORD\" && cat \"$LETTER\"', rules: [{if: $CI_PIPELINE_SOURCE == \"api\"}]}";
        commit(&mats, PROJECT, "main", &[(".gitlab-ci.yml", yaml)]).await;
        let run = format!("{}/pipeline", api(PROJECT));
        let variables =
            json!([{ "key": "WORD", "value": "plum" }, { "key": "LETTER", "value": "dear", "variable_type": "file" }]);
        let made = mats.post(&run, json!({ "ref": "main", "variables": variables })).await.expect(201).json();
        assert_eq!((&made["source"], &made["before_sha"]), (&json!("api"), &json!("0".repeat(40))));
        assert!(made.get("name").is_none(), "{made}");
        reaches(&t, &mats, PROJECT, &made, "success").await;
        let build = job(&mats, PROJECT, &made, "build").await;
        let log = mats.get(format!("{}/jobs/{}/trace", api(PROJECT), build["id"])).await.expect(200);
        assert!(log.text().contains("got plum") && log.text().contains("dear"), "{}", log.text());
        let told = mats.get(format!("{}/pipelines/{}/variables", api(PROJECT), made["id"])).await.expect(200).json();
        let expected = json!([
            { "variable_type": "env_var", "key": "WORD", "value": "plum", "raw": false },
            { "variable_type": "file", "key": "LETTER", "value": "dear", "raw": false }]);
        assert_eq!(told, expected);
        w.dana.client(&t).get(format!("{}/pipelines/{}/variables", api(PROJECT), made["id"])).await.expect(403);
        let form = [("ref", "refs/heads/main"), ("variables[][key]", "WORD"), ("variables[][value]", "pear")];
        mats.form(&run, &form).await.expect(201);
        let base = |answer: &Value| answer["message"]["base"][0].as_str().unwrap_or_default().to_owned();
        for (body, why) in [
            (json!({ "ref": "nowhere" }), "Reference not found"),
            (json!({ "ref": "" }), "Reference not found"),
            (json!({ "ref": "a..b" }), "Reference not found"),
            (json!({ "ref": "main", "inputs": { "a": 1 } }), "inputs are not supported"),
        ] {
            let refused = mats.post(&run, body).await.expect(400).json();
            assert!(base(&refused).contains(why), "{refused}");
        }
        assert_eq!(mats.post(&run, json!({})).await.expect(400).json(), json!({ "error": "ref is missing" }));
        mats.post(&run, json!({ "ref": "main", "variables": [{ "key": "A B", "value": "" }] })).await.expect(400);
        mats.post(&run, json!({ "ref": "main", "variables": [{ "value": "x" }] })).await.expect(400);
        // `main` is protected: a developer may neither push nor merge there.
        let refused = w.dana.client(&t).post(&run, json!({ "ref": "main" })).await.expect(400).json();
        assert!(base(&refused).contains("permission"), "{refused}");
        w.rita.client(&t).post(&run, json!({ "ref": "main" })).await.expect(403);
        t.anonymous().post(&run, json!({ "ref": "main" })).await.expect(401);
    })
    .await;
}

#[tokio::test]
async fn a_refused_configuration_is_told_and_makes_no_pipeline() {
    for_each_database(async |t| {
        let w = t.world().await;
        let mats = w.mats.client(&t);
        let run = format!("{}/pipeline", api(PROJECT));
        commit(&mats, PROJECT, "main", &[("README.md", "x")]).await;
        let refused = mats.post(&run, json!({ "ref": "main" })).await.expect(400).json();
        assert_eq!(refused["message"]["base"][0], "Missing CI config file");
        commit(
            &mats,
            PROJECT,
            "main",
            &[(".gitlab-ci.yml", "a: {script: x}\nb: {stage: lost, script: x}\n# [skip ci]")],
        )
        .await;
        t.eventually("the push's pipeline", async || {
            mats.get(format!("{}/pipelines", api(PROJECT))).await.json().get(0).cloned()
        })
        .await;
        let refused = mats.post(&run, json!({ "ref": "main" })).await.expect(400).json();
        assert!(refused["message"]["base"][0].as_str().unwrap().contains("stage"), "{refused}");
        let all = mats.get(format!("{}/pipelines", api(PROJECT))).await.expect(200).json();
        assert_eq!(all.as_array().unwrap().len(), 1, "only the push left a pipeline");
        commit(&mats, PROJECT, "main", &[(".gitlab-ci.yml", "a: {script: x, rules: [{if: '$NEVER'}]}")]).await;
        let refused = mats.post(&run, json!({ "ref": "main" })).await.expect(400).json();
        assert!(refused["message"]["base"][0].as_str().unwrap().contains("rules"), "{refused}");
    })
    .await;
}

#[tokio::test]
async fn pipelines_are_cancelled_retried_named_and_deleted() {
    for_each_database(async |t| {
        let w = t.world().await;
        let mats = w.mats.client(&t);
        let yaml = "stages: [a, b]\none: {stage: a, script: sleep 60}\ntwo: {stage: b, script: echo 2}\n";
        let made = configured(&t, &mats, PROJECT, yaml).await;
        let at = format!("{}/pipelines/{}", api(PROJECT), made["id"]);
        mats.post(format!("{at}/cancel"), json!({})).await.expect(200);
        let ended = reaches(&t, &mats, PROJECT, &made, "canceled").await;
        assert!(ended["duration"].is_null() || ended["duration"].is_i64(), "{ended}");
        mats.post(format!("{at}/cancel"), json!({})).await.expect(200);
        let again = mats.post(format!("{at}/retry"), json!({})).await.expect(201).json();
        assert_ne!(again["status"], "canceled");
        let newest = jobs(&mats, PROJECT, &made).await;
        assert_eq!(newest.len(), 2);
        let all = mats.get(format!("{at}/jobs?include_retried=true")).await.expect(200).json();
        assert!(all.as_array().unwrap().len() > 2, "{all}");
        mats.post(format!("{at}/cancel"), json!({})).await.expect(200);
        let named = mats.put(format!("{at}/metadata"), json!({ "name": "Nightly" })).await.expect(200).json();
        assert_eq!(named["name"], "Nightly");
        assert_eq!(
            mats.put(format!("{at}/metadata"), json!({})).await.expect(400).json(),
            json!({ "error": "name is missing" })
        );
        mats.put(format!("{at}/metadata"), json!({ "name": "x".repeat(256) })).await.expect(400);
        w.rita.client(&t).post(format!("{at}/retry"), json!({})).await.expect(403);
        w.dana.client(&t).post(format!("{at}/retry"), json!({})).await.expect(403);
        t.anonymous().post(format!("{at}/cancel"), json!({})).await.expect(401);
        mats.delete(&at).await.expect(403);
        w.olive.client(&t).delete(&at).await.expect(204);
        mats.get(&at).await.expect(404);
        mats.get(format!("{}/jobs/{}", api(PROJECT), newest[0]["id"])).await.expect(404);
        mats.post(format!("{at}/retry"), json!({})).await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn reports_of_tests_are_counted() {
    for_each_database(async |t| {
        let w = t.world().await;
        let mats = w.mats.client(&t);
        let report = "<testsuite><testcase name='a' time='1.5'/><testcase name='b'><failure>no &lt;good&gt;</failure></testcase></testsuite>";
        let yaml = "unit: {script: ['true'], artifacts: {reports: {junit: report.xml}}}\nbad: {script: ['true'], artifacts: {reports: {junit: bad.xml}}}\n";
        let files = [("report.xml", report), ("bad.xml", "<a></b>"), (".gitlab-ci.yml", yaml)];
        let sha = commit(&mats, PROJECT, "main", &files).await;
        let list = format!("{}/pipelines?sha={sha}&status=success", api(PROJECT));
        let made = t.eventually("the pipeline", async || mats.get(&list).await.json().get(0).cloned()).await;
        let at = format!("{}/pipelines/{}", api(PROJECT), made["id"]);
        let full = mats.get(format!("{at}/test_report")).await.expect(200).json();
        assert_eq!((&full["total_count"], &full["failed_count"], &full["total_time"]), (&json!(2), &json!(1), &json!(1.5)));
        let suite = full["test_suites"].as_array().unwrap().iter().find(|s| s["name"] == "unit").unwrap();
        assert_eq!(suite["test_cases"][1]["system_output"], "no <good>");
        let wrong = full["test_suites"].as_array().unwrap().iter().find(|s| s["name"] == "bad").unwrap();
        assert!(wrong["suite_error"].as_str().unwrap().contains("XML"), "{wrong}");
        let brief = mats.get(format!("{at}/test_report_summary")).await.expect(200).json();
        assert_eq!((&brief["total"]["count"], &brief["total"]["success"]), (&json!(2), &json!(1)));
        assert_eq!(keys(&brief["total"]), ["time", "count", "success", "failed", "skipped", "error", "suite_error"]);
    })
    .await;
}

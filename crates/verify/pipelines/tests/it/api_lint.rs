use serde_json::{Value, json};
use testkit::for_each_database;

use crate::support::{api, commit, keys};

const PROJECT: &str = "mill/pond";

#[tokio::test]
async fn configurations_are_checked() {
    for_each_database(async |t| {
        let w = t.world().await;
        let mats = w.mats.client(&t);
        let lint = format!("{}/ci/lint", api(PROJECT));
        mats.get(&lint).await.expect(404);
        let good =
            json!({ "content": "a: {script: echo, tags: [x]}\nb: {script: echo, needs: [a]}", "include_jobs": true });
        let answer = mats.post(&lint, good).await.expect(200).json();
        assert_eq!(keys(&answer), ["valid", "errors", "warnings", "merged_yaml", "includes", "jobs"]);
        assert_eq!((&answer["valid"], &answer["errors"]), (&json!(true), &json!([])));
        assert_eq!((&answer["jobs"][0]["name"], &answer["jobs"][0]["tag_list"]), (&json!("a"), &json!(["x"])));
        let bad = mats.post(&lint, json!({ "content": "a: {stage: lost, script: x}" })).await.expect(200).json();
        assert_eq!(bad["valid"], false);
        assert!(bad["errors"][0].as_str().unwrap().contains("stage") && bad.get("jobs").is_none(), "{bad}");
        assert_eq!(mats.post(&lint, json!({})).await.expect(400).json(), json!({ "error": "content is missing" }));
        for odd in ["", "\u{0}", "- 1", "a: &a [*a]", "{{{", &"[".repeat(5000)] {
            let answer = mats.post(&lint, json!({ "content": odd })).await;
            assert!(matches!(answer.status.as_u16(), 200 | 400), "{odd:?}: {}", answer.text());
            assert_ne!(answer.json()["valid"], json!(true), "{odd:?}");
        }
        let files = [
            ("more.yml", "b: {script: echo b}"),
            (
                ".gitlab-ci.yml",
                "include: more.yml\na: {script: echo a, rules: [{if: '$CI_COMMIT_BRANCH == \"side\"'}]}",
            ),
        ];
        commit(&mats, PROJECT, "main", &files).await;
        let stored = mats.get(format!("{lint}?include_jobs=true")).await.expect(200).json();
        assert_eq!((&stored["valid"], &stored["includes"][0]["location"]), (&json!(true), &json!("more.yml")));
        assert!(stored["merged_yaml"].as_str().unwrap().contains("echo b"), "{stored}");
        let names =
            |answer: &Value| answer["jobs"].as_array().unwrap().iter().map(|j| j["name"].clone()).collect::<Vec<_>>();
        assert_eq!(names(&stored).len(), 2);
        let run = mats.get(format!("{lint}?include_jobs=true&dry_run=true")).await.expect(200).json();
        assert_eq!(names(&run), [json!("b")]);
        let nowhere = mats.get(format!("{lint}?dry_run=true&dry_run_ref=nowhere")).await.expect(200).json();
        assert_eq!(nowhere["errors"], json!(["Reference not found"]));
        mats.get(format!("{lint}?content_ref=nowhere")).await.expect(404);
        mats.get(format!("{lint}?content_ref=a..b")).await.expect(404);
        w.rita.client(&t).post(&lint, json!({ "content": "a: {script: x}" })).await.expect(403);
        w.rita.client(&t).get(&lint).await.expect(200);
        w.sam.client(&t).get(format!("{}/ci/lint", api("mill/wheel"))).await.expect(404);
        // Rules could tell a protected variable's value to those who may not run pipelines there.
        let refused = w
            .dana
            .client(&t)
            .post(&lint, json!({ "content": "a: {script: x}", "dry_run": true }))
            .await
            .expect(200)
            .json();
        assert!(refused["errors"][0].as_str().unwrap().contains("permission"), "{refused}");
    })
    .await;
}

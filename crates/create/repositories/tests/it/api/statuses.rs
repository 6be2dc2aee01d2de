use serde_json::{Value, json};
use testkit::for_each_database;

use super::support::{Bench, texts};

#[tokio::test]
async fn other_programs_set_statuses() {
    for_each_database(async |t| {
        let b = Bench::seeded(&t).await;
        let dana = b.world.dana.client(&t);
        let sha = b.olive.get(b.repo("commits/main")).await.json()["id"].as_str().unwrap().to_owned();
        let path = format!("{}/statuses/{sha}", b.wheel);
        let body = json!({ "state": "running", "context": "ci/lint", "target_url": "https://ci.example.com/1" });
        let set = dana.post(&path, body).await.expect(201).json();
        assert_eq!((&set["status"], &set["name"], &set["ref"]), (&json!("running"), &json!("ci/lint"), &json!("main")));
        assert_eq!(
            (&set["sha"], &set["finished_at"], &set["author"]["username"]),
            (&json!(sha), &Value::Null, &json!("dana"))
        );
        let done = dana
            .post(&path, json!({ "state": "success", "name": "ci/lint", "coverage": "81.5" }))
            .await
            .expect(201)
            .json();
        assert_eq!(
            (&done["id"], &done["coverage"], &done["target_url"]),
            (&set["id"], &json!(81.5), &set["target_url"])
        );
        assert!(done["finished_at"].is_string());
        dana.post(&path, json!({ "state": "failed" })).await.expect(201);
        let list = dana.get(b.repo("commits/main/statuses?sort=desc")).await.expect(200).json();
        assert_eq!(texts(&list, "name"), ["default", "ci/lint"]);
        let one = dana.get(b.repo("commits/main/statuses?name=ci/lint&ref=main")).await.expect(200).json();
        assert_eq!(texts(&one, "status"), ["success"]);
        let commit = dana.get(b.repo("commits/main")).await.json();
        assert_eq!((&commit["status"], &commit["last_pipeline"]), (&json!("failed"), &Value::Null));
    })
    .await;
}

#[tokio::test]
async fn statuses_are_checked() {
    for_each_database(async |t| {
        let b = Bench::seeded(&t).await;
        let sha = b.olive.get(b.repo("commits/main")).await.json()["id"].as_str().unwrap().to_owned();
        let path = format!("{}/statuses/{sha}", b.wheel);
        assert_eq!(b.olive.post(&path, json!({})).await.expect(400).json()["error"], "state is missing");
        let wrong = b.olive.post(&path, json!({ "state": "great" })).await.expect(400).json();
        assert_eq!(wrong["error"], "state does not have a valid value");
        for (field, value) in [
            ("target_url", "javascript:alert(1)".to_owned()),
            ("name", "n".repeat(256)),
            ("description", "d".repeat(256)),
        ] {
            let mut body = json!({ "state": "success" });
            body[field] = json!(value);
            let refused = b.olive.post(&path, body).await.expect(400).json();
            assert!(refused["message"][field][0].is_string(), "{refused}");
        }
        for bad in ["main", "1111111111111111111111111111111111111111", "-x"] {
            b.olive.post(format!("{}/statuses/{bad}", b.wheel), json!({ "state": "success" })).await.expect(404);
        }
        b.world.rita.client(&t).post(&path, json!({ "state": "success" })).await.expect(403);
        b.world.sam.client(&t).post(&path, json!({ "state": "success" })).await.expect(404);
    })
    .await;
}

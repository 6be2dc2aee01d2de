use serde_json::{Value, json};
use testkit::for_each_database;

use super::support::Bench;

#[tokio::test]
async fn people_talk_about_commits() {
    for_each_database(async |t| {
        let b = Bench::seeded(&t).await;
        let rita = b.world.rita.client(&t);
        let path = b.repo("commits/main/comments");
        let made = rita.post(&path, json!({ "note": "Nice" })).await.expect(201).json();
        assert_eq!(
            (&made["note"], &made["line"], &made["author"]["username"]),
            (&json!("Nice"), &Value::Null, &json!("rita"))
        );
        let placed = json!({ "note": "Here", "path": "README.md", "line": 1, "line_type": "new" });
        let made = rita.post(&path, placed).await.expect(201).json();
        assert_eq!((&made["path"], &made["line"], &made["line_type"]), (&json!("README.md"), &json!(1), &json!("new")));
        let list = rita.get(&path).await.expect(200);
        assert_eq!((list.header("x-total"), list.json()[1]["note"].as_str()), ("2", Some("Here")));
        for (body, error) in [
            (json!({}), "note is missing"),
            (json!({ "note": " " }), "note is empty"),
            (json!({ "note": "x", "path": "README.md" }), "line is missing"),
            (json!({ "note": "x", "path": "README.md", "line": 1 }), "line_type is missing"),
            (
                json!({ "note": "x", "path": "README.md", "line": 1, "line_type": "side" }),
                "line_type does not have a valid value",
            ),
        ] {
            assert_eq!(rita.post(&path, body).await.expect(400).json()["error"], error);
        }
        rita.post(b.repo("commits/nope/comments"), json!({ "note": "x" })).await.expect(404);
        b.world.gus.client(&t).post(&path, json!({ "note": "x" })).await.expect(403);
        let events = rita.get(format!("{}/events?action=commented", b.wheel)).await.expect(200).json();
        assert_eq!(events.as_array().unwrap().len(), 2, "{events}");
    })
    .await;
}

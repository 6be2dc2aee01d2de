//! The events API and what of it others may see.

use projects::activity::{Target, record};
use serde_json::json;
use testkit::for_each_database;

use crate::column;

#[tokio::test]
async fn events_of_people_and_projects() {
    for_each_database(async |t| {
        let world = t.world().await;
        let conn = t.app.db().conn();
        let push = Target { data: json!({ "push_data": { "ref": "main", "action": "pushed", "ref_type": "branch", "commit_count": 2, "commit_title": "Secret plan" } }), ..Target::default() };
        record(conn, Some(world.wheel.id), world.dana.id, "pushed to", Some(&Target { kind: String::new(), ..push.clone() })).await.unwrap();
        record(conn, Some(world.pond.id), world.dana.id, "pushed to", Some(&push)).await.unwrap();
        let issue = Target { kind: "Issue".into(), id: 5, iid: Some(1), title: Some("Leak".into()), ..Target::default() };
        record(conn, Some(world.race.id), world.dana.id, "opened", Some(&issue)).await.unwrap();
        let dana = world.dana.client(&t);
        let own = dana.get("/api/v4/events").await.expect(200).json();
        assert_eq!(column(&own, "action_name"), ["opened", "pushed to", "pushed to"]);
        assert_eq!(own[1]["push_data"]["commit_title"], "Secret plan");
        assert_eq!(column(&dana.get("/api/v4/events?sort=asc&action=pushed").await.json(), "action_name").len(), 2);
        assert_eq!(column(&dana.get("/api/v4/events?target_type=issue").await.json(), "target_title"), ["Leak"]);
        assert!(column(&dana.get("/api/v4/events?before=2001-01-01").await.json(), "action_name").is_empty());
        assert!(column(&dana.get("/api/v4/events?after=2199-01-01").await.json(), "action_name").is_empty());
        let path = format!("/api/v4/users/{}/events", world.dana.id);
        assert_eq!(column(&world.sam.client(&t).get(&path).await.json(), "action_name"), ["opened", "pushed to"]);
        assert_eq!(column(&t.anonymous().get(&path).await.json(), "action_name"), ["pushed to"]);
        // A guest of a private project doesn't read its code, and so not what is pushed.
        let wheel = "/api/v4/projects/mill%2Fwheel/events";
        assert!(column(&world.gus.client(&t).get(wheel).await.expect(200).json(), "action_name").is_empty());
        assert_eq!(column(&world.rita.client(&t).get(wheel).await.json(), "action_name"), ["pushed to"]);
    })
    .await;
}

use http::Method;
use serde_json::{Value, json};
use testkit::{Answer, Client, for_each_database};

use super::support::{Bench, texts};

async fn patch(client: &Client, path: String, body: Value) -> Answer {
    client.send(client.request(Method::PATCH, path).json(&body)).await
}

#[tokio::test]
async fn branches_are_protected() {
    for_each_database(async |t| {
        let b = Bench::seeded(&t).await;
        let mats = b.world.mats.client(&t);
        let rules = format!("{}/protected_branches", b.wheel);
        let body = json!({ "name": "release/*", "push_access_level": 0, "merge_access_level": "30", "allow_force_push": true,
            "allowed_to_push": [{ "user_id": b.world.dana.id }, { "group_id": b.world.mill.id }] });
        let made = mats.post(&rules, body.clone()).await.expect(201).json();
        assert_eq!((&made["name"], &made["allow_force_push"]), (&json!("release/*"), &json!(true)));
        let push = &made["push_access_levels"];
        assert_eq!(texts(push, "access_level_description"), ["dana", "Mill", "No one"]);
        assert_eq!((&push[0]["user_id"], &push[0]["access_level"]), (&json!(b.world.dana.id), &Value::Null));
        assert_eq!(texts(&made["merge_access_levels"], "access_level_description"), ["Developers + Maintainers"]);
        let taken = mats.post(&rules, body).await.expect(409).json();
        assert_eq!(taken["message"], "Protected branch 'release/*' already exists");
        let list = mats.get(format!("{rules}?search=RELEASE")).await.expect(200).json();
        assert_eq!(texts(&list, "name"), ["release/*"]);
        let one = format!("{rules}/release%2F%2A");
        assert_eq!(mats.get(&one).await.expect(200).json(), made);
        let entry = push[0]["id"].clone();
        let change = json!({ "allow_force_push": false, "allowed_to_push": [{ "id": entry, "_destroy": true }, { "access_level": 40 }] });
        let changed = patch(&mats, one.clone(), change).await.expect(200).json();
        assert_eq!(texts(&changed["push_access_levels"], "access_level_description"), ["Mill", "No one", "Maintainers"]);
        assert_eq!(changed["allow_force_push"], false);
        mats.delete(&one).await.expect(204);
        assert_eq!(mats.delete(&one).await.expect(404).json()["message"], "404 Protected Branch Not Found");
    })
    .await;
}

#[tokio::test]
async fn rules_are_checked_and_kept_from_developers() {
    for_each_database(async |t| {
        let b = Bench::seeded(&t).await;
        let rules = format!("{}/protected_branches", b.wheel);
        let (dana, mats) = (b.world.dana.client(&t), b.world.mats.client(&t));
        assert_eq!(texts(&dana.get(&rules).await.expect(200).json(), "name"), ["main"]);
        dana.post(&rules, json!({ "name": "x" })).await.expect(403);
        dana.delete(format!("{rules}/main")).await.expect(403);
        b.world.rita.client(&t).get(&rules).await.expect(403);
        for (body, status) in [
            (json!({}), 400),
            (json!({ "name": "" }), 400),
            (json!({ "name": "x", "push_access_level": 20 }), 400),
            (json!({ "name": "x", "allowed_to_push": [{}] }), 400),
            (json!({ "name": "x", "allowed_to_push": [{ "user_id": b.world.sam.id }] }), 422),
            (json!({ "name": "x", "allowed_to_merge": [{ "group_id": 99_999 }] }), 422),
            (json!({ "name": "n".repeat(300) }), 400),
        ] {
            mats.post(&rules, body.clone()).await.expect(status);
        }
        let own = json!({ "name": "locked", "unprotect_access_level": 60 });
        mats.post(&rules, own).await.expect(201);
        mats.delete(format!("{rules}/locked")).await.expect(403);
        patch(&mats, format!("{rules}/locked"), json!({ "allow_force_push": true })).await.expect(403);
        b.world.root.client(&t).delete(format!("{rules}/locked")).await.expect(204);
    })
    .await;
}

#[tokio::test]
async fn the_api_obeys_the_rules() {
    for_each_database(async |t| {
        let b = Bench::seeded(&t).await;
        let dana = b.world.dana.client(&t);
        let rules = format!("{}/protected_tags", b.wheel);
        let made = b.olive.post(&rules, json!({ "name": "v*", "create_access_level": 40 })).await.expect(201).json();
        assert_eq!((&made["name"], &made["create_access_levels"][0]["access_level"]), (&json!("v*"), &json!(40)));
        let refused = dana.post(b.repo("tags"), json!({ "tag_name": "v1", "ref": "main" })).await.expect(403).json();
        assert!(refused["message"].as_str().unwrap().contains("v1 is a protected tag"), "{refused}");
        b.olive.post(b.repo("tags"), json!({ "tag_name": "v1", "ref": "main" })).await.expect(201);
        assert_eq!(dana.get(b.repo("tags/v1")).await.expect(200).json()["protected"], true);
        dana.delete(b.repo("tags/v1")).await.expect(403);
        assert_eq!(texts(&dana.get(&rules).await.expect(200).json(), "name"), ["v*"]);
        b.olive.get(format!("{rules}/v%2A")).await.expect(200);
        b.olive.delete(format!("{rules}/v%2A")).await.expect(204);
        b.olive.get(format!("{rules}/v%2A")).await.expect(404);
        dana.delete(b.repo("tags/v1")).await.expect(204);
        dana.post(b.repo("branches"), json!({ "branch": "main2", "ref": "main" })).await.expect(201);
        let body = json!({ "branch": "main", "commit_message": "m", "actions": [] });
        dana.post(b.repo("commits"), body).await.expect(403);
    })
    .await;
}

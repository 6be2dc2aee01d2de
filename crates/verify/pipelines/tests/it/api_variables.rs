use futures_util::future::join_all;
use serde_json::json;
use testkit::for_each_database;

use crate::support::keys;

#[tokio::test]
async fn variables_are_added_changed_and_removed() {
    for_each_database(async |t| {
        let w = t.world().await;
        for (client, at) in [
            (w.mats.client(&t), "/api/v4/projects/mill%2Fpond/variables"),
            (w.olive.client(&t), "/api/v4/groups/mill/variables"),
        ] {
            assert_eq!(client.get(at).await.expect(200).json(), json!([]));
            let new = json!({ "key": "PLACE", "value": "here", "description": "where" });
            let made = client.post(at, new.clone()).await.expect(201).json();
            let expected = [
                "variable_type",
                "key",
                "value",
                "hidden",
                "protected",
                "masked",
                "raw",
                "environment_scope",
                "description",
            ];
            assert_eq!(keys(&made), expected);
            assert_eq!((&made["environment_scope"], &made["variable_type"]), (&json!("*"), &json!("env_var")));
            let taken = client.post(at, new).await.expect(400).json();
            assert_eq!(taken, json!({ "message": { "key": ["(PLACE) has already been taken"] } }));
            let changed = client
                .put(format!("{at}/PLACE"), json!({ "value": "there", "protected": "true", "raw": 1 }))
                .await
                .expect(200)
                .json();
            assert_eq!(
                (&changed["value"], &changed["protected"], &changed["description"]),
                (&json!("there"), &json!(true), &json!("where"))
            );
            assert_eq!(client.get(format!("{at}/PLACE")).await.expect(200).json(), changed);
            let refused = client.get(format!("{at}/NONE")).await.expect(404).json();
            assert_eq!(refused, json!({ "message": "404 Variable Not Found" }));
            client.delete(format!("{at}/PLACE")).await.expect(204);
            client.delete(format!("{at}/PLACE")).await.expect(404);
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_hidden_is_never_shown() {
    for_each_database(async |t| {
        let w = t.world().await;
        let (mats, at) = (w.mats.client(&t), "/api/v4/projects/mill%2Fpond/variables");
        let new = json!({ "key": "SECRET", "value": "correct-horse", "masked_and_hidden": true });
        let made = mats.post(at, new).await.expect(201).json();
        assert_eq!((&made["value"], &made["hidden"], &made["masked"]), (&json!(null), &json!(true), &json!(true)));
        let changed = mats.put(format!("{at}/SECRET"), json!({ "masked": false })).await.expect(200);
        assert_eq!((&changed.json()["masked"], &changed.json()["value"]), (&json!(true), &json!(null)));
        assert!(!mats.get(at).await.text().contains("horse"));
        mats.put(format!("{at}/SECRET"), json!({ "value": "short" })).await.expect(400);
    })
    .await;
}

#[tokio::test]
async fn one_name_has_a_value_for_each_environment() {
    for_each_database(async |t| {
        let w = t.world().await;
        let (mats, at) = (w.mats.client(&t), "/api/v4/projects/mill%2Fpond/variables");
        for (scope, value) in [("*", "all"), ("production", "prod")] {
            let new = [("key", "HOST"), ("value", value), ("environment_scope", scope)];
            mats.form(at, &new).await.expect(201);
        }
        assert!(
            mats.get(format!("{at}/HOST")).await.expect(409).json()["message"]
                .as_str()
                .unwrap()
                .contains("filter[environment_scope]")
        );
        let one = format!("{at}/HOST?filter[environment_scope]=production");
        assert_eq!(mats.get(&one).await.expect(200).json()["value"], "prod");
        let change = json!({ "value": "new", "filter": { "environment_scope": "production" } });
        mats.put(format!("{at}/HOST"), change).await.expect(200);
        assert_eq!(mats.get(&one).await.expect(200).json()["value"], "new");
        mats.put(&one, json!({ "environment_scope": "*" })).await.expect(400);
        mats.delete(&one).await.expect(204);
        assert_eq!(mats.get(format!("{at}/HOST")).await.expect(200).json()["value"], "all");
    })
    .await;
}

#[tokio::test]
async fn odd_variables_are_refused() {
    for_each_database(async |t| {
        let w = t.world().await;
        let (mats, at) = (w.mats.client(&t), "/api/v4/projects/mill%2Fpond/variables");
        assert_eq!(
            mats.post(at, json!({ "key": "A" })).await.expect(400).json(),
            json!({ "error": "value is missing" })
        );
        for new in [
            json!({ "key": "", "value": "x" }),
            json!({ "key": "a b", "value": "x" }),
            json!({ "key": "A".repeat(256), "value": "x" }),
            json!({ "key": "NUL", "value": "a\0b" }),
            json!({ "key": "LONG", "value": "x".repeat(10_001) }),
            json!({ "key": "KIND", "value": "x", "variable_type": "folder" }),
            json!({ "key": "MASK", "value": "short", "masked": true }),
            json!({ "key": "SCOPE", "value": "x", "environment_scope": "" }),
            json!({ "key": "ABOUT", "value": "x", "description": "x".repeat(256) }),
            json!({ "key": ["A"], "value": "x" }),
        ] {
            mats.post(at, new).await.expect(400);
        }
        mats.get(format!("{at}/..%2F..")).await.expect(404);
        mats.get(format!("{at}/{}", "k".repeat(4096))).await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn of_many_who_add_at_once_one_does() {
    for_each_database(async |t| {
        let w = t.world().await;
        let (mats, at) = (w.mats.client(&t), "/api/v4/projects/mill%2Fpond/variables");
        let answers = join_all((0..8).map(|n| mats.post(at, json!({ "key": "RACE", "value": n })))).await;
        let mut statuses: Vec<u16> = answers.iter().map(|a| a.status.as_u16()).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 400, 400, 400, 400, 400, 400, 400]);
    })
    .await;
}

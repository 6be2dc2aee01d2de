//! Groups: show, change, what is in them, delete.

use serde_json::{Value, json};
use testkit::for_each_database;

use crate::column;

#[tokio::test]
async fn show_and_change() {
    for_each_database(async |t| {
        let world = t.world().await;
        let olive = world.olive.client(&t);
        let shown = olive.get("/api/v4/groups/mill").await.expect(200).json();
        assert_eq!((shown["full_path"].as_str(), shown["projects"].as_array().unwrap().len()), (Some("mill"), 3));
        assert_eq!(
            (shown["project_creation_level"].as_str(), shown["visibility"].as_str()),
            (Some("developer"), Some("public"))
        );
        assert!(olive.get("/api/v4/groups/mill?with_projects=false").await.json().get("projects").is_none());
        assert_eq!(t.anonymous().get("/api/v4/groups/mill").await.json()["projects"].as_array().unwrap().len(), 1);
        let changed = olive
            .put("/api/v4/groups/mill", json!({ "name": "The mill", "description": "d", "lfs_enabled": false }))
            .await;
        assert_eq!(changed.expect(200).json()["name"], "The mill");
        let refused = olive.put("/api/v4/groups/mill", json!({ "visibility": "private" })).await.expect(400);
        assert!(refused.text().contains("higher visibility"));
        olive.put("/api/v4/groups/mill", json!({ "project_creation_level": "everyone" })).await.expect(400);
        olive.get("/api/v4/groups/olive").await.expect(404);
        olive.get("/api/v4/groups/999999").await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn what_is_inside() {
    for_each_database(async |t| {
        let world = t.world().await;
        let olive = world.olive.client(&t);
        let gates =
            olive.post("/api/v4/groups", json!({ "name": "Gates", "path": "gates", "parent_id": world.mill.id })).await;
        let gates = gates.expect(201).json();
        assert_eq!(
            (gates["full_name"].as_str(), gates["parent_id"].as_i64()),
            (Some("Mill / Gates"), Some(world.mill.id))
        );
        let inner = json!({ "name": "Inner", "path": "inner", "parent_id": gates["id"] });
        let inner = olive.post("/api/v4/groups", inner).await.expect(201).json();
        olive.post("/api/v4/projects", json!({ "path": "deep", "namespace_id": inner["id"] })).await.expect(201);
        let paths = async |rest: &str| {
            let found = olive.get(format!("/api/v4/groups/mill/{rest}")).await.expect(200).json();
            column(&found, "path").into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(paths("subgroups").await, ["gates"]);
        assert_eq!(paths("descendant_groups").await, ["gates", "inner"]);
        assert_eq!(paths("projects?order_by=path&sort=asc").await, ["pond", "race", "wheel"]);
        assert_eq!(paths("projects?include_subgroups=true&search=deep").await, ["deep"]);
        assert_eq!(column(&olive.get("/api/v4/groups?top_level_only=true").await.json(), "path"), ["mill"]);
        assert_eq!(column(&olive.get("/api/v4/groups?search=inn").await.json(), "path"), ["inner"]);
        assert_eq!(column(&olive.get("/api/v4/groups/mill/users?search=rita").await.json(), "username"), ["rita"]);
        let namespaces = olive.get("/api/v4/namespaces?search=gates").await.expect(200).json();
        assert_eq!(namespaces[0]["members_count_with_descendants"], 1);
        let exists = olive.get("/api/v4/namespaces/mill/exists").await.expect(200).json();
        assert_eq!(exists, json!({ "exists": true, "suggests": ["mill1"] }));
        let free = olive.get(format!("/api/v4/namespaces/gates/exists?parent_id={}", inner["id"])).await.json();
        assert_eq!(free["exists"], false);
    })
    .await;
}

#[tokio::test]
async fn deletion_takes_everything_along() {
    for_each_database(async |t| {
        let world = t.world().await;
        let olive = world.olive.client(&t);
        let inner = olive
            .post("/api/v4/groups", json!({ "name": "i", "path": "inner", "parent_id": world.mill.id }))
            .await
            .expect(201);
        olive.post("/api/v4/projects", json!({ "path": "deep", "namespace_id": inner.json()["id"] })).await.expect(201);
        world.mats.client(&t).delete("/api/v4/groups/mill").await.expect(403);
        olive.delete("/api/v4/groups/mill").await.expect(202);
        for path in ["groups/mill", "groups/mill%2Finner", "projects/mill%2Fwheel", "projects/mill%2Finner%2Fdeep"] {
            olive.get(format!("/api/v4/{path}")).await.expect(404);
        }
        olive.post("/api/v4/groups", json!({ "name": "again", "path": "mill" })).await.expect(201);
    })
    .await;
}

#[tokio::test]
async fn owners_of_groups_can_not_just_vanish() {
    for_each_database(async |t| {
        let world = t.world().await;
        let root = world.root.client(&t);
        let path = format!("/api/v4/users/{}", world.olive.id);
        root.delete(&path).await.expect(409);
        world
            .olive
            .client(&t)
            .post("/api/v4/projects", json!({ "path": "own", "visibility": "public" }))
            .await
            .expect(201);
        let hard = root.delete(format!("{path}?hard_delete=true")).await;
        assert!(hard.status.is_success(), "{}", hard.text());
        t.eventually("olive's things to go", async || {
            let own = root.get("/api/v4/projects/olive%2Fown").await.status.as_u16();
            (own == 404 && root.get("/api/v4/groups/mill").await.status.as_u16() == 404).then_some(())
        })
        .await;
        let _: Value = root.get("/api/v4/projects").await.expect(200).json();
    })
    .await;
}

//! Renames and transfers: paths change everywhere at once and old ones lead to the new.

use serde_json::json;
use testkit::{TestApp, World, for_each_database};

async fn subgroup(t: &TestApp, world: &World, parent: i64, path: &str) -> i64 {
    let body = json!({ "name": path, "path": path, "parent_id": parent });
    world.olive.client(t).post("/api/v4/groups", body).await.expect(201).json()["id"].as_i64().unwrap()
}

#[tokio::test]
async fn a_renamed_project_redirects() {
    for_each_database(async |t| {
        let world = t.world().await;
        let olive = world.olive.client(&t);
        let renamed =
            olive.put("/api/v4/projects/mill%2Fwheel", json!({ "path": "waterwheel" })).await.expect(200).json();
        assert_eq!(renamed["path_with_namespace"], "mill/waterwheel");
        let moved = olive.get("/api/v4/projects/mill%2Fwheel/members?per_page=3").await.expect(301);
        assert_eq!(moved.header("location"), "/api/v4/projects/mill%2Fwaterwheel/members?per_page=3");
        olive.put("/api/v4/projects/mill%2Fwheel", json!({ "name": "x" })).await.expect(409);
        let page = world.olive.browser(&t).await.get("/mill/wheel/-/project_members?name=a").await.expect(301);
        assert_eq!(page.header("location"), "/mill/waterwheel/-/project_members?name=a");
        // Who may not see the new place learns nothing.
        world.sam.client(&t).get("/api/v4/projects/mill%2Fwheel").await.expect(404);
        // A new project at the old path is what is meant from now on.
        let new = olive
            .post("/api/v4/projects", json!({ "path": "wheel", "namespace_id": world.mill.id }))
            .await
            .expect(201)
            .json();
        assert_eq!(olive.get("/api/v4/projects/mill%2Fwheel").await.expect(200).json()["id"], new["id"]);
    })
    .await;
}

#[tokio::test]
async fn a_renamed_group_takes_everything_along() {
    for_each_database(async |t| {
        let world = t.world().await;
        let olive = world.olive.client(&t);
        let gates = subgroup(&t, &world, world.mill.id, "gates").await;
        let inner = subgroup(&t, &world, gates, "inner").await;
        olive.post("/api/v4/projects", json!({ "path": "deep", "namespace_id": inner })).await.expect(201);
        olive.put("/api/v4/groups/mill", json!({ "path": "Tidemill" })).await.expect(200);
        for (old, new) in
            [("mill%2Fwheel", "Tidemill%2Fwheel"), ("mill%2Fgates%2Finner%2Fdeep", "Tidemill%2Fgates%2Finner%2Fdeep")]
        {
            let moved = olive.get(format!("/api/v4/projects/{old}")).await.expect(301);
            assert_eq!(moved.header("location"), format!("/api/v4/projects/{new}"));
            olive.get(format!("/api/v4/projects/{new}")).await.expect(200);
            olive.get(format!("/api/v4/projects/{}", new.to_lowercase())).await.expect(200);
        }
        let moved = olive.get("/api/v4/groups/mill%2Fgates").await.expect(301);
        assert_eq!(moved.header("location"), "/api/v4/groups/Tidemill%2Fgates");
        // Back again, and the way there and back leaves no loop.
        olive.put("/api/v4/groups/Tidemill", json!({ "path": "mill" })).await.expect(200);
        olive.get("/api/v4/projects/mill%2Fwheel").await.expect(200);
        let moved = olive.get("/api/v4/projects/Tidemill%2Fwheel").await.expect(301);
        assert_eq!(moved.header("location"), "/api/v4/projects/mill%2Fwheel");
        // A change of case alone is a rename too.
        let upper = olive.put("/api/v4/groups/mill", json!({ "path": "Mill" })).await.expect(200).json();
        assert_eq!(upper["full_path"], "Mill");
    })
    .await;
}

#[tokio::test]
async fn a_transferred_group_inherits_from_its_new_place() {
    for_each_database(async |t| {
        let world = t.world().await;
        let (olive, sam, gus) = (world.olive.client(&t), world.sam.client(&t), world.gus.client(&t));
        let harbour = olive
            .post("/api/v4/groups", json!({ "name": "Harbour", "path": "harbour", "visibility": "private" }))
            .await;
        let harbour = harbour.expect(201).json()["id"].as_i64().unwrap();
        olive
            .post(format!("/api/v4/groups/{harbour}/members"), json!({ "user_id": world.sam.id, "access_level": 20 }))
            .await
            .expect(201);
        let gates = subgroup(&t, &world, world.mill.id, "gates").await;
        olive
            .post("/api/v4/projects", json!({ "path": "lock", "namespace_id": gates, "visibility": "public" }))
            .await
            .expect(201);
        gus.get("/api/v4/projects/mill%2Fgates%2Flock").await.expect(200);
        olive.post(format!("/api/v4/groups/{gates}/transfer"), json!({ "group_id": harbour })).await.expect(201);
        let lock = sam.get("/api/v4/projects/harbour%2Fgates%2Flock").await.expect(200).json();
        assert_eq!(lock["visibility"], "private", "no more visible than where it is");
        assert_eq!(lock["permissions"]["group_access"]["access_level"], 20);
        gus.get("/api/v4/projects/harbour%2Fgates%2Flock").await.expect(404);
        // Into itself or below is refused.
        let refused = olive.post(format!("/api/v4/groups/{harbour}/transfer"), json!({ "group_id": gates })).await;
        refused.expect(400);
        // To the top.
        let top = olive.post(format!("/api/v4/groups/{gates}/transfer"), json!({})).await.expect(201).json();
        assert_eq!((top["full_path"].as_str(), top["parent_id"].as_i64()), (Some("gates"), None));
        sam.get("/api/v4/projects/gates%2Flock").await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn a_transferred_project() {
    for_each_database(async |t| {
        let world = t.world().await;
        let (olive, mats) = (world.olive.client(&t), world.mats.client(&t));
        let own = olive.get("/api/v4/namespaces/olive").await.expect(200).json()["id"].clone();
        mats.put("/api/v4/projects/mill%2Fwheel/transfer", json!({ "namespace": own })).await.expect(403);
        olive.put("/api/v4/projects/mill%2Fwheel/transfer", json!({ "namespace": "nowhere" })).await.expect(404);
        let sams = olive.put("/api/v4/projects/mill%2Fwheel/transfer", json!({ "namespace": "sam" })).await;
        assert!(sams.status.is_client_error());
        let moved =
            olive.put("/api/v4/projects/mill%2Fwheel/transfer", json!({ "namespace": own })).await.expect(200).json();
        assert_eq!(moved["path_with_namespace"], "olive/wheel");
        mats.get("/api/v4/projects/olive%2Fwheel").await.expect(404);
        olive.put("/api/v4/projects/olive%2Fwheel/transfer", json!({ "namespace": own })).await.expect(400);
        olive.get("/api/v4/projects/mill%2Fwheel").await.expect(301);
    })
    .await;
}

#[tokio::test]
async fn a_taken_path_stops_the_move() {
    for_each_database(async |t| {
        let world = t.world().await;
        let olive = world.olive.client(&t);
        let taken = olive.put("/api/v4/projects/mill%2Fwheel", json!({ "path": "POND" })).await.expect(400).json();
        assert_eq!(taken["message"]["path"][0], "has already been taken");
        olive.put("/api/v4/groups/mill", json!({ "path": "sam" })).await.expect(400);
        assert_eq!(
            olive.get("/api/v4/projects/mill%2Fwheel").await.expect(200).json()["path"],
            "wheel",
            "nothing was changed"
        );
    })
    .await;
}

#[tokio::test]
async fn a_renamed_user_takes_the_namespace_along() {
    for_each_database(async |t| {
        let world = t.world().await;
        let dana = world.dana.client(&t);
        dana.post("/api/v4/projects", json!({ "path": "boat", "visibility": "public" })).await.expect(201);
        let root = world.root.client(&t);
        root.put(format!("/api/v4/users/{}", world.dana.id), json!({ "username": "danae" })).await.expect(200);
        assert_eq!(dana.get("/api/v4/projects/danae%2Fboat").await.expect(200).json()["namespace"]["path"], "danae");
        let moved = t.anonymous().get("/api/v4/projects/dana%2Fboat").await.expect(301);
        assert_eq!(moved.header("location"), "/api/v4/projects/danae%2Fboat");
        let taken = root.put(format!("/api/v4/users/{}", world.sam.id), json!({ "username": "mill" })).await;
        assert!(taken.status.is_client_error(), "a group has that path");
    })
    .await;
}

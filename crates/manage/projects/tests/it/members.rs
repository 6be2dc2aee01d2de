//! Members: adding, changing, removing, and the rules about levels.

use serde_json::{Value, json};
use testkit::for_each_database;

use crate::column;

#[tokio::test]
async fn the_life_of_a_member() {
    for_each_database(async |t| {
        let world = t.world().await;
        let (mats, sam) = (world.mats.client(&t), &world.sam);
        let here = "/api/v4/projects/mill%2Fwheel/members";
        let added = mats
            .post(here, json!({ "user_id": sam.id, "access_level": 30, "expires_at": "2199-01-02" }))
            .await
            .expect(201)
            .json();
        assert_eq!((added["username"].as_str(), added["access_level"].as_i64()), (Some("sam"), Some(30)));
        assert_eq!(
            (added["expires_at"].as_str(), added["created_by"]["username"].as_str()),
            (Some("2199-01-02"), Some("mats"))
        );
        mats.post(here, json!({ "user_id": sam.id, "access_level": 30 })).await.expect(409);
        sam.client(&t).get("/api/v4/projects/mill%2Fwheel").await.expect(200);
        let changed = mats
            .put(format!("{here}/{}", sam.id), json!({ "access_level": 20, "expires_at": "" }))
            .await
            .expect(200)
            .json();
        assert_eq!((changed["access_level"].as_i64(), changed["expires_at"].is_null()), (Some(20), true));
        assert_eq!(column(&mats.get(here).await.json(), "username"), ["sam"]);
        let all = mats.get(format!("{here}/all?per_page=100")).await.json();
        assert_eq!(column(&all, "username"), ["olive", "mats", "dana", "rita", "paula", "gus", "sam"]);
        assert_eq!(column(&mats.get(format!("{here}/all?query=AM")).await.json(), "username"), ["sam"]);
        mats.get(format!("{here}/{}", world.dana.id)).await.expect(404);
        mats.get(format!("{here}/all/{}", world.dana.id)).await.expect(200);
        mats.delete(format!("{here}/{}", sam.id)).await.expect(204);
        mats.delete(format!("{here}/{}", sam.id)).await.expect(404);
        sam.client(&t).get("/api/v4/projects/mill%2Fwheel").await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn nobody_gives_more_than_they_have() {
    for_each_database(async |t| {
        let world = t.world().await;
        let here = "/api/v4/projects/mill%2Fwheel/members";
        let (olive, mats, dana) = (world.olive.client(&t), world.mats.client(&t), world.dana.client(&t));
        let sam = json!({ "user_id": world.sam.id, "access_level": 50 });
        mats.post(here, sam.clone()).await.expect(403);
        dana.post(here, json!({ "user_id": world.sam.id, "access_level": 10 })).await.expect(403);
        olive.post(here, sam).await.expect(201);
        mats.put(format!("{here}/{}", world.sam.id), json!({ "access_level": 20 })).await.expect(403);
        mats.delete(format!("{here}/{}", world.sam.id)).await.expect(403);
        // Nobody raises themselves.
        let at = format!("/api/v4/groups/mill/members/{}", world.mats.id);
        mats.put(&at, json!({ "access_level": 50 })).await.expect(403);
        for wrong in [json!(0), json!(7), json!(60), json!(-1), json!("owner")] {
            olive.post(here, json!({ "user_id": world.eve.id, "access_level": wrong })).await.expect(400);
        }
        olive.post(here, json!({ "user_id": world.eve.id, "access_level": 5 })).await.expect(400);
        olive.post(here, json!({ "access_level": 10 })).await.expect(400);
        olive.post(here, json!({ "user_id": 999_999, "access_level": 10 })).await.expect(404);
        olive
            .post(here, json!({ "user_id": world.eve.id, "access_level": 10, "expires_at": "2001-01-01" }))
            .await
            .expect(400);
        olive
            .post(here, json!({ "user_id": world.eve.id, "access_level": 10, "expires_at": "soon" }))
            .await
            .expect(400);
        // Less than what comes from above.
        let less = olive.post(here, json!({ "user_id": world.dana.id, "access_level": 20 })).await.expect(400);
        assert!(less.text().contains("inherited"));
    })
    .await;
}

#[tokio::test]
async fn the_last_owner_stays() {
    for_each_database(async |t| {
        let world = t.world().await;
        let (olive, here) = (world.olive.client(&t), "/api/v4/groups/mill/members");
        let itself = format!("{here}/{}", world.olive.id);
        olive.delete(&itself).await.expect(403);
        olive.put(&itself, json!({ "access_level": 40 })).await.expect(403);
        olive.put(format!("{here}/{}", world.mats.id), json!({ "access_level": 50 })).await.expect(200);
        olive.delete(&itself).await.expect(204);
        olive.get(here).await.expect(200);
        olive.put("/api/v4/groups/mill", json!({ "name": "x" })).await.expect(403);
        // The owner of a personal project stays too.
        let sam = world.sam.client(&t);
        sam.post("/api/v4/projects", json!({ "path": "own" })).await.expect(201);
        sam.delete(format!("/api/v4/projects/sam%2Fown/members/{}", world.sam.id)).await.expect(403);
    })
    .await;
}

#[tokio::test]
async fn several_at_once() {
    for_each_database(async |t| {
        let world = t.world().await;
        let (olive, here) = (world.olive.client(&t), "/api/v4/projects/mill%2Fwheel/members");
        let both = format!("{},{}", world.sam.id, world.eve.id);
        let added = olive.post(here, json!({ "user_id": both, "access_level": 10 })).await.expect(201).json();
        assert_eq!(added, json!({ "status": "success" }));
        let again = olive
            .post(here, json!({ "username": "sam,nobody-there,root", "access_level": 10 }))
            .await
            .expect(201)
            .json();
        assert_eq!(again["status"], "error");
        assert_eq!(again["message"].as_object().unwrap().len(), 2);
        assert_eq!(column(&olive.get(here).await.json(), "username"), ["root", "sam", "eve"]);
        let named = olive.post("/api/v4/groups/mill/members", json!({ "username": "eve", "access_level": 5 })).await;
        named.expect(201);
    })
    .await;
}

#[tokio::test]
async fn leaving_a_group_leaves_what_is_below() {
    for_each_database(async |t| {
        let world = t.world().await;
        let olive = world.olive.client(&t);
        olive
            .post("/api/v4/projects/mill%2Fwheel/members", json!({ "user_id": world.dana.id, "access_level": 40 }))
            .await
            .expect(201);
        let kept = format!("/api/v4/groups/mill/members/{}?skip_subresources=true", world.dana.id);
        olive.delete(kept).await.expect(204);
        let dana = world.dana.client(&t);
        assert_eq!(
            dana.get("/api/v4/projects/mill%2Fwheel").await.expect(200).json()["permissions"]["group_access"],
            Value::Null
        );
        olive
            .post("/api/v4/groups/mill/members", json!({ "user_id": world.dana.id, "access_level": 10 }))
            .await
            .expect(201);
        dana.delete(format!("/api/v4/groups/mill/members/{}", world.dana.id)).await.expect(204);
        dana.get("/api/v4/projects/mill%2Fwheel").await.expect(404);
    })
    .await;
}

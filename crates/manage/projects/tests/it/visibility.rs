//! What is invisible: private things, things of expired and minimal members, of blocked users.

use kernel::Time;
use kernel::db::Sql;
use projects::{Member, Source, level};
use serde_json::json;
use testkit::{Client, TestApp, World, for_each_database};

use crate::{column, send};

/// A private group `quay` with the private project `quay/dock`, both olive's.
async fn quay(t: &TestApp, world: &World) -> (i64, i64) {
    let olive = world.olive.client(t);
    let group = olive.post("/api/v4/groups", json!({ "name": "Quay", "path": "quay", "visibility": "private" })).await;
    let group = group.expect(201).json()["id"].as_i64().unwrap();
    let dock = olive.post("/api/v4/projects", json!({ "name": "dock", "namespace_id": group })).await.expect(201);
    (group, dock.json()["id"].as_i64().unwrap())
}

async fn seen(client: &Client) -> (u16, u16) {
    let group = client.get("/api/v4/groups/quay").await.status.as_u16();
    (group, client.get("/api/v4/projects/quay%2Fdock").await.status.as_u16())
}

#[tokio::test]
async fn minimal_and_expired_members() {
    for_each_database(async |t| {
        let world = t.world().await;
        let (group, dock) = quay(&t, &world).await;
        let conn = t.app.db().conn();
        let sam = world.sam.client(&t);
        assert_eq!(seen(&sam).await, (404, 404));
        let minimal = Member::add(conn, Source::Group(group), world.sam.id, level::MINIMAL, None, None).await.unwrap();
        assert_eq!(seen(&sam).await, (200, 404));
        conn.run("UPDATE members SET access_level = 30 WHERE id = $1", [minimal.id.into()]).await.unwrap();
        assert_eq!(seen(&sam).await, (200, 200));
        conn.run(
            "UPDATE members SET expires_at = $2 WHERE id = $1",
            [minimal.id.into(), Time(Time::now().0 - 1).into()],
        )
        .await
        .unwrap();
        assert_eq!(seen(&sam).await, (404, 404));
        assert!(!column(&sam.get("/api/v4/projects").await.json(), "path").contains(&"dock"));
        // A member of the project alone sees that its group is there.
        Member::add(conn, Source::Project(dock), world.eve.id, level::GUEST, None, None).await.unwrap();
        assert_eq!(seen(&world.eve.client(&t)).await, (200, 200));
        let olive = world.olive.client(&t);
        olive.delete(format!("/api/v4/projects/{dock}/members/{}", world.eve.id)).await.expect(204);
        assert_eq!(seen(&world.eve.client(&t)).await, (404, 404));
    })
    .await;
}

#[tokio::test]
async fn blocked_users_lose_access_at_once() {
    for_each_database(async |t| {
        let world = t.world().await;
        let dana = world.dana.client(&t);
        dana.get("/api/v4/projects/mill%2Fwheel").await.expect(200);
        t.app.db().run("UPDATE users SET state = 'blocked' WHERE id = $1", [world.dana.id.into()]).await.unwrap();
        let status = dana.get("/api/v4/projects/mill%2Fwheel").await.status.as_u16();
        assert!(matches!(status, 401 | 403), "{status}");
    })
    .await;
}

#[tokio::test]
async fn lists_hold_only_what_is_visible() {
    for_each_database(async |t| {
        let world = t.world().await;
        for (client, expected) in [
            (world.gus.client(&t), vec!["pond", "race", "wheel"]),
            (world.sam.client(&t), vec!["pond", "race"]),
            (world.eve.client(&t), vec!["pond"]),
            (t.anonymous(), vec!["pond"]),
        ] {
            for path in
                ["/api/v4/projects?order_by=name&sort=asc", "/api/v4/groups/mill/projects?order_by=name&sort=asc"]
            {
                assert_eq!(column(&client.get(path).await.expect(200).json(), "path"), expected, "{path}");
            }
        }
        let shown = t.anonymous().get("/api/v4/projects").await.json();
        assert!(shown[0].get("permissions").is_none() && shown[0].get("_links").is_none(), "short without a token");
    })
    .await;
}

#[tokio::test]
async fn private_things_look_like_nothing() {
    for_each_database(async |t| {
        let world = t.world().await;
        let sam = world.sam.client(&t);
        let absent = sam.get("/api/v4/projects/mill%2Fabsent").await.expect(404).text();
        for (method, path) in [
            ("GET", "mill%2Fwheel"),
            ("PUT", "mill%2Fwheel"),
            ("DELETE", "mill%2Fwheel"),
            ("POST", "mill%2Fwheel/star"),
            ("GET", "mill%2Fwheel/members"),
            ("POST", "mill%2Fwheel/members"),
            ("POST", "mill%2Fwheel/fork"),
        ] {
            let answer = send(&sam, method, &format!("/api/v4/projects/{path}"), &json!({ "access_level": 10 })).await;
            assert_eq!(answer.expect(404).text(), absent, "{method} {path}");
        }
        let by_id = sam.get(format!("/api/v4/projects/{}", world.wheel.id)).await.expect(404).text();
        assert_eq!(by_id, sam.get("/api/v4/projects/99999999").await.expect(404).text());
    })
    .await;
}

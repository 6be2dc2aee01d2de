//! Users through the API, as administrators keep them.

use serde_json::json;
use testkit::for_each_database;

use crate::{PASSWORD, audited, complaint, sign_in, unprivileged};

#[tokio::test]
async fn only_administrators_change_users() {
    for_each_database(async |t| {
        let w = t.world().await;
        let path = format!("/api/v4/users/{}", w.gus.id);
        let new = json!({ "email": "n@example.com", "username": "new", "name": "New", "password": PASSWORD });
        for (client, status) in unprivileged(&t, &w) {
            client.post("/api/v4/users", new.clone()).await.expect(status);
            client.put(&path, json!({ "admin": true })).await.expect(status);
            client.delete(&path).await.expect(status);
            for step in ["block", "unblock", "ban", "unban", "deactivate", "activate", "approve", "reject"] {
                client.post(format!("{path}/{step}"), json!({})).await.expect(status);
            }
            client.get("/api/v4/application/settings").await.expect(status);
            client.put("/api/v4/application/settings", json!({ "signup_enabled": false })).await.expect(status);
        }
        w.gus.client(&t).get("/api/v4/user").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn users_are_made_changed_and_removed() {
    for_each_database(async |t| {
        let w = t.world().await;
        let root = w.root.client(&t);
        let new = json!({ "email": "n@example.com", "username": "new", "name": "New", "password": PASSWORD, "bio": "hello",
            "external": "true", "can_create_group": false, "projects_limit": "3" });
        let made = root.post("/api/v4/users", new.clone()).await.expect(201).json();
        assert_eq!((&made["external"], &made["can_create_group"], &made["projects_limit"]), (&true.into(), &false.into(), &3.into()));
        assert_eq!((&made["bio"], &made["created_by"]["username"]), (&"hello".into(), &"root".into()));
        sign_in(&t.anonymous(), "new", PASSWORD).await.expect(303);
        assert_eq!(root.post("/api/v4/users", new).await.expect(409).json()["message"], "Email has already been taken");
        let taken = json!({ "email": "o@example.com", "username": "NEW", "name": "New", "force_random_password": true });
        assert_eq!(root.post("/api/v4/users", taken).await.expect(409).json()["message"], "Username has already been taken");
        for (body, why) in [
            (json!({ "username": "x1", "name": "x", "password": PASSWORD }), "email is missing"),
            (json!({ "email": "o@example.com", "username": "x1", "name": "x" }), "at least one parameter"),
            (json!({ "email": "o@example.com", "username": "x1", "name": "x", "password": "short" }), "too short"),
            (json!({ "email": "o@example.com", "username": "a/b", "name": "x", "password": PASSWORD }), "only letters"),
            (json!({ "email": "o", "username": "x1", "name": "x", "password": PASSWORD }), "is invalid"),
            (json!({ "email": "o@example.com", "username": "x1", "name": "x", "password": PASSWORD, "admin": "maybe" }), "admin is invalid"),
        ] {
            assert!(complaint(&root.post("/api/v4/users", body).await.expect(400)).contains(why), "{why}");
        }
        let path = format!("/api/v4/users/{}", made["id"]);
        let changed = json!({ "username": "newer", "name": "Newer", "password": "another password", "note": "n", "website_url": "https://example.com" });
        let changed = root.put(&path, changed).await.expect(200).json();
        assert_eq!((&changed["username"], &changed["note"], &changed["bio"]), (&"newer".into(), &"n".into(), &"hello".into()));
        sign_in(&t.anonymous(), "newer", "another password").await.expect(303);
        root.put(&path, json!({ "email": "dana@example.com" })).await.expect(409);
        root.put(&path, json!({ "username": "dana" })).await.expect(409);
        root.put(&path, json!({ "website_url": "javascript:x" })).await.expect(400);
        root.delete(&path).await.expect(204);
        root.delete(&path).await.expect(404);
        root.get(&path).await.expect(404);
        assert_eq!(audited(&t, "user.deleted").await, 1);
    })
    .await;
}

#[tokio::test]
async fn steps_shut_people_out_and_let_them_in() {
    for_each_database(async |t| {
        let w = t.world().await;
        let (root, dana) = (w.root.client(&t), w.dana.client(&t));
        let browser = w.dana.browser(&t).await;
        let step = async |word: &str| root.post(format!("/api/v4/users/{}/{word}", w.dana.id), json!({})).await;
        for (shut, open, state) in [("block", "unblock", "blocked"), ("ban", "unban", "banned")] {
            assert_eq!(step(shut).await.expect(201).text(), "true");
            assert_eq!(root.get(format!("/api/v4/users/{}", w.dana.id)).await.json()["state"], state);
            dana.get("/api/v4/user").await.expect(401);
            browser.page("/-/user_settings/profile").await.expect(303);
            step("deactivate").await.expect(403);
            step("activate").await.expect(403);
            step("approve").await.expect(409);
            step(open).await.expect(201);
            dana.get("/api/v4/user").await.expect(200);
        }
        step("unblock").await.expect(403);
        step("unban").await.expect(403);
        step("reject").await.expect(409);
        // Nobody who was here lately is put out of use.
        let seen = "UPDATE users SET last_activity_at = $2 WHERE id = $1";
        t.app.db().run(seen, [w.dana.id.into(), kernel::Time::now().into()]).await.unwrap();
        step("deactivate").await.expect(403);
        t.app.db().run(seen, [w.dana.id.into(), 1_i64.into()]).await.unwrap();
        t.app.db().run("UPDATE users SET current_sign_in_at = NULL WHERE id = $1", [w.dana.id.into()]).await.unwrap();
        step("deactivate").await.expect(201);
        dana.get("/api/v4/user").await.expect(401);
        step("activate").await.expect(201);
        dana.get("/api/v4/user").await.expect(200);
        let pending = "UPDATE users SET state = 'blocked_pending_approval' WHERE id = $1";
        t.app.db().run(pending, [w.dana.id.into()]).await.unwrap();
        assert_eq!(step("approve").await.expect(201).json()["message"], "Success");
        t.app.db().run(pending, [w.sam.id.into()]).await.unwrap();
        root.post(format!("/api/v4/users/{}/reject", w.sam.id), json!({})).await.expect(200);
        root.get(format!("/api/v4/users/{}", w.sam.id)).await.expect(404);
        root.post("/api/v4/users/999999/block", json!({})).await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn the_last_administrator_stays() {
    for_each_database(async |t| {
        let w = t.world().await;
        let root = w.root.client(&t);
        root.delete("/api/v4/users/1").await.expect(409);
        root.put("/api/v4/users/1", json!({ "admin": false })).await.expect(400);
        root.post("/api/v4/users/1/block", json!({})).await.expect(403);
        root.put(format!("/api/v4/users/{}", w.olive.id), json!({ "admin": true })).await.expect(200);
        w.olive.client(&t).put("/api/v4/users/1", json!({ "admin": false })).await.expect(200);
        root.get("/api/v4/application/settings").await.expect(403);
    })
    .await;
}

#[tokio::test]
async fn settings_are_read_and_changed() {
    for_each_database(async |t| {
        let w = t.world().await;
        let root = w.root.client(&t);
        let all = root.get("/api/v4/application/settings").await.expect(200).json();
        assert_eq!((&all["signup_enabled"], &all["gravatar_enabled"]), (&true.into(), &false.into()));
        let body =
            json!({ "domain_allowlist": "a.example,b.example", "default_project_visibility": "public", "unknown": 1 });
        let set = root.put("/api/v4/application/settings", body).await.expect(200).json();
        assert_eq!(set["domain_allowlist"], json!(["a.example", "b.example"]));
        assert_eq!(set["default_project_visibility"], "public");
        assert!(set.get("unknown").is_none());
        for odd in [
            json!({ "signup_enabled": "perhaps" }),
            json!({ "default_project_visibility": "secret" }),
            json!({ "throttle_sign_in_requests_per_minute": 0 }),
            json!({ "throttle_sign_in_requests_per_minute": "many" }),
            json!({ "domain_allowlist": [1] }),
        ] {
            root.put("/api/v4/application/settings", odd).await.expect(400);
        }
        let back =
            root.put("/api/v4/application/settings", json!({ "default_project_visibility": null })).await.expect(200);
        assert_eq!(back.json()["default_project_visibility"], "private");
    })
    .await;
}

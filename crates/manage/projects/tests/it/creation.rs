//! Making projects and groups: who may, where, what comes of the parameters, and two at once.

use serde_json::{Value, json};
use testkit::for_each_database;

#[tokio::test]
async fn names_and_paths() {
    for_each_database(async |t| {
        let world = t.world().await;
        let sam = world.sam.client(&t);
        let made = sam.post("/api/v4/projects", json!({ "name": "My Tool" })).await.expect(201).json();
        assert_eq!((made["path"].as_str(), made["name"].as_str()), (Some("my-tool"), Some("My Tool")));
        assert_eq!(made["path_with_namespace"], "sam/my-tool");
        assert_eq!(made["visibility"], "private");
        assert_eq!(made["owner"]["username"], "sam");
        assert_eq!(made["permissions"]["project_access"]["access_level"], 50);
        assert_eq!(made["empty_repo"], true);
        let made = sam.post("/api/v4/projects", json!({ "path": "Other.Tool" })).await.expect(201).json();
        assert_eq!(made["name"], "Other.Tool");
        let missing = sam.post("/api/v4/projects", json!({})).await.expect(400).json();
        assert_eq!(missing["error"], "name, path are missing, at least one parameter must be provided");
        let taken = sam.post("/api/v4/projects", json!({ "path": "MY-TOOL" })).await.expect(400).json();
        assert_eq!(taken["message"]["path"][0], "has already been taken");
        t.anonymous().post("/api/v4/projects", json!({ "name": "x1" })).await.expect(401);
    })
    .await;
}

#[tokio::test]
async fn settings_come_with_it() {
    for_each_database(async |t| {
        let world = t.world().await;
        let sam = world.sam.client(&t);
        let body = json!({
            "name": "set", "description": "d", "visibility": "public", "topics": ["Rust", "rust", "water"],
            "issues_access_level": "private", "wiki_enabled": false, "merge_method": "ff", "build_timeout": 7200,
            "default_branch": "trunk", "initialize_with_readme": true, "ci_config_path": "ci/x.yml",
        });
        let made = sam.post("/api/v4/projects", body).await.expect(201).json();
        assert_eq!(made["topics"], json!(["Rust", "water"]));
        assert_eq!(
            (made["issues_access_level"].as_str(), made["wiki_access_level"].as_str()),
            (Some("private"), Some("disabled"))
        );
        assert_eq!((made["merge_method"].as_str(), made["build_timeout"].as_i64()), (Some("ff"), Some(7200)));
        assert_eq!(made["default_branch"], "trunk");
        assert_eq!(made["empty_repo"], false, "the README is there");
        assert_eq!(made["ci_config_path"], "ci/x.yml");
        for (field, value) in [
            ("visibility", json!("secret")),
            ("merge_method", json!("magic")),
            ("build_timeout", json!(1)),
            ("topics", json!([{}])),
            ("issues_access_level", json!("some")),
            ("default_branch", json!("a..b")),
            ("ci_config_path", json!("../x")),
            ("import_url", json!("file:///etc/passwd")),
            ("namespace_id", json!(987_654)),
            ("description", json!("x".repeat(2001))),
        ] {
            let mut body = json!({ "path": "bad" });
            body[field] = value;
            sam.post("/api/v4/projects", body).await.expect(400);
        }
        sam.get("/api/v4/projects/sam%2Fbad").await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn levels_and_limits() {
    for_each_database(async |t| {
        let world = t.world().await;
        let group = world.mill.id;
        let make = |n: &str| json!({ "path": n, "namespace_id": group });
        world.dana.client(&t).post("/api/v4/projects", make("danas")).await.expect(201);
        world.rita.client(&t).post("/api/v4/projects", make("ritas")).await.expect(403);
        world.sam.client(&t).post("/api/v4/projects", make("sams")).await.expect(403);
        let olive = world.olive.client(&t);
        olive.put("/api/v4/groups/mill", json!({ "project_creation_level": "maintainer" })).await.expect(200);
        world.dana.client(&t).post("/api/v4/projects", make("danas2")).await.expect(403);
        world.mats.client(&t).post("/api/v4/projects", make("mats2")).await.expect(201);
        olive.put("/api/v4/groups/mill", json!({ "project_creation_level": "noone" })).await.expect(200);
        olive.post("/api/v4/projects", make("olives")).await.expect(403);
        t.app.db().run("UPDATE users SET projects_limit = 1 WHERE id = $1", [world.sam.id.into()]).await.unwrap();
        let sam = world.sam.client(&t);
        sam.post("/api/v4/projects", json!({ "path": "one" })).await.expect(201);
        assert!(sam.post("/api/v4/projects", json!({ "path": "two" })).await.expect(400).text().contains("limit"));
        let sams = sam.get("/api/v4/namespaces/sam").await.expect(200).json()["id"].clone();
        olive.post("/api/v4/projects", json!({ "path": "x1", "namespace_id": sams })).await.expect(403);
        let higher = json!({ "path": "p1", "name": "p1", "visibility": "internal" });
        let inner = olive
            .post(
                "/api/v4/groups",
                json!({ "path": "dark", "name": "dark", "parent_id": group, "visibility": "private" }),
            )
            .await;
        let mut higher_inside = higher.clone();
        higher_inside["namespace_id"] = inner.expect(201).json()["id"].clone();
        assert!(olive.post("/api/v4/projects", higher_inside).await.expect(400).text().contains("visibility_level"));
    })
    .await;
}

#[tokio::test]
async fn two_at_once_and_one_wins() {
    for_each_database(async |t| {
        let world = t.world().await;
        let client = world.olive.client(&t);
        let group = world.mill.id;
        let project =
            async |_: usize| client.post("/api/v4/projects", json!({ "path": "same", "namespace_id": group })).await;
        let folder = async |_: usize| {
            client.post("/api/v4/groups", json!({ "path": "same", "name": "same", "parent_id": group })).await
        };
        let (a, b, c, d, e, f) = tokio::join!(project(1), folder(2), project(3), folder(4), project(5), folder(6));
        let statuses: Vec<u16> = [a, b, c, d, e, f].iter().map(|x| x.status.as_u16()).collect();
        assert_eq!(statuses.iter().filter(|s| **s == 201).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|s| matches!(s, 201 | 400 | 409)), "{statuses:?}");
    })
    .await;
}

#[tokio::test]
async fn administrators_make_projects_for_others() {
    for_each_database(async |t| {
        let world = t.world().await;
        let path = format!("/api/v4/projects/user/{}", world.sam.id);
        world.olive.client(&t).post(&path, json!({ "name": "gift" })).await.expect(403);
        let made = world.root.client(&t).post(&path, json!({ "name": "gift" })).await.expect(201).json();
        assert_eq!(made["path_with_namespace"], "sam/gift");
        world.sam.client(&t).put("/api/v4/projects/sam%2Fgift", json!({ "name": "mine" })).await.expect(200);
        world.root.client(&t).post("/api/v4/projects/user/99999", json!({ "name": "gift" })).await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn groups_are_made_where_one_may() {
    for_each_database(async |t| {
        let world = t.world().await;
        let sam = world.sam.client(&t);
        let missing = sam.post("/api/v4/groups", json!({})).await.expect(400).json();
        assert_eq!(missing["error"], "name is missing, path is missing");
        let made = sam
            .post("/api/v4/groups", json!({ "name": "Sea", "path": "sea", "visibility": "public" }))
            .await
            .expect(201)
            .json();
        assert_eq!((made["full_name"].as_str(), made["visibility"].as_str()), (Some("Sea"), Some("public")));
        sam.post("/api/v4/groups", json!({ "name": "x", "path": "xx", "parent_id": world.mill.id })).await.expect(403);
        world
            .mats
            .client(&t)
            .post("/api/v4/groups", json!({ "name": "x", "path": "xx", "parent_id": world.mill.id }))
            .await
            .expect(201);
        world
            .dana
            .client(&t)
            .post("/api/v4/groups", json!({ "name": "y", "path": "yy", "parent_id": world.mill.id }))
            .await
            .expect(403);
        t.app.db().run("UPDATE users SET can_create_group = FALSE WHERE id = $1", [world.sam.id.into()]).await.unwrap();
        sam.post("/api/v4/groups", json!({ "name": "z", "path": "zz" })).await.expect(403);
        let olive = world.olive.client(&t);
        let mut parent = Value::Null;
        for depth in 0..21 {
            let answer = olive
                .post("/api/v4/groups", json!({ "name": "d", "path": format!("dd{depth}"), "parent_id": parent }))
                .await;
            if depth == 20 {
                assert!(answer.expect(400).text().contains("too deep"));
                break;
            }
            parent = answer.expect(201).json()["id"].clone();
        }
    })
    .await;
}

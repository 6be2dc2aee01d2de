//! One project: change, star, fork, picture, delete.

use http::Method;
use serde_json::{Value, json};
use testkit::for_each_database;

use crate::{GIF, column, file_form, ids, send_file};

#[tokio::test]
async fn changes() {
    for_each_database(async |t| {
        let world = t.world().await;
        let mats = world.mats.client(&t);
        let here = "/api/v4/projects/mill%2Fwheel";
        let changed = mats
            .put(
                here,
                json!({ "name": "Wheel", "description": "**Turns.**", "lfs_enabled": false, "jobs_enabled": false }),
            )
            .await;
        let changed = changed.expect(200).json();
        assert_eq!((changed["name"].as_str(), changed["lfs_enabled"].as_bool()), (Some("Wheel"), Some(false)));
        assert_eq!(changed["builds_access_level"], "disabled");
        assert!(changed["description_html"].as_str().unwrap().contains("<strong>Turns.</strong>"));
        assert_eq!(changed["path"], "wheel");
        let form = mats
            .send(mats.request(Method::PUT, here).form(&[
                ("topics[]", "a"),
                ("topics[]", "b"),
                ("public_jobs", "false"),
            ]))
            .await;
        let form = form.expect(200).json();
        assert_eq!((form["topics"].clone(), form["public_jobs"].as_bool()), (json!(["a", "b"]), Some(false)));
        assert_eq!(form["name"], "Wheel", "what is absent stays");
        mats.put(here, json!({ "path": "other" })).await.expect(403);
        mats.put(here, json!({ "visibility": "public" })).await.expect(403);
        let reporter = world.rita.client(&t).get(here).await.expect(200).json();
        assert!(
            reporter.get("build_timeout").is_none() && reporter.get("import_url").is_none(),
            "for maintainers only"
        );
        let guest = world.gus.client(&t).get(here).await.expect(200).json();
        assert!(
            guest.get("default_branch").is_none() && guest.get("forks_count").is_none(),
            "guests don't read the code"
        );
        assert_eq!(guest["permissions"]["group_access"]["access_level"], 10);
    })
    .await;
}

#[tokio::test]
async fn forks() {
    for_each_database(async |t| {
        let world = t.world().await;
        let (sam, olive) = (world.sam.client(&t), world.olive.client(&t));
        let fork = sam.post("/api/v4/projects/mill%2Frace/fork", json!({})).await.expect(201).json();
        assert_eq!(
            (fork["path_with_namespace"].as_str(), fork["visibility"].as_str()),
            (Some("sam/race"), Some("internal"))
        );
        assert_eq!(fork["forked_from_project"]["path_with_namespace"], "mill/race");
        sam.post("/api/v4/projects/mill%2Frace/fork", json!({})).await.expect(409);
        sam.post("/api/v4/projects/mill%2Frace/fork", json!({ "path": "race2", "namespace_path": "mill" }))
            .await
            .expect(403);
        sam.post("/api/v4/projects/mill%2Frace/fork", json!({ "namespace_id": 99_999 })).await.expect(404);
        t.anonymous().post("/api/v4/projects/mill%2Fpond/fork", json!({})).await.expect(401);
        world.gus.client(&t).post("/api/v4/projects/mill%2Fwheel/fork", json!({})).await.expect(403);
        assert_eq!(
            column(&olive.get("/api/v4/projects/mill%2Frace/forks").await.json(), "path_with_namespace"),
            ["sam/race"]
        );
        assert_eq!(olive.get("/api/v4/projects/mill%2Frace").await.json()["forks_count"], 1);
        sam.delete("/api/v4/projects/sam%2Frace/fork").await.expect(204);
        sam.delete("/api/v4/projects/sam%2Frace/fork").await.expect(304);
        let link = format!("/api/v4/projects/sam%2Frace/fork/{}", world.race.id);
        sam.post(&link, Value::Null).await.expect(403);
        world.root.client(&t).post(&link, Value::Null).await.expect(201);
        // The source's deletion ends the relation and not the fork.
        olive.delete("/api/v4/projects/mill%2Frace").await.expect(202);
        let left = sam.get("/api/v4/projects/sam%2Frace").await.expect(200).json();
        assert!(left.get("forked_from_project").is_none());
    })
    .await;
}

#[tokio::test]
async fn pictures() {
    for_each_database(async |t| {
        let world = t.world().await;
        let mats = world.mats.client(&t);
        let here = "/api/v4/projects/mill%2Fwheel";
        let shown = send_file(&mats, Method::PUT, here, file_form("avatar", "a.gif", GIF)).await.expect(200).json();
        let url = shown["avatar_url"].as_str().unwrap();
        let path = &url[url.find("/uploads/").unwrap()..];
        let picture = mats.get(path).await.expect(200);
        assert_eq!((picture.header("content-type"), &picture.body[..]), ("image/gif", GIF));
        assert!(picture.header("content-security-policy").contains("sandbox"));
        world.sam.client(&t).get(path).await.expect(404);
        assert_eq!(&mats.get(format!("{here}/avatar")).await.expect(200).body[..], GIF);
        let script = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";
        send_file(&mats, Method::PUT, here, file_form("avatar", "a.png", script)).await.expect(400);
        send_file(&mats, Method::PUT, here, file_form("avatar", "a.gif", &[GIF, &[0; 300 * 1024]].concat()))
            .await
            .expect(400);
        send_file(&world.dana.client(&t), Method::PUT, here, file_form("avatar", "a.gif", GIF)).await.expect(403);
        mats.put(here, json!({ "avatar": "" })).await.expect(200);
        mats.get(path).await.expect(404);
        mats.get(format!("{here}/avatar")).await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn deletion() {
    for_each_database(async |t| {
        let world = t.world().await;
        let olive = world.olive.client(&t);
        olive.delete("/api/v4/projects/mill%2Fwheel?full_path=mill%2Fwheels").await.expect(400);
        let gone = olive.delete("/api/v4/projects/mill%2Fwheel?full_path=mill%2Fwheel").await.expect(202).json();
        assert_eq!(gone["message"], "202 Accepted");
        olive.get("/api/v4/projects/mill%2Fwheel").await.expect(404);
        olive.get(format!("/api/v4/projects/{}", world.wheel.id)).await.expect(404);
        let folder = world.wheel.repository_path(&t.app);
        t.eventually("the repository's removal", async || (!folder.exists()).then_some(())).await;
        let again = olive
            .post("/api/v4/projects", json!({ "path": "wheel", "namespace_id": world.mill.id }))
            .await
            .expect(201)
            .json();
        assert_ne!(again["id"].as_i64(), Some(world.wheel.id), "ids are never used twice");
    })
    .await;
}

#[tokio::test]
async fn people_and_groups_of_a_project() {
    for_each_database(async |t| {
        let world = t.world().await;
        let dana = world.dana.client(&t);
        let users = dana.get("/api/v4/projects/mill%2Fwheel/users?per_page=100").await.expect(200).json();
        assert_eq!(users.as_array().unwrap().len(), 6);
        assert_eq!(
            column(&dana.get("/api/v4/projects/mill%2Fwheel/users?search=gu").await.json(), "username"),
            ["gus"]
        );
        assert_eq!(column(&dana.get("/api/v4/projects/mill%2Fwheel/groups").await.json(), "full_path"), ["mill"]);
        let olive = world.olive.client(&t);
        olive.post("/api/v4/groups", json!({ "name": "Sea", "path": "sea" })).await.expect(201);
        assert_eq!(
            column(&olive.get("/api/v4/projects/mill%2Fwheel/transfer_locations").await.json(), "full_path"),
            ["sea"]
        );
        assert!(ids(&dana.get("/api/v4/projects/mill%2Fwheel/invited_groups").await.json()).is_empty());
        let import = dana.get("/api/v4/projects/mill%2Fwheel/import").await.expect(200).json();
        assert_eq!((import["import_status"].as_str(), import["path"].as_str()), (Some("none"), Some("wheel")));
    })
    .await;
}

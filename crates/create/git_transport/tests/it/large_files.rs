//! Git LFS with the real client, and its API by hand.

use http::Method;
use serde_json::{Value, json};
use testkit::{Person, TestApp, for_each_database};

use crate::support::{commit, run, told, work_tree};

const HELLO: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

async fn lfs(folder: &std::path::Path, args: &[&str]) -> testkit::GitOutput {
    run(folder, "git", args, &[("GIT_CONFIG_GLOBAL", "/dev/null")]).await
}

async fn with_lfs(t: &TestApp, name: &str) -> std::path::PathBuf {
    let work = work_tree(t, name).await;
    lfs(&work, &["lfs", "install", "--local"]).await.expect_ok();
    lfs(&work, &["lfs", "track", "*.bin"]).await.expect_ok();
    work
}

async fn call(t: &TestApp, person: &Person, path: &str, body: Value) -> testkit::Answer {
    let client = t.anonymous();
    let request = client.request(Method::POST, format!("/{path}")).basic_auth(&person.username, Some(&person.token));
    client.send(request.json(&body)).await
}

#[tokio::test]
async fn large_files_are_pushed_and_cloned() {
    for_each_database(async |t| {
        let w = t.world().await;
        let work = with_lfs(&t, "source").await;
        let text = "large ".repeat(3_000_000);
        commit(&work, "a.bin", &text).await;
        commit(&work, "b.bin", "small").await;
        let remote = t.remote(&w.dana, "dana/large");
        lfs(&work, &["remote", "add", "origin", &remote]).await.expect_ok();
        lfs(&work, &["push", "-q", "origin", "main"]).await.expect_ok();
        assert_eq!(told(&t).await.len(), 1);
        lfs(t.scratch(), &["clone", "-q", &remote, "clone"]).await.expect_ok();
        let clone = t.scratch().join("clone");
        lfs(&clone, &["lfs", "install", "--local"]).await.expect_ok();
        lfs(&clone, &["lfs", "pull"]).await.expect_ok();
        assert_eq!(std::fs::read_to_string(clone.join("a.bin")).unwrap(), text);
        assert_eq!(std::fs::read_to_string(clone.join("b.bin")).unwrap(), "small");
        lfs(&clone, &["lfs", "fsck"]).await.expect_ok();
    })
    .await;
}

#[tokio::test]
async fn locks_are_taken_seen_and_given_back() {
    for_each_database(async |t| {
        let w = t.world().await;
        let work = with_lfs(&t, "source").await;
        commit(&work, "a.bin", "x").await;
        lfs(&work, &["remote", "add", "origin", &t.remote(&w.dana, "mill/wheel")]).await.expect_ok();
        lfs(&work, &["push", "-q", "origin", "main"]).await.expect_ok();
        lfs(&work, &["lfs", "lock", "a.bin"]).await.expect_ok();
        let listed = lfs(&work, &["lfs", "locks"]).await.expect_ok();
        assert!(listed.contains("a.bin") && listed.contains("dana"), "{listed}");
        lfs(&work, &["lfs", "lock", "a.bin"]).await.expect_failure();
        let found = call(&t, &w.mats, "mill/wheel.git/info/lfs/locks/verify", json!({})).await.expect(200).json();
        assert_eq!((found["ours"].as_array().unwrap().len(), found["theirs"][0]["path"].as_str()), (0, Some("a.bin")));
        let path = format!("mill/wheel.git/info/lfs/locks/{}/unlock", found["theirs"][0]["id"].as_str().unwrap());
        call(&t, &w.rita, &path, json!({ "force": true })).await.expect(403);
        call(&t, &w.mats, &path, json!({})).await.expect(403);
        call(&t, &w.mats, &path, json!({ "force": true })).await.expect(200);
        call(&t, &w.mats, &path, json!({ "force": true })).await.expect(404);
        lfs(&work, &["lfs", "lock", "a.bin"]).await.expect_ok();
        lfs(&work, &["lfs", "unlock", "a.bin"]).await.expect_ok();
        call(&t, &w.rita, "mill/wheel.git/info/lfs/locks", json!({ "path": "b" })).await.expect(403);
        call(&t, &w.dana, "mill/wheel.git/info/lfs/locks", json!({ "path": "../b" })).await.expect(422);
    })
    .await;
}

#[tokio::test]
async fn what_is_uploaded_must_be_what_was_announced() {
    for_each_database(async |t| {
        let w = t.world().await;
        let batch = async |person: &Person, project: &str, operation: &str| {
            let body = json!({ "operation": operation, "objects": [{ "oid": HELLO, "size": 5 }] });
            call(&t, person, &format!("{project}.git/info/lfs/objects/batch"), body).await
        };
        let offered = batch(&w.dana, "mill/wheel", "upload").await.expect(200).json();
        let upload = &offered["objects"][0]["actions"]["upload"];
        let authorization = upload["header"]["Authorization"].as_str().unwrap().to_owned();
        let path = upload["href"].as_str().unwrap().strip_prefix(&t.url).unwrap().to_owned();
        let put = async |path: &str, body: &'static str| {
            let client = t.anonymous();
            client.send(client.request(Method::PUT, path).header("authorization", &authorization).body(body)).await
        };
        put(&path, "hullo").await.expect(422);
        put(&path, "hell").await.expect(422);
        put(&path, "hello, world").await.expect(422);
        put(&path.replace("wheel", "race"), "hello").await.expect(401);
        assert!(batch(&w.dana, "mill/wheel", "download").await.json()["objects"][0]["error"]["code"] == 404);
        put(&path, "hello").await.expect(200);
        let offered = batch(&w.rita, "mill/wheel", "download").await.expect(200).json();
        let download = &offered["objects"][0]["actions"]["download"];
        let path = download["href"].as_str().unwrap().strip_prefix(&t.url).unwrap();
        let client = t.anonymous();
        let get = || {
            client
                .request(Method::GET, path)
                .header("authorization", download["header"]["Authorization"].as_str().unwrap())
        };
        assert_eq!(client.send(get()).await.expect(200).text(), "hello");
        let part = client.send(get().header("range", "bytes=1-3")).await.expect(206);
        assert_eq!((part.text().as_str(), part.header("content-range")), ("ell", "bytes 1-3/5"));
        client.send(get().header("range", "bytes=9-")).await.expect(416);
        // That one project has an object says nothing to another.
        let other = batch(&w.dana, "dana/other", "upload").await.expect(200).json();
        assert!(other["objects"][0]["actions"]["upload"].is_object());
        assert!(batch(&w.dana, "mill/race", "download").await.json()["objects"][0]["error"]["code"] == 404);
        batch(&w.sam, "mill/wheel", "download").await.expect(404);
        batch(&w.rita, "mill/wheel", "upload").await.expect(403);
        batch(&w.dana, "mill/wheel", "remove").await.expect(422);
        t.anonymous()
            .post("/mill/wheel.git/info/lfs/objects/batch", json!({ "operation": "download" }))
            .await
            .expect(401);
        call(&t, &w.dana, "mill/wheel.git/info/lfs/verify", json!({ "oid": HELLO, "size": 5 })).await.expect(200);
        call(&t, &w.dana, "mill/wheel.git/info/lfs/verify", json!({ "oid": HELLO, "size": 6 })).await.expect(422);
        let odd = json!({ "operation": "download", "objects": [{ "oid": "../../etc/passwd", "size": 1 }] });
        let answer = call(&t, &w.dana, "mill/wheel.git/info/lfs/objects/batch", odd).await.expect(200).json();
        assert_eq!(answer["objects"][0]["error"]["code"], 422);
    })
    .await;
}

use std::io::Read;

use serde_json::{Value, json};
use testkit::{Client, TestApp, World, for_each_database};

use crate::support::{api, configured, job, keys, reaches};

const PROJECT: &str = "mill/pond";
const YAML: &str = "build:
  script:
    - mkdir -p out/deep
    - echo one > out/one.txt
    - echo '<script>alert(1)</script>' > out/deep/page.html
    - echo odd > 'out/a b%2F&.txt'
  artifacts: {paths: [out], expire_in: 1 week}
secret:
  script: [echo s > s.txt]
  artifacts: {paths: [s.txt], access: maintainer}
plain: {script: ['true']}
";

async fn built(t: &TestApp, w: &World) -> (Client, Value) {
    let mats = w.mats.client(t);
    let made = configured(t, &mats, PROJECT, YAML).await;
    (mats.clone(), reaches(t, &mats, PROJECT, &made, "success").await)
}

#[tokio::test]
async fn archives_and_their_files_are_downloaded() {
    for_each_database(async |t| {
        let w = t.world().await;
        let (mats, made) = built(&t, &w).await;
        let build = job(&mats, PROJECT, &made, "build").await;
        assert_eq!(keys(&build["artifacts_file"]), ["filename", "size"]);
        assert!(build["artifacts_expire_at"].is_string(), "{build}");
        let at = format!("{}/jobs/{}/artifacts", api(PROJECT), build["id"]);
        let zip = mats.get(&at).await.expect(200);
        assert_eq!(
            (zip.header("content-type"), zip.header("content-security-policy")),
            ("application/zip", "sandbox; default-src 'none'")
        );
        assert!(zip.header("content-disposition").starts_with("attachment; filename=\"artifacts.zip\""));
        let mut archive = zip::ZipArchive::new(std::io::Cursor::new(zip.body.to_vec())).unwrap();
        let mut text = String::new();
        archive.by_name("out/one.txt").unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "one\n");
        assert_eq!(mats.get(format!("{at}/out/one.txt")).await.expect(200).text(), "one\n");
        assert_eq!(mats.get(format!("{at}/out/a%20b%252F%26.txt")).await.expect(200).text(), "odd\n");
        let page = mats.get(format!("{at}/out/deep/page.html")).await.expect(200);
        assert!(
            page.header("content-type").starts_with("text/plain")
                && page.header("content-disposition").starts_with("attachment")
        );
        for (path, status) in [
            ("out/none", 404),
            ("out", 404),
            ("out/..%2Fone.txt", 400),
            ("%2e%2e/x", 400),
            ("out//one.txt", 400),
            ("a%00b", 400),
            ("%ff", 400),
        ] {
            let answer = mats.get(format!("{at}/{path}")).await;
            assert!(answer.status == status || answer.status == 404, "{path}: {}", answer.status);
        }
        let by_ref = format!("{}/jobs/artifacts/main", api(PROJECT));
        assert_eq!(mats.get(format!("{by_ref}/download?job=build")).await.expect(200).body, zip.body);
        assert_eq!(mats.get(format!("{by_ref}/raw/out/one.txt?job=build")).await.expect(200).text(), "one\n");
        mats.get(format!("{by_ref}/download?job=none")).await.expect(404);
        mats.get(format!("{by_ref}/download?job=plain")).await.expect(404);
        assert_eq!(
            mats.get(format!("{by_ref}/download")).await.expect(400).json(),
            json!({ "error": "job is missing" })
        );
        mats.get(format!("{}/jobs/artifacts/nowhere/download?job=build", api(PROJECT))).await.expect(404);
        let tree = mats.get(format!("{at}/tree?path=out")).await.expect(200).json();
        let names: Vec<_> = tree
            .as_array()
            .unwrap()
            .iter()
            .map(|e| (e["name"].as_str().unwrap(), e["type"].as_str().unwrap()))
            .collect();
        assert_eq!(names, [("a b%2F&.txt", "file"), ("deep", "directory"), ("one.txt", "file")]);
    })
    .await;
}

#[tokio::test]
async fn artifacts_are_kept_and_deleted() {
    for_each_database(async |t| {
        let w = t.world().await;
        let (mats, made) = built(&t, &w).await;
        let (build, plain) = (job(&mats, PROJECT, &made, "build").await, job(&mats, PROJECT, &made, "plain").await);
        let at = format!("{}/jobs/{}/artifacts", api(PROJECT), build["id"]);
        let dana = w.dana.client(&t);
        dana.post(format!("{at}/keep"), json!({})).await.expect(403);
        let kept = mats.post(format!("{at}/keep"), json!({})).await.expect(200).json();
        assert!(kept["artifacts_expire_at"].is_null(), "{kept}");
        mats.post(format!("{}/jobs/{}/artifacts/keep", api(PROJECT), plain["id"]), json!({})).await.expect(404);
        // The last successful pipeline of a branch keeps what it has.
        assert_eq!(
            mats.delete(format!("{}/artifacts", api(PROJECT))).await.expect(202).json(),
            json!({ "message": "202 Accepted" })
        );
        mats.get(&at).await.expect(200);
        dana.delete(&at).await.expect(403);
        mats.delete(&at).await.expect(204);
        mats.get(&at).await.expect(404);
        let log = mats.get(format!("{}/jobs/{}/trace", api(PROJECT), build["id"])).await.expect(200);
        assert!(!log.body.is_empty(), "the log stays");
        configured(&t, &mats, PROJECT, &YAML.replace("plain", "other")).await;
        let secret = job(&mats, PROJECT, &made, "secret").await;
        t.eventually("the second pipeline", async || {
            let latest = mats.get(format!("{}/pipelines/latest", api(PROJECT))).await.json();
            (latest["status"] == "success" && latest["id"] != made["id"]).then_some(())
        })
        .await;
        mats.delete(format!("{}/artifacts", api(PROJECT))).await.expect(202);
        mats.get(format!("{}/jobs/{}/artifacts", api(PROJECT), secret["id"])).await.expect(404);
        dana.delete(format!("{}/artifacts", api(PROJECT))).await.expect(403);
        t.anonymous().delete(format!("{}/artifacts", api(PROJECT))).await.expect(401);
    })
    .await;
}

#[tokio::test]
async fn artifacts_are_for_those_whom_the_job_lets() {
    for_each_database(async |t| {
        let w = t.world().await;
        let (mats, made) = built(&t, &w).await;
        let (build, secret) = (job(&mats, PROJECT, &made, "build").await, job(&mats, PROJECT, &made, "secret").await);
        let of = |id: &Value| format!("{}/jobs/{id}/artifacts", api(PROJECT));
        t.anonymous().get(of(&build["id"])).await.expect(200);
        w.sam.client(&t).get(of(&build["id"])).await.expect(200);
        mats.get(of(&secret["id"])).await.expect(200);
        w.dana.client(&t).get(of(&secret["id"])).await.expect(403);
        w.dana.client(&t).get(format!("{}/s.txt", of(&secret["id"]))).await.expect(403);
        t.anonymous().get(of(&secret["id"])).await.expect(403);
        mats.put(api(PROJECT), json!({ "public_jobs": false })).await.expect(200);
        t.anonymous().get(of(&build["id"])).await.expect(401);
        w.sam.client(&t).get(of(&build["id"])).await.expect(403);
        w.gus.client(&t).get(format!("{}/jobs/{}/trace", api(PROJECT), build["id"])).await.expect(403);
        w.rita.client(&t).get(of(&build["id"])).await.expect(200);
        w.sam.client(&t).get(format!("{}/pipelines", api(PROJECT))).await.expect(200);
    })
    .await;
}

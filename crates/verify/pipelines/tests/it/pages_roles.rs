//! Who sees which page, and what is shown to whom.

use serde_json::{Value, json};
use testkit::{Client, TestApp, World, for_each_database};

use crate::support::{api, configured, job, reaches};

const YAML: &str = "stages: [a, b]
make: {stage: a, script: ['mkdir out; echo yes > out/a.txt; echo in the log'], artifacts: {paths: [out]}}
hand: {stage: b, when: manual, script: 'true'}
";

async fn prepared(t: &TestApp, w: &World, project: &str) -> (Value, Value) {
    let mats = w.mats.client(t);
    let made = configured(t, &mats, project, YAML).await;
    reaches(t, &mats, project, &made, "success").await;
    let make = job(&mats, project, &made, "make").await;
    (made, make)
}

/// The pages that those see who see pipelines.
fn open_pages(project: &str, made: &Value, make: &Value) -> Vec<String> {
    let (pipeline, job) = (&made["id"], &make["id"]);
    let rest = [
        "pipelines".to_owned(),
        "pipelines?scope=finished&status=success&source=api&ref=main".to_owned(),
        format!("pipelines/{pipeline}"),
        format!("pipelines/{pipeline}?arrange=needs"),
        "pipelines/latest".to_owned(),
        "jobs".to_owned(),
        "jobs?status=success".to_owned(),
        format!("jobs/{job}"),
        "badges/main/pipeline.svg".to_owned(),
        "badges/main/coverage.svg?key_text=c&style=flat-square".to_owned(),
    ];
    rest.iter().map(|r| format!("/{project}/-/{r}")).collect()
}

/// The pages with what jobs wrote.
fn job_pages(project: &str, make: &Value) -> Vec<String> {
    let rest = ["raw", "artifacts/browse", "artifacts/browse/out", "artifacts/file/out/a.txt", "artifacts/download"];
    rest.iter().map(|r| format!("/{project}/-/jobs/{}/{r}", make["id"])).collect()
}

async fn statuses(client: &Client, pages: &[String]) -> Vec<u16> {
    let mut out = vec![];
    for page in pages {
        out.push(client.page(page).await.status.as_u16());
    }
    out
}

fn all_are(found: &[u16], wanted: u16, who: &str, pages: &[String]) {
    for (status, page) in found.iter().zip(pages) {
        assert_eq!(*status, wanted, "{page} for {who}");
    }
}

#[tokio::test]
async fn pages_are_for_those_who_see_the_project() {
    for_each_database(async |t| {
        let w = t.world().await;
        for (project, inside) in [("mill/wheel", "members"), ("mill/race", "known"), ("mill/pond", "all")] {
            let (made, make) = prepared(&t, &w, project).await;
            let (open, of_jobs) = (open_pages(project, &made, &make), job_pages(project, &make));
            for person in w.people() {
                let browser = person.browser(&t).await;
                let name = person.username.as_str();
                let member = !matches!(name, "sam" | "eve");
                let sees = member || inside == "all" || (inside == "known" && name == "sam");
                all_are(&statuses(&browser, &open).await, if sees { 200 } else { 404 }, name, &open);
                // The artifacts of a private project are for reporters.
                let reads = sees && (inside != "members" || !matches!(name, "gus" | "paula"));
                all_are(&statuses(&browser, &of_jobs[1..]).await, if reads { 200 } else { 404 }, name, &of_jobs[1..]);
                assert_eq!(browser.page(&of_jobs[0]).await.status, if sees { 200 } else { 404 }, "{name}");
                let develops = matches!(name, "root" | "olive" | "mats" | "dana");
                let page = browser.page(format!("/{project}/-/pipelines/new")).await.status;
                assert_eq!(
                    page,
                    if develops {
                        200
                    } else if sees {
                        403
                    } else {
                        404
                    },
                    "new for {name} in {project}"
                );
                let maintains = matches!(name, "root" | "olive" | "mats");
                let page = browser.page(format!("/{project}/-/settings/ci_cd")).await.status;
                assert_eq!(
                    page,
                    if maintains {
                        200
                    } else if sees {
                        403
                    } else {
                        404
                    },
                    "settings for {name} in {project}"
                );
                let page = browser.page("/admin/runners").await.status;
                assert_eq!(page, if name == "root" { 200 } else { 404 });
                let page = browser.page("/groups/mill/-/settings/ci_cd").await.status;
                assert_eq!(page, if matches!(name, "root" | "olive") { 200 } else { 403 }, "group for {name}");
            }
            let anonymous = t.anonymous();
            let wanted = if inside == "all" { 200 } else { 404 };
            all_are(&statuses(&anonymous, &open).await, wanted, "nobody", &open);
            all_are(&statuses(&anonymous, &of_jobs).await, wanted, "nobody", &of_jobs);
        }
        // Whoever isn't signed in is sent to sign in where that may help.
        let answer = t.anonymous().page("/mill/pond/-/pipelines/new").await.expect(303);
        assert!(answer.header("location").starts_with("/users/sign_in"));
    })
    .await;
}

#[tokio::test]
async fn what_jobs_wrote_can_be_kept_to_members() {
    for_each_database(async |t| {
        let w = t.world().await;
        let (made, make) = prepared(&t, &w, "mill/pond").await;
        let (hidden, _) = prepared(&t, &w, "mill/wheel").await;
        for project in ["mill/pond", "mill/wheel"] {
            w.olive.client(&t).put(api(project), json!({ "public_jobs": false })).await.expect(200);
        }
        let (open, of_jobs) = (open_pages("mill/pond", &made, &make), job_pages("mill/pond", &make));
        for (person, reads) in [(&w.rita, true), (&w.gus, false), (&w.sam, false)] {
            let browser = person.browser(&t).await;
            all_are(&statuses(&browser, &open).await, 200, &person.username, &open);
            let raw = browser.page(&of_jobs[0]).await.status.as_u16();
            assert_eq!(raw, if reads { 200 } else { 403 });
            all_are(
                &statuses(&browser, &of_jobs[1..]).await,
                if reads { 200 } else { 404 },
                &person.username,
                &of_jobs,
            );
            let page = browser.page(format!("/mill/pond/-/jobs/{}", make["id"])).await.text();
            assert_eq!(page.contains("in the log"), reads, "{}", person.username);
        }
        let gus = w.gus.browser(&t).await;
        assert_eq!(gus.page(format!("/mill/wheel/-/pipelines/{}", hidden["id"])).await.status, 404);
    })
    .await;
}

#[tokio::test]
async fn artifacts_can_be_kept_to_developers() {
    for_each_database(async |t| {
        let w = t.world().await;
        let mats = w.mats.client(&t);
        let yaml = "make: {script: ['mkdir out; echo 1 > out/a.txt'], artifacts: {paths: [out], access: developer}}";
        let made = configured(&t, &mats, "mill/pond", yaml).await;
        reaches(&t, &mats, "mill/pond", &made, "success").await;
        let make = job(&mats, "mill/pond", &made, "make").await;
        let download = format!("/mill/pond/-/jobs/{}/artifacts/download", make["id"]);
        for (person, wanted) in [(&w.dana, 200), (&w.rita, 404), (&w.sam, 404)] {
            assert_eq!(person.browser(&t).await.page(&download).await.status.as_u16(), wanted, "{}", person.username);
        }
    })
    .await;
}

#[tokio::test]
async fn changes_are_for_developers() {
    for_each_database(async |t| {
        let w = t.world().await;
        let (made, make) = prepared(&t, &w, "mill/pond").await;
        let hand = job(&w.mats.client(&t), "mill/pond", &made, "hand").await;
        let (pipeline, job, hand) = (&made["id"], &make["id"], &hand["id"]);
        let paths = [
            format!("/mill/pond/-/jobs/{job}/retry"),
            format!("/mill/pond/-/jobs/{job}/cancel"),
            format!("/mill/pond/-/jobs/{hand}/play"),
            format!("/mill/pond/-/jobs/{job}/erase"),
            format!("/mill/pond/-/jobs/{job}/artifacts/keep"),
            format!("/mill/pond/-/jobs/{job}/artifacts/delete"),
            format!("/mill/pond/-/pipelines/{pipeline}/retry"),
            format!("/mill/pond/-/pipelines/{pipeline}/cancel"),
            format!("/mill/pond/-/pipelines/{pipeline}/delete"),
            "/mill/pond/-/pipelines".to_owned(),
            "/mill/pond/-/settings/ci_cd".to_owned(),
            "/mill/pond/-/settings/ci_cd/variables".to_owned(),
        ];
        for person in [&w.rita, &w.paula, &w.gus, &w.sam, &w.eve] {
            let browser = person.browser(&t).await;
            for path in &paths {
                assert_eq!(browser.form(path, &[]).await.status, 403, "{path} for {}", person.username);
            }
        }
        for path in &paths {
            let status = t.anonymous().form(path, &[]).await.status;
            assert!(status == 401 || status == 303, "{path} for nobody: {status}");
        }
        // Nothing was changed.
        let now = w.mats.client(&t).get(format!("{}/pipelines/{pipeline}", api("mill/pond"))).await.expect(200).json();
        assert_eq!(now["status"], "success");
        // Main is protected and developers don't push to it, so they don't run it either.
        let dana = w.dana.browser(&t).await;
        assert_eq!(dana.form(&paths[0], &[]).await.status, 403);
        // Owners delete.
        let olive = w.olive.browser(&t).await;
        olive.form(&paths[8], &[]).await.expect(303);
        assert_eq!(olive.page(format!("/mill/pond/-/pipelines/{pipeline}")).await.status, 404);
    })
    .await;
}

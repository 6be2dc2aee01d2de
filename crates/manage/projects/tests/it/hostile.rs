//! Inputs that mean harm or nonsense: refused in words, never a 500.

use serde_json::{Value, json};
use testkit::for_each_database;

const ODD: &[&str] = &[
    "",
    " ",
    "..",
    ".",
    "-x",
    "x.git",
    "x.atom",
    "a/b",
    "a b",
    "a\0b",
    "a\nb",
    "%2e%2e",
    "<script>",
    "ñandú",
    "ｍｉｌｌ",
    "\u{202e}x",
    "-",
];

#[tokio::test]
async fn odd_paths_are_refused() {
    for_each_database(async |t| {
        let world = t.world().await;
        let olive = world.olive.client(&t);
        let long = "x".repeat(4096);
        for path in ODD.iter().copied().chain([long.as_str()]) {
            let project = olive
                .post("/api/v4/projects", json!({ "path": path, "name": "n", "namespace_id": world.mill.id }))
                .await;
            let group = olive.post("/api/v4/groups", json!({ "path": path, "name": "n" })).await;
            let renamed = olive.put("/api/v4/projects/mill%2Fwheel", json!({ "path": path })).await;
            for (what, answer) in [("project", project), ("group", group), ("rename", renamed)] {
                let name_alone = what == "project" && path.trim().is_empty();
                let fits = answer.status.as_u16() == 400 || name_alone;
                assert!(fits, "{what} {path:?}: {} {}", answer.status, answer.text());
            }
        }
    })
    .await;
}

#[tokio::test]
async fn reserved_paths_are_refused_at_the_top() {
    for_each_database(async |t| {
        let world = t.world().await;
        let olive = world.olive.client(&t);
        for path in ["api", "Admin", "users", "groups", "dashboard", "explore", "projects", "uploads", "search"] {
            let answer = olive.post("/api/v4/groups", json!({ "path": path, "name": "n" })).await;
            assert_eq!(answer.status.as_u16(), 400, "{path}: {}", answer.text());
            let moved = olive.put("/api/v4/groups/mill", json!({ "path": path })).await;
            assert_eq!(moved.status.as_u16(), 400, "{path}: {}", moved.text());
        }
    })
    .await;
}

#[tokio::test]
async fn wrong_types_and_numbers() {
    for_each_database(async |t| {
        let world = t.world().await;
        let olive = world.olive.client(&t);
        for path in [
            "/projects?page=-1",
            "/projects?page=0",
            "/projects?per_page=-5",
            "/projects?per_page=x",
            "/projects?visibility=secret",
            "/projects?order_by=password",
            "/projects?sort=sideways",
            "/projects?min_access_level=7",
            "/projects?id_after=x",
            "/projects?last_activity_after=yesterday",
            "/projects?archived=perhaps",
            "/projects?pagination=keyset&order_by=id&cursor=x",
            "/groups?order_by=x",
            "/groups?min_access_level=1",
            "/groups?skip_groups=x",
            "/projects/mill%2Fwheel/members/x",
            "/projects/mill%2Fwheel/events?action=nothing",
            "/events?before=never",
            "/events?scope=mine",
            "/search?scope=all&search=x",
            "/search?scope=projects",
            "/search?search=x",
            "/topics/x",
            "/projects/mill%2Fwheel/badges/x",
        ] {
            let answer = olive.get(format!("/api/v4{path}")).await;
            assert_eq!(answer.status.as_u16(), 400, "{path}: {}", answer.text());
            assert!(answer.json()["error"].is_string(), "{path}: {}", answer.text());
        }
        for path in [
            "/projects?per_page=100000",
            "/projects?page=999999999999",
            "/projects?search=%25%27%22%5C_",
            "/projects?topic=%27%3B--",
            "/groups?search=%00",
            "/projects?search=%F0%9F%92%A7",
            "/projects/999999999999999999999",
            "/projects/..%2F..%2Fetc",
            "/projects/%00",
            "/groups/%2F",
            "/namespaces/%20",
            "/users/99999999999999999999/projects",
        ] {
            let status = olive.get(format!("/api/v4{path}")).await.status.as_u16();
            assert!(matches!(status, 200 | 400 | 404), "{path}: {status}");
        }
        for body in [
            json!([]),
            json!("x"),
            json!({ "path": {} }),
            json!({ "path": ["x"] }),
            json!({ "namespace_id": "x", "path": "yy" }),
        ] {
            olive.post("/api/v4/projects", body).await.expect(400);
        }
        let broken =
            olive.request(http::Method::POST, "/api/v4/projects").header("content-type", "application/json").body("{");
        olive.send(broken).await.expect(400);
    })
    .await;
}

#[tokio::test]
async fn markup_in_names_stays_text() {
    for_each_database(async |t| {
        let world = t.world().await;
        let sam = world.sam.client(&t);
        let nasty = "<img src=x onerror=alert(1)>\"'";
        let body =
            json!({ "path": "nasty", "name": nasty, "description": nasty, "visibility": "public", "topics": [nasty] });
        let made = sam.post("/api/v4/projects", body).await.expect(201).json();
        assert!(!made["description_html"].as_str().unwrap().contains("onerror="), "{}", made["description_html"]);
        let browser = world.sam.browser(&t).await;
        for page in [
            "/dashboard/projects",
            "/explore",
            "/sam",
            "/sam/nasty/-/edit",
            "/sam/nasty/-/project_members",
            "/search?search=nasty",
        ] {
            let html = browser.page(page).await.expect(200).text();
            assert!(!html.contains("<img src=x"), "{page}");
        }
        let name = "a\u{0}b";
        sam.post("/api/v4/projects", json!({ "path": "nul", "name": name })).await.expect(400);
        sam.put("/api/v4/projects/sam%2Fnasty", json!({ "description": name })).await.expect(400);
        sam.put("/api/v4/projects/sam%2Fnasty", json!({ "name": "line\nbreak" })).await.expect(400);
    })
    .await;
}

#[tokio::test]
async fn other_sites_change_nothing() {
    for_each_database(async |t| {
        let world = t.world().await;
        let browser = world.olive.browser(&t).await;
        for path in
            ["/projects", "/groups", "/mill/wheel/-/edit", "/mill/wheel/-/edit/delete", "/groups/mill/-/edit/delete"]
        {
            let elsewhere =
                [(http::HeaderName::from_static("sec-fetch-site"), http::HeaderValue::from_static("cross-site"))];
            let forged = browser.request(http::Method::POST, path).headers(elsewhere.into_iter().collect());
            let forged = forged.form(&[("name", "forged"), ("path", "forged"), ("confirm", "mill/wheel")]);
            let answer = browser.send(forged).await;
            assert!(!answer.status.is_success() && !answer.status.is_redirection(), "{path}: {}", answer.status);
        }
        world.olive.client(&t).get("/api/v4/projects/mill%2Fwheel").await.expect(200);
        let _: Value = world.olive.client(&t).get("/api/v4/groups/mill").await.expect(200).json();
    })
    .await;
}

//! Who may do what: each endpoint as everybody.

use serde_json::{Value, json};
use testkit::for_each_database;

use crate::{everybody, send};

/// Method, path, body, and the status for root, olive (owner), mats (maintainer), dana (developer), rita (reporter),
/// paula (planner), gus (guest), sam (no member), eve (external) and nobody.
type Row = (&'static str, &'static str, Value, [u16; 10]);

fn reads() -> Vec<Row> {
    let private = [200, 200, 200, 200, 200, 200, 200, 404, 404, 404];
    let internal = [200, 200, 200, 200, 200, 200, 200, 200, 404, 404];
    let all = [200; 10];
    let maintainers = [200, 200, 200, 403, 403, 403, 403, 404, 404, 404];
    let signed_in = [200, 200, 200, 200, 200, 200, 200, 200, 200, 401];
    let nothing = Value::Null;
    let get = |path, expected| ("GET", path, nothing.clone(), expected);
    vec![
        get("/projects/mill%2Fwheel", private),
        get("/projects/mill%2Frace", internal),
        get("/projects/mill%2Fpond", all),
        get("/projects/mill%2Fwheel/members", private),
        get("/projects/mill%2Fwheel/members/all", private),
        get("/projects/mill%2Fwheel/users", private),
        get("/projects/mill%2Fwheel/events", private),
        get("/projects/mill%2Fwheel/badges", private),
        get("/projects/mill%2Fwheel/starrers", private),
        get("/projects/mill%2Fwheel/forks", [200, 200, 200, 200, 200, 404, 404, 404, 404, 404]),
        get("/projects/mill%2Fwheel/languages", [200, 200, 200, 200, 200, 404, 404, 404, 404, 404]),
        get("/projects/mill%2Fpond/languages", all),
        get("/projects/mill%2Fwheel/uploads", maintainers),
        get("/projects/mill%2Fwheel/import", private),
        get("/projects/mill%2Fwheel/storage", [200, 403, 403, 403, 403, 403, 403, 404, 404, 404]),
        get("/projects/mill%2Fwheel/transfer_locations", [200, 200, 403, 403, 403, 403, 403, 404, 404, 404]),
        get("/groups/mill", all),
        get("/groups/mill/members", all),
        get("/groups/mill/projects", all),
        get("/groups/mill/subgroups", all),
        get("/groups/mill/transfer_locations", [200, 200, 403, 403, 403, 403, 403, 403, 403, 401]),
        get("/namespaces", signed_in),
        get("/namespaces/mill", [200, 200, 200, 200, 200, 200, 200, 404, 404, 401]),
        get("/events", signed_in),
        get("/search?scope=projects&search=x", signed_in),
        get("/projects", all),
        get("/groups", all),
        get("/topics", all),
    ]
}

fn writes() -> Vec<Row> {
    let maintainers = [200, 200, 200, 403, 403, 403, 403, 404, 404, 404];
    let owners = [200, 200, 403, 403, 403, 403, 403, 404, 404, 404];
    let created = |row: [u16; 10]| row.map(|s| if s == 200 { 201 } else { s });
    let group_owners = [200, 200, 403, 403, 403, 403, 403, 403, 403, 401];
    let badge = json!({ "link_url": "https://a.example/", "image_url": "https://a.example/x.svg" });
    let signed_in = [201, 201, 201, 201, 201, 201, 201, 404, 404, 404];
    vec![
        ("PUT", "/projects/mill%2Fwheel", json!({ "description": "Turns." }), maintainers),
        (
            "PUT",
            "/projects/mill%2Fpond",
            json!({ "description": "Lies." }),
            [200, 200, 200, 403, 403, 403, 403, 403, 403, 401],
        ),
        ("POST", "/projects/mill%2Fwheel/badges", badge.clone(), created(maintainers)),
        ("POST", "/groups/mill/badges", badge, created(group_owners)),
        ("POST", "/projects/mill%2Fwheel/star", Value::Null, signed_in),
        ("POST", "/projects/mill%2Fwheel/unstar", Value::Null, signed_in),
        ("POST", "/projects/mill%2Fwheel/housekeeping", Value::Null, created(owners)),
        ("POST", "/projects/mill%2Fwheel/archive", Value::Null, created(owners)),
        ("POST", "/projects/mill%2Fwheel/unarchive", Value::Null, created(owners)),
        ("PUT", "/groups/mill", json!({ "description": "Grinds." }), group_owners),
        ("POST", "/topics", json!({ "title": "x" }), [400, 400, 400, 400, 400, 400, 400, 400, 400, 400]),
        (
            "PUT",
            "/projects/mill%2Fwheel/members/999999",
            json!({ "access_level": 10 }),
            [404, 404, 404, 403, 403, 403, 403, 404, 404, 404],
        ),
        ("DELETE", "/projects/mill%2Fwheel/fork", Value::Null, [304, 304, 403, 403, 403, 403, 403, 404, 404, 404]),
        (
            "DELETE",
            "/projects/mill%2Fwheel?full_path=wrong",
            Value::Null,
            [400, 400, 403, 403, 403, 403, 403, 404, 404, 404],
        ),
        ("DELETE", "/groups/mill?full_path=wrong", Value::Null, [400, 400, 403, 403, 403, 403, 403, 403, 403, 401]),
    ]
}

#[tokio::test]
async fn each_endpoint_as_everybody() {
    for_each_database(async |t| {
        let world = t.world().await;
        let people = everybody(&t, &world);
        let mut wrong = vec![];
        for (method, path, body, expected) in reads().into_iter().chain(writes()) {
            for ((name, client), status) in people.iter().zip(expected) {
                let answer = send(client, method, &format!("/api/v4{path}"), &body).await;
                if answer.status.as_u16() != status {
                    wrong.push(format!("{method} {path} as {name}: {} for {status}: {}", answer.status, answer.text()));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    })
    .await;
}

#[tokio::test]
async fn read_scope_does_not_write() {
    for_each_database(async |t| {
        let world = t.world().await;
        let scopes = ["read_api".to_owned()];
        let made =
            accounts::AccessToken::create(t.app.db().conn(), world.olive.id, "r", "", &scopes, None, false).await;
        let client = t.client(&made.unwrap().1);
        client.get("/api/v4/projects/mill%2Fwheel").await.expect(200);
        let refused = client.put("/api/v4/projects/mill%2Fwheel", json!({ "description": "x" })).await.expect(403);
        assert_eq!(refused.json()["error"], "insufficient_scope");
    })
    .await;
}

#[tokio::test]
async fn archived_projects_are_read_only() {
    for_each_database(async |t| {
        let world = t.world().await;
        let olive = world.olive.client(&t);
        let archived = olive.post("/api/v4/projects/mill%2Fwheel/archive", Value::Null).await.expect(201).json();
        assert_eq!(archived["archived"], true);
        olive.get("/api/v4/projects/mill%2Fwheel").await.expect(200);
        let form = crate::file_form("file", "a.txt", b"a");
        let refused = crate::send_file(&olive, http::Method::POST, "/api/v4/projects/mill%2Fwheel/uploads", form).await;
        assert!(refused.expect(403).text().contains("archived"));
        olive.post("/api/v4/projects/mill%2Fwheel/unarchive", Value::Null).await.expect(201);
    })
    .await;
}

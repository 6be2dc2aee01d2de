//! The pages: everybody gets an answer on each, and the forms do their work.

use serde_json::json;
use testkit::{Answer, Client, for_each_database};

/// Path, and the status for olive (owner), dana (developer), gus (guest), sam (no member) and nobody.
const PAGES: &[(&str, [u16; 5])] = &[
    ("/", [303, 303, 303, 303, 303]),
    ("/dashboard/projects", [200, 200, 200, 200, 303]),
    ("/dashboard/projects?name=wh&sort=name_asc", [200, 200, 200, 200, 303]),
    ("/dashboard/projects/starred", [200, 200, 200, 200, 303]),
    ("/dashboard/groups", [200, 200, 200, 200, 303]),
    ("/dashboard/activity", [200, 200, 200, 200, 303]),
    ("/explore", [200; 5]),
    ("/explore?topic=water", [200; 5]),
    ("/explore/groups", [200; 5]),
    ("/search?search=mill", [200; 5]),
    ("/search?q=mill&scope=users", [200; 5]),
    ("/projects/new", [200, 200, 200, 200, 303]),
    ("/groups/new", [200, 200, 200, 200, 303]),
    ("/mill", [200; 5]),
    ("/groups/mill/-/activity", [200; 5]),
    ("/groups/mill/-/group_members", [200; 5]),
    ("/groups/mill/-/edit", [200, 403, 403, 403, 303]),
    ("/mill/wheel/-/activity", [200, 200, 200, 404, 404]),
    ("/mill/wheel/-/edit", [200, 403, 403, 404, 404]),
    ("/mill/wheel/-/project_members", [200, 200, 200, 404, 404]),
    ("/mill/wheel/-/forks", [200, 200, 404, 404, 404]),
    ("/mill/wheel/-/forks/new", [200, 200, 403, 404, 404]),
    ("/mill/pond/-/forks/new", [200, 200, 200, 200, 303]),
    ("/mill/wheel/-/starrers", [200, 200, 200, 404, 404]),
    ("/mill/wheel/-/import", [303, 303, 303, 404, 404]),
    ("/olive", [200; 5]),
    ("/olive?tab=projects", [200; 5]),
    ("/olive?tab=groups", [200; 5]),
    ("/olive?tab=starred", [200; 5]),
    ("/olive?tab=activity", [200; 5]),
    ("/admin", [404, 404, 404, 404, 303]),
    ("/admin/projects", [404, 404, 404, 404, 303]),
    ("/admin/groups", [404, 404, 404, 404, 303]),
    ("/admin/jobs", [404, 404, 404, 404, 303]),
    ("/nowhere", [404; 5]),
    ("/mill/nothing/-/edit", [404; 5]),
];

#[tokio::test]
async fn each_page_as_everybody() {
    for_each_database(async |t| {
        let world = t.world().await;
        let mut people = vec![];
        for person in [&world.olive, &world.dana, &world.gus, &world.sam] {
            people.push((person.username.clone(), person.browser(&t).await));
        }
        people.push(("nobody".into(), t.anonymous()));
        let mut wrong = vec![];
        for (path, expected) in PAGES {
            for ((name, client), status) in people.iter().zip(expected) {
                let answer = client.page(path).await;
                if answer.status.as_u16() != *status {
                    wrong.push(format!("{path} as {name}: {} for {status}", answer.status));
                }
                if answer.status.is_success()
                    && (answer.text().contains(" style=\"") || answer.text().contains("<script>"))
                {
                    wrong.push(format!("{path} as {name} breaks the content security policy"));
                }
            }
        }
        let root = world.root.browser(&t).await;
        for path in [
            "/admin",
            "/admin/projects",
            "/admin/projects?sort=size",
            "/admin/groups",
            "/admin/jobs",
            "/admin/jobs?state=failed",
        ] {
            let answer = root.page(path).await;
            if answer.status != 200 {
                wrong.push(format!("{path} as root: {}", answer.status));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    })
    .await;
}

/// Where a form led to.
fn led_to(answer: &Answer) -> &str {
    assert_eq!(answer.status.as_u16(), 303, "{}", answer.text());
    answer.header("location")
}

async fn post(client: &Client, path: &str, fields: &[(&str, &str)]) -> String {
    led_to(&client.form(path, fields).await).to_owned()
}

#[tokio::test]
async fn a_project_by_forms() {
    for_each_database(async |t| {
        let world = t.world().await;
        let sam = world.sam.browser(&t).await;
        let empty = sam.page("/dashboard/projects").await.expect(200).text();
        assert!(empty.contains("git push") && empty.contains("/sam/hello.git"), "the empty page says how to begin");
        let refused = sam.form("/projects", &[("name", ""), ("visibility", "private")]).await.expect(422);
        assert!(refused.text().contains("name"));
        assert_eq!(post(&sam, "/projects", &[("name", "My Boat"), ("visibility", "private")]).await, "/sam/my-boat");
        let taken = sam.form("/projects", &[("name", "my-boat")]).await.expect(422).text();
        assert!(taken.contains("has already been taken") && taken.contains("aria-invalid"));
        let edit = "/sam/my-boat/-/edit";
        let fields = [("name", "Boat"), ("description", "Floats."), ("topics", "sea, sail"), ("visibility", "public")];
        assert_eq!(post(&sam, edit, &fields).await, edit);
        assert!(sam.page(edit).await.text().contains("Floats."));
        assert_eq!(
            post(&sam, "/sam/my-boat/-/edit/features", &[("issues_access_level", "disabled"), ("lfs_enabled", "0")])
                .await,
            edit
        );
        let api = world.sam.client(&t);
        let shown = api.get("/api/v4/projects/sam%2Fmy-boat").await.json();
        assert_eq!((shown["name"].as_str(), shown["issues_access_level"].as_str()), (Some("Boat"), Some("disabled")));
        assert_eq!((shown["topics"].clone(), shown["visibility"].as_str()), (json!(["sea", "sail"]), Some("public")));
        post(&sam, "/sam/my-boat/-/star", &[]).await;
        assert!(sam.page("/dashboard/projects/starred").await.text().contains("Boat"));
        post(&sam, "/sam/my-boat/-/unstar", &[]).await;
        let badge = [("link_url", "https://a.example"), ("image_url", "https://a.example/x.svg")];
        assert_eq!(post(&sam, "/sam/my-boat/-/edit/badges", &badge).await, edit);
        post(&sam, "/sam/my-boat/-/edit/archive", &[]).await;
        post(&sam, "/sam/my-boat/-/edit/unarchive", &[]).await;
        assert_eq!(post(&sam, "/sam/my-boat/-/edit/rename", &[("path", "ship")]).await, "/sam/ship/-/edit");
        sam.form("/sam/ship/-/edit/delete", &[("confirm", "ship")]).await.expect(422);
        assert_eq!(post(&sam, "/sam/ship/-/edit/delete", &[("confirm", "sam/ship")]).await, "/dashboard/projects");
        sam.page("/sam/ship/-/edit").await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn a_group_and_its_members_by_forms() {
    for_each_database(async |t| {
        let world = t.world().await;
        let sam = world.sam.browser(&t).await;
        assert_eq!(post(&sam, "/groups", &[("name", "The Sea"), ("visibility", "private")]).await, "/the-sea");
        let id = world.sam.client(&t).get("/api/v4/groups/the-sea").await.json()["id"].to_string();
        assert_eq!(
            post(&sam, "/groups", &[("name", "Bay"), ("parent_id", &id), ("visibility", "private")]).await,
            "/the-sea/bay"
        );
        assert_eq!(post(&sam, "/projects", &[("name", "buoy"), ("namespace_id", &id)]).await, "/the-sea/buoy");
        let home = sam.page("/the-sea").await.expect(200).text();
        assert!(home.contains("buoy") && home.contains("Bay"));
        let members = "/groups/the-sea/-/group_members";
        let unknown = sam.form(members, &[("username", "nobody-there"), ("access_level", "30")]).await.expect(422);
        assert!(unknown.text().contains("belongs to nobody"));
        assert_eq!(
            post(&sam, members, &[("username", "@dana"), ("access_level", "30"), ("expires_at", "")]).await,
            members
        );
        assert!(sam.page(members).await.text().contains("@dana"));
        let dana = world.dana.browser(&t).await;
        dana.page("/the-sea").await.expect(200);
        let danas = format!("{members}/{}", world.dana.id);
        dana.form(&danas, &[("access_level", "50")]).await.expect(403);
        post(&sam, &danas, &[("access_level", "40"), ("expires_at", "")]).await;
        let own = format!("{members}/{}/delete", world.sam.id);
        assert_eq!(post(&sam, &own, &[]).await, members, "the last owner stays");
        sam.page("/groups/the-sea/-/edit").await.expect(200);
        assert_eq!(post(&dana, &format!("{danas}/delete"), &[]).await, "/dashboard/projects");
        dana.page("/the-sea").await.expect(404);
        assert_eq!(
            post(&sam, "/groups/the-sea/-/edit", &[("name", "Sea"), ("visibility", "public")]).await,
            "/groups/the-sea/-/edit"
        );
        assert_eq!(post(&sam, "/groups/the-sea/-/edit/rename", &[("path", "sea")]).await, "/groups/sea/-/edit");
        assert_eq!(sam.page("/the-sea/buoy/-/edit").await.expect(301).header("location"), "/sea/buoy/-/edit");
        assert_eq!(post(&sam, "/groups/sea/-/edit/delete", &[("confirm", "sea")]).await, "/dashboard/groups");
    })
    .await;
}

#[tokio::test]
async fn profiles() {
    for_each_database(async |t| {
        let world = t.world().await;
        world.olive.client(&t).post("/api/v4/projects", json!({ "path": "secret" })).await.expect(201);
        let sam = world.sam.browser(&t).await;
        let seen = sam.page("/olive").await.expect(200).text();
        assert!(seen.contains("@olive") && seen.contains("contributions") && !seen.contains("secret"));
        assert!(world.olive.browser(&t).await.page("/olive").await.text().contains("secret"));
        t.app
            .db()
            .run("UPDATE users SET private_profile = TRUE, bio = 'hidden words' WHERE username = 'olive'", [])
            .await
            .unwrap();
        let hidden = sam.page("/olive").await.expect(200).text();
        assert!(hidden.contains("private") && !hidden.contains("hidden words"));
        assert!(world.root.browser(&t).await.page("/olive").await.text().contains("hidden words"));
    })
    .await;
}

#[tokio::test]
async fn jobs_can_be_retried_and_deleted() {
    for_each_database(async |t| {
        let world = t.world().await;
        let sql = "INSERT INTO jobs (kind, payload, state, run_at, attempts, error, created_at) VALUES ('x.y', '{}', 'failed', 0, 10, 'broke', 0) RETURNING id";
        let id = kernel::db::Sql::scalar::<i64>(t.app.db().conn(), sql, []).await.unwrap().unwrap();
        let root = world.root.browser(&t).await;
        assert!(root.page("/admin/jobs?state=failed").await.expect(200).text().contains("broke"));
        world.olive.browser(&t).await.form(format!("/admin/jobs/{id}/delete"), &[]).await.expect(404);
        assert_eq!(post(&root, &format!("/admin/jobs/{id}/delete"), &[]).await, "/admin/jobs");
        assert!(!root.page("/admin/jobs?state=failed").await.text().contains("broke"));
        root.form(format!("/admin/jobs/{id}/explode"), &[]).await.expect(404);
    })
    .await;
}

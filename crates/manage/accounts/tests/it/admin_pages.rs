//! The pages of the admin area for users and settings.

use testkit::for_each_database;

use crate::{PASSWORD, sign_in};

const PAGES: &[&str] =
    &["/admin/users", "/admin/users/new", "/admin/users/dana", "/admin/users/dana/edit", "/admin/settings"];

#[tokio::test]
async fn they_are_for_administrators() {
    for_each_database(async |t| {
        let w = t.world().await;
        let root = w.root.browser(&t).await;
        for page in PAGES {
            let shown = root.page(page).await.expect(200).text();
            assert!(!shown.contains(" style=") && !shown.contains("<script>"));
            for person in &w.people()[1..] {
                person.browser(&t).await.page(page).await.expect(404);
            }
            t.anonymous().page(page).await.expect(303);
        }
        let dana = w.dana.browser(&t).await;
        for post in ["/admin/users", "/admin/users/gus", "/admin/users/gus/block", "/admin/users/gus/delete"] {
            dana.form(post, &[]).await.expect(404);
        }
        let limits = [
            ("throttle_authenticated_api_requests_per_minute", "1"),
            ("throttle_unauthenticated_requests_per_minute", "1"),
            ("throttle_sign_in_requests_per_minute", "1"),
        ];
        dana.form("/admin/settings", &limits).await.expect(404);
        w.gus.client(&t).get("/api/v4/user").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn users_are_found_made_changed_and_shut_out() {
    for_each_database(async |t| {
        let w = t.world().await;
        let root = w.root.browser(&t).await;
        let fields = [
            ("user[name]", "<i>New"),
            ("user[username]", "newbie"),
            ("user[email]", "newbie@example.com"),
            ("user[password]", PASSWORD),
            ("user[can_create_group]", "1"),
        ];
        root.form("/admin/users", &fields).await.expect(303);
        root.form("/admin/users", &fields).await.expect(422);
        root.form("/admin/users", &fields[..3]).await.expect(422);
        let found = root.page("/admin/users?search=newb").await.expect(200).text();
        assert!(found.contains("&lt;i&gt;New") && !found.contains("<i>New") && !found.contains("@dana"));
        assert!(
            root.page("/admin/users?search=ghost&filter=banned").await.expect(200).text().contains("Nobody matches")
        );
        root.page("/admin/users?page=0").await.expect(400);
        let edited = [
            ("user[name]", "Newer"),
            ("user[username]", "newer"),
            ("user[email]", "newer@example.com"),
            ("user[admin]", "1"),
        ];
        let saved = root.form("/admin/users/newbie", &edited).await.expect(303);
        assert_eq!(saved.header("location"), "/admin/users/newer");
        sign_in(&t.anonymous(), "newer", PASSWORD).await.expect(303);
        root.form("/admin/users/newer", &[("user[name]", ""), ("user[username]", "dana"), ("user[email]", "x")])
            .await
            .expect(422);
        root.form("/admin/users/newer/block", &[]).await.expect(303);
        sign_in(&t.anonymous(), "newer", PASSWORD).await.expect(403);
        assert!(root.page("/admin/users/newer").await.expect(200).text().contains("Blocked"));
        root.form("/admin/users/newer/unblock", &[]).await.expect(303);
        root.form("/admin/users/newer/explode", &[]).await.expect(404);
        root.form("/admin/users/ghost/block", &[]).await.expect(404);
        root.form("/admin/users/newer/delete", &[]).await.expect(303);
        root.page("/admin/users/newer").await.expect(404);
        // A refusal is a message on the page, not an error.
        root.form("/admin/users/root/delete", &[]).await.expect(303);
        root.page("/admin/users/root").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn settings_take_hold_at_once() {
    for_each_database(async |t| {
        let w = t.world().await;
        let root = w.root.browser(&t).await;
        let fields = [
            ("domain_allowlist", "a.example\r\n*.b.example"),
            ("throttle_authenticated_api_requests_per_minute", "100"),
            ("throttle_unauthenticated_requests_per_minute", "0"),
            ("throttle_sign_in_requests_per_minute", "50"),
        ];
        root.form("/admin/settings", &fields).await.expect(303);
        t.anonymous().page("/users/sign_up").await.expect(403);
        let set = w.root.client(&t).get("/api/v4/application/settings").await.json();
        assert_eq!(set["domain_allowlist"], serde_json::json!(["a.example", "*.b.example"]));
        assert_eq!(set["throttle_unauthenticated_requests_per_minute"], 1);
        root.form("/admin/settings", &[("signup_enabled", "1")]).await.expect(400);
    })
    .await;
}

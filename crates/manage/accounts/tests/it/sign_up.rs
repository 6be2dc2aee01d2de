//! Registering.

use kernel::db::Sql;
use serde_json::json;
use testkit::{Answer, TestApp, for_each_database};

use crate::{PASSWORD, cookie, sign_in};

async fn register(t: &TestApp, username: &str, email: &str, password: &str) -> Answer {
    let fields = [
        ("new_user[name]", "New Person"),
        ("new_user[username]", username),
        ("new_user[email]", email),
        ("new_user[password]", password),
    ];
    t.anonymous().form("/users/sign_up", &fields).await
}

#[tokio::test]
async fn a_new_user_has_a_session_and_a_namespace() {
    for_each_database(async |t| {
        t.world().await;
        t.anonymous().page("/users/sign_up").await.expect(200);
        let answer = register(&t, "newbie", "New@Example.com", PASSWORD).await.expect(303);
        let browser = t.anonymous().with_cookie(cookie(&answer));
        browser.get("/-/user_settings/profile").await.expect(200);
        let sql = "SELECT COUNT(*) FROM namespaces WHERE full_path_key = 'newbie' AND kind = 'user'";
        assert_eq!(t.app.db().conn().scalar::<i64>(sql, []).await.unwrap(), Some(1));
        sign_in(&t.anonymous(), "new@example.com", PASSWORD).await.expect(303);
    })
    .await;
}

#[tokio::test]
async fn wrong_fields_are_named_and_kept() {
    for_each_database(async |t| {
        t.world().await;
        t.app.settings().set(t.app.db(), "throttle_sign_in_requests_per_minute", 1000).await.unwrap();
        for (username, email, password, why) in [
            ("dana", "x@example.com", PASSWORD, "Username has already been taken."),
            ("DANA", "x@example.com", PASSWORD, "Username has already been taken."),
            ("mill", "x@example.com", PASSWORD, "Username has already been taken."),
            ("good", "dana@example.com", PASSWORD, "Email has already been taken."),
            ("good", "x@example.com", "short", "Password is too short"),
            ("good", "x@example.com", "", "Password can&#39;t be blank"),
            ("good", "nonsense", PASSWORD, "Email is invalid"),
            ("admin", "x@example.com", PASSWORD, "Username is a reserved name."),
            ("", "x@example.com", PASSWORD, "Username can"),
            ("../etc", "x@example.com", PASSWORD, "Username can contain only"),
            ("dаna", "x@example.com", PASSWORD, "Username can contain only"),
            ("-x", "x@example.com", PASSWORD, "Username must not start"),
            ("a.git", "x@example.com", PASSWORD, "Username must not end in"),
        ] {
            let text = register(&t, username, email, password).await.expect(422).text().replace("'", "&#39;");
            assert!(text.contains(&why.replace("'", "&#39;")), "{username} {email}: {why}\n{text}");
            assert!(!text.contains(PASSWORD));
        }
        register(&t, &"x".repeat(4096), "x@example.com", PASSWORD).await.expect(422);
        let sql = "SELECT COUNT(*) FROM users WHERE username_key = 'good'";
        assert_eq!(t.app.db().conn().scalar::<i64>(sql, []).await.unwrap(), Some(0));
    })
    .await;
}

#[tokio::test]
async fn it_can_be_switched_off_need_approval_and_be_for_some_domains() {
    for_each_database(async |t| {
        let w = t.world().await;
        let set = async |settings| {
            w.root.client(&t).put("/api/v4/application/settings", settings).await.expect(200);
        };
        set(json!({ "domain_allowlist": ["example.org", "*.example.net"] })).await;
        register(&t, "one", "one@example.com", PASSWORD).await.expect(422);
        register(&t, "one", "one@mail.example.net", PASSWORD).await.expect(303);
        set(json!({ "domain_allowlist": [], "require_admin_approval_after_user_signup": true })).await;
        let pending = register(&t, "two", "two@example.com", PASSWORD).await.expect(303);
        assert_eq!(pending.header("location"), "/users/sign_in");
        sign_in(&t.anonymous(), "two", PASSWORD).await.expect(403);
        w.root.browser(&t).await.form("/admin/users/two/approve", &[]).await.expect(303);
        sign_in(&t.anonymous(), "two", PASSWORD).await.expect(303);
        set(json!({ "signup_enabled": "false" })).await;
        t.anonymous().page("/users/sign_up").await.expect(403);
        register(&t, "three", "three@example.com", PASSWORD).await.expect(403);
        assert!(!t.anonymous().page("/users/sign_in").await.expect(200).text().contains("/users/sign_up"));
    })
    .await;
}

#[tokio::test]
async fn of_two_at_once_one_gets_the_name() {
    for_each_database(async |t| {
        t.world().await;
        let (a, b) = tokio::join!(
            register(&t, "twin", "a@example.com", PASSWORD),
            register(&t, "Twin", "b@example.com", PASSWORD)
        );
        let mut both = [a.status.as_u16(), b.status.as_u16()];
        both.sort_unstable();
        assert_eq!(both, [303, 422]);
    })
    .await;
}

//! Signing in and out, locks, sessions, requests from other sites.

use kernel::db::Sql;
use testkit::for_each_database;

use crate::{PASSWORD, audited, cookie, session, sign_in, with_password};

#[tokio::test]
async fn a_password_opens_and_signing_out_closes() {
    for_each_database(async |t| {
        let w = t.world().await;
        with_password(&t, &w.dana).await;
        let page = t.anonymous().page("/users/sign_in").await.expect(200);
        assert!(page.text().contains("user[login]") && page.header("cache-control") == "no-store");
        let by_mail = sign_in(&t.anonymous(), " DANA@example.com ", PASSWORD).await.expect(303);
        assert_eq!(by_mail.header("location"), "/");
        let set = by_mail.header("set-cookie");
        assert!(set.contains("HttpOnly") && set.contains("SameSite=Lax") && !set.contains("Max-Age"), "{set}");
        let browser = t.anonymous().with_cookie(cookie(&by_mail));
        browser.get("/-/user_settings/profile").await.expect(200);
        // Signed in already: the form is passed by.
        let again = browser.page("/users/sign_in?redirect_to=/mill/pond").await.expect(303);
        assert_eq!(again.header("location"), "/mill/pond");
        let out = browser.form("/users/sign_out", &[]).await.expect(303);
        assert!(
            out.headers.get_all("set-cookie").iter().any(|c| c.to_str().unwrap().starts_with("_tidemill_session=;"))
        );
        let gone = browser.page("/-/user_settings/profile").await.expect(303);
        assert!(gone.header("location").starts_with("/users/sign_in?redirect_to="), "{}", gone.header("location"));
        assert_eq!(audited(&t, "session.began").await, 1);
    })
    .await;
}

#[tokio::test]
async fn it_goes_on_to_places_here_alone() {
    for_each_database(async |t| {
        let w = t.world().await;
        with_password(&t, &w.dana).await;
        for (asked, place) in [
            ("/mill/pond?x=1", "/mill/pond?x=1"),
            ("//evil.example/", "/"),
            ("https://evil.example/", "/"),
            ("/\\evil.example", "/"),
            ("javascript:alert(1)", "/"),
            ("/a\r\nSet-Cookie: x=y", "/"),
        ] {
            let fields = [
                ("user[login]", "dana"),
                ("user[password]", PASSWORD),
                ("redirect_to", asked),
                ("user[remember_me]", "1"),
            ];
            let answer = t.anonymous().form("/users/sign_in", &fields).await.expect(303);
            assert_eq!(answer.header("location"), place);
            assert!(answer.header("set-cookie").contains("Max-Age=1209600"));
        }
    })
    .await;
}

#[tokio::test]
async fn every_wrong_attempt_gets_the_same_answer() {
    for_each_database(async |t| {
        let w = t.world().await;
        with_password(&t, &w.dana).await;
        let wrong = sign_in(&t.anonymous(), "dana", "wrong").await.expect(401).text();
        let nobody = sign_in(&t.anonymous(), "nobody", "wrong").await.expect(401).text();
        assert_eq!(wrong.replace("dana", "X"), nobody.replace("nobody", "X"));
        for odd in ["", "a\u{0}b", "x".repeat(5000).as_str(), "<script>alert(1)</script>"] {
            let answer = sign_in(&t.anonymous(), odd, odd).await;
            assert!(matches!(answer.status.as_u16(), 400 | 401), "{odd:.20} {}", answer.status);
            assert!(!answer.text().contains("<script>alert"));
        }
        t.anonymous().form("/users/sign_in", &[]).await.expect(401);
        // Eve has no password at all.
        sign_in(&t.anonymous(), "eve", "").await.expect(401);
    })
    .await;
}

#[tokio::test]
async fn ten_failures_lock_the_account() {
    for_each_database(async |t| {
        let w = t.world().await;
        with_password(&t, &w.dana).await;
        for name in ["dana", "ghost"] {
            for _ in 0..9 {
                sign_in(&t.anonymous(), name, "wrong").await.expect(401);
            }
            // Each name of its own minute, so that the limit per address stays out of this.
            t.app.settings().set(t.app.db(), "throttle_sign_in_requests_per_minute", 1000).await.unwrap();
            sign_in(&t.anonymous(), name, "wrong").await.expect(401);
            let locked = sign_in(&t.anonymous(), name, PASSWORD).await.expect(429);
            assert!(!locked.header("retry-after").is_empty() && locked.text().contains("too many attempts"));
        }
        let past = "UPDATE users SET locked_until = 1 WHERE id = $1";
        t.app.db().run(past, [w.dana.id.into()]).await.unwrap();
        sign_in(&t.anonymous(), "dana", "wrong").await.expect(401);
        sign_in(&t.anonymous(), "dana", PASSWORD).await.expect(303);
    })
    .await;
}

#[tokio::test]
async fn failures_of_an_address_are_limited() {
    for_each_database(async |t| {
        let w = t.world().await;
        with_password(&t, &w.dana).await;
        t.app.settings().set(t.app.db(), "throttle_sign_in_requests_per_minute", 2).await.unwrap();
        for _ in 0..4 {
            sign_in(&t.anonymous(), "dana", PASSWORD).await.expect(303);
        }
        let mut answers = vec![];
        for n in 0..6 {
            answers.push(sign_in(&t.anonymous(), &format!("name{n}"), "wrong").await.status.as_u16());
        }
        assert_eq!(answers[..2], [401, 401]);
        assert!(answers.contains(&429), "{answers:?}");
    })
    .await;
}

#[tokio::test]
async fn accounts_out_of_use_are_told_why_after_the_password() {
    for_each_database(async |t| {
        let w = t.world().await;
        with_password(&t, &w.dana).await;
        for (state, word) in [("blocked", "blocked"), ("banned", "blocked"), ("blocked_pending_approval", "waiting")] {
            let sql = "UPDATE users SET state = $2 WHERE id = $1";
            t.app.db().run(sql, [w.dana.id.into(), state.into()]).await.unwrap();
            assert!(sign_in(&t.anonymous(), "dana", PASSWORD).await.expect(403).text().contains(word));
            assert!(!sign_in(&t.anonymous(), "dana", "wrong").await.expect(401).text().contains("has been blocked"));
        }
        let sql = "UPDATE users SET state = 'deactivated' WHERE id = $1";
        t.app.db().run(sql, [w.dana.id.into()]).await.unwrap();
        sign_in(&t.anonymous(), "dana", PASSWORD).await.expect(303);
        w.dana.client(&t).get("/api/v4/user").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn other_sites_cannot_send_forms() {
    for_each_database(async |t| {
        let w = t.world().await;
        let browser = w.dana.browser(&t).await;
        let cookie_only = reqwest::Client::new();
        let session = session(&t, &w.dana).await;
        for (header, value) in
            [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "https://evil.example")]
        {
            let request = cookie_only.post(format!("{}/users/sign_out", t.url)).header("cookie", &session);
            let answer = request.header(header, value).send().await.unwrap();
            assert_eq!(answer.status().as_u16(), 403, "{header}: {value}");
        }
        browser.get("/-/user_settings/profile").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn a_session_ends_with_its_time_and_its_user() {
    for_each_database(async |t| {
        let w = t.world().await;
        let (dana, rita) = (w.dana.browser(&t).await, w.rita.browser(&t).await);
        let sql = "UPDATE sessions SET expires_at = 1 WHERE user_id = $1";
        t.app.db().run(sql, [w.dana.id.into()]).await.unwrap();
        dana.page("/-/user_settings/profile").await.expect(303);
        t.app.db().run("UPDATE users SET state = 'blocked' WHERE id = $1", [w.rita.id.into()]).await.unwrap();
        rita.page("/-/user_settings/profile").await.expect(303);
        for odd in ["_tidemill_session=", "_tidemill_session=x", "_tidemill_session=' OR 1=1", "=;;;"] {
            t.anonymous().with_cookie(odd).page("/-/user_settings/profile").await.expect(303);
        }
        let count: Option<i64> = t.app.db().conn().scalar("SELECT COUNT(*) FROM sessions", []).await.unwrap();
        assert_eq!(count, Some(2));
    })
    .await;
}

//! The pages on which people keep their own account.

use kernel::db::Sql;
use testkit::for_each_database;

use crate::{KEY_ED25519, KEY_RSA_SHORT, PASSWORD, audited, cookie, session, sign_in, token, with_password};

const PAGES: &[&str] =
    &["profile", "account", "password/edit", "active_sessions", "personal_access_tokens", "ssh_keys"];

#[tokio::test]
async fn they_are_for_browsers_that_are_signed_in() {
    for_each_database(async |t| {
        let w = t.world().await;
        let browser = w.dana.browser(&t).await;
        for page in PAGES {
            let path = format!("/-/user_settings/{page}");
            let shown = browser.page(&path).await.expect(200);
            assert_eq!(shown.header("cache-control"), "no-store");
            assert!(!shown.text().contains(" style=") && !shown.text().contains("<script>"));
            t.anonymous().page(&path).await.expect(303);
            // A token is not somebody at a browser.
            w.dana.client(&t).page(&path).await.expect(303);
        }
    })
    .await;
}

#[tokio::test]
async fn the_password_changes_with_the_old_one_alone() {
    for_each_database(async |t| {
        let w = t.world().await;
        with_password(&t, &w.dana).await;
        let (here, there) = (w.dana.browser(&t).await, w.dana.browser(&t).await);
        let change = async |old: &str, new: &str, again: &str| {
            let fields = [("user[password]", old), ("user[new_password]", new), ("user[password_confirmation]", again)];
            here.form("/-/user_settings/password", &fields).await
        };
        assert!(change("wrong", "another one", "another one").await.expect(422).text().contains("Password is wrong."));
        assert!(change(PASSWORD, "another one", "other").await.expect(422).text().contains("match the new password"));
        assert!(change(PASSWORD, "short", "short").await.expect(422).text().contains("New password is too short"));
        change(PASSWORD, "another one", "another one").await.expect(303);
        here.page("/-/user_settings/profile").await.expect(200);
        there.page("/-/user_settings/profile").await.expect(303);
        sign_in(&t.anonymous(), "dana", PASSWORD).await.expect(401);
        sign_in(&t.anonymous(), "dana", "another one").await.expect(303);
        assert_eq!(audited(&t, "password.changed").await, 1);
    })
    .await;
}

#[tokio::test]
async fn sessions_are_listed_and_ended() {
    for_each_database(async |t| {
        let w = t.world().await;
        let (one, two, other) = (w.dana.browser(&t).await, w.dana.browser(&t).await, w.rita.browser(&t).await);
        let ids = async |user: i64| -> Vec<i64> {
            let all = accounts::Session::of_user(t.app.db().conn(), user).await.unwrap();
            let mut ids: Vec<i64> = all.iter().map(|s| s.id).collect();
            ids.sort_unstable();
            ids
        };
        let text = one.page("/-/user_settings/active_sessions").await.expect(200).text();
        assert!(text.contains("This session") && text.contains("end_others"));
        let (dana, rita) = (ids(w.dana.id).await, ids(w.rita.id).await);
        // Other people's sessions stay.
        one.form(format!("/-/user_settings/active_sessions/{}/end", rita[0]), &[]).await.expect(303);
        other.page("/-/user_settings/profile").await.expect(200);
        one.form(format!("/-/user_settings/active_sessions/{}/end", dana[1]), &[]).await.expect(303);
        two.page("/-/user_settings/profile").await.expect(303);
        let third = w.dana.browser(&t).await;
        one.form("/-/user_settings/active_sessions/end_others", &[]).await.expect(303);
        third.page("/-/user_settings/profile").await.expect(303);
        one.page("/-/user_settings/profile").await.expect(200);
        one.form("/-/user_settings/active_sessions/x/end", &[]).await.expect(400);
    })
    .await;
}

#[tokio::test]
async fn tokens_are_shown_once_rotated_and_revoked() {
    for_each_database(async |t| {
        let w = t.world().await;
        let browser = w.dana.browser(&t).await;
        let here = "/-/user_settings/personal_access_tokens";
        let fields = [("name", "<b>laptop"), ("scopes[]", "read_api"), ("scopes[]", "read_user"), ("expires_at", "")];
        let made = browser.form(here, &fields).await.expect(201).text();
        let secret = secret_in(&made);
        t.client(&secret).get("/api/v4/user").await.expect(200);
        t.client(&secret).post("/api/v4/user/keys", serde_json::json!({})).await.expect(403);
        let list = browser.page(here).await.expect(200).text();
        assert!(!list.contains(&secret) && list.contains("&lt;b&gt;laptop") && !list.contains("<b>laptop"));
        let id: i64 = made.split("personal_access_tokens/").nth(1).unwrap().split('/').next().unwrap().parse().unwrap();
        let rotated = secret_in(&browser.form(format!("{here}/{id}/rotate"), &[]).await.expect(201).text());
        t.client(&secret).get("/api/v4/user").await.expect(401);
        t.client(&rotated).get("/api/v4/user").await.expect(200);
        browser.form(format!("{here}/{id}/rotate"), &[]).await.expect(409);
        // Somebody else's can't be touched.
        let (foreign, foreign_secret) = token(&t, &w.rita, &["api"]).await;
        browser.form(format!("{here}/{foreign}/revoke"), &[]).await.expect(404);
        t.client(&foreign_secret).get("/api/v4/user").await.expect(200);
        for (fields, why) in [
            (vec![("name", ""), ("scopes[]", "api")], "Name can"),
            (vec![("name", "x")], "Scopes can"),
            (vec![("name", "x"), ("scopes[]", "sudo")], "for administrators"),
            (vec![("name", "x"), ("scopes[]", "all")], "available scopes"),
            (vec![("name", "x"), ("scopes[]", "api"), ("expires_at", "2020-01-01")], "must be in the future"),
            (vec![("name", "x"), ("scopes[]", "api"), ("expires_at", "9999-01-01")], "must be before"),
            (vec![("name", "x"), ("scopes[]", "api"), ("expires_at", "tomorrow")], "is not a date"),
        ] {
            assert!(browser.form(here, &fields).await.expect(422).text().contains(why), "{why}");
        }
    })
    .await;
}

fn secret_in(page: &str) -> String {
    let from = page.find("tmpat-").expect("a token");
    page[from..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect()
}

#[tokio::test]
async fn keys_are_added_and_removed() {
    for_each_database(async |t| {
        let w = t.world().await;
        let (browser, other) = (w.dana.browser(&t).await, w.rita.browser(&t).await);
        let here = "/-/user_settings/ssh_keys";
        browser.form(here, &[("key[key]", KEY_ED25519), ("key[title]", "")]).await.expect(303);
        let list = browser.page(here).await.expect(200).text();
        assert!(list.contains("one@machine") && list.contains("SHA256:"));
        for client in [&browser, &other] {
            let twice = client.form(here, &[("key[key]", KEY_ED25519), ("key[title]", "again")]).await.expect(422);
            assert!(twice.text().contains("added already"));
        }
        assert!(browser.form(here, &[("key[key]", KEY_RSA_SHORT)]).await.expect(422).text().contains("2048 bits"));
        let id: i64 = list.split("ssh_keys/").nth(1).unwrap().split('/').next().unwrap().parse().unwrap();
        other.form(format!("{here}/{id}/delete"), &[]).await.expect(404);
        browser.form(format!("{here}/{id}/delete"), &[]).await.expect(303);
        assert_eq!((audited(&t, "key.created").await, audited(&t, "key.deleted").await), (1, 1));
    })
    .await;
}

#[tokio::test]
async fn the_profile_is_kept_and_escaped() {
    for_each_database(async |t| {
        let w = t.world().await;
        let browser = w.dana.browser(&t).await;
        let here = "/-/user_settings/profile";
        let fields = [
            ("user[name]", "<script>alert(1)</script> Dana"),
            ("user[bio]", "two\nlines"),
            ("user[website_url]", "https://example.com/"),
            ("user[scheme]", "dark"),
            ("user[private_profile]", "1"),
        ];
        let saved = browser.form(here, &fields).await.expect(303);
        let flash = saved.headers.get_all("set-cookie").iter().find_map(|c| c.to_str().ok()).unwrap().to_owned();
        assert!(flash.starts_with("_tidemill_flash="), "{flash}");
        let shown = browser.page(here).await.expect(200).text();
        assert!(shown.contains("data-scheme=\"dark\"") && !shown.contains("<script>alert"));
        let user = w.dana.client(&t).get("/api/v4/user").await.expect(200).json();
        assert_eq!((&user["private_profile"], &user["website_url"]), (&true.into(), &"https://example.com/".into()));
        for (field, value, why) in [
            ("user[website_url]", "javascript:alert(1)", "Website url must begin"),
            ("user[name]", " ", "Name can"),
            ("user[scheme]", "pink", "is not one of"),
            ("user[public_email]", "nonsense", "not a valid email"),
        ] {
            let text = browser.form(here, &[(field, value)]).await.expect(422).text();
            assert!(text.contains(why), "{why}");
        }
        let long = "x".repeat(300);
        browser.form(here, &[("user[bio]", &long)]).await.expect(422);
    })
    .await;
}

#[tokio::test]
async fn a_message_is_shown_once() {
    for_each_database(async |t| {
        let w = t.world().await;
        let cookie = format!("{}; _tidemill_flash=o.%3Cb%3EDone", session(&t, &w.dana).await);
        let shown = t.anonymous().with_cookie(cookie).page("/-/user_settings/profile").await.expect(200);
        assert!(shown.text().contains("&lt;b&gt;Done") && !shown.text().contains("<b>Done"));
        let cleared = shown.headers.get_all("set-cookie").iter().any(|c| {
            let c = c.to_str().unwrap();
            c.starts_with("_tidemill_flash=;") && c.contains("Max-Age=0")
        });
        assert!(cleared);
    })
    .await;
}

#[tokio::test]
async fn a_new_username_moves_the_namespace() {
    for_each_database(async |t| {
        let w = t.world().await;
        let browser = w.dana.browser(&t).await;
        let rename = async |to: &str| browser.form("/-/user_settings/account/username", &[("username", to)]).await;
        for taken in ["rita", "RITA", "mill", "admin", "a b", ".."] {
            rename(taken).await.expect(422);
        }
        rename("dana-two").await.expect(303);
        let sql = "SELECT COUNT(*) FROM namespaces WHERE full_path = 'dana-two' AND owner_id = $1";
        assert_eq!(t.app.db().conn().scalar::<i64>(sql, [w.dana.id.into()]).await.unwrap(), Some(1));
        assert_eq!(w.dana.client(&t).get("/api/v4/user").await.json()["username"], "dana-two");
        rename("Dana-Two").await.expect(303);
    })
    .await;
}

#[tokio::test]
async fn an_account_ends_with_name_and_password() {
    for_each_database(async |t| {
        let w = t.world().await;
        with_password(&t, &w.sam).await;
        with_password(&t, &w.root).await;
        let browser = t.anonymous().with_cookie(cookie(&sign_in(&t.anonymous(), "sam", PASSWORD).await.expect(303)));
        let end = async |name: &str, password: &str| {
            browser.form("/-/user_settings/account/delete", &[("username", name), ("password", password)]).await
        };
        end("rita", PASSWORD).await.expect(422);
        end("sam", "wrong").await.expect(422);
        end("sam", PASSWORD).await.expect(303);
        w.sam.client(&t).get("/api/v4/user").await.expect(401);
        w.root.client(&t).get(format!("/api/v4/users/{}", w.sam.id)).await.expect(404);
        // The last administrator stays.
        let root = w.root.browser(&t).await;
        let fields = [("username", "root"), ("password", PASSWORD)];
        let refused = root.form("/-/user_settings/account/delete", &fields).await.expect(422);
        assert!(refused.text().contains("last administrator"));
    })
    .await;
}

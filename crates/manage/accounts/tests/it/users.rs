//! Users through the API, as everybody sees them.

use serde_json::json;
use testkit::for_each_database;

#[tokio::test]
async fn lists_show_little_to_most_and_much_to_administrators() {
    for_each_database(async |t| {
        let w = t.world().await;
        let (dana, root) = (w.dana.client(&t), w.root.client(&t));
        let all = dana.get("/api/v4/users?order_by=id&sort=asc&per_page=100").await.expect(200);
        assert_eq!(all.header("x-total"), "9");
        let first = &all.json()[0];
        let keys: Vec<_> = first.as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys, ["id", "username", "public_email", "name", "state", "locked", "avatar_url", "web_url"]);
        assert_eq!(
            (&first["id"], &first["username"], &first["name"]),
            (&1.into(), &"root".into(), &"Administrator".into())
        );
        assert_eq!(first["web_url"], format!("{}/root", t.url));
        let full = root.get("/api/v4/users?username=DANA").await.expect(200).json();
        assert_eq!((&full[0]["email"], &full[0]["is_admin"]), (&"dana@example.com".into(), &false.into()));
        assert!(full[0]["namespace_id"].is_i64());
        t.anonymous().get("/api/v4/users").await.expect(403);
        assert_eq!(t.anonymous().get("/api/v4/users?username=dana").await.expect(200).json()[0]["username"], "dana");
    })
    .await;
}

#[tokio::test]
async fn lists_can_be_filtered_sorted_and_paged() {
    for_each_database(async |t| {
        let w = t.world().await;
        t.app.db().run("UPDATE users SET state = 'blocked' WHERE id = $1", [w.gus.id.into()]).await.unwrap();
        let root = w.root.client(&t);
        for (query, names) in [
            ("search=DAN", vec!["dana"]),
            ("search=sam@example.com", vec!["sam"]),
            ("search=%25", vec![]),
            ("search=_", vec![]),
            ("blocked=true", vec!["gus"]),
            ("external=true", vec!["eve"]),
            ("admins=true", vec!["root"]),
            ("created_after=2099-01-01", vec![]),
            ("two_factor=enabled", vec![]),
            ("order_by=username&sort=asc&per_page=2", vec!["dana", "eve"]),
            ("order_by=username&sort=asc&per_page=2&page=2", vec!["gus", "mats"]),
            ("order_by=username&sort=desc&per_page=1", vec!["sam"]),
        ] {
            let found = root.get(format!("/api/v4/users?{query}")).await.expect(200).json();
            let found: Vec<_> =
                found.as_array().unwrap().iter().map(|u| u["username"].as_str().unwrap().to_owned()).collect();
            assert_eq!(found, names, "{query}");
        }
        assert_eq!(root.get("/api/v4/users?active=true").await.header("x-total"), "8");
        for odd in
            ["page=-1", "page=x", "per_page=0", "order_by=password_hash", "sort=up", "active=maybe", "created_after=x"]
        {
            root.get(format!("/api/v4/users?{odd}")).await.expect(400);
        }
        assert_eq!(root.get("/api/v4/users?per_page=100000").await.expect(200).header("x-per-page"), "100");
        for query in ["external=true", "admins=true", "two_factor=enabled"] {
            w.dana.client(&t).get(format!("/api/v4/users?{query}")).await.expect(403);
        }
        // Parts of other people's addresses can't be searched for.
        assert_eq!(w.dana.client(&t).get("/api/v4/users?search=example.com").await.json(), json!([]));
    })
    .await;
}

#[tokio::test]
async fn keyset_pages_reach_everybody_once() {
    for_each_database(async |t| {
        let w = t.world().await;
        let root = w.root.client(&t);
        let mut next = Some("/api/v4/users?pagination=keyset&per_page=4&order_by=id".to_owned());
        let mut seen = vec![];
        while let Some(path) = next.take() {
            let page = root.get(&path).await.expect(200);
            seen.extend(page.json().as_array().unwrap().iter().map(|u| u["id"].as_i64().unwrap()));
            let link = page.header("link");
            next = link
                .contains("rel=\"next\"")
                .then(|| link.split(['<', '>']).nth(1).unwrap().strip_prefix(&t.url).unwrap().to_owned());
        }
        assert_eq!(seen.len(), 9);
        assert!(seen.is_sorted_by(|a, b| a > b));
        root.get("/api/v4/users?pagination=keyset&cursor=odd").await.expect(400);
        root.get("/api/v4/users?pagination=keyset&order_by=name").await.expect(405);
    })
    .await;
}

#[tokio::test]
async fn one_user_as_each_sees_them() {
    for_each_database(async |t| {
        let w = t.world().await;
        let (dana, root) = (w.dana.client(&t), w.root.client(&t));
        let path = format!("/api/v4/users/{}", w.rita.id);
        let seen = dana.get(&path).await.expect(200).json();
        assert!(seen["created_at"].is_string() && seen.get("email").is_none() && seen.get("is_admin").is_none());
        let full = root.get(&path).await.expect(200).json();
        assert!(full["sign_in_count"].is_i64() && full["email"].is_string() && full["note"].is_null());
        root.put(&path, json!({ "private_profile": true, "bio": "x" })).await.expect(200);
        assert!(dana.get(&path).await.expect(200).json().get("created_at").is_none());
        t.anonymous().get(&path).await.expect(404);
        assert!(w.rita.client(&t).get(&path).await.expect(200).json()["created_at"].is_string());
        for odd in ["0", "-1", "999999", "ghost", "99999999999999999999", "%2e%2e", "a%00b"] {
            let status = dana.get(format!("/api/v4/users/{odd}")).await.status;
            assert!(matches!(status.as_u16(), 400 | 404), "{odd} {status}");
        }
        let me = dana.get("/api/v4/user").await.expect(200).json();
        assert_eq!((&me["email"], &me["commit_email"]), (&"dana@example.com".into(), &"dana@example.com".into()));
        assert!(me.get("is_admin").is_none() && me["identities"] == json!([]));
        assert_eq!(root.get("/api/v4/user").await.expect(200).json()["is_admin"], true);
        let counts = root.get(format!("/api/v4/users/{}/associations_count", w.olive.id)).await.expect(200).json();
        assert!(counts["projects_count"].is_i64() && counts["merge_requests_count"].is_i64());
        dana.get(format!("/api/v4/users/{}/associations_count", w.olive.id)).await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn status_is_set_changed_and_cleared() {
    for_each_database(async |t| {
        let w = t.world().await;
        let dana = w.dana.client(&t);
        let body =
            json!({ "emoji": "coffee", "message": "<b>away", "availability": "busy", "clear_status_after": "3_hours" });
        let set = dana.put("/api/v4/user/status", body).await.expect(200).json();
        assert_eq!((&set["emoji"], &set["message_html"]), (&"coffee".into(), &"&lt;b&gt;away".into()));
        assert!(set["clear_status_at"].is_string());
        let patch = dana.request(http::Method::PATCH, "/api/v4/user/status").json(&json!({ "message": "back" }));
        let changed = dana.send(patch).await.expect(200).json();
        assert_eq!((&changed["emoji"], &changed["message"]), (&"coffee".into(), &"back".into()));
        assert_eq!(t.anonymous().get("/api/v4/users/dana/status").await.expect(200).json()["availability"], "busy");
        for odd in [
            json!({ "availability": "x" }),
            json!({ "message": "x".repeat(101) }),
            json!({ "emoji": "<b>" }),
            json!({ "clear_status_after": "1_year" }),
        ] {
            dana.put("/api/v4/user/status", odd).await.expect(400);
        }
        let cleared = dana.put("/api/v4/user/status", json!({})).await.expect(200).json();
        assert!(cleared["message"].is_null() && cleared["emoji"].is_null());
        t.anonymous().get("/api/v4/user/status").await.expect(401);
    })
    .await;
}

#[tokio::test]
async fn preferences_and_addresses_are_kept() {
    for_each_database(async |t| {
        let w = t.world().await;
        let (dana, root) = (w.dana.client(&t), w.root.client(&t));
        assert_eq!(dana.get("/api/v4/user/preferences").await.expect(200).json()["show_whitespace_in_diffs"], true);
        let body = json!({ "view_diffs_file_by_file": "true", "show_whitespace_in_diffs": false });
        let set = dana.put("/api/v4/user/preferences", body).await.expect(200).json();
        assert_eq!((&set["view_diffs_file_by_file"], &set["show_whitespace_in_diffs"]), (&true.into(), &false.into()));
        t.anonymous().get("/api/v4/user/preferences").await.expect(401);
        let mail = dana
            .post("/api/v4/user/emails", json!({ "email": "Dana@Work.example", "skip_confirmation": true }))
            .await
            .expect(201)
            .json();
        assert_eq!((&mail["email"], &mail["confirmed_at"]), (&"dana@work.example".into(), &serde_json::Value::Null));
        for taken in ["dana@work.example", "RITA@example.com", "nonsense", ""] {
            w.gus.client(&t).post("/api/v4/user/emails", json!({ "email": taken })).await.expect(400);
        }
        let confirmed = json!({ "email": "d@work.example", "skip_confirmation": true });
        assert!(root.post("/api/v4/users/dana/emails", confirmed).await.expect(201).json()["confirmed_at"].is_string());
        let path = format!("/api/v4/user/emails/{}", mail["id"]);
        dana.get(&path).await.expect(200);
        w.rita.client(&t).get(&path).await.expect(404);
        w.rita.client(&t).delete(&path).await.expect(404);
        w.rita.client(&t).get("/api/v4/users/dana/emails").await.expect(403);
        assert_eq!(dana.get("/api/v4/user/emails").await.expect(200).json().as_array().unwrap().len(), 2);
        let wanted = ["D@work.example".to_owned(), "dana@work.example".to_owned(), "rita@example.com".to_owned()];
        let found = accounts::email::users_by_email(t.app.db().conn(), &wanted).await.unwrap();
        assert_eq!(found.len(), 2, "an address that isn't confirmed stands for nobody");
        dana.delete(&path).await.expect(204);
    })
    .await;
}

#[tokio::test]
async fn the_instance_says_what_it_is() {
    for_each_database(async |t| {
        let w = t.world().await;
        let metadata = w.dana.client(&t).get("/api/v4/metadata").await.expect(200).json();
        assert!(metadata["version"].as_str().unwrap().starts_with("18."));
        assert_eq!((&metadata["enterprise"], &metadata["kas"]["enabled"]), (&false.into(), &false.into()));
        assert_eq!(w.dana.client(&t).get("/api/v4/version").await.expect(200).json()["version"], metadata["version"]);
        t.anonymous().get("/api/v4/version").await.expect(401);
        t.anonymous().get("/api/v4/metadata").await.expect(401);
    })
    .await;
}

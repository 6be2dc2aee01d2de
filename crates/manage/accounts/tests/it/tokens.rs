//! Tokens: what they open, how they end, and their endpoints.

use serde_json::json;
use testkit::for_each_database;

use crate::{token, unprivileged};

#[tokio::test]
async fn a_token_is_taken_wherever_it_stands() {
    for_each_database(async |t| {
        let w = t.world().await;
        let (nobody, token) = (t.anonymous(), &w.dana.token);
        let get = |path: String| nobody.request(http::Method::GET, path);
        for request in [
            get("/api/v4/user".into()).header("private-token", token),
            get("/api/v4/user".into()).header("authorization", format!("Bearer {token}")),
            get("/api/v4/user".into()).header("authorization", format!("bearer  {token}")),
            get(format!("/api/v4/user?private_token={token}")),
            get(format!("/api/v4/user?access_token={token}")),
        ] {
            assert_eq!(nobody.send(request).await.expect(200).json()["username"], "dana");
        }
        nobody.get("/api/v4/user").await.expect(401);
    })
    .await;
}

#[tokio::test]
async fn dead_tokens_say_why() {
    for_each_database(async |t| {
        let w = t.world().await;
        let unknown = t.client("tmpat-unknown").get("/api/v4/user").await.expect(401);
        assert_eq!(unknown.json()["message"], "401 Unauthorized");
        t.client("' OR 1=1 --").get("/api/v4/user").await.expect(401);
        // A wrong token is no ticket to what is public either.
        t.client("tmpat-unknown").get("/api/v4/users/dana").await.expect(401);
        let (id, secret) = token(&t, &w.dana, &["api"]).await;
        t.app.db().run("UPDATE access_tokens SET expires_at = 1 WHERE id = $1", [id.into()]).await.unwrap();
        let expired = t.client(&secret).get("/api/v4/user").await.expect(401).json();
        assert_eq!(expired["error"], "invalid_token");
        assert!(expired["error_description"].as_str().unwrap().contains("expired"));
        let (id, secret) = token(&t, &w.dana, &["api"]).await;
        w.dana.client(&t).delete(format!("/api/v4/personal_access_tokens/{id}")).await.expect(204);
        let revoked = t.client(&secret).get("/api/v4/user").await.expect(401).json();
        assert!(revoked["error_description"].as_str().unwrap().contains("revoked"));
        t.app.db().run("UPDATE users SET state = 'blocked' WHERE id = $1", [w.dana.id.into()]).await.unwrap();
        w.dana.client(&t).get("/api/v4/user").await.expect(401);
    })
    .await;
}

#[tokio::test]
async fn scopes_bound_what_a_token_opens() {
    for_each_database(async |t| {
        let w = t.world().await;
        for (scope, user, users, projects, write) in [
            ("api", 200, 200, 200, 400),
            ("read_api", 200, 200, 200, 403),
            ("read_user", 200, 200, 403, 403),
            ("read_repository", 403, 403, 403, 403),
            ("write_repository", 403, 403, 403, 403),
            ("self_rotate", 403, 403, 403, 403),
        ] {
            let client = t.client(&token(&t, &w.dana, &[scope]).await.1);
            client.get("/api/v4/user").await.expect(user);
            client.get("/api/v4/users?username=dana").await.expect(users);
            client.get("/api/v4/projects").await.expect(projects);
            let refused = client.post("/api/v4/user/keys", json!({})).await.expect(write);
            if write == 403 {
                assert_eq!(refused.json()["error"], "insufficient_scope");
            }
            client.get("/api/v4/personal_access_tokens/self").await.expect(200);
        }
    })
    .await;
}

#[tokio::test]
async fn sudo_is_for_administrators_with_the_scope() {
    for_each_database(async |t| {
        let w = t.world().await;
        let sudo = t.client(&token(&t, &w.root, &["api", "sudo"]).await.1);
        let as_dana = sudo.request(http::Method::GET, "/api/v4/user").header("sudo", "dana");
        assert_eq!(sudo.send(as_dana).await.expect(200).json()["username"], "dana");
        let by_id = sudo.get(format!("/api/v4/user?sudo={}", w.rita.id)).await.expect(200);
        assert_eq!(by_id.json()["username"], "rita");
        assert!(by_id.json().get("is_admin").is_none());
        sudo.get("/api/v4/user?sudo=ghost").await.expect(404);
        w.root.client(&t).get("/api/v4/user?sudo=dana").await.expect(403);
        w.dana.client(&t).get("/api/v4/user?sudo=root").await.expect(403);
        let dana = t.client(&token(&t, &w.dana, &["api", "sudo"]).await.1);
        dana.get("/api/v4/user?sudo=root").await.expect(403);
    })
    .await;
}

#[tokio::test]
async fn people_see_and_end_their_own() {
    for_each_database(async |t| {
        let w = t.world().await;
        let (dana, root) = (w.dana.client(&t), w.root.client(&t));
        let (id, secret) = token(&t, &w.dana, &["read_api"]).await;
        let own = dana.get("/api/v4/personal_access_tokens?sort=created_asc").await.expect(200).json();
        assert_eq!(own.as_array().unwrap().len(), 2);
        assert_eq!(own[1]["id"], id);
        assert_eq!(own[1]["scopes"], json!(["read_api"]));
        assert!(own[1].get("token").is_none());
        let path = format!("/api/v4/personal_access_tokens/{id}");
        dana.get(&path).await.expect(200);
        w.rita.client(&t).get(&path).await.expect(401);
        w.rita.client(&t).delete(&path).await.expect(401);
        w.rita.client(&t).get("/api/v4/personal_access_tokens/999999").await.expect(401);
        root.get(&path).await.expect(200);
        root.get("/api/v4/personal_access_tokens/999999").await.expect(404);
        dana.get(format!("/api/v4/personal_access_tokens?user_id={}", w.rita.id)).await.expect(401);
        let of_rita = root.get(format!("/api/v4/personal_access_tokens?user_id={}", w.rita.id)).await.expect(200);
        assert_eq!(of_rita.json()[0]["user_id"], w.rita.id);
        assert_eq!(t.client(&secret).get("/api/v4/personal_access_tokens/self").await.expect(200).json()["id"], id);
        t.client(&secret).delete("/api/v4/personal_access_tokens/self").await.expect(204);
        let gone = dana.get("/api/v4/personal_access_tokens?state=inactive").await.expect(200).json();
        assert_eq!((gone.as_array().unwrap().len(), &gone[0]["active"]), (1, &false.into()));
        for (query, count) in [
            ("revoked=true", 1),
            ("revoked=false", 1),
            ("state=active", 1),
            ("search=TES", 1),
            ("search=%25", 0),
            ("created_after=2099-01-01", 0),
            ("created_before=2099-01-01", 2),
            ("last_used_after=2099-01-01", 0),
            ("sort=name_asc", 2),
            ("sort=last_used_desc", 2),
            ("sort=expires_asc", 2),
        ] {
            let found = dana.get(format!("/api/v4/personal_access_tokens?{query}")).await.expect(200);
            assert_eq!(found.header("x-total"), count.to_string(), "{query}");
        }
        for odd in ["state=dead", "sort=odd", "page=-1", "created_after=when", "user_id=x"] {
            dana.get(format!("/api/v4/personal_access_tokens?{odd}")).await.expect(400);
        }
        dana.get("/api/v4/personal_access_tokens/x").await.expect(400);
        t.anonymous().get("/api/v4/personal_access_tokens").await.expect(401);
    })
    .await;
}

#[tokio::test]
async fn rotation_replaces_a_token() {
    for_each_database(async |t| {
        let w = t.world().await;
        let (_, old) = token(&t, &w.dana, &["self_rotate"]).await;
        let made =
            t.client(&old).post("/api/v4/personal_access_tokens/self/rotate", json!({})).await.expect(200).json();
        let new = made["token"].as_str().unwrap().to_owned();
        assert_eq!(made["scopes"], json!(["self_rotate"]));
        let week = kernel::Time::now() + std::time::Duration::from_secs(7 * 86_400);
        assert_eq!(made["expires_at"], week.date());
        t.client(&old).get("/api/v4/personal_access_tokens/self").await.expect(401);
        let path = format!("/api/v4/personal_access_tokens/{}/rotate", made["id"]);
        w.rita.client(&t).post(&path, json!({})).await.expect(401);
        t.client(&new).post(&path, json!({})).await.expect(403);
        w.dana.client(&t).post(&path, json!({ "expires_at": "2020-01-01" })).await.expect(400);
        let (dana, root) = (w.dana.client(&t), w.root.client(&t));
        let (one, two) = tokio::join!(dana.post(&path, json!({})), root.post(&path, json!({})));
        let ok = [one.status.as_u16(), two.status.as_u16()].iter().filter(|s| **s == 200).count();
        assert_eq!(ok, 1, "{} {}", one.text(), two.text());
        w.dana.client(&t).post(&path, json!({})).await.expect(401);
        let reading = t.client(&token(&t, &w.dana, &["read_api"]).await.1);
        reading.post("/api/v4/personal_access_tokens/self/rotate", json!({})).await.expect(403);
    })
    .await;
}

#[tokio::test]
async fn administrators_make_tokens_for_others() {
    for_each_database(async |t| {
        let w = t.world().await;
        let root = w.root.client(&t);
        let body = json!({ "name": "bot", "scopes": ["api"], "description": "x", "expires_at": null });
        let path = format!("/api/v4/users/{}/personal_access_tokens", w.dana.id);
        let made = root.post(&path, body.clone()).await.expect(201).json();
        let client = t.client(made["token"].as_str().unwrap());
        assert_eq!(client.get("/api/v4/user").await.expect(200).json()["username"], "dana");
        assert!(made["expires_at"].is_string());
        // A scope of administrators is not for somebody who is none.
        root.post(&path, json!({ "name": "x", "scopes": ["sudo"] })).await.expect(400);
        root.post(&path, json!({ "name": "x", "scopes": [] })).await.expect(400);
        root.post(&path, json!({ "scopes": ["api"] })).await.expect(400);
        let impersonation = format!("/api/v4/users/{}/impersonation_tokens", w.dana.id);
        let made = root.post(&impersonation, body.clone()).await.expect(201).json();
        assert_eq!(made["impersonation"], true);
        let acting = t.client(made["token"].as_str().unwrap());
        acting.get("/api/v4/user").await.expect(200);
        let listed = root.get(format!("{impersonation}?state=active")).await.expect(200).json();
        assert_eq!((listed.as_array().unwrap().len(), &listed[0]["id"]), (1, &made["id"]));
        let one = format!("{impersonation}/{}", made["id"]);
        root.get(&one).await.expect(200);
        // The user doesn't see or end it.
        w.dana.client(&t).get(format!("/api/v4/personal_access_tokens/{}", made["id"])).await.expect(401);
        for (client, status) in unprivileged(&t, &w) {
            client.get(&impersonation).await.expect(status);
            client.post(&impersonation, body.clone()).await.expect(status);
            client.post(&path, body.clone()).await.expect(status);
            client.delete(&one).await.expect(status);
        }
        root.delete(&one).await.expect(204);
        acting.get("/api/v4/user").await.expect(401);
        root.get("/api/v4/users/999999/impersonation_tokens").await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn programs_make_tokens_of_few_rights() {
    for_each_database(async |t| {
        let w = t.world().await;
        let dana = w.dana.client(&t);
        let make = async |scopes| {
            dana.post("/api/v4/user/personal_access_tokens", json!({ "name": "x", "scopes": scopes })).await
        };
        let made = make(json!(["k8s_proxy", "self_rotate"])).await.expect(201).json();
        t.client(made["token"].as_str().unwrap()).get("/api/v4/user").await.expect(403);
        for scopes in [json!(["api"]), json!(["k8s_proxy", "api"]), json!([]), json!({ "a": 1 })] {
            make(scopes).await.expect(400);
        }
        t.anonymous().post("/api/v4/user/personal_access_tokens", json!({ "name": "x" })).await.expect(400);
        let valid = json!({ "name": "x", "scopes": ["k8s_proxy"] });
        t.anonymous().post("/api/v4/user/personal_access_tokens", valid).await.expect(401);
    })
    .await;
}

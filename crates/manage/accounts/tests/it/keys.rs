//! SSH keys through the API.

use serde_json::json;
use testkit::for_each_database;

use crate::{KEY_ECDSA, KEY_ED25519, KEY_RSA, KEY_RSA_SHORT, complaint, unprivileged};

#[tokio::test]
async fn keys_are_added_shown_and_removed() {
    for_each_database(async |t| {
        let w = t.world().await;
        let dana = w.dana.client(&t);
        for (title, key) in [("a", KEY_ED25519), ("b", KEY_ECDSA), ("c", KEY_RSA)] {
            let made = dana.post("/api/v4/user/keys", json!({ "title": title, "key": key })).await.expect(201).json();
            assert_eq!((&made["title"], &made["usage_type"]), (&title.into(), &"auth_and_signing".into()));
            assert!(made["key"].as_str().unwrap().starts_with(&key[..key.rfind(' ').unwrap()]));
            assert!(made["expires_at"].is_null() && made["last_used_at"].is_null());
        }
        let all = dana.get("/api/v4/user/keys").await.expect(200).json();
        let id = all[0]["id"].as_i64().unwrap();
        assert_eq!(all.as_array().unwrap().len(), 3);
        dana.get(format!("/api/v4/user/keys/{id}")).await.expect(200);
        // Keys are public; whose they are is too.
        assert_eq!(t.anonymous().get("/api/v4/users/dana/keys").await.expect(200).json().as_array().unwrap().len(), 3);
        t.anonymous().get(format!("/api/v4/users/{}/keys/{id}", w.dana.id)).await.expect(200);
        w.rita.client(&t).get(format!("/api/v4/user/keys/{id}")).await.expect(404);
        w.rita.client(&t).delete(format!("/api/v4/user/keys/{id}")).await.expect(404);
        dana.delete(format!("/api/v4/user/keys/{id}")).await.expect(204);
        dana.delete(format!("/api/v4/user/keys/{id}")).await.expect(404);
        t.anonymous().get("/api/v4/user/keys").await.expect(401);
        t.anonymous().post("/api/v4/user/keys", json!({ "title": "x", "key": KEY_ED25519 })).await.expect(401);
    })
    .await;
}

#[tokio::test]
async fn odd_keys_are_refused() {
    for_each_database(async |t| {
        let w = t.world().await;
        let dana = w.dana.client(&t);
        let add = async |body| dana.post("/api/v4/user/keys", body).await.expect(400);
        assert_eq!(add(json!({ "key": KEY_RSA })).await.json()["error"], "title is missing");
        assert!(complaint(&add(json!({ "title": "x", "key": KEY_RSA_SHORT })).await).contains("2048 bits"));
        for key in ["", "nonsense", "ssh-ed25519 AAAA", "-----BEGIN OPENSSH PRIVATE KEY-----", &"x".repeat(100_000)] {
            add(json!({ "title": "x", "key": key })).await;
        }
        add(json!({ "title": "x".repeat(300), "key": KEY_RSA })).await;
        add(json!({ "title": "x", "key": KEY_RSA, "usage_type": "all" })).await;
        add(json!({ "title": "x", "key": KEY_RSA, "expires_at": "2020-01-01" })).await;
        add(json!({ "title": "x", "key": KEY_RSA, "expires_at": "soon" })).await;
        add(json!({ "title": "x", "key": [1, 2] })).await;
        dana.post("/api/v4/user/keys", json!({ "title": "x", "key": KEY_RSA })).await.expect(201);
        let twice =
            w.rita.client(&t).post("/api/v4/user/keys", json!({ "title": "x", "key": KEY_RSA })).await.expect(400);
        assert_eq!(twice.json()["message"]["fingerprint_sha256"][0], "has already been taken");
    })
    .await;
}

#[tokio::test]
async fn administrators_find_and_give_keys() {
    for_each_database(async |t| {
        let w = t.world().await;
        let root = w.root.client(&t);
        let body =
            json!({ "title": "x", "key": KEY_RSA, "expires_at": "2099-01-21T00:00:00.000Z", "usage_type": "auth" });
        let key = root.post("/api/v4/users/dana/keys", body).await.expect(201).json();
        assert_eq!(key["expires_at"], "2099-01-21T00:00:00.000Z");
        let (by_id, id) = (format!("/api/v4/keys/{}", key["id"]), &key["id"]);
        assert_eq!(root.get(&by_id).await.expect(200).json()["user"]["username"], "dana");
        for fingerprint in [
            "SHA256:CdBv5gmvEokRBoM8mNjTDrYQbCc51nNvxgT97Gs7elg",
            "SHA256%3ACdBv5gmvEokRBoM8mNjTDrYQbCc51nNvxgT97Gs7elg",
            "41:91:23:da:ab:ea:f5:43:16:12:b3:86:0c:de:8b:97",
        ] {
            let found = root.get(format!("/api/v4/keys?fingerprint={fingerprint}")).await.expect(200).json();
            assert_eq!(&found["id"], id);
        }
        root.get("/api/v4/keys?fingerprint=nonsense").await.expect(400);
        root.get("/api/v4/keys").await.expect(400);
        root.get(format!("/api/v4/keys?fingerprint=SHA256:{}", "A".repeat(43))).await.expect(404);
        for (client, status) in unprivileged(&t, &w) {
            client.get(&by_id).await.expect(status);
            client.get("/api/v4/keys?fingerprint=SHA256:x").await.expect(status);
            client.delete(format!("/api/v4/users/dana/keys/{id}")).await.expect(status);
            client.post("/api/v4/users/dana/keys", json!({ "title": "x", "key": KEY_ECDSA })).await.expect(status);
        }
        root.delete(format!("/api/v4/users/dana/keys/{id}")).await.expect(204);
    })
    .await;
}

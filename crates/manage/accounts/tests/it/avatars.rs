//! Pictures: only pictures, served so that they can only be seen.

use http::Method;
use reqwest::multipart::{Form, Part};
use testkit::{Answer, Client, for_each_database};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n then anything";

async fn upload(client: &Client, path: &str, name: &str, data: Vec<u8>) -> Answer {
    let method = if path.starts_with("/api") { Method::PUT } else { Method::POST };
    let form = Form::new().part("avatar", Part::bytes(data).file_name(name.to_owned()));
    client.send(client.request(method, path).multipart(form)).await
}

#[tokio::test]
async fn a_picture_is_served_sandboxed() {
    for_each_database(async |t| {
        let w = t.world().await;
        let api = w.dana.client(&t);
        let set = upload(&api, "/api/v4/user/avatar", "../../me.png", PNG.to_vec()).await.expect(200).json();
        let url = set["avatar_url"].as_str().unwrap().to_owned();
        let path = url.strip_prefix(&t.url).expect("an absolute URL").to_owned();
        assert!(path.starts_with(&format!("/uploads/-/system/user/avatar/{}/", w.dana.id)) && path.ends_with(".png"));
        let served = t.anonymous().get(&path).await.expect(200);
        assert_eq!((served.header("content-type"), &served.body[..]), ("image/png", PNG));
        assert!(served.header("content-security-policy").contains("sandbox"));
        assert_eq!(served.header("x-content-type-options"), "nosniff");
        assert_eq!(api.get("/api/v4/user").await.json()["avatar_url"], url);
        // Another name, another user, no picture.
        for odd in ["other.png", "..%2F..%2Fx", "%00"] {
            let status = t.anonymous().get(format!("/uploads/-/system/user/avatar/{}/{odd}", w.dana.id)).await.status;
            assert!(matches!(status.as_u16(), 400 | 404), "{odd} {status}");
        }
        t.anonymous().get(path.replace(&format!("/{}/", w.dana.id), &format!("/{}/", w.rita.id))).await.expect(404);
        let browser = w.dana.browser(&t).await;
        upload(&browser, "/-/user_settings/profile/avatar", "b.gif", b"GIF89a.".to_vec()).await.expect(303);
        t.anonymous().get(&path).await.expect(404);
        browser.form("/-/user_settings/profile/avatar/delete", &[]).await.expect(303);
        assert!(api.get("/api/v4/user").await.json()["avatar_url"].is_null());
    })
    .await;
}

#[tokio::test]
async fn what_is_no_picture_is_refused() {
    for_each_database(async |t| {
        let w = t.world().await;
        let (api, browser) = (w.dana.client(&t), w.dana.browser(&t).await);
        let svg = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>".to_vec();
        let mut big = PNG.to_vec();
        big.resize(201 << 10, 0);
        for (name, data) in [
            ("a.svg", svg.clone()),
            ("a.png", svg),
            ("a.png", vec![]),
            ("a.html", b"<script>".to_vec()),
            ("a.png", big),
        ] {
            upload(&api, "/api/v4/user/avatar", name, data.clone()).await.expect(400);
            upload(&browser, "/-/user_settings/profile/avatar", name, data).await.expect(422);
        }
        api.send(api.request(Method::PUT, "/api/v4/user/avatar").multipart(Form::new().text("avatar", "x")))
            .await
            .expect(400);
        t.anonymous().put("/api/v4/user/avatar", serde_json::json!({})).await.expect(400);
        assert!(api.get("/api/v4/user").await.json()["avatar_url"].is_null());
    })
    .await;
}

#[tokio::test]
async fn pictures_are_found_by_public_addresses_alone() {
    for_each_database(async |t| {
        let w = t.world().await;
        upload(&w.dana.client(&t), "/api/v4/user/avatar", "a.png", PNG.to_vec()).await.expect(200);
        let find =
            async |client: Client| client.get("/api/v4/avatar?email=dana@example.com&size=32").await.expect(200).json();
        assert!(find(t.anonymous()).await["avatar_url"].is_null());
        assert!(find(w.root.client(&t)).await["avatar_url"].is_string());
        let body = serde_json::json!({ "public_email": "dana@example.com" });
        w.root.client(&t).put(format!("/api/v4/users/{}", w.dana.id), body).await.expect(200);
        assert!(find(t.anonymous()).await["avatar_url"].is_string());
        t.anonymous().get("/api/v4/avatar").await.expect(400);
    })
    .await;
}

//! Uploaded files: who may, how they are served, and that they harm nobody.

use http::Method;
use testkit::for_each_database;

use crate::{GIF, file_form, send_file};

#[tokio::test]
async fn a_file_up_and_down() {
    for_each_database(async |t| {
        let world = t.world().await;
        let (gus, mats, sam) = (world.gus.client(&t), world.mats.client(&t), world.sam.client(&t));
        let here = "/api/v4/projects/mill%2Fwheel/uploads";
        let made = send_file(&gus, Method::POST, here, file_form("file", "dk.gif", GIF)).await.expect(201).json();
        let (url, full) = (made["url"].as_str().unwrap(), made["full_path"].as_str().unwrap());
        assert_eq!(made["markdown"], format!("![dk]({url})"));
        for path in
            [full.to_owned(), format!("/mill/wheel{url}"), format!("{here}/{}", url.trim_start_matches("/uploads/"))]
        {
            let file = gus.get(&path).await.expect(200);
            assert_eq!((&file.body[..], file.header("content-type")), (GIF, "image/gif"), "{path}");
            assert!(file.header("content-security-policy").contains("sandbox"), "{path}");
            assert_eq!(file.header("x-content-type-options"), "nosniff");
            sam.get(&path).await.expect(404);
        }
        let listed = mats.get(here).await.expect(200).json();
        assert_eq!(
            (listed[0]["filename"].as_str(), listed[0]["uploaded_by"]["username"].as_str()),
            (Some("dk.gif"), Some("gus"))
        );
        assert_eq!(listed[0]["size"].as_u64(), Some(GIF.len() as u64));
        let id = listed[0]["id"].as_i64().unwrap();
        mats.get(format!("{here}/{id}")).await.expect(200);
        gus.delete(format!("{here}/{id}")).await.expect(403);
        mats.delete(format!("{here}/{id}")).await.expect(204);
        gus.get(full).await.expect(404);
        send_file(&sam, Method::POST, here, file_form("file", "a", b"a")).await.expect(404);
        send_file(&gus, Method::POST, here, file_form("other", "a", b"a")).await.expect(400);
    })
    .await;
}

#[tokio::test]
async fn files_that_mean_harm() {
    for_each_database(async |t| {
        let world = t.world().await;
        let (gus, here) = (world.gus.client(&t), "/api/v4/projects/mill%2Fwheel/uploads");
        for name in ["x.svg", "x.html", "../../../etc/passwd", "..\\x.js", "x.php%00.png", "."] {
            let made = send_file(&gus, Method::POST, here, file_form("file", name, b"<script>alert(1)</script>"))
                .await
                .expect(201)
                .json();
            let path = made["full_path"].as_str().unwrap();
            assert!(!path.contains(".."), "{path}");
            let file = gus.get(path).await.expect(200);
            let is_picture = file.header("content-type").starts_with("image/");
            assert!(is_picture || file.header("content-disposition").starts_with("attachment"), "{name}");
            assert!(
                !file.header("content-type").contains("svg") && !file.header("content-type").contains("html"),
                "{name}"
            );
            assert!(file.header("content-security-policy").contains("sandbox"), "{name}");
        }
        let made = send_file(&gus, Method::POST, here, file_form("file", "empty.txt", b"")).await.expect(201).json();
        assert_eq!(gus.get(made["full_path"].as_str().unwrap()).await.expect(200).body.len(), 0);
        t.app.settings().set(t.app.db(), "max_attachment_size", 1).await.unwrap();
        let large = vec![b'x'; (1 << 20) + 1];
        send_file(&gus, Method::POST, here, file_form("file", "large.txt", &large)).await.expect(413);
        for path in ["/-/project/x/uploads/a/b", "/mill/wheel/uploads/none/x.gif", "/mill/wheel/uploads/..%2F..%2Fx/y"]
        {
            let status = gus.get(path).await.status.as_u16();
            assert!(matches!(status, 400 | 404), "{path}: {status}");
        }
    })
    .await;
}

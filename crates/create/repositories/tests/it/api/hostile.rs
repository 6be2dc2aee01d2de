use serde_json::json;
use testkit::for_each_database;

use super::support::Bench;

#[tokio::test]
async fn odd_names_are_refused_politely() {
    for_each_database(async |t| {
        let b = Bench::seeded(&t).await;
        let long = "x".repeat(4096);
        let odd = [
            "..",
            "..%2F..%2Fetc%2Fpasswd",
            "%00",
            "-x",
            "--output=x",
            "%2E%2E%2F",
            "a%0Ab",
            "%F0%9F%8C%8A",
            "@%7B0%7D",
            "main%5E%7Bcommit%7D",
            "refs%2Fheads%2F..%2Fmain",
            "%FF%FE",
            "%25",
            "main%3AREADME.md",
            "HEAD%5E",
            ":%2F",
            &long,
        ];
        for name in odd {
            for path in [
                format!("commits/{name}"),
                format!("commits/{name}/diff"),
                format!("commits/{name}/refs"),
                format!("commits?ref_name={name}"),
                format!("branches/{name}"),
                format!("tags/{name}"),
                format!("blobs/{name}/raw"),
                format!("tree?ref={name}"),
                format!("tree?path={name}"),
                format!("files/{name}?ref=main"),
                format!("files/README.md?ref={name}"),
                format!("files/{name}/blame?ref=main"),
                format!("archive?sha={name}"),
                format!("archive?path={name}"),
                format!("compare?from={name}&to=main"),
                format!("contributors?ref={name}"),
                format!("changelog?version=1.0.0&from={name}"),
            ] {
                let answer = b.olive.get(b.repo(&path)).await;
                assert!(
                    matches!(answer.status.as_u16(), 400 | 404 | 414),
                    "{path}: {} {}",
                    answer.status,
                    answer.text()
                );
            }
        }
    })
    .await;
}

#[tokio::test]
async fn unicode_and_odd_but_legal_names_work() {
    for_each_database(async |t| {
        let b = Bench::seeded(&t).await;
        for (encoded, plain) in [
            ("%E6%B0%B4%20%F0%9F%8C%8A.md", "水 🌊.md"),
            ("a%2F-x", "a/-x"),
            ("%3Aglob%2A%3F%5B", ":glob*?["),
            ("tab%09quote%22", "tab\tquote\""),
            ("...", "..."),
        ] {
            let path = b.repo(&format!("files/{encoded}"));
            let body = json!({ "branch": "main", "content": plain, "commit_message": plain });
            let made = b.olive.post(&path, body).await.expect(201).json();
            assert_eq!(made["file_path"], plain);
            let shown = b.olive.get(format!("{path}?ref=main")).await.expect(200).json();
            assert_eq!(shown["file_path"], plain);
            assert_eq!(b.olive.get(format!("{path}/raw?ref=main")).await.expect(200).text(), plain);
            let commits = b.olive.get(b.repo(&format!("commits?path={encoded}"))).await.expect(200).json();
            assert_eq!(commits.as_array().unwrap().len(), 1, "{plain}");
        }
        for name in ["水", "feature/ü", "a#b", "50%25", "a+b", "a&b=c"] {
            let plain = name.replace("%25", "%");
            b.olive.post(b.repo("branches"), json!({ "branch": plain, "ref": "main" })).await.expect(201);
            let encoded = name.replace('/', "%2F").replace('#', "%23");
            let shown = b.olive.get(b.repo(&format!("branches/{encoded}"))).await.expect(200).json();
            assert_eq!(shown["name"], plain);
        }
    })
    .await;
}

#[tokio::test]
async fn markdown_is_made_safe() {
    for_each_database(async |t| {
        let b = Bench::new(&t).await;
        let text = "# Hi\n\n<script>alert(1)</script>\n\n[x](javascript:alert(1)) **bold**";
        let made = b.olive.post("/api/v4/markdown", json!({ "text": text, "gfm": true })).await.expect(201).json();
        let html = made["html"].as_str().unwrap();
        assert!(
            html.contains("<strong>bold</strong>") && !html.contains("<script") && !html.contains("javascript:"),
            "{html}"
        );
        t.anonymous().post("/api/v4/markdown", json!({ "text": "x" })).await.expect(401);
        let sam = b.world.sam.client(&t);
        sam.post("/api/v4/markdown", json!({ "text": "x", "project": "mill/wheel" })).await.expect(404);
        sam.post("/api/v4/markdown", json!({ "text": "x", "project": "mill/pond" })).await.expect(201);
        sam.post("/api/v4/markdown", json!({})).await.expect(400);
    })
    .await;
}

use http::Method;
use serde_json::json;
use testkit::for_each_database;

use super::support::Bench;

#[tokio::test]
async fn a_file_lives_from_creation_to_deletion() {
    for_each_database(async |t| {
        let b = Bench::seeded(&t).await;
        let path = b.repo("files/docs%2Fa%20b%2Emd");
        let body = json!({ "branch": "main", "content": "aGVsbG8=", "encoding": "base64", "commit_message": "Say hello",
            "author_name": "Ada", "author_email": "ada@example.com", "execute_filemode": true });
        let made = b.olive.post(&path, body.clone()).await.expect(201).json();
        assert_eq!(made, json!({ "file_path": "docs/a b.md", "branch": "main" }));
        let again = b.olive.post(&path, body).await.expect(400).json();
        assert_eq!(again["message"], "A file with this name already exists");

        let shown = b.olive.get(format!("{path}?ref=main")).await.expect(200);
        let file = shown.json();
        assert_eq!(
            (&file["file_name"], &file["size"], &file["content"]),
            (&json!("a b.md"), &json!(5), &json!("aGVsbG8="))
        );
        assert_eq!(file["execute_filemode"], true);
        assert_eq!(file["commit_id"], file["last_commit_id"]);
        let sha256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
        assert_eq!(file["content_sha256"], sha256);
        let head = b.olive.send(b.olive.request(Method::HEAD, format!("{path}?ref=HEAD"))).await.expect(200);
        assert!(head.body.is_empty());
        for answer in [&shown, &head] {
            assert_eq!(answer.header("x-gitlab-content-sha256"), sha256);
            assert_eq!(answer.header("x-gitlab-file-path"), "docs/a b.md");
            assert_eq!(answer.header("x-gitlab-execute-filemode"), "true");
            assert_eq!(answer.header("x-gitlab-size"), "5");
        }
        let commit = b.olive.get(b.repo("commits/main")).await.json();
        assert_eq!((&commit["author_name"], &commit["committer_name"]), (&json!("Ada"), &json!("olive")));

        let known = file["last_commit_id"].as_str().unwrap();
        let body =
            json!({ "branch": "main", "content": "bye\n", "commit_message": "Say bye", "last_commit_id": known });
        b.olive.put(&path, body.clone()).await.expect(200);
        let stale = b.olive.put(&path, body).await.expect(400).json();
        assert_eq!(stale["message"], "docs/a b.md has changed in the meantime");
        let raw = b.olive.get(format!("{path}/raw")).await.expect(200);
        assert_eq!((raw.text().as_str(), raw.header("content-type")), ("bye\n", "text/plain; charset=utf-8"));

        let gone = b.olive.delete(format!("{path}?branch=main&commit_message=Away")).await.expect(204);
        assert!(gone.body.is_empty());
        let missing = b.olive.delete(format!("{path}?branch=main&commit_message=Away")).await.expect(400).json();
        assert_eq!(missing["message"], "A file with this name doesn't exist");
        let missing = b.olive.get(format!("{path}?ref=main")).await.expect(404).json();
        assert_eq!(missing["message"], "404 File Not Found");
    })
    .await;
}

#[tokio::test]
async fn new_branches_start_where_the_client_says() {
    for_each_database(async |t| {
        let b = Bench::seeded(&t).await;
        let dana = b.world.dana.client(&t);
        let body = json!({ "branch": "topic", "content": "x", "commit_message": "m" });
        let refused = dana.post(b.repo("files/x"), body.clone()).await.expect(400).json();
        assert!(refused["message"].as_str().unwrap().contains("start_branch"), "{refused}");
        let mut with_start = body.clone();
        with_start["start_branch"] = json!("main");
        dana.post(b.repo("files/x"), with_start.clone()).await.expect(201);
        with_start["start_branch"] = json!("nope");
        dana.post(b.repo("files/x2"), with_start).await.expect(400);
        dana.post(b.repo("files/x3"), json!({ "branch": "main", "content": "x", "commit_message": "m" }))
            .await
            .expect(403);
    })
    .await;
}

#[tokio::test]
async fn parameters_are_checked_in_the_words_of_the_api() {
    for_each_database(async |t| {
        let b = Bench::seeded(&t).await;
        for (query, error) in [
            ("files/README.md", "ref is missing"),
            ("files/README.md?ref=", "ref is empty"),
            ("files/..%2fREADME.md?ref=main", "file_path should be a valid file path"),
            ("files/README.md/blame?ref=main&range[start]=3&range[end]=1", "range[start] must be from 1 to range[end]"),
        ] {
            assert_eq!(b.olive.get(b.repo(query)).await.expect(400).json()["error"], error, "{query}");
        }
        for path in ["files/src?ref=main", "files/nope?ref=main", "files/README.md?ref=nope"] {
            b.olive.get(b.repo(path)).await.expect(404);
        }
        for (body, error) in [
            (json!({ "content": "x", "commit_message": "m" }), "branch is missing"),
            (json!({ "branch": "main", "commit_message": "m" }), "content is missing"),
            (json!({ "branch": "main", "content": "x", "commit_message": " " }), "commit_message is empty"),
            (json!({ "branch": "a..b", "content": "x", "commit_message": "m" }), "branch is invalid"),
            (
                json!({ "branch": "main", "content": "*", "encoding": "base64", "commit_message": "m" }),
                "content is not valid base64",
            ),
            (
                json!({ "branch": "main", "content": "x", "encoding": "rot13", "commit_message": "m" }),
                "encoding does not have a valid value",
            ),
            (
                json!({ "branch": "main", "content": "x", "commit_message": "m", "last_commit_id": "z" }),
                "last_commit_id is invalid",
            ),
        ] {
            assert_eq!(b.olive.post(b.repo("files/new"), body).await.expect(400).json()["error"], error);
        }
        let body = json!({ "branch": "main", "content": "x", "commit_message": "m" });
        b.olive.post(b.repo("files/.git%2Fconfig"), body.clone()).await.expect(400);
        b.olive.post(b.repo("files/src"), body.clone()).await.expect(400);
        b.olive.post(b.repo("files/README.md%2Fx"), body).await.expect(400);
    })
    .await;
}

#[tokio::test]
async fn blame_names_the_commit_of_each_run_of_lines() {
    for_each_database(async |t| {
        let b = Bench::seeded(&t).await;
        let body = json!({ "branch": "main", "content": "# Wheel\n\nTurns fast.\nNew\n", "commit_message": "Faster" });
        b.olive.put(b.repo("files/README.md"), body).await.expect(200);
        let blame = b.olive.get(b.repo("files/README.md/blame?ref=main")).await.expect(200).json();
        assert_eq!(blame[0]["lines"], json!(["# Wheel", ""]));
        assert_eq!(blame[1]["lines"], json!(["Turns fast.", "New"]));
        assert_eq!(blame[1]["commit"]["message"].as_str().unwrap().trim_end(), "Faster");
        let part =
            b.olive.get(b.repo("files/README.md/blame?ref=main&range[start]=4&range[end]=9")).await.expect(200).json();
        assert_eq!((part.as_array().unwrap().len(), &part[0]["lines"]), (1, &json!(["New"])));
        b.olive.get(b.repo("files/README.md/blame?ref=main&range[start]=99&range[end]=100")).await.expect(400);
        let head =
            b.olive.send(b.olive.request(Method::HEAD, b.repo("files/README.md/blame?ref=main"))).await.expect(200);
        assert_eq!(head.header("x-gitlab-file-name"), "README.md");
    })
    .await;
}

#[tokio::test]
async fn binary_files_keep_every_byte() {
    for_each_database(async |t| {
        let b = Bench::seeded(&t).await;
        let body =
            json!({ "branch": "main", "content": "AAEC/w==\n", "encoding": "base64", "commit_message": "Bytes" });
        b.olive.post(b.repo("files/bytes"), body).await.expect(201);
        let raw = b.olive.get(b.repo("files/bytes/raw?ref=main")).await.expect(200);
        assert_eq!(raw.body.as_ref(), [0, 1, 2, 255]);
        assert_eq!(raw.header("content-type"), "application/octet-stream");
        assert!(raw.header("content-disposition").starts_with("attachment"));
    })
    .await;
}

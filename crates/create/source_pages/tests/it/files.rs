//! Folders, files, downloads.

use testkit::for_each_database;

use crate::{Stage, has, lacks};

const README: &str = "# Pond\n\nSee [the guide](docs/guide.md) and ![map](map.png).\n\n## Setup\n";

#[tokio::test]
async fn a_project_shows_its_files_and_readme() {
    for_each_database(async |t| {
        let licence = "Permission is hereby granted, free of charge\nTHE SOFTWARE IS PROVIDED \"AS IS\"";
        let files = [
            ("README.md", README),
            ("docs/guide.md", "[up](../README.md)"),
            ("LICENSE", licence),
            ("src/main.rs", "fn main() {}\n"),
        ];
        let stage = Stage::new(t, &files).await;
        let page = stage.page("/mill/pond").await;
        has(&page, "href=\"/mill/pond/-/tree/main/docs\"");
        has(&page, "href=\"/mill/pond/-/blob/main/LICENSE\"");
        has(&page, "First commit");
        has(&page, "href=\"/mill/pond/-/blob/main/docs/guide.md\"");
        has(&page, "src=\"/mill/pond/-/raw/main/map.png\"");
        has(&page, "id=\"user-content-setup\"");
        has(&page, ">MIT<");
        has(&page, "Rust");
        has(&page, "/mill/pond.git");
        let folder = stage.page("/mill/pond/-/tree/main/docs").await;
        has(&folder, "href=\"/mill/pond/-/blob/main/docs/guide.md\"");
        has(&folder, "up to the folder above");
        let guide = stage.page("/mill/pond/-/blob/main/docs/guide.md").await;
        has(&guide, "href=\"/mill/pond/-/blob/main/README.md\"");
        let source = stage.page("/mill/pond/-/blob/main/docs/guide.md?plain=1").await;
        has(&source, "id=\"L1\"");
        has(&stage.page("/mill/pond/-/blob/main/src/main.rs").await, "<span class=\"sk\">fn");
        let find = stage.page("/mill/pond/-/find_file/main?q=gui+doc").await;
        has(&find, "docs/guide.md");
        lacks(&find, "main.rs</a>");
        let list = stage.t.anonymous().get("/mill/pond/-/files/main?format=json").await.expect(200).json();
        assert_eq!(list.as_array().unwrap().len(), 4);
    })
    .await;
}

#[tokio::test]
async fn refs_with_slashes_and_tags_and_ids_work() {
    for_each_database(async |t| {
        let stage = Stage::new(t, &[("a/b.txt", "one\n")]).await;
        stage.git(&["checkout", "-q", "-b", "feat/one/two"]).await;
        let id = stage.commit("Second", &[("a/b.txt", "two\n")]).await;
        stage.git(&["tag", "v1"]).await;
        stage.push().await;
        for reference in ["feat/one/two", "v1", &id, &id[..9], "refs/heads/feat/one/two"] {
            let raw = stage.t.anonymous().get(format!("/mill/pond/-/raw/{reference}/a/b.txt")).await.expect(200);
            assert_eq!(raw.text(), "two\n", "{reference}");
        }
        assert_eq!(stage.t.anonymous().get("/mill/pond/-/raw/main/a/b.txt").await.text(), "one\n");
        let page = stage.page("/mill/pond/-/blob/feat/one/two/a/b.txt").await;
        has(&page, &format!("data-permalink=\"/mill/pond/-/blob/{id}/a/b.txt\""));
        let at = stage.t.anonymous().page("/mill/pond/-/blob/main/a").await.expect(303);
        assert_eq!(at.header("location"), "/mill/pond/-/tree/main/a");
        stage.t.anonymous().page("/mill/pond/-/tree/nothing").await.expect(404);
        stage.t.anonymous().page("/mill/pond/-/blob/main/nothing").await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn raw_files_run_nothing() {
    for_each_database(async |t| {
        let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>";
        let stage = Stage::new(t, &[("x.html", "<script>alert(1)</script>"), ("x.svg", svg), ("x.bin", "a\0b")]).await;
        let raw = async |path: &str| stage.t.anonymous().get(format!("/mill/pond/-/raw/main/{path}")).await.expect(200);
        let html = raw("x.html").await;
        assert_eq!(html.header("content-type"), "text/plain; charset=utf-8");
        assert_eq!(html.header("x-content-type-options"), "nosniff");
        for path in ["x.html", "x.svg", "x.bin"] {
            let policy = raw(path).await.header("content-security-policy").to_owned();
            assert!(policy.starts_with("sandbox; default-src 'none'"), "{path}: {policy}");
        }
        assert!(raw("x.bin").await.header("content-disposition").starts_with("attachment"));
        assert!(raw("x.svg?inline=false").await.header("content-disposition").starts_with("attachment"));
        let tag = html.header("etag").to_owned();
        let again = stage
            .t
            .anonymous()
            .request(reqwest::Method::GET, "/mill/pond/-/raw/main/x.html")
            .header("if-none-match", tag);
        stage.t.anonymous().send(again).await.expect(304);
        let page = stage.page("/mill/pond/-/blob/main/x.svg").await;
        has(&page, "<img");
        lacks(&page, "<script>alert");
    })
    .await;
}

#[tokio::test]
async fn every_kind_of_file_is_shown() {
    for_each_database(async |t| {
        let book = r#"{"cells":[{"cell_type":"markdown","source":"*hello book*"}]}"#;
        let pointer =
            format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 12345678\n", "a".repeat(64));
        let files = [
            ("t.csv", "name,n\nx,1\n"),
            ("b.ipynb", book),
            ("big.dat", &*pointer),
            ("e", ""),
            ("n.bin", "\0\0"),
            ("p.png", "\0png"),
            ("f.mp4", "\0"),
            ("s.mp3", "\0"),
            ("d.pdf", "\0"),
        ];
        let stage = Stage::new(t, &files).await;
        std::os::unix::fs::symlink("../t.csv", stage.work.join("link")).unwrap();
        std::os::unix::fs::symlink("t.csv", stage.work.join("near")).unwrap();
        stage.git(&["add", "-A"]).await;
        stage
            .git(&["update-index", "--add", "--cacheinfo", "160000,0123456789012345678901234567890123456789,module"])
            .await;
        std::fs::write(
            stage.work.join(".gitmodules"),
            "[submodule \"module\"]\npath = module\nurl = https://example.com/a/b.git\n",
        )
        .unwrap();
        stage.git(&["add", ".gitmodules"]).await;
        stage.git(&["commit", "-q", "-m", "Links"]).await;
        stage.push().await;
        let blob = async |path: &str| stage.page(&format!("/mill/pond/-/blob/main/{path}")).await;
        has(&blob("t.csv").await, "<table class=\"data\">");
        has(&blob("b.ipynb").await, "<em>hello book</em>");
        has(&blob("big.dat").await, "Git LFS");
        has(&blob("e").await, "This file is empty");
        has(&blob("n.bin").await, "can't be shown");
        has(&blob("p.png").await, "<img class=\"shown\" src=\"/mill/pond/-/raw/main/p.png\"");
        has(&blob("f.mp4").await, "<video");
        has(&blob("s.mp3").await, "<audio");
        has(&blob("d.pdf").await, "A PDF file");
        has(&blob("near").await, "href=\"/mill/pond/-/blob/main/t.csv\"");
        lacks(&blob("link").await, "href=\"/mill/pond/-/blob/main/t.csv\"");
        let tree = stage.page("/mill/pond/-/tree/main").await;
        has(&tree, "href=\"https://example.com/a/b\"");
        has(&tree, "@ 01234567");
        stage.t.anonymous().page("/mill/pond/-/blob/main/module").await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn archives_hold_the_files() {
    for_each_database(async |t| {
        let stage = Stage::new(t, &[("a/b.txt", "one\n"), ("c.txt", "two\n")]).await;
        let tar = stage.t.anonymous().get("/mill/pond/-/archive/main/pond-main.tar").await.expect(200);
        has(&tar.text(), "pond-main/a/b.txt");
        has(tar.header("content-disposition"), "pond-main.tar");
        let part = stage.t.anonymous().get("/mill/pond/-/archive/main/pond-main.tar?path=a").await.expect(200);
        lacks(&part.text(), "pond-main/c.txt");
        for format in ["zip", "tar.gz", "tar.bz2"] {
            let made =
                stage.t.anonymous().get(format!("/mill/pond/-/archive/main/pond-main.{format}")).await.expect(200);
            assert!(made.body.len() > 40, "{format}");
        }
        stage.t.anonymous().get("/mill/pond/-/archive/main/pond-main.exe").await.expect(404);
        stage.t.anonymous().get("/mill/pond/-/archive/none/pond-none.zip").await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn a_folder_with_many_files_has_pages() {
    for_each_database(async |t| {
        let stage = Stage::new(t, &[("README.md", "x")]).await;
        let mut stream =
            String::from("commit refs/heads/big\ncommitter D <d@example.com> 1700000000 +0000\ndata 4\nmany\n");
        for n in 0..21_000 {
            stream.push_str(&format!("M 100644 inline dir/file-{n:05}.txt\ndata 1\nx\n"));
        }
        stage.import(stream.as_bytes());
        stage.push().await;
        let first = stage.page("/mill/pond/-/tree/big/dir").await;
        has(&first, "file-00000.txt");
        lacks(&first, "file-01000.txt");
        has(&first, "?page=2");
        let begun = std::time::Instant::now();
        has(&stage.page("/mill/pond/-/tree/big/dir?page=21").await, "file-20999.txt");
        assert!(begun.elapsed().as_secs() < 5);
        stage.page("/mill/pond/-/tree/big/dir?page=99999999999999").await;
        has(&stage.page("/mill/pond/-/find_file/big?q=20123").await, "dir/file-20123.txt");
    })
    .await;
}

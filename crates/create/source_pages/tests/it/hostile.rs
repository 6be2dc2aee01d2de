//! Odd names, odd contents, and people who mean no good.

use testkit::for_each_database;

use crate::{Stage, has, lacks};

const EVIL: &str = "<script>alert('x')</script>";

#[tokio::test]
async fn nothing_that_others_wrote_runs() {
    for_each_database(async |t| {
        let readme = "# <script>alert('x')</script>\n<img src=x onerror=alert(1)>\n\n[a](javascript:alert(1))\n\n<svg onload=alert(1)>\n";
        let stage = Stage::new(t, &[("README.md", readme), ("a<script>alert('x')<|script>.txt", EVIL), ("x.csv", "<script>alert('x')</script>,b\n")]).await;
        stage.git(&["checkout", "-q", "-b", "b<script>alert('x')<|script>"]).await;
        let id = stage.commit(&format!("{EVIL}\n\n{EVIL}"), &[("src.rs", EVIL)]).await;
        stage.git(&["-c", &format!("user.name={EVIL}"), "tag", "-a", "t<b>", "-m", EVIL]).await;
        stage.push().await;
        let branch = "b%3Cscript%3Ealert('x')%3C%7Cscript%3E";
        let file = "a%3Cscript%3Ealert('x')%3C%7Cscript%3E.txt";
        for page in [
            "/mill/pond".to_owned(), format!("/mill/pond/-/tree/{branch}"), format!("/mill/pond/-/blob/main/{file}"),
            format!("/mill/pond/-/blob/{branch}/src.rs"), format!("/mill/pond/-/blame/{branch}/src.rs"), "/mill/pond/-/blob/main/x.csv".into(),
            format!("/mill/pond/-/commits/{branch}"), format!("/mill/pond/-/commit/{id}"), format!("/mill/pond/-/compare/main...{branch}"),
            format!("/mill/pond/-/network/{branch}"), "/mill/pond/-/branches".into(), "/mill/pond/-/tags".into(),
            "/mill/pond/-/find_file/main?q=%22%3E%3Cscript%3E".into(), "/mill/pond/-/commits/main?search=%22%3E%3Cscript%3E&author=%3Cscript%3E".into(),
            "/mill/pond/-/compare?from=%22%3E%3Cscript%3E".into(), "/mill/pond/-/graphs/main".into(),
        ] {
            let text = stage.page(&page).await;
            for evil in ["<script>", "onerror=", "onload=", "href=\"javascript:"] {
                assert!(!text.contains(evil), "{evil} is in {page}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn names_that_are_no_text_come_back_unchanged() {
    for_each_database(async |t| {
        let stage = Stage::new(t, &[("README.md", "x")]).await;
        let mut stream = b"commit refs/heads/odd\ncommitter D \xff <d@example.com> 1700000000 +0000\ndata 6\nm \xff \x07\nM 100644 inline \"d\\377/f\\001\\377 %\\\"'&?#.txt\"\ndata 5\n\xff\xfe\n\n\nM 100644 inline \"d\\377/\\303\\251 \\340\\244\\205.md\"\ndata 3\n# x\n".to_vec();
        stream.extend_from_slice(b"M 100644 inline ..a\ndata 1\nx\nM 100644 inline -x\ndata 1\nx\nM 100644 inline \"a\\nb\"\ndata 1\nx\n");
        stage.import(&stream);
        stage.push().await;
        let tree = stage.page("/mill/pond/-/tree/odd").await;
        has(&tree, "href=\"/mill/pond/-/tree/odd/d%FF\"");
        let folder = stage.page("/mill/pond/-/tree/odd/d%FF").await;
        let file = "f%01%FF%20%25%22%27%26%3F%23.txt";
        has(&folder, &format!("href=\"/mill/pond/-/blob/odd/d%FF/{file}\""));
        stage.page(&format!("/mill/pond/-/blob/odd/d%FF/{file}")).await;
        let raw = stage.t.anonymous().get(format!("/mill/pond/-/raw/odd/d%FF/{file}")).await.expect(200);
        assert_eq!(&raw.body[..2], b"\xff\xfe");
        for page in ["blame", "commits"] {
            stage.page(&format!("/mill/pond/-/{page}/odd/d%FF/{file}")).await;
        }
        for path in ["..a", "-x", "a%0Ab", "d%FF/%C3%A9%20%E0%A4%85.md"] {
            stage.page(&format!("/mill/pond/-/blob/odd/{path}")).await;
        }
        let commit = stage.page("/mill/pond/-/commit/odd").await;
        has(&commit, "d%FF/");
        let at = commit.find("/-/diff_files/");
        if let Some(at) = at {
            let href = &commit[commit[..at].rfind('"').unwrap() + 1..at + commit[at..].find('"').unwrap()].replace("&amp;", "&");
            stage.page(href).await;
        }
        stage.page("/mill/pond/-/find_file/odd").await;
        let olive = stage.browser(&stage.world.olive).await;
        let page = olive.page("/mill/pond/-/edit/odd/d%FF/%C3%A9%20%E0%A4%85.md").await.expect(200).text();
        let shown = "d\u{fffd}/é \u{905}.md";
        has(&page, shown);
        let saved = olive.form("/mill/pond/-/edit/odd/d%FF/%C3%A9%20%E0%A4%85.md", &[("path", shown), ("content", "# y"), ("branch", "odd")]).await.expect(303);
        assert_eq!(saved.header("location"), "/mill/pond/-/blob/odd/d%FF/%C3%A9%20%E0%A4%85.md");
        olive.form(format!("/mill/pond/-/delete/odd/d%FF/{file}"), &[("branch", "odd")]).await.expect(303);
        stage.t.anonymous().get(format!("/mill/pond/-/raw/odd/d%FF/{file}")).await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn malformed_addresses_are_refused() {
    for_each_database(async |t| {
        let stage = Stage::new(t, &[("a.txt", "x")]).await;
        let long = "x".repeat(4096);
        let deep = "a/".repeat(2000);
        let olive = stage.browser(&stage.world.olive).await;
        let odd = [
            "%00",
            "%2e%2e",
            "%2e%2e/%2e%2e/etc/passwd",
            "-x",
            "--help",
            "main/%00",
            "main/%2e%2e/a.txt",
            "main//a.txt",
            "main/.git/config",
            "HEAD~1",
            "main%5E",
            "@%7B-1%7D",
            ":/x",
            "%FF%FE",
            "refs/heads",
            "*",
            &*long,
            &*deep,
        ];
        for kind in [
            "tree",
            "blob",
            "raw",
            "commits",
            "blame",
            "find_file",
            "files",
            "network",
            "graphs",
            "edit",
            "new",
            "upload",
            "delete",
            "archive",
            "commit",
            "compare",
            "diff_files",
            "diff_lines",
        ] {
            for rest in odd {
                let status = olive.page(format!("/mill/pond/-/{kind}/{rest}")).await.status.as_u16();
                assert!([400, 404, 414].contains(&status), "{kind}/{}: {status}", &rest[..rest.len().min(40)]);
            }
        }
        for query in ["?page=-1", "?page=x", "?view=%00&w=x", "?from=99999999999", "?q=%00"] {
            for page in [
                "/-/tree/main",
                "/-/commits/main",
                "/-/branches",
                "/-/tags",
                "/-/find_file/main",
                "/-/commit/main",
                "/-/compare/main...main",
            ] {
                let status = olive.page(format!("/mill/pond{page}{query}")).await.status.as_u16();
                assert!([200, 400].contains(&status), "{page}{query}: {status}");
            }
        }
        stage
            .t
            .anonymous()
            .get("/mill/pond/-/diff_lines/0123456789012345678901234567890123456789/a?from=1&to=4294967295")
            .await
            .expect(404);
    })
    .await;
}

#[tokio::test]
async fn huge_contents_break_nothing() {
    for_each_database(async |t| {
        let stage = Stage::new(t, &[("README.md", &"> ".repeat(5000)), ("wide.txt", &"y".repeat(900_000))]).await;
        std::fs::write(stage.work.join("line.txt"), vec![b'z'; 100 << 20]).unwrap();
        let id = stage.commit("Large", &[("deep.json", &"[".repeat(100_000))]).await;
        stage.push().await;
        stage.page("/mill/pond").await;
        has(&stage.page("/mill/pond/-/blob/main/line.txt").await, "too large to be shown");
        stage.page("/mill/pond/-/blob/main/wide.txt").await;
        stage.page("/mill/pond/-/blob/main/deep.json").await;
        let raw = stage.t.anonymous().get("/mill/pond/-/raw/main/line.txt").await.expect(200);
        assert_eq!(raw.body.len(), 100 << 20);
        assert_eq!(raw.header("content-length"), (100 << 20).to_string());
        let commit = stage.page(&format!("/mill/pond/-/commit/{id}")).await;
        assert!(commit.len() < 3 << 20, "{}", commit.len());
        has(&stage.page("/mill/pond/-/blame/main/line.txt").await, "Only text");
        lacks(&stage.page("/mill/pond/-/find_file/main?q=line").await, "deep.json</a>");
    })
    .await;
}

//! Changes in the browser.

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use testkit::for_each_database;

use crate::{Stage, has, lacks};

fn value_of(page: &str, name: &str) -> String {
    let at = page.find(&format!("name=\"{name}\"")).unwrap_or_else(|| panic!("no field {name}"));
    let tag = &page[at..at + page[at..].find('>').unwrap()];
    let value = tag.split("value=\"").nth(1).unwrap_or_default();
    value.split('"').next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn files_are_written_changed_moved_and_deleted() {
    for_each_database(async |t| {
        let stage = Stage::new(t, &[("a.txt", "one\n"), ("crlf.txt", "a\r\nb\r\n")]).await;
        let olive = stage.browser(&stage.world.olive).await;
        let raw = async |path: &str| stage.t.anonymous().get(format!("/mill/pond/-/raw/main/{path}")).await;
        let new = [("path", "docs/n é#.md"), ("content", "# Hi\r\nyou\r\n"), ("message", ""), ("branch", "main")];
        let made = olive.form("/mill/pond/-/new/main", &new).await.expect(303);
        assert_eq!(made.header("location"), "/mill/pond/-/blob/main/docs/n%20%C3%A9%23.md");
        assert_eq!(raw("docs/n%20%C3%A9%23.md").await.text(), "# Hi\nyou\n");
        has(&stage.page("/mill/pond/-/commits/main").await, "Add docs/n é#.md");
        olive.form("/mill/pond/-/new/main", &new).await.expect(422);
        let page = olive.page("/mill/pond/-/edit/main/crlf.txt").await.expect(200).text();
        let last = value_of(&page, "last_commit");
        let fields = [
            ("path", "dir/crlf.txt"),
            ("content", "a\r\nc\r\n"),
            ("branch", "main"),
            ("last_commit", &last),
            ("message", "Move"),
        ];
        olive.form("/mill/pond/-/edit/main/crlf.txt", &fields).await.expect(303);
        raw("crlf.txt").await.expect(404);
        assert_eq!(raw("dir/crlf.txt").await.text(), "a\r\nc\r\n");
        olive.page("/mill/pond/-/delete/main/dir/crlf.txt").await.expect(200);
        let gone = olive.form("/mill/pond/-/delete/main/dir/crlf.txt", &[("branch", "main")]).await.expect(303);
        assert_eq!(gone.header("location"), "/mill/pond/-/tree/main");
        raw("dir/crlf.txt").await.expect(404);
        olive.form("/mill/pond/-/new_dir/main/docs", &[("name", "deep/er"), ("branch", "main")]).await.expect(303);
        raw("docs/deep/er/.gitkeep").await.expect(200);
        for path in ["../x", ".git/config", "a//b", "", "a.txt/b", "docs", "x\u{7}"] {
            let answer =
                olive.form("/mill/pond/-/new/main", &[("path", path), ("content", "x"), ("branch", "main")]).await;
            assert_eq!(answer.status, 422, "{path:?}: {}", answer.text());
        }
        let preview = olive
            .form(
                "/mill/pond/-/new/main",
                &[("path", "p.md"), ("content", "*soft* <script>x</script>"), ("branch", "main"), ("preview", "true")],
            )
            .await
            .expect(200)
            .text();
        has(&preview, "<em>soft</em>");
        lacks(&preview, "<script>x");
        raw("p.md").await.expect(404);
        let remote = stage.t.remote(&stage.world.olive, "mill/pond");
        stage.git(&["fetch", "-q", &remote, "main"]).await;
        stage.git(&["fsck", "--strict"]).await;
        let authors = stage.git(&["log", "--format=%an %ae", "FETCH_HEAD"]).await;
        assert!(authors.contains("olive olive@example.com"), "{authors}");
    })
    .await;
}

#[tokio::test]
async fn two_who_edit_one_file_lose_nothing() {
    for_each_database(async |t| {
        let stage = Stage::new(t, &[("a.txt", "one\n")]).await;
        let (olive, mats) = (stage.browser(&stage.world.olive).await, stage.browser(&stage.world.mats).await);
        let last = value_of(&olive.page("/mill/pond/-/edit/main/a.txt").await.expect(200).text(), "last_commit");
        let mine = [("path", "a.txt"), ("content", "mine"), ("branch", "main"), ("last_commit", &*last)];
        let theirs = [("path", "a.txt"), ("content", "theirs"), ("branch", "main"), ("last_commit", &*last)];
        mats.form("/mill/pond/-/edit/main/a.txt", &theirs).await.expect(303);
        let conflict = olive.form("/mill/pond/-/edit/main/a.txt", &mine).await.expect(409).text();
        has(&conflict, "Somebody else changed this file");
        has(&conflict, "mine</textarea>");
        assert_eq!(stage.t.anonymous().get("/mill/pond/-/raw/main/a.txt").await.text(), "theirs");
        let newer = value_of(&conflict, "last_commit");
        assert_ne!(newer, last);
        olive
            .form(
                "/mill/pond/-/edit/main/a.txt",
                &[("path", "a.txt"), ("content", "mine"), ("branch", "main"), ("last_commit", &newer)],
            )
            .await
            .expect(303);
        assert_eq!(stage.t.anonymous().get("/mill/pond/-/raw/main/a.txt").await.text(), "mine");
        // Many at once: each of them is told what became of it, and every success is in the history.
        let writes = (0..6).map(|n| {
            let olive = olive.clone();
            async move {
                olive
                    .form("/mill/pond/-/new/main", &[("path", &*format!("f{n}")), ("content", "x"), ("branch", "main")])
                    .await
                    .status
                    .as_u16()
            }
        });
        let ended = futures_util::future::join_all(writes).await;
        assert!(ended.iter().all(|s| [303, 409].contains(s)) && ended.contains(&303), "{ended:?}");
        let landed = ended.iter().filter(|s| **s == 303).count();
        let page = stage.page("/mill/pond/-/tree/main").await;
        assert_eq!((0..6).filter(|n| page.contains(&format!("/blob/main/f{n}\""))).count(), landed);
    })
    .await;
}

#[tokio::test]
async fn protected_branches_are_changed_by_a_branch_of_ones_own() {
    for_each_database(async |t| {
        let stage = Stage::new(t, &[("a.txt", "one\n")]).await;
        let dana = stage.browser(&stage.world.dana).await;
        let page = dana.page("/mill/pond/-/edit/main/a.txt").await.expect(200).text();
        has(&page, "main is protected, so the change goes to a new branch.");
        assert_eq!(value_of(&page, "branch"), "dana-patch");
        let last = value_of(&page, "last_commit");
        let refused = dana
            .form(
                "/mill/pond/-/edit/main/a.txt",
                &[("path", "a.txt"), ("content", "two"), ("branch", "main"), ("last_commit", &last)],
            )
            .await
            .expect(403);
        has(&refused.text(), "protected");
        has(&refused.text(), "two</textarea>");
        let made = dana
            .form(
                "/mill/pond/-/edit/main/a.txt",
                &[("path", "a.txt"), ("content", "two"), ("branch", "dana-patch"), ("last_commit", &last)],
            )
            .await
            .expect(303);
        assert_eq!(made.header("location"), "/mill/pond/-/blob/dana-patch/a.txt");
        assert_eq!(stage.t.anonymous().get("/mill/pond/-/raw/main/a.txt").await.text(), "one\n");
        assert_eq!(value_of(&dana.page("/mill/pond/-/edit/main/a.txt").await.text(), "branch"), "dana-patch-2");
        let taken = dana
            .form("/mill/pond/-/edit/main/a.txt", &[("path", "a.txt"), ("content", "three"), ("branch", "dana-patch")])
            .await
            .expect(422);
        has(&taken.text(), "already");
        let tag = dana.form("/mill/pond/-/tags", &[("name", "v1"), ("from", "main")]).await;
        tag.expect(303);
        has(&dana.page("/mill/pond/-/edit/v1/a.txt").await.expect(200).text(), "what you looked at is none");
    })
    .await;
}

#[tokio::test]
async fn files_are_uploaded_and_replaced() {
    for_each_database(async |t| {
        let stage = Stage::new(t, &[("dir/a.bin", "a\0b")]).await;
        let olive = stage.browser(&stage.world.olive).await;
        let part = |bytes: &'static [u8], name: &'static str| Part::bytes(bytes).file_name(name);
        let form = Form::new()
            .part("file", part(b"x\0\xff", "one.bin"))
            .part("file", part(b"two", "C:\\tmp\\two.txt"))
            .text("branch", "main")
            .text("message", "Two files");
        let sent = olive.request(Method::POST, "/mill/pond/-/upload/main/dir").multipart(form);
        let answer = olive.send(sent).await.expect(303);
        assert_eq!(answer.header("location"), "/mill/pond/-/tree/main/dir");
        let raw =
            async |path: &str| stage.t.anonymous().get(format!("/mill/pond/-/raw/main/{path}")).await.expect(200).body;
        assert_eq!(&raw("dir/one.bin").await[..], b"x\0\xff");
        assert_eq!(&raw("dir/two.txt").await[..], b"two");
        let form = Form::new().part("file", part(b"new", "whatever")).text("branch", "main");
        olive
            .send(olive.request(Method::POST, "/mill/pond/-/replace/main/dir/a.bin").multipart(form))
            .await
            .expect(303);
        assert_eq!(&raw("dir/a.bin").await[..], b"new");
        let form = Form::new().part("file", part(b"x", "one.bin")).text("branch", "main");
        olive.send(olive.request(Method::POST, "/mill/pond/-/upload/main/dir").multipart(form)).await.expect(422);
        let big = Form::new().part("file", Part::bytes(vec![7_u8; 3 << 20]).file_name("big")).text("branch", "main");
        olive.send(olive.request(Method::POST, "/mill/pond/-/upload/main").multipart(big)).await.expect(303);
        let none = Form::new().text("branch", "main");
        olive.send(olive.request(Method::POST, "/mill/pond/-/upload/main").multipart(none)).await.expect(422);
        olive.page("/mill/pond/-/edit/main/big").await.expect(422);
    })
    .await;
}

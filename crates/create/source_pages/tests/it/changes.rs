//! Histories, commits, comparisons, blame.

use testkit::for_each_database;

use crate::{Stage, has, lacks};

#[tokio::test]
async fn histories_are_listed_searched_and_followed() {
    for_each_database(async |t| {
        let stage = Stage::new(t, &[("old.txt", "one\ntwo\nthree\nfour\n")]).await;
        stage.git(&["mv", "old.txt", "new.txt"]).await;
        stage.commit("Rename the file", &[]).await;
        stage.commit("Fix [the] (lease) now", &[("new.txt", "one\ntwo\nthree\nfive\n")]).await;
        stage.commit("Something else", &[("other.txt", "x")]).await;
        stage.push().await;
        let all = stage.page("/mill/pond/-/commits/main").await;
        for title in ["First commit", "Rename the file", "Fix [the] (lease) now", "Something else"] {
            has(&all, title);
        }
        let file = stage.page("/mill/pond/-/commits/main/new.txt").await;
        has(&file, "First commit");
        lacks(&file, "Something else");
        let gone = stage.page("/mill/pond/-/commits/main/old.txt").await;
        has(&gone, "Rename the file");
        let found = stage.page("/mill/pond/-/commits/main?search=%5Bthe%5D%20(lease").await;
        has(&found, "Fix [the]");
        lacks(&found, "Something else");
        has(&stage.page("/mill/pond/-/commits/main?author=dana%40example.com").await, "First commit");
        has(&stage.page("/mill/pond/-/commits/main?author=nobody").await, "No commits");
        has(&stage.page("/mill/pond/-/commits/main?page=9999").await, "No commits");
        // The address of the commits belongs to a user.
        has(&all, "href=\"/dana\"");
        let blame = stage.page("/mill/pond/-/blame/main/new.txt").await;
        has(&blame, "First commit");
        has(&blame, "Fix [the]");
        has(&stage.page("/mill/pond/-/network/main").await, "<circle");
        has(&stage.page("/mill/pond/-/graphs/main").await, "4 commits");
    })
    .await;
}

#[tokio::test]
async fn a_commit_shows_its_change() {
    for_each_database(async |t| {
        let before: String = (1..=60).map(|n| format!("line {n}\n")).collect();
        let after = before.replace("line 30\n", "line thirty <b>\n");
        let stage = Stage::new(t, &[("a.txt", &before), ("gone.txt", "x\n")]).await;
        std::fs::remove_file(stage.work.join("gone.txt")).unwrap();
        let id = stage
            .commit("Change\n\nWith a body.\n\nFixes: #1", &[("a.txt", &after), ("n.bin", "a\0b"), ("p.png", "\0")])
            .await;
        stage.git(&["tag", "v1"]).await;
        stage.push().await;
        let page = stage.page(&format!("/mill/pond/-/commit/{id}")).await;
        has(&page, "With a body.");
        has(&page, "thirty");
        has(&page, "&lt;b&gt;");
        has(&page, "A binary file");
        has(&page, &format!("src=\"/mill/pond/-/raw/{id}/p.png\""));
        has(&page, "deleted");
        has(&page, ">v1<");
        has(&page, "4 files");
        has(&page, "Show 26 lines");
        let side = stage.page(&format!("/mill/pond/-/commit/{}?view=parallel", &id[..10])).await;
        has(&side, "Side by side: old");
        let at = page.find("/-/diff_lines/").unwrap();
        let href = &page[page[..at].rfind('"').unwrap() + 1..at + page[at..].find('"').unwrap()].replace("&amp;", "&");
        let part = stage.t.anonymous().request(reqwest::Method::GET, href).header("x-fragment", "1");
        let part = stage.t.anonymous().send(part).await.expect(200).text();
        has(&part, "line 26");
        lacks(&part, "<html");
        has(&stage.page(href).await, "<html");
        let patch = stage.t.anonymous().get(format!("/mill/pond/-/commit/{id}.patch")).await.expect(200);
        assert!(patch.text().starts_with("From ") && patch.header("content-type").starts_with("text/plain"));
        has(
            &stage.t.anonymous().get(format!("/mill/pond/-/commit/{id}.diff")).await.expect(200).text(),
            "+line thirty",
        );
        has(&stage.page("/mill/pond/-/commit/v1/refs").await, ">v1<");
        stage.t.anonymous().page("/mill/pond/-/commit/0123456789012345678901234567890123456789").await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn huge_changes_are_loaded_file_by_file() {
    for_each_database(async |t| {
        let stage = Stage::new(t, &[("a.txt", "x\n")]).await;
        let many: String = (0..3000).map(|n| format!("row {n}\n")).collect();
        let id =
            stage.commit("Much", &[("big one.txt", &many), ("Cargo.lock", "a\nb\n"), ("small.txt", "little\n")]).await;
        stage.push().await;
        let page = stage.page(&format!("/mill/pond/-/commit/{id}")).await;
        has(&page, "Large: 3,000 lines changed");
        has(&page, "A generated file.");
        has(&page, "little");
        lacks(&page, "row 2999");
        let at = page.find("big%20one.txt?").unwrap();
        let href = &page[page[..at].rfind('"').unwrap() + 1..at + page[at..].find('"').unwrap()].replace("&amp;", "&");
        let part = stage.t.anonymous().request(reqwest::Method::GET, href).header("x-fragment", "1");
        let part = stage.t.anonymous().send(part).await.expect(200).text();
        has(&part, "row 2999");
        has(&part, "id=\"f");
    })
    .await;
}

#[tokio::test]
async fn revisions_are_compared() {
    for_each_database(async |t| {
        let stage = Stage::new(t, &[("a.txt", "one\n")]).await;
        stage.git(&["checkout", "-q", "-b", "feat/x"]).await;
        stage.commit("On the branch", &[("b.txt", "two  spaces\n")]).await;
        stage.git(&["checkout", "-q", "main"]).await;
        stage.commit("On main", &[("c.txt", "three\n")]).await;
        stage.push().await;
        let page = stage.page("/mill/pond/-/compare/main...feat/x").await;
        has(&page, "On the branch");
        has(&page, "b.txt");
        lacks(&page, "c.txt");
        let straight = stage.page("/mill/pond/-/compare/main..feat/x").await;
        has(&straight, "c.txt");
        let sent = stage.t.anonymous().page("/mill/pond/-/compare?from=main&to=feat%2Fx").await.expect(303);
        assert_eq!(sent.header("location"), "/mill/pond/-/compare/main...feat/x");
        stage.t.anonymous().page("/mill/pond/-/compare/main...nothing").await.expect(404);
        stage.t.anonymous().page("/mill/pond/-/compare/main").await.expect(404);
        let patch = stage.t.anonymous().get("/mill/pond/-/compare/main...feat/x.patch").await.expect(200).text();
        has(&patch, "Subject: [PATCH] On the branch");
        has(&stage.page("/mill/pond/-/compare/main...main").await, "Nothing differs");
    })
    .await;
}

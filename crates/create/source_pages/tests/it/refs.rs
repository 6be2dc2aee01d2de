//! Branches, tags and the rules around them; picking and reverting.

use testkit::for_each_database;

use crate::{Stage, has, lacks};

#[tokio::test]
async fn branches_are_made_listed_and_deleted() {
    for_each_database(async |t| {
        let stage = Stage::new(t, &[("a.txt", "one\n")]).await;
        let dana = stage.browser(&stage.world.dana).await;
        let made = dana.form("/mill/pond/-/branches", &[("name", "fix/one"), ("from", "main")]).await.expect(303);
        assert_eq!(made.header("location"), "/mill/pond/-/tree/fix/one");
        for (name, from, words) in [
            ("fix/one", "main", "already"),
            ("a b", "main", "Try a-b"),
            ("-x", "main", "can't be a name"),
            ("x..y", "main", "can't be a name"),
            ("fix", "nothing", "is no branch"),
            ("fix/one/two", "main", ""),
            ("0123456789012345678901234567890123456789", "main", "commit id"),
        ] {
            let page = dana.form("/mill/pond/-/branches", &[("name", name), ("from", from)]).await;
            assert!(page.status == 422, "{name}: {} {}", page.status, page.text());
            has(&page.text(), words);
        }
        stage.git(&["checkout", "-q", "-b", "ahead"]).await;
        stage.commit("Ahead", &[("b.txt", "x")]).await;
        stage.push().await;
        let page = dana.page("/mill/pond/-/branches").await.expect(200).text();
        has(&page, "0 commits behind main, 1 ahead");
        has(&page, "default");
        has(&page, "protected");
        has(&dana.page("/mill/pond/-/branches?search=one").await.text(), "fix/one");
        lacks(&dana.page("/mill/pond/-/branches?search=one").await.text(), ">ahead<");
        has(&dana.page("/mill/pond/-/branches?state=stale").await.text(), "There are none here");
        dana.form("/mill/pond/-/merged_branches", &[]).await.expect(303);
        let page = dana.page("/mill/pond/-/branches?state=all").await.expect(200).text();
        lacks(&page, "/tree/fix/one\"");
        has(&page, "/tree/ahead\"");
        dana.form("/mill/pond/-/delete_branch/ahead", &[]).await.expect(303);
        lacks(&dana.page("/mill/pond/-/branches?state=all").await.text(), "/tree/ahead\"");
        dana.form("/mill/pond/-/delete_branch/main", &[]).await.expect(303);
        has(&dana.page("/mill/pond/-/branches?state=all").await.text(), "/tree/main\"");
        dana.form("/mill/pond/-/delete_branch/nothing", &[]).await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn tags_are_made_listed_and_deleted() {
    for_each_database(async |t| {
        let stage = Stage::new(t, &[("a.txt", "one\n")]).await;
        let dana = stage.browser(&stage.world.dana).await;
        dana.form("/mill/pond/-/tags", &[("name", "v1"), ("from", "main"), ("message", "The <first>\r\none")])
            .await
            .expect(303);
        dana.form("/mill/pond/-/tags", &[("name", "light/two"), ("from", "main")]).await.expect(303);
        dana.form("/mill/pond/-/tags", &[("name", "v1"), ("from", "main")]).await.expect(422);
        dana.form("/mill/pond/-/tags", &[("name", "a~b"), ("from", "main")]).await.expect(422);
        let page = stage.page("/mill/pond/-/tags?sort=name_asc").await;
        has(&page, "The &lt;first&gt;");
        has(&page, "/-/tree/light/two");
        has(&page, "/-/archive/light/two/pond-light-two.zip");
        let remote = stage.t.remote(&stage.world.olive, "mill/pond");
        let kind = stage.git(&["ls-remote", &remote, "refs/tags/v1^{}"]).await;
        assert!(!kind.is_empty(), "v1 is annotated");
        dana.form("/mill/pond/-/delete_tag/light/two", &[]).await.expect(303);
        lacks(&stage.page("/mill/pond/-/tags").await, "light/two");
    })
    .await;
}

#[tokio::test]
async fn rules_are_made_and_kept() {
    for_each_database(async |t| {
        let stage = Stage::new(t, &[("a.txt", "one\n")]).await;
        let (mats, dana) = (stage.browser(&stage.world.mats).await, stage.browser(&stage.world.dana).await);
        let rule = [("name", "release/*"), ("push", "40"), ("merge", "30")];
        mats.form("/mill/pond/-/protected_branches", &rule).await.expect(303);
        mats.form("/mill/pond/-/protected_tags", &[("name", "v*"), ("create", "0")]).await.expect(303);
        let page = mats.page("/mill/pond/-/settings/repository").await.expect(200).text();
        has(&page, "release/*");
        has(&page, "Developers + Maintainers");
        has(&page, "No one");
        let refused = dana.form("/mill/pond/-/branches", &[("name", "release/1"), ("from", "main")]).await.expect(422);
        has(&refused.text(), "protected");
        mats.form("/mill/pond/-/branches", &[("name", "release/1"), ("from", "main")]).await.expect(303);
        mats.form("/mill/pond/-/tags", &[("name", "v1"), ("from", "main")]).await.expect(422);
        let at = page.find("protected_branches/").unwrap();
        let ids: Vec<&str> = page[at..]
            .split("protected_branches/")
            .filter_map(|p| p.split('/').next())
            .filter(|p| p.parse::<i64>().is_ok())
            .collect();
        for id in ids {
            mats.form(format!("/mill/pond/-/protected_branches/{id}/delete"), &[]).await.expect(303);
        }
        dana.form("/mill/pond/-/branches", &[("name", "release/2"), ("from", "main")]).await.expect(303);
        mats.form("/mill/pond/-/protected_branches/999999/delete", &[]).await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn changes_are_picked_and_reverted() {
    for_each_database(async |t| {
        let stage = Stage::new(t, &[("a.txt", "one\n")]).await;
        stage.git(&["branch", "other"]).await;
        let id = stage.commit("Second", &[("a.txt", "two\n")]).await;
        stage.push().await;
        let (olive, dana) = (stage.browser(&stage.world.olive).await, stage.browser(&stage.world.dana).await);
        has(&dana.page(format!("/mill/pond/-/commit/{id}/cherry_pick")).await.expect(200).text(), "cherry picked from");
        let picked = dana
            .form(format!("/mill/pond/-/commit/{id}/cherry_pick"), &[("branch", "other"), ("message", "")])
            .await
            .expect(303);
        let place = picked.header("location").to_owned();
        has(&stage.page(&place).await, "Second");
        assert_eq!(stage.t.anonymous().get("/mill/pond/-/raw/other/a.txt").await.text(), "two\n");
        let again =
            dana.form(format!("/mill/pond/-/commit/{id}/cherry_pick"), &[("branch", "other")]).await.expect(422);
        has(&again.text(), "there already");
        let refused = dana.form(format!("/mill/pond/-/commit/{id}/revert"), &[("branch", "main")]).await.expect(422);
        has(&refused.text(), "protected");
        dana.form(format!("/mill/pond/-/commit/{id}/revert"), &[("branch", "main"), ("new_branch", "undo")])
            .await
            .expect(303);
        assert_eq!(stage.t.anonymous().get("/mill/pond/-/raw/undo/a.txt").await.text(), "one\n");
        olive
            .form(format!("/mill/pond/-/commit/{id}/revert"), &[("branch", "main"), ("message", "Back")])
            .await
            .expect(303);
        assert_eq!(stage.t.anonymous().get("/mill/pond/-/raw/main/a.txt").await.text(), "one\n");
        has(&stage.page("/mill/pond/-/commits/main").await, "Back");
    })
    .await;
}

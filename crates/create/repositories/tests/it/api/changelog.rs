use serde_json::json;
use testkit::for_each_database;

use super::support::{Bench, commit, create};

#[tokio::test]
async fn changelogs_are_made_of_trailers() {
    for_each_database(async |t| {
        let b = Bench::seeded(&t).await;
        let early = b.olive.get(b.repo("changelog?version=1.0.0")).await.expect(422).json();
        assert!(early["message"].as_str().unwrap().contains("from"), "{early}");
        b.olive.post(b.repo("tags"), json!({ "tag_name": "v1.0.0", "ref": "main" })).await.expect(201);
        commit(&b.olive, &b.wheel, "main", "Turn faster\n\nChangelog: performance", json!([create("a", "1")])).await;
        commit(&b.olive, &b.wheel, "main", "Nothing to see", json!([create("b", "1")])).await;
        commit(
            &b.olive,
            &b.wheel,
            "main",
            "Turn left\n\nChangelog: added\nMR: mill/wheel!1",
            json!([create("c", "1")]),
        )
        .await;
        let notes = b.olive.get(b.repo("changelog?version=1.1.0&date=2026-02-03")).await.expect(200).json();
        let notes = notes["notes"].as_str().unwrap();
        let (added, faster) = (notes.find("### added (1 change)"), notes.find("### performance (1 change)"));
        assert!(notes.starts_with("## 1.1.0 (2026-02-03)\n") && added < faster && added.is_some(), "{notes}");
        assert!(
            notes.contains("- [Turn left](") && notes.contains("by olive ([merge request](mill/wheel!1))"),
            "{notes}"
        );
        assert!(!notes.contains("Nothing to see"));
        let body = json!({ "version": "1.1.0", "date": "2026-02-03", "message": "Changelog" });
        b.olive.post(b.repo("changelog"), body).await.expect(200);
        b.olive.post(b.repo("changelog"), json!({ "version": "1.0.5", "from": "main" })).await.expect(200);
        let text = b.olive.get(b.repo("files/CHANGELOG.md/raw")).await.expect(200).text();
        assert!(text.starts_with("## 1.1.0 (2026-02-03)") && text.trim_end().ends_with("No changes."), "{text}");
        b.olive.get(b.repo("changelog?version=one")).await.expect(400);
        b.olive.get(b.repo("changelog?version=1.2.0&from=nope")).await.expect(404);
        b.world.dana.client(&t).post(b.repo("changelog"), json!({ "version": "1.2.0" })).await.expect(403);
    })
    .await;
}

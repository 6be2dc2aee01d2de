use serde_json::json;
use testkit::for_each_database;

use super::support::{Bench, commit, create, texts};

#[tokio::test]
async fn code_and_commits_are_found() {
    for_each_database(async |t| {
        let b = Bench::seeded(&t).await;
        let actions = json!([
            create("deep/water.txt", "one\ntwo\nThe RIVER flows\nfour\nfive\n"),
            create("bin.dat", "river\u{1}")
        ]);
        commit(&b.olive, &b.wheel, "main", "Dig a river", actions).await;
        let found = b.olive.get(format!("{}/search?scope=blobs&search=river", b.wheel)).await.expect(200).json();
        assert_eq!(texts(&found, "path"), ["bin.dat", "deep/water.txt"]);
        let hit = &found[1];
        assert_eq!((&hit["startline"], &hit["data"]), (&json!(2), &json!("two\nThe RIVER flows\nfour\n")));
        assert_eq!(
            (&hit["basename"], &hit["ref"], &hit["project_id"]),
            (&json!("deep/water"), &json!("main"), &json!(b.world.wheel.id))
        );
        let none = b.olive.get(format!("{}/search?scope=blobs&search=r.ver", b.wheel)).await.expect(200).json();
        assert_eq!(none, json!([]));
        let odd = b
            .olive
            .get(format!("{}/search?scope=blobs&search=--open-files-in-pager%3Dx", b.wheel))
            .await
            .expect(200)
            .json();
        assert_eq!(odd, json!([]));
        let page = b.olive.get(format!("{}/search?scope=blobs&search=river&per_page=1&page=2", b.wheel)).await.json();
        assert_eq!(texts(&page, "path"), ["deep/water.txt"]);
        let commits = b.olive.get(format!("{}/search?scope=commits&search=dig", b.wheel)).await.expect(200).json();
        assert_eq!(texts(&commits, "title"), ["Dig a river"]);
        let elsewhere =
            b.olive.get(format!("{}/search?scope=blobs&search=river&ref=nope", b.wheel)).await.expect(200).json();
        assert_eq!(elsewhere, json!([]));
        let guest =
            b.world.gus.client(&t).get(format!("{}/search?scope=blobs&search=river", b.wheel)).await.expect(200).json();
        assert_eq!(guest, json!([]));
    })
    .await;
}

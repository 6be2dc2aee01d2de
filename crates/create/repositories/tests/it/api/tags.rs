use serde_json::{Value, json};
use testkit::for_each_database;

use super::support::{Bench, commit, texts, update};

#[tokio::test]
async fn tags_are_light_or_annotated() {
    for_each_database(async |t| {
        let b = Bench::seeded(&t).await;
        let light = b.olive.post(b.repo("tags"), json!({ "tag_name": "v1.0", "ref": "main" })).await.expect(201).json();
        assert_eq!((&light["message"], &light["created_at"]), (&Value::Null, &Value::Null));
        assert_eq!(light["target"], light["commit"]["id"]);
        let body = json!({ "tag_name": "v1.1", "ref": "main", "message": "One\n\nmore" });
        let noted = b.olive.post(b.repo("tags"), body.clone()).await.expect(201).json();
        assert_eq!(noted["message"], "One\n\nmore");
        assert_ne!(noted["target"], noted["commit"]["id"]);
        assert!(noted["created_at"].is_string());
        assert_eq!(b.olive.get(b.repo("tags/v1%2E1")).await.expect(200).json(), noted);
        let taken = b.olive.post(b.repo("tags"), body).await.expect(400).json();
        assert_eq!(taken["message"], "Tag v1.1 already exists");
        let bad = b.olive.post(b.repo("tags"), json!({ "tag_name": "a b", "ref": "main" })).await.expect(400).json();
        assert_eq!(bad["message"], "Tag name invalid");
        let bad = b.olive.post(b.repo("tags"), json!({ "tag_name": "x", "ref": "nope" })).await.expect(400).json();
        assert_eq!(bad["message"], "Target nope is invalid");
        b.olive.get(b.repo("tags/v1.1/signature")).await.expect(404);
        b.olive.delete(b.repo("tags/v1.1")).await.expect(204);
        assert_eq!(b.olive.get(b.repo("tags/v1.1")).await.expect(404).json()["message"], "404 Tag Not Found");
    })
    .await;
}

#[tokio::test]
async fn tags_are_sorted() {
    for_each_database(async |t| {
        let b = Bench::seeded(&t).await;
        for (n, name) in ["v1.9", "v1.10", "v1.2"].iter().enumerate() {
            commit(&b.olive, &b.wheel, "main", name, json!([update("README.md", &n.to_string())])).await;
            b.olive.post(b.repo("tags"), json!({ "tag_name": name, "ref": "main" })).await.expect(201);
        }
        let names = async |query: &str| {
            let list = b.olive.get(b.repo(&format!("tags{query}"))).await.expect(200).json();
            texts(&list, "name").into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(names("?order_by=name&sort=asc").await, ["v1.10", "v1.2", "v1.9"]);
        assert_eq!(names("?order_by=version&sort=asc").await, ["v1.2", "v1.9", "v1.10"]);
        assert_eq!(names("?order_by=version&per_page=1&page=2").await, ["v1.9"]);
        assert_eq!(names("?search=v1.1").await, ["v1.10"]);
        assert_eq!(names("?order_by=name&pagination=keyset&page_token=v1.9").await, ["v1.2", "v1.10"]);
        b.olive.get(b.repo("tags?order_by=colour")).await.expect(400);
    })
    .await;
}

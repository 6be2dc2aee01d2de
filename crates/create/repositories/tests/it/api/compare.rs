use serde_json::json;
use testkit::for_each_database;

use super::support::{Bench, commit, create, texts};

#[tokio::test]
async fn revisions_are_compared_from_where_they_part() {
    for_each_database(async |t| {
        let b = Bench::seeded(&t).await;
        b.olive.post(b.repo("branches"), json!({ "branch": "topic", "ref": "main" })).await.expect(201);
        commit(&b.olive, &b.wheel, "main", "On main", json!([create("m", "main\n")])).await;
        commit(&b.olive, &b.wheel, "topic", "One", json!([create("t1", "one\n")])).await;
        commit(&b.olive, &b.wheel, "topic", "Two", json!([create("t2", "two\n")])).await;
        let found = b.olive.get(b.repo("compare?from=main&to=topic")).await.expect(200).json();
        assert_eq!(texts(&found["commits"], "title"), ["One", "Two"]);
        assert_eq!(found["commit"]["title"], "Two");
        assert_eq!(texts(&found["diffs"], "new_path"), ["t1", "t2"]);
        assert_eq!((&found["compare_timeout"], &found["compare_same_ref"]), (&json!(false), &json!(false)));
        assert!(found["web_url"].as_str().unwrap().ends_with("/-/compare/main...topic"));
        let straight = b.olive.get(b.repo("compare?from=main&to=topic&straight=true")).await.expect(200).json();
        assert_eq!(texts(&straight["diffs"], "new_path"), ["m", "t1", "t2"]);
        let same = b.olive.get(b.repo("compare?from=main&to=main")).await.expect(200).json();
        assert_eq!((&same["compare_same_ref"], &same["commit"]), (&json!(true), &json!(null)));
        assert_eq!(
            b.olive.get(b.repo("compare?from=main&to=nope")).await.expect(404).json()["message"],
            "404 Ref Not Found"
        );
        assert_eq!(b.olive.get(b.repo("compare?from=main")).await.expect(400).json()["error"], "to is missing");
        b.olive.get(b.repo("compare?from=main&to=topic&from_project_id=99")).await.expect(400);
        let base = b.olive.get(b.repo("merge_base?refs[]=main&refs[]=topic")).await.expect(200).json();
        assert_eq!(base["title"], "Begin");
        b.olive.get(b.repo("merge_base?refs[]=main")).await.expect(400);
        let unknown = b.olive.get(b.repo("merge_base?refs[]=main&refs[]=nope")).await.expect(400).json();
        assert_eq!(unknown["message"], "Could not find ref: nope");
    })
    .await;
}

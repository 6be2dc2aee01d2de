use http::Method;
use serde_json::json;
use testkit::for_each_database;

use super::support::{Bench, commit, create, texts};

#[tokio::test]
async fn branches_come_and_go() {
    for_each_database(async |t| {
        let b = Bench::seeded(&t).await;
        let dana = b.world.dana.client(&t);
        let made =
            dana.post(b.repo("branches"), json!({ "branch": "topic/one", "ref": "main" })).await.expect(201).json();
        assert_eq!(
            (&made["name"], &made["merged"], &made["can_push"]),
            (&json!("topic/one"), &json!(true), &json!(true))
        );
        assert!(made["web_url"].as_str().unwrap().ends_with("/mill/wheel/-/tree/topic/one"));
        let main = dana.get(b.repo("branches/main")).await.expect(200).json();
        assert_eq!(
            (&main["default"], &main["protected"], &main["merged"]),
            (&json!(true), &json!(true), &json!(false))
        );
        assert_eq!((&main["can_push"], &main["developers_can_push"]), (&json!(false), &json!(false)));
        let again =
            dana.post(b.repo("branches"), json!({ "branch": "topic/one", "ref": "main" })).await.expect(400).json();
        assert_eq!(again["message"], "Branch already exists");
        let wrong = dana.post(b.repo("branches"), json!({ "branch": "x", "ref": "nope" })).await.expect(400).json();
        assert_eq!(wrong["message"], "Invalid reference name: nope");
        for bad in ["a b", "a..b", "-x", "HEAD", "a.lock", "a~1", "é\u{7f}", "0123456789012345678901234567890123456789"]
        {
            let answer = dana.post(b.repo("branches"), json!({ "branch": bad, "ref": "main" })).await;
            assert!(matches!(answer.status.as_u16(), 400 | 403), "{bad}: {}", answer.text());
        }
        let head = |path: &str| dana.request(Method::HEAD, b.repo(path));
        dana.send(head("branches/topic%2Fone")).await.expect(204);
        dana.send(head("branches/nope")).await.expect(404);
        dana.delete(b.repo("branches/topic%2Fone")).await.expect(204);
        let gone = dana.delete(b.repo("branches/topic%2Fone")).await.expect(404).json();
        assert_eq!(gone["message"], "404 Branch Not Found");
        dana.delete(b.repo("branches/main")).await.expect(403);
        b.olive.delete(b.repo("branches/main")).await.expect(403);
    })
    .await;
}

#[tokio::test]
async fn lists_are_searched_sorted_and_paged() {
    for_each_database(async |t| {
        let b = Bench::seeded(&t).await;
        for name in ["feature-1", "feature-2", "fix", "v1-stable"] {
            b.olive.post(b.repo("branches"), json!({ "branch": name, "ref": "main" })).await.expect(201);
        }
        commit(&b.olive, &b.wheel, "fix", "Newest", json!([create("f", "x")])).await;
        let names = async |query: &str| {
            let list = b.olive.get(b.repo(&format!("branches{query}"))).await.expect(200).json();
            texts(&list, "name").into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(names("").await, ["feature-1", "feature-2", "fix", "main", "v1-stable"]);
        assert_eq!(names("?search=^feature").await, ["feature-1", "feature-2"]);
        assert_eq!(names("?search=stable$").await, ["v1-stable"]);
        assert_eq!(names("?regex=^f.*[2x]$").await, ["feature-2", "fix"]);
        assert_eq!(names("?per_page=2&page=3").await, ["v1-stable"]);
        assert_eq!(names("?regex=.&per_page=2&page=2").await, ["fix", "main"]);
        assert_eq!(names("?pagination=keyset&per_page=2&page_token=fix").await, ["main", "v1-stable"]);
        let first = b.olive.get(b.repo("branches?pagination=keyset&per_page=2")).await.expect(200);
        assert!(first.header("link").contains("cursor=feature-2") && first.header("link").contains("rel=\"next\""));
        b.olive.get(b.repo("branches?regex=(")).await.expect(400);
        b.olive.get(b.repo("branches?sort=random")).await.expect(400);
        let total = b.olive.get(b.repo("branches?per_page=2")).await;
        assert_eq!((total.header("x-total"), total.header("x-total-pages")), ("5", "3"));
    })
    .await;
}

#[tokio::test]
async fn merged_branches_are_deleted_but_protected_ones_stay() {
    for_each_database(async |t| {
        let b = Bench::seeded(&t).await;
        for name in ["done", "kept", "open"] {
            b.olive.post(b.repo("branches"), json!({ "branch": name, "ref": "main" })).await.expect(201);
        }
        commit(&b.olive, &b.wheel, "open", "More", json!([create("f", "x")])).await;
        let kept =
            b.olive.put(b.repo("branches/kept/protect"), json!({ "developers_can_push": true })).await.expect(200);
        assert_eq!(kept.json()["developers_can_push"], true);
        let done = b.world.dana.client(&t).delete(b.repo("merged_branches")).await.expect(202).json();
        assert_eq!(done, json!({ "message": "202 Accepted" }));
        let left = b.olive.get(b.repo("branches")).await.json();
        assert_eq!(texts(&left, "name"), ["kept", "main", "open"]);
        let open = b.olive.put(b.repo("branches/kept/unprotect"), json!({})).await.expect(200).json();
        assert_eq!(open["protected"], false);
    })
    .await;
}

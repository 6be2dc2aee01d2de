//! Searching by the API, the palette and topics.

use serde_json::{Value, json};
use testkit::for_each_database;

use crate::column;

#[tokio::test]
async fn by_the_api() {
    for_each_database(async |t| {
        let world = t.world().await;
        let (sam, dana) = (world.sam.client(&t), world.dana.client(&t));
        let find =
            async |client: &testkit::Client, path: &str| client.get(format!("/api/v4{path}")).await.expect(200).json();
        assert_eq!(column(&find(&dana, "/search?scope=projects&search=wheel").await, "path"), ["wheel"]);
        assert!(column(&find(&sam, "/search?scope=projects&search=wheel").await, "path").is_empty());
        assert_eq!(column(&find(&sam, "/search?scope=users&search=DAN").await, "username"), ["dana"]);
        assert_eq!(
            column(&find(&sam, "/groups/mill/search?scope=users&search=a").await, "username"),
            ["dana", "mats", "paula", "rita"]
        );
        assert_eq!(
            column(&find(&sam, "/projects/mill%2Frace/search?scope=users&search=sam").await, "username"),
            Vec::<&str>::new()
        );
        for scope in ["issues", "milestones", "merge_requests", "notes", "wiki_blobs", "snippet_titles"] {
            assert_eq!(find(&dana, &format!("/search?scope={scope}&search=x")).await, json!([]), "{scope}");
        }
        dana.get("/api/v4/projects/mill%2Fwheel/search?scope=projects&search=x").await.expect(400);
        dana.get(format!("/api/v4/search?scope=projects&search={}", "x".repeat(5000))).await.expect(400);
    })
    .await;
}

#[tokio::test]
async fn by_the_palette() {
    for_each_database(async |t| {
        let world = t.world().await;
        let found = async |client: &testkit::Client, q: &str, at: &str| {
            let groups: Value = client.get(format!("/-/palette?q={q}&at={at}")).await.expect(200).json();
            let all = groups["groups"].as_array().unwrap().iter().flat_map(|g| g["items"].as_array().unwrap());
            all.map(|i| i["href"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let dana = world.dana.browser(&t).await;
        assert!(found(&dana, "wheel", "").await.contains(&"/mill/wheel".to_owned()));
        assert!(found(&dana, "", "").await.contains(&"/mill".to_owned()));
        assert!(found(&dana, "%40sam", "").await.contains(&"/sam".to_owned()));
        assert!(found(&dana, "new", "").await.contains(&"/projects/new".to_owned()));
        let here = found(&dana, "", "%2Fmill%2Fwheel%2F-%2Fproject_members").await;
        assert!(here.contains(&"/mill/wheel/-/project_members".to_owned()), "{here:?}");
        let sam = world.sam.browser(&t).await;
        assert!(!found(&sam, "wheel", "").await.contains(&"/mill/wheel".to_owned()));
        assert!(found(&sam, "", "%2Fmill%2Fwheel").await.iter().all(|h| !h.starts_with("/mill/wheel")));
        assert!(
            found(&t.anonymous(), "dana", "").await.iter().all(|h| h != "/dana"),
            "people are for those who are signed in"
        );
    })
    .await;
}

#[tokio::test]
async fn topics() {
    for_each_database(async |t| {
        let world = t.world().await;
        let (root, olive) = (world.root.client(&t), world.olive.client(&t));
        olive.put("/api/v4/projects/mill%2Fpond", json!({ "topics": ["Water", "Fish"] })).await.expect(200);
        olive.put("/api/v4/projects/mill%2Frace", json!({ "topics": ["water"] })).await.expect(200);
        let listed = t.anonymous().get("/api/v4/topics").await.expect(200).json();
        assert_eq!(column(&listed, "name"), ["Water", "Fish"]);
        assert_eq!(listed[0]["total_projects_count"], 2);
        let id = &listed[1]["id"];
        olive.put(format!("/api/v4/topics/{id}"), json!({ "title": "x" })).await.expect(403);
        assert_eq!(
            root.put(format!("/api/v4/topics/{id}"), json!({ "title": "Fishes" })).await.expect(200).json()["title"],
            "Fishes"
        );
        root.post("/api/v4/topics", json!({ "name": "FISH", "title": "x" })).await.expect(400);
        root.post("/api/v4/topics", json!({ "name": "Boats", "title": "Boats" })).await.expect(201);
        assert_eq!(column(&root.get("/api/v4/topics?without_projects=true").await.json(), "name"), ["Boats"]);
        root.delete(format!("/api/v4/topics/{id}")).await.expect(204);
        root.get(format!("/api/v4/topics/{id}")).await.expect(404);
    })
    .await;
}

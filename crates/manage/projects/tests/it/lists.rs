//! Lists: filters, order, pages.

use serde_json::json;
use testkit::for_each_database;

use crate::{column, ids};

#[tokio::test]
async fn filters_of_projects() {
    for_each_database(async |t| {
        let world = t.world().await;
        let olive = world.olive.client(&t);
        olive
            .put("/api/v4/projects/mill%2Fpond", json!({ "topics": ["water"], "issues_access_level": "disabled" }))
            .await
            .expect(200);
        olive.post("/api/v4/projects/mill%2Frace/star", json!({})).await.expect(201);
        olive.post("/api/v4/projects/mill%2Frace/star", json!({})).await.expect(304);
        olive.post("/api/v4/projects/mill%2Fwheel/archive", json!({})).await.expect(201);
        olive.post("/api/v4/projects", json!({ "path": "own", "name": "Own_100%" })).await.expect(201);
        for (query, expected) in [
            ("", vec!["own", "pond", "race", "wheel"]),
            ("&search=on", vec!["pond"]),
            ("&search=mill", vec![]),
            ("&search=mill&search_namespaces=true", vec!["pond", "race", "wheel"]),
            ("&search=MILL%2Fra", vec!["race"]),
            ("&search=100%25", vec!["own"]),
            ("&search=_1", vec!["own"]),
            ("&visibility=internal", vec!["race"]),
            ("&archived=true", vec!["wheel"]),
            ("&archived=false", vec!["own", "pond", "race"]),
            ("&topic=WATER", vec!["pond"]),
            ("&topic=water,fire", vec![]),
            ("&starred=true", vec!["race"]),
            ("&with_issues_enabled=true&archived=false", vec!["own", "race"]),
            ("&owned=true", vec!["own", "pond", "race", "wheel"]),
            ("&membership=true&visibility=public", vec!["pond"]),
            ("&min_access_level=50", vec!["own", "pond", "race", "wheel"]),
            ("&last_activity_after=2199-01-01", vec![]),
            ("&id_after=2&id_before=4", vec!["pond"]),
            ("&imported=true", vec![]),
            ("&with_programming_language=cobol", vec![]),
        ] {
            let found = olive.get(format!("/api/v4/projects?order_by=path&sort=asc{query}")).await.expect(200).json();
            let mut paths = column(&found, "path");
            paths.sort_unstable();
            assert_eq!(paths, expected, "{query}");
        }
        let mats = world.mats.client(&t);
        assert!(ids(&mats.get("/api/v4/projects?owned=true").await.json()).is_empty());
        assert_eq!(mats.get("/api/v4/projects?min_access_level=40").await.json().as_array().unwrap().len(), 3);
        assert!(ids(&t.anonymous().get("/api/v4/projects?membership=true").await.json()).is_empty());
        let simple = olive.get("/api/v4/projects?simple=true").await.json();
        assert!(simple[0].get("permissions").is_none() && simple[0]["namespace"]["path"].is_string());
        let statistics = olive.get("/api/v4/projects?statistics=true").await.json();
        assert!(statistics[0]["statistics"]["repository_size"].is_i64());
    })
    .await;
}

#[tokio::test]
async fn pages_by_number_and_by_key() {
    for_each_database(async |t| {
        let world = t.world().await;
        let olive = world.olive.client(&t);
        for n in 0..7 {
            olive.post("/api/v4/projects", json!({ "path": format!("many-{n}") })).await.expect(201);
            olive.post("/api/v4/groups", json!({ "path": format!("group-{n}"), "name": "Same" })).await.expect(201);
        }
        let page = olive.get("/api/v4/projects?per_page=3&page=2&order_by=id&sort=asc").await.expect(200);
        assert_eq!(
            (page.header("x-total"), page.header("x-total-pages"), page.header("x-next-page")),
            ("10", "4", "3")
        );
        assert_eq!(page.header("x-prev-page"), "1");
        assert!(page.header("link").contains("rel=\"next\""));
        for base in [
            "/api/v4/projects?pagination=keyset&per_page=4&order_by=id&sort=asc",
            "/api/v4/projects?pagination=keyset&per_page=4&order_by=id&sort=desc",
            "/api/v4/groups?pagination=keyset&per_page=3&order_by=name&sort=asc",
            "/api/v4/groups?pagination=keyset&per_page=3&order_by=id&sort=desc",
        ] {
            let (mut next, mut seen) = (base.to_owned(), vec![]);
            loop {
                let page = olive.get(&next).await.expect(200);
                seen.extend(ids(&page.json()));
                let link = page.header("link").to_owned();
                let Some(url) = link.split(';').next().filter(|_| link.contains("next")) else { break };
                let at = url.find("/api/").unwrap();
                next = url[at..].trim_end_matches('>').to_owned();
            }
            let mut unique = seen.clone();
            unique.sort_unstable();
            unique.dedup();
            let expected = if base.contains("groups") { 8 } else { 10 };
            assert_eq!((seen.len(), unique.len()), (expected, expected), "{base}");
        }
        olive.get("/api/v4/projects?pagination=keyset&order_by=name").await.expect(405);
    })
    .await;
}

#[tokio::test]
async fn lists_around_a_user() {
    for_each_database(async |t| {
        let world = t.world().await;
        let (olive, sam) = (world.olive.client(&t), world.sam.client(&t));
        olive.post("/api/v4/projects", json!({ "path": "open", "visibility": "public" })).await.expect(201);
        olive.post("/api/v4/projects", json!({ "path": "shut" })).await.expect(201);
        olive.post("/api/v4/projects/mill%2Fpond/star", json!({})).await.expect(201);
        olive.post("/api/v4/projects/mill%2Fwheel/star", json!({})).await.expect(201);
        assert_eq!(column(&sam.get("/api/v4/users/olive/projects").await.json(), "path"), ["open"]);
        assert_eq!(
            column(&sam.get(format!("/api/v4/users/{}/starred_projects", world.olive.id)).await.json(), "path"),
            ["pond"]
        );
        assert_eq!(column(&sam.get("/api/v4/users/olive/contributed_projects").await.json(), "path"), ["open"]);
        assert_eq!(ids(&olive.get("/api/v4/users/olive/starred_projects").await.json()).len(), 2);
        sam.get("/api/v4/users/nobody-there/projects").await.expect(404);
        t.app.db().run("UPDATE users SET private_profile = TRUE WHERE username = 'olive'", []).await.unwrap();
        sam.get("/api/v4/users/olive/starred_projects").await.expect(404);
        sam.get("/api/v4/users/olive/events").await.expect(404);
        olive.get("/api/v4/users/olive/events").await.expect(200);
        let starrers = olive.get("/api/v4/projects/mill%2Fpond/starrers").await.json();
        assert!(starrers.as_array().unwrap().is_empty(), "whose profile is private is not listed");
        olive.post("/api/v4/projects/mill%2Fpond/unstar", json!({})).await.expect(201);
        assert_eq!(sam.get("/api/v4/projects/mill%2Fpond").await.json()["star_count"], 0);
    })
    .await;
}

/// Many projects in many groups make no page slow: nothing is read once per row.
#[tokio::test]
async fn a_full_page_is_not_slow() {
    for_each_database(async |t| {
        let world = t.world().await;
        let tx = t.app.begin().await.unwrap();
        for n in 0..100 {
            let path = format!("g{n}");
            let group = projects::Namespace::create_group(&*tx, Some(&world.mill), &path, "g", "", Default::default());
            let group = group.await.unwrap();
            let new = projects::NewProject {
                path: "p".repeat(2),
                name: "p".into(),
                description: "*d*".into(),
                visibility: Default::default(),
                settings: Default::default(),
                creator_id: world.olive.id,
                forked_from_id: Some(world.pond.id),
                import_url: None,
            };
            projects::Project::create(&tx, &group, new).await.unwrap();
        }
        tx.commit().await.unwrap();
        let olive = world.olive.client(&t);
        for path in [
            "/api/v4/projects?per_page=100&statistics=true",
            "/api/v4/groups?per_page=100",
            "/api/v4/namespaces?per_page=100",
        ] {
            olive.get(path).await.expect(200);
            let begun = std::time::Instant::now();
            let page = olive.get(path).await.expect(200);
            assert_eq!(page.json().as_array().unwrap().len(), 100, "{path}");
            assert!(begun.elapsed().as_millis() < 1500, "{path} took {:?}", begun.elapsed());
        }
        assert_eq!(olive.get("/api/v4/projects/mill%2Fpond").await.json()["forks_count"], 100);
    })
    .await;
}

use serde_json::json;
use testkit::for_each_database;

use super::support::{Bench, commit, create, texts};

#[tokio::test]
async fn directories_are_listed_folders_first() {
    for_each_database(async |t| {
        let b = Bench::seeded(&t).await;
        let root = b.olive.get(b.repo("tree")).await.expect(200);
        assert_eq!((root.header("x-total"), root.header("x-next-page")), ("3", ""));
        let root = root.json();
        assert_eq!(texts(&root, "name"), ["bin", "src", "README.md"]);
        assert_eq!(texts(&root, "type"), ["tree", "tree", "blob"]);
        assert_eq!(texts(&root, "mode"), ["040000", "040000", "100644"]);
        let below = b.olive.get(b.repo("tree?path=bin&ref=main")).await.expect(200).json();
        assert_eq!(below[0]["path"], "bin/run");
        assert_eq!(below[0]["mode"], "100755");
        let all = b.olive.get(b.repo("tree?recursive=true")).await.expect(200).json();
        assert_eq!(texts(&all, "path"), ["README.md", "bin", "bin/run", "src", "src/lib.rs"]);
    })
    .await;
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    for_each_database(async |t| {
        let b = Bench::new(&t).await;
        let empty = b.olive.get(b.repo("tree")).await.expect(404).json();
        assert_eq!(empty["message"], "404 Tree Not Found");
        super::support::seed(&b.olive, &b.wheel).await;
        for path in ["tree?ref=nope", "tree?path=nope", "tree?path=README.md", "tree?ref=%2e%2e%2fx"] {
            b.olive.get(b.repo(path)).await.expect(404);
        }
        b.olive.get(b.repo("tree?path=..%2fx")).await.expect(400);
        b.olive.get(b.repo("tree?path=a%00b")).await.expect(400);
    })
    .await;
}

#[tokio::test]
async fn keyset_pages_hold_still_while_others_push() {
    for_each_database(async |t| {
        let b = Bench::new(&t).await;
        let files: Vec<_> = (0..5).map(|n| create(&format!("d/f{n}"), "x")).collect();
        commit(&b.olive, &b.wheel, "main", "Files", json!(files)).await;
        for (start, expected) in [("path=d", 5), ("recursive=true", 6)] {
            let mut seen = vec![];
            let mut next = b.repo(&format!("tree?{start}&pagination=keyset&per_page=2"));
            let mut turn = 0;
            while !next.is_empty() {
                let page = b.olive.get(&next).await.expect(200);
                assert_eq!(page.header("x-total"), "");
                seen.extend(texts(&page.json(), "path").into_iter().map(str::to_owned));
                next = following(page.header("link"));
                turn += 1;
                commit(&b.olive, &b.wheel, "main", "More", json!([create(&format!("d/a{start}{turn}"), "y")])).await;
            }
            let fresh = seen.iter().filter(|p| p.starts_with("d/f")).count();
            assert_eq!(fresh, 5, "{seen:?}");
            assert!(seen.len() >= expected);
        }
        let by_id = b.olive.get(b.repo("tree?path=d&per_page=100")).await.json();
        let token = by_id[0]["id"].as_str().unwrap();
        let rest = b.olive.get(b.repo(&format!("tree?path=d&pagination=keyset&page_token={token}"))).await.expect(200);
        assert_eq!(rest.json()[0]["path"], by_id[1]["path"]);
        b.olive.get(b.repo("tree?pagination=keyset&page_token=nonsense")).await.expect(400);
    })
    .await;
}

/// The path of the page that a `Link` header calls the next.
fn following(link: &str) -> String {
    let Some(start) = link.strip_prefix('<') else { return String::new() };
    let url = start.split('>').next().unwrap_or_default();
    url.find("/api/").map(|at| url[at..].to_owned()).unwrap_or_default()
}

#[tokio::test]
async fn blobs_and_archives_are_downloaded() {
    for_each_database(async |t| {
        let b = Bench::seeded(&t).await;
        let tree = b.olive.get(b.repo("tree?path=src")).await.json();
        let sha = tree[0]["id"].as_str().unwrap();
        let blob = b.olive.get(b.repo(&format!("blobs/{sha}"))).await.expect(200).json();
        assert_eq!(
            blob,
            json!({ "size": 17, "encoding": "base64", "content": "cHViIGZuIHR1cm4oKSB7fQo=", "sha": sha })
        );
        let raw = b.olive.get(b.repo(&format!("blobs/{sha}/raw"))).await.expect(200);
        assert_eq!(raw.text(), "pub fn turn() {}\n");
        assert_eq!(raw.header("content-security-policy"), "sandbox; default-src 'none'");
        for bad in ["0000000000000000000000000000000000000001", "abc", "..%2f.."] {
            b.olive.get(b.repo(&format!("blobs/{bad}"))).await.expect(404);
        }
        for (path, magic) in [
            ("archive", "\x1f"),
            ("archive.zip", "PK"),
            ("archive.tar", "pax_global_header"),
            ("archive.tar.bz2", "BZh"),
        ] {
            let archive = b.olive.get(b.repo(path)).await.expect(200);
            assert!(archive.body.starts_with(magic.as_bytes()), "{path}");
            assert!(archive.header("content-disposition").starts_with("attachment; filename=\"wheel-main-"), "{path}");
        }
        let part = b.olive.get(b.repo("archive.tar?path=src&sha=main")).await.expect(200).text();
        assert!(part.contains("src/lib.rs") && !part.contains("README.md"));
        b.olive.get(b.repo("archive?sha=nope")).await.expect(404);
        b.olive.get(b.repo("archive.zip?path=nope")).await.expect(404);
        b.olive.get(b.repo("archive.rar")).await.expect(404);
    })
    .await;
}

#[tokio::test]
async fn contributors_are_counted() {
    for_each_database(async |t| {
        let b = Bench::seeded(&t).await;
        let dana = b.world.dana.client(&t);
        let body = json!({ "branch": "topic", "start_branch": "main", "commit_message": "More",
            "actions": [create("more", "x")] });
        dana.post(b.repo("commits"), body).await.expect(201);
        let people = b.olive.get(b.repo("contributors?ref=topic&order_by=name")).await.expect(200).json();
        assert_eq!(texts(&people, "name"), ["dana", "olive"]);
        assert_eq!(people[0]["commits"], 1);
        b.olive.get(b.repo("contributors?ref=nope")).await.expect(404);
    })
    .await;
}

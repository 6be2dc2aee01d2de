use std::collections::HashMap;

use serde_json::json;
use testkit::for_each_database;

use super::support::{Bench, create};

#[tokio::test]
async fn commits_to_one_branch_at_once_all_arrive() {
    for_each_database(async |t| {
        let b = Bench::seeded(&t).await;
        let sends = (0..6).map(|n| {
            let body = json!({ "branch": "main", "commit_message": format!("File {n}"), "actions": [create(&format!("f{n}"), "x")] });
            let (client, path) = (b.olive.clone(), b.repo("commits"));
            tokio::spawn(async move { client.post(path, body).await })
        });
        for sent in sends.collect::<Vec<_>>() {
            sent.await.unwrap().expect(201);
        }
        assert_eq!(b.olive.get(b.repo("commits/main/sequence")).await.json(), json!({ "count": 7 }));
        let events = b.olive.get(format!("{}/events?action=pushed&per_page=100", b.wheel)).await.expect(200).json();
        assert_eq!(events.as_array().unwrap().len(), 7, "{events}");
    })
    .await;
}

#[tokio::test]
async fn one_of_several_wins_what_only_one_can_have() {
    for_each_database(async |t| {
        let b = Bench::seeded(&t).await;
        let known = b.olive.get(b.repo("files/README.md?ref=main")).await.json()["last_commit_id"].clone();
        for (path, method_is_put, body) in [
            ("branches", false, json!({ "branch": "race", "ref": "main" })),
            ("tags", false, json!({ "tag_name": "race", "ref": "main", "message": "m" })),
            ("files/race", false, json!({ "branch": "main", "content": "x", "commit_message": "m" })),
            (
                "files/README.md",
                true,
                json!({ "branch": "main", "content": "x", "commit_message": "m", "last_commit_id": known }),
            ),
        ] {
            let sends = (0..4).map(|_| {
                let (client, path, body) = (b.olive.clone(), b.repo(path), body.clone());
                tokio::spawn(async move {
                    let answer =
                        if method_is_put { client.put(path, body).await } else { client.post(path, body).await };
                    answer.status.as_u16()
                })
            });
            let mut counts: HashMap<u16, u32> = HashMap::new();
            for sent in sends.collect::<Vec<_>>() {
                *counts.entry(sent.await.unwrap()).or_default() += 1;
            }
            let won = if method_is_put { 200 } else { 201 };
            assert_eq!(counts, HashMap::from([(won, 1), (400, 3)]), "{path}");
        }
        let rules = format!("{}/protected_branches", b.wheel);
        let sends = (0..4).map(|_| {
            let (client, rules) = (b.olive.clone(), rules.clone());
            tokio::spawn(async move { client.post(rules, json!({ "name": "x" })).await.status.as_u16() })
        });
        let mut all = vec![];
        for sent in sends.collect::<Vec<_>>() {
            all.push(sent.await.unwrap());
        }
        all.sort_unstable();
        assert_eq!(all, [201, 409, 409, 409]);
    })
    .await;
}

use serde_json::{Value, json};
use testkit::{for_each_database, git};

use super::support::{Bench, commit, create, texts, update};

#[tokio::test]
async fn one_commit_carries_out_every_kind_of_action() {
    for_each_database(async |t| {
        let b = Bench::seeded(&t).await;
        let actions = json!([
            create("new", "n\n"),
            update("README.md", "# Wheel\n"),
            { "action": "move", "previous_path": "src/lib.rs", "file_path": "src/wheel.rs" },
            { "action": "chmod", "file_path": "bin/run", "execute_filemode": false },
        ]);
        let made = commit(&b.olive, &b.wheel, "main", "Rework\n\nBody\n\nChangelog: changed", actions).await;
        assert_eq!((&made["title"], &made["project_id"]), (&json!("Rework"), &json!(b.world.wheel.id)));
        assert_eq!(made["stats"], json!({ "additions": 1, "deletions": 2, "total": 3 }));
        assert_eq!(made["trailers"], json!({ "Changelog": "changed" }));
        assert_eq!(made["extended_trailers"], json!({ "Changelog": ["changed"] }));
        assert_eq!((&made["status"], &made["last_pipeline"]), (&Value::Null, &Value::Null));
        let sha = made["id"].as_str().unwrap();
        assert_eq!(made["short_id"], sha[..8]);
        assert!(made["web_url"].as_str().unwrap().ends_with(&format!("/mill/wheel/-/commit/{sha}")));
        let diff = b.olive.get(b.repo(&format!("commits/{sha}/diff"))).await.expect(200).json();
        assert_eq!(texts(&diff, "new_path"), ["README.md", "bin/run", "new", "src/wheel.rs"]);
        assert_eq!((&diff[1]["a_mode"], &diff[1]["b_mode"]), (&json!("100755"), &json!("100644")));
        assert_eq!((&diff[2]["new_file"], &diff[2]["a_mode"]), (&json!(true), &json!("0")));
        assert_eq!(diff[2]["diff"], "@@ -0,0 +1 @@\n+n\n");
        assert_eq!((&diff[3]["renamed_file"], &diff[3]["old_path"]), (&json!(true), &json!("src/lib.rs")));
        let unified = b.olive.get(b.repo(&format!("commits/{sha}/diff?unidiff=true"))).await.expect(200).json();
        assert!(unified[2]["diff"].as_str().unwrap().starts_with("--- /dev/null\n+++ b/new\n@@"));
        commit(&b.olive, &b.wheel, "main", "Away", json!([{ "action": "delete", "file_path": "new" }])).await;
        let clone = t.scratch().join("clone");
        git(t.scratch(), &["clone", "-q", &t.remote(&b.world.olive, "mill/wheel"), "clone"]).await.expect_ok();
        git(&clone, &["fsck", "--strict"]).await.expect_ok();
        assert!(clone.join("src/wheel.rs").is_file() && !clone.join("new").exists());
    })
    .await;
}

#[tokio::test]
async fn commits_start_new_branches_and_move_forced_ones() {
    for_each_database(async |t| {
        let b = Bench::seeded(&t).await;
        let first = b.olive.get(b.repo("commits/main")).await.json()["id"].as_str().unwrap().to_owned();
        let send = async |start: Value, force: bool, file: &str| {
            let mut body =
                json!({ "branch": "topic", "commit_message": "m", "force": force, "actions": [create(file, "x")] });
            body.as_object_mut().unwrap().extend(start.as_object().unwrap().clone());
            b.olive.post(b.repo("commits"), body).await
        };
        send(json!({ "start_sha": first }), false, "a").await.expect(201);
        let taken = send(json!({ "start_branch": "main" }), false, "a").await.expect(400).json();
        assert!(taken["message"].as_str().unwrap().starts_with("A branch called 'topic' already exists"));
        let forced = send(json!({ "start_branch": "main" }), true, "a").await.expect(201).json();
        assert_eq!(forced["parent_ids"], json!([first]));
        send(json!({ "start_branch": "main", "start_sha": first }), true, "a").await.expect(400);
        send(json!({ "start_project": "mill/race", "start_branch": "main" }), true, "a").await.expect(400);
    })
    .await;
}

#[tokio::test]
async fn refused_commits_say_why_and_change_nothing() {
    for_each_database(async |t| {
        let b = Bench::seeded(&t).await;
        let before = b.olive.get(b.repo("commits/main")).await.json()["id"].clone();
        let refused = async |actions: Value| {
            let body = json!({ "branch": "main", "commit_message": "m", "actions": actions });
            let answer = b.olive.post(b.repo("commits"), body).await.expect(400).json();
            answer["message"].as_str().or(answer["error"].as_str()).unwrap().to_owned()
        };
        assert_eq!(refused(json!([update("nope", "x")])).await, "A file with this name doesn't exist");
        assert_eq!(refused(json!([create("README.md", "x")])).await, "A file with this name already exists");
        assert_eq!(refused(json!([create("src", "x")])).await, "A directory with this name already exists");
        assert_eq!(
            refused(json!([create("ok", "x"), create("../up", "x")])).await,
            "file_path should be a valid file path"
        );
        assert_eq!(
            refused(json!([{ "action": "explode", "file_path": "x" }])).await,
            "actions[0].action does not have a valid value"
        );
        assert_eq!(refused(json!([{ "action": "move", "file_path": "x" }])).await, "actions[previous_path] is missing");
        assert_eq!(
            refused(json!([{ "action": "update", "file_path": "README.md" }])).await,
            "actions[content] is missing"
        );
        let stale =
            json!([{ "action": "update", "file_path": "README.md", "content": "x", "last_commit_id": "1".repeat(40) }]);
        assert_eq!(refused(stale).await, "README.md has changed in the meantime");
        assert_eq!(b.olive.get(b.repo("commits/main")).await.json()["id"], before);
    })
    .await;
}

#[tokio::test]
async fn histories_are_filtered() {
    for_each_database(async |t| {
        let b = Bench::seeded(&t).await;
        commit(&b.olive, &b.wheel, "main", "Second", json!([update("README.md", "2")])).await;
        let body = json!({ "branch": "topic", "start_branch": "main", "commit_message": "Third", "author_name": "Ada",
            "author_email": "ada@example.com", "actions": [create("t", "3\n")] });
        b.olive.post(b.repo("commits"), body).await.expect(201);
        let titles = async |query: &str| {
            let list = b.olive.get(b.repo(&format!("commits{query}"))).await.expect(200).json();
            texts(&list, "title").into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(titles("").await, ["Second", "Begin"]);
        assert_eq!(titles("?ref_name=topic").await, ["Third", "Second", "Begin"]);
        assert_eq!(titles("?ref_name=main..topic").await, ["Third"]);
        assert_eq!(titles("?all=true&author=ada").await, ["Third"]);
        assert_eq!(titles("?path=src/lib.rs").await, ["Begin"]);
        assert_eq!(titles("?since=2100-01-01T00:00:00Z").await, [""; 0]);
        assert_eq!(titles("?until=2100-01-01").await, ["Second", "Begin"]);
        assert_eq!(
            titles("?per_page=1&page=2&order=topo&first_parent=true&follow=true&path=README.md").await,
            ["Begin"]
        );
        let page = b.olive.get(b.repo("commits?per_page=1&with_stats=true&trailers=true")).await.expect(200);
        assert_eq!((page.header("x-next-page"), page.header("x-total")), ("2", ""));
        assert_eq!(page.json()[0]["stats"]["total"], 4);
        for (query, status) in
            [("?ref_name=nope", 404), ("?since=yesterday", 400), ("?order=random", 400), ("?path=../x", 400)]
        {
            b.olive.get(b.repo(&format!("commits{query}"))).await.expect(status);
        }
        assert_eq!(titles("?page=4294967295&per_page=100").await, [""; 0]);
        assert_eq!(titles("?page=4294967295&per_page=100&author=o").await, [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn an_empty_repository_has_no_commits() {
    for_each_database(async |t| {
        let b = Bench::new(&t).await;
        for path in ["commits", "commits?all=true", "branches", "tags"] {
            assert_eq!(b.olive.get(b.repo(path)).await.expect(200).json(), json!([]), "{path}");
        }
        let missing = b.olive.get(b.repo("commits/main")).await.expect(404).json();
        assert_eq!(missing["message"], "404 Commit Not Found");
    })
    .await;
}

#[tokio::test]
async fn facts_of_a_commit() {
    for_each_database(async |t| {
        let b = Bench::seeded(&t).await;
        commit(&b.olive, &b.wheel, "main", "Second", json!([update("README.md", "2")])).await;
        b.olive.post(b.repo("tags"), json!({ "tag_name": "v1", "ref": "main~0" })).await.expect(400);
        b.olive.post(b.repo("tags"), json!({ "tag_name": "v1", "ref": "main" })).await.expect(201);
        let refs = b.olive.get(b.repo("commits/v1/refs")).await.expect(200).json();
        assert_eq!(refs, json!([{ "type": "branch", "name": "main" }, { "type": "tag", "name": "v1" }]));
        let tags = b.olive.get(b.repo("commits/main/refs?type=tag")).await.expect(200).json();
        assert_eq!(tags, json!([{ "type": "tag", "name": "v1" }]));
        assert_eq!(b.olive.get(b.repo("commits/main/sequence")).await.expect(200).json(), json!({ "count": 2 }));
        assert_eq!(b.olive.get(b.repo("commits/main/merge_requests")).await.expect(200).json(), json!([]));
        let none = b.olive.get(b.repo("commits/main/signature")).await.expect(404).json();
        assert_eq!(none["message"], "404 Signature Not Found");
        let plain = b.olive.get(b.repo("commits/main?stats=false")).await.expect(200).json();
        assert_eq!(plain.get("stats"), None);
        assert_eq!(plain["created_at"], plain["committed_date"]);
        assert!(plain["committed_date"].as_str().unwrap().ends_with(".000+00:00"));
    })
    .await;
}

#[tokio::test]
async fn commits_are_carried_over_and_undone() {
    for_each_database(async |t| {
        let b = Bench::seeded(&t).await;
        let branch = json!({ "branch": "stable", "ref": "main" });
        b.olive.post(b.repo("branches"), branch).await.expect(201);
        let made = commit(&b.olive, &b.wheel, "main", "Fix", json!([create("fix", "x\n")])).await;
        let sha = made["id"].as_str().unwrap();
        let pick = b.repo(&format!("commits/{sha}/cherry_pick"));
        let dry = b.olive.post(&pick, json!({ "branch": "stable", "dry_run": true })).await.expect(200).json();
        assert_eq!(dry, json!({ "dry_run": "success" }));
        let picked = b.olive.post(&pick, json!({ "branch": "stable" })).await.expect(201).json();
        assert!(picked["message"].as_str().unwrap().contains(&format!("(cherry picked from commit {sha})")));
        let empty = b.olive.post(&pick, json!({ "branch": "stable" })).await.expect(400).json();
        assert_eq!(empty["error_code"], "empty");
        commit(&b.olive, &b.wheel, "stable", "Other", json!([update("fix", "y\n")])).await;
        let revert = b.repo(&format!("commits/{sha}/revert"));
        let conflict = b.olive.post(&revert, json!({ "branch": "stable" })).await.expect(400).json();
        assert_eq!(conflict["error_code"], "conflict");
        let undone = b.olive.post(&revert, json!({ "branch": "main" })).await.expect(201).json();
        assert_eq!(undone["title"], "Revert \"Fix\"");
        b.olive.post(&revert, json!({ "branch": "nope" })).await.expect(404);
        b.olive.post(&revert, json!({})).await.expect(400);
        b.world.dana.client(&t).post(&pick, json!({ "branch": "main", "dry_run": true })).await.expect(403);
    })
    .await;
}

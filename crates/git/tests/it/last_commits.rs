use std::time::Duration;

use crate::support::{World, path};

const BUDGET: Duration = Duration::from_secs(30);

/// Compares with what `git log` says for each entry of a directory.
async fn check(world: &World, dir: &str) {
    let tip = world.tip();
    let found = world.repo.last_commits(tip, &path(dir), BUDGET).await.unwrap();
    assert!(found.complete);
    let entries = world.repo.list_dir(tip, &path(dir)).await.unwrap();
    assert_eq!(found.entries.len(), entries.len());
    for entry in entries {
        let expected = world.bare(&["log", "-1", "--format=%H", &tip.to_string(), "--", &entry.path.lossy()]);
        assert_eq!(found.entries[&entry.name].id.to_string(), expected, "{}", entry.path);
    }
}

#[tokio::test]
async fn agrees_with_git_log() {
    let world = World::new().await;
    world.commit_file("README", "1");
    world.commit_file("src/a", "1");
    world.commit_file("src/b", "1");
    world.git(&["checkout", "-q", "-b", "side"]);
    world.commit_file("src/b", "2");
    world.commit_file("doc/x", "1");
    world.git(&["checkout", "-q", "main"]);
    world.commit_file("src/a", "2");
    world.git(&["merge", "-q", "--no-ff", "-m", "merge", "side"]);
    world.push();
    for dir in ["", "src", "doc"] {
        check(&world, dir).await;
    }
    // Tables of the older commit serve the newer ones, with and without a commit-graph.
    world.commit_file("src/c", "1");
    world.commit_file("doc/x", "2");
    check(&world, "").await;
    check(&world, "src").await;
    world.repo.write_commit_graph().await.unwrap();
    world.commit_file("README", "2");
    check(&world, "").await;
    check(&world, "doc").await;
}

#[tokio::test]
async fn follows_removal_and_return() {
    let world = World::new().await;
    world.commit_file("a", "1");
    world.commit_file("b", "1");
    std::fs::remove_file(world.work().join("a")).unwrap();
    world.commit("remove a");
    world.commit_file("a", "1");
    check(&world, "").await;
}

#[tokio::test]
async fn random_histories_agree_with_git_log() {
    let world = World::new().await;
    let mut seed = 7_u64;
    let mut next = |bound: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % bound
    };
    world.commit_file("d0/f0", "0");
    for step in 0..40 {
        if next(6) == 0 {
            let branch = format!("b{step}");
            world.git(&["checkout", "-q", "-b", &branch, &format!("HEAD~{}", next(2).min(step / 3))]);
            world.commit_file(&format!("d{}/side{step}", next(3)), "x");
            world.git(&["checkout", "-q", "main"]);
            world.commit_file(&format!("d{}/main{step}", next(3)), "x");
            world.git(&["merge", "-q", "--no-ff", "-m", "merge", &branch]);
        } else {
            world.commit_file(&format!("d{}/f{}", next(3), next(4)), &step.to_string());
        }
    }
    world.push();
    for dir in ["", "d0", "d1", "d2"] {
        check(&world, dir).await;
    }
}

#[tokio::test]
async fn many_callers_share_one_walk() {
    let world = World::new().await;
    let tip = world.commit_file("a", "1");
    let root = path("");
    let calls = (0..20).map(|_| world.repo.last_commits(tip, &root, BUDGET));
    for outcome in futures_util::future::join_all(calls).await {
        let found = outcome.unwrap();
        assert!(found.complete && found.entries.len() == 1);
    }
    world.repo.last_commits(tip, &path("b"), BUDGET).await.unwrap_err();
}

#[tokio::test]
async fn an_unfinished_walk_goes_on() {
    let world = World::new().await;
    let tip = world.commit_file("a", "1");
    let mut found = world.repo.last_commits(tip, &path(""), Duration::ZERO).await.unwrap();
    while !found.complete {
        tokio::time::sleep(Duration::from_millis(10)).await;
        found = world.repo.last_commits(tip, &path(""), Duration::ZERO).await.unwrap();
    }
    assert_eq!(found.entries.len(), 1);
}

use std::fs;
use std::time::Duration;

use git::RefName;
use git::maintenance::Effort;

use crate::support::{World, path};

#[tokio::test]
async fn tidies_and_stays_readable() {
    let world = World::new().await;
    for n in 0..5 {
        world.commit_file("f", &n.to_string());
    }
    let before = world.tip();
    world.repo.resolve("main").await.unwrap();
    world.repo.gc(Effort::Quick, Duration::from_secs(3600)).await.unwrap();
    assert_eq!(world.repo.log(git::log::LogQuery::of(before, 10)).await.unwrap().len(), 5);
    let tip = world.commit_file("g", "1");
    world.repo.gc(Effort::Full, Duration::from_secs(3600)).await.unwrap();
    assert!(world.repo.blob_at(tip, &path("g"), 10).await.is_ok());
    let packs: Vec<String> = fs::read_dir(world.repo.path().join("objects/pack"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert!(packs.iter().any(|name| name.ends_with(".bitmap")), "{packs:?}");
    assert!(world.repo.path().join("objects/info/commit-graphs/commit-graph-chain").exists());
    assert!(world.repo.size().await.unwrap() > 1000);
    world.fsck();
}

#[tokio::test]
async fn prunes_after_the_grace_time() {
    let world = World::new().await;
    world.commit_file("f", "1");
    world.git(&["checkout", "-q", "-b", "gone"]);
    let lost = world.commit_file("f", "lost");
    world.repo.delete_ref(&RefName::branch("gone").unwrap(), None).await.unwrap();
    world.repo.gc(Effort::Full, Duration::from_secs(3600)).await.unwrap();
    assert!(world.repo.has_object(lost).await.unwrap());
    world.repo.gc(Effort::Full, Duration::ZERO).await.unwrap();
    assert!(!world.repo.has_object(lost).await.unwrap());
}

#[tokio::test]
async fn removes_only_old_leftovers() {
    let world = World::new().await;
    world.commit_file("f", "1");
    let objects = world.repo.path().join("objects");
    fs::write(world.repo.path().join("refs/heads/main.lock"), "").unwrap();
    fs::write(objects.join("pack/tmp_pack_x"), "").unwrap();
    fs::create_dir(objects.join("tmp_objdir-incoming-x")).unwrap();
    fs::write(objects.join("tmp_objdir-incoming-x/file"), "").unwrap();
    assert_eq!(world.repo.remove_leftovers(Duration::from_secs(3600)).await.unwrap(), 0);
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(world.repo.remove_leftovers(Duration::ZERO).await.unwrap(), 3);
    assert!(!objects.join("tmp_objdir-incoming-x").exists());
    assert!(world.repo.fsck().await.unwrap().ok);
}

#[tokio::test]
async fn fsck_tells_what_is_missing() {
    let world = World::new().await;
    let tip = world.commit_file("f", "1");
    assert!(world.repo.fsck().await.unwrap().ok);
    let tree = world.repo.commit(tip).await.unwrap().tree.to_string();
    fs::remove_file(world.repo.path().join("objects").join(&tree[..2]).join(&tree[2..])).unwrap();
    let report = world.repo.fsck().await.unwrap();
    assert!(!report.ok && !report.problems.is_empty());
    world.repo.forget();
    assert!(world.repo.list_dir(tip, &path("")).await.is_err());
}

use std::fs;

use git::log::{LogOrder, LogQuery};

use crate::support::{World, path};

#[tokio::test]
async fn reads_a_commit() {
    let world = World::new().await;
    let first = world.commit_file("a", "1");
    world.write("a", "2");
    let id = world.commit("Title\n\nBody text\n\nSigned-off-by: Ada <a@b>\nCo-authored-by: Bob <b@c>");
    let commit = world.repo.commit(id).await.unwrap();
    assert_eq!(commit.parents, [first]);
    assert_eq!((commit.title().to_string().as_str(), &*commit.author.name.lossy()), ("Title", "Ada"));
    assert_eq!((commit.committer.offset, commit.signature), (5400, None));
    assert!(commit.body().starts_with(b"Body text"));
    assert_eq!(commit.trailers()[1], ("Co-authored-by".to_owned(), "Bob <b@c>".to_owned()));
    assert!(world.repo.commit(commit.tree).await.unwrap_err().is_not_found());
    assert!(world.repo.commit(git::Oid::zero()).await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn odd_commits_are_readable() {
    let world = World::new().await;
    let tip = world.commit_file("a", "1");
    let tree = world.repo.commit(tip).await.unwrap().tree;
    let raw = format!(
        "tree {tree}\nauthor Caf\u{e9} <x> 1 +0000\ncommitter  <> 99999999999999999999 +9999\nencoding ISO-8859-1\ngpgsig -----BEGIN SSH SIGNATURE-----\n x\n -----END SSH SIGNATURE-----\n\nM"
    );
    let mut bytes: Vec<u8> = raw.chars().map(|c| c as u8).collect();
    bytes.extend_from_slice(b"\xff\n");
    let file = world.dir.path().join("raw");
    fs::write(&file, bytes).unwrap();
    let id = world.bare(&["hash-object", "-t", "commit", "-w", "--literally", file.to_str().unwrap()]);
    let commit = world.repo.commit(id.parse().unwrap()).await.unwrap();
    assert_eq!(commit.author.name, "Café");
    assert_eq!(commit.message, "Mÿ\n");
    assert_eq!(commit.committer.time, 0);
    assert_eq!(commit.signature, Some(git::commit::SignatureKind::Ssh));
}

async fn history() -> (World, Vec<git::Oid>) {
    let world = World::new().await;
    let mut ids = vec![world.commit_file("a", "1")];
    world.git(&["checkout", "-q", "-b", "side"]);
    ids.push(world.commit_file("b", "text of b\n"));
    world.git(&["checkout", "-q", "main"]);
    ids.push(world.commit_file("a", "2"));
    world.git(&["merge", "-q", "--no-ff", "-m", "Merge side", "side"]);
    world.push();
    ids.push(world.tip());
    world.git(&["mv", "b", "c"]);
    ids.push(world.commit("Rename b"));
    (world, ids)
}

#[tokio::test]
async fn lists_histories() {
    let (world, ids) = history().await;
    let tip = ids[4];
    let log = async |query: LogQuery| world.repo.log_ids(query).await.unwrap();
    let whole = LogQuery::of(tip, 100);
    assert_eq!(log(whole.clone()).await, [ids[4], ids[3], ids[2], ids[1], ids[0]]);
    assert_eq!(log(LogQuery { first_parent: true, ..whole.clone() }).await, [ids[4], ids[3], ids[2], ids[0]]);
    assert_eq!(log(LogQuery { skip: 1, limit: 2, ..whole.clone() }).await, [ids[3], ids[2]]);
    assert_eq!(log(LogQuery { path: path("a"), ..whole.clone() }).await, [ids[2], ids[0]]);
    assert_eq!(log(LogQuery { path: path("c"), ..whole.clone() }).await, [ids[4]]);
    assert_eq!(log(LogQuery { path: path("c"), follow: true, ..whole.clone() }).await, [ids[4], ids[1]]);
    assert_eq!(log(LogQuery { no_merges: true, ..whole.clone() }).await.len(), 4);
    assert_eq!(log(LogQuery { message: Some("rename".into()), ..whole.clone() }).await, [ids[4]]);
    assert_eq!(log(LogQuery { message: Some(".*".into()), ..whole.clone() }).await, []);
    assert_eq!(log(LogQuery { author: Some("ADA".into()), ..whole.clone() }).await.len(), 5);
    assert_eq!(log(LogQuery { author: Some("--all\n-x".into()), ..whole.clone() }).await, []);
    assert_eq!(log(LogQuery { exclude: vec![ids[2]], ..whole.clone() }).await, [ids[4], ids[3], ids[1]]);
    let topological = log(LogQuery { order: LogOrder::Topological, ..whole.clone() }).await;
    assert_eq!(topological.len(), 5);
    assert_eq!(log(LogQuery { all: true, tips: Vec::new(), ..whole.clone() }).await.len(), 5);
    assert_eq!(log(LogQuery { path: path(":(glob)*"), ..whole.clone() }).await, []);
    let time = world.repo.commit(ids[2]).await.unwrap().committer.time;
    assert_eq!(log(LogQuery { since: Some(time), ..whole.clone() }).await.len(), 3);
    assert_eq!(log(LogQuery { until: Some(time), ..whole.clone() }).await.len(), 3);
    assert!(world.repo.log_ids(LogQuery::of(git::Oid::zero(), 5)).await.is_err());
}

#[tokio::test]
async fn counts_commits_and_lines() {
    let (world, ids) = history().await;
    let whole = LogQuery::of(ids[4], 1);
    assert_eq!(world.repo.count_commits(&whole).await.unwrap(), 5);
    assert_eq!(world.repo.count_commits(&whole).await.unwrap(), 5);
    assert_eq!(world.repo.count_commits(&LogQuery { path: path("a"), ..whole }).await.unwrap(), 2);
    let stats = world.repo.commit_stats(&ids).await.unwrap();
    assert_eq!((stats[&ids[2]].additions, stats[&ids[2]].deletions, stats[&ids[2]].files), (1, 1, 1));
    assert_eq!(stats[&ids[0]].additions, 1);
    assert_eq!((stats[&ids[3]].additions, stats[&ids[3]].files), (1, 1));
    assert_eq!((stats[&ids[4]].additions, stats[&ids[4]].files), (0, 1));
}

#[tokio::test]
async fn finds_ancestors() {
    let (world, ids) = history().await;
    assert_eq!(world.repo.merge_base(ids[1], ids[2]).await.unwrap(), Some(ids[0]));
    assert!(world.repo.is_ancestor(ids[1], ids[4]).await.unwrap());
    assert!(!world.repo.is_ancestor(ids[4], ids[1]).await.unwrap());
    world.git(&["checkout", "-q", "--orphan", "alone"]);
    let alone = world.commit("Alone");
    assert_eq!(world.repo.merge_base(ids[1], alone).await.unwrap(), None);
    assert!(world.repo.merge_base(ids[1], git::Oid::zero()).await.is_err());
}

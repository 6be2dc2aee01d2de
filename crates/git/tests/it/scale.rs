//! Sizes that must not break anything.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use git::diff::DiffOptions;
use git::write::{Action, CommitRequest};
use git::{Oid, RefName};

use crate::support::{World, path, someone};

/// Fills the bare repository from a stream for `git fast-import`.
fn import(world: &World, stream: &[u8]) -> Oid {
    let mut git = Command::new("git")
        .args(["fast-import", "--quiet"])
        .current_dir(world.repo.path())
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    git.stdin.take().unwrap().write_all(stream).unwrap();
    assert!(git.wait().unwrap().success());
    world.bare(&["rev-parse", "main"]).parse().unwrap()
}

fn commit_header(stream: &mut Vec<u8>, time: usize, message: &str) {
    let person = format!("A <a@b> {time} +0000");
    writeln!(stream, "commit refs/heads/main\nauthor {person}\ncommitter {person}\ndata {}\n{message}", message.len())
        .unwrap();
}

#[tokio::test]
async fn a_directory_of_100_000_entries() {
    let world = World::new().await;
    let mut stream = b"blob\nmark :1\ndata 1\nx\n".to_vec();
    commit_header(&mut stream, 1_600_000_000, "many");
    for file in 0..100_000 {
        writeln!(stream, "M 100644 :1 wide/f{file}").unwrap();
    }
    let tip = import(&world, &stream);
    let started = Instant::now();
    assert_eq!(world.repo.list_dir(tip, &path("wide")).await.unwrap().len(), 100_000);
    assert!(world.repo.list_recursive(tip, &path(""), 99_990, 5).await.unwrap().more);
    let found = world.repo.last_commits(tip, &path("wide"), Duration::from_secs(20)).await.unwrap();
    assert!(found.complete && found.entries.len() == 100_000);
    let request = CommitRequest {
        branch: RefName::branch("main").unwrap(),
        expected_tip: Some(tip),
        start: None,
        reset: false,
        actions: vec![Action::Update { path: path("wide/f500"), content: b"y".to_vec() }],
        unchanged_since: Vec::new(),
        author: someone(),
        committer: someone(),
        message: b"one of many".to_vec(),
    };
    let change = world.repo.commit_changes(request).await.unwrap();
    let found = world.repo.last_commits(change.new, &path("wide"), Duration::from_secs(20)).await.unwrap();
    assert_eq!(found.entries[b"f500" as &[u8]].id, change.new);
    let diff = world.repo.diff(Oid::empty_tree(), tip, &DiffOptions::default()).await.unwrap();
    assert!(diff.truncated);
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_history_of_80_000_commits() {
    let world = World::new().await;
    let mut stream = Vec::new();
    for n in 0..80_000 {
        commit_header(&mut stream, 1_500_000_000 + n * 60, &format!("commit {n}"));
        writeln!(stream, "M 100644 inline d{}/f{}\ndata <<E\n{n}\nE\n", n % 10, n % 7).unwrap();
    }
    let tip = import(&world, &stream);
    world.repo.write_commit_graph().await.unwrap();
    let started = Instant::now();
    let query = git::log::LogQuery::of(tip, 20);
    assert_eq!(world.repo.log(git::log::LogQuery { skip: 79_990, ..query.clone() }).await.unwrap().len(), 10);
    assert_eq!(world.repo.count_commits(&query).await.unwrap(), 80_000);
    assert!(world.repo.last_commits(tip, &path(""), Duration::from_secs(20)).await.unwrap().complete);
    let limited = git::log::LogQuery { path: path("d3/f3"), ..query };
    assert_eq!(world.repo.log(limited).await.unwrap().len(), 20);
    assert_eq!(world.repo.contributors(tip, false).await.unwrap()[0].commits, 80_000);
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_line_of_100_megabytes() {
    let world = World::new().await;
    let first = world.commit_file("small", "x\n");
    world.write("line", vec![b'x'; 100 << 20]);
    let tip = world.commit("long");
    let diff = world.repo.diff(first, tip, &DiffOptions::default()).await.unwrap();
    assert!(diff.files[0].hunks.is_empty());
    let list = world.repo.changes(first, tip, &DiffOptions::default()).await.unwrap();
    assert_eq!(list.files.len(), 1);
    assert!(world.repo.blame(tip, &path("line"), None).await.is_err());
    assert!(world.repo.blob_at(tip, &path("line"), 1 << 20).await.unwrap().truncated);
}

use git::write::{Action, CommitRequest};
use git::{GitError, Oid, RefName};

use crate::support::{World, path, someone};

fn request(actions: Vec<Action>) -> CommitRequest {
    CommitRequest {
        branch: RefName::branch("main").unwrap(),
        expected_tip: None,
        start: None,
        reset: false,
        actions,
        unchanged_since: Vec::new(),
        author: someone(),
        committer: someone(),
        message: b"Change".to_vec(),
    }
}

fn create(at: &str, content: &str) -> Action {
    Action::Create { path: path(at), content: content.into(), executable: false }
}

#[tokio::test]
async fn the_first_commit_needs_no_parent() {
    let world = World::new().await;
    let change = world.repo.commit_changes(request(vec![create("a/b", "1")])).await.unwrap();
    assert_eq!(change.old, Some(Oid::zero()));
    let commit = world.repo.commit(change.new).await.unwrap();
    assert!(commit.parents.is_empty());
    assert_eq!((commit.message.to_string().as_str(), commit.author), ("Change\n", someone()));
    assert_eq!(world.bare(&["show", "main:a/b"]), "1");
    world.fsck();
}

#[tokio::test]
async fn carries_out_every_action() {
    let world = World::new().await;
    for name in ["update", "delete", "move", "dir/only"] {
        world.write(name, name);
    }
    let tip = world.commit("start");
    let actions = vec![
        create("new/deep/file", "n"),
        Action::Update { path: path("update"), content: b"changed".to_vec() },
        Action::Chmod { path: path("update"), executable: true },
        Action::Delete { path: path("delete") },
        create("delete/now/a/dir", "d"),
        Action::Move { from: path("move"), to: path("moved/to"), content: None },
        Action::Move { from: path("dir/only"), to: path("only"), content: Some(b"other".to_vec()) },
    ];
    let change =
        world.repo.commit_changes(CommitRequest { expected_tip: Some(tip), ..request(actions) }).await.unwrap();
    assert_eq!(world.repo.commit(change.new).await.unwrap().parents, [tip]);
    let listed = world.bare(&["ls-tree", "-r", "--format=%(objectmode) %(path)", "main"]);
    let expected =
        ["100644 delete/now/a/dir", "100644 moved/to", "100644 new/deep/file", "100644 only", "100755 update"];
    assert_eq!(listed.lines().collect::<Vec<_>>(), expected);
    assert_eq!(world.bare(&["show", "main:only"]), "other");
    world.fsck();
}

#[tokio::test]
async fn refuses_contradictions() {
    let world = World::new().await;
    world.write("dir/file", "1");
    world.write("file", "1");
    let tip = world.commit("start");
    let conflicts = [
        vec![create("file", "x")],
        vec![create("dir", "x")],
        vec![create("file/below", "x")],
        vec![create("x", "1"), create("x/y", "1")],
        vec![create("x/y", "1"), create("x", "1")],
        vec![Action::Update { path: path("dir"), content: Vec::new() }],
        vec![Action::Move { from: path("file"), to: path("dir/file"), content: None }],
    ];
    for actions in conflicts {
        let outcome = world.repo.commit_changes(request(actions.clone())).await;
        assert!(matches!(outcome, Err(GitError::Conflict(_))), "{actions:?}: {outcome:?}");
    }
    for actions in [
        vec![Action::Delete { path: path("nope") }],
        vec![Action::Delete { path: path("file") }, Action::Delete { path: path("file") }],
    ] {
        assert!(world.repo.commit_changes(request(actions)).await.unwrap_err().is_not_found());
    }
    for odd in [".git/hooks/x", "a/.GIT/config"] {
        let outcome = world.repo.commit_changes(request(vec![create(odd, "x")])).await;
        assert!(matches!(outcome, Err(GitError::InvalidName(_))), "{outcome:?}");
    }
    assert_eq!(world.repo.find_branch("main").await.unwrap().target, tip);
}

#[tokio::test]
async fn refuses_what_changed_meanwhile() {
    let world = World::new().await;
    let first = world.commit_file("a", "1");
    let second = world.commit_file("a", "2");
    let update = || vec![Action::Update { path: path("a"), content: b"3".to_vec() }];
    let stale = CommitRequest { expected_tip: Some(first), ..request(update()) };
    assert!(matches!(world.repo.commit_changes(stale).await, Err(GitError::Conflict(_))));
    let stale = CommitRequest { unchanged_since: vec![(path("a"), first)], ..request(update()) };
    assert!(matches!(world.repo.commit_changes(stale).await, Err(GitError::Conflict(_))));
    let fresh = CommitRequest { unchanged_since: vec![(path("a"), second)], ..request(update()) };
    world.repo.commit_changes(fresh).await.unwrap();
    let racing = (0..8).map(|n| world.repo.commit_changes(request(vec![create(&format!("r{n}"), "x")])));
    let outcomes = futures_util::future::join_all(racing).await;
    let won = outcomes.iter().filter(|outcome| outcome.is_ok()).count() as u64;
    assert!(won >= 1);
    let tip = world.repo.find_branch("main").await.unwrap().target;
    let count = world.repo.count_commits(&git::log::LogQuery::of(tip, 1)).await.unwrap();
    assert_eq!(count, 3 + won);
}

#[tokio::test]
async fn starts_and_resets_branches() {
    let world = World::new().await;
    let first = world.commit_file("a", "1");
    let branch = RefName::branch("topic").unwrap();
    let new = CommitRequest {
        branch: branch.clone(),
        expected_tip: Some(Oid::zero()),
        start: Some(first),
        ..request(vec![create("b", "1")])
    };
    let one = world.repo.commit_changes(new.clone()).await.unwrap();
    assert_eq!(world.repo.commit(one.new).await.unwrap().parents, [first]);
    assert!(matches!(world.repo.commit_changes(new.clone()).await, Err(GitError::Conflict(_))));
    let reset = CommitRequest { expected_tip: None, reset: true, ..new };
    let two = world.repo.commit_changes(reset).await.unwrap();
    assert_eq!(world.repo.commit(two.new).await.unwrap().parents, [first]);
}

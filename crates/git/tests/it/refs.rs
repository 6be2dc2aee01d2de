use git::refs::{RefOrder, RefQuery};
use git::{GitError, Oid, RefChange, RefName};

use crate::support::{World, someone};

fn names(page: &git::refs::RefPage) -> Vec<String> {
    page.items.iter().map(|item| item.name.short().to_string()).collect()
}

#[tokio::test]
async fn lists_sorted_searched_and_paged() {
    let world = World::new().await;
    for branch in ["beta", "alpha", "gamma-x"] {
        world.git(&["checkout", "-q", "-B", branch]);
        world.commit_file("f", branch);
    }
    world.bare(&["pack-refs", "--all"]);
    world.git(&["branch", "loose"]);
    world.push();
    let list = async |query: RefQuery| world.repo.branches(query).await.unwrap();
    assert_eq!(names(&list(RefQuery::default()).await), ["alpha", "beta", "gamma-x", "loose"]);
    let newest = list(RefQuery { order: RefOrder::Newest, limit: Some(1), ..RefQuery::default() }).await;
    assert_eq!((names(&newest), newest.total), (vec!["gamma-x".to_owned()], 4));
    let oldest = list(RefQuery { order: RefOrder::Oldest, limit: Some(1), ..RefQuery::default() }).await;
    assert_eq!(names(&oldest), ["beta"]);
    let search = async |text: &str| names(&list(RefQuery { search: Some(text.into()), ..RefQuery::default() }).await);
    assert_eq!(search("A").await, ["alpha", "beta", "gamma-x"]);
    assert_eq!(search("^a").await, ["alpha"]);
    assert_eq!(search("x$").await, ["gamma-x"]);
    assert_eq!(search("^beta$").await, ["beta"]);
    let skipped = list(RefQuery { skip: 3, ..RefQuery::default() }).await;
    assert_eq!(names(&skipped), ["loose"]);
}

#[tokio::test]
async fn tags_tell_their_message() {
    let world = World::new().await;
    let commit = world.commit_file("f", "1");
    world.repo.create_tag("light", commit, None).await.unwrap();
    let message = b"Release\n\nNotes".to_vec();
    let tag = world.repo.create_tag("v1.0", commit, Some((someone(), message))).await.unwrap();
    let page = world.repo.tags(RefQuery::default()).await.unwrap();
    assert_eq!(names(&page), ["light", "v1.0"]);
    assert!(page.items[0].tag.is_none());
    let annotated = page.items[1].tag.as_ref().unwrap();
    assert_eq!((annotated.id, page.items[1].commit), (tag, Some(commit)));
    assert_eq!(annotated.message, "Release\n\nNotes\n");
    assert_eq!(annotated.tagger.as_ref().unwrap(), &someone());
    assert!(matches!(world.repo.create_tag("v1.0", commit, None).await, Err(GitError::Conflict(_))));
    assert!(matches!(world.repo.create_tag("a b", commit, None).await, Err(GitError::InvalidName(_))));
    world.fsck();
}

#[tokio::test]
async fn updates_are_all_or_nothing() {
    let world = World::new().await;
    let first = world.commit_file("f", "1");
    let second = world.commit_file("f", "2");
    let change = |name: &str, old, new| RefChange { name: RefName::branch(name).unwrap(), old, new };
    let stale = [change("new", Some(Oid::zero()), first), change("main", Some(first), first)];
    assert!(matches!(world.repo.update_refs(&stale).await, Err(GitError::Conflict(_))));
    assert!(world.repo.find_branch("new").await.unwrap_err().is_not_found());
    let good = [change("new", Some(Oid::zero()), first), change("main", Some(second), first)];
    world.repo.update_refs(&good).await.unwrap();
    assert_eq!(world.repo.find_branch("main").await.unwrap().target, first);
    let below = [change("new/below", Some(Oid::zero()), first)];
    assert!(matches!(world.repo.update_refs(&below).await, Err(GitError::Conflict(_))));
    let missing = [change("x", None, Oid::from_hex(&[b'1'; 40]).unwrap())];
    assert!(world.repo.update_refs(&missing).await.is_err());
    world.repo.delete_ref(&RefName::branch("new").unwrap(), Some(first)).await.unwrap();
    let again = world.repo.delete_ref(&RefName::branch("new").unwrap(), None).await;
    assert!(again.unwrap_err().is_not_found());
}

#[tokio::test]
async fn the_default_branch_can_change() {
    let world = World::new().await;
    world.commit_file("f", "1");
    world.git(&["branch", "other"]);
    world.push();
    world.repo.set_default_branch("other").await.unwrap();
    assert_eq!(world.repo.default_branch().await.unwrap(), "other");
    assert!(world.repo.set_default_branch("a..b").await.is_err());
}

#[tokio::test]
async fn counts_ahead_and_behind() {
    let world = World::new().await;
    world.commit_file("f", "1");
    world.git(&["checkout", "-q", "-b", "topic"]);
    world.commit_file("g", "1");
    let topic = world.commit_file("g", "2");
    world.git(&["checkout", "-q", "main"]);
    let main = world.commit_file("h", "1");
    let counts = world.repo.ahead_behind(main, &[topic, main]).await.unwrap();
    assert_eq!((counts[0].ahead, counts[0].behind), (2, 1));
    assert_eq!((counts[1].ahead, counts[1].behind), (0, 0));
}

#[tokio::test]
async fn hides_refs() {
    let world = World::new().await;
    let commit = world.commit_file("f", "1");
    world.repo.create_ref(&RefName::new("refs/internal/x").unwrap(), commit).await.unwrap();
    let all: Vec<_> = world.repo.all_refs(&["refs/internal/"]).await.unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!(world.repo.all_refs(&[]).await.unwrap().len(), 2);
}

#[tokio::test]
async fn names_may_be_invalid_utf8() {
    let world = World::new().await;
    let commit = world.commit_file("f", "1");
    let name = RefName::branch(b"caf\xe9").unwrap();
    world.repo.create_ref(&name, commit).await.unwrap();
    assert_eq!(world.repo.resolve(b"caf\xe9").await.unwrap().commit, commit);
    let page = world.repo.branches(RefQuery::default()).await.unwrap();
    assert_eq!(page.items[0].name, name);
    world.bare(&["pack-refs", "--all"]);
    assert_eq!(world.repo.branches(RefQuery::default()).await.unwrap().total, 2);
}

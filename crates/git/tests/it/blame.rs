use crate::support::{World, path};

#[tokio::test]
async fn names_the_last_change_of_each_line() {
    let world = World::new().await;
    let first = world.commit_file("f", "1\n2\n3\n4\n");
    let second = world.commit_file("f", "1\nzwei\nthree\n4\n");
    let ranges = world.repo.blame(second, &path("f"), None).await.unwrap();
    let shown: Vec<_> = ranges.iter().map(|range| (range.commit.id, range.start, range.lines)).collect();
    assert_eq!(shown, [(first, 1, 1), (second, 2, 2), (first, 4, 1)]);
    assert_eq!(ranges[1].previous, Some((first, "f".into())));
    let some = world.repo.blame(second, &path("f"), Some((3, 4))).await.unwrap();
    assert_eq!(some.iter().map(|range| range.lines).sum::<u32>(), 2);
    assert!(world.repo.blame(second, &path("g"), None).await.unwrap_err().is_not_found());
    assert!(world.repo.blame(second, &path("f"), Some((90, 99))).await.is_err());
}

#[tokio::test]
async fn looks_through_listed_commits() {
    let world = World::new().await;
    let first = world.commit_file("f", "a\nb\n");
    let noise = world.commit_file("f", "  a\n  b\n");
    let list = format!("# formatting\n{noise} # why\nnot an id\n{}\n", "1".repeat(40));
    let tip = world.commit_file(".git-blame-ignore-revs", &list);
    let ranges = world.repo.blame(tip, &path("f"), None).await.unwrap();
    assert_eq!(ranges.len(), 1);
    assert_eq!((ranges[0].commit.id, ranges[0].lines), (first, 2));
}

#[tokio::test]
async fn follows_renames_and_odd_contents() {
    let world = World::new().await;
    world.write("f", b"\xff\n\ttab\n\nend");
    let first = world.commit("one");
    world.git(&["mv", "f", "g h"]);
    let tip = world.commit("two");
    let ranges = world.repo.blame(tip, &path("g h"), None).await.unwrap();
    assert_eq!((ranges[0].commit.id, ranges[0].lines), (first, 4));
    assert_eq!(ranges[0].original_path, "f");
    let empty = world.commit_file("empty", "");
    assert!(world.repo.blame(empty, &path("empty"), None).await.unwrap().is_empty());
}

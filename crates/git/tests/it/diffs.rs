use git::diff::{DiffOptions, LineKind, Status};
use git::{Oid, RepoPath};

use crate::support::{World, collect, path};

#[tokio::test]
async fn shows_every_kind_of_change() {
    let world = World::new().await;
    world.write("changed", "one\ntwo\nthree\n");
    world.write("gone", "x\n");
    world.write("old name", "1\n2\n3\n4\n5\n6\n7\n8\n");
    world.write("bin", [0_u8, 1, 2]);
    world.write("mode", "m\n");
    std::os::unix::fs::symlink("changed", world.work().join("link")).unwrap();
    let old = world.commit("one");
    world.write("changed", "one\n2\nthree");
    std::fs::remove_file(world.work().join("gone")).unwrap();
    world.git(&["mv", "old name", "new \"name\"\u{e9}"]);
    world.write("new \"name\"\u{e9}", "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
    world.write("bin", [0_u8, 9]);
    world.write("new", "");
    std::fs::remove_file(world.work().join("link")).unwrap();
    world.write("link", "a file\n");
    world.git(&["add", "-A"]);
    world.git(&["update-index", "--chmod=+x", "mode"]);
    world.git(&["commit", "-q", "-m", "two"]);
    world.push();
    let new = world.tip();
    let diff = world.repo.diff(old, new, &DiffOptions::default()).await.unwrap();
    let shown: Vec<_> = diff.files.iter().map(|file| (file.change.new_path.to_string(), file.change.status)).collect();
    let expected = [
        ("bin", Status::Modified),
        ("changed", Status::Modified),
        ("gone", Status::Deleted),
        ("link", Status::TypeChanged),
        ("mode", Status::Modified),
        ("new", Status::Added),
        ("new \"name\"\u{e9}", Status::Renamed),
    ];
    assert_eq!(shown, expected.map(|(path, status)| (path.to_owned(), status)));
    assert!(diff.files[0].change.binary && diff.files[0].hunks.is_empty());
    assert_eq!(
        diff.files[1].unified(),
        "@@ -1,3 +1,3 @@\n one\n-two\n-three\n+2\n+three\n\\ No newline at end of file\n"
    );
    assert_eq!(diff.files[3].hunks.len(), 2);
    assert!(diff.files[3].hunks[0].lines[0].no_newline);
    assert_eq!((diff.files[4].change.old_mode, diff.files[4].change.new_mode), (0o100_644, 0o100_755));
    let renamed = &diff.files[6].change;
    assert_eq!((renamed.old_path.to_string().as_str(), renamed.additions), ("old name", Some(1)));
    assert!(renamed.similarity.unwrap() > 80);
    let list = world.repo.changes(old, new, &DiffOptions::default()).await.unwrap();
    for (one, two) in list.files.iter().zip(&diff.files) {
        assert_eq!(one.new_path, two.change.new_path);
        assert_eq!(one.additions, two.change.additions, "{}", one.new_path);
        assert_eq!((one.deletions, one.binary), (two.change.deletions, two.change.binary));
    }
    assert_eq!(list.files.len(), 7);
    let alone = DiffOptions { paths: list.files[6].selection(), ..DiffOptions::default() };
    let alone = world.repo.diff(old, new, &alone).await.unwrap();
    assert_eq!((alone.files.len(), alone.files[0].change.status), (1, Status::Renamed));
    assert_eq!(world.repo.changed_files(old, new, &DiffOptions::default()).await.unwrap().files.len(), 7);
}

#[tokio::test]
async fn numbers_lines_and_marks_words() {
    let world = World::new().await;
    let old = world.commit_file("f", "a\nlet total = price + tax;\nb\n-- x\n");
    let new = world.commit_file("f", "a\nlet total = price + fees;\nb\n++ y\n");
    let diff = world.repo.diff(old, new, &DiffOptions::default()).await.unwrap();
    let lines = &diff.files[0].hunks[0].lines;
    let kinds: Vec<_> = lines.iter().map(|line| (line.kind, line.old, line.new)).collect();
    use LineKind::{Added, Context, Removed};
    let expected = [
        (Context, Some(1), Some(1)),
        (Removed, Some(2), None),
        (Added, None, Some(2)),
        (Context, Some(3), Some(3)),
        (Removed, Some(4), None),
        (Added, None, Some(4)),
    ];
    assert_eq!(kinds, expected);
    assert_eq!(lines[1].words, [(20, 23)]);
    assert_eq!(lines[2].words, [(20, 24)]);
    assert_eq!(lines[4].text, "-- x");
}

#[tokio::test]
async fn bounds_what_it_returns() {
    let world = World::new().await;
    let old = world.commit_file("0", "x");
    world.write("a-long-line", "x".repeat(3 << 20));
    world.write("b-many-lines", "y\n".repeat(6000));
    for file in 0..10 {
        world.write(&format!("c{file}"), "z\n".repeat(500));
    }
    world.write("package-lock.json", "{}\n");
    let new = world.commit("big");
    let options = DiffOptions { max_total_bytes: 3000, ..DiffOptions::default() };
    let diff = world.repo.diff(old, new, &options).await.unwrap();
    assert!(diff.files[0].too_large && diff.files[0].hunks.is_empty());
    assert!(diff.files[1].too_large && diff.files[1].change.additions == Some(6000));
    assert!(!diff.files[2].collapsed && diff.files[2].hunks[0].lines.len() == 500);
    assert!(diff.files[11].collapsed && diff.files[11].hunks.is_empty());
    assert_eq!(diff.files.len(), 13);
    assert!(diff.files[12].change.generated);
    let few = DiffOptions { max_files: 3, ..DiffOptions::default() };
    let diff = world.repo.diff(old, new, &few).await.unwrap();
    assert!(diff.truncated && diff.files.len() == 3 && diff.files.iter().all(|file| file.collapsed));
    let list = world.repo.changes(old, new, &few).await.unwrap();
    assert!(list.truncated && list.files[0].additions.is_none());
}

#[tokio::test]
async fn compares_with_parents_and_merge_bases() {
    let world = World::new().await;
    let first = world.commit_file("a", "1\n");
    assert_eq!(world.repo.diff_base(first).await.unwrap(), Oid::empty_tree());
    let diff = world.repo.diff(Oid::empty_tree(), first, &DiffOptions::default()).await.unwrap();
    assert_eq!(diff.files[0].change.status, Status::Added);
    world.git(&["checkout", "-q", "-b", "side"]);
    let side = world.commit_file("b", "text\n");
    world.git(&["checkout", "-q", "main"]);
    let main = world.commit_file("c", "other\n");
    let two_dots = world.repo.changes(main, side, &DiffOptions::default()).await.unwrap();
    assert_eq!(two_dots.files.len(), 2);
    let base = world.repo.three_dot_base(main, side).await.unwrap();
    assert_eq!(base, first);
    let three_dots = world.repo.changes(base, side, &DiffOptions::default()).await.unwrap();
    assert_eq!(three_dots.files.len(), 1);
    let same = world.repo.diff(main, main, &DiffOptions::default()).await.unwrap();
    assert!(same.files.is_empty() && !same.truncated);
    assert!(world.repo.diff(Oid::zero(), main, &DiffOptions::default()).await.is_err());
    let nothing = DiffOptions { paths: vec![path("nope"), RepoPath::new(":(top)").unwrap()], ..DiffOptions::default() };
    assert!(world.repo.diff(main, side, &nothing).await.unwrap().files.is_empty());
    let patch = collect(world.repo.patch_stream(main, side).unwrap()).await.unwrap();
    assert!(patch.starts_with(b"diff --git "));
    let mail = collect(world.repo.format_patch_stream(None, side, 1).unwrap()).await.unwrap();
    assert!(mail.starts_with(format!("From {side}").as_bytes()));
    assert!(collect(world.repo.patch_stream(Oid::zero(), side).unwrap()).await.is_err());
}

#[tokio::test]
async fn survives_invalid_utf8_and_control_characters() {
    let world = World::new().await;
    let old = world.commit_file("f", "a\n");
    world.write("f", b"\xff\xfe\x1b[31m\r\ndiff --git a/x b/x\n@@ -1 +1 @@\n--- a\n+++ b\n");
    let new = world.commit("odd");
    let diff = world.repo.diff(old, new, &DiffOptions::default()).await.unwrap();
    assert_eq!(diff.files.len(), 1);
    let lines = &diff.files[0].hunks[0].lines;
    assert_eq!(lines.len(), 6);
    assert_eq!(lines[1].text.as_bytes(), b"\xff\xfe\x1b[31m\r");
    assert_eq!(lines[2].text, "diff --git a/x b/x");
}

#[tokio::test]
async fn ignores_whitespace_on_request() {
    let world = World::new().await;
    let old = world.commit_file("f", "a b\nc\n");
    let new = world.commit_file("f", "a  b\nd\n");
    let options = DiffOptions { ignore_whitespace: true, ..DiffOptions::default() };
    let diff = world.repo.diff(old, new, &options).await.unwrap();
    assert_eq!(diff.files[0].change.additions, Some(1));
}

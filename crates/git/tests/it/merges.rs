use git::{GitError, Oid};

use crate::support::{World, someone};

async fn diverged() -> (World, Oid, Oid) {
    let world = World::new().await;
    world.commit_file("f", "1\n2\n3\n4\n5\n");
    world.git(&["checkout", "-q", "-b", "side"]);
    world.git(&["mv", "f", "g"]);
    world.write("g", "1\n2\n3\n4\nfive\n");
    let side = world.commit("side");
    world.git(&["checkout", "-q", "main"]);
    let main = world.commit_file("f", "one\n2\n3\n4\n5\n");
    (world, main, side)
}

#[tokio::test]
async fn merges_across_a_rename() {
    let (world, main, side) = diverged().await;
    assert!(world.repo.can_merge(main, side).await.unwrap());
    let merged = world.repo.merge_commit(main, side, someone(), someone(), b"Merge".to_vec()).await.unwrap();
    assert_eq!(world.repo.commit(merged).await.unwrap().parents, [main, side]);
    assert_eq!(world.bare(&["show", &format!("{merged}:g")]), "one\n2\n3\n4\nfive");
    let squashed = world.repo.squash_commit(main, side, someone(), someone(), b"Squash".to_vec()).await.unwrap();
    assert_eq!(world.repo.commit(squashed).await.unwrap().parents, [main]);
    world.fsck();
}

#[tokio::test]
async fn names_conflicting_paths() {
    let (world, main, _) = diverged().await;
    world.git(&["checkout", "-q", "-b", "other", "HEAD~1"]);
    let other = world.commit_file("f", "eins\n2\n3\n4\n5\n");
    let outcome = world.repo.merge_tree(main, other).await;
    let Err(GitError::MergeConflict(paths)) = outcome else { panic!("{outcome:?}") };
    assert_eq!(paths, ["f"]);
    assert!(!world.repo.can_merge(main, other).await.unwrap());
    let picked = world.repo.cherry_pick(other, main, someone(), None).await;
    assert!(matches!(picked, Err(GitError::MergeConflict(_))), "{picked:?}");
}

#[tokio::test]
async fn picks_and_reverts() {
    let (world, main, side) = diverged().await;
    world.git(&["checkout", "-q", "side"]);
    let change = world.commit_file("h", "new\n");
    let picked = world.repo.cherry_pick(change, main, someone(), None).await.unwrap();
    let commit = world.repo.commit(picked).await.unwrap();
    assert_eq!((commit.parents, commit.author.name.to_string().as_str()), (vec![main], "Ada"));
    assert_eq!(world.bare(&["ls-tree", "--name-only", &picked.to_string()]), "f\nh");
    let again = world.repo.cherry_pick(change, picked, someone(), None).await;
    assert!(matches!(again, Err(GitError::Conflict(_))), "{again:?}");
    let undone = world.repo.revert(change, picked, someone(), someone(), None).await.unwrap();
    let undone = world.repo.commit(undone).await.unwrap();
    assert_eq!(undone.tree, world.repo.commit(main).await.unwrap().tree);
    assert_eq!(undone.title(), "Revert \"Change h\"");
    let root: Oid = world.bare(&["rev-list", "--max-parents=0", "main"]).parse().unwrap();
    let emptied = world.repo.revert(root, root, someone(), someone(), None).await.unwrap();
    assert_eq!(world.repo.commit(emptied).await.unwrap().tree, Oid::empty_tree());
    let merged = world.repo.merge_commit(main, side, someone(), someone(), b"Merge".to_vec()).await.unwrap();
    let back = world.repo.revert(merged, merged, someone(), someone(), None).await.unwrap();
    assert_eq!(world.repo.commit(back).await.unwrap().tree, world.repo.commit(main).await.unwrap().tree);
    world.fsck();
}

#[tokio::test]
async fn rebases_without_what_is_there_already() {
    let (world, main, side) = diverged().await;
    world.git(&["checkout", "-q", "side"]);
    let tip = world.commit_file("h", "new\n");
    let ahead = world.repo.cherry_pick(tip, main, someone(), None).await.unwrap();
    let rebased = world.repo.rebase(tip, ahead, someone()).await.unwrap();
    let commit = world.repo.commit(rebased).await.unwrap();
    assert_eq!((commit.title(), commit.parents), ("side".into(), vec![ahead]));
    assert_eq!(world.bare(&["show", &format!("{rebased}:g")]), "one\n2\n3\n4\nfive");
    assert_eq!(world.repo.rebase(side, side, someone()).await.unwrap(), side);
    world.fsck();
}

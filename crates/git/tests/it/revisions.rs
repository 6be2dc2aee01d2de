use git::{GitError, Repo};

use crate::support::World;

#[tokio::test]
async fn a_branch_wins_over_a_tag() {
    let world = World::new().await;
    let first = world.commit_file("a", "1");
    world.git(&["tag", "-a", "-m", "t", "same"]);
    let second = world.commit_file("a", "2");
    world.git(&["branch", "same"]);
    world.push();
    let found = world.repo.resolve("same").await.unwrap();
    assert_eq!((found.commit, found.refname.unwrap().to_string().as_str()), (second, "refs/heads/same"));
    assert_eq!(world.repo.resolve("refs/tags/same").await.unwrap().commit, first);
    assert_eq!(world.repo.resolve("HEAD").await.unwrap().commit, second);
    assert_eq!(world.repo.resolve(first.to_string()).await.unwrap().commit, first);
    assert_eq!(world.repo.resolve(first.short()).await.unwrap().commit, first);
}

#[tokio::test]
async fn odd_revisions_are_not_found() {
    let world = World::new().await;
    world.commit_file("a", "1");
    for odd in ["", "-x", "main..other", "main^{tree}", ":/x", "a\0b", "@{-1}", "zz", "deadbeef", "HEAD~1", "\n"] {
        let outcome = world.repo.resolve(odd).await;
        assert!(matches!(outcome, Err(GitError::NotFound(_))), "{odd:?}: {outcome:?}");
    }
    assert!(world.repo.resolve("x".repeat(5000)).await.is_err());
    assert!(world.repo.resolve(b"\xff\xfe").await.is_err());
}

#[tokio::test]
async fn splits_at_the_longest_ref() {
    let world = World::new().await;
    world.commit_file("src/lib.rs", "1");
    world.git(&["branch", "feature/one"]);
    world.git(&["tag", "feature"]);
    world.push();
    let split = async |text: &str| {
        let (found, path) = world.repo.split_ref_path(text).await.unwrap();
        format!("{} {path}", found.refname.map(|name| name.to_string()).unwrap_or_default())
    };
    assert_eq!(split("main/src/lib.rs").await, "refs/heads/main src/lib.rs");
    assert_eq!(split("feature/one/src").await, "refs/heads/feature/one src");
    assert_eq!(split("feature/two/src").await, "refs/tags/feature two/src");
    assert_eq!(split("main").await, "refs/heads/main ");
    assert_eq!(split("main/").await, "refs/heads/main ");
    assert!(world.repo.split_ref_path("nothing/here").await.is_err());
    assert!(world.repo.split_ref_path("main/../x").await.is_err());
    assert!(world.repo.split_ref_path("/".repeat(4096)).await.is_err());
}

#[tokio::test]
async fn an_absent_repository_is_not_found() {
    assert!(Repo::open("/nonexistent/x.git").await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn an_empty_repository_has_a_default_branch_and_nothing_else() {
    let world = World::new().await;
    assert!(world.repo.is_empty().await.unwrap());
    assert_eq!(world.repo.default_branch().await.unwrap(), "main");
    assert!(world.repo.resolve("HEAD").await.unwrap_err().is_not_found());
    assert!(matches!(Repo::init(world.repo.path(), "main").await, Err(GitError::Conflict(_))));
    assert!(Repo::init(world.dir.path().join("x"), "-x").await.is_err());
}

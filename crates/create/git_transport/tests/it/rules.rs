//! Protected branches and tags, archived projects, and refs that nobody pushes to.

use projects::Project;
use repositories::protected::NewProtectedBranch;
use repositories::{Grant, ProtectedBranch, ProtectedTag};
use testkit::{for_each_database, git};

use crate::support::{commit, pending, told, work_tree};

#[tokio::test]
async fn the_default_branch_is_protected_from_its_first_push_on() {
    for_each_database(async |t| {
        let w = t.world().await;
        let (dana, mats) = (t.remote(&w.dana, "mill/wheel"), t.remote(&w.mats, "mill/wheel"));
        let work = work_tree(&t, "source").await;
        git(&work, &["push", "-q", &dana, "main"]).await.expect_ok();
        commit(&work, "a", "a").await;
        let said = git(&work, &["push", &dana, "main"]).await.expect_failure();
        assert!(said.contains("remote: main is a protected branch"), "{said}");
        git(&work, &["push", "-q", &dana, "main:feature"]).await.expect_ok();
        git(&work, &["push", "-q", &mats, "main"]).await.expect_ok();
        let said = git(&work, &["push", &mats, ":main"]).await.expect_failure();
        assert!(said.contains("main is the default branch"), "{said}");
        // Forcing is refused for the protected branch alone, also when another one is forced along with it.
        git(&work, &["commit", "-q", "--amend", "-m", "Other"]).await.expect_ok();
        let said = git(&work, &["push", "--force", &mats, "main"]).await.expect_failure();
        assert!(said.contains("can't be force pushed"), "{said}");
        let said = git(&work, &["push", "--force", &mats, "main", "main:feature"]).await.expect_failure();
        assert!(said.contains("can't be force pushed") && said.contains("(forced update)"), "{said}");
        let events = told(&t).await;
        assert_eq!(events.iter().filter(|e| e.branch() == Some("main")).count(), 2);
        assert_eq!(events.iter().filter(|e| e.branch() == Some("feature")).count(), 2);
        // A branch that goes forward may go along with one that is forced.
        git(&work, &["fetch", "-q", &mats, "main"]).await.expect_ok();
        git(&work, &["checkout", "-q", "-B", "next", "FETCH_HEAD"]).await.expect_ok();
        commit(&work, "b", "b").await;
        git(&work, &["push", "-q", "--force", &mats, "next:main", "next:feature"]).await.expect_ok();
        assert_eq!(pending(&t).await, 0);
    })
    .await;
}

#[tokio::test]
async fn patterns_users_and_nobody_are_let_through_as_granted() {
    for_each_database(async |t| {
        let w = t.world().await;
        let conn = t.app.db().conn();
        let protect = async |name: &str, push: Vec<Grant>| {
            let new = NewProtectedBranch {
                name: name.into(),
                allow_force_push: false,
                code_owner_approval_required: false,
                push,
                merge: vec![],
                unprotect: vec![],
            };
            ProtectedBranch::protect(conn, w.wheel.id, new).await.unwrap()
        };
        protect("release/*", vec![Grant::Level(40), Grant::User(w.dana.id)]).await;
        protect("frozen", vec![Grant::Level(0)]).await;
        let tag = ProtectedTag::protect(conn, w.wheel.id, "v*", &[Grant::Level(40)]).await.unwrap();
        let work = work_tree(&t, "source").await;
        let push = async |person: &testkit::Person, what: &str| {
            git(&work, &["push", "-q", &t.remote(person, "mill/wheel"), what]).await
        };
        push(&w.root, "main").await.expect_ok();
        push(&w.dana, "main:release/1/x").await.expect_ok();
        push(&w.root, "main:frozen").await.expect_failure();
        push(&w.dana, "main:refs/tags/v1").await.expect_failure();
        push(&w.mats, "main:refs/tags/v1").await.expect_ok();
        push(&w.dana, "main:refs/tags/x1").await.expect_ok();
        commit(&work, "a", "a").await;
        push(&w.mats, "+main:refs/tags/v1").await.expect_failure();
        push(&w.mats, ":refs/tags/v1").await.expect_failure();
        push(&w.mats, ":release/1/x").await.expect_failure();
        let said = push(&w.dana, "+main:refs/tags/x1").await.expect_failure();
        assert!(said.contains("only maintainers may move it"), "{said}");
        push(&w.mats, "+main:refs/tags/x1").await.expect_ok();
        push(&w.dana, ":refs/tags/x1").await.expect_ok();
        tag.unprotect(conn).await.unwrap();
        push(&w.dana, ":refs/tags/v1").await.expect_ok();
    })
    .await;
}

#[tokio::test]
async fn an_archived_project_refuses_on_the_side_channel() {
    for_each_database(async |t| {
        let w = t.world().await;
        let remote = t.remote(&w.olive, "mill/wheel");
        let work = work_tree(&t, "source").await;
        git(&work, &["push", "-q", &remote, "main"]).await.expect_ok();
        t.app.db().run("UPDATE projects SET archived = TRUE WHERE id = $1", [w.wheel.id.into()]).await.unwrap();
        let said = git(&work, &["push", &remote, "main:x"]).await.expect_failure();
        assert!(said.contains("remote: The project is archived"), "{said}");
        assert!(said.contains("[remote rejected]"), "{said}");
        git(t.scratch(), &["clone", "-q", &remote, "clone"]).await.expect_ok();
        assert_eq!((told(&t).await.len(), pending(&t).await), (1, 0));
    })
    .await;
}

#[tokio::test]
async fn refs_of_the_server_and_confusing_names_are_refused() {
    for_each_database(async |t| {
        let w = t.world().await;
        let remote = t.remote(&w.olive, "mill/wheel");
        let work = work_tree(&t, "source").await;
        let id = "0123456789abcdef0123456789abcdef01234567";
        for name in [
            "refs/tidemill/x",
            "refs/keep-around/x",
            "refs/merge-requests/1/head",
            "refs/pipelines/1",
            "refs/environments/x",
            &format!("refs/heads/{id}"),
            &format!("refs/tags/{id}"),
            "refs/heads/HEAD",
            "refs/heads/-x",
        ] {
            let said = git(&work, &["push", &remote, &format!("main:{name}")]).await.expect_failure();
            assert!(said.contains("remote rejected") || said.contains("invalid refspec"), "{name}: {said}");
        }
        assert_eq!(told(&t).await.len(), 0);
        git(&work, &["push", "-q", &remote, "main:refs/notes/commits"]).await.expect_ok();
        assert_eq!(told(&t).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn the_first_branches_choose_the_default_one() {
    for_each_database(async |t| {
        let w = t.world().await;
        let work = work_tree(&t, "source").await;
        let default =
            async |path: &str| Project::by_path(t.app.db().conn(), path).await.unwrap().unwrap().default_branch;
        git(&work, &["push", "-q", &t.remote(&w.dana, "dana/one"), "main:refs/tags/v1"]).await.expect_ok();
        assert_eq!(default("dana/one").await, None);
        git(&work, &["push", "-q", &t.remote(&w.dana, "dana/one"), "main:trunk"]).await.expect_ok();
        assert_eq!(default("dana/one").await.as_deref(), Some("trunk"));
        git(&work, &["push", "-q", &t.remote(&w.dana, "dana/two"), "main:a", "main:master", "main:z"])
            .await
            .expect_ok();
        assert_eq!(default("dana/two").await.as_deref(), Some("master"));
        git(t.scratch(), &["clone", "-q", &t.remote(&w.dana, "dana/one"), "one"]).await.expect_ok();
        let head = git(&t.scratch().join("one"), &["symbolic-ref", "HEAD"]).await.expect_ok();
        assert_eq!(head.trim(), "refs/heads/trunk");
    })
    .await;
}

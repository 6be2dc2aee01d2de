//! Projects that are filled from a git URL or from another project.

use kernel::db::Sql;
use projects::{NewProject, Project, ProjectSettings, Visibility};
use repositories::{ProtectedBranch, Source};
use testkit::{Person, TestApp, for_each_database, git};

use crate::refs::told;

async fn work_tree(t: &TestApp) -> std::path::PathBuf {
    let folder = t.scratch().join("source");
    std::fs::create_dir_all(&folder).unwrap();
    git(&folder, &["init", "-q", "-b", "trunk"]).await.expect_ok();
    std::fs::write(folder.join("README.md"), "# Hello\n").unwrap();
    git(&folder, &["add", "-A"]).await.expect_ok();
    git(&folder, &["commit", "-q", "-m", "One"]).await.expect_ok();
    git(&folder, &["tag", "-a", "v1", "-m", "One"]).await.expect_ok();
    folder
}

async fn make(
    t: &TestApp,
    owner: &Person,
    path: &str,
    import_url: Option<String>,
    forked_from_id: Option<i64>,
) -> Project {
    let tx = t.app.begin().await.unwrap();
    let namespace = projects::Namespace::of_user(&*tx, owner.id).await.unwrap().unwrap();
    let new = NewProject {
        path: path.into(),
        name: path.into(),
        description: String::new(),
        visibility: Visibility::Private,
        settings: ProjectSettings::default(),
        creator_id: owner.id,
        forked_from_id,
        import_url,
    };
    let made = Project::create(&tx, &namespace, new).await.unwrap();
    tx.commit().await.unwrap();
    made
}

async fn settled(t: &TestApp, id: i64) -> Project {
    t.eventually("the import ended", async || {
        let project = Project::find(t.app.db().conn(), id).await.unwrap().unwrap();
        matches!(project.import_status.as_str(), "finished" | "failed").then_some(project)
    })
    .await
}

#[tokio::test]
async fn a_repository_is_imported_from_its_url() {
    for_each_database(async |t| {
        let w = t.world().await;
        let work = work_tree(&t).await;
        let remote = t.remote(&w.mats, "mill/wheel");
        git(&work, &["push", "-q", &remote, "trunk"]).await.expect_ok();
        git(&work, &["push", "-q", &remote, "trunk:side", "v1"]).await.expect_ok();
        let made = make(&t, &w.dana, "copy", Some(remote.clone()), None).await;
        let project = settled(&t, made.id).await;
        assert_eq!((project.import_status.as_str(), project.import_error.as_deref()), ("finished", None));
        assert_eq!(project.default_branch.as_deref(), Some("trunk"));
        assert!(!project.import_url.unwrap().contains(&w.mats.token));
        assert!(ProtectedBranch::find(t.app.db().conn(), made.id, "trunk").await.unwrap().is_some());
        let imported: Vec<_> = told(&t).await.into_iter().filter(|e| e.project_id == made.id).collect();
        assert_eq!(imported.len(), 3);
        assert!(imported.iter().all(|e| e.origin.source == Source::Import && e.creates()));
        git(t.scratch(), &["clone", "-q", &t.remote(&w.dana, "dana/copy"), "clone"]).await.expect_ok();
        let nothing = make(&t, &w.dana, "nothing", Some(format!("{}/mill/nothing.git", t.url)), None).await;
        let failed = settled(&t, nothing.id).await;
        assert_eq!(failed.import_status, "failed");
        assert!(failed.import_error.is_some_and(|e| !e.is_empty()));
        let odd = ["file:///etc", "ssh://git@host/x", "ext::sh -c id", "/etc/passwd", "https://"];
        for (n, bad) in odd.into_iter().enumerate() {
            let made = make(&t, &w.dana, &format!("bad{n}"), Some(bad.into()), None).await;
            assert_eq!(settled(&t, made.id).await.import_status, "failed", "{bad}");
        }
    })
    .await;
}

#[tokio::test]
async fn private_addresses_are_not_imported_from() {
    let t = TestApp::start_with(None, |config| config.allow_private_addresses = false).await.unwrap();
    let w = t.world().await;
    for host in ["127.0.0.1", "localhost", "[::1]", "169.254.169.254", "0x7f000001", "[::ffff:10.0.0.1]"] {
        let made = make(&t, &w.dana, &format!("copy{}", host.len()), Some(format!("http://{host}/x.git")), None).await;
        let failed = settled(&t, made.id).await;
        assert!(failed.import_error.is_some_and(|e| e.contains("private address")), "{host}");
        t.app.db().run("DELETE FROM projects WHERE id = $1", [made.id.into()]).await.unwrap();
    }
}

#[tokio::test]
async fn a_fork_has_the_branches_and_large_files_of_its_parent() {
    for_each_database(async |t| {
        let w = t.world().await;
        let work = work_tree(&t).await;
        git(&work, &["push", "-q", &t.remote(&w.mats, "mill/pond"), "trunk", "v1"]).await.expect_ok();
        let oid = "0".repeat(64);
        t.app
            .db()
            .run("INSERT INTO lfs_objects (oid, size, created_at) VALUES ($1, 1, 1)", [oid.as_str().into()])
            .await
            .unwrap();
        let sql = "INSERT INTO lfs_project_objects (project_id, oid, created_at) VALUES ($1, $2, 1)";
        t.app.db().run(sql, [w.pond.id.into(), oid.as_str().into()]).await.unwrap();
        let fork = make(&t, &w.sam, "pond", None, Some(w.pond.id)).await;
        let project = settled(&t, fork.id).await;
        assert_eq!((project.import_status.as_str(), project.default_branch.as_deref()), ("finished", Some("trunk")));
        let sql = "SELECT COUNT(*) FROM lfs_project_objects WHERE project_id = $1";
        let linked: i64 = t.app.db().conn().scalar(sql, [fork.id.into()]).await.unwrap().unwrap();
        assert_eq!(linked, 1);
        git(&work, &["push", "-q", &t.remote(&w.sam, "sam/pond"), "trunk:mine"]).await.expect_ok();
    })
    .await;
}

//! Clone, fetch and push over HTTP, in every manner that git has.

use kernel::db::Sql;
use projects::Project;
use testkit::{for_each_database, git};

use crate::support::{assert_sound, commit, head, pending, repository, told, work_tree};

#[tokio::test]
async fn a_push_to_a_new_path_makes_a_private_project() {
    for_each_database(async |t| {
        let world = t.world().await;
        let work = work_tree(&t, "hello").await;
        let remote = t.remote(&world.dana, "dana/hello");
        let said = git(&work, &["push", &remote, "main"]).await;
        assert!(said.ok, "{}", said.stderr);
        let project = Project::by_path(t.app.db().conn(), "dana/hello").await.unwrap().unwrap();
        assert_eq!(project.visibility, 0);
        assert_eq!(project.default_branch.as_deref(), Some("main"));
        assert!(!project.empty_repo);
        assert!(said.stderr.contains("dana/hello was created"), "{}", said.stderr);
        assert!(said.stderr.contains(&format!("{}/dana/hello", t.url)), "{}", said.stderr);
        let events = told(&t).await;
        assert_eq!(events.len(), 1);
        assert_eq!((events[0].branch(), events[0].new.as_str()), (Some("main"), head(&work).await.as_str()));
        assert_eq!((events[0].actor_id, events[0].creates(), pending(&t).await), (world.dana.id, true, 0));
        let sql = "SELECT data FROM activities WHERE action = 'pushed new' AND project_id = $1";
        let data: String = t.app.db().conn().scalar(sql, [project.id.into()]).await.unwrap().unwrap();
        assert!(data.contains("\"commit_count\":1") && data.contains("\"ref\":\"main\""), "{data}");
        // Others neither see it nor may they make projects there.
        let sam = git(&work, &["push", &t.remote(&world.sam, "dana/hello"), "main:x"]).await.expect_failure();
        assert!(sam.contains("There is no project dana/hello"), "{sam}");
        git(&work, &["push", &t.remote(&world.sam, "dana/other"), "main"]).await.expect_failure();
        git(&work, &["push", &t.remote(&world.dana, "dana/-x"), "main"]).await.expect_failure();
        git(&work, &["push", &t.remote(&world.dana, "nowhere/hello"), "main"]).await.expect_failure();
        git(&work, &["push", &t.remote(&world.dana, "mill/new"), "main"]).await.expect_ok();
        t.eventually("the measured size", async || {
            let project = Project::find(t.app.db().conn(), project.id).await.unwrap().unwrap();
            (project.repository_size > 0 && project.commit_count == 1).then_some(())
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn every_protocol_clones_fetches_and_pushes() {
    for_each_database(async |t| {
        let world = t.world().await;
        let remote = t.remote(&world.mats, "mill/wheel");
        let work = work_tree(&t, "source").await;
        git(&work, &["push", "-q", &remote, "main"]).await.expect_ok();
        for version in ["0", "1", "2"] {
            let setting = format!("protocol.version={version}");
            let name = format!("clone{version}");
            git(t.scratch(), &["-c", &setting, "clone", "-q", &remote, &name]).await.expect_ok();
            let clone = t.scratch().join(&name);
            let made = commit(&clone, &format!("file{version}"), "text\n").await;
            git(&clone, &["-c", &setting, "push", "-q", "origin", "main"]).await.expect_ok();
            git(&work, &["-c", &setting, "pull", "-q", &remote, "main"]).await.expect_ok();
            assert_eq!(head(&work).await, made);
            let listed = git(&work, &["-c", &setting, "ls-remote", &remote]).await.expect_ok();
            assert!(listed.contains("refs/heads/main") && listed.starts_with(&made), "{listed}");
        }
        assert_sound(&repository(&t, "mill/wheel").await).await;
        assert_eq!(told(&t).await.len(), 4);
    })
    .await;
}

#[tokio::test]
async fn shallow_partial_and_mirror_clones_work() {
    for_each_database(async |t| {
        let world = t.world().await;
        let remote = t.remote(&world.mats, "mill/pond");
        let work = work_tree(&t, "source").await;
        for n in 0..10 {
            commit(&work, "file", &format!("{n}\n")).await;
        }
        git(&work, &["tag", "-a", "v1", "-m", "One"]).await.expect_ok();
        git(&work, &["branch", "side/one"]).await.expect_ok();
        git(&work, &["push", "-q", "--mirror", &remote]).await.expect_ok();
        let public = format!("{}/mill/pond", t.url);
        git(t.scratch(), &["clone", "-q", "--depth", "2", &public, "shallow"]).await.expect_ok();
        let shallow = t.scratch().join("shallow");
        assert_eq!(git(&shallow, &["rev-list", "--count", "HEAD"]).await.expect_ok().trim(), "2");
        git(&shallow, &["fetch", "-q", "--unshallow"]).await.expect_ok();
        assert_eq!(git(&shallow, &["rev-list", "--count", "HEAD"]).await.expect_ok().trim(), "11");
        git(t.scratch(), &["clone", "-q", "--filter=blob:none", &format!("{public}.git"), "partial"]).await.expect_ok();
        let partial = t.scratch().join("partial");
        assert_eq!(std::fs::read_to_string(partial.join("file")).unwrap(), "9\n");
        git(&partial, &["log", "-p", "--format=%h"]).await.expect_ok();
        git(t.scratch(), &["clone", "-q", "--mirror", &public, "mirror"]).await.expect_ok();
        let refs = git(&t.scratch().join("mirror"), &["for-each-ref", "--format=%(refname)"]).await.expect_ok();
        assert_eq!(refs.trim(), "refs/heads/main\nrefs/heads/side/one\nrefs/tags/v1");
    })
    .await;
}

#[tokio::test]
async fn every_update_of_a_ref_is_one_event() {
    for_each_database(async |t| {
        let world = t.world().await;
        let remote = t.remote(&world.mats, "mill/wheel");
        let work = work_tree(&t, "source").await;
        git(&work, &["push", "-q", &remote, "main"]).await.expect_ok();
        git(&work, &["tag", "v1"]).await.expect_ok();
        git(&work, &["push", "-q", "--atomic", "-o", "ci.skip", "-o", "a=b c", &remote, "main:one", "main:two", "v1"])
            .await
            .expect_ok();
        let events = told(&t).await;
        let mut names: Vec<&str> = events[1..].iter().map(|e| e.ref_name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["refs/heads/one", "refs/heads/two", "refs/tags/v1"]);
        assert_eq!(events[1].origin.options, ["ci.skip", "a=b c"]);
        // An update that changes nothing, and a forced one, and a deletion.
        git(&work, &["push", "-q", &remote, "main:one"]).await.expect_ok();
        assert_eq!(told(&t).await.len(), 4);
        git(&work, &["commit", "-q", "--amend", "-m", "Other"]).await.expect_ok();
        git(&work, &["push", "-q", &remote, "main:one"]).await.expect_failure();
        git(&work, &["push", "-q", "--force", &remote, "main:one"]).await.expect_ok();
        git(&work, &["push", "-q", &remote, ":one", ":refs/tags/v1"]).await.expect_ok();
        let events = told(&t).await;
        assert_eq!(events.len(), 7);
        assert!(events[5].deletes() && events[6].deletes() && !events[4].deletes());
        // One of an atomic push fails, so none moves and nothing is told.
        git(&work, &["push", "-q", "--atomic", &remote, "main:three", "main:two"]).await.expect_failure();
        assert_eq!((told(&t).await.len(), pending(&t).await), (7, 0));
        let said = git(&work, &["push", &remote, "main:feature"]).await;
        assert!(said.stderr.contains("/mill/wheel/-/compare/main...feature"), "{}", said.stderr);
        assert_sound(&repository(&t, "mill/wheel").await).await;
    })
    .await;
}

#[tokio::test]
async fn a_renamed_project_is_found_at_its_old_path() {
    for_each_database(async |t| {
        let world = t.world().await;
        let old = t.remote(&world.mats, "mill/wheel");
        let work = work_tree(&t, "source").await;
        git(&work, &["push", "-q", &old, "main"]).await.expect_ok();
        let sql = "UPDATE projects SET path = 'rim', full_path = 'mill/rim', full_path_key = 'mill/rim' WHERE id = $1";
        t.app.db().run(sql, [world.wheel.id.into()]).await.unwrap();
        let sql = "INSERT INTO redirects (path_key, project_id) VALUES ('mill/wheel', $1)";
        t.app.db().run(sql, [world.wheel.id.into()]).await.unwrap();
        git(t.scratch(), &["clone", "-q", &old, "clone"]).await.expect_ok();
        let said = git(&work, &["push", &old, "main:next"]).await;
        assert!(said.ok && said.stderr.contains("/mill/rim.git"), "{}", said.stderr);
    })
    .await;
}

#[tokio::test]
async fn a_large_push_with_a_compressed_request_arrives_whole() {
    for_each_database(async |t| {
        let world = t.world().await;
        let remote = t.remote(&world.mats, "mill/wheel");
        let work = work_tree(&t, "source").await;
        // Random bytes can't be compressed; many branches make the request of the next fetch long enough for gzip.
        let bytes: Vec<u8> = std::iter::successors(Some(88_172_645_463_325_252_u64), |x| {
            let x = x ^ (x << 13);
            let x = x ^ (x >> 7);
            Some(x ^ (x << 17))
        })
        .take(3 << 20)
        .flat_map(u64::to_le_bytes)
        .collect();
        std::fs::write(work.join("big"), &bytes).unwrap();
        git(&work, &["add", "-A"]).await.expect_ok();
        git(&work, &["commit", "-q", "-m", "Big"]).await.expect_ok();
        for n in 0..40 {
            commit(&work, "file", &format!("{n}")).await;
            git(&work, &["branch", &format!("b{n}")]).await.expect_ok();
        }
        git(&work, &["push", "-q", &remote, "--all"]).await.expect_ok();
        git(t.scratch(), &["clone", "-q", "--depth", "1", "--no-single-branch", &remote, "clone"]).await.expect_ok();
        git(&t.scratch().join("clone"), &["-c", "protocol.version=0", "fetch", "-q", "--unshallow"]).await.expect_ok();
        assert_eq!(std::fs::read(t.scratch().join("clone/big")).unwrap(), bytes);
        assert_eq!(told(&t).await.len(), 41);
        assert_sound(&repository(&t, "mill/wheel").await).await;
    })
    .await;
}

#[tokio::test]
async fn of_concurrent_pushes_to_one_ref_one_wins() {
    for_each_database(async |t| {
        let world = t.world().await;
        let remote = t.remote(&world.mats, "mill/wheel");
        let work = work_tree(&t, "source").await;
        git(&work, &["push", "-q", &remote, "main"]).await.expect_ok();
        let mut clones = vec![];
        for n in 0..6 {
            let name = format!("clone{n}");
            git(t.scratch(), &["clone", "-q", &remote, &name]).await.expect_ok();
            let clone = t.scratch().join(&name);
            commit(&clone, "file", &format!("{n}")).await;
            clones.push(clone);
        }
        let pushes = clones.iter().map(async |c| git(c, &["push", "-q", "origin", "main"]).await);
        let won: usize = futures_util::future::join_all(pushes).await.iter().filter(|o| o.ok).count();
        assert_eq!(won, 1);
        assert_eq!((told(&t).await.len(), pending(&t).await), (2, 0));
        // Pushes to different branches don't get in each other's way.
        let names: Vec<String> = (0..6).map(|n| format!("main:branch{n}")).collect();
        let pushes = clones.iter().zip(&names).map(async |(c, n)| git(c, &["push", "-q", "origin", n]).await);
        assert!(futures_util::future::join_all(pushes).await.iter().all(|o| o.ok));
        assert_eq!((told(&t).await.len(), pending(&t).await), (8, 0));
        assert_sound(&repository(&t, "mill/wheel").await).await;
    })
    .await;
}

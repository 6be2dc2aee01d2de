//! The server is killed in the middle of pushes; after the next start refs and events agree.

use std::collections::HashMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use kernel::Db;
use kernel::db::Sql;
use repositories::RefUpdated;
use sea_orm::FromQueryResult;
use testkit::{TestApp, git};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::support::{assert_sound, commit, work_tree};

const DATA: &str = "TIDEMILL_CRASH_DATA";

/// The server of the test below, in a process of its own: this very test program.
#[tokio::test]
#[ignore = "is started by another test"]
async fn serves_until_it_is_killed() {
    let Ok(data) = std::env::var(DATA) else { return };
    let fresh = !Path::new(&data).join("tidemill.db").exists();
    let changed = kernel::Config::new(Path::new(&data));
    let t = TestApp::start_with(None, |config| {
        config.data.clone_from(&changed.data);
        config.database.clone_from(&changed.database);
        config.objects.clone_from(&changed.objects);
        config.runner_slots = 0;
    })
    .await
    .unwrap();
    let token = if fresh { t.world().await.mats.token } else { String::new() };
    println!("\nserving {} {token}", t.url.trim_start_matches("http://"));
    std::future::pending::<()>().await;
}

async fn start(data: &Path) -> (Child, String, String) {
    start_limited(data, None).await
}

/// Starts the server, perhaps with a limit on the size of any file that it or its git processes write, in 512-byte blocks.
async fn start_limited(data: &Path, blocks: Option<u64>) -> (Child, String, String) {
    let limit = blocks.map(|b| format!("ulimit -f {b}; ")).unwrap_or_default();
    let mut child = Command::new("sh")
        .args(["-c", &format!("{limit}exec \"$0\" \"$@\"")])
        .arg(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "crash::serves_until_it_is_killed", "--nocapture"])
        .env(DATA, data)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        if let Some(rest) = line.strip_prefix("serving ") {
            let (address, token) = rest.split_once(' ').unwrap();
            let (address, token) = (address.to_owned(), token.to_owned());
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return (child, address, token);
        }
    }
    panic!("the server did not start");
}

#[derive(FromQueryResult)]
struct Payload {
    payload: String,
}

/// Follows the events of each ref from one to the next, and compares the last with the ref.
async fn assert_agreement(db: &Db, repository: &Path) -> usize {
    let rows: Vec<Payload> =
        db.all("SELECT payload FROM events WHERE name = 'ref.updated' ORDER BY id", []).await.unwrap();
    let mut told: HashMap<String, String> = HashMap::new();
    for row in &rows {
        let event: RefUpdated = serde_json::from_str(&row.payload).unwrap();
        let before = told.insert(event.ref_name.clone(), event.new.clone()).unwrap_or_else(|| "0".repeat(40));
        assert_eq!(before, event.old, "an event of {} is lost or doubled", event.ref_name);
    }
    told.retain(|_, id| id.bytes().any(|b| b != b'0'));
    let listed = git(repository, &["for-each-ref", "--format=%(refname) %(objectname)"]).await.expect_ok();
    let refs: HashMap<String, String> =
        listed.lines().filter_map(|l| l.split_once(' ')).map(|(n, o)| (n.to_owned(), o.to_owned())).collect();
    assert_eq!(told, refs);
    rows.len()
}

#[tokio::test]
async fn a_killed_server_loses_no_push_and_tells_none_twice() {
    let helper = TestApp::start(None).await.unwrap(); // For its folders alone.
    let data = helper.scratch().join("data");
    std::fs::create_dir_all(&data).unwrap();
    let work = work_tree(&helper, "source").await;
    let (mut child, mut address, token) = start(&data).await;
    for round in 0..8_u64 {
        commit(&work, "file", &format!("{round}\n")).await;
        let remote = format!("http://mats:{token}@{address}/mill/wheel.git");
        let branch = format!("main:branch{round}");
        let args = ["push", "-q", "--force", &remote, "main:same", &branch, "main"];
        let push = git(&work, &args);
        let kill = async {
            tokio::time::sleep(Duration::from_millis(25 * round)).await;
            child.kill().await.unwrap();
        };
        tokio::join!(push, kill);
        (child, address, _) = start(&data).await;
        let db = Db::connect(&format!("sqlite:{}", data.join("tidemill.db").display())).await.unwrap();
        helper
            .eventually("what was left is settled", async || {
                let sql = "SELECT COUNT(*) FROM pending_ref_updates";
                let pending: Option<i64> = db.conn().scalar(sql, []).await.unwrap();
                (pending == Some(0)).then_some(())
            })
            .await;
        let folder: Option<i64> = db.conn().scalar("SELECT id FROM projects WHERE path = 'wheel'", []).await.unwrap();
        let id = folder.unwrap();
        let repository = data.join("repositories").join(format!("{:02x}", id % 256)).join(format!("{id}.git"));
        if repository.exists() {
            assert_agreement(&db, &repository).await;
            git(&repository, &["fsck", "--full", "--strict"]).await.expect_ok();
        }
    }
    let remote = format!("http://mats:{token}@{address}/mill/wheel.git");
    git(&work, &["push", "-q", "--force", &remote, "main:same", "main:last", "main"]).await.expect_ok();
    let db = Db::connect(&format!("sqlite:{}", data.join("tidemill.db").display())).await.unwrap();
    let id: i64 = db.conn().scalar("SELECT id FROM projects WHERE path = 'wheel'", []).await.unwrap().unwrap();
    let repository = data.join("repositories").join(format!("{:02x}", id % 256)).join(format!("{id}.git"));
    assert!(assert_agreement(&db, &repository).await >= 3);
    child.kill().await.unwrap();
}

#[tokio::test]
async fn a_push_that_does_not_fit_is_refused_and_leaves_nothing() {
    let helper = TestApp::start(None).await.unwrap(); // For its folders alone.
    let data = helper.scratch().join("data");
    std::fs::create_dir_all(&data).unwrap();
    let work = work_tree(&helper, "source").await;
    let (mut child, address, token) = start_limited(&data, Some(16 << 10)).await;
    let remote = format!("http://mats:{token}@{address}/mill/wheel.git");
    git(&work, &["push", "-q", &remote, "main"]).await.expect_ok();
    let noise = (0..1_500_000_u64).map(|n| format!("{:x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17)));
    commit(&work, "big", &noise.collect::<String>()).await;
    for n in 0..40 {
        commit(&work, &format!("file{n}"), "x").await; // Enough objects for one pack.
    }
    let said = git(&work, &["push", &remote, "main"]).await.expect_failure();
    assert!(said.contains("Nothing was pushed"), "{said}");
    let repository = data.join("repositories/01/1.git");
    assert_sound(&repository).await;
    let db = Db::connect(&format!("sqlite:{}", data.join("tidemill.db").display())).await.unwrap();
    assert_eq!(assert_agreement(&db, &repository).await, 1);
    commit(&work, "small", "x").await;
    git(&work, &["push", "-q", &remote, "HEAD~42:refs/heads/small"]).await.expect_ok();
    child.kill().await.unwrap();
}

//! The server is killed while a job runs; after the next start the job runs again and ends once.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use kernel::Db;
use kernel::db::Sql;
use testkit::{TestApp, git};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

const DATA: &str = "TIDEMILL_CRASH_DATA";
const YAML: &str = "stages: [a, b]
first: {stage: a, script: ['echo begun', 'sleep 3', 'echo over']}
second: {stage: b, script: ['echo second']}
";

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
    })
    .await
    .unwrap();
    let token = if fresh { t.world().await.mats.token } else { String::new() };
    println!("\nserving {} {token}", t.url.trim_start_matches("http://"));
    std::future::pending::<()>().await;
}

async fn start(data: &Path) -> (Child, String, String) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "engine_crash::serves_until_it_is_killed", "--nocapture"])
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

/// Waits until a statement that counts gives `wanted`.
async fn counts(db: &Db, sql: &str, wanted: i64) {
    for _ in 0..600 {
        if db.conn().scalar::<i64>(sql, []).await.unwrap() == Some(wanted) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let states = "SELECT GROUP_CONCAT(name || ' ' || status || ' ' || attempt) FROM builds";
    panic!("{sql} did not become {wanted}: {:?}", db.conn().scalar::<Option<String>>(states, []).await);
}

#[tokio::test]
async fn a_job_whose_server_is_killed_runs_again() {
    let data = tempfile::tempdir().unwrap();
    let (mut child, address, token) = start(data.path()).await;
    let db = Db::connect(&format!("sqlite:{}", data.path().join("tidemill.db").display())).await.unwrap();
    let tree = tempfile::tempdir().unwrap();
    std::fs::write(tree.path().join(".gitlab-ci.yml"), YAML).unwrap();
    git(tree.path(), &["init", "-q"]).await.expect_ok();
    git(tree.path(), &["add", "-A"]).await.expect_ok();
    git(tree.path(), &["commit", "-q", "-m", "Begin"]).await.expect_ok();
    let remote = format!("http://mats:{token}@{address}/mill/pond.git");
    git(tree.path(), &["push", "-q", &remote, "main"]).await.expect_ok();
    for _ in 0..2 {
        counts(&db, "SELECT COUNT(*) FROM builds WHERE name = 'first' AND status = 'running' AND trace_size > 0", 1)
            .await;
        child.start_kill().unwrap();
        child.wait().await.unwrap();
        (child, ..) = start(data.path()).await;
    }
    counts(&db, "SELECT COUNT(*) FROM pipelines WHERE status = 'success'", 1).await;
    counts(&db, "SELECT COUNT(*) FROM builds WHERE status = 'success' AND finished_at IS NOT NULL", 2).await;
    counts(&db, "SELECT COUNT(*) FROM builds", 2).await;
    counts(&db, "SELECT COUNT(*) FROM builds WHERE token_hash IS NOT NULL OR lease_until IS NOT NULL", 0).await;
    // The log is that of the last try alone, and has been put among the objects.
    counts(&db, "SELECT COUNT(*) FROM builds WHERE trace_archived", 2).await;
    counts(&db, "SELECT COUNT(*) FROM trace_chunks", 0).await;
    // Nothing of the tries that were cut short is left of the sandbox but its own empty places.
    child.start_kill().unwrap();
    child.wait().await.unwrap();
}

//! Work trees, real git with more environment, and a look into the event log.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use kernel::db::Sql;
use repositories::RefUpdated;
use sea_orm::FromQueryResult;
use testkit::{GitOutput, TestApp, git};

/// Runs a program in a folder with git's environment and more.
pub(crate) async fn run(folder: &Path, program: &str, args: &[&str], env: &[(&str, &str)]) -> GitOutput {
    let output = tokio::process::Command::new(program)
        .current_dir(folder)
        .args(args)
        .env("HOME", folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_AUTHOR_NAME", "Dana")
        .env("GIT_AUTHOR_EMAIL", "dana@example.com")
        .env("GIT_COMMITTER_NAME", "Dana")
        .env("GIT_COMMITTER_EMAIL", "dana@example.com")
        .envs(env.iter().copied())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .expect("the program runs");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    GitOutput { ok: output.status.success(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// A work tree with one commit on `main`.
pub(crate) async fn work_tree(t: &TestApp, name: &str) -> PathBuf {
    let folder = t.scratch().join(name);
    std::fs::create_dir_all(&folder).unwrap();
    git(&folder, &["init", "-q", "-b", "main"]).await.expect_ok();
    commit(&folder, "README.md", "# Hello\n").await;
    folder
}

/// Writes a file and commits it; gives the commit.
pub(crate) async fn commit(folder: &Path, file: &str, text: &str) -> String {
    std::fs::write(folder.join(file), text).unwrap();
    git(folder, &["add", "-A"]).await.expect_ok();
    git(folder, &["commit", "-q", "-m", &format!("Change {file}")]).await.expect_ok();
    head(folder).await
}

/// The commit that is checked out.
pub(crate) async fn head(folder: &Path) -> String {
    git(folder, &["rev-parse", "HEAD"]).await.expect_ok().trim().to_owned()
}

#[derive(FromQueryResult)]
struct Payload {
    payload: String,
}

/// All updates of refs that were told, in order.
pub(crate) async fn told(t: &TestApp) -> Vec<RefUpdated> {
    let sql = "SELECT payload FROM events WHERE name = 'ref.updated' ORDER BY id";
    let rows: Vec<Payload> = t.app.db().all(sql, []).await.unwrap();
    rows.iter().map(|r| serde_json::from_str(&r.payload).unwrap()).collect()
}

/// The number of ref updates that have begun and not ended.
pub(crate) async fn pending(t: &TestApp) -> i64 {
    t.app.db().conn().scalar("SELECT COUNT(*) FROM pending_ref_updates", []).await.unwrap().unwrap()
}

/// What is left of pushes in a repository: quarantines, locks, temporary packs.
pub(crate) fn leftovers(repository: &Path) -> Vec<PathBuf> {
    let mut folders = vec![repository.to_owned()];
    let mut found = vec![];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().filter_map(Result::ok) {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with("tmp_") || name.starts_with(".tmp") || name.ends_with(".lock") {
                found.push(entry.path());
            } else if entry.path().is_dir() {
                folders.push(entry.path());
            }
        }
    }
    found
}

/// The folder of the repository at a path.
pub(crate) async fn repository(t: &TestApp, path: &str) -> PathBuf {
    projects::Project::by_path(t.app.db().conn(), path).await.unwrap().unwrap().repository_path(&t.app)
}

/// Fails the test unless git finds the repository sound.
pub(crate) async fn assert_sound(repository: &Path) {
    git(repository, &["fsck", "--full", "--strict"]).await.expect_ok();
    assert_eq!(leftovers(repository), Vec::<PathBuf>::new());
}

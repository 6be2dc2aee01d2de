//! Clients that others wrote, against a real server.

use std::path::Path;
use std::process::{Output, Stdio};

use testkit::for_each_database;
use tokio::process::Command;

/// The variable that names a Python with python-gitlab, where the usual one hasn't it.
const PYTHON: &str = "TIDEMILL_TEST_PYTHON";

async fn python(arguments: &[&str], env: &[(&str, &str)]) -> Option<Output> {
    let program = std::env::var(PYTHON).unwrap_or_else(|_| "python3".into());
    let mut command = Command::new(program);
    command
        .args(arguments)
        .envs(env.iter().copied())
        .env("PYTHONWARNINGS", "ignore")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command.output().await.ok()
}

#[tokio::test]
async fn python_gitlab_is_content() {
    let installed = python(&["-c", "import gitlab"], &[]).await;
    if !installed.is_some_and(|o| o.status.success()) {
        eprintln!("skipped: python-gitlab is not installed; {PYTHON} may name a Python that has it");
        return;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/clients/python_gitlab.py");
    for_each_database(async |t| {
        let w = t.world().await;
        let env = [("TIDEMILL_URL", t.url.as_str()), ("TIDEMILL_TOKEN", w.root.token.as_str())];
        let ran = python(&[script.to_str().unwrap()], &env).await.unwrap();
        let (said, complained) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
        assert!(ran.status.success(), "{said}{complained}");
    })
    .await;
}

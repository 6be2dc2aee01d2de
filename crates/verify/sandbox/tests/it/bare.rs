//! A host that can't isolate jobs: only trusted ones run there, and still nothing outlives them.

use std::time::{Duration, Instant};

use sandbox::{Config, Level, Sandbox, Step};
use tokio_util::sync::CancellationToken;

use crate::support;

/// A sandbox on a host that is said to offer nothing.
fn sandbox(root: &std::path::Path, allowed: bool) -> Sandbox {
    let mut config = Config::new(root.join("runner"));
    config.init = support::init();
    config.allow_unisolated = allowed;
    let mut isolation = sandbox::detect_with(&config.init);
    isolation.level = Level::None;
    isolation.reason = Some("the test says so".into());
    Sandbox::with_isolation(config, isolation).unwrap()
}

async fn run(script: &str, timeout: Option<Duration>, cancel: &CancellationToken) -> (sandbox::Outcome, String) {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = sandbox(folder.path(), true);
    let slot = sandbox.acquire().await.unwrap();
    let mut output = Vec::new();
    let mut step = Step::script(script);
    step.timeout = timeout;
    let outcome = slot.run(step, &mut output, cancel).await.unwrap();
    (outcome, String::from_utf8_lossy(&output).into_owned())
}

fn alive(marker: &str) -> bool {
    let all = std::process::Command::new("pgrep").args(["-f", marker]).output().unwrap();
    all.status.success()
}

#[tokio::test]
async fn nothing_runs_unless_it_is_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let refused = sandbox(folder.path(), false).acquire().await.err().unwrap();
    assert!(refused.to_string().contains("the test says so"), "{refused}");
}

#[tokio::test]
async fn a_step_runs_on_the_paths_of_the_host() {
    let (outcome, text) = run("pwd; echo $HOME; echo to-stderr >&2; exit 3", None, &CancellationToken::new()).await;
    assert_eq!(outcome.exit_code, Some(3));
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].ends_with("/builds") && lines[0] != "/builds", "{text}");
    assert!(lines[1].ends_with("/home") && text.contains("to-stderr"), "{text}");
}

#[tokio::test]
async fn what_ran_away_is_ended_with_the_step() {
    let marker = format!("98765.{}", std::process::id());
    let script = format!("setsid sleep {marker} & (setsid sh -c 'sleep {marker}' &) ; sleep 0.2; echo done");
    let (outcome, text) = run(&script, None, &CancellationToken::new()).await;
    assert_eq!((outcome.exit_code, text.trim()), (Some(0), "done"));
    assert!(!alive(&format!("sleep {marker}")));
}

#[tokio::test]
async fn time_limits_and_cancelling_end_everything() {
    let marker = format!("87654.{}", std::process::id());
    let script = format!("setsid sleep {marker} & sleep {marker}");
    let began = Instant::now();
    let (outcome, _) = run(&script, Some(Duration::from_millis(300)), &CancellationToken::new()).await;
    assert!(outcome.timed_out && began.elapsed() < Duration::from_secs(10));
    assert!(!alive(&format!("sleep {marker}")));

    let cancel = CancellationToken::new();
    let soon = cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(300)).await;
        soon.cancel();
    });
    let (outcome, _) = run(&script, None, &cancel).await;
    assert!(outcome.cancelled);
    assert!(!alive(&format!("sleep {marker}")));
}

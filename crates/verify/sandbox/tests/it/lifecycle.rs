//! Exit codes, time limits, cancelling, and that nothing survives.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sandbox::Step;
use tokio_util::sync::CancellationToken;

use crate::support::{fixture, isolation};

#[tokio::test]
async fn exit_codes_signals_and_variables() {
    let f = fixture!();
    let mut step = Step::script("echo \"$GREETING from $(pwd)\"; echo problem >&2; exit 7");
    step.env = vec![("GREETING".into(), "good $morning\n\"x\"".into())];
    let (outcome, output) = f.step(step).await;
    assert_eq!(outcome.exit_code, Some(7));
    assert_eq!(output, "good $morning\n\"x\" from /builds\nproblem\n");

    let (outcome, _) = f.run("kill -TERM $$").await;
    assert_eq!((outcome.exit_code, outcome.signal, outcome.code()), (None, Some(15), 143));
    assert!(f.run("exit 0").await.0.success());
}

#[tokio::test]
async fn the_environment_holds_nothing_of_the_server() {
    let f = fixture!();
    let (_, output) = f.run("env | cut -d= -f1 | sort | tr '\\n' ' '").await;
    let known = ["HOME", "LANG", "LOGNAME", "PATH", "PWD", "RUSTUP_HOME", "SHELL", "SHLVL", "USER", "_"];
    assert!(output.split_whitespace().all(|name| known.contains(&name)), "{output}");
}

#[tokio::test]
async fn a_time_limit_kills_grandchildren() {
    let (f, nap) = (fixture!(), nap(1));
    let script = format!("(trap '' TERM HUP INT; ({nap}; echo late > /builds/late) & {nap}) & echo begun; wait");
    let mut step = Step::script(script);
    step.timeout = Some(Duration::from_millis(1500));
    let began = Instant::now();
    let (outcome, output) = f.step(step).await;
    assert!(outcome.timed_out && !outcome.success());
    assert!(output.contains("begun"), "{output}");
    assert!(began.elapsed() < Duration::from_secs(10));
    assert!(!alive(&nap));
}

#[tokio::test]
async fn daemons_die_with_the_script() {
    let (f, nap) = (fixture!(), nap(2));
    let began = Instant::now();
    let script = format!(
        "setsid sh -c 'trap \"\" TERM HUP; {nap}; true' & setsid nohup {nap} >/dev/null 2>&1 & sleep 0.5\n\
         grep -l '^sleep' /proc/[0-9]*/cmdline | wc -l"
    );
    let (outcome, output) = f.run(&script).await;
    assert!(outcome.success());
    assert_eq!(output.trim(), "2");
    assert!(began.elapsed() < Duration::from_secs(10));
    assert!(!alive(&nap));
}

/// Makes a command that no other test, run of the tests or program uses.
fn nap(test: u32) -> String {
    format!("sleep {}", test * 10_000_000 + std::process::id())
}

fn alive(command: &str) -> bool {
    let wanted: Vec<u8> = command.split(' ').flat_map(|w| w.bytes().chain([0])).collect();
    std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .any(|entry| std::fs::read(entry.path().join("cmdline")).is_ok_and(|line| line == wanted))
}

#[tokio::test]
async fn cancelling_ends_the_step() {
    let (f, nap) = (fixture!(), nap(3));
    let cancel = CancellationToken::new();
    let (later, mut output) = (cancel.clone(), Vec::new());
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(1000)).await;
        later.cancel();
    });
    let step = Step::script(format!("echo on; {nap}; echo off"));
    let outcome = f.slot.run(step, &mut output, &cancel).await.unwrap();
    assert!(outcome.cancelled);
    assert_eq!(output, b"on\n");
    assert!(!alive(&nap));
}

#[tokio::test]
async fn a_dropped_step_is_killed() {
    let (f, nap) = (fixture!(), nap(4));
    let mut output = Vec::new();
    let cancel = CancellationToken::new();
    let run = f.slot.run(Step::script(nap.as_str()), &mut output, &cancel);
    assert!(tokio::time::timeout(Duration::from_millis(1000), run).await.is_err());
    wait_until(|| !alive(&nap));
}

#[tokio::test]
async fn slots_are_handed_out_once() {
    let f = fixture!();
    let second = f.sandbox.acquire().await.unwrap();
    assert_ne!(second.index(), f.slot.index());
    assert_eq!(f.sandbox.free_slots(), 0);
    assert!(tokio::time::timeout(Duration::from_millis(50), f.sandbox.acquire()).await.is_err());
    drop(second);
    assert!(f.sandbox.acquire().await.is_ok());
}

#[tokio::test]
async fn an_empty_step_is_cheap() {
    let f = fixture!();
    let mut best = Duration::MAX;
    for _ in 0..10 {
        best = best.min(f.run(":").await.0.duration);
    }
    println!("an empty step took {best:?}");
    let began = Instant::now();
    sandbox::detect_with(&crate::support::init());
    println!("looking at the host took {:?}", began.elapsed());
    assert!(best < Duration::from_millis(100), "{best:?}");
}

/// Runs in a process of its own, which the next test kills.
#[tokio::test]
async fn helper_runs_until_killed() {
    let Ok(root) = std::env::var("SANDBOX_TEST_ROOT") else { return };
    let f = fixture!(|config| config.root = root.into());
    f.run(&std::env::var("SANDBOX_TEST_NAP").unwrap()).await;
}

#[tokio::test]
async fn a_killed_server_takes_its_jobs_along() {
    if isolation().level == sandbox::Level::None {
        return println!("skipped: {}", isolation().summary());
    }
    let (dir, nap) = (tempfile::tempdir().unwrap(), nap(5));
    let root = dir.path().join("root");
    let mut server = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "lifecycle::helper_runs_until_killed"])
        .env("SANDBOX_TEST_ROOT", &root)
        .env("SANDBOX_TEST_NAP", &nap)
        .env("TMPDIR", dir.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    wait_until(|| alive(&nap));
    server.kill().unwrap();
    server.wait().unwrap();
    wait_until(|| !alive(&nap));
    assert_eq!(sandbox::reap_stale(&root).unwrap(), 1);
    assert_eq!(sandbox::reap_stale(&root).unwrap(), 0);
    assert!(!root.join("slots").exists());
}

fn wait_until(condition: impl Fn() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < Duration::from_secs(10), "nothing happened");
        std::thread::sleep(Duration::from_millis(20));
    }
}

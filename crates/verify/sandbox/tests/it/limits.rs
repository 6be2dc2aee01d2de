//! Limits on output, processes, memory and disk.

use std::time::Duration;

use sandbox::Step;

use crate::support::{fixture, isolation, needs};

#[tokio::test]
async fn output_is_capped_and_the_job_goes_on() {
    let f = fixture!(|config| config.output_cap = 10_000);
    let (outcome, output) = f.run("head -c 5000000 /dev/zero | tr '\\0' x; touch /builds/after; exit 3").await;
    assert!(outcome.output_capped);
    assert_eq!(output.len(), 10_000);
    assert_eq!(outcome.exit_code, Some(3));
    assert_eq!(f.run("ls /builds").await.1, "after\n");
}

#[tokio::test]
async fn a_fork_bomb_stays_small() {
    let f = fixture!(|config| config.limits.pids = 50);
    let mut step = Step::script("for i in $(seq 200); do sleep 5 & done 2>/dev/null; echo unreached");
    step.timeout = Some(Duration::from_secs(3));
    let (outcome, output) = f.step(step).await;
    assert!(!outcome.success() || !output.contains("unreached"), "{output}");
    let mut step = Step::script("bomb() { bomb | bomb & }; bomb 2>/dev/null; sleep 20");
    step.timeout = Some(Duration::from_secs(1));
    assert!(f.step(step).await.0.duration < Duration::from_secs(8));
    assert!(f.run("true").await.0.success());
}

#[tokio::test]
async fn memory_is_limited() {
    needs!(isolation().controllers.contains(&"memory"), "no memory control group");
    needs!(std::path::Path::new("/usr/bin/python3").exists(), "no python3");
    let f = fixture!(|config| config.limits.memory = Some(64 << 20));
    let (outcome, output) = f.run("python3 -c 'x = b\"x\" * (200 << 20); print(len(x))'; echo code $?").await;
    assert!(outcome.out_of_memory, "{output}");
    assert!(output.contains("code 137"), "{output}");
    let (outcome, output) = f.run("head -c 100m /dev/zero > /dev/shm/x; echo code $?").await;
    assert!(outcome.out_of_memory, "{outcome:?} {output}");
    assert!(!f.run("true").await.0.out_of_memory);
}

#[tokio::test]
async fn disk_is_limited() {
    let f = fixture!(|config| config.limits.disk = 20 << 20);
    let (outcome, _) = f.run("for i in $(seq 100); do head -c 1m /dev/zero > /builds/f$i; done; sleep 20").await;
    assert!(outcome.disk_full && !outcome.success());
    assert!(outcome.duration < Duration::from_secs(10));
}

#[tokio::test]
async fn one_file_is_limited() {
    let f = fixture!(|config| config.limits.file_size = 1 << 20);
    let (outcome, _) =
        f.run("head -c 5m /dev/zero > /builds/big; ls -l /builds/big | cut -d' ' -f5 > /builds/size; exit 4").await;
    assert_eq!(outcome.exit_code, Some(4));
    assert_eq!(f.run("cat /builds/size").await.1, "1048576\n");
}

#[tokio::test]
async fn huge_scripts_and_variables_get_a_clear_answer() {
    let f = fixture!();
    let long = format!("true '{}'\necho fine", "x".repeat(3 << 20));
    assert_eq!(f.run(&long).await.1, "fine\n");
    let mut step = Step::script("true");
    step.env = vec![("BIG".into(), "x".repeat(200 << 10))];
    let error = f.slot.run(step, &mut Vec::new(), &tokio_util::sync::CancellationToken::new()).await.unwrap_err();
    assert!(error.to_string().contains("128 KiB"), "{error}");
}

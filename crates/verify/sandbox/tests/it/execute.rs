//! Whole jobs: order, log format, outcome.

use std::time::{Duration, Instant};

use sandbox::{Cancel, FailureReason, Status, Variable, execute};

use crate::support::{Recorder, fixture, plan, variable};

fn lines(list: &[&str]) -> Vec<String> {
    list.iter().map(|l| (*l).to_owned()).collect()
}

#[tokio::test]
async fn a_job_runs_in_the_known_order() {
    let f = fixture!();
    let mut job = plan(&["echo script $SHARED", "echo $CI_PROJECT_DIR && pwd"]);
    job.before_script = lines(&["SHARED=kept"]);
    job.after_script = lines(&["echo status $CI_JOB_STATUS, shared '$SHARED'$SHARED"]);
    job.image = Some("alpine:3".into());
    let (result, recorder) = f.job(&job).await;
    let log = recorder.text();
    assert_eq!(result.status, Status::Success, "{log}");
    assert_eq!(result.exit_code, None);
    let order = [
        "Running with tidemill",
        "prepare_executor\r\x1b[0K\x1b[0K\x1b[36;1mPreparing the \"host\" executor",
        "image alpine:3 is not used",
        "prepare_script",
        "get_sources",
        "step_script",
        "\x1b[32;1m$ SHARED=kept\x1b[0;m\n\x1b[32;1m$ echo script $SHARED\x1b[0;m\nscript kept\n",
        "/builds/group/hello\n/builds/group/hello\n",
        "after_script",
        "status success, shared $SHARED\n",
        "cleanup_file_variables",
        "\x1b[32;1mJob succeeded\x1b[0;m\n",
    ];
    let mut rest = log.as_str();
    for part in order {
        rest = rest.split_once(part).unwrap_or_else(|| panic!("{part:?} is missing in {log}")).1;
    }
    assert_eq!(log.matches("section_start:").count(), log.matches("section_end:").count());
}

#[tokio::test]
async fn a_failing_line_ends_the_script() {
    let f = fixture!();
    let mut job = plan(&["echo one", "false | true", "echo two"]);
    job.after_script = lines(&["echo after $CI_JOB_STATUS", "exit 9"]);
    let (result, recorder) = f.job(&job).await;
    let log = recorder.text();
    assert_eq!(result.status, Status::Failed(FailureReason::ScriptFailure));
    assert_eq!(result.exit_code, Some(1));
    assert!(log.contains("one\n") && !log.contains("\ntwo\n"), "{log}");
    assert!(log.contains("after failed\n"), "{log}");
    assert!(log.contains("ERROR: Job failed: exit code 1"), "{log}");

    let (result, _) = f.job(&plan(&["exit 42"])).await;
    assert_eq!(result.exit_code, Some(42));
    let (result, _) = f.job(&plan(&["echo 'unclosed"])).await;
    assert_eq!(result.exit_code, Some(2));
}

#[tokio::test]
async fn a_time_limit_is_its_own_reason() {
    let f = fixture!();
    let mut job = plan(&["sleep 30"]);
    job.timeout = Duration::from_secs(3);
    job.after_script = lines(&["echo after $CI_JOB_STATUS"]);
    let (result, recorder) = f.job(&job).await;
    assert_eq!(result.status, Status::Failed(FailureReason::JobExecutionTimeout));
    assert!(recorder.text().contains("after failed\n"));
    assert!(recorder.text().contains("execution took longer than 3 seconds"));
}

#[tokio::test]
async fn a_cancelled_job_runs_after_script_and_an_aborted_one_does_not() {
    let f = fixture!();
    let mut job = plan(&["echo begun", "sleep 30"]);
    job.after_script = lines(&["echo after $CI_JOB_STATUS"]);
    for abort in [false, true] {
        let (cancel, recorder, began) = (Cancel::new(), Recorder::default(), Instant::now());
        let later = cancel.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(400)).await;
            if abort { later.abort() } else { later.cancel() }
        });
        let result = execute(&f.slot, &job, &recorder, &cancel).await;
        assert_eq!(result.status, Status::Canceled);
        assert!(began.elapsed() < Duration::from_secs(10));
        assert_eq!(recorder.text().contains("after canceled\n"), !abort, "{}", recorder.text());
    }
}

#[tokio::test]
async fn secrets_are_masked_in_all_output() {
    let f = fixture!();
    let mut job = plan(&["printf 'value hunter'; sleep 0.2; echo 22-secret", "echo token $TOKEN"]);
    job.secrets = lines(&["token-of-the-job"]);
    job.variables = vec![
        Variable { masked: true, ..variable("PASSWORD", "hunter22-secret") },
        variable("TOKEN", "token-of-the-job"),
    ];
    let (_, recorder) = f.job(&job).await;
    let log = recorder.text();
    assert!(log.contains("value [MASKED]\n") && log.contains("token [MASKED]\n"), "{log}");
    assert!(!log.contains("hunter22-secret") && !log.contains("token-of-the-job"));
}

#[tokio::test]
async fn file_variables_are_files_and_odd_names_are_left_out() {
    let f = fixture!();
    let mut job = plan(&["cat \"$CERT\"; echo; echo $CERT", "echo $AGAIN", "rm $CERT"]);
    job.variables = vec![
        Variable { file: true, ..variable("CERT", "line 1\nline 2") },
        variable("BAD-NAME", "x"),
        variable("../../escape", "x"),
        variable("AGAIN", "first"),
        variable("AGAIN", "second"),
    ];
    let (result, recorder) = f.job(&job).await;
    let log = recorder.text();
    assert_eq!(result.status, Status::Success, "{log}");
    assert!(log.contains("line 1\nline 2\n/builds/group/hello.tmp/CERT\n"), "{log}");
    assert!(log.contains("\nsecond\n") && log.contains("BAD-NAME"), "{log}");
}

#[tokio::test]
async fn a_capped_log_says_so() {
    let f = fixture!(|config| config.output_cap = 2000);
    let (result, recorder) = f.job(&plan(&["seq 100000"])).await;
    assert_eq!(result.status, Status::Success);
    assert!(recorder.text().contains("more than 2000 bytes of output"));
    assert!(recorder.log.lock().unwrap().len() < 5000);
}

#[tokio::test]
async fn odd_project_paths_are_refused() {
    let f = fixture!();
    for path in ["", "../x", "a//b", "a/../../b", "/abs"] {
        let mut job = plan(&["true"]);
        job.project_path = path.into();
        let (result, _) = f.job(&job).await;
        assert_eq!(result.status, Status::Failed(FailureReason::RunnerSystemFailure), "{path}");
    }
}

/// Each line is one tool with a program that is likely to meet the filters: threads, timers, processes, files.
const TOOLS: &[(&str, &str)] = &[
    (
        "python3",
        "python3 -c 'import multiprocessing, threading, ssl, sqlite3, tempfile, subprocess; t = threading.Thread(target=print); t.start(); t.join(); multiprocessing.Pool(2).map(abs, [1]); subprocess.run([\"true\"], check=True)'",
    ),
    ("cc", "echo 'int main(void){return 0;}' > a.c && cc -O1 -o a a.c && ./a"),
    ("c++", "echo 'int main(){return 0;}' > b.cc && c++ -o b b.cc && ./b"),
    ("make", "printf 'all: x y\\nx y:\\n\\t@sleep 0.1\\n' > Makefile && make -j4"),
    (
        "go",
        "mkdir g && cd g && printf 'package main\\nfunc main() { c := make(chan int); go func() { c <- 1 }(); <-c }\\n' > m.go && GOFLAGS=-mod=mod go run m.go",
    ),
    (
        "node",
        "node -e 'require(\"fs\").writeFileSync(\"n\", \"x\"); new (require(\"worker_threads\").Worker)(\"1\", {eval: true})'",
    ),
    ("java", "java -version"),
    ("perl", "perl -e 'use POSIX; my $p = fork; exit 0 unless $p; waitpid($p, 0); exit $?'"),
    ("ruby", "ruby -e 'Thread.new { }.join; exit system(\"true\")'"),
    (
        "git",
        "git init -q r && git -C r -c user.name=x -c user.email=x commit -q --allow-empty -m x && git clone -q r s && git -C s gc -q",
    ),
    ("openssl", "openssl rand -hex 8"),
    ("script", "script -qec true /dev/null"),
    ("tar", "tar cf t.tar /etc/passwd && tar xf t.tar"),
];

#[tokio::test]
async fn common_tools_run() {
    let f = fixture!();
    for (tool, program) in TOOLS {
        let guarded = format!("if command -v {tool} >/dev/null; then ( {program} ); else echo not installed; fi");
        let (result, recorder) = f.job(&plan(&[&guarded])).await;
        println!("{tool}: {:?}", result.duration);
        assert_eq!(result.status, Status::Success, "{tool}: {}", recorder.text());
    }
}

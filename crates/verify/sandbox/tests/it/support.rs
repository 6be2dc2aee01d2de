use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use sandbox::{
    Artifact, ArtifactEntry, Cancel, Config, Dependency, InitCommand, Isolation, JobIo, JobPlan, JobResult, Level,
    Outcome, Sandbox, Slot, Step, StoredArtifact, Variable, detect_with, execute,
};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

pub(crate) fn init() -> InitCommand {
    InitCommand { program: env!("CARGO_BIN_EXE_sandbox-job-init").into(), args: Vec::new() }
}

pub(crate) fn isolation() -> &'static Isolation {
    static ISOLATION: OnceLock<Isolation> = OnceLock::new();
    ISOLATION.get_or_init(|| detect_with(&init()))
}

/// A sandbox in a folder of its own with one slot taken.
pub(crate) struct Fixture {
    pub(crate) dir: TempDir,
    pub(crate) sandbox: Sandbox,
    pub(crate) slot: Slot,
}

/// Makes a fixture, or says why the test is skipped.
pub(crate) async fn prepare(change: impl FnOnce(&mut Config)) -> Option<Fixture> {
    let isolation = isolation();
    if isolation.level == Level::None {
        println!("skipped: {}", isolation.summary());
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut config = Config::new(dir.path().join("runner"));
    config.init = init();
    config.slots = 2;
    config.first_uid += 65_536 * (std::process::id() % 64) * 8;
    config.default_timeout = Duration::from_secs(30);
    change(&mut config);
    let sandbox = Sandbox::with_isolation(config, isolation.clone()).unwrap();
    let slot = sandbox.acquire().await.unwrap();
    Some(Fixture { dir, sandbox, slot })
}

macro_rules! fixture {
    () => {
        fixture!(|_| {})
    };
    ($change:expr) => {
        match crate::support::prepare($change).await {
            Some(fixture) => fixture,
            None => return,
        }
    };
}
pub(crate) use fixture;

/// Skips a test where the host lacks something.
macro_rules! needs {
    ($condition:expr, $what:expr) => {
        if !$condition {
            println!("skipped: {}", $what);
            return;
        }
    };
}
pub(crate) use needs;

impl Fixture {
    pub(crate) async fn run(&self, script: &str) -> (Outcome, String) {
        self.step(Step::script(script)).await
    }

    pub(crate) async fn step(&self, step: Step) -> (Outcome, String) {
        let mut output = Vec::new();
        let outcome = self.slot.run(step, &mut output, &CancellationToken::new()).await.unwrap();
        (outcome, String::from_utf8_lossy(&output).into_owned())
    }

    pub(crate) async fn job(&self, plan: &JobPlan) -> (JobResult, Recorder) {
        let recorder = Recorder::default();
        let result = execute(&self.slot, plan, &recorder, &Cancel::new()).await;
        (result, recorder)
    }
}

pub(crate) fn plan(script: &[&str]) -> JobPlan {
    JobPlan {
        id: 7,
        project_path: "group/hello".into(),
        variables: Vec::new(),
        secrets: Vec::new(),
        source: None,
        dependencies: Vec::new(),
        before_script: Vec::new(),
        script: script.iter().map(|s| (*s).to_owned()).collect(),
        after_script: Vec::new(),
        artifacts: Vec::new(),
        timeout: Duration::from_secs(60),
        image: None,
        executor: sandbox::Executor::Host,
    }
}

pub(crate) fn variable(key: &str, value: &str) -> Variable {
    Variable { key: key.into(), value: value.into(), ..Variable::default() }
}

pub(crate) fn artifact(paths: &[&str]) -> Artifact {
    Artifact { paths: paths.iter().map(|p| (*p).to_owned()).collect(), kind: "archive".into(), ..Artifact::default() }
}

/// A stored archive.
pub(crate) struct Stored {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) entries: Vec<ArtifactEntry>,
}

impl Stored {
    pub(crate) fn paths(&self) -> Vec<&str> {
        self.entries.iter().map(|e| e.path.as_str()).collect()
    }
}

/// Keeps a job's log and artifacts.
#[derive(Default)]
pub(crate) struct Recorder {
    pub(crate) log: Mutex<Vec<u8>>,
    pub(crate) stored: Mutex<Vec<Stored>>,
    pub(crate) archive: Option<PathBuf>,
}

impl Recorder {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.log.lock().unwrap()).into_owned()
    }
}

#[async_trait]
impl JobIo for Recorder {
    async fn log(&self, bytes: &[u8]) -> io::Result<()> {
        self.log.lock().unwrap().extend_from_slice(bytes);
        Ok(())
    }

    async fn fetch_artifact(&self, _: &Dependency) -> io::Result<Option<PathBuf>> {
        Ok(self.archive.clone())
    }

    async fn store_artifact(&self, stored: StoredArtifact<'_>) -> io::Result<()> {
        let bytes = std::fs::read(stored.path)?;
        assert_eq!(bytes.len() as u64, stored.size);
        self.stored.lock().unwrap().push(Stored { name: stored.file_name, bytes, entries: stored.entries });
        Ok(())
    }
}

pub(crate) fn git(folder: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(folder)
        .args(["-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "core.hooksPath=/dev/null"])
        .args(args)
        .output()
        .unwrap();
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

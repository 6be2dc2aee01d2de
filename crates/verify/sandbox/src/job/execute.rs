use std::time::{Duration, Instant};

use super::log::{GREEN, Log, RED, YELLOW};
use super::plan::{Cancel, Executor, FailureReason, JobIo, JobPlan, JobResult, Source, Status, project_dir};
use super::{script, sources};
use crate::error::{Context, Result};
use crate::init::BUILDS;
use crate::mask::Masker;
use crate::run::{Outcome, Step};
use crate::slot::Slot;

/// What after_script may take.
const AFTER_SCRIPT: Duration = Duration::from_secs(300);
/// What storing artifacts may take when the job's own time is used up.
const GRACE: Duration = Duration::from_secs(60);

/// Carries out a whole job and writes its log; a failure of the runner itself ends up in the result too.
pub async fn execute(slot: &Slot, plan: &JobPlan, io: &dyn JobIo, cancel: &Cancel) -> JobResult {
    let began = Instant::now();
    let mut job = Job::new(slot, plan, io, cancel, began);
    let (status, exit_code) = match job.run().await {
        Ok(end) => end,
        Err(error) => {
            tracing::warn!(%error, job = plan.id, "a job failed in the runner");
            // The log may be what failed; the result tells the same.
            let _ = job.log.coloured(RED, &format!("ERROR: Job failed (system failure): {error}")).await;
            (Status::Failed(FailureReason::RunnerSystemFailure), None)
        }
    };
    let _ = job.log.end_section().await;
    JobResult { status, exit_code, duration: began.elapsed() }
}

/// A job that is being carried out.
pub(super) struct Job<'a> {
    pub(super) slot: &'a Slot,
    pub(super) plan: &'a JobPlan,
    pub(super) io: &'a dyn JobIo,
    pub(super) cancel: &'a Cancel,
    pub(super) log: Log<'a>,
    deadline: Instant,
    budget: u64,
    env: Vec<(String, String)>,
}

impl<'a> Job<'a> {
    fn new(slot: &'a Slot, plan: &'a JobPlan, io: &'a dyn JobIo, cancel: &'a Cancel, began: Instant) -> Self {
        let masked = plan.variables.iter().filter(|v| v.masked).map(|v| v.value.as_str());
        let masker = Masker::new(masked.chain(plan.secrets.iter().map(String::as_str)));
        let (log, budget) = (Log::new(io, masker), slot.shared.config.output_cap);
        Self { slot, plan, io, cancel, log, deadline: began + plan.timeout, budget, env: Vec::new() }
    }

    /// Returns what is left of the job's time.
    pub(super) fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    async fn run(&mut self) -> Result<(Status, Option<i32>)> {
        self.slot.begin().await?;
        self.prepare().await?;
        let early = match self.get_sources().await? {
            None => self.dependencies().await?,
            failed => failed,
        };
        let (mut status, exit_code) = match early {
            Some(status) => (status, None),
            None => {
                let (status, code) = self.script().await?;
                self.after_script(status).await?;
                (status, code)
            }
        };
        if early.is_none() && !self.cancel.rest().is_cancelled() {
            status = self.keep(status).await?;
        }
        if self.cancel.rest().is_cancelled() {
            status = Status::Canceled;
        }
        self.log.end_section().await?;
        self.farewell(status, exit_code).await?;
        Ok((status, exit_code.filter(|_| status == Status::Failed(FailureReason::ScriptFailure))))
    }

    async fn prepare(&mut self) -> Result<()> {
        let version = env!("CARGO_PKG_VERSION");
        self.log
            .line(&format!("Running with tidemill {version}\n  in slot {} for job {}", self.slot.index(), self.plan.id))
            .await?;
        let Executor::Host = self.plan.executor;
        self.log.section("prepare_executor", "Preparing the \"host\" executor").await?;
        let line = self.slot.shared.isolation.summary();
        self.log.line(&format!("Isolation: {line}.")).await?;
        if let Some(image) = &self.plan.image {
            let line = format!("WARNING: image {image} is not used: the job runs with the toolchains of this host");
            self.log.coloured(YELLOW, &line).await?;
        }
        self.log.section("prepare_script", "Preparing environment").await?;
        self.log.line(&format!("Running on job-slot-{}...", self.slot.index())).await?;
        self.prepare_variables().await
    }

    /// Writes variables of the file type and leaves out what no shell could hold.
    async fn prepare_variables(&mut self) -> Result<()> {
        let project = sources::make_project(self.slot, &self.plan.project_path)?;
        let files = sibling(&project);
        for variable in &self.plan.variables {
            if !valid(&variable.key) || variable.value.contains('\0') {
                self.log
                    .coloured(YELLOW, &format!("WARNING: variable {:?} is not usable and was left out", variable.key))
                    .await?;
                continue;
            }
            let mut value = variable.value.clone();
            if variable.file {
                sources::make_owned(self.slot, &files)?;
                let path = files.join(&variable.key);
                std::fs::write(&path, &value)
                    .and_then(|()| self.slot.give(&path))
                    .context(|| "a file variable".into())?;
                value = format!("{}.tmp/{}", project_dir(&self.plan.project_path), variable.key);
            }
            self.set(&variable.key, value);
        }
        let folder = project_dir(&self.plan.project_path);
        self.set("RUNNER_TEMP_PROJECT_DIR", format!("{folder}.tmp"));
        self.set("CI_PROJECT_DIR", folder);
        self.set("CI_BUILDS_DIR", BUILDS.into());
        self.set("CI_JOB_STATUS", "running".into());
        Ok(())
    }

    fn set(&mut self, key: &str, value: String) {
        self.env.retain(|(own, _)| own != key);
        self.env.push((key.to_owned(), value));
    }

    async fn get_sources(&mut self) -> Result<Option<Status>> {
        self.log.section("get_sources", "Getting source from Git repository").await?;
        let plan = self.plan;
        let Some(source) = &plan.source else {
            self.log.line("Skipping Git repository setup").await?;
            return Ok(None);
        };
        if source.depth > 0 {
            self.log.coloured(GREEN, &format!("Fetching changes with git depth set to {}...", source.depth)).await?;
        } else {
            self.log.coloured(GREEN, "Fetching changes...").await?;
        }
        match self.fetch(source).await? {
            None => self.check_out(source).await,
            ended => Ok(ended),
        }
    }

    async fn fetch(&self, source: &Source) -> Result<Option<Status>> {
        let folder = self.slot.builds().join(&self.plan.project_path);
        tokio::select! {
            result = sources::fetch(self.slot, source, &folder) => result.map(|()| None),
            () = self.cancel.script().cancelled() => Ok(Some(Status::Canceled)),
            () = tokio::time::sleep(self.left()) => Ok(Some(Status::Failed(FailureReason::JobExecutionTimeout))),
        }
    }

    async fn check_out(&mut self, source: &Source) -> Result<Option<Status>> {
        let line = format!("Checking out {} as detached HEAD (ref is {})...", &source.sha[..8], source.ref_name);
        self.log.coloured(GREEN, &line).await?;
        let code = self.inside(sources::checkout(source, &self.plan.project_path)).await?;
        if code != Some(0) {
            return Ok(Some(self.ended(FailureReason::RunnerSystemFailure)));
        }
        self.log.coloured(GREEN, "Skipping Git submodules setup").await?;
        Ok(None)
    }

    /// Tells why a step of the runner's own did not come to its end.
    fn ended(&self, otherwise: FailureReason) -> Status {
        if self.cancel.script().is_cancelled() {
            Status::Canceled
        } else if self.left().is_zero() {
            Status::Failed(FailureReason::JobExecutionTimeout)
        } else {
            Status::Failed(otherwise)
        }
    }

    async fn dependencies(&mut self) -> Result<Option<Status>> {
        if self.plan.dependencies.is_empty() {
            return Ok(None);
        }
        self.log.section("download_artifacts", "Downloading artifacts").await?;
        Ok(self.download_artifacts().await?.map(|reason| self.ended(reason)))
    }

    async fn script(&mut self) -> Result<(Status, Option<i32>)> {
        self.log.section("step_script", "Executing \"step_script\" stage of the job script").await?;
        let plan = self.plan;
        let step = self.shell(plan.before_script.iter().chain(&plan.script), self.left());
        let outcome = self.slot.run_capped(step, &mut self.log, &mut self.budget, self.cancel.script()).await?;
        self.log.end_section().await?;
        self.explain(&outcome).await?;
        Ok(match &outcome {
            o if o.cancelled => (Status::Canceled, None),
            o if o.timed_out => (Status::Failed(FailureReason::JobExecutionTimeout), None),
            o if o.success() => (Status::Success, None),
            o => (Status::Failed(FailureReason::ScriptFailure), Some(o.code())),
        })
    }

    /// Makes a step of the job's own lines.
    fn shell<'l>(&self, lines: impl Iterator<Item = &'l String>, timeout: Duration) -> Step {
        let trace = self.env.iter().any(|(key, value)| key == "CI_DEBUG_TRACE" && value == "true");
        let mut step = Step::script(script::assemble(lines, trace));
        step.env.clone_from(&self.env);
        step.workdir = project_dir(&self.plan.project_path);
        step.timeout = Some(timeout);
        step
    }

    /// Says which limit the job met.
    async fn explain(&mut self, outcome: &Outcome) -> Result<()> {
        let limits = &self.slot.shared.config.limits;
        let mut lines = Vec::new();
        if outcome.output_capped {
            let cap = self.slot.shared.config.output_cap;
            lines.push(format!("WARNING: the job wrote more than {cap} bytes of output; the rest was dropped"));
        }
        if outcome.out_of_memory {
            let memory = limits.memory.unwrap_or_default() >> 20;
            lines.push(format!(
                "WARNING: a process was killed because the job reached its memory limit of {memory} MiB"
            ));
        }
        if outcome.disk_full {
            lines.push(format!(
                "WARNING: the job was ended because it reached its disk limit of {} MiB",
                limits.disk >> 20
            ));
        }
        for line in lines {
            self.log.coloured(YELLOW, &line).await?;
        }
        Ok(())
    }

    async fn after_script(&mut self, status: Status) -> Result<()> {
        let plan = self.plan;
        if plan.after_script.is_empty() || self.cancel.rest().is_cancelled() {
            return Ok(());
        }
        self.log.section("after_script", "Running after_script").await?;
        self.log.line("Running after script...").await?;
        self.set("CI_JOB_STATUS", status.as_str().into());
        let step = self.shell(plan.after_script.iter(), AFTER_SCRIPT);
        let outcome = self.slot.run_capped(step, &mut self.log, &mut self.budget, self.cancel.rest()).await?;
        if !outcome.success() {
            self.log.coloured(YELLOW, "WARNING: after_script failed, but job will continue unaffected").await?;
        }
        Ok(())
    }

    /// Keeps artifacts; a failure there fails a job that was successful.
    async fn keep(&mut self, status: Status) -> Result<Status> {
        let success = status == Status::Success;
        if !self.plan.artifacts.iter().any(|a| a.when.applies(success)) {
            return Ok(status);
        }
        self.deadline = self.deadline.max(Instant::now() + GRACE);
        let (name, title) = match success {
            true => ("upload_artifacts_on_success", "Uploading artifacts for successful job"),
            false => ("upload_artifacts_on_failure", "Uploading artifacts for failed job"),
        };
        self.log.section(name, title).await?;
        Ok(match self.upload_artifacts(success).await? {
            Some(reason) if success => Status::Failed(reason),
            _ => status,
        })
    }

    async fn farewell(&mut self, status: Status, exit_code: Option<i32>) -> Result<()> {
        self.log.section("cleanup_file_variables", "Cleaning up project directory and file based variables").await?;
        self.log.end_section().await?;
        let reason = match status {
            Status::Success => return self.log.coloured(GREEN, "Job succeeded").await,
            Status::Canceled => "canceled".to_owned(),
            Status::Failed(FailureReason::JobExecutionTimeout) => {
                format!("execution took longer than {} seconds", self.plan.timeout.as_secs())
            }
            Status::Failed(reason) => exit_code.map_or(reason.as_str().replace('_', " "), |c| format!("exit code {c}")),
        };
        self.log.coloured(RED, &format!("ERROR: Job failed: {reason}")).await
    }
}

/// Returns the folder for file variables, beside the project's own.
fn sibling(project: &std::path::Path) -> std::path::PathBuf {
    let mut name = project.as_os_str().to_owned();
    name.push(".tmp");
    name.into()
}

fn valid(key: &str) -> bool {
    let mut bytes = key.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

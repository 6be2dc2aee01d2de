use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdStream;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::net::unix::pipe::Receiver;
use tokio_util::sync::CancellationToken;

use crate::cgroup::Groups;
use crate::config::Network;
use crate::disk::{self, Excess};
use crate::error::{Context, Error, Result};
use crate::proto::{Payload, Report, Request, Spawn, Task, encode};
use crate::reap::Run;
use crate::slot::Slot;
use crate::spawn::spawn;

/// How long the rest of the output of a killed job is waited for.
const DRAIN: Duration = Duration::from_secs(5);

/// Takes a job's output as it comes.
#[async_trait]
pub trait Sink: Send {
    /// Takes the next bytes.
    async fn write(&mut self, bytes: &[u8]) -> io::Result<()>;
}

#[async_trait]
impl Sink for Vec<u8> {
    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.extend_from_slice(bytes);
        Ok(())
    }
}

/// One thing to run in a slot.
#[derive(Debug, Clone)]
pub struct Step {
    pub(crate) task: Task,
    pub(crate) payload: Option<Payload>,
    /// Variables of the job; a few such as `PATH` and `HOME` are added where they are missing.
    pub env: Vec<(String, String)>,
    /// The folder to start in, as seen inside.
    pub workdir: String,
    /// The time limit; the sandbox has a default.
    pub timeout: Option<Duration>,
    /// What the step can reach; the sandbox has a default.
    pub network: Option<Network>,
}

impl Step {
    /// Makes a step from shell source, run by bash where the host has it and by sh elsewhere.
    pub fn script(source: impl Into<String>) -> Self {
        Self::task(Task::Script(source.into()), None)
    }

    pub(crate) fn task(task: Task, payload: Option<Payload>) -> Self {
        Self { task, payload, env: Vec::new(), workdir: crate::init::BUILDS.into(), timeout: None, network: None }
    }
}

/// What became of a step.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// The exit code, when the process ended by itself.
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Whether the time limit ended it.
    pub timed_out: bool,
    /// Whether it was cancelled.
    pub cancelled: bool,
    /// Whether output was dropped.
    pub output_capped: bool,
    /// Whether the kernel killed a process for lack of memory.
    pub out_of_memory: bool,
    /// Whether the disk limit ended it.
    pub disk_full: bool,
    /// How long it ran.
    pub duration: Duration,
}

impl Outcome {
    /// Tells whether the step ended by itself with exit code 0.
    pub fn success(&self) -> bool {
        self.exit_code == Some(0) && !self.timed_out && !self.cancelled && !self.disk_full
    }

    /// Returns the code that a shell would report, with 128 added to a signal's number.
    pub fn code(&self) -> i32 {
        self.exit_code.unwrap_or_else(|| 128 + self.signal.unwrap_or(9))
    }
}

impl Slot {
    /// Runs a step to its end; every process that it started is gone when this returns.
    pub async fn run(&self, step: Step, output: &mut dyn Sink, cancel: &CancellationToken) -> Result<Outcome> {
        let mut cap = self.shared.config.output_cap;
        self.run_capped(step, output, &mut cap, cancel).await
    }

    /// Runs a step whose output counts against a budget that several steps share.
    pub(crate) async fn run_capped(
        &self,
        step: Step,
        output: &mut dyn Sink,
        cap: &mut u64,
        cancel: &CancellationToken,
    ) -> Result<Outcome> {
        let began = Instant::now();
        let timeout = step.timeout.unwrap_or(self.shared.config.default_timeout);
        let mut running = self.start(step).await?;
        let mut outcome = Outcome::default();
        let end = {
            let folders = vec![self.builds(), self.tmp(), self.home()];
            let work = running.follow(output, cap, &mut outcome.output_capped);
            tokio::select! {
                biased;
                () = cancel.cancelled() => End::Cancelled,
                result = work => End::Done(result?),
                () = tokio::time::sleep(timeout) => End::TimedOut,
                excess = disk::watch(folders, self.shared.config.limits.disk) => End::Disk(excess),
            }
        };
        if !matches!(end, End::Done(_)) {
            running.kill();
            let rest = running.follow(output, cap, &mut outcome.output_capped);
            // The kill is certain; only a reader of the log that hangs could keep this waiting.
            let _ = tokio::time::timeout(DRAIN, rest).await;
        }
        outcome.out_of_memory = running.finish().await?;
        outcome.duration = began.elapsed();
        end.tell(&mut outcome)?;
        Ok(outcome)
    }

    async fn start(&self, step: Step) -> Result<Running> {
        let name = run_name();
        let groups = self.groups(&name).await?;
        let mut running =
            Running { child: None, control: None, output: None, groups, record: None, reports: Vec::new() };
        let (ours, theirs) = StdStream::pair().context(|| "a socket pair".into())?;
        let (reader, writer) = io::pipe().context(|| "a pipe".into())?;
        let mut command = Command::new(&self.shared.config.init.program);
        command.args(&self.shared.config.init.args).env_clear();
        command.stdin(Stdio::from(OwnedFd::from(theirs)));
        command.stdout(writer.try_clone().context(|| "a pipe".into())?).stderr(writer).current_dir("/");
        let child = spawn(command).await.context(|| "starting the job's first process".into())?;
        let record = Run::record(&self.shared.config.root, &name, child.id(), &running.groups);
        running.child = Some(child);
        running.record = Some(record.context(|| "recording a job".into())?);
        running.output = Some(Receiver::from_owned_fd(reader.into()).context(|| "the output's pipe".into())?);
        ours.set_nonblocking(true).context(|| "the control socket".into())?;
        let mut control = UnixStream::from_std(ours).context(|| "the control socket".into())?;
        let request = Request::Run(Box::new(self.request(step, &running.groups)));
        let request = encode(&request).context(|| "the job".into())?;
        // A process that ended early says more by its reports than by the broken pipe.
        let _ = control.write_all(&request).await;
        running.control = Some(control);
        Ok(running)
    }

    async fn groups(&self, name: &str) -> Result<Groups> {
        let (shared, name) = (std::sync::Arc::clone(&self.shared), name.to_owned());
        let made =
            tokio::task::spawn_blocking(move || shared.isolation.hierarchies.create(&name, &shared.config.limits));
        made.await.map_err(io::Error::other).context(|| "control groups".into())
    }

    fn request(&self, step: Step, groups: &Groups) -> Spawn {
        let config = &self.shared.config;
        Spawn {
            task: self.task_seen(step.task),
            env: step.env.into_iter().map(|(key, value)| (key, self.seen(&value))).collect(),
            workdir: self.seen(&step.workdir),
            bare: self.is_bare(),
            hostname: format!("job-slot-{}", self.index()),
            network: step.network.unwrap_or(config.network),
            limits: config.limits.clone(),
            range: self.range(),
            cgroups: groups.paths.clone(),
            memory_cgroup: groups.memory,
            builds: self.builds(),
            tmp: self.tmp(),
            home: self.home(),
            read_only: config.read_only.clone(),
            covered: self.shared.covered.clone(),
            payload: step.payload,
        }
    }
}

impl Slot {
    /// Patterns of artifacts may be absolute.
    fn task_seen(&self, task: Task) -> Task {
        let Task::Collect(mut collect) = task else { return task };
        for pattern in collect.paths.iter_mut().chain(&mut collect.exclude) {
            *pattern = self.seen(pattern);
        }
        Task::Collect(collect)
    }
}

fn run_name() -> String {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    format!("tidemill-{}-{}", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed))
}

/// How a step came to its end.
enum End {
    Done(Report),
    Cancelled,
    TimedOut,
    Disk(Excess),
}

impl End {
    fn tell(self, outcome: &mut Outcome) -> Result<()> {
        match self {
            Self::Done(Report::Exited { code }) => outcome.exit_code = Some(code),
            Self::Done(Report::Signalled { signal }) => outcome.signal = Some(signal),
            Self::Done(Report::Failed { message }) => return Err(Error::Setup(message)),
            Self::Done(other) => return Err(Error::Setup(format!("an unexpected report: {other:?}"))),
            Self::Cancelled => outcome.cancelled = true,
            Self::TimedOut => outcome.timed_out = true,
            Self::Disk(excess) => {
                tracing::debug!(?excess, "a job exceeded its disk limit");
                outcome.disk_full = true;
            }
        }
        Ok(())
    }
}

/// A started step; dropping it kills every process of it.
struct Running {
    child: Option<Child>,
    control: Option<UnixStream>,
    output: Option<Receiver>,
    groups: Groups,
    record: Option<Run>,
    reports: Vec<u8>,
}

impl Running {
    /// Passes output on until the job is gone, and returns what it reported.
    async fn follow(&mut self, output: &mut dyn Sink, left: &mut u64, capped: &mut bool) -> Result<Report> {
        let mut buffer = vec![0; 32 << 10];
        while let Some(pipe) = &mut self.output {
            let count = pipe.read(&mut buffer).await.context(|| "the job's output".into())?;
            if count == 0 {
                self.output = None;
                break;
            }
            let kept = usize::try_from(*left).map_or(count, |left| left.min(count));
            *left -= kept as u64;
            *capped |= kept < count;
            if kept > 0 {
                output.write(&buffer[..kept]).await.context(|| "the job's log".into())?;
            }
        }
        self.report().await
    }

    /// Reads the reports to their end; the first counts.
    async fn report(&mut self) -> Result<Report> {
        if let Some(mut control) = self.control.take() {
            // The other side may have gone without reading all it was sent, which counts as an end.
            let _ = (&mut control).take(1 << 20).read_to_end(&mut self.reports).await;
        }
        let mut results = self.reports.split(|b| *b == b'\n').filter_map(|line| serde_json::from_slice(line).ok());
        results.next().ok_or_else(|| Error::Setup("the job's first process ended without a report".into()))
    }

    /// Kills the outer process; the parent-death signal takes the inner one and the kernel the rest.
    fn kill(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
        }
    }

    /// Reaps the outer process, removes the groups and tells whether memory ran out.
    async fn finish(mut self) -> Result<bool> {
        let (child, groups, record) = (self.child.take(), std::mem::take(&mut self.groups), self.record.take());
        let done = tokio::task::spawn_blocking(move || clear(child, &groups, record));
        done.await.map_err(io::Error::other).context(|| "reaping a job".into())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.child.is_some() {
            self.kill();
            let (child, groups, record) = (self.child.take(), std::mem::take(&mut self.groups), self.record.take());
            std::thread::spawn(move || clear(child, &groups, record));
        }
    }
}

fn clear(child: Option<Child>, groups: &Groups, record: Option<Run>) -> bool {
    if let Some(mut child) = child {
        let _ = child.wait();
    }
    let out_of_memory = groups.out_of_memory();
    groups.remove();
    drop(record);
    out_of_memory
}

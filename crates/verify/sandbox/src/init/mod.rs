//! The job's first processes: the outer one watches for the server, the inner one is pid 1 of the job.

mod bare;
mod filter;
mod inner;
mod job;
mod outer;
mod probe;
mod root;

/// The job's user and group id inside the sandbox.
pub(crate) const JOB_ID: u32 = 1000;
/// The ids that one slot owns.
pub(crate) const RANGE: u32 = 65_536;
/// Where the builds folder appears inside.
pub(crate) const BUILDS: &str = "/builds";
/// Where the home folder appears inside.
pub(crate) const HOME: &str = "/home/job";
/// Where the script lies inside.
const SCRIPT: &str = "/run/job/script";

/// Runs as the job's first process and never returns.
///
/// A binary calls this before it starts any thread when [`crate::JOB_INIT`] is its first argument.
pub fn init_main() -> ! {
    let code = match outer::run() {
        Ok(()) => 0,
        Err(error) => {
            tracing::debug!(%error, "job-init ended early");
            70
        }
    };
    std::process::exit(code)
}

//! Copying between repositories of this server, and ending processes that outlived it.

use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::{Repo, Result};

/// How long a copy may take.
const TIMEOUT: Duration = Duration::from_secs(4 * 3600);

impl Repo {
    /// Fetches all branches and tags of another repository on this disk, and takes over its `HEAD`.
    pub async fn copy_from(&self, source: &Self) -> Result<()> {
        let command = self.git("fetch").env("GIT_ALLOW_PROTOCOL", "file").timeout(TIMEOUT);
        let command =
            command.args(["--quiet", "--no-write-fetch-head", "--force", "--no-tags", "--update-head-ok", "--"]);
        let refspecs = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];
        command.arg(source.path()).args(refspecs).run().await?;
        self.forget();
        self.set_default_branch(source.default_branch().await?).await
    }
}

/// Ends processes by their ids, such as those of a server that was killed.
pub fn end_processes(ids: &[i32]) {
    for id in ids {
        if let Err(error) = kill(Pid::from_raw(*id), Signal::SIGKILL) {
            tracing::debug!(%error, id, "a process was gone already");
        }
    }
}

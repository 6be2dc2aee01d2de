//! Hook scripts that call a program back.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::{GitError, Result};

/// The hooks that are installed.
const HOOKS: [&str; 2] = ["pre-receive", "post-receive"];

/// Writes the folder `dir` of hook scripts that run `program hook NAME`; an older one is brought up to date.
///
/// The hooks get git's standard input and environment, to which [`crate::pack::PackOptions::env`] adds.
pub async fn install(dir: &Path, program: &Path) -> Result<()> {
    let program = program.to_str().ok_or_else(|| GitError::InvalidName("the program's path is not UTF-8".into()))?;
    let quoted = format!("'{}'", program.replace('\'', r"'\''"));
    tokio::fs::create_dir_all(dir).await?;
    for hook in HOOKS {
        let script = format!("#!/bin/sh\nexec {quoted} hook {hook} \"$@\"\n");
        write_script(&dir.join(hook), &script).await?;
    }
    Ok(())
}

/// Replaces a script in one step, because a push may be about to run it.
async fn write_script(path: &Path, script: &str) -> Result<()> {
    if tokio::fs::read(path).await.is_ok_and(|present| present == script.as_bytes()) {
        return Ok(());
    }
    let staged = path.with_extension("new");
    tokio::fs::write(&staged, script).await?;
    tokio::fs::set_permissions(&staged, std::fs::Permissions::from_mode(0o755)).await?;
    tokio::fs::rename(&staged, path).await?;
    Ok(())
}

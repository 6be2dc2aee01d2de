//! Branches that may only move forward. Git itself refuses where that holds for all branches of a push; where it holds
//! for some, a small hook does.

use git::pack::PackOptions;
use kernel::{App, Result};
use repositories::Verdict;

/// Compares each branch with the list in its environment. It runs inside git's quarantine, where the new objects are.
const UPDATE_HOOK: &str = r#"#!/bin/sh
printf '%s\n' "$TIDEMILL_FORWARD_ONLY" | grep -Fxq -e "$1" || exit 0
git merge-base --is-ancestor "$2" "$3" && exit 0
echo "${1#refs/heads/} is a protected branch and can't be force pushed"
exit 1
"#;

/// Makes git refuse to rewrite the branches of the verdict.
pub(crate) async fn apply(app: &App, verdict: &Verdict, options: &mut PackOptions) -> Result<()> {
    if verdict.forward_only.is_empty() {
        return Ok(());
    }
    let moves = verdict.updates.iter().filter(|u| u.name.is_branch() && !u.creates() && !u.deletes());
    if moves.clone().all(|u| verdict.forward_only.contains(&u.name)) {
        options.forward_only = true;
        return Ok(());
    }
    options.hooks = Some(install(app).await?);
    let names: Vec<_> = verdict.forward_only.iter().map(|n| n.lossy().into_owned()).collect();
    options.env.push(("TIDEMILL_FORWARD_ONLY".into(), names.join("\n")));
    Ok(())
}

async fn install(app: &App) -> Result<std::path::PathBuf> {
    use std::os::unix::fs::PermissionsExt;
    let folder = app.config().data.join("hooks");
    let script = folder.join("update");
    if tokio::fs::read(&script).await.is_ok_and(|present| present == UPDATE_HOOK.as_bytes()) {
        return Ok(folder);
    }
    tokio::fs::create_dir_all(&folder).await?;
    let staged = folder.join(kernel::auth::random_token("new-", 12));
    tokio::fs::write(&staged, UPDATE_HOOK).await?;
    tokio::fs::set_permissions(&staged, std::fs::Permissions::from_mode(0o755)).await?;
    tokio::fs::rename(&staged, &script).await?;
    Ok(folder)
}

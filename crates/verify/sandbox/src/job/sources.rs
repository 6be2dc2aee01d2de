//! The checkout. Objects are fetched by the runner into a repository that no job has touched; the files of
//! the commit are written inside the sandbox with the job's own rights, so that no name or link of a hostile
//! commit is followed outside.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, lchown};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use tokio::process::Command;

use super::plan::{Source, project_dir};
use super::script::quote;
use crate::error::{Context, Error, Result};
use crate::init::JOB_ID;
use crate::run::Step;
use crate::slot::Slot;

/// Settings that keep git from running or trusting anything but itself.
const SETTINGS: &[(&str, &str)] = &[
    ("safe.directory", "*"),
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("protocol.allow", "never"),
    ("protocol.file.allow", "always"),
    ("fetch.recurseSubmodules", "false"),
    ("init.defaultBranch", "main"),
    ("advice.detachedHead", "false"),
];
/// Older protocol versions serve only the tips of refs unless told otherwise.
const UPLOAD_PACK: &str = "--upload-pack=git -c 'safe.directory=*' -c uploadpack.allowAnySHA1InWant=true upload-pack";

/// Makes the project's folder in the slot, owned by the job, and returns its path on the host.
pub(super) fn make_project(slot: &Slot, project_path: &str) -> Result<PathBuf> {
    let mut path = slot.builds();
    for part in project_path.split('/') {
        if part.is_empty() || part == "." || part == ".." || part.contains('\0') {
            return Err(Error::Invalid(format!("{project_path:?} is no project path")));
        }
        path.push(part);
        make_owned(slot, &path)?;
    }
    Ok(path)
}

/// Makes a folder that belongs to the job.
pub(super) fn make_owned(slot: &Slot, path: &Path) -> Result<()> {
    let made = fs::DirBuilder::new().mode(0o755).create(path);
    match made.and_then(|()| slot.give(path)) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error).context(|| path.display().to_string()),
        _ => Ok(()),
    }
}

/// Fetches the commit's objects into a new repository in the project's folder.
pub(super) async fn fetch(slot: &Slot, source: &Source, folder: &Path) -> Result<()> {
    check(source)?;
    let format = if source.sha.len() == 64 { "--object-format=sha256" } else { "--object-format=sha1" };
    git(folder, &["init", "--quiet", "--template=", format]).await?;
    let depth = format!("--depth={}", source.depth);
    let mut args = vec!["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", UPLOAD_PACK];
    if source.depth > 0 {
        args.push(&depth);
    }
    let repository = source.repository.to_str().filter(|p| p.starts_with('/'));
    args.extend([
        "--",
        repository.ok_or_else(|| Error::Invalid("the repository's path must be absolute UTF-8".into()))?,
    ]);
    let refspecs = refspecs(source);
    args.extend(refspecs.iter().map(String::as_str));
    git(folder, &args).await?;
    if let Some(url) = &source.url {
        git(folder, &["config", "--add", "remote.origin.url", url]).await?;
        git(folder, &["config", "--add", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"]).await?;
    }
    let (repository, range) = (folder.join(".git"), slot.range());
    let given =
        tokio::task::spawn_blocking(move || range.map_or(Ok(()), |first| give_tree(&repository, first + JOB_ID)));
    given.await.map_err(io::Error::other).and_then(|r| r).context(|| "handing the sources over".into())
}

fn refspecs(source: &Source) -> Vec<String> {
    let Source { sha, ref_name, tag, .. } = source;
    match (source.depth, tag) {
        (0, _) => vec![
            format!("+{sha}:refs/job/head"),
            "+refs/heads/*:refs/remotes/origin/*".into(),
            "+refs/tags/*:refs/tags/*".into(),
        ],
        (_, true) => vec![format!("+{sha}:refs/job/head"), format!("+refs/tags/{ref_name}:refs/tags/{ref_name}")],
        (_, false) => vec![format!("+{sha}:refs/remotes/origin/{ref_name}")],
    }
}

fn check(source: &Source) -> Result<()> {
    let hex = source.sha.bytes().all(|b| b.is_ascii_hexdigit()) && matches!(source.sha.len(), 40 | 64);
    let odd = |c: char| c.is_control() || " ~^:?*[\\".contains(c);
    let name = &source.ref_name;
    let named = !name.is_empty() && !name.contains(odd) && !name.contains("..") && !name.starts_with(['-', '/']);
    match (hex, named) {
        (true, true) => Ok(()),
        (false, _) => Err(Error::Invalid(format!("{:?} is no full commit id", source.sha))),
        (_, false) => Err(Error::Invalid(format!("{name:?} is no branch or tag name"))),
    }
}

/// Makes the step that writes the commit's files.
pub(super) fn checkout(source: &Source, project_path: &str) -> Step {
    let settings: String = SETTINGS.iter().map(|(key, value)| format!(" -c {key}={}", quote(value))).collect();
    let script = format!("exec git{settings} checkout --quiet --force --detach {}\n", source.sha);
    let mut step = Step::script(script);
    step.workdir = project_dir(project_path);
    step.network = Some(crate::Network::None);
    step.env = environment();
    step
}

fn environment() -> Vec<(String, String)> {
    [
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_TERMINAL_PROMPT", "0"),
        ("GIT_ATTR_NOSYSTEM", "1"),
        ("LC_ALL", "C.UTF-8"),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into()
}

async fn git(folder: &Path, args: &[&str]) -> Result<()> {
    let mut command = Command::new("git");
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
    command.current_dir(folder).env_clear().env("PATH", path).env("HOME", "/nonexistent").envs(environment());
    for (key, value) in SETTINGS {
        command.arg("-c").arg(format!("{key}={value}"));
    }
    command.args(args).stdin(Stdio::null()).kill_on_drop(true);
    let Output { status, stderr, .. } = command.output().await.context(|| "git".into())?;
    if status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&stderr);
    Err(Error::Setup(format!("git {} failed: {}", args[0], said.trim())))
}

/// Gives a tree that only the runner has written to the job.
fn give_tree(path: &Path, id: u32) -> io::Result<()> {
    lchown(path, Some(id), Some(id))?;
    if fs::symlink_metadata(path)?.is_dir() {
        for entry in fs::read_dir(path)? {
            give_tree(&entry?.path(), id)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(sha: &str, ref_name: &str) -> Source {
        let (sha, ref_name) = (sha.into(), ref_name.into());
        Source { repository: "/r".into(), sha, ref_name, tag: false, depth: 20, url: None }
    }

    #[test]
    fn odd_names_and_ids_are_refused() {
        let sha = "a".repeat(40);
        assert!(check(&source(&sha, "feature/x-1")).is_ok());
        for name in ["", "-x", "a..b", "a b", "a:b", "/x", "a\nb", "x^"] {
            assert!(check(&source(&sha, name)).is_err(), "{name:?}");
        }
        for sha in ["", "HEAD", "--upload-pack=x", &"g".repeat(40), &"a".repeat(39)] {
            assert!(check(&source(sha, "main")).is_err(), "{sha:?}");
        }
    }

    #[test]
    fn a_shallow_fetch_asks_for_one_commit() {
        let sha = "b".repeat(40);
        assert_eq!(refspecs(&source(&sha, "main")), [format!("+{sha}:refs/remotes/origin/main")]);
        assert_eq!(refspecs(&Source { depth: 0, ..source(&sha, "main") }).len(), 3);
    }
}

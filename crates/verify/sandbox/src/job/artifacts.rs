use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::execute::Job;
use super::log::{RED, YELLOW};
use super::plan::{Artifact, ArtifactEntry, Dependency, FailureReason, StoredArtifact, project_dir};
use crate::archive::{Collect, Format, NOTHING_FOUND, Unpack};
use crate::error::{Context, Result};
use crate::proto::{Payload, Task};
use crate::run::Step;

impl Job<'_> {
    /// Unpacks the artifacts of earlier jobs into the project.
    pub(super) async fn download_artifacts(&mut self) -> Result<Option<FailureReason>> {
        for dependency in &self.plan.dependencies {
            self.log.line(&format!("Downloading artifacts for {} ({})...", dependency.name, dependency.id)).await?;
            let failed = match self.io.fetch_artifact(dependency).await {
                Ok(Some(path)) => self.unpack(dependency, path).await?,
                Ok(None) => self.log.line("The job has no artifacts.").await.map(|()| None)?,
                Err(error) => self.lost(dependency, &error).await?,
            };
            if failed.is_some() {
                return Ok(failed);
            }
        }
        Ok(None)
    }

    async fn unpack(&mut self, dependency: &Dependency, path: PathBuf) -> Result<Option<FailureReason>> {
        let task = Task::Unpack(Unpack { cap: self.slot.shared.config.limits.disk });
        let code = self.inside(self.step(task, Some(Payload::Read(path)))).await?;
        if code == Some(0) {
            return Ok(None);
        }
        self.lost(dependency, &io::Error::other("the archive could not be unpacked")).await
    }

    async fn lost(&mut self, dependency: &Dependency, error: &io::Error) -> Result<Option<FailureReason>> {
        let line = format!("ERROR: artifacts of {} are not available: {error}", dependency.name);
        self.log.coloured(RED, &line).await?;
        Ok(Some(FailureReason::RunnerSystemFailure))
    }

    /// Packs and stores what the job keeps after this outcome.
    pub(super) async fn upload_artifacts(&mut self, success: bool) -> Result<Option<FailureReason>> {
        for (index, artifact) in self.plan.artifacts.iter().enumerate() {
            if !artifact.when.applies(success) {
                continue;
            }
            let path = self.slot.folder().join(format!("artifact-{index}"));
            let failed = self.upload(artifact, &path).await;
            // Left over only when nothing was packed.
            let _ = std::fs::remove_file(&path);
            if let Some(reason) = failed? {
                return Ok(Some(reason));
            }
        }
        Ok(None)
    }

    async fn upload(&mut self, artifact: &Artifact, path: &Path) -> Result<Option<FailureReason>> {
        self.log.line("Uploading artifacts...").await?;
        if artifact.untracked {
            self.list_untracked().await?;
        }
        let collect = Collect {
            paths: artifact.paths.clone(),
            exclude: artifact.exclude.clone(),
            untracked: artifact.untracked.then(|| self.slot.untracked_list()),
            format: artifact.format,
            cap: self.slot.shared.config.limits.artifact_size,
        };
        match self.inside(self.step(Task::Collect(collect), Some(Payload::Write(path.into())))).await? {
            Some(0) => self.store(artifact, path).await,
            Some(NOTHING_FOUND) => Ok(None),
            _ => Ok(Some(FailureReason::ScriptFailure)),
        }
    }

    async fn list_untracked(&mut self) -> Result<()> {
        let list = self.slot.untracked_list();
        let script = format!("git ls-files --others -z > '{0}' || : > '{0}'\n", list.display());
        self.inside(self.step(Task::Script(script), None)).await.map(|_| ())
    }

    async fn store(&mut self, artifact: &Artifact, path: &Path) -> Result<Option<FailureReason>> {
        let size = path.metadata().context(|| "a packed artifact".into())?.len();
        let file_name = file_name(artifact);
        let entries = match artifact.format {
            Format::Zip => list(path.into()).await?,
            Format::Gzip | Format::Raw => Vec::new(),
        };
        let line = format!("Storing {file_name} as \"{}\"", kind(artifact));
        match self.io.store_artifact(StoredArtifact { artifact, file_name, path, size, entries }).await {
            Ok(()) => self.log.line(&format!("{line}... done, {size} bytes")).await.map(|()| None),
            Err(error) => {
                self.log.coloured(RED, &format!("ERROR: {line} failed: {error}")).await?;
                Ok(Some(FailureReason::RunnerSystemFailure))
            }
        }
    }

    fn step(&self, task: Task, payload: Option<Payload>) -> Step {
        let mut step = Step::task(task, payload);
        step.workdir = project_dir(&self.plan.project_path);
        step.network = Some(crate::Network::None);
        step
    }

    /// Runs a step of the runner's own and returns its exit code, or none when it was ended.
    pub(super) async fn inside(&mut self, mut step: Step) -> Result<Option<i32>> {
        step.timeout = Some(self.left());
        let mut budget = u64::MAX;
        let outcome = self.slot.run_capped(step, &mut self.log, &mut budget, self.cancel.rest()).await?;
        if outcome.disk_full {
            self.log.coloured(YELLOW, "WARNING: the job's disk limit is reached").await?;
        }
        Ok(outcome.success().then_some(0).or(outcome.exit_code))
    }
}

fn kind(artifact: &Artifact) -> &str {
    if artifact.kind.is_empty() { "archive" } else { &artifact.kind }
}

/// Makes a name without folders or control characters.
fn file_name(artifact: &Artifact) -> String {
    let wanted = artifact.name.as_deref().unwrap_or_default();
    let base: String =
        wanted.rsplit('/').next().unwrap_or_default().chars().filter(|c| !c.is_control()).take(200).collect();
    let base = if matches!(base.as_str(), "" | "." | "..") { "artifacts".to_owned() } else { base };
    let extension = artifact.format.extension();
    if base.ends_with(extension) { base } else { format!("{base}{extension}") }
}

async fn list(path: PathBuf) -> Result<Vec<ArtifactEntry>> {
    let listed = tokio::task::spawn_blocking(move || read_entries(&path)).await;
    listed.map_err(io::Error::other).and_then(|r| r).context(|| "listing a packed artifact".into())
}

fn read_entries(path: &Path) -> io::Result<Vec<ArtifactEntry>> {
    let mut zip = zip::ZipArchive::new(File::open(path)?)?;
    (0..zip.len())
        .map(|index| {
            let entry = zip.by_index_raw(index)?;
            Ok(ArtifactEntry {
                path: entry.name()?.into_owned(),
                size: entry.size(),
                compressed: entry.compressed_size(),
                crc32: entry.crc32(),
                mode: entry.unix_mode().unwrap_or(0o100_644),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_hold_no_folders() {
        let name = |name: &str| file_name(&Artifact { name: Some(name.into()), ..Artifact::default() });
        assert_eq!(name("build-1"), "build-1.zip");
        assert_eq!(name("a/../../b"), "b.zip");
        assert_eq!(name(".."), "artifacts.zip");
        assert_eq!(name("x.zip"), "x.zip");
        assert_eq!(file_name(&Artifact::default()), "artifacts.zip");
    }
}

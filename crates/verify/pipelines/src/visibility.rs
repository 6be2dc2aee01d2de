//! Who sees logs and artifacts. `public_jobs` of the project narrows it to members from reporter on.

use kernel::{Error, Result};
use projects::{Permission, ProjectAccess, Visibility, level};

use crate::artifacts::Artifact;

/// Hides pipelines and jobs from those who may not know of them.
pub(crate) fn sees_pipelines(access: &ProjectAccess) -> Result<()> {
    access.sees(Permission::ReadPipelines, "Pipeline")?;
    let hidden = access.project.visibility() == Visibility::Private && !opened(access);
    if hidden { Err(Error::not_found("Pipeline")) } else { Ok(()) }
}

/// Whether the logs of jobs are shown.
pub(crate) fn reads_logs(access: &ProjectAccess) -> bool {
    access.can(Permission::ReadPipelines) && opened(access)
}

/// Whether artifacts are shown at all.
pub(crate) fn reads_artifacts(access: &ProjectAccess) -> bool {
    access.can(Permission::ReadArtifacts) && opened(access)
}

/// Whether this artifact may be downloaded (`artifacts:access`).
pub(crate) fn reads_artifact(access: &ProjectAccess, artifact: &Artifact) -> bool {
    let least = match artifact.access.as_str() {
        "all" => level::NONE,
        "developer" => level::DEVELOPER,
        "maintainer" => level::MAINTAINER,
        _ => return false,
    };
    reads_artifacts(access) && access.level >= least
}

fn opened(access: &ProjectAccess) -> bool {
    access.settings.public_jobs || access.level >= level::REPORTER
}

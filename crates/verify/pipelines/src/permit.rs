//! Who may see and do what with pipelines, where the table of permissions alone doesn't say.

use kernel::{App, Error, Result};
use projects::{Permission, ProjectAccess, Visibility, level};

use crate::artifacts::Artifact;
use crate::build::Build;
use crate::pipeline::Pipeline;
use crate::visibility::{reads_artifact, reads_artifacts, reads_logs};

/// Refuses those who may not see pipelines. Where a private project's jobs aren't public, that takes a reporter.
pub(crate) fn read_pipelines(access: &ProjectAccess) -> Result<()> {
    access.may(Permission::ReadPipelines)?;
    match access.project.visibility() {
        Visibility::Private => lets(access, reads_logs(access)),
        _ => Ok(()),
    }
}

/// Refuses those who may not see jobs and their logs.
pub(crate) fn read_jobs(access: &ProjectAccess) -> Result<()> {
    access.may(Permission::ReadPipelines)?;
    lets(access, reads_logs(access))
}

fn lets(access: &ProjectAccess, may: bool) -> Result<()> {
    match (may, access.actor.known()) {
        (true, _) => Ok(()),
        (false, None) => Err(Error::Unauthenticated),
        (false, Some(_)) => Err(Error::Forbidden(String::new())),
    }
}

/// Refuses those who may not see this log: one that shows every variable is for developers.
pub(crate) fn read_trace(access: &ProjectAccess, build: &Build) -> Result<()> {
    read_jobs(access)?;
    if access.level < level::DEVELOPER && shows_variables(build) {
        return Err(Error::forbidden("the log shows every variable (CI_DEBUG_TRACE), so it is for developers"));
    }
    Ok(())
}

fn shows_variables(build: &Build) -> bool {
    let written = build.spec().map(|s| s.variables).unwrap_or_default();
    let given = build.play_variables();
    let mut all = written.iter().map(|v| (&v.key, &v.value)).chain(given.iter().map(|v| (&v.key, &v.value)));
    all.any(|(key, value)| {
        matches!(key.as_str(), "CI_DEBUG_TRACE" | "CI_DEBUG_SERVICES") && value.eq_ignore_ascii_case("true")
    })
}

/// Refuses those who may not download artifacts at all.
pub(crate) fn read_artifacts(access: &ProjectAccess) -> Result<()> {
    access.may(Permission::ReadArtifacts)?;
    lets(access, reads_artifacts(access))
}

/// Refuses those whom `artifacts:access` keeps out.
pub(crate) fn read_artifact(access: &ProjectAccess, artifact: &Artifact) -> Result<()> {
    read_artifacts(access)?;
    if reads_artifact(access, artifact) {
        return Ok(());
    }
    Err(Error::forbidden("the job keeps its artifacts to others (artifacts:access)"))
}

/// Whether the actor may run pipelines on a branch or tag: a protected one takes the right to push, merge or create it.
pub(crate) async fn may_run_on(app: &App, access: &ProjectAccess, ref_name: &str, tag: bool) -> Result<bool> {
    if !access.can(Permission::CreatePipeline) {
        return Ok(false);
    }
    let rules = repositories::Protections::of_project(app.db().conn(), access.project.id).await?;
    let who = rules.passenger(app, access).await?;
    Ok(match tag {
        true => rules.may_create_tag(&who, ref_name),
        false => rules.may_push(&who, ref_name) || rules.may_merge(&who, ref_name),
    })
}

/// Refuses those who may not retry, cancel or play the jobs of a pipeline.
pub(crate) async fn manage(app: &App, access: &ProjectAccess, pipeline: &Pipeline) -> Result<()> {
    access.may(Permission::ManagePipeline)?;
    if may_run_on(app, access, &pipeline.ref_name, pipeline.tag).await? {
        return Ok(());
    }
    Err(Error::forbidden(format!("{} is protected, and you may neither push nor merge to it", pipeline.ref_name)))
}

/// Refuses those who may not erase a job: developers erase what they started, maintainers all.
pub(crate) fn erase(access: &ProjectAccess, build: &Build) -> Result<()> {
    access.may(Permission::EraseJob)?;
    if access.level >= level::MAINTAINER || (build.user_id.is_some() && build.user_id == access.actor.id()) {
        return Ok(());
    }
    Err(Error::forbidden("developers erase the jobs that they started; a maintainer can erase this one"))
}

//! Artifacts of jobs.

use accounts::audit;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use kernel::api::Api;
use kernel::db::Sql;
use kernel::http::{Paging, Query};
use kernel::jobs::When;
use kernel::{App, Error, Result, Time};
use projects::{Permission, ProjectAccess};
use sandbox::ArtifactEntry;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::artifact_files::{archive, entry};
use super::build;
use super::job_entity::{self, JobEntity};
use crate::artifacts::{Artifact, Expire, delete_all};
use crate::build::Build;
use crate::permit;
use crate::pipeline::Pipeline;

type Ids = Path<(String, String)>;
type Inside = Path<(String, String, String)>;

pub(crate) fn api() -> Api {
    Api::new("Job artifacts")
        .get("/projects/{id}/jobs/{job_id}/artifacts", "Downloads the archive of a job's artifacts", download)
        .delete("/projects/{id}/jobs/{job_id}/artifacts", "Deletes the artifacts of a job", delete)
        .post("/projects/{id}/jobs/{job_id}/artifacts/keep", "Keeps the artifacts of a job from expiring", keep)
        .gives::<JobEntity>()
        .status(200)
        .get("/projects/{id}/jobs/{job_id}/artifacts/tree", "Lists the files in the archive of a job", tree)
        .takes::<Folder>()
        .gives::<Vec<EntryEntity>>()
        .get("/projects/{id}/jobs/{job_id}/artifacts/{*path}", "Downloads one file of the archive of a job", file)
        .get(
            "/projects/{id}/jobs/artifacts/{ref_name}/download",
            "Downloads the archive of a job of the last successful pipeline of a branch or tag",
            download_by_ref,
        )
        .takes::<ByName>()
        .get(
            "/projects/{id}/jobs/artifacts/{ref_name}/raw/{*path}",
            "Downloads one file of such an archive",
            file_by_ref,
        )
        .takes::<ByName>()
        .delete(
            "/projects/{id}/artifacts",
            "Deletes the artifacts of all jobs but the last of each branch and tag",
            delete_of_project,
        )
        .status(202)
}

/// The archive of a job, if the actor may have it.
async fn archive_of(app: &App, access: &ProjectAccess, build: &Build) -> Result<Artifact> {
    let found = Artifact::archive_of(app.db().conn(), build.id).await?.ok_or_else(|| Error::not_found(""))?;
    permit::read_artifact(access, &found)?;
    Ok(found)
}

async fn download(State(app): State<App>, access: ProjectAccess, Path((_, id)): Ids) -> Result<Response> {
    permit::read_artifacts(&access)?;
    let build = build(&app, &access, &id).await?;
    archive(&app, &archive_of(&app, &access, &build).await?).await
}

async fn file(State(app): State<App>, access: ProjectAccess, Path((_, id, path)): Inside) -> Result<Response> {
    permit::read_artifacts(&access)?;
    let build = build(&app, &access, &id).await?;
    entry(&app, &archive_of(&app, &access, &build).await?, &path).await
}

#[derive(Debug, Deserialize, JsonSchema)]
struct ByName {
    /// The name of the job.
    job: String,
}

/// A job of the last successful pipeline of a branch or tag.
async fn build_by_ref(app: &App, access: &ProjectAccess, ref_name: &str, job: &str) -> Result<Build> {
    permit::read_artifacts(access)?;
    let sql = "SELECT * FROM builds WHERE name = $3 AND retried = FALSE AND status = 'success' AND pipeline_id =
                 (SELECT MAX(id) FROM pipelines WHERE project_id = $1 AND ref_name = $2 AND status = 'success')
               ORDER BY id DESC LIMIT 1";
    let found = app.db().one(sql, [access.project.id.into(), ref_name.into(), job.into()]).await?;
    found.ok_or_else(|| Error::not_found(""))
}

async fn download_by_ref(
    State(app): State<App>,
    access: ProjectAccess,
    Path((_, ref_name)): Ids,
    Query(wanted): Query<ByName>,
) -> Result<Response> {
    let build = build_by_ref(&app, &access, &ref_name, &wanted.job).await?;
    archive(&app, &archive_of(&app, &access, &build).await?).await
}

async fn file_by_ref(
    State(app): State<App>,
    access: ProjectAccess,
    Path((_, ref_name, path)): Inside,
    Query(wanted): Query<ByName>,
) -> Result<Response> {
    let build = build_by_ref(&app, &access, &ref_name, &wanted.job).await?;
    entry(&app, &archive_of(&app, &access, &build).await?, &path).await
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Folder {
    /// The folder inside the archive.
    #[serde(default)]
    path: String,
    /// Lists what is below its folders too.
    #[serde(default)]
    recursive: bool,
}

/// A file or folder in an archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
struct EntryEntity {
    name: String,
    path: String,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<String>,
}

async fn tree(
    State(app): State<App>,
    access: ProjectAccess,
    Path((_, id)): Ids,
    Query(folder): Query<Folder>,
    paging: Paging,
) -> Result<Response> {
    permit::read_artifacts(&access)?;
    let build = build(&app, &access, &id).await?;
    let entries = archive_of(&app, &access, &build).await?.entries(&app).await?;
    let all = within(&entries, folder.path.trim_matches('/'), folder.recursive);
    let from = usize::try_from(paging.offset()).unwrap_or(usize::MAX).min(all.len());
    let to = from.saturating_add(usize::try_from(paging.limit()).unwrap_or(100)).min(all.len());
    Ok(paging.list(&all[from..to], i64::try_from(all.len()).unwrap_or(i64::MAX)))
}

/// What lies in a folder of an archive. Folders need no entry of their own.
fn within(entries: &[ArtifactEntry], folder: &str, recursive: bool) -> Vec<EntryEntity> {
    let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let mut found = std::collections::BTreeMap::new();
    for entry in entries {
        let Some(below) = entry.path.strip_prefix(&prefix).filter(|b| !b.is_empty()) else { continue };
        let ends = below.match_indices('/').map(|(at, _)| at).filter(|at| *at > 0);
        let folders = ends.take(if recursive { usize::MAX } else { 1 });
        for end in folders {
            let path = format!("{prefix}{}", &below[..end]);
            found.entry(path.clone()).or_insert_with(|| named(path, "directory"));
        }
        if !below.ends_with('/') && (recursive || !below.contains('/')) {
            let file = EntryEntity {
                size: Some(entry.size),
                mode: Some(format!("{:o}", entry.mode)),
                ..named(entry.path.clone(), "file")
            };
            found.insert(entry.path.clone(), file);
        }
    }
    found.into_values().collect()
}

fn named(path: String, kind: &'static str) -> EntryEntity {
    let name = path.rsplit('/').next().unwrap_or_default().to_owned();
    EntryEntity { name, path, kind, size: None, mode: None }
}

async fn keep(State(app): State<App>, access: ProjectAccess, Path((_, id)): Ids) -> Result<Json<JobEntity>> {
    permit::read_jobs(&access)?;
    let build = build(&app, &access, &id).await?;
    let pipeline = Pipeline::find(app.db().conn(), access.project.id, build.pipeline_id).await?;
    permit::manage(&app, &access, &pipeline.ok_or_else(|| Error::not_found(""))?).await?;
    Artifact::archive_of(app.db().conn(), build.id).await?.ok_or_else(|| Error::not_found(""))?;
    Artifact::keep(app.db().conn(), build.id).await?;
    Ok(Json(job_entity::one(&app, &access.actor, &access.project, &build).await?))
}

async fn delete(State(app): State<App>, access: ProjectAccess, Path((_, id)): Ids) -> Result<StatusCode> {
    permit::read_jobs(&access)?;
    let build = build(&app, &access, &id).await?;
    access.may(Permission::DeleteArtifacts)?;
    let details = json!({ "job": build.name, "job_id": build.id });
    audit::record(app.db().conn(), &access.actor, "artifacts.deleted", ("project", access.project.id), details).await?;
    delete_all(&app, build.id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Expires what may go; the files are removed in the background.
async fn delete_of_project(State(app): State<App>, access: ProjectAccess) -> Result<(StatusCode, Json<Value>)> {
    access.may(Permission::DeleteArtifacts)?;
    let last = "AND build_id NOT IN (SELECT b.id FROM builds b WHERE b.pipeline_id IN
                  (SELECT MAX(id) FROM pipelines WHERE project_id = $1 AND status = 'success' GROUP BY ref_name))";
    let kept = if access.settings.keep_latest_artifact { last } else { "" };
    let tx = app.begin().await?;
    let sql = format!("UPDATE build_artifacts SET expires_at = $2 WHERE project_id = $1 {kept}");
    tx.run(&sql, [access.project.id.into(), Time::now().into()]).await?;
    audit::record(&*tx, &access.actor, "artifacts.deleted", ("project", access.project.id), json!({})).await?;
    tx.enqueue(&Expire {}, When::default()).await?;
    tx.commit().await?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "message": "202 Accepted" }))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_seen_without_entries() {
        let file = |path: &str| ArtifactEntry { path: path.into(), size: 3, compressed: 3, crc32: 0, mode: 0o644 };
        let entries = [file("a.txt"), file("out/"), file("out/b.txt"), file("out/deep/er/c.txt"), file("/d")];
        let paths = |folder, recursive| {
            within(&entries, folder, recursive).into_iter().map(|e| (e.path, e.kind)).collect::<Vec<_>>()
        };
        let has = |list: &[(String, &str)], path: &str, kind| list.contains(&(path.to_owned(), kind));
        let top = paths("", false);
        assert!(
            has(&top, "a.txt", "file") && has(&top, "out", "directory") && !has(&top, "out/b.txt", "file"),
            "{top:?}"
        );
        let out = paths("out", false);
        assert_eq!(out, [("out/b.txt".to_owned(), "file"), ("out/deep".to_owned(), "directory")]);
        let all = paths("", true);
        assert!(has(&all, "out/deep/er", "directory") && has(&all, "out/deep/er/c.txt", "file"), "{all:?}");
        assert!(paths("nowhere", false).is_empty());
    }
}

//! Searching a project's files and commits.

use async_trait::async_trait;
use git::log::LogQuery;
use git::{Oid, Repo};
use kernel::{App, Result};
use projects::hooks::{Hit, Wanted, Within};
use projects::{Permission, ProjectAccess, SearchScope};
use serde_json::json;

use super::code::{Code, encoded};
use super::commit_entity::CommitEntity;
use crate::error::OrStatus;
use crate::repository;

/// The files of a project.
#[derive(Debug)]
pub(crate) struct Blobs;

/// The messages of a project's commits.
#[derive(Debug)]
pub(crate) struct Commits;

/// Where is looked: the commit, and how it was named.
struct Place<'a> {
    access: &'a ProjectAccess,
    repo: Repo,
    reference: String,
    commit: Oid,
}

/// The place, if the actor may read it and it is there.
async fn place<'a>(app: &App, within: Within<'a>, wanted: Wanted<'_>) -> Result<Option<Place<'a>>> {
    let Within::Project(access) = within else { return Ok(None) };
    if !access.can(Permission::ReadCode) {
        return Ok(None);
    }
    let repo = repository::open(app, &access.project).await?;
    let reference = wanted.reference.filter(|r| !r.is_empty()).unwrap_or(access.project.branch()).to_owned();
    match repo.resolve(&reference).await {
        Ok(found) => Ok(Some(Place { access, repo, reference, commit: found.commit })),
        Err(_) => Ok(None),
    }
}

fn counts(wanted: Wanted<'_>) -> (usize, usize) {
    let most = 10_000;
    let bounded = |n: i64| usize::try_from(n).unwrap_or(0).min(most);
    (bounded(wanted.offset), bounded(wanted.limit))
}

#[async_trait]
impl SearchScope for Blobs {
    fn name(&self) -> &'static str {
        "blobs"
    }

    fn title(&self) -> &'static str {
        "Code"
    }

    fn fits(&self, within: Within<'_>) -> bool {
        matches!(within, Within::Project(access) if access.can(Permission::ReadCode))
    }

    async fn find(&self, app: &App, within: Within<'_>, wanted: Wanted<'_>) -> Result<Vec<Hit>> {
        let Some(place) = place(app, within, wanted).await? else { return Ok(vec![]) };
        let (skip, limit) = counts(wanted);
        let found = place.repo.grep(place.commit, wanted.text, skip, limit).await.or_status()?;
        let project = &place.access.project;
        let hit = |hit: &git::grep::GrepHit| {
            let (path, text) = (hit.path.lossy(), hit.text.lossy());
            let name = path.rsplit('/').next().unwrap_or_default();
            let basename = match path.rsplit_once('.') {
                Some((stem, extension)) if !extension.contains('/') && !stem.is_empty() => stem,
                _ => &path,
            };
            let entity = json!({
                "basename": basename, "data": text, "path": path, "filename": path, "id": null,
                "ref": place.reference, "startline": hit.first_line, "project_id": project.id, "group_id": null,
            });
            let (reference, file) = (encoded(place.reference.as_bytes()), encoded(&hit.path));
            Hit {
                entity,
                title: name.to_owned(),
                href: format!("/{}/-/blob/{reference}/{file}#L{}", project.full_path, hit.first_line),
                note: path.clone().into_owned(),
                excerpt: Some(text.clone().into_owned()),
            }
        };
        Ok(found.iter().map(hit).collect())
    }
}

#[async_trait]
impl SearchScope for Commits {
    fn name(&self) -> &'static str {
        "commits"
    }

    fn title(&self) -> &'static str {
        "Commits"
    }

    fn fits(&self, within: Within<'_>) -> bool {
        matches!(within, Within::Project(access) if access.can(Permission::ReadCode))
    }

    async fn find(&self, app: &App, within: Within<'_>, wanted: Wanted<'_>) -> Result<Vec<Hit>> {
        let Some(place) = place(app, within, wanted).await? else { return Ok(vec![]) };
        let (skip, limit) = counts(wanted);
        let query = LogQuery { message: Some(wanted.text.to_owned()), skip, ..LogQuery::of(place.commit, limit) };
        let found = place.repo.log(query).await.or_status()?;
        let code = Code { access: place.access.clone(), repo: place.repo };
        let project = &code.access.project;
        let hit = |commit: &git::Commit| {
            let mut entity = serde_json::to_value(CommitEntity::of(app, &code, commit))?;
            entity["project_id"] = project.id.into();
            Ok(Hit {
                entity,
                title: commit.title().lossy().into_owned(),
                href: format!("/{}/-/commit/{}", project.full_path, commit.id),
                note: format!("{} {}", commit.id.short(), commit.author.name.lossy()),
                excerpt: None,
            })
        };
        found.iter().map(hit).collect()
    }
}

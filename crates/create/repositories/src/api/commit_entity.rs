//! Commits as the API shows them.

use std::collections::{BTreeMap, HashMap};

use git::log::CommitStats;
use git::{Commit, Oid, Signature};
use kernel::{App, Result, Time};
use projects::{Permission, Project};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::code::Code;
use crate::error::OrStatus;
use crate::{CommitStatus, LastPipelines};

/// Changed lines of a commit.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub(crate) struct StatsEntity {
    additions: u64,
    deletions: u64,
    total: u64,
}

/// A commit.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CommitEntity {
    pub(crate) id: String,
    short_id: String,
    created_at: String,
    parent_ids: Vec<String>,
    pub(crate) title: String,
    message: String,
    author_name: String,
    author_email: String,
    authored_date: String,
    committer_name: String,
    committer_email: String,
    committed_date: String,
    /// The last value of each trailer.
    trailers: BTreeMap<String, String>,
    /// All values of each trailer.
    extended_trailers: BTreeMap<String, Vec<String>>,
    web_url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    stats: Option<StatsEntity>,
}

/// A commit with how it fares.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct CommitDetail {
    #[serde(flatten)]
    commit: CommitEntity,
    status: Option<String>,
    project_id: i64,
    last_pipeline: Option<Value>,
}

impl StatsEntity {
    pub(crate) fn of(stats: CommitStats) -> Self {
        let CommitStats { additions, deletions, .. } = stats;
        Self { additions, deletions, total: additions + deletions }
    }
}

impl CommitEntity {
    /// The commit without trailers and stats.
    pub(crate) fn of(app: &App, code: &Code, commit: &Commit) -> Self {
        Self::in_project(app, &code.access.project, commit)
    }

    /// The same for those who need no more of the repository.
    pub fn in_project(app: &App, project: &Project, commit: &Commit) -> Self {
        let (author, committer) = (&commit.author, &commit.committer);
        Self {
            id: commit.id.to_string(),
            short_id: commit.id.short(),
            created_at: date(committer),
            parent_ids: commit.parents.iter().map(Oid::to_string).collect(),
            title: commit.title().lossy().into_owned(),
            message: commit.message.lossy().into_owned(),
            author_name: author.name.lossy().into_owned(),
            author_email: author.email.lossy().into_owned(),
            authored_date: date(author),
            committer_name: committer.name.lossy().into_owned(),
            committer_email: committer.email.lossy().into_owned(),
            committed_date: date(committer),
            trailers: BTreeMap::new(),
            extended_trailers: BTreeMap::new(),
            web_url: project.url(app, &format!("/-/commit/{}", commit.id)),
            stats: None,
        }
    }

    /// Adds what stands in the last paragraph of the message.
    #[must_use]
    pub fn with_trailers(mut self, commit: &Commit) -> Self {
        for (key, value) in commit.trailers() {
            self.trailers.insert(key.clone(), value.clone());
            self.extended_trailers.entry(key).or_default().push(value);
        }
        self
    }

    /// Adds the counts of changed lines, if they are known.
    pub(crate) fn with_stats(mut self, stats: &HashMap<Oid, CommitStats>, id: Oid) -> Self {
        self.stats = stats.get(&id).copied().map(StatsEntity::of);
        self
    }
}

/// A commit with its trailers, and its stats if wanted.
pub(crate) async fn one(app: &App, code: &Code, id: Oid, stats: bool) -> Result<CommitEntity> {
    let commit = code.repo.commit(id).await.or_status()?;
    let entity = CommitEntity::of(app, code, &commit).with_trailers(&commit);
    if !stats {
        return Ok(entity);
    }
    let mut counted = code.repo.commit_stats(&[id]).await.or_status()?;
    // A commit that changes nothing is not in the list.
    counted.entry(id).or_default();
    Ok(entity.with_stats(&counted, id))
}

/// A commit with how it fares.
pub(crate) async fn detail(app: &App, code: &Code, id: Oid, stats: bool) -> Result<CommitDetail> {
    let commit = one(app, code, id, stats).await?;
    let project = &code.access.project;
    let (mut status, mut last_pipeline) = (None, None);
    if code.access.can(Permission::ReadPipelines) {
        let combined = CommitStatus::combined(app.db().conn(), project.id, std::slice::from_ref(&commit.id)).await?;
        status = combined.get(&commit.id).map(|c| c.status.clone());
        if let Some(source) = app.get::<LastPipelines>() {
            last_pipeline = source.0.of_commit(app, project, &commit.id).await?;
        }
    }
    Ok(CommitDetail { commit, status, project_id: project.id, last_pipeline })
}

/// An instant with the offset that the commit has, such as `2026-02-03T04:05:06.000+02:00`.
pub(crate) fn date(signature: &Signature) -> String {
    let offset = i64::from(signature.offset);
    let local = Time::from_seconds(signature.time.saturating_add(offset)).rfc3339();
    let minutes = offset.abs() / 60;
    let sign = if offset < 0 { '-' } else { '+' };
    format!("{}{sign}{:02}:{:02}", local.trim_end_matches('Z'), minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_keep_their_offset() {
        let at = |time, offset| date(&Signature::new("a", "b", time, offset));
        assert_eq!(at(0, 0), "1970-01-01T00:00:00.000+00:00");
        assert_eq!(at(0, 19_800), "1970-01-01T05:30:00.000+05:30");
        assert_eq!(at(7200, -5400), "1970-01-01T00:30:00.000-01:30");
    }
}

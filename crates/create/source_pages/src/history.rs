//! Commits as rows: with the people behind them and how their builds fared.

use std::collections::HashMap;

use git::{ByteString, Commit, Oid, Repo};
use kernel::{App, Result};
use projects::{Permission, ProjectAccess};
use repositories::CommitStatus;
use repositories::commit_status::Combined;
use ui::Status;

use crate::links::Links;
use crate::people::People;
use crate::place::OrNothing;

/// Seconds as the interface takes times.
pub(crate) fn micros(seconds: i64) -> i64 {
    seconds.saturating_mul(1_000_000)
}

/// The title of a commit, never empty.
pub(crate) fn title(commit: &Commit) -> String {
    let title = commit.title().lossy().into_owned();
    if title.is_empty() { "(no message)".into() } else { title }
}

/// The states of the commits' builds, where the actor may see those.
pub(crate) async fn statuses(app: &App, access: &ProjectAccess, ids: &[Oid]) -> Result<HashMap<String, Combined>> {
    if ids.is_empty() || !access.can(Permission::ReadPipelines) {
        return Ok(HashMap::new());
    }
    let shas: Vec<String> = ids.iter().map(Oid::to_string).collect();
    CommitStatus::combined(app.db().conn(), access.project.id, &shas).await
}

/// A state with the address of its pipeline, or of the commit where it was set from outside.
pub(crate) fn state(links: &Links, sha: &str, found: &HashMap<String, Combined>) -> Option<(Status, String)> {
    let combined = found.get(sha)?;
    let href = combined.pipeline_id.map_or_else(|| links.commit(sha), |id| links.page(&format!("pipelines/{id}")));
    Some((Status::parse(&combined.status)?, href))
}

/// Makes rows of commits, with a fixed number of queries.
pub(crate) async fn rows(app: &App, access: &ProjectAccess, commits: &[Commit]) -> Result<Vec<ui::commits::Commit>> {
    let links = Links::of(&access.project);
    let ids: Vec<Oid> = commits.iter().map(|c| c.id).collect();
    let emails = commits.iter().map(|c| c.author.email.lossy().into_owned()).collect();
    let people = People::by_email(app, emails).await?;
    let states = statuses(app, access, &ids).await?;
    Ok(commits.iter().map(|commit| row(&links, &people, &states, commit)).collect())
}

fn row(links: &Links, people: &People, states: &HashMap<String, Combined>, commit: &Commit) -> ui::commits::Commit {
    let id = commit.id.to_string();
    ui::commits::Commit {
        parents: commit.parents.iter().map(Oid::to_string).collect(),
        title: title(commit),
        message: commit.body().lossy().into_owned(),
        href: links.commit(&id),
        author: people.name(&commit.author),
        author_href: people.href(&commit.author),
        avatar: people.picture(&commit.author),
        at: micros(commit.committer.time),
        status: state(links, &id, states),
        browse_href: Some(links.at("tree", &id, "")),
        id,
        ..Default::default()
    }
}

/// Names of branches and tags by the commit that they point at, for marks in lists.
pub(crate) async fn marks(repo: &Repo) -> Result<HashMap<Oid, Vec<ByteString>>> {
    let mut marks: HashMap<Oid, Vec<ByteString>> = HashMap::new();
    for found in repo.all_refs(repositories::HIDDEN_REFS).await.or_404()? {
        if found.name.is_branch() || found.name.is_tag() {
            marks.entry(found.commit.unwrap_or(found.target)).or_default().push(found.name.short());
        }
    }
    Ok(marks)
}

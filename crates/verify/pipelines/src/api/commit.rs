//! The commits of jobs.

use std::collections::{BTreeSet, HashMap};

use git::{Commit, Oid};
use kernel::App;
use projects::Project;
use repositories::CommitEntity;

/// Those of the commits that can be read, by their ids. A job outlives its commit.
pub(crate) async fn load(app: &App, project: &Project, shas: BTreeSet<&str>) -> HashMap<String, CommitEntity> {
    let mut found = HashMap::new();
    let Ok(repo) = repositories::open(app, project).await else { return found };
    let ids: Vec<Oid> = shas.iter().filter_map(|s| Oid::from_hex(s.as_bytes()).ok()).collect();
    let commits = match repo.commits(ids.clone()).await {
        Ok(all) => all,
        Err(_) => one_by_one(&repo, ids).await,
    };
    found
        .extend(commits.iter().map(|c| (c.id.to_string(), CommitEntity::in_project(app, project, c).with_trailers(c))));
    found
}

async fn one_by_one(repo: &git::Repo, ids: Vec<Oid>) -> Vec<Commit> {
    let mut found = vec![];
    for id in ids {
        found.extend(repo.commit(id).await.ok());
    }
    found
}

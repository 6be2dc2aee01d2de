//! Directories of a commit.

use axum::response::Response;
use git::tree::{Entry, EntryKind};
use git::{GitError, Oid, Repo, RepoPath};
use kernel::api::Api;
use kernel::http::{Paging, Query};
use kernel::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::code::{Code, path_of};
use crate::status_of;

/// Entries that are looked through for the one that a page token names.
const MAX_SOUGHT: usize = 200_000;

pub(crate) fn api() -> Api {
    Api::new("Repository")
        .get("/projects/{id}/repository/tree", "Lists files and folders", list)
        .takes::<Asked>()
        .gives::<Vec<TreeEntry>>()
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Asked {
    /// The folder; the root where it is absent.
    path: Option<String>,
    /// A branch, tag or commit; the default branch where it is absent.
    #[serde(rename = "ref")]
    reference: Option<String>,
    /// Lists everything below as well.
    #[serde(default)]
    recursive: bool,
}

/// A file or folder.
#[derive(Debug, Serialize, JsonSchema)]
struct TreeEntry {
    id: String,
    name: String,
    #[serde(rename = "type")]
    kind: &'static str,
    path: String,
    mode: &'static str,
}

impl TreeEntry {
    fn of(entry: &Entry) -> Self {
        let kind = match entry.kind {
            EntryKind::Tree => "tree",
            EntryKind::Submodule => "commit",
            _ => "blob",
        };
        Self {
            id: entry.oid.to_string(),
            name: entry.name.lossy().into_owned(),
            kind,
            path: entry.path.lossy().into_owned(),
            mode: entry.kind.mode(),
        }
    }
}

async fn list(code: Code, Query(asked): Query<Asked>, paging: Paging) -> Result<Response> {
    let reference = asked.reference.as_deref().filter(|r| !r.is_empty()).unwrap_or(code.access.project.branch());
    let mut place = Place {
        commit: code.commit_of(reference, "Tree").await?,
        dir: path_of("path", asked.path.as_deref().unwrap_or_default())?,
        recursive: asked.recursive,
    };
    let size = usize::try_from(paging.limit()).unwrap_or(100);
    let mut skip = usize::try_from(paging.offset()).unwrap_or(usize::MAX);
    if let (true, Some(token)) = (paging.keyset, &paging.cursor) {
        skip = place.resume(&code.repo, token).await?;
    }
    let (mut items, total) = place.read(&code.repo, skip, size + 1).await?;
    let more = items.len() > size;
    if paging.keyset {
        items.truncate(size);
        let next = more.then(|| format!("{}-{}", place.commit, skip + size));
        return Ok(paging.list_keyset(&items, next.as_deref()));
    }
    Ok(match total {
        Some(total) => {
            items.truncate(size);
            paging.list(&items, i64::try_from(total).unwrap_or(i64::MAX))
        }
        None => paging.list_uncounted(&items),
    })
}

struct Place {
    commit: Oid,
    dir: RepoPath,
    recursive: bool,
}

impl Place {
    /// Entries, and how many there are where that is known.
    async fn read(&self, repo: &Repo, skip: usize, limit: usize) -> Result<(Vec<TreeEntry>, Option<usize>)> {
        if self.recursive {
            let page = repo.list_recursive(self.commit, &self.dir, skip, limit).await.map_err(no_tree)?;
            return Ok((page.items.iter().map(TreeEntry::of).collect(), None));
        }
        let all = repo.list_dir(self.commit, &self.dir).await.map_err(no_tree)?;
        let items = all.iter().skip(skip).take(limit).map(TreeEntry::of).collect();
        Ok((items, Some(all.len())))
    }

    /// Where a page token leads: our own say the commit and the place, so that a push in between shifts nothing; a plain
    /// object id is the last entry of the page before.
    async fn resume(&mut self, repo: &Repo, token: &str) -> Result<usize> {
        let unknown = || Error::BadParameter("page_token is invalid".into());
        if let Some((commit, place)) = token.split_once('-') {
            self.commit = Oid::from_hex(commit.as_bytes()).map_err(|_| unknown())?;
            return place.parse().map_err(|_| unknown());
        }
        let (entries, _) = self.read(repo, 0, MAX_SOUGHT).await?;
        let at = entries.iter().position(|entry| entry.id == token).ok_or_else(unknown)?;
        Ok(at + 1)
    }
}

fn no_tree(error: GitError) -> Error {
    if error.is_not_found() { Error::not_found("Tree") } else { status_of(error) }
}

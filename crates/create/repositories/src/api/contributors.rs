//! Who wrote the history.

use axum::response::Response;
use git::stats::Contributor;
use kernel::Result;
use kernel::api::Api;
use kernel::http::{Paging, Query};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::code::Code;
use crate::error::OrStatus;

pub(crate) fn api() -> Api {
    Api::new("Repository")
        .get("/projects/{id}/repository/contributors", "Lists contributors", list)
        .takes::<Asked>()
        .gives::<Vec<ContributorEntity>>()
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Asked {
    /// A branch, tag or commit; the default branch where it is absent.
    #[serde(rename = "ref")]
    reference: Option<String>,
    /// What the list is sorted by: the number of commits where it is absent.
    #[serde(default)]
    order_by: OrderBy,
    /// The direction.
    #[serde(default)]
    sort: Sort,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum OrderBy {
    Name,
    Email,
    #[default]
    Commits,
}

#[derive(Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Sort {
    #[default]
    Asc,
    Desc,
}

/// Somebody who wrote a part of the history. Lines are not counted, which would take reading every change.
#[derive(Debug, Serialize, JsonSchema)]
struct ContributorEntity {
    name: String,
    email: String,
    commits: u64,
    additions: u64,
    deletions: u64,
}

impl ContributorEntity {
    fn of(person: &Contributor) -> Self {
        Self {
            name: person.name.lossy().into_owned(),
            email: person.email.lossy().into_owned(),
            commits: person.commits,
            additions: person.additions,
            deletions: person.deletions,
        }
    }
}

async fn list(code: Code, Query(asked): Query<Asked>, paging: Paging) -> Result<Response> {
    let reference = asked.reference.as_deref().filter(|r| !r.is_empty()).unwrap_or(code.access.project.branch());
    let tip = code.commit_of(reference, "Contributors").await?;
    let people = code.repo.contributors(tip, false).await.or_status()?;
    let mut sorted: Vec<&Contributor> = people.iter().collect();
    match asked.order_by {
        OrderBy::Name => sorted.sort_by(|a, b| a.name.cmp(&b.name)),
        OrderBy::Email => sorted.sort_by(|a, b| a.email.cmp(&b.email)),
        OrderBy::Commits => sorted.sort_by_key(|p| p.commits),
    }
    if asked.sort == Sort::Desc {
        sorted.reverse();
    }
    let offset = usize::try_from(paging.offset()).unwrap_or(usize::MAX);
    let limit = usize::try_from(paging.limit()).unwrap_or(100);
    let page: Vec<ContributorEntity> =
        sorted.iter().skip(offset).take(limit).map(|p| ContributorEntity::of(p)).collect();
    Ok(paging.list(&page, i64::try_from(sorted.len()).unwrap_or(i64::MAX)))
}

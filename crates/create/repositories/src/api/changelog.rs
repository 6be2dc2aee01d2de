//! Changelogs made from the trailers of commits.

use axum::Json;
use axum::extract::State;
use git::log::LogQuery;
use git::refs::RefQuery;
use git::write::Action;
use git::{Oid, RepoPath};
use http::StatusCode;
use kernel::api::Api;
use kernel::http::{Params, Query};
use kernel::{App, Error, Result, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::code::{Code, Pushable, filled, path_of};
use super::notes::{self, Entry, Version};
use super::writing::{Change, commit};
use crate::error::OrStatus;
use crate::status_of;

/// The most commits that one changelog looks at.
const MAX_COMMITS: usize = 10_000;
/// The largest changelog that is extended.
const MAX_FILE: u64 = 4 << 20;
const PATH: &str = "/projects/{id}/repository/changelog";

pub(crate) fn api() -> Api {
    Api::new("Repository")
        .get(PATH, "Makes the changelog of a version", show)
        .takes::<Asked>()
        .gives::<NotesEntity>()
        .post(PATH, "Adds a version to the changelog", add)
        .takes::<Added>()
        .status(200)
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Asked {
    /// The version, such as `1.2.0`.
    version: String,
    /// The commit before the first one; the tag of the version before where it is absent.
    from: Option<String>,
    /// The last commit; the tip of the default branch where it is absent.
    to: Option<String>,
    /// The date of the version; today where it is absent.
    date: Option<Time>,
    /// The trailer to look at; `Changelog` where it is absent.
    trailer: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Added {
    /// The version, such as `1.2.0`.
    version: String,
    /// The commit before the first one; the tag of the version before where it is absent.
    from: Option<String>,
    /// The last commit; the tip of the branch where it is absent.
    to: Option<String>,
    /// The date of the version; today where it is absent.
    date: Option<Time>,
    /// The trailer to look at; `Changelog` where it is absent.
    trailer: Option<String>,
    /// The branch to commit to; the default branch where it is absent.
    branch: Option<String>,
    /// The file; `CHANGELOG.md` where it is absent.
    file: Option<String>,
    /// The message of the commit.
    message: Option<String>,
}

/// What changed in a version, as Markdown.
#[derive(Debug, Serialize, JsonSchema)]
struct NotesEntity {
    notes: String,
}

async fn show(State(app): State<App>, code: Code, Query(asked): Query<Asked>) -> Result<Json<NotesEntity>> {
    let (_, notes) = section(&app, &code, &asked, code.access.project.branch()).await?;
    Ok(Json(NotesEntity { notes }))
}

async fn add(State(app): State<App>, Pushable(code): Pushable, Params(added): Params<Added>) -> Result<StatusCode> {
    let branch = added.branch.filter(|b| !b.is_empty()).unwrap_or_else(|| code.access.project.branch().to_owned());
    let Added { version, from, to, date, trailer, file, message, .. } = added;
    let path = path_of("file", file.as_deref().filter(|f| !f.is_empty()).unwrap_or("CHANGELOG.md"))?;
    let message = message.unwrap_or_else(|| format!("Add changelog for version {version}"));
    let asked = Asked { version, from, to, date, trailer };
    let (version, section) = section(&app, &code, &asked, &branch).await?;
    let tip = code.commit_of(&branch, "Branch").await?;
    let (action, last) = written(&code, tip, &path, &version, &section).await?;
    let change = Change {
        branch,
        start: None,
        force: false,
        message,
        author: (None, None),
        actions: vec![action],
        unchanged_since: last.into_iter().map(|id| (path.clone(), id)).collect(),
    };
    commit(&app, &code, change).await?;
    Ok(StatusCode::OK)
}

/// What to write, and the commit that must still have changed the file last.
async fn written(
    code: &Code,
    tip: Oid,
    path: &RepoPath,
    version: &Version,
    section: &str,
) -> Result<(Action, Option<Oid>)> {
    match code.repo.blob_at(tip, path, MAX_FILE).await {
        Ok(blob) if blob.truncated => Err(Error::TooLarge("the changelog is too large to be extended".into())),
        Ok(blob) => {
            let content = notes::insert(&String::from_utf8_lossy(&blob.data), version, section).into_bytes();
            let last = code.repo.last_commit_of(tip, path).await.or_status()?;
            Ok((Action::Update { path: path.clone(), content }, last))
        }
        Err(e) if e.is_not_found() => {
            let content = section.as_bytes().to_vec();
            Ok((Action::Create { path: path.clone(), content, executable: false }, None))
        }
        Err(e) => Err(status_of(e)),
    }
}

async fn section(app: &App, code: &Code, asked: &Asked, branch: &str) -> Result<(Version, String)> {
    let version = Version::parse(filled("version", &asked.version)?);
    let version = version.ok_or_else(|| Error::BadParameter("version is invalid".into()))?;
    let end = asked.to.as_deref().filter(|t| !t.is_empty()).unwrap_or(branch);
    let to = code.commit_of(end, "Commit").await?;
    let from = match asked.from.as_deref().filter(|f| !f.is_empty()) {
        Some(from) => code.commit_of(from, "Commit").await?,
        None => before(code, &version).await?,
    };
    let query = LogQuery { exclude: vec![from], ..LogQuery::of(to, MAX_COMMITS) };
    let commits = code.repo.log(query).await.or_status()?;
    let trailer = asked.trailer.as_deref().unwrap_or("Changelog");
    let entries: Vec<Entry> = commits.iter().filter_map(|c| entry(app, code, c, trailer)).collect();
    let date = asked.date.unwrap_or_else(Time::now).date();
    let text = notes::section(&asked.version, &date, &entries);
    Ok((version, text))
}

fn entry(app: &App, code: &Code, commit: &git::Commit, trailer: &str) -> Option<Entry> {
    let trailers = commit.trailers();
    let value = |name: &str| trailers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, v)| v.clone());
    Some(Entry {
        category: value(trailer).filter(|c| !c.is_empty())?,
        title: commit.title().lossy().into_owned(),
        url: code.url(app, &format!("/-/commit/{}", commit.id)),
        author: commit.author.name.lossy().into_owned(),
        merge_request: value("MR"),
    })
}

/// The commit of the highest released version below this one.
async fn before(code: &Code, version: &Version) -> Result<Oid> {
    let tags = code.repo.tags(RefQuery::default()).await.or_status()?.items;
    let known = tags.iter().filter_map(|tag| Some((Version::parse(&tag.name.short().lossy())?, tag.commit?)));
    let older = known.filter(|(known, _)| known.is_release() && known < version);
    let last = older.max_by(|a, b| a.0.cmp(&b.0)).map(|(_, commit)| commit);
    last.ok_or_else(|| {
        Error::Unprocessable("there is no tag of an earlier version to start from; give the parameter from".into())
    })
}

//! Commits with several changes at once.

use axum::Json;
use axum::extract::State;
use git::Oid;
use git::RepoPath;
use git::write::Action;
use http::StatusCode;
use kernel::api::Api;
use kernel::http::Params;
use kernel::{App, Error, Result};
use schemars::JsonSchema;
use serde::Deserialize;

use super::code::{Pushable, path_of};
use super::commit_entity::{self, CommitDetail};
use super::writing::{Change, Encoding, commit, known_commit};

/// The most changes in one commit.
const MAX_ACTIONS: usize = 20_000;

pub(crate) fn api() -> Api {
    Api::new("Commits")
        .post("/projects/{id}/repository/commits", "Makes a commit with several changes", create)
        .takes::<NewCommit>()
        .gives::<CommitDetail>()
}

#[derive(Debug, Deserialize, JsonSchema)]
struct NewCommit {
    /// The branch to commit to.
    branch: String,
    /// The message.
    commit_message: String,
    /// Where a new branch starts: a branch or tag.
    start_branch: Option<String>,
    /// Where a new branch starts: a commit.
    start_sha: Option<String>,
    /// The project that the start is in; only this one.
    start_project: Option<String>,
    /// The changes, in order.
    actions: Vec<NewAction>,
    /// The address of the author, where it isn't one's own.
    author_email: Option<String>,
    /// The name of the author, where it isn't one's own.
    author_name: Option<String>,
    /// Counts the changed lines in the answer; yes where it is absent.
    stats: Option<bool>,
    /// Moves an existing branch to the start first.
    #[serde(default)]
    force: bool,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct NewAction {
    /// What to do.
    action: Kind,
    /// The file.
    file_path: String,
    /// The file before it is moved.
    previous_path: Option<String>,
    /// The contents.
    content: Option<String>,
    /// How the contents are written: `text` or `base64`.
    encoding: Option<Encoding>,
    /// The commit that changed the file last, as far as one knows; another one refuses the change.
    last_commit_id: Option<String>,
    /// Whether the file may be run.
    execute_filemode: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Create,
    Update,
    Delete,
    Move,
    Chmod,
}

async fn create(
    State(app): State<App>,
    Pushable(code): Pushable,
    Params(new): Params<NewCommit>,
) -> Result<(StatusCode, Json<CommitDetail>)> {
    let project = &code.access.project;
    if new.start_project.as_deref().is_some_and(|p| p != project.id.to_string() && p != project.full_path) {
        return Err(Error::bad_request("start_project: a commit can only start from the project itself"));
    }
    if new.start_branch.is_some() && new.start_sha.is_some() {
        return Err(Error::BadParameter("start_branch, start_sha are mutually exclusive".into()));
    }
    if new.actions.len() > MAX_ACTIONS {
        return Err(Error::BadParameter(format!("actions is too long (maximum is {MAX_ACTIONS} actions)")));
    }
    let (mut actions, mut unchanged_since) = (vec![], vec![]);
    for action in new.actions {
        unchanged_since.extend(action.known()?);
        actions.extend(action.read()?);
    }
    let change = Change {
        branch: new.branch,
        start: new.start_branch.or(new.start_sha),
        force: new.force,
        message: new.commit_message,
        author: (new.author_name, new.author_email),
        actions,
        unchanged_since,
    };
    let made = commit(&app, &code, change).await?;
    let entity = commit_entity::detail(&app, &code, made, new.stats.unwrap_or(true)).await?;
    Ok((StatusCode::CREATED, Json(entity)))
}

impl NewAction {
    /// The file that must still have been changed last by the commit that the client knows.
    fn known(&self) -> Result<Option<(RepoPath, Oid)>> {
        let Some(id) = self.last_commit_id.as_deref().filter(|id| !id.is_empty()) else { return Ok(None) };
        let path = match self.action {
            Kind::Create => return Ok(None),
            Kind::Move => self.previous()?,
            _ => file("file_path", &self.file_path)?,
        };
        Ok(Some((path, known_commit(id)?)))
    }

    fn previous(&self) -> Result<RepoPath> {
        let missing = || Error::BadParameter("actions[previous_path] is missing".into());
        file("previous_path", self.previous_path.as_deref().ok_or_else(missing)?)
    }

    /// What it takes: one action, or two where a changed file also gets another mode.
    fn read(self) -> Result<Vec<Action>> {
        let path = file("file_path", &self.file_path)?;
        let from = if self.action == Kind::Move { Some(self.previous()?) } else { None };
        let encoding = self.encoding.unwrap_or_default();
        let content = self.content.map(|text| encoding.decode("content", text)).transpose()?;
        let missing = |name: &str| Error::BadParameter(format!("actions[{name}] is missing"));
        let main = match (self.action, from) {
            (Kind::Create, _) => {
                let executable = self.execute_filemode.unwrap_or(false);
                return Ok(vec![Action::Create { path, content: content.unwrap_or_default(), executable }]);
            }
            (Kind::Update, _) => {
                Action::Update { path: path.clone(), content: content.ok_or_else(|| missing("content"))? }
            }
            (Kind::Delete, _) => return Ok(vec![Action::Delete { path }]),
            (Kind::Move, Some(from)) => Action::Move { from, to: path.clone(), content },
            (Kind::Move, None) => return Err(missing("previous_path")),
            (Kind::Chmod, _) => {
                let executable = self.execute_filemode.ok_or_else(|| missing("execute_filemode"))?;
                return Ok(vec![Action::Chmod { path, executable }]);
            }
        };
        let chmod = self.execute_filemode.map(|executable| Action::Chmod { path, executable });
        Ok(std::iter::once(main).chain(chmod).collect())
    }
}

fn file(name: &str, text: &str) -> Result<RepoPath> {
    let path = path_of(name, text)?;
    if path.is_root() { Err(Error::BadParameter(format!("{name} is empty"))) } else { Ok(path) }
}

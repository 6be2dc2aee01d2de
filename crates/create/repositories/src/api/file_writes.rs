//! Files that are created, changed and deleted, each by a commit of its own.

use axum::Json;
use axum::extract::{Path, State};
use git::RepoPath;
use git::write::Action;
use http::StatusCode;
use kernel::api::Api;
use kernel::http::Params;
use kernel::{App, Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::code::{Pushable, path_of};
use super::writing::{Change, Encoding, commit, known_commit};

const PATH: &str = "/projects/{id}/repository/files/{file_path}";

pub(crate) fn api() -> Api {
    Api::new("Repository files")
        .post(PATH, "Creates a file", create)
        .takes::<Write>()
        .gives::<FileChanged>()
        .put(PATH, "Changes a file", update)
        .takes::<Write>()
        .gives::<FileChanged>()
        .delete(PATH, "Deletes a file", delete)
        .takes::<Delete>()
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Write {
    /// The branch to commit to.
    branch: String,
    /// The message of the commit.
    commit_message: String,
    /// Where a new branch starts.
    start_branch: Option<String>,
    /// The address of the author, where it isn't one's own.
    author_email: Option<String>,
    /// The name of the author, where it isn't one's own.
    author_name: Option<String>,
    /// The commit that changed the file last, as far as one knows; another one refuses the change.
    last_commit_id: Option<String>,
    /// The contents.
    content: String,
    /// How the contents are written: `text` or `base64`.
    encoding: Option<Encoding>,
    /// Whether the file may be run.
    execute_filemode: Option<bool>,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Delete {
    /// The branch to commit to.
    branch: String,
    /// The message of the commit.
    commit_message: String,
    /// Where a new branch starts.
    start_branch: Option<String>,
    /// The address of the author, where it isn't one's own.
    author_email: Option<String>,
    /// The name of the author, where it isn't one's own.
    author_name: Option<String>,
    /// The commit that changed the file last, as far as one knows; another one refuses the change.
    last_commit_id: Option<String>,
}

impl Write {
    /// The contents, the mode, and what a deletion takes as well.
    fn split(self) -> Result<(Vec<u8>, Option<bool>, Delete)> {
        let content = self.encoding.unwrap_or_default().decode("content", self.content)?;
        let common = Delete {
            branch: self.branch,
            commit_message: self.commit_message,
            start_branch: self.start_branch,
            author_email: self.author_email,
            author_name: self.author_name,
            last_commit_id: self.last_commit_id,
        };
        Ok((content, self.execute_filemode, common))
    }
}

/// A file that was changed.
#[derive(Debug, Serialize, JsonSchema)]
struct FileChanged {
    file_path: String,
    branch: String,
}

async fn create(
    State(app): State<App>,
    Pushable(code): Pushable,
    Path((_, path)): Path<(String, String)>,
    Params(write): Params<Write>,
) -> Result<(StatusCode, Json<FileChanged>)> {
    let path = file(&path)?;
    let (content, executable, common) = write.split()?;
    let action = Action::Create { path: path.clone(), content, executable: executable.unwrap_or(false) };
    let changed = FileChanged { file_path: path.lossy().into_owned(), branch: common.branch.clone() };
    commit(&app, &code, change(common, &path, vec![action])?).await?;
    Ok((StatusCode::CREATED, Json(changed)))
}

async fn update(
    State(app): State<App>,
    Pushable(code): Pushable,
    Path((_, path)): Path<(String, String)>,
    Params(write): Params<Write>,
) -> Result<Json<FileChanged>> {
    let path = file(&path)?;
    let (content, executable, common) = write.split()?;
    let mut actions = vec![Action::Update { path: path.clone(), content }];
    if let Some(executable) = executable {
        actions.push(Action::Chmod { path: path.clone(), executable });
    }
    let changed = FileChanged { file_path: path.lossy().into_owned(), branch: common.branch.clone() };
    commit(&app, &code, change(common, &path, actions)?).await?;
    Ok(Json(changed))
}

async fn delete(
    State(app): State<App>,
    Pushable(code): Pushable,
    Path((_, path)): Path<(String, String)>,
    Params(params): Params<Delete>,
) -> Result<StatusCode> {
    let path = file(&path)?;
    let action = Action::Delete { path: path.clone() };
    commit(&app, &code, change(params, &path, vec![action])?).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn file(text: &str) -> Result<RepoPath> {
    let path = path_of("file_path", text)?;
    if path.is_root() { Err(Error::BadParameter("file_path is empty".into())) } else { Ok(path) }
}

fn change(params: Delete, path: &RepoPath, actions: Vec<Action>) -> Result<Change> {
    let known = params.last_commit_id.as_deref().filter(|id| !id.is_empty()).map(known_commit).transpose()?;
    Ok(Change {
        branch: params.branch,
        start: params.start_branch,
        force: false,
        message: params.commit_message,
        author: (params.author_name, params.author_email),
        actions,
        unchanged_since: known.into_iter().map(|id| (path.clone(), id)).collect(),
    })
}

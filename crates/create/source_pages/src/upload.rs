//! Uploading, replacing and deleting files, and new folders.

use axum::extract::{Multipart, State};
use axum::response::{IntoResponse, Response};
use git::RepoPath;
use git::tree::EntryKind;
use git::write::Action;
use http::StatusCode;
use kernel::http::Params;
use kernel::{App, Error, Result};
use projects::ProjectAccess;
use serde::Deserialize;
use ui::form::{self, Field};
use ui::{Markup, Tone, html, parts};

use crate::edit::{commit_fields, file_path};
use crate::ground::{Change, Ground, Landed, Problem};
use crate::place::{OrNothing, Rest};

/// The most that one upload may hold, in bytes.
pub(crate) const MOST: usize = 100 << 20;
const MAX_FILES: usize = 100;

/// Message and branch, as every form here sends them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Note {
    message: String,
    branch: String,
    name: String,
}

/// Which of the forms it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Task {
    Upload,
    Replace,
    Delete,
    Folder,
}

impl Task {
    fn path(self) -> &'static str {
        match self {
            Self::Upload => "upload",
            Self::Replace => "replace",
            Self::Delete => "delete",
            Self::Folder => "new_dir",
        }
    }

    fn title(self, name: &str) -> String {
        match self {
            Self::Upload => "Upload files".into(),
            Self::Replace => format!("Replace {name}"),
            Self::Delete => format!("Delete {name}"),
            Self::Folder => "New folder".into(),
        }
    }

    fn fields(self, note: &Note, problem: &Problem) -> Markup {
        let file = |several: bool| {
            html! {
                div.field {
                    label for="f-file" { (if several { "Files" } else { "New content" }) }
                    input.in id="f-file" type="file" name="file" required multiple[several] aria-invalid=[problem.of("file").map(|_| "true")] aria-describedby="f-file-hint";
                    p.hint id="f-file-hint" { (problem.of("file").unwrap_or("Up to 100 MB together.")) }
                }
            }
        };
        html! {
            @match self {
                Self::Upload => (file(true)),
                Self::Replace => (file(false)),
                Self::Folder => (Field { name: "name", label: "Name", value: &note.name, error: problem.of("path"), required: true, autofocus: true, mono: true, hint: "Git knows no empty folders, so a file called .gitkeep is put into it.", ..Field::default() }.input()),
                Self::Delete => { (parts::alert(Tone::Warn, &html! { "The file is gone from the branch then. Its history stays, so it can be brought back from an earlier commit." })) }
            }
        }
    }
}

fn page(app: &App, ground: &Ground, task: Task, note: &Note, problem: &Problem) -> Response {
    let title = task.title(&ground.path.file_name().lossy());
    let is_file = matches!(task, Task::Replace | Task::Delete);
    let uploads = matches!(task, Task::Upload | Task::Replace);
    let back = ground.here(if is_file { "blob" } else { "tree" });
    let general = match problem.changed {
        true => Some("Somebody else changed this file meanwhile. Look at it again before you go on."),
        false => problem.general.as_deref().or(problem.of("path").filter(|_| task != Task::Folder)),
    };
    let suggestion = suggestion(task, ground);
    let body = html! {
        (parts::head(&html! { (title) }, &html! {}, &html! { @if !ground.path.is_root() { p.soft.mono { (ground.path.lossy()) } } }))
        form.stack.narrow-form method="post" action=(ground.here(task.path())) enctype=[uploads.then_some("multipart/form-data")] {
            @if let Some(text) = general { (parts::alert(Tone::Bad, &html! { (text) })) }
            (task.fields(note, problem))
            (commit_fields(ground, &note.message, if note.branch.is_empty() { &ground.target } else { &note.branch }, problem, &suggestion))
            (form::actions(if task == Task::Delete { "Delete file" } else { "Commit" }, Some((&back, "Cancel"))))
        }
    };
    (problem.status.unwrap_or(StatusCode::OK), ground.page(app, &title, body)).into_response()
}

fn suggestion(task: Task, ground: &Ground) -> String {
    let name = ground.path.lossy();
    match task {
        Task::Upload => "Upload files".into(),
        Task::Replace => format!("Replace {name}"),
        Task::Delete => format!("Delete {name}"),
        Task::Folder => "Add a folder".into(),
    }
}

/// The ground of a form about a file that is there.
async fn of_file(app: &App, access: ProjectAccess, rest: &[u8]) -> Result<Ground> {
    let ground = Ground::find(app, access, rest).await?;
    let missing = || Error::not_found("File");
    let entry = ground.repo.entry(ground.start.ok_or_else(missing)?, &ground.path).await.or_404()?;
    if matches!(entry.kind, EntryKind::Tree | EntryKind::Submodule) { Err(missing()) } else { Ok(ground) }
}

pub(crate) async fn new_files(State(app): State<App>, access: ProjectAccess, Rest(rest): Rest) -> Result<Response> {
    let ground = Ground::folder(&app, access, &rest).await?;
    Ok(page(&app, &ground, Task::Upload, &Note::default(), &Problem::default()))
}

pub(crate) async fn new_dir(State(app): State<App>, access: ProjectAccess, Rest(rest): Rest) -> Result<Response> {
    let ground = Ground::folder(&app, access, &rest).await?;
    Ok(page(&app, &ground, Task::Folder, &Note::default(), &Problem::default()))
}

pub(crate) async fn replacement(State(app): State<App>, access: ProjectAccess, Rest(rest): Rest) -> Result<Response> {
    let ground = of_file(&app, access, &rest).await?;
    Ok(page(&app, &ground, Task::Replace, &Note::default(), &Problem::default()))
}

pub(crate) async fn deletion(State(app): State<App>, access: ProjectAccess, Rest(rest): Rest) -> Result<Response> {
    let ground = of_file(&app, access, &rest).await?;
    Ok(page(&app, &ground, Task::Delete, &Note::default(), &Problem::default()))
}

async fn carry_out(app: &App, ground: &Ground, task: Task, note: Note, actions: Vec<Action>) -> Result<Response> {
    let message = if note.message.trim().is_empty() { suggestion(task, ground) } else { note.message.clone() };
    let branch = if note.branch.trim().is_empty() { ground.target.clone() } else { note.branch.clone() };
    let change = Change { actions, unchanged_since: vec![], message, branch };
    match ground.commit(app, change).await? {
        Ok(Landed { branch }) => {
            let (kind, path) = match task {
                Task::Replace => ("blob", ground.path.clone()),
                Task::Delete => ("tree", ground.path.parent()),
                Task::Upload | Task::Folder => ("tree", ground.path.clone()),
            };
            let path = if task == Task::Delete { still_there(ground, &branch, path).await } else { path };
            Ok(ground.done(&ground.links.at(kind, &branch, path.as_bytes()), &branch))
        }
        Err(problem) => Ok(page(app, ground, task, &note, &problem)),
    }
}

/// The folder, or the nearest one above that is left when its last file is gone.
async fn still_there(ground: &Ground, branch: &str, mut folder: RepoPath) -> RepoPath {
    let Ok(tip) = ground.repo.find_branch(branch).await else { return RepoPath::root() };
    while !folder.is_root() && ground.repo.entry(tip.target, &folder).await.is_err() {
        folder = folder.parent();
    }
    folder
}

pub(crate) async fn delete(
    State(app): State<App>,
    access: ProjectAccess,
    Rest(rest): Rest,
    Params(note): Params<Note>,
) -> Result<Response> {
    let ground = of_file(&app, access, &rest).await?;
    let actions = vec![Action::Delete { path: ground.path.clone() }];
    carry_out(&app, &ground, Task::Delete, note, actions).await
}

pub(crate) async fn make_dir(
    State(app): State<App>,
    access: ProjectAccess,
    Rest(rest): Rest,
    Params(note): Params<Note>,
) -> Result<Response> {
    let ground = Ground::folder(&app, access, &rest).await?;
    let kept = format!("{}/.gitkeep", note.name.trim().trim_matches('/'));
    let inside = match file_path(&kept) {
        Ok(path) if !note.name.trim().trim_matches('/').is_empty() => ground.path.join(path.as_bytes()).or_404(),
        Ok(_) => return Ok(page(&app, &ground, Task::Folder, &note, &Problem::new("path", "A folder needs a name."))),
        Err(problem) => return Ok(page(&app, &ground, Task::Folder, &note, &problem)),
    };
    let actions = vec![Action::Create { path: inside?, content: vec![], executable: false }];
    carry_out(&app, &ground, Task::Folder, note, actions).await
}

/// The files and fields of an upload.
async fn read(mut form: Multipart) -> Result<(Note, Vec<(String, Vec<u8>)>)> {
    let bad = |e: axum::extract::multipart::MultipartError| match e.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Error::TooLarge("the files are over 100 MB together".into()),
        _ => Error::bad_request(format!("the form is malformed: {}", e.body_text())),
    };
    let (mut note, mut files) = (Note::default(), vec![]);
    while let Some(field) = form.next_field().await.map_err(bad)? {
        let name = field.name().unwrap_or_default().to_owned();
        match name.as_str() {
            "file" => {
                let file = field.file_name().unwrap_or_default().to_owned();
                let data = field.bytes().await.map_err(bad)?;
                if !file.is_empty() && files.len() < MAX_FILES {
                    files.push((file, data.to_vec()));
                }
            }
            "message" => note.message = field.text().await.map_err(bad)?,
            "branch" => note.branch = field.text().await.map_err(bad)?,
            _ => {}
        }
    }
    Ok((note, files))
}

/// The path of an uploaded file in a folder; browsers on some systems send whole paths.
fn uploaded(folder: &RepoPath, name: &str) -> Result<RepoPath, Problem> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let path = file_path(last)?;
    folder.join(path.as_bytes()).map_err(|_| Problem::new("file", "The path is too long."))
}

pub(crate) async fn upload(
    State(app): State<App>,
    access: ProjectAccess,
    Rest(rest): Rest,
    form: Multipart,
) -> Result<Response> {
    let ground = Ground::folder(&app, access, &rest).await?;
    let (note, files) = read(form).await?;
    if files.is_empty() {
        return Ok(page(&app, &ground, Task::Upload, &note, &Problem::new("file", "Choose at least one file.")));
    }
    let mut actions = vec![];
    for (name, content) in files {
        match uploaded(&ground.path, &name) {
            Ok(path) => actions.push(Action::Create { path, content, executable: false }),
            Err(problem) => return Ok(page(&app, &ground, Task::Upload, &note, &problem)),
        }
    }
    carry_out(&app, &ground, Task::Upload, note, actions).await
}

pub(crate) async fn replace(
    State(app): State<App>,
    access: ProjectAccess,
    Rest(rest): Rest,
    form: Multipart,
) -> Result<Response> {
    let ground = of_file(&app, access, &rest).await?;
    let (note, files) = read(form).await?;
    let Some((_, content)) = files.into_iter().next() else {
        return Ok(page(&app, &ground, Task::Replace, &note, &Problem::new("file", "Choose a file.")));
    };
    let actions = vec![Action::Update { path: ground.path.clone(), content }];
    carry_out(&app, &ground, Task::Replace, note, actions).await
}

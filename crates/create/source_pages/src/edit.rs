//! Writing and changing files in the browser.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use git::tree::EntryKind;
use git::write::Action;
use git::{Oid, RepoPath};
use http::StatusCode;
use kernel::http::{Params, Query};
use kernel::{App, Error, Result};
use projects::ProjectAccess;
use serde::Deserialize;
use ui::form::{self, Field, hidden};
use ui::parts;
use ui::{Markup, PreEscaped, Tone, html};

use crate::ground::{Change, Ground, Landed, Problem};
use crate::place::{OrNothing, Rest};
use crate::readme;

/// The largest text that is edited in the browser.
const MOST: u64 = 1 << 20;

/// What the form of a file sends.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Draft {
    path: String,
    content: String,
    message: String,
    branch: String,
    last_commit: String,
    preview: bool,
}

/// What is edited: a file that is there, or a new one.
struct Desk {
    ground: Ground,
    /// The file as it is, for changes.
    file: Option<RepoPath>,
    title: String,
    kind: &'static str,
}

#[derive(Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    path: String,
}

/// `/-/new/REF/FOLDER`
pub(crate) async fn new(
    State(app): State<App>,
    access: ProjectAccess,
    Rest(rest): Rest,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let desk = Desk::new_file(&app, access, &rest).await?;
    let folder = desk.ground.path.lossy();
    let path = if folder.is_empty() { asked.path } else { format!("{folder}/{}", asked.path) };
    let draft = Draft { path, branch: desk.ground.target.clone(), ..Draft::default() };
    desk.page(&app, &draft, None).await
}

/// `/-/edit/REF/FILE`
pub(crate) async fn edit(State(app): State<App>, access: ProjectAccess, Rest(rest): Rest) -> Result<Response> {
    let desk = Desk::existing(&app, access, &rest).await?;
    let ground = &desk.ground;
    let Some(text) = current(ground).await? else {
        return desk.ground.refuse(
            &app,
            "Only text of up to 1 MB can be edited here. Replace the file, or change it on your machine.",
        );
    };
    let last = ground.last_commit().await?;
    let draft = Draft {
        path: ground.path.lossy().into_owned(),
        content: text,
        branch: ground.target.clone(),
        last_commit: last.map(|id| id.to_string()).unwrap_or_default(),
        ..Draft::default()
    };
    desk.page(&app, &draft, None).await
}

/// The text of the file, if it can be edited.
async fn current(ground: &Ground) -> Result<Option<String>> {
    let Some(commit) = ground.start else { return Ok(None) };
    let entry = ground.repo.entry(commit, &ground.path).await.or_404()?;
    if !matches!(entry.kind, EntryKind::Blob | EntryKind::Executable) {
        return Err(Error::not_found("File"));
    }
    let blob = ground.repo.blob(entry.oid, MOST).await.or_404()?;
    if blob.truncated || blob.is_binary() {
        return Ok(None);
    }
    Ok(String::from_utf8(blob.data).ok())
}

pub(crate) async fn create(
    State(app): State<App>,
    access: ProjectAccess,
    Rest(rest): Rest,
    Params(draft): Params<Draft>,
) -> Result<Response> {
    let desk = Desk::new_file(&app, access, &rest).await?;
    if draft.preview {
        return desk.page(&app, &draft, None).await;
    }
    let actions = file_path(&draft.path).map(|path| {
        let content = draft.content.replace("\r\n", "\n").into_bytes();
        vec![Action::Create { path, content, executable: false }]
    });
    desk.carry_out(&app, draft, actions, "Add").await
}

pub(crate) async fn update(
    State(app): State<App>,
    access: ProjectAccess,
    Rest(rest): Rest,
    Params(draft): Params<Draft>,
) -> Result<Response> {
    let desk = Desk::existing(&app, access, &rest).await?;
    if draft.preview {
        return desk.page(&app, &draft, None).await;
    }
    let Some(before) = current(&desk.ground).await? else { return Err(Error::not_found("File")) };
    let content = with_line_ends(&draft.content, &before).into_bytes();
    let from = desk.ground.path.clone();
    let actions = new_name(&from, &draft.path).map(|to| match to == from {
        true => vec![Action::Update { path: to, content }],
        false => vec![Action::Move { from, to, content: Some(content) }],
    });
    desk.carry_out(&app, draft, actions, "Update").await
}

/// Browsers send CR LF; a file keeps the line ends that it had.
fn with_line_ends(text: &str, before: &str) -> String {
    let plain = text.replace("\r\n", "\n");
    let had_crlf = before.lines().count() > 0 && before.matches("\r\n").count() * 2 > before.matches('\n').count();
    if had_crlf { plain.replace('\n', "\r\n") } else { plain }
}

/// The path to save to. One that isn't UTF-8 can't be shown in a field, so the field left as it was keeps it.
fn new_name(from: &RepoPath, given: &str) -> Result<RepoPath, Problem> {
    if given == from.lossy() { Ok(from.clone()) } else { file_path(given) }
}

/// Reads a path that somebody typed.
pub(crate) fn file_path(given: &str) -> Result<RepoPath, Problem> {
    let given = given.trim().trim_start_matches('/');
    let wrong = |why: &str| Problem::new("path", why);
    if given.is_empty() || given.ends_with('/') {
        return Err(wrong("A file needs a name."));
    }
    if given.chars().any(char::is_control) {
        return Err(wrong("A name can't hold control characters."));
    }
    let path =
        RepoPath::new(given).map_err(|_| wrong("A path can't hold empty parts, . or .. between its slashes."))?;
    if path.is_writable() { Ok(path) } else { Err(wrong("Git keeps .git for itself; use another name.")) }
}

impl Desk {
    async fn new_file(app: &App, access: ProjectAccess, rest: &[u8]) -> Result<Self> {
        let ground = Ground::folder(app, access, rest).await?;
        let title = "New file".to_owned();
        Ok(Self { ground, file: None, title, kind: "new" })
    }

    async fn existing(app: &App, access: ProjectAccess, rest: &[u8]) -> Result<Self> {
        let ground = Ground::find(app, access, rest).await?;
        if ground.path.is_root() || ground.start.is_none() {
            return Err(Error::not_found("File"));
        }
        let (file, title) = (Some(ground.path.clone()), format!("Edit {}", ground.path.lossy()));
        Ok(Self { ground, file, title, kind: "edit" })
    }

    async fn carry_out(
        self,
        app: &App,
        draft: Draft,
        actions: Result<Vec<Action>, Problem>,
        verb: &str,
    ) -> Result<Response> {
        let actions = match actions {
            Ok(actions) => actions,
            Err(problem) => return self.page(app, &draft, Some(problem)).await,
        };
        let message =
            if draft.message.trim().is_empty() { format!("{verb} {}", draft.path) } else { draft.message.clone() };
        let last = draft.last_commit.parse::<Oid>().ok();
        let unchanged_since = self.file.iter().zip(last).map(|(path, last)| (path.clone(), last)).collect();
        let change = Change { actions, unchanged_since, message, branch: draft.branch.clone() };
        match self.ground.commit(app, change).await? {
            Ok(Landed { branch, .. }) => {
                let place = self.ground.links.at("blob", &branch, draft_path(&self, &draft));
                Ok(self.ground.done(&place, &branch))
            }
            Err(problem) => self.page(app, &draft, Some(problem)).await,
        }
    }

    async fn page(&self, app: &App, draft: &Draft, problem: Option<Problem>) -> Result<Response> {
        let ground = &self.ground;
        let problem = problem.unwrap_or_default();
        let status = problem.status;
        let latest = if problem.changed { ground.last_commit().await? } else { None };
        let last = latest.map_or_else(|| draft.last_commit.clone(), |id| id.to_string());
        let preview = self.preview(draft).await?;
        let back = self.back();
        let body = html! {
            (parts::head(&html! { (self.title) }, &html! {}, &html! {}))
            (self.notice(&problem, latest, draft))
            form.stack method="post" action=(ground.here(self.kind)) {
                (hidden("last_commit", &last))
                (Field { name: "path", label: "Path", value: &draft.path, error: problem.of("path"), required: true, mono: true, autofocus: self.file.is_none(), ..Field::default() }.input())
                @if let Some(preview) = &preview { section.panel aria-labelledby="preview" { header { h2 id="preview" { "Preview" } } (preview) } }
                (Field { name: "content", label: "Content", value: &draft.content, rows: 24, mono: true, ..Field::default() }.textarea())
                div.line { button.btn type="submit" name="preview" value="true" formnovalidate { (ui::icon("eye")) "Preview" } }
                (commit_fields(ground, &draft.message, &draft.branch, &problem, &format!("{} {}", if self.file.is_some() { "Update" } else { "Add" }, draft.path)))
                (form::actions("Commit", Some((&back, "Cancel"))))
            }
        };
        Ok((status.unwrap_or(StatusCode::OK), ground.page(app, &self.title, body)).into_response())
    }

    /// Says what happened where the file was changed by somebody else meanwhile.
    fn notice(&self, problem: &Problem, latest: Option<Oid>, draft: &Draft) -> Markup {
        let links = &self.ground.links;
        html! {
            @if problem.changed {
                (parts::alert(Tone::Warn, &html! {
                    b { "Somebody else changed this file since you opened it." } " Your text is below and nothing is lost. "
                    @if let Some(latest) = latest { a href=(links.commit(latest)) { "See what they changed" } ", then commit again to put your text in its place. " }
                    "Or name another branch." @if let Ok(old) = draft.last_commit.parse::<Oid>() { @if let Some(latest) = latest { " " a href=(links.compare(old.to_string().as_bytes(), latest.to_string().as_bytes())) { "Compare" } "." } }
                }))
            } @else if let Some(text) = &problem.general { (parts::alert(Tone::Bad, &html! { (text) })) }
        }
    }

    async fn preview(&self, draft: &Draft) -> Result<Option<Markup>> {
        if !draft.preview {
            return Ok(None);
        }
        let Ok(path) = file_path(&draft.path) else { return Ok(None) };
        if readme::is_markdown(path.as_bytes()) {
            let html = readme::preview(self.ground.base(&path), draft.content.clone()).await?;
            return Ok(Some(html! { article.body.prose { (PreEscaped(html)) } }));
        }
        let (name, text) = (path.file_name().lossy().into_owned(), draft.content.replace("\r\n", "\n"));
        let lines = tokio::task::spawn_blocking(move || ui::highlight::lines(&name, "", &text)).await?;
        Ok(Some(ui::code::code(&lines, "Preview")))
    }

    fn back(&self) -> String {
        self.ground.here(if self.file.is_some() { "blob" } else { "tree" })
    }
}

/// The path that a draft was saved to, in bytes.
fn draft_path(desk: &Desk, draft: &Draft) -> Vec<u8> {
    let kept = desk.file.as_ref().filter(|f| f.lossy() == draft.path);
    match kept {
        Some(path) => path.as_bytes().to_vec(),
        None => draft.path.trim().trim_start_matches('/').as_bytes().to_vec(),
    }
}

/// Message and branch, as every form that commits has them.
pub(crate) fn commit_fields(
    ground: &Ground,
    message: &str,
    branch: &str,
    problem: &Problem,
    suggestion: &str,
) -> Markup {
    html! {
        section.panel aria-labelledby="commit" {
            header { h2 id="commit" { "Commit" } }
            div.body.stack {
                (Field { name: "message", label: "Message", value: message, rows: 3, placeholder: suggestion, error: problem.of("message"), ..Field::default() }.textarea())
                (Field { name: "branch", label: "Branch", value: branch, required: true, mono: true, hint: &ground.branch_hint(), error: problem.of("branch"), ..Field::default() }.input())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_are_kept() {
        assert_eq!(with_line_ends("a\r\nb\r\n", "x\ny\n"), "a\nb\n");
        assert_eq!(with_line_ends("a\r\nb\r\n", "x\r\ny\r\n"), "a\r\nb\r\n");
        assert_eq!(with_line_ends("", ""), "");
    }

    #[test]
    fn paths_are_checked() {
        assert!(file_path("a/../b").is_err() && file_path(".git/config").is_err() && file_path("a/").is_err());
        assert_eq!(file_path(" /docs/a b.md").map(|p| p.lossy().into_owned()).ok().as_deref(), Some("docs/a b.md"));
    }
}

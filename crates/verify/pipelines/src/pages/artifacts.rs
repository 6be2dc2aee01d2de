//! What jobs left: browsing, files, downloads, and the list of a project's artifacts.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::response::Response;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use kernel::http::Query;
use kernel::{App, Error, Result};
use projects::ProjectAccess;
use projects::shell::encode_path;
use sandbox::ArtifactEntry;
use serde::Deserialize;
use ui::parts::{self, Button};
use ui::{Markup, format, html};

use super::{at, job_of, manages, outcome, page, pipeline_of};
use crate::api::artifact_files;
use crate::artifacts::{self, Artifact};
use crate::build::Build;
use crate::permit;
use crate::visibility::reads_artifact;

type Named = Path<(String, String)>;

/// An artifact of a job that the actor may download; a 404 where there is none.
async fn artifact_of(app: &App, access: &ProjectAccess, id: &str, kind: &str) -> Result<(Build, Artifact)> {
    let build = job_of(app, access, id).await?;
    let unknown = || Error::not_found("Artifact");
    let all = Artifact::of_build(app.db().conn(), build.id).await?;
    let found = all.into_iter().find(|a| a.kind == kind && a.kind != "metadata").ok_or_else(unknown)?;
    if reads_artifact(access, &found) { Ok((build, found)) } else { Err(unknown()) }
}

#[derive(Deserialize)]
pub(super) struct Asked {
    file_type: Option<String>,
}

pub(super) async fn download(
    State(app): State<App>,
    access: ProjectAccess,
    Path((_, id)): Named,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let kind = asked.file_type.as_deref().unwrap_or("archive");
    let (_, artifact) = artifact_of(&app, &access, &id, kind).await?;
    artifact_files::archive(&app, &artifact).await
}

/// One file, shown where a browser can show it without running anything.
pub(super) async fn file(
    State(app): State<App>,
    access: ProjectAccess,
    Path((_, id, path)): Path<(String, String, String)>,
) -> Result<Response> {
    let (_, artifact) = artifact_of(&app, &access, &id, "archive").await?;
    let mut response = artifact_files::entry(&app, &artifact, &path).await?;
    let headers = response.headers_mut();
    let kind = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let shown = kind.starts_with("text/plain") || kind.starts_with("image/");
    let disposition = headers.get(CONTENT_DISPOSITION).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if let Ok(inline) = HeaderValue::from_str(&disposition.replacen("attachment", "inline", 1))
        && shown
    {
        headers.insert(CONTENT_DISPOSITION, inline);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    Ok(response)
}

/// A line of a folder's listing.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Listed {
    kind: Kind,
    name: String,
    size: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Folder,
    File,
    /// A symbolic link, which leads nowhere here.
    Link,
}

fn kind_of(entry: &ArtifactEntry) -> Kind {
    if entry.mode & 0o170_000 == 0o120_000 { Kind::Link } else { Kind::File }
}

/// What is directly inside a folder of an archive: folders first, with the size of what they hold.
fn listing(entries: &[ArtifactEntry], folder: &str) -> Vec<Listed> {
    let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let mut found: BTreeMap<(bool, &str), (Kind, u64)> = BTreeMap::new();
    for entry in entries {
        let Some(rest) = entry.path.strip_prefix(&prefix).filter(|r| !r.is_empty()) else { continue };
        match rest.split_once('/') {
            Some((name, _)) => found.entry((false, name)).or_insert((Kind::Folder, 0)).1 += entry.size,
            None => found.entry((true, rest)).or_insert((kind_of(entry), 0)).1 += entry.size,
        }
    }
    found.into_iter().map(|((_, name), (kind, size))| Listed { kind, name: name.to_owned(), size }).collect()
}

pub(super) async fn browse_top(app: State<App>, access: ProjectAccess, Path((project, id)): Named) -> Result<Markup> {
    browse(app, access, Path((project, id, String::new()))).await
}

pub(super) async fn browse(
    State(app): State<App>,
    access: ProjectAccess,
    Path((_, id, path)): Path<(String, String, String)>,
) -> Result<Markup> {
    let (build, artifact) = artifact_of(&app, &access, &id, "archive").await?;
    let folder = path.trim_matches('/');
    let listed = listing(&artifact.entries(&app).await?, folder);
    if listed.is_empty() && !folder.is_empty() {
        return Err(Error::not_found("Folder"));
    }
    let job = at(&access, format_args!("/-/jobs/{}", build.id));
    let steps = [
        ("Jobs", at(&access, "/-/jobs")),
        (&*build.name, job.clone()),
        ("Artifacts", format!("{job}/artifacts/browse")),
    ];
    let mut page = page(&app, &access, &format!("Artifacts of {}", build.name), "artifacts", &steps);
    let manages = manages(&app, &access, &pipeline_of(&app, &build).await?).await?;
    page.body = html! {
        (parts::head(&html! { "Artifacts of " (build.name) " " span.faint.num { "#" (build.id) } }, &html! {
            @if manages && artifact.expires_at.is_some() {
                (parts::post_button(&format!("{job}/artifacts/keep"), &[], &Button { label: "Keep for good", icon: "pin", ..Button::default() }))
            }
            (parts::primary_link(&format!("{job}/artifacts/download"), "save", "Download all"))
        }, &facts(&artifact)))
        section.panel aria-labelledby="listing" {
            header { h2.vh id="listing" { "Files" } (steps_of(&job, &artifact.file_name, folder)) }
            (table(&job, folder, &listed))
        }
    };
    Ok(page.render())
}

fn facts(artifact: &Artifact) -> Markup {
    html! {
        span.faint.num { (format::bytes(artifact.size.try_into().unwrap_or(0))) " packed" }
        span.faint {
            @match artifact.expires_at {
                Some(at) => { "Kept until " (format::exact_time(at.0)) },
                None => { "Kept for good" },
            }
        }
    }
}

/// The way from the archive to a folder.
fn steps_of(job: &str, archive: &str, folder: &str) -> Markup {
    let mut steps = vec![(archive, format!("{job}/artifacts/browse"))];
    let ends = folder.match_indices('/').map(|(at, _)| at).chain((!folder.is_empty()).then_some(folder.len()));
    for end in ends {
        let path = &folder[..end];
        steps.push((path.rsplit('/').next().unwrap_or(path), format!("{job}/artifacts/browse/{}", encode_path(path))));
    }
    parts::path(&steps)
}

fn table(job: &str, folder: &str, listed: &[Listed]) -> Markup {
    let below = |name: &str| if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
    html! {
        div.scroll {
            table.data {
                caption.vh { "Files and folders" }
                thead { tr { th scope="col" { "Name" } th.r scope="col" { "Size" } } }
                tbody {
                    @for entry in listed {
                        @let path = below(&entry.name);
                        tr { th scope="row" { (name(job, entry, &path)) } td.r.num { @if entry.kind != Kind::Link { (format::bytes(entry.size)) } } }
                    }
                }
            }
            @if listed.is_empty() { p.waiting { "The archive is empty." } }
        }
    }
}

fn name(job: &str, entry: &Listed, path: &str) -> Markup {
    let (icon, way) = match entry.kind {
        Kind::Link => return html! { span.line.tight title="A symbolic link" { (ui::icon("link")) (entry.name) } },
        Kind::Folder => ("folder", "browse"),
        Kind::File => ("file", "file"),
    };
    html! { a.plain.line.tight href={ (job) "/artifacts/" (way) "/" (encode_path(path)) } { (ui::icon(icon)) (entry.name) } }
}

pub(super) async fn keep(State(app): State<App>, access: ProjectAccess, Path((_, id)): Named) -> Result<Response> {
    let (build, _) = artifact_of(&app, &access, &id, "archive").await?;
    permit::manage(&app, &access, &pipeline_of(&app, &build).await?).await?;
    Artifact::keep(app.db().conn(), build.id).await?;
    let back = at(&access, format_args!("/-/jobs/{}/artifacts/browse", build.id));
    outcome(&back, Ok(()), "The artifacts are kept for good.")
}

pub(super) async fn delete(State(app): State<App>, access: ProjectAccess, Path((_, id)): Named) -> Result<Response> {
    let build = job_of(&app, &access, &id).await?;
    permit::erase(&access, &build)?;
    artifacts::delete_all(&app, build.id).await?;
    let details = serde_json::json!({ "job": build.name, "project_id": access.project.id });
    accounts::audit::record(app.db().conn(), &access.actor, "artifacts.deleted", ("Job", build.id), details).await?;
    outcome(&at(&access, "/-/artifacts"), Ok(()), &format!("The artifacts of {} are gone.", build.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_made_of_paths() {
        let entry =
            |path: &str, size| ArtifactEntry { path: path.into(), size, compressed: 0, crc32: 0, mode: 0o100_644 };
        let link = ArtifactEntry { mode: 0o120_777, ..entry("z", 4) };
        let entries = [link, entry("a.txt", 1), entry("b/", 0), entry("b/c", 2), entry("b/d/e", 3), entry("bb/x", 1)];
        let names =
            |folder| listing(&entries, folder).into_iter().map(|l| (l.name, l.kind, l.size)).collect::<Vec<_>>();
        assert_eq!(
            names(""),
            [
                ("b".into(), Kind::Folder, 5),
                ("bb".into(), Kind::Folder, 1),
                ("a.txt".into(), Kind::File, 1),
                ("z".into(), Kind::Link, 4)
            ]
        );
        assert_eq!(names("b"), [("d".into(), Kind::Folder, 3), ("c".into(), Kind::File, 2)]);
        assert!(names("..").is_empty() && names("c").is_empty());
    }
}

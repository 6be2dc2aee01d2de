//! The settings of a project.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use kernel::http::Params;
use kernel::{App, Error, Result};
use serde::Deserialize;
use ui::form::{self, Field};
use ui::menu::Confirm;
use ui::parts::Button;
use ui::{Markup, Tone, html, parts};

use accounts::shell::redirect_with;

use super::parts::{Wrong, creatable_namespaces, namespace_field, visibility_field};
use super::project_badges;
use crate::access::{GroupAccess, ProjectAccess};
use crate::api::form::WithAvatar;
use crate::api::project_settings::ProjectChange;
use crate::avatar::{self, Of};
use crate::edit;
use crate::namespace::Namespace;
use crate::permissions::Permission;
use crate::project::Project;
use crate::settings::FeatureLevel;
use crate::shell::project_page;

fn here(project: &Project) -> String {
    format!("/{}/-/edit", project.full_path)
}

pub(super) async fn show(State(app): State<App>, access: ProjectAccess) -> Result<Response> {
    render(&app, &access, &ProjectChange::default(), &Wrong::default()).await
}

/// Shows the settings again with what is wrong in them, or goes back with a message.
async fn finish(
    app: &App,
    access: &ProjectAccess,
    done: Result<Project>,
    typed: &ProjectChange,
    message: &str,
) -> Result<Response> {
    match done {
        Ok(project) => Ok(redirect_with(&here(&project), Tone::Ok, message)),
        Err(e) => render(app, access, typed, &Wrong::of(e)?).await,
    }
}

pub(super) async fn update(
    State(app): State<App>,
    access: ProjectAccess,
    Params(wanted): Params<ProjectChange>,
) -> Result<Response> {
    access.may(Permission::EditProject)?;
    let wanted = ProjectChange { topics: wanted.topics.clone().or(Some(vec![])), path: None, ..wanted };
    let done = edit::update_project(&app, &access, &wanted).await;
    finish(&app, &access, done, &wanted, "The settings are saved.").await
}

pub(super) async fn update_features(
    State(app): State<App>,
    access: ProjectAccess,
    Params(wanted): Params<ProjectChange>,
) -> Result<Response> {
    let wanted = ProjectChange { name: None, path: None, description: None, ..wanted };
    let done = edit::update_project(&app, &access, &wanted).await;
    finish(&app, &access, done, &wanted, "The features and rules are saved.").await
}

#[derive(Debug, Deserialize)]
pub(super) struct Nothing {}

pub(super) async fn set_avatar(
    State(app): State<App>,
    access: ProjectAccess,
    form: WithAvatar<Nothing>,
) -> Result<Response> {
    access.may(Permission::EditProject)?;
    let stored = match form.avatar {
        Some(picture) => avatar::store(&app, Of::Project(access.project.id), picture).await,
        None => Err(Error::invalid("avatar", "is missing; choose a picture first")),
    };
    let done = stored.map(|()| access.project.clone());
    finish(&app, &access, done, &ProjectChange::default(), "The picture is changed.").await
}

pub(super) async fn remove_avatar(State(app): State<App>, access: ProjectAccess) -> Result<Response> {
    access.may(Permission::EditProject)?;
    avatar::remove(&app, Of::Project(access.project.id)).await?;
    Ok(redirect_with(&here(&access.project), Tone::Ok, "The picture is removed."))
}

pub(super) async fn archive(State(app): State<App>, access: ProjectAccess) -> Result<Response> {
    let project = edit::archive(&app, &access, true).await?;
    Ok(redirect_with(&here(&project), Tone::Ok, "The project is archived. It can be read and no longer changed."))
}

pub(super) async fn unarchive(State(app): State<App>, access: ProjectAccess) -> Result<Response> {
    let project = edit::archive(&app, &access, false).await?;
    Ok(redirect_with(&here(&project), Tone::Ok, "The project can be changed again."))
}

#[derive(Debug, Deserialize)]
pub(super) struct Rename {
    path: String,
}

pub(super) async fn rename(
    State(app): State<App>,
    access: ProjectAccess,
    Params(form): Params<Rename>,
) -> Result<Response> {
    let wanted = ProjectChange { path: Some(form.path), ..ProjectChange::default() };
    let done = edit::update_project(&app, &access, &wanted).await;
    finish(&app, &access, done, &wanted, "The path is changed. The old one leads here, for git too.").await
}

#[derive(Debug, Deserialize)]
pub(super) struct Transfer {
    new_namespace_id: i64,
}

pub(super) async fn transfer(
    State(app): State<App>,
    access: ProjectAccess,
    Params(form): Params<Transfer>,
) -> Result<Response> {
    access.may(Permission::TransferProject)?;
    let done = move_to(&app, &access, form.new_namespace_id).await;
    finish(
        &app,
        &access,
        done,
        &ProjectChange::default(),
        "The project is transferred. The old path leads here, for git too.",
    )
    .await
}

async fn move_to(app: &App, access: &ProjectAccess, id: i64) -> Result<Project> {
    let target =
        Namespace::find(app.db().conn(), id).await?.ok_or_else(|| Error::invalid("namespace", "is not valid"))?;
    let target = GroupAccess::of(app, access.actor.clone(), target).await?;
    edit::transfer(app, access, &target).await
}

#[derive(Debug, Deserialize)]
pub(super) struct Deletion {
    #[serde(default)]
    confirm: String,
}

pub(super) async fn delete(
    State(app): State<App>,
    access: ProjectAccess,
    Params(form): Params<Deletion>,
) -> Result<Response> {
    access.may(Permission::DeleteProject)?;
    if form.confirm.trim() != access.project.full_path {
        let why =
            Error::bad_request(format!("The project stays, as what was typed is not {}", access.project.full_path));
        return render(&app, &access, &ProjectChange::default(), &Wrong::of(why)?).await;
    }
    let tx = app.begin().await?;
    access.project.delete(&tx, &access.actor).await?;
    tx.commit().await?;
    Ok(redirect_with("/dashboard/projects", Tone::Ok, &format!("{} is deleted.", access.project.full_path)))
}

async fn render(app: &App, access: &ProjectAccess, typed: &ProjectChange, wrong: &Wrong) -> Result<Response> {
    access.may(Permission::EditProject)?;
    let mut page = project_page(app, access, "Settings", "settings");
    let badges = project_badges::panel(app, access).await?;
    let namespaces =
        if access.can(Permission::TransferProject) { creatable_namespaces(app, &access.actor).await? } else { vec![] };
    page.body = html! {
        (parts::head(&html! { "Settings" }, &html! {}, &html! {}))
        (wrong.beside(&["name", "description", "default_branch", "topics", "visibility_level", "path", "avatar", "namespace", "build_timeout", "ci_config_path"]))
        div.stack.wide {
            (parts::panel("general", "General", &general(access, typed, wrong)))
            (parts::panel("picture", "Picture", &picture(access, wrong)))
            (parts::panel("features", "Features", &features(access)))
            (parts::panel("rules", "Merging and pipelines", &rules(access, wrong)))
            (badges)
            @if access.can(Permission::ArchiveProject) { (parts::panel("advanced", "Rename, move, archive, delete", &advanced(access, &namespaces, wrong))) }
        }
    };
    Ok((wrong.status(), page.render()).into_response())
}

fn general(access: &ProjectAccess, typed: &ProjectChange, wrong: &Wrong) -> Markup {
    let project = &access.project;
    let or = |typed: &Option<String>, now: &str| typed.clone().unwrap_or_else(|| now.to_owned());
    let (name, description) = (or(&typed.name, &project.name), or(&typed.description, &project.description));
    let branch = or(&typed.default_branch, project.branch());
    let topics = typed.topics.clone().unwrap_or_else(|| project.topics()).join(", ");
    html! {
        form.stack method="post" action=(here(project)) {
            (Field { name: "name", label: "Name", value: &name, required: true, maxlength: Some(255), error: wrong.with("name").as_deref(), ..Field::default() }.input())
            (Field { name: "description", label: "Description", value: &description, rows: 3, maxlength: Some(2000), error: wrong.with("description").as_deref(), ..Field::default() }.textarea())
            (Field { name: "topics", label: "Topics", value: &topics, hint: "Words that the project is found by, with commas between them.", error: wrong.with("topics").as_deref(), ..Field::default() }.input())
            (Field { name: "default_branch", label: "Default branch", value: &branch, mono: true, error: wrong.with("default_branch").as_deref(),
                hint: "What people see and clone first. The branch has to be there.", ..Field::default() }.input())
            @if access.can(Permission::ChangeVisibility) { (visibility_field(typed.visibility.unwrap_or(project.visibility()), "project", wrong)) }
            (form::actions("Save", None))
        }
    }
}

fn picture(access: &ProjectAccess, wrong: &Wrong) -> Markup {
    let project = &access.project;
    let src = avatar::project_path(project);
    html! {
        div.line {
            (parts::avatar_square(&project.name, src.as_deref()))
            form.line method="post" action={ (here(project)) "/avatar" } enctype="multipart/form-data" {
                label.vh for="picture-file" { "Picture" }
                input.in id="picture-file" type="file" name="avatar" accept="image/png,image/jpeg,image/gif,image/webp" required;
                button.btn type="submit" { "Upload" }
            }
            @if src.is_some() {
                (parts::post_button(&format!("{}/avatar/delete", here(project)), &[], &Button { label: "Remove", icon: "trash", ..Button::default() }))
            }
        }
        @if let Some(why) = wrong.with("avatar") { (parts::alert(Tone::Bad, &html! { (why) })) }
        p.faint { "PNG, JPEG, GIF or WebP of at most 200 KB." }
    }
}

fn features(access: &ProjectAccess) -> Markup {
    let s = &access.settings;
    let rows: [(&str, &str, FeatureLevel); 10] = [
        ("repository_access_level", "Repository", s.repository_access_level),
        ("issues_access_level", "Issues", s.issues_access_level),
        ("merge_requests_access_level", "Merge requests", s.merge_requests_access_level),
        ("forking_access_level", "Forks", s.forking_access_level),
        ("builds_access_level", "Pipelines", s.builds_access_level),
        ("wiki_access_level", "Wiki", s.wiki_access_level),
        ("snippets_access_level", "Snippets", s.snippets_access_level),
        ("releases_access_level", "Releases", s.releases_access_level),
        ("container_registry_access_level", "Container registry", s.container_registry_access_level),
        ("environments_access_level", "Environments", s.environments_access_level),
    ];
    html! {
        form.stack method="post" action={ (here(&access.project)) "/features" } {
            div.halves {
                @for (name, label, level) in rows {
                    (Field { name, label, value: word(level), ..Field::default() }.select(&[
                        ("enabled", "Everybody who sees the project"), ("private", "Members only"), ("disabled", "Nobody: switched off")]))
                }
            }
            (switch("lfs_enabled", "Large files (Git LFS)", s.lfs_enabled, "Large files are kept outside the repository."))
            (switch("request_access_enabled", "People may ask to become members", s.request_access_enabled, ""))
            div.line { button.btn type="submit" { "Save features" } }
        }
    }
}

fn word(level: FeatureLevel) -> &'static str {
    match level {
        FeatureLevel::Disabled => "disabled",
        FeatureLevel::Private => "private",
        FeatureLevel::Enabled | FeatureLevel::Public => "enabled",
    }
}

/// A box to tick whose absence is told too.
fn switch(name: &str, label: &str, on: bool, hint: &str) -> Markup {
    html! { (form::hidden(name, "0")) (form::checkbox(name, label, on, hint)) }
}

fn rules(access: &ProjectAccess, wrong: &Wrong) -> Markup {
    let s = &access.settings;
    let (timeout, depth) = (s.build_timeout.to_string(), s.ci_default_git_depth.to_string());
    html! {
        form.stack method="post" action={ (here(&access.project)) "/features" } {
            (Field { name: "merge_method", label: "How merge requests are merged", value: &s.merge_method, ..Field::default() }.select(&[
                ("merge", "With a merge commit"), ("rebase_merge", "With a merge commit on a straight history"), ("ff", "Fast-forward only")]))
            (Field { name: "squash_option", label: "Squash commits", value: &s.squash_option, ..Field::default() }.select(&[
                ("never", "Never"), ("default_off", "When asked for"), ("default_on", "Unless declined"), ("always", "Always")]))
            (switch("only_allow_merge_if_pipeline_succeeds", "Pipelines must pass before merging", s.only_allow_merge_if_pipeline_succeeds, ""))
            (switch("only_allow_merge_if_all_discussions_are_resolved", "All threads must be resolved before merging", s.only_allow_merge_if_all_discussions_are_resolved, ""))
            (switch("remove_source_branch_after_merge", "Offer to delete the source branch after merging", s.remove_source_branch_after_merge, ""))
            (Field { name: "ci_config_path", label: "Pipeline file", value: s.ci_config_path.as_deref().unwrap_or_default(), mono: true,
                placeholder: ".gitlab-ci.yml", error: wrong.with("ci_config_path").as_deref(), ..Field::default() }.input())
            (Field { name: "build_timeout", label: "Time limit of a job, in seconds", value: &timeout, kind: "number", error: wrong.with("build_timeout").as_deref(), ..Field::default() }.input())
            (Field { name: "ci_default_git_depth", label: "Commits that a job fetches", value: &depth, kind: "number", hint: "0 for all.",
                error: wrong.with("ci_default_git_depth").as_deref(), ..Field::default() }.input())
            (switch("public_jobs", "Those who see the project see its jobs' logs and artifacts", s.public_jobs, "For public and internal projects."))
            div.line { button.btn type="submit" { "Save rules" } }
        }
    }
}

fn advanced(access: &ProjectAccess, namespaces: &[Namespace], wrong: &Wrong) -> Markup {
    let project = &access.project;
    let others: Vec<Namespace> = namespaces.iter().filter(|n| n.id != project.namespace_id).cloned().collect();
    let archive = if project.archived { ("unarchive", "Bring back") } else { ("archive", "Archive") };
    let delete = Confirm {
        id: "delete-project",
        title: "Delete this project?",
        text: "The repository, its pipelines, uploads and everything else in it are lost for good.",
        action: &format!("{}/delete", here(project)),
        type_to_confirm: Some(&project.full_path),
        keep: "Keep it",
        act: "Delete project",
        ..Confirm::default()
    };
    html! {
        form.stack method="post" action={ (here(project)) "/rename" } {
            (Field { name: "path", label: "Path", value: &project.path, required: true, mono: true, error: wrong.with("path").as_deref(),
                hint: "The old address leads to the new one until something else takes it.", ..Field::default() }.input())
            div.line { button.btn type="submit" { "Change path" } }
        }
        hr;
        @if others.is_empty() {
            p.soft { "To move the project elsewhere you need another namespace where you may make projects." }
        } @else {
            form.stack method="post" action={ (here(project)) "/transfer" } {
                (namespace_field("new_namespace_id", "Move to", &others, None, wrong.with("namespace").as_deref()))
                p.faint { "Members of the new namespace get access; those of the old one lose it." }
                div.line { button.btn type="submit" { "Move project" } }
            }
        }
        hr;
        div.line {
            (parts::post_button(&format!("{}/{}", here(project), archive.0), &[], &Button { label: archive.1, icon: "box", ..Button::default() }))
            span.soft { @if project.archived { "The project is archived: it can be read and not changed." } @else { "An archived project can be read and not changed." } }
        }
        hr;
        div.line { (Button { label: "Delete project", icon: "trash", class: "danger", dialog: Some("delete-project"), ..Button::default() }.render()) }
        (delete.render())
    }
}

//! The settings of a group.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use kernel::http::Params;
use kernel::{App, Error, Result};
use serde::Deserialize;
use ui::form::Field;
use ui::menu::Confirm;
use ui::parts::Button;
use ui::{Markup, Tone, html, parts};

use accounts::shell::redirect_with;

use super::parts::{Wrong, visibility_field};
use super::project_settings::Nothing;
use crate::access::{GroupAccess, member_groups_at};
use crate::api::form::WithAvatar;
use crate::avatar::{self, Of};
use crate::group_edit::{self, GroupChange};
use crate::level;
use crate::namespace::Namespace;
use crate::permissions::Permission;
use crate::shell::group_page;

fn here(group: &Namespace) -> String {
    format!("/groups/{}/-/edit", group.full_path)
}

pub(super) async fn show(State(app): State<App>, access: GroupAccess) -> Result<Response> {
    render(&app, &access, &GroupChange::default(), &Wrong::default()).await
}

async fn finish(
    app: &App,
    access: &GroupAccess,
    done: Result<Namespace>,
    typed: &GroupChange,
    message: &str,
) -> Result<Response> {
    match done {
        Ok(group) => Ok(redirect_with(&here(&group), Tone::Ok, message)),
        Err(e) => render(app, access, typed, &Wrong::of(e)?).await,
    }
}

pub(super) async fn update(
    State(app): State<App>,
    access: GroupAccess,
    Params(wanted): Params<GroupChange>,
) -> Result<Response> {
    let wanted = GroupChange { path: None, ..wanted };
    let done = group_edit::update_group(&app, &access, &wanted).await;
    finish(&app, &access, done, &wanted, "The settings are saved.").await
}

pub(super) async fn set_avatar(
    State(app): State<App>,
    access: GroupAccess,
    form: WithAvatar<Nothing>,
) -> Result<Response> {
    access.may(Permission::EditGroup)?;
    let stored = match form.avatar {
        Some(picture) => avatar::store(&app, Of::Group(access.group.id), picture).await,
        None => Err(Error::invalid("avatar", "is missing; choose a picture first")),
    };
    finish(&app, &access, stored.map(|()| access.group.clone()), &GroupChange::default(), "The picture is changed.")
        .await
}

pub(super) async fn remove_avatar(State(app): State<App>, access: GroupAccess) -> Result<Response> {
    access.may(Permission::EditGroup)?;
    avatar::remove(&app, Of::Group(access.group.id)).await?;
    Ok(redirect_with(&here(&access.group), Tone::Ok, "The picture is removed."))
}

#[derive(Debug, Deserialize)]
pub(super) struct Rename {
    path: String,
}

pub(super) async fn rename(
    State(app): State<App>,
    access: GroupAccess,
    Params(form): Params<Rename>,
) -> Result<Response> {
    let wanted = GroupChange { path: Some(form.path), ..GroupChange::default() };
    let done = group_edit::update_group(&app, &access, &wanted).await;
    finish(&app, &access, done, &wanted, "The path is changed. Old paths lead to the new ones, for git too.").await
}

#[derive(Debug, Deserialize)]
pub(super) struct Transfer {
    /// The group to move it below; 0 for the top.
    new_parent_id: i64,
}

pub(super) async fn transfer(
    State(app): State<App>,
    access: GroupAccess,
    Params(form): Params<Transfer>,
) -> Result<Response> {
    access.may(Permission::EditGroup)?;
    let done = move_below(&app, &access, form.new_parent_id).await;
    finish(
        &app,
        &access,
        done,
        &GroupChange::default(),
        "The group is moved. Old paths lead to the new ones, for git too.",
    )
    .await
}

async fn move_below(app: &App, access: &GroupAccess, id: i64) -> Result<Namespace> {
    if id == 0 {
        return group_edit::transfer_group(app, access, None).await;
    }
    let parent = Namespace::find(app.db().conn(), id).await?.filter(Namespace::is_group);
    let parent = parent.ok_or_else(|| Error::invalid("parent_id", "is not a group"))?;
    let parent = GroupAccess::of(app, access.actor.clone(), parent).await?;
    group_edit::transfer_group(app, access, Some(&parent)).await
}

#[derive(Debug, Deserialize)]
pub(super) struct Deletion {
    #[serde(default)]
    confirm: String,
}

pub(super) async fn delete(
    State(app): State<App>,
    access: GroupAccess,
    Params(form): Params<Deletion>,
) -> Result<Response> {
    access.may(Permission::DeleteGroup)?;
    if form.confirm.trim() != access.group.full_path || !access.group.is_group() {
        let why = Error::bad_request(format!("The group stays, as what was typed is not {}", access.group.full_path));
        return render(&app, &access, &GroupChange::default(), &Wrong::of(why)?).await;
    }
    let tx = app.begin().await?;
    access.group.delete(&tx, &access.actor).await?;
    tx.commit().await?;
    Ok(redirect_with(
        "/dashboard/groups",
        Tone::Ok,
        &format!("{} and everything in it is deleted.", access.group.full_path),
    ))
}

async fn render(app: &App, access: &GroupAccess, typed: &GroupChange, wrong: &Wrong) -> Result<Response> {
    access.may(Permission::EditGroup)?;
    if !access.group.is_group() {
        return Err(Error::not_found("Group"));
    }
    let mut page = group_page(app, access, "Settings", "settings");
    let places = places(app, access).await?;
    page.body = html! {
        (parts::head(&html! { "Settings" }, &html! {}, &html! {}))
        (wrong.beside(&["name", "path", "description", "visibility_level", "avatar", "parent_id"]))
        div.stack.wide {
            (parts::panel("general", "General", &general(access, typed, wrong)?))
            (parts::panel("picture", "Picture", &picture(&access.group, wrong)))
            (parts::panel("advanced", "Rename, move, delete", &advanced(&access.group, &places, wrong)))
        }
    };
    Ok((wrong.status(), page.render()).into_response())
}

/// The groups below which this one can be moved.
async fn places(app: &App, access: &GroupAccess) -> Result<Vec<Namespace>> {
    let owned = match access.actor.is_admin() {
        true => "TRUE".into(),
        false => member_groups_at(access.actor.user()?.id, level::MAINTAINER),
    };
    let sql = format!(
        "SELECT n.* FROM namespaces n WHERE n.kind = 'group' AND {owned}
         AND n.id NOT IN (SELECT a.namespace_id FROM namespace_ancestors a WHERE a.ancestor_id = $1)
         ORDER BY n.full_path_key LIMIT 500"
    );
    app.db().all(&sql, [access.group.id.into()]).await
}

fn general(access: &GroupAccess, typed: &GroupChange, wrong: &Wrong) -> Result<Markup> {
    let (group, settings) = (&access.group, access.group.settings()?);
    let name = typed.name.clone().unwrap_or_else(|| group.name.clone());
    let description = typed.description.clone().unwrap_or_else(|| group.description.clone());
    Ok(html! {
        form.stack method="post" action=(here(group)) {
            (Field { name: "name", label: "Name", value: &name, required: true, maxlength: Some(255), error: wrong.with("name").as_deref(), ..Field::default() }.input())
            (Field { name: "description", label: "Description", value: &description, rows: 3, maxlength: Some(500), error: wrong.with("description").as_deref(), ..Field::default() }.textarea())
            (visibility_field(typed.visibility.unwrap_or(group.visibility()), "group", wrong))
            (Field { name: "project_creation_level", label: "Who may make projects", value: &settings.project_creation_level, ..Field::default() }.select(&[
                ("developer", "Developers, maintainers and owners"), ("maintainer", "Maintainers and owners"), ("owner", "Owners"),
                ("administrator", "Administrators"), ("noone", "Nobody")]))
            (Field { name: "subgroup_creation_level", label: "Who may make subgroups", value: &settings.subgroup_creation_level, ..Field::default() }.select(&[
                ("maintainer", "Maintainers and owners"), ("owner", "Owners")]))
            (Field { name: "default_branch", label: "Default branch of new projects", value: settings.default_branch.as_deref().unwrap_or_default(), mono: true,
                placeholder: "main", ..Field::default() }.input())
            (ui::form::actions("Save", None))
        }
    })
}

fn picture(group: &Namespace, wrong: &Wrong) -> Markup {
    let src = avatar::group_path(group);
    html! {
        div.line {
            (parts::avatar_square(&group.name, src.as_deref()))
            form.line method="post" action={ (here(group)) "/avatar" } enctype="multipart/form-data" {
                label.vh for="picture-file" { "Picture" }
                input.in id="picture-file" type="file" name="avatar" accept="image/png,image/jpeg,image/gif,image/webp" required;
                button.btn type="submit" { "Upload" }
            }
            @if src.is_some() {
                (parts::post_button(&format!("{}/avatar/delete", here(group)), &[], &Button { label: "Remove", icon: "trash", ..Button::default() }))
            }
        }
        @if let Some(why) = wrong.with("avatar") { (parts::alert(Tone::Bad, &html! { (why) })) }
        p.faint { "PNG, JPEG, GIF or WebP of at most 200 KB." }
    }
}

fn advanced(group: &Namespace, places: &[Namespace], wrong: &Wrong) -> Markup {
    let ids: Vec<String> = places.iter().map(|p| p.id.to_string()).collect();
    let mut choices: Vec<(&str, &str)> = vec![("0", "The top")];
    choices.extend(
        ids.iter()
            .zip(places)
            .filter(|(_, p)| Some(p.id) != group.parent_id)
            .map(|(id, p)| (id.as_str(), p.full_path.as_str())),
    );
    let delete = Confirm {
        id: "delete-group",
        title: "Delete this group?",
        text: "All its subgroups and projects, with their repositories, are lost for good.",
        action: &format!("{}/delete", here(group)),
        type_to_confirm: Some(&group.full_path),
        keep: "Keep it",
        act: "Delete group",
        ..Confirm::default()
    };
    html! {
        form.stack method="post" action={ (here(group)) "/rename" } {
            (Field { name: "path", label: "Path", value: &group.path, required: true, mono: true, error: wrong.with("path").as_deref(),
                hint: "The old addresses of the group and all in it lead to the new ones.", ..Field::default() }.input())
            div.line { button.btn type="submit" { "Change path" } }
        }
        hr;
        form.stack method="post" action={ (here(group)) "/transfer" } {
            (Field { name: "new_parent_id", label: "Move to", value: "", error: wrong.with("parent_id").as_deref(),
                hint: "Members of the groups above get access; those of the old ones lose it.", ..Field::default() }.select(&choices))
            div.line { button.btn type="submit" { "Move group" } }
        }
        hr;
        div.line { (Button { label: "Delete group", icon: "trash", class: "danger", dialog: Some("delete-group"), ..Button::default() }.render()) }
        (delete.render())
    }
}

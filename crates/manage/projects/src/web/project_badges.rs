//! The badges of a project, in its settings.

use axum::extract::{Path, State};
use axum::response::Response;
use kernel::http::Params;
use kernel::{App, Error, Result};
use serde::Deserialize;
use ui::form::Field;
use ui::parts::Button;
use ui::{Markup, Tone, html, parts};

use accounts::shell::redirect_with;

use crate::access::ProjectAccess;
use crate::api::badges;
use crate::badge::Badge;
use crate::member::Source;
use crate::permissions::Permission;

fn here(access: &ProjectAccess) -> String {
    format!("/{}/-/edit", access.project.full_path)
}

#[derive(Debug, Deserialize)]
pub(super) struct Form {
    #[serde(default)]
    name: String,
    link_url: String,
    image_url: String,
}

pub(super) async fn add(State(app): State<App>, access: ProjectAccess, Params(form): Params<Form>) -> Result<Response> {
    access.may(Permission::EditProject)?;
    let added =
        badges::add(&app, Source::Project(access.project.id), &form.name, &form.link_url, &form.image_url).await;
    Ok(match added {
        Ok(_) => redirect_with(&here(&access), Tone::Ok, "The badge is added."),
        Err(Error::Invalid(_)) => redirect_with(
            &here(&access),
            Tone::Bad,
            "The badge was not added: both addresses have to begin with https:// or http://.",
        ),
        Err(e) => return Err(e),
    })
}

pub(super) async fn remove(
    State(app): State<App>,
    access: ProjectAccess,
    Path((_, id)): Path<(String, String)>,
) -> Result<Response> {
    access.may(Permission::EditProject)?;
    badges::remove(&app, Source::Project(access.project.id), &id).await?;
    Ok(redirect_with(&here(&access), Tone::Ok, "The badge is removed."))
}

/// The panel with the badges that there are and the form for another.
pub(super) async fn panel(app: &App, access: &ProjectAccess) -> Result<Markup> {
    let badges = Badge::of_project(app.db().conn(), &access.project).await?;
    let rows: Vec<Markup> = badges.iter().map(|b| row(access, b)).collect();
    let action = format!("{}/badges", here(access));
    Ok(parts::panel(
        "badges",
        "Badges",
        &html! {
            @if rows.is_empty() { p.soft { "No badges yet. A badge is a small linked picture below the project's name, such as a state of its build." } }
            @else { (parts::rows(&rows)) }
            form.stack method="post" action=(action) {
                (Field { name: "name", label: "Name", maxlength: Some(255), ..Field::default() }.input())
                (Field { name: "link_url", label: "Where it leads", kind: "text", required: true, mono: true, placeholder: "https://ci.example/%{project_path}", ..Field::default() }.input())
                (Field { name: "image_url", label: "Picture", required: true, mono: true, placeholder: "https://ci.example/%{project_path}/%{default_branch}.svg",
                    hint: "%{project_path}, %{project_title}, %{project_name}, %{project_id}, %{project_namespace}, %{group_name} and %{default_branch} are filled in.",
                    ..Field::default() }.input())
                div.line { button.btn type="submit" { "Add badge" } }
            }
        },
    ))
}

fn row(access: &ProjectAccess, badge: &Badge) -> Markup {
    let name = if badge.name.is_empty() { "Badge" } else { &badge.name };
    let title = html! { b { (name) } @if badge.project_id.is_none() { " " (parts::tag("From a group")) } };
    let meta = html! { code.cut { (badge.image_url) } };
    let remove = format!("{}/badges/{}/delete", here(access), badge.id);
    let end = html! {
        @if badge.project_id.is_some() {
            (parts::post_button(&remove, &[], &Button { label: "Remove", icon: "trash", class: "small", ..Button::default() }))
        }
    };
    let image = html! { img.badgeimg src=(badge.image_for(&access.project)) alt="" height="20" loading="lazy"; };
    parts::row(&image, &title, &meta, &end)
}

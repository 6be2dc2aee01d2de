//! The CI/CD settings of a group: its variables.

use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use kernel::http::Params;
use kernel::{App, Result};
use projects::{GroupAccess, Permission};
use ui::{Crumb, Markup, html, parts};

use super::variables::{self, Form, Place, private};
use crate::variables::Owner;

const TITLE: &str = "CI/CD settings";

fn place<'a>(app: &'a App, access: &'a GroupAccess) -> Result<Place<'a>> {
    access.may(Permission::ReadGroupVariables)?;
    let settings = format!("/groups/{}/-/settings/ci_cd", access.group.full_path);
    Ok(Place { app, actor: &access.actor, owner: Owner::Group(access.group.id), settings })
}

fn frame(app: &App, access: &GroupAccess, title: &str, body: Markup) -> Markup {
    let mut page = projects::shell::group_page(app, access, title, "ci_cd");
    page.crumbs.push(Crumb::new("CI/CD", format!("/groups/{}/-/settings/ci_cd", access.group.full_path)));
    page.body = body;
    page.render()
}

pub(super) async fn show(State(app): State<App>, access: GroupAccess) -> Result<Response> {
    let variables = variables::panel(
        &place(&app, &access)?,
        "The jobs of all projects in this group get them, and of the groups below.",
    )
    .await?;
    let body = html! { (parts::head(&html! { (TITLE) }, &html! {}, &html! {})) (variables) };
    Ok(private(StatusCode::OK, frame(&app, &access, TITLE, body)))
}

type Named = Path<(String, String)>;

pub(super) async fn add(State(app): State<App>, access: GroupAccess, Params(form): Params<Form>) -> Result<Response> {
    variables::add(&place(&app, &access)?, &form, |title, body| frame(&app, &access, title, body)).await
}

pub(super) async fn edit(State(app): State<App>, access: GroupAccess, Path((_, id)): Named) -> Result<Response> {
    variables::edit(&place(&app, &access)?, &id, |title, body| frame(&app, &access, title, body)).await
}

pub(super) async fn change(
    State(app): State<App>,
    access: GroupAccess,
    Path((_, id)): Named,
    Params(form): Params<Form>,
) -> Result<Response> {
    variables::update(&place(&app, &access)?, &id, form, |title, body| frame(&app, &access, title, body)).await
}

pub(super) async fn delete(State(app): State<App>, access: GroupAccess, Path((_, id)): Named) -> Result<Response> {
    variables::delete(&place(&app, &access)?, &id).await
}

//! Stars and forks of a project.

use accounts::shell::{redirect, redirect_with};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use kernel::db::Sql;
use kernel::http::Params;
use kernel::{App, Error, Result};
use projects::access::member_groups_at;
use projects::shell::project_page;
use projects::{ForkAs, GroupAccess, Namespace, Permission, ProjectAccess, level};
use serde::Deserialize;
use ui::form::{self, Field};
use ui::{Page, Tone, html, parts};

use crate::links::Links;

#[derive(Deserialize)]
pub(crate) struct Star {
    starred: bool,
}

pub(crate) async fn toggle(State(app): State<App>, access: ProjectAccess, Params(wanted): Params<Star>) -> Result<Response> {
    projects::star(&app, &access, wanted.starred).await?;
    Ok(redirect(&Links::of(&access.project).root))
}

/// The namespaces in which the actor may make projects.
async fn targets(app: &App, access: &ProjectAccess) -> Result<Vec<Namespace>> {
    let user = access.actor.user()?.id;
    let groups = member_groups_at(user, level::DEVELOPER);
    let sql = format!("SELECT n.* FROM namespaces n WHERE n.owner_id = $1 OR {groups} ORDER BY n.owner_id DESC, n.full_path");
    app.db().conn().all(&sql, [user.into()]).await
}

pub(crate) async fn new_fork(State(app): State<App>, access: ProjectAccess) -> Result<Response> {
    access.may(Permission::ForkProject)?;
    access.sees(Permission::ReadCode, "Repository")?;
    Ok(page(&app, &access, &Fork::default(), None).await?.into_response())
}

#[derive(Default, Deserialize)]
pub(crate) struct Fork {
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    path: String,
}

pub(crate) async fn fork(State(app): State<App>, access: ProjectAccess, Params(wanted): Params<Fork>) -> Result<Response> {
    access.actor.user()?;
    access.may(Permission::ForkProject)?;
    let target = GroupAccess::by_path(&app, access.actor.clone(), &wanted.namespace).await?;
    let shape = ForkAs { path: Some(wanted.path.clone()), ..ForkAs::default() };
    match projects::fork(&app, &access, &target, shape).await {
        Ok(made) => Ok(redirect_with(&format!("/{}", made.full_path), Tone::Ok, "The fork is being made.")),
        Err(Error::Conflict(_)) => {
            let why = format!("{} has a project of this name already. Try another name.", target.group.full_path);
            Ok((http::StatusCode::CONFLICT, page(&app, &access, &wanted, Some(&why)).await?).into_response())
        }
        Err(e @ (Error::Invalid(_) | Error::BadRequest(_))) => {
            Ok((http::StatusCode::UNPROCESSABLE_ENTITY, page(&app, &access, &wanted, Some(&e.to_string())).await?).into_response())
        }
        Err(e) => Err(e),
    }
}

async fn page(app: &App, access: &ProjectAccess, wanted: &Fork, error: Option<&str>) -> Result<ui::Markup> {
    let found = targets(app, access).await?;
    let choices: Vec<(&str, &str)> = found.iter().map(|n| (n.full_path.as_str(), n.full_path.as_str())).collect();
    let path = if wanted.path.is_empty() { &access.project.path } else { &wanted.path };
    let links = Links::of(&access.project);
    let body = html! {
        (parts::head(&html! { "Fork " (access.project.name) }, &html! {}, &html! { p.soft { "A fork is a copy of your own. What you push there changes nothing here." } }))
        form.stack.narrow-form method="post" action=(links.page("forks")) {
            (Field { name: "namespace", label: "Where", value: &wanted.namespace, ..Field::default() }.select(&choices))
            (Field { name: "path", label: "Name", value: path, error, required: true, hint: "Letters, digits, dashes, dots and underscores.", ..Field::default() }.input())
            (form::actions("Fork project", Some((&links.root, "Cancel"))))
        }
    };
    Ok(Page { body, ..project_page(app, access, "Fork", "home") }.render())
}

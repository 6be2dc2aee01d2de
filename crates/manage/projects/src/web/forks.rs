//! Forks of a project and who starred it.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use kernel::http::{Paging, Params};
use kernel::{App, Error, Result};
use serde::Deserialize;
use ui::form::Field;
use ui::parts::Empty;
use ui::{Markup, format, html, parts};

use accounts::User;
use accounts::shell::redirect;

use super::parts::{
    Wrong, creatable_namespaces, namespace_field, paging as page_links, project_row, rows, visibility_field,
};
use crate::access::{GroupAccess, ProjectAccess};
use crate::api::entity;
use crate::edit::{self, ForkAs};
use crate::list::{ProjectFilters, ProjectOrder};
use crate::namespace::Namespace;
use crate::permissions::Permission;
use crate::shell::project_page;
use crate::visibility::Visibility;

pub(super) async fn list(State(app): State<App>, access: ProjectAccess, paging: Paging) -> Result<Response> {
    access.sees(Permission::ReadCode, "Project")?;
    let filters = ProjectFilters { order_by: Some(ProjectOrder::LastActivityAt), ..ProjectFilters::default() };
    let mut c = filters.conditions(&access.actor)?;
    c.with("p.forked_from_id = {}", access.project.id);
    let (forks, total) = filters.page(&app, c, &paging).await?;
    let shown: Vec<Markup> = forks.iter().map(project_row).collect();
    let mut page = project_page(&app, &access, "Forks", "home");
    let (path, new) =
        (format!("/{}/-/forks", access.project.full_path), format!("/{}/-/forks/new", access.project.full_path));
    page.body = html! {
        (parts::head(&html! { "Forks" }, &parts::primary_link(&new, "fork", "Fork"), &html! {}))
        @if shown.is_empty() {
            (Empty { icon: "fork", title: "No forks yet", text: "A fork is a copy of the repository where changes can be tried out.",
                ..Empty::default() }.render())
        } @else { (rows("forks", &shown)) }
        (page_links(&paging, total, &path, &[]))
    };
    Ok(page.render().into_response())
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Form {
    namespace_id: Option<i64>,
    name: Option<String>,
    path: Option<String>,
    visibility: Option<Visibility>,
}

pub(super) async fn new(State(app): State<App>, access: ProjectAccess) -> Result<Response> {
    render(&app, &access, &Form::default(), &Wrong::default()).await
}

async fn render(app: &App, access: &ProjectAccess, wanted: &Form, wrong: &Wrong) -> Result<Response> {
    access.may(Permission::ForkProject)?;
    access.actor.user()?;
    let project = &access.project;
    let namespaces = creatable_namespaces(app, &access.actor).await?;
    let mut page = project_page(app, access, "Fork", "home");
    let (name, path) =
        (wanted.name.as_deref().unwrap_or(&project.name), wanted.path.as_deref().unwrap_or(&project.path));
    page.body = html! {
        (parts::head(&html! { "Fork " (project.name) }, &html! {}, &html! { "A copy of the repository with all branches and tags, in a place of yours." }))
        (wrong.beside(&["name", "path", "namespace", "visibility_level"]))
        (parts::panel("fork", "The fork", &html! {
            form.stack method="post" action={ "/" (project.full_path) "/-/forks" } {
                (namespace_field("namespace_id", "Where", &namespaces, wanted.namespace_id, wrong.with("namespace").as_deref()))
                (Field { name: "name", label: "Name", value: name, required: true, error: wrong.with("name").as_deref(), ..Field::default() }.input())
                (Field { name: "path", label: "Path", value: path, required: true, mono: true, error: wrong.with("path").as_deref(), ..Field::default() }.input())
                (visibility_field(wanted.visibility.unwrap_or(project.visibility()), "fork", wrong))
                (ui::form::actions("Fork", Some((&format!("/{}", project.full_path), "Back"))))
            }
        }))
    };
    Ok((wrong.status(), page.render()).into_response())
}

pub(super) async fn create(
    State(app): State<App>,
    access: ProjectAccess,
    Params(form): Params<Form>,
) -> Result<Response> {
    match fork(&app, &access, &form).await {
        Ok(path) => Ok(redirect(&format!("/{path}/-/import"))),
        Err(e) => render(&app, &access, &form, &Wrong::of(e)?).await,
    }
}

async fn fork(app: &App, access: &ProjectAccess, form: &Form) -> Result<String> {
    access.may(Permission::ForkProject)?;
    let user = access.actor.user()?.id;
    let target = match form.namespace_id {
        Some(id) => Namespace::find(app.db().conn(), id).await?,
        None => Namespace::of_user(app.db().conn(), user).await?,
    };
    let target = target.ok_or_else(|| Error::invalid("namespace", "is not valid"))?;
    let target = GroupAccess::of(app, access.actor.clone(), target).await?;
    let wanted =
        ForkAs { name: form.name.clone(), path: form.path.clone(), visibility: form.visibility, description: None };
    Ok(edit::fork(app, access, &target, wanted).await?.full_path)
}

pub(super) async fn starrers(State(app): State<App>, access: ProjectAccess, paging: Paging) -> Result<Response> {
    let from = "FROM users u JOIN stars s ON s.user_id = u.id WHERE s.project_id = $1 AND u.state = 'active' AND NOT u.private_profile";
    let total = entity::count(&app, &format!("SELECT COUNT(*) {from}"), vec![access.project.id.into()]).await?;
    let sql =
        format!("SELECT u.* {from} ORDER BY s.created_at DESC LIMIT {} OFFSET {}", paging.limit(), paging.offset());
    let people: Vec<User> = app.db().all(&sql, [access.project.id.into()]).await?;
    let mut page = project_page(&app, &access, "Stars", "home");
    let shown: Vec<Markup> = people
        .iter()
        .map(|u| {
            let title = html! { a.plain href=(u.path()) { b { (u.name) } } };
            parts::row(
                &parts::avatar(&u.name, u.avatar_path().as_deref()),
                &title,
                &html! { "@" (u.username) },
                &html! {},
            )
        })
        .collect();
    page.body = html! {
        (parts::head(&html! { (format::plural(total, "star")) }, &html! {}, &html! {}))
        @if shown.is_empty() { p.soft { "Nobody has starred this project yet." } } @else { (rows("people", &shown)) }
        (page_links(&paging, total, &format!("/{}/-/starrers", access.project.full_path), &[]))
    };
    Ok(page.render().into_response())
}

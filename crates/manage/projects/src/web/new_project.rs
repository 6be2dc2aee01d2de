//! Making a project: an empty one, by a push, or from a git URL; and how far an import is.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use kernel::http::{Params, Query};
use kernel::{App, Result};
use serde::Deserialize;
use ui::form::{self, Field};
use ui::{Crumb, Markup, Tone, html, parts};

use accounts::Actor;
use accounts::shell::{page as home, redirect, redirect_with};

use super::parts::{Wrong, creatable_namespaces, namespace_field, visibility_field};
use crate::access::ProjectAccess;
use crate::api::project_settings::{ProjectChange, without_credentials};
use crate::edit;
use crate::namespace::Namespace;
use crate::permissions::Permission;
use crate::shell::project_page;

#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    namespace_id: Option<i64>,
}

pub(super) async fn show(State(app): State<App>, actor: Actor, Query(asked): Query<Asked>) -> Result<Response> {
    let wanted = ProjectChange {
        namespace_id: asked.namespace_id,
        initialize_with_readme: Some(true),
        ..ProjectChange::default()
    };
    render(&app, &actor, &wanted, &Wrong::default()).await
}

pub(super) async fn create(
    State(app): State<App>,
    actor: Actor,
    Params(wanted): Params<ProjectChange>,
) -> Result<Response> {
    actor.user()?;
    match edit::create_project(&app, &actor, &wanted).await {
        Ok(made) if made.import_url.is_some() => Ok(redirect(&format!("/{}/-/import", made.full_path))),
        Ok(made) => Ok(redirect_with(
            &format!("/{}", made.full_path),
            Tone::Ok,
            &format!("The project {} is there.", made.name),
        )),
        Err(e) => render(&app, &actor, &wanted, &Wrong::of(e)?).await,
    }
}

async fn render(app: &App, actor: &Actor, wanted: &ProjectChange, wrong: &Wrong) -> Result<Response> {
    let user = actor.user()?;
    let namespaces = creatable_namespaces(app, actor).await?;
    let chosen = wanted.namespace_id.and_then(|id| namespaces.iter().find(|n| n.id == id)).or(namespaces.first());
    let path = chosen.map_or(user.username.as_str(), |n| n.full_path.as_str());
    let mut page = home(app, actor, "New project");
    page.crumbs = vec![Crumb::new("Projects", "/dashboard/projects"), Crumb::new("New project", "/projects/new")];
    let importing = wanted.import_url.is_some();
    page.body = html! {
        (parts::head(&html! { "New project" }, &html! {}, &html! { "Start empty, push what you have, or import it from elsewhere." }))
        (wrong.beside(&["name", "path", "namespace", "visibility_level", "visibility", "import_url", "description"]))
        div.halves {
            div.stack.wide {
                (parts::panel("blank_project", "Start with an empty project", &blank(&namespaces, wanted, if importing { &DEFAULT } else { wrong })))
            }
            div.stack.wide {
                (parts::panel("push_project", "Push what you have", &by_push(app, path)))
                (parts::panel("import_project", "Import from a git URL", &import(&namespaces, wanted, if importing { wrong } else { &DEFAULT })))
            }
        }
    };
    Ok((wrong.status(), page.render()).into_response())
}

static DEFAULT: Wrong = Wrong::none();

fn name_fields(wanted: &ProjectChange, wrong: &Wrong) -> Markup {
    let text = |t: &Option<String>| t.clone().unwrap_or_default();
    let (name, path) = (text(&wanted.name), text(&wanted.path));
    html! {
        (Field { name: "name", label: "Name", value: &name, required: true, maxlength: Some(255), error: wrong.with("name").as_deref(),
            ..Field::default() }.input())
        (Field { name: "path", label: "Path", value: &path, mono: true, maxlength: Some(255), hint: "The last part of its address. Empty takes it from the name.",
            error: wrong.with("path").as_deref(), ..Field::default() }.input())
    }
}

fn blank(namespaces: &[Namespace], wanted: &ProjectChange, wrong: &Wrong) -> Markup {
    let description = wanted.description.clone().unwrap_or_default();
    html! {
        form.stack method="post" action="/projects" {
            (namespace_field("namespace_id", "Where", namespaces, wanted.namespace_id, wrong.with("namespace").as_deref()))
            (name_fields(wanted, wrong))
            (Field { name: "description", label: "Description", value: &description, rows: 2, maxlength: Some(2000),
                error: wrong.with("description").as_deref(), ..Field::default() }.textarea())
            (visibility_field(wanted.visibility.unwrap_or_default(), "project", wrong))
            (form::hidden("initialize_with_readme", "0"))
            (form::checkbox("initialize_with_readme", "Begin with a README", wanted.initialize_with_readme == Some(true),
                "So that it can be cloned at once. Leave it out to push a repository that you have."))
            (form::actions("Make project", None))
        }
    }
}

fn by_push(app: &App, path: &str) -> Markup {
    let url = app.config().link(&format!("/{path}/my-project.git"));
    html! {
        p.soft { "A push to a path that isn't there yet makes a private project." }
        (parts::code_box(&format!("cd my-project\ngit remote add origin {url}\ngit push -u origin main"), "push an existing repository"))
        p.soft { "Or with all branches and tags:" }
        (parts::code_box(&format!("git push --mirror {url}"), "push everything"))
    }
}

fn import(namespaces: &[Namespace], wanted: &ProjectChange, wrong: &Wrong) -> Markup {
    let url = wanted.import_url.clone().unwrap_or_default();
    html! {
        form.stack method="post" action="/projects" {
            (Field { name: "import_url", label: "Address of the repository", value: &without_credentials(&url), kind: "url", required: true, mono: true,
                placeholder: "https://example.org/group/project.git",
                hint: "With name and token in it, as in https://name:token@…, where it is not open to all.",
                error: wrong.with("import_url").as_deref(), ..Field::default() }.input())
            (namespace_field("namespace_id", "Where", namespaces, wanted.namespace_id, wrong.with("namespace").as_deref()))
            (name_fields(wanted, wrong))
            (visibility_field(wanted.visibility.unwrap_or_default(), "project", wrong))
            div.line { button.btn type="submit" { "Import" } }
        }
    }
}

pub(super) async fn import_progress(State(app): State<App>, access: ProjectAccess) -> Result<Response> {
    access.may(Permission::ReadMembers)?;
    let project = &access.project;
    let home = format!("/{}", project.full_path);
    let status = project.import_status.as_str();
    if matches!(status, "none" | "finished") {
        return Ok(redirect(&home));
    }
    let mut page = project_page(&app, &access, "Import", "home");
    let from = project.import_url.as_deref().map(without_credentials);
    let waiting = matches!(status, "scheduled" | "started");
    if waiting {
        page.head = Some(html! { meta http-equiv="refresh" content="2"; });
    }
    let source = from.as_deref().unwrap_or(if project.forked_from_id.is_some() {
        "the project it is forked from"
    } else {
        "elsewhere"
    });
    page.body = html! {
        (parts::head(&html! { "Importing " (project.name) }, &html! {}, &html! { "From " code { (source) } }))
        @if waiting {
            (parts::alert(Tone::Info, &html! {
                b { (if status == "scheduled" { "Waiting for its turn." } else { "Under way." }) }
                @if let Some(progress) = &project.import_progress { " " (progress) }
            }))
            p.soft { "This page renews itself. The project is ready when it is done." }
        } @else {
            (parts::alert(Tone::Bad, &html! {
                b { "The import failed. " }
                (project.import_error.as_deref().filter(|_| access.can(Permission::EditProject)).unwrap_or("The address or its name and token may be wrong."))
            }))
            div.line {
                @if access.can(Permission::DeleteProject) { (parts::link_button(&format!("{home}/-/edit"), "settings", "Settings, to delete the project")) }
                (parts::link_button("/projects/new#import_project", "retry", "Try another import"))
            }
        }
    };
    Ok(page.render().into_response())
}

pub(super) async fn star(State(app): State<App>, access: ProjectAccess) -> Result<Response> {
    edit::star(&app, &access, true).await?;
    Ok(redirect(&format!("/{}", access.project.full_path)))
}

pub(super) async fn unstar(State(app): State<App>, access: ProjectAccess) -> Result<Response> {
    edit::star(&app, &access, false).await?;
    Ok(redirect(&format!("/{}", access.project.full_path)))
}

//! The CI/CD variables of projects and groups: the list, and the forms that add, change and remove them.

use accounts::Actor;
use accounts::shell::redirect_with;
use axum::response::{IntoResponse, Response};
use http::header::CACHE_CONTROL;
use http::{HeaderValue, StatusCode};
use kernel::{App, Error, Result};
use serde::Deserialize;
use ui::form::{Field, checkbox};
use ui::menu::Confirm;
use ui::parts::{self, Button};
use ui::{Markup, Tone, html};

use crate::variable_changes;
use crate::variables::{CiVariable, Owner};

/// Where the variables of a project or group are on the web.
pub(super) struct Place<'a> {
    pub(super) app: &'a App,
    pub(super) actor: &'a Actor,
    pub(super) owner: Owner,
    /// The path of the settings page.
    pub(super) settings: String,
}

#[derive(Default, Deserialize)]
pub(super) struct Form {
    #[serde(default)]
    key: String,
    #[serde(default)]
    value: String,
    #[serde(default)]
    variable_type: String,
    #[serde(default)]
    visibility: String,
    #[serde(default)]
    protected: bool,
    #[serde(default)]
    expand: bool,
    #[serde(default)]
    environment_scope: String,
    #[serde(default)]
    description: String,
}

impl Form {
    /// What the form of a new variable begins with.
    fn blank() -> Self {
        Self { expand: true, environment_scope: "*".into(), visibility: "visible".into(), ..Self::default() }
    }

    fn of(v: &CiVariable) -> Self {
        let visibility = match (v.hidden, v.masked) {
            (true, _) => "hidden",
            (_, true) => "masked",
            _ => "visible",
        };
        Self {
            key: v.key.clone(),
            value: if v.hidden { String::new() } else { v.value.clone() },
            variable_type: v.variable_type.clone(),
            visibility: visibility.into(),
            protected: v.protected,
            expand: !v.raw,
            environment_scope: v.environment_scope.clone(),
            description: v.description.clone().unwrap_or_default(),
        }
    }

    fn variable(&self, old: Option<&CiVariable>) -> CiVariable {
        // What nobody can read back stays so, and an empty field keeps it.
        let hidden = old.map_or(self.visibility == "hidden", |o| o.hidden);
        let kept = old.filter(|o| o.hidden && self.value.is_empty()).map(|o| o.value.clone());
        let some = |text: &str, or: &str| if text.trim().is_empty() { or.to_owned() } else { text.trim().to_owned() };
        CiVariable {
            id: old.map_or(0, |o| o.id),
            key: old.map_or_else(|| self.key.trim().to_owned(), |o| o.key.clone()),
            value: kept.unwrap_or_else(|| self.value.replace("\r\n", "\n")),
            variable_type: some(&self.variable_type, "env_var"),
            protected: self.protected,
            masked: hidden || self.visibility == "masked",
            hidden,
            raw: !self.expand,
            environment_scope: some(&self.environment_scope, "*"),
            description: Some(self.description.trim().to_owned()).filter(|d| !d.is_empty()),
        }
    }
}

/// The panel of the settings page: the list and a form for one more.
pub(super) async fn panel(place: &Place<'_>, about: &str) -> Result<Markup> {
    let all = CiVariable::all(place.app.db().conn(), place.owner).await?;
    let add = format!("{}/variables", place.settings);
    Ok(parts::panel(
        "variables",
        "Variables",
        &html! {
            p.soft { (about) }
            @if all.is_empty() { p.faint { "No variables yet." } } @else { (table(place, &all)) }
            details {
                summary.btn { (ui::icon("plus")) "Add a variable" }
                form.stack method="post" action=(add) { (fields(&Form::blank(), &Wrong::default(), false)) (ui::form::actions("Add variable", None)) }
            }
        },
    ))
}

fn table(place: &Place<'_>, all: &[CiVariable]) -> Markup {
    html! {
        div.scroll {
            table.data {
                caption.vh { "Variables" }
                thead { tr {
                    th scope="col" { "Key" } th scope="col" { "Kind" } th.wide-only scope="col" { "Environments" } th scope="col" { span.vh { "Actions" } }
                } }
                tbody { @for variable in all { (row(place, variable)) } }
            }
        }
    }
}

fn row(place: &Place<'_>, variable: &CiVariable) -> Markup {
    let href = format!("{}/variables/{}", place.settings, variable.id);
    let dialog = format!("delete-variable-{}", variable.id);
    html! {
        tr {
            th scope="row" { a.mono.plain href=(href) { (variable.key) } @if let Some(about) = &variable.description { br; span.faint.normal { (about) } } }
            td {
                span.line.tight {
                    @if variable.variable_type == "file" { (parts::tag("file")) }
                    @if variable.protected { (parts::tag("protected")) }
                    @if variable.hidden { (parts::tag("hidden")) } @else if variable.masked { (parts::tag("masked")) }
                    @if !variable.raw { (parts::tag("expanded")) }
                }
            }
            td.wide-only { code { (variable.environment_scope) } }
            td.r {
                span.line.fix {
                    a.btn.small.quiet.icon href=(href) aria-label={ "Edit " (variable.key) } title="Edit" { (ui::icon("pencil")) }
                    (Button { label: "Delete", icon: "trash", class: "small quiet", icon_only: true, dialog: Some(&dialog), ..Button::default() }.render())
                    (Confirm { id: &dialog, title: &format!("Delete {}?", variable.key), text: "Jobs that start from now on don't get it. Its value can't be brought back.",
                        action: &format!("{href}/delete"), act: "Delete variable", ..Confirm::default() }.render())
                }
            }
        }
    }
}

/// Complaints by field.
#[derive(Default)]
pub(super) struct Wrong(Vec<(String, String)>);

impl Wrong {
    fn of(error: Error) -> Result<Self> {
        match error {
            Error::Invalid(fields) => Ok(Self(fields)),
            Error::BadParameter(why) | Error::BadRequest(why) => Ok(Self(vec![("key".into(), why)])),
            other => Err(other),
        }
    }

    fn with(&self, field: &str, name: &str) -> Option<String> {
        self.0.iter().find(|(f, _)| f == field).map(|(_, why)| format!("{name} {why}."))
    }
}

fn fields(form: &Form, wrong: &Wrong, known: bool) -> Markup {
    let hidden = known && form.visibility == "hidden";
    let (key, value) = (wrong.with("key", "The key"), wrong.with("value", "The value"));
    let scope = wrong.with("environment_scope", "The scope");
    html! {
        (Field { name: "key", label: "Key", value: &form.key, error: key.as_deref(), mono: true, required: true, disabled: known,
            hint: "Letters, digits and _.", maxlength: Some(255), ..Field::default() }.input())
        (Field { name: "value", label: "Value", value: &form.value, error: value.as_deref(), mono: true, rows: 4,
            hint: if hidden { "Nobody can read it back. Leave it empty to keep it." } else { "" }, ..Field::default() }.textarea())
        (Field { name: "variable_type", label: "Type", value: &form.variable_type,
            hint: "As a file, the variable holds the path of a file with the value.", ..Field::default() }
            .select(&[("env_var", "Variable"), ("file", "File")]))
        @if !hidden {
            @let all = [("visible", "Visible", "Shown in logs if a job writes it."),
                ("masked", "Masked", "Replaced by [MASKED] in logs. The value needs 8 characters or more, in one line without spaces."),
                ("hidden", "Masked and hidden", "Nobody can read it back, not even here.")];
            (Field { name: "visibility", label: "Visibility", value: &form.visibility, ..Field::default() }.radios(if known { &all[..2] } else { &all }))
        }
        (checkbox("protected", "Protected", form.protected, "Only jobs of protected branches and tags get it."))
        (checkbox("expand", "Expand references", form.expand, "$NAME inside the value is replaced by that variable."))
        (Field { name: "environment_scope", label: "Environments", value: &form.environment_scope, error: scope.as_deref(), mono: true,
            hint: "* for all jobs; review/* for the jobs of such environments.", ..Field::default() }.input())
        (Field { name: "description", label: "Description", value: &form.description, ..Field::default() }.input())
    }
}

/// Adds what the form says; `page` draws the form again where it is refused.
pub(super) async fn add(place: &Place<'_>, form: &Form, page: impl FnOnce(&str, Markup) -> Markup) -> Result<Response> {
    match variable_changes::add(place.app, place.actor, place.owner, &form.variable(None)).await {
        Ok(added) => Ok(redirect_with(&place.settings, Tone::Ok, &format!("{} was added.", added.key))),
        Err(e) => {
            let action = format!("{}/variables", place.settings);
            let body = form_page(&action, place, form, &Wrong::of(e)?, None);
            Ok(private(StatusCode::UNPROCESSABLE_ENTITY, page("Add a variable", body)))
        }
    }
}

pub(super) async fn edit(place: &Place<'_>, id: &str, page: impl FnOnce(&str, Markup) -> Markup) -> Result<Response> {
    let variable = find(place, id).await?;
    let action = format!("{}/variables/{}", place.settings, variable.id);
    let body = form_page(&action, place, &Form::of(&variable), &Wrong::default(), Some(&variable));
    Ok(private(StatusCode::OK, page(&variable.key, body)))
}

pub(super) async fn update(
    place: &Place<'_>,
    id: &str,
    form: Form,
    page: impl FnOnce(&str, Markup) -> Markup,
) -> Result<Response> {
    let old = find(place, id).await?;
    match variable_changes::change(place.app, place.actor, place.owner, &form.variable(Some(&old))).await {
        Ok(()) => Ok(redirect_with(&place.settings, Tone::Ok, &format!("{} was changed.", old.key))),
        Err(e) => {
            let action = format!("{}/variables/{}", place.settings, old.id);
            let form = Form { key: old.key.clone(), ..form };
            let body = form_page(&action, place, &form, &Wrong::of(e)?, Some(&old));
            Ok(private(StatusCode::UNPROCESSABLE_ENTITY, page(&old.key, body)))
        }
    }
}

pub(super) async fn delete(place: &Place<'_>, id: &str) -> Result<Response> {
    let gone = find(place, id).await?;
    variable_changes::remove(place.app, place.actor, place.owner, &gone).await?;
    Ok(redirect_with(&place.settings, Tone::Ok, &format!("{} was deleted.", gone.key)))
}

async fn find(place: &Place<'_>, id: &str) -> Result<CiVariable> {
    let unknown = || Error::not_found("Variable");
    let id: i64 = id.parse().map_err(|_| unknown())?;
    let all = CiVariable::all(place.app.db().conn(), place.owner).await?;
    all.into_iter().find(|v| v.id == id).ok_or_else(unknown)
}

fn form_page(action: &str, place: &Place<'_>, form: &Form, wrong: &Wrong, old: Option<&CiVariable>) -> Markup {
    let (title, send) = match old {
        Some(old) => (old.key.as_str(), "Save variable"),
        None => ("Add a variable", "Add variable"),
    };
    html! {
        (parts::head(&html! { (title) }, &html! {}, &html! {}))
        form.stack method="post" action=(action) {
            (fields(form, wrong, old.is_some()))
            (ui::form::actions(send, Some((&place.settings, "Cancel"))))
        }
    }
}

/// A page that may hold secrets, which nothing may keep.
pub(super) fn private(status: StatusCode, page: Markup) -> Response {
    let mut response = (status, page).into_response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

//! One's personal access tokens.

use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use kernel::http::Params;
use kernel::{App, Error, Result, Time};
use serde::Deserialize;
use serde_json::json;
use ui::form::Field;
use ui::parts::{self, Button};
use ui::{Markup, Tone, format, html};

use super::{Wrong, at_browser, private};
use crate::shell::{redirect_with, settings_page};
use crate::token::{self, AccessToken, expiry_of};
use crate::{Actor, audit};

const HERE: &str = "/-/user_settings/personal_access_tokens";

#[derive(Deserialize, Default)]
pub(super) struct Form {
    #[serde(default)]
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    expires_at: String,
    #[serde(default)]
    scopes: Vec<String>,
}

pub(super) async fn list(State(app): State<App>, actor: Actor) -> Result<Response> {
    at_browser(&actor)?;
    page(&app, &actor, &Form::default(), &Wrong::default(), None).await
}

pub(super) async fn create(State(app): State<App>, actor: Actor, Params(form): Params<Form>) -> Result<Response> {
    match make(&app, &actor, &form).await {
        Ok(secret) => page(&app, &actor, &Form::default(), &Wrong::default(), Some(&secret)).await,
        Err(e) => page(&app, &actor, &form, &Wrong::of(e)?, None).await,
    }
}

async fn make(app: &App, actor: &Actor, form: &Form) -> Result<String> {
    let (user, _) = at_browser(actor)?;
    token::check_scopes(user, &form.scopes)?;
    let expires = match form.expires_at.trim() {
        "" => None,
        date => Some(Time::parse(date).ok_or_else(|| Error::invalid("expires_at", "is not a date"))?),
    };
    let expires = expiry_of(expires, token::MAX_LIFE)?;
    let tx = app.begin().await?;
    let (made, secret) =
        AccessToken::create(&*tx, user.id, &form.name, form.description.trim(), &form.scopes, Some(expires), false)
            .await?;
    let details = json!({ "name": made.name, "scopes": made.scopes });
    audit::record(&*tx, actor, "token.created", ("PersonalAccessToken", made.id), details).await?;
    tx.commit().await?;
    Ok(secret)
}

/// The token, if it is one of the actor's own and can be used.
async fn own(app: &App, actor: &Actor, id: i64) -> Result<AccessToken> {
    let (user, _) = at_browser(actor)?;
    let found = AccessToken::find(app.db().conn(), id).await?;
    found.filter(|t| t.user_id == user.id && !t.impersonation).ok_or_else(|| Error::not_found("Token"))
}

pub(super) async fn revoke(State(app): State<App>, actor: Actor, Path(id): Path<i64>) -> Result<Response> {
    let token = own(&app, &actor, id).await?;
    token::revoke(&app, &actor, &token).await?;
    Ok(redirect_with(HERE, Tone::Ok, &format!("The token {} is revoked.", token.name)))
}

pub(super) async fn rotate(State(app): State<App>, actor: Actor, Path(id): Path<i64>) -> Result<Response> {
    let token = own(&app, &actor, id).await?;
    if !token.is_active() {
        return Err(Error::Conflict("this token can't be used any more; make a new one".into()));
    }
    let (_, secret) = token::rotate(&app, &actor, &token, None).await?;
    page(&app, &actor, &Form::default(), &Wrong::default(), Some(&secret)).await
}

async fn page(app: &App, actor: &Actor, form: &Form, wrong: &Wrong, secret: Option<&str>) -> Result<Response> {
    let (user, _) = at_browser(actor)?;
    let tokens = AccessToken::of_user(app.db().conn(), user.id).await?;
    let (active, gone): (Vec<_>, Vec<_>) = tokens.iter().filter(|t| !t.impersonation).partition(|t| t.is_active());
    let mut page = settings_page(app, actor, "Access tokens", "tokens");
    page.body = html! {
        (parts::head(&html! { "Access tokens" }, &html! {}, &html! {
            "For git over HTTP, the API and programs: each opens only what its scopes say."
        }))
        @if let Some(secret) = secret { (shown_once(secret)) }
        (wrong.beside(&["name", "expires_at", "scopes"]))
        (parts::panel("new-token", "New token", &create_form(user.admin, form, wrong)))
        (parts::panel_rows("active-tokens", "Active tokens", &rows(&active, "There are no active tokens.", true)))
        @if !gone.is_empty() {
            (parts::panel_rows("inactive-tokens", "Revoked and expired tokens", &rows(&gone, "", false)))
        }
    };
    let status = if secret.is_some() { StatusCode::CREATED } else { wrong.status() };
    Ok(private(status, page.render()))
}

fn shown_once(secret: &str) -> Markup {
    parts::alert(
        Tone::Ok,
        &html! {
            p { b { "Your new token." } " Copy it now: it is not shown again." }
            (parts::copy_box(secret, "token"))
        },
    )
}

fn create_form(admin: bool, form: &Form, wrong: &Wrong) -> Markup {
    let in_a_month = (Time::now() + std::time::Duration::from_secs(30 * 86_400)).date();
    let expires = if form.expires_at.is_empty() { &in_a_month } else { &form.expires_at };
    html! {
        form.stack method="post" action=(HERE) {
            (Field { name: "name", label: "Name", value: &form.name, hint: "What it is for, such as “laptop” or “backup job”.",
                required: true, maxlength: Some(255), error: wrong.with("name").as_deref(), ..Field::default() }.input())
            (Field { name: "description", label: "Description", value: &form.description, maxlength: Some(255),
                ..Field::default() }.input())
            (Field { name: "expires_at", label: "Expires on", kind: "date", value: expires, required: true,
                hint: "At most a year from now. It stops working at the beginning of that day (UTC).",
                error: wrong.with("expires_at").as_deref(), ..Field::default() }.input())
            fieldset.field.choices {
                legend.label { "Scopes" }
                @for (scope, about) in token::scopes_for(admin) {
                    label.check.tall {
                        input type="checkbox" name="scopes[]" value=(scope) checked[form.scopes.iter().any(|s| s == scope)];
                        span { code { (scope) } br; span.hint { (about) } }
                    }
                }
                @if let Some(error) = wrong.with("scopes") { p.error { (ui::icon("bad")) span { (error) } } }
            }
            (parts::submit("Create token"))
        }
    }
}

fn rows(tokens: &[&AccessToken], none: &str, active: bool) -> Markup {
    if tokens.is_empty() {
        return html! { div.body { p.faint { (none) } } };
    }
    let rows: Vec<Markup> = tokens.iter().map(|t| row(t, active)).collect();
    parts::rows(&rows)
}

fn row(token: &AccessToken, active: bool) -> Markup {
    let meta = html! {
        code { (token.scopes.replace(' ', ", ")) }
        " · made " (format::time(token.created_at.0))
        @if let Some(used) = token.last_used_at { " · used " (format::time(used.0)) } @else { " · never used" }
        @if let Some(end) = token.expires_at { " · expires " (end.date()) }
        @if token.revoked { " · revoked" }
    };
    let act = |verb: &str| format!("{HERE}/{}/{verb}", token.id);
    let buttons = html! {
        @if active {
            (parts::post_button(&act("rotate"), &[], &Button { label: "Rotate", icon: "retry", class: "small", ..Button::default() }))
            (parts::post_button(&act("revoke"), &[], &Button { label: "Revoke", icon: "trash", class: "small danger", ..Button::default() }))
        }
    };
    let title =
        html! { b { (token.name) } @if !token.description.is_empty() { " " span.faint { (token.description) } } };
    parts::row(&ui::icon("key"), &title, &meta, &buttons)
}

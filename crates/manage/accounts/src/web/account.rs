//! One's account: another username, and its end.

use axum::extract::State;
use axum::response::Response;
use http::header::SET_COOKIE;
use kernel::http::Params;
use kernel::{App, Error, Result};
use serde::Deserialize;
use ui::form::Field;
use ui::{Tone, html, parts};

use super::{Wrong, at_browser, password, private};
use crate::hooks::{delete_user, rename_user};
use crate::shell::{redirect_with, settings_page};
use crate::{Actor, avatar, session};

const HERE: &str = "/-/user_settings/account";

#[derive(Deserialize, Default)]
pub(super) struct Form {
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
}

pub(super) async fn show(State(app): State<App>, actor: Actor) -> Result<Response> {
    page(&app, &actor, &Wrong::default(), &Wrong::default())
}

pub(super) async fn rename(State(app): State<App>, actor: Actor, Params(form): Params<Form>) -> Result<Response> {
    let (user, _) = at_browser(&actor)?;
    let tx = app.begin().await?;
    match rename_user(&tx, &actor, user.clone(), form.username.trim()).await {
        Ok(_) => {
            tx.commit().await?;
            Ok(redirect_with(HERE, Tone::Ok, "Your username is changed. Old addresses lead to the new ones."))
        }
        Err(e) => page(&app, &actor, &Wrong::of(e)?, &Wrong::default()),
    }
}

pub(super) async fn delete(State(app): State<App>, actor: Actor, Params(form): Params<Form>) -> Result<Response> {
    match end(&app, &actor, &form).await {
        Ok(()) => {
            let mut response = redirect_with("/users/sign_in", Tone::Ok, "Your account is deleted.");
            response.headers_mut().append(SET_COOKIE, session::forget(&app)?);
            Ok(response)
        }
        Err(e) => page(&app, &actor, &Wrong::default(), &Wrong::of(e)?),
    }
}

async fn end(app: &App, actor: &Actor, form: &Form) -> Result<()> {
    let (user, _) = at_browser(actor)?;
    if form.username.trim() != user.username {
        return Err(Error::invalid("username", "doesn't match yours"));
    }
    password::confirm(app, actor, &form.password).await?;
    let tx = app.begin().await?;
    delete_user(&tx, actor, user, false).await?;
    tx.commit().await?;
    avatar::forget(app, user.avatar.as_deref()).await
}

fn page(app: &App, actor: &Actor, renaming: &Wrong, deleting: &Wrong) -> Result<Response> {
    let (user, _) = at_browser(actor)?;
    let mut page = settings_page(app, actor, "Account", "account");
    let taken = format!(
        "It is part of the addresses of your projects, now {}. Old addresses lead on.",
        app.config().link(&user.path())
    );
    page.body = html! {
        (parts::head(&html! { "Account" }, &html! {}, &html! { "Signed in as " b { (user.username) } ", " (user.email) }))
        (renaming.beside(&["username"]))
        (deleting.beside(&["username", "password"]))
        (parts::panel("rename", "Change username", &html! {
            form.stack method="post" action="/-/user_settings/account/username" {
                (Field { name: "username", label: "New username", value: &user.username, hint: &taken, required: true,
                    maxlength: Some(255), error: renaming.with("username").as_deref(), ..Field::default() }.input())
                button.btn type="submit" { "Change username" }
            }
        }))
        (parts::panel("delete", "Delete account", &html! {
            p { "Your own projects, keys, tokens and sessions go with it. What you wrote in other projects stays. This can't be undone." }
            details open[!deleting.0.is_empty()] {
                summary { "Delete my account" }
                form.stack method="post" action="/-/user_settings/account/delete" {
                    div.field {
                        label for="f-delete-username" { "Type " code { (user.username) } " to confirm" }
                        input.in id="f-delete-username" name="username" required autocomplete="off";
                        @if let Some(error) = deleting.with("username") { p.error { (ui::icon("bad")) span { (error) } } }
                    }
                    (Field { name: "password", label: "Password", kind: "password", autocomplete: "current-password",
                        required: true, error: deleting.with("password").as_deref(), ..Field::default() }.input())
                    button.btn.danger.primary type="submit" { "Delete my account" }
                }
            }
        }))
    };
    let wrong = if renaming.0.is_empty() { deleting } else { renaming };
    Ok(private(wrong.status(), page.render()))
}

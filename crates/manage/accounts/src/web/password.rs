//! Changing one's password.

use axum::extract::State;
use axum::response::Response;
use kernel::http::Params;
use kernel::{App, Error, Result, auth};
use serde::Deserialize;
use serde_json::json;
use ui::form::Field;
use ui::{Tone, html, parts};

use super::{Wrong, at_browser, private};
use crate::shell::{redirect_with, settings_page};
use crate::user::{MIN_PASSWORD, check_password};
use crate::{Actor, audit, password};

#[derive(Deserialize, Default)]
pub(super) struct Form {
    #[serde(default)]
    user: Fields,
}

#[derive(Deserialize, Default)]
struct Fields {
    #[serde(default)]
    password: String,
    #[serde(default)]
    new_password: String,
    #[serde(default)]
    password_confirmation: String,
}

pub(super) async fn edit(State(app): State<App>, actor: Actor) -> Result<Response> {
    at_browser(&actor)?;
    Ok(page(&app, &actor, &Wrong::default()))
}

pub(super) async fn update(State(app): State<App>, actor: Actor, Params(form): Params<Form>) -> Result<Response> {
    at_browser(&actor)?;
    match change(&app, &actor, &form.user).await {
        Ok(()) => {
            let text = "Your password is changed. All other sessions have ended.";
            Ok(redirect_with("/-/user_settings/password/edit", Tone::Ok, text))
        }
        Err(e) => Ok(page(&app, &actor, &Wrong::of(e)?)),
    }
}

async fn change(app: &App, actor: &Actor, fields: &Fields) -> Result<()> {
    let (user, session) = at_browser(actor)?;
    confirm(app, actor, &fields.password).await?;
    if fields.new_password != fields.password_confirmation {
        return Err(Error::invalid("password_confirmation", "doesn't match the new password"));
    }
    check_password(&fields.new_password).map_err(|e| match e {
        Error::Invalid(wrong) => {
            Error::Invalid(wrong.into_iter().map(|(_, why)| ("new_password".into(), why)).collect())
        }
        other => other,
    })?;
    let hash = auth::hash_password(&fields.new_password).await?;
    let tx = app.begin().await?;
    user.set_password_hash(&*tx, &hash, Some(session)).await?;
    audit::record(&*tx, actor, "password.changed", ("User", user.id), json!({})).await?;
    tx.commit().await
}

/// Makes sure that it is the user who sits at the browser; failures count as those of signing in.
pub(super) async fn confirm(app: &App, actor: &Actor, given: &str) -> Result<()> {
    let user = actor.user()?;
    match password::verify(app, &user.username, given, &actor.ip).await {
        Ok(_) => Ok(()),
        Err(Error::Unauthenticated) => Err(Error::invalid("password", "is wrong")),
        Err(Error::TooMany(_)) => Err(Error::invalid("password", "was wrong too often; wait for ten minutes")),
        Err(e) => Err(e),
    }
}

fn page(app: &App, actor: &Actor, wrong: &Wrong) -> Response {
    let mut page = settings_page(app, actor, "Password", "password");
    let hint = format!("At least {MIN_PASSWORD} characters. All other sessions end.");
    let field = |name, label, autocomplete| Field {
        name,
        label,
        kind: "password",
        autocomplete,
        required: true,
        ..Field::default()
    };
    page.body = html! {
        (parts::head(&html! { "Password" }, &html! {}, &html! {}))
        (wrong.beside(&["password", "new_password", "password_confirmation"]))
        (parts::panel("change-password", "Change your password", &html! {
            form.stack method="post" action="/-/user_settings/password" {
                (Field { error: wrong.with("password").as_deref(),
                    ..field("user[password]", "Current password", "current-password") }.input())
                (Field { hint: &hint, error: wrong.with("new_password").as_deref(),
                    ..field("user[new_password]", "New password", "new-password") }.input())
                (Field { error: wrong.with("password_confirmation").as_deref(),
                    ..field("user[password_confirmation]", "New password again", "new-password") }.input())
                (parts::submit("Change password"))
            }
        }))
    };
    private(wrong.status(), page.render())
}

//! Signing in and out.

use axum::extract::State;
use axum::response::Response;
use http::header::{RETRY_AFTER, SET_COOKIE, USER_AGENT};
use http::{HeaderMap, StatusCode};
use kernel::http::{Params, Query};
use kernel::{App, Error, Result};
use serde::Deserialize;
use serde_json::json;
use ui::form::{Field, checkbox, hidden};
use ui::{Tone, html, parts};

use super::private;
use crate::session::forget;
use crate::shell::{door, redirect, redirect_with};
use crate::{Actor, Session, User, Via, audit, password, settings};

#[derive(Deserialize, Default)]
pub(super) struct Form {
    #[serde(default)]
    user: Login,
    redirect_to: Option<String>,
}

#[derive(Deserialize, Default)]
struct Login {
    #[serde(default)]
    login: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    remember_me: bool,
}

pub(super) async fn show(State(app): State<App>, actor: Actor, Query(form): Query<Form>) -> Response {
    if actor.known().is_some() {
        return redirect(&safe(form.redirect_to.as_deref()));
    }
    page(&app, &actor, &form, StatusCode::OK, None)
}

pub(super) async fn create(
    State(app): State<App>,
    actor: Actor,
    headers: HeaderMap,
    Params(form): Params<Form>,
) -> Result<Response> {
    match password::verify(&app, &form.user.login, &form.user.password, &actor.ip).await {
        Ok(user) => sign_in(&app, &actor, &headers, &form, user).await,
        Err(Error::Unauthenticated) => {
            note_failure(&app, &actor, &form.user.login).await?;
            let why =
                "The name or the password is wrong. Names and passwords of this instance are meant, not of another.";
            Ok(page(&app, &actor, &form, StatusCode::UNAUTHORIZED, Some(why)))
        }
        Err(Error::TooMany(seconds)) => {
            let why = "There were too many attempts. Wait for ten minutes, or ask an administrator for a new password.";
            let mut response = page(&app, &actor, &form, StatusCode::TOO_MANY_REQUESTS, Some(why));
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
            Ok(response)
        }
        Err(e) => Err(e),
    }
}

async fn sign_in(app: &App, actor: &Actor, headers: &HeaderMap, form: &Form, user: User) -> Result<Response> {
    if user.state == "deactivated" {
        app.db().run("UPDATE users SET state = 'active' WHERE id = $1", [user.id.into()]).await?;
    } else if let Err(Error::Forbidden(why)) = password::refuse_inactive(&user) {
        return Ok(page(app, actor, form, StatusCode::FORBIDDEN, Some(&why)));
    }
    // A session that the browser had before ends, so that nobody can have prepared it.
    if let Via::Session(old) = actor.via() {
        Session::end(app.db().conn(), actor.user()?.id, *old).await?;
    }
    let agent = headers.get(USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let cookie = Session::begin(app, user.id, form.user.remember_me, &actor.ip, agent).await?;
    let id = user.id;
    let mut now_known = Actor::new(user, Via::Password);
    now_known.ip.clone_from(&actor.ip);
    audit::record(app.db().conn(), &now_known, "session.began", ("User", id), json!({ "keep": form.user.remember_me }))
        .await?;
    let mut response = redirect(&safe(form.redirect_to.as_deref()));
    response.headers_mut().append(SET_COOKIE, cookie);
    Ok(response)
}

async fn note_failure(app: &App, actor: &Actor, login: &str) -> Result<()> {
    let Some(user) = User::by_login(app.db().conn(), login).await? else { return Ok(()) };
    audit::record(app.db().conn(), actor, "session.refused", ("User", user.id), json!({})).await
}

pub(super) async fn end(State(app): State<App>, actor: Actor) -> Result<Response> {
    if let (Some(user), Via::Session(id)) = (actor.known(), actor.via()) {
        Session::end(app.db().conn(), user.id, *id).await?;
        audit::record(app.db().conn(), &actor, "session.ended", ("User", user.id), json!({})).await?;
    }
    let mut response = redirect_with("/users/sign_in", Tone::Ok, "You have signed out.");
    response.headers_mut().append(SET_COOKIE, forget(&app)?);
    Ok(response)
}

fn page(app: &App, actor: &Actor, form: &Form, status: StatusCode, wrong: Option<&str>) -> Response {
    let mut door = door(actor, "Sign in", "");
    door.body = html! {
        @if let Some(wrong) = wrong { (parts::alert(Tone::Bad, &html! { (wrong) })) }
        form.stack method="post" action="/users/sign_in" {
            @if let Some(place) = &form.redirect_to { (hidden("redirect_to", place)) }
            (Field { name: "user[login]", label: "Username or email", value: &form.user.login, autocomplete: "username",
                required: true, autofocus: true, ..Field::default() }.input())
            (Field { name: "user[password]", label: "Password", kind: "password", autocomplete: "current-password",
                required: true, ..Field::default() }.input())
            (checkbox("user[remember_me]", "Keep me signed in", form.user.remember_me, "For two weeks, on this device."))
            (parts::submit("Sign in"))
        }
        @if settings::signup_enabled(app) {
            p { "No account yet? " a href="/users/sign_up" { "Register" } }
        }
        p.faint { "Forgotten your password? An administrator can set a new one." }
    };
    private(status, door.render())
}

/// A path on this instance to go on to; the start page where another place was asked for.
fn safe(path: Option<&str>) -> String {
    let good = |p: &&str| {
        let odd = p.chars().any(|c| c.is_control() || c == '\\');
        p.starts_with('/') && !p.starts_with("//") && !odd && !p.starts_with("/users/sign_") && p.len() < 4096
    };
    let path = path.filter(good).unwrap_or("/");
    // The header takes ASCII only.
    percent_encoding::utf8_percent_encode(path, percent_encoding::CONTROLS).to_string()
}

#[cfg(test)]
mod tests {
    use super::safe;

    #[test]
    fn only_places_here_are_gone_to() {
        for bad in [
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "javascript:x",
            "",
            "/a\r\nb",
            "/users/sign_out",
        ] {
            assert_eq!(safe(Some(bad)), "/", "{bad}");
        }
        assert_eq!(safe(Some("/g/p/-/tree/main?x=1#L2")), "/g/p/-/tree/main?x=1#L2");
        assert_eq!(safe(Some("/é")), "/%C3%A9");
        assert_eq!(safe(None), "/");
    }
}

//! Registering.

use axum::extract::State;
use axum::response::Response;
use http::header::{RETRY_AFTER, SET_COOKIE, USER_AGENT};
use http::{HeaderMap, StatusCode};
use kernel::http::Params;
use kernel::{App, Error, Result};
use serde::Deserialize;
use ui::form::Field;
use ui::{Tone, html, parts};

use super::{Wrong, private};
use crate::shell::{door, redirect, redirect_with};
use crate::user::MIN_PASSWORD;
use crate::{Actor, NewUser, Session, create_user, ratelimit, settings};

#[derive(Deserialize, Default)]
pub(super) struct Form {
    #[serde(default)]
    new_user: Fields,
}

#[derive(Deserialize, Default)]
struct Fields {
    #[serde(default)]
    name: String,
    #[serde(default)]
    username: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: String,
}

pub(super) async fn show(State(app): State<App>, actor: Actor) -> Result<Response> {
    if actor.known().is_some() {
        return Ok(redirect("/"));
    }
    refuse_closed(&app)?;
    Ok(page(&actor, &Fields::default(), &Wrong::default()))
}

pub(super) async fn create(
    State(app): State<App>,
    actor: Actor,
    headers: HeaderMap,
    Params(form): Params<Form>,
) -> Result<Response> {
    refuse_closed(&app)?;
    let fields = form.new_user;
    if let Err(Error::TooMany(seconds)) = ratelimit::sign_up(&app, &actor.ip) {
        let why = "There were too many attempts from your address. Wait for a minute, then try again".to_owned();
        let mut response = page(&actor, &fields, &Wrong(vec![(String::new(), why)]));
        *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
        return Ok(response);
    }
    match register(&app, &fields).await {
        Ok(_) if settings::require_admin_approval(&app) => {
            let text = "You have registered. You can sign in once an administrator has approved your account.";
            Ok(redirect_with("/users/sign_in", Tone::Ok, text))
        }
        Ok(id) => {
            let agent = headers.get(USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or_default();
            let cookie = Session::begin(&app, id, false, &actor.ip, agent).await?;
            let mut response = redirect_with("/", Tone::Ok, "Welcome to Tidemill.");
            response.headers_mut().append(SET_COOKIE, cookie);
            Ok(response)
        }
        Err(e) => Ok(page(&actor, &fields, &Wrong::of(e)?)),
    }
}

async fn register(app: &App, fields: &Fields) -> Result<i64> {
    let domain = fields.email.trim().rsplit_once('@').map(|(_, d)| d.to_lowercase()).unwrap_or_default();
    let allowed = settings::domain_allowlist(app);
    if !allowed.is_empty() && !allowed.iter().any(|a| domain_matches(a, &domain)) {
        return Err(Error::invalid("email", "is not of a mail domain that may register here"));
    }
    if fields.password.is_empty() {
        return Err(Error::invalid("password", "can't be blank"));
    }
    let new = NewUser {
        username: fields.username.trim().to_owned(),
        name: fields.name.clone(),
        email: fields.email.clone(),
        password: fields.password.clone(),
        pending: settings::require_admin_approval(app),
        ..NewUser::default()
    };
    Ok(create_user(app, &Actor::nobody(), new).await?.id)
}

/// Whether a domain is meant by an entry such as `example.com` or `*.example.com`.
fn domain_matches(entry: &str, domain: &str) -> bool {
    let entry = entry.trim().to_lowercase();
    match entry.strip_prefix("*.") {
        Some(parent) => domain.strip_suffix(parent).is_some_and(|rest| rest.ends_with('.')),
        None => entry == domain,
    }
}

fn refuse_closed(app: &App) -> Result<()> {
    if settings::signup_enabled(app) {
        return Ok(());
    }
    Err(Error::forbidden("registering is switched off here; an administrator can make an account for you"))
}

fn page(actor: &Actor, fields: &Fields, wrong: &Wrong) -> Response {
    let mut door = door(actor, "Register", "");
    let hint = format!("At least {MIN_PASSWORD} characters; a few words are easy to keep in mind.");
    door.body = html! {
        (wrong.beside(&["name", "username", "email", "password"]))
        form.stack method="post" action="/users/sign_up" {
            (Field { name: "new_user[name]", label: "Name", value: &fields.name, autocomplete: "name", required: true,
                autofocus: true, maxlength: Some(255), error: wrong.with("name").as_deref(), ..Field::default() }.input())
            (Field { name: "new_user[username]", label: "Username", value: &fields.username, autocomplete: "username",
                required: true, hint: "Your projects are below it: letters, digits, '_', '-' and '.'.",
                maxlength: Some(255), error: wrong.with("username").as_deref(), ..Field::default() }.input())
            (Field { name: "new_user[email]", label: "Email", kind: "email", value: &fields.email, autocomplete: "email",
                required: true, error: wrong.with("email").as_deref(), ..Field::default() }.input())
            (Field { name: "new_user[password]", label: "Password", kind: "password", autocomplete: "new-password",
                required: true, hint: &hint, error: wrong.with("password").as_deref(), ..Field::default() }.input())
            (parts::submit("Register"))
        }
        p { "Have an account? " a href="/users/sign_in" { "Sign in" } }
    };
    private(wrong.status(), door.render())
}

#[cfg(test)]
mod tests {
    use super::domain_matches;

    #[test]
    fn domains() {
        assert!(domain_matches("Example.com", "example.com") && domain_matches("*.example.com", "a.example.com"));
        assert!(!domain_matches("*.example.com", "example.com") && !domain_matches("example.com", "evilexample.com"));
        assert!(!domain_matches("*.example.com", "evilexample.com"));
    }
}

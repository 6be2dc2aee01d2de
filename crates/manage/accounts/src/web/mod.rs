//! The pages of accounts.

mod account;
mod admin_settings;
mod admin_user_form;
mod admin_users;
mod keys;
mod password;
mod profile;
mod sessions;
mod sign_in;
mod sign_up;
mod tokens;

use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::header::CACHE_CONTROL;
use http::{HeaderValue, StatusCode};
use kernel::{Error, Result, Web};
use ui::Markup;

use crate::{Actor, User, Via, avatar};

/// All pages.
pub(crate) fn web() -> Web {
    settings(sign_in_pages(Web::default()))
        .at("/uploads/-/system/user/avatar/{id}/{file}", get(avatar::of_user))
        .at("/admin/users", get(admin_users::list).post(admin_users::create))
        .at("/admin/users/new", get(admin_users::new))
        .at("/admin/users/{user}", get(admin_users::show).post(admin_users::update))
        .at("/admin/users/{user}/edit", get(admin_users::edit))
        .at("/admin/users/{user}/{action}", post(admin_users::act))
        .at("/admin/settings", get(admin_settings::show).post(admin_settings::update))
}

fn sign_in_pages(web: Web) -> Web {
    web.at("/users/sign_in", get(sign_in::show).post(sign_in::create))
        .at("/users/sign_out", post(sign_in::end))
        .at("/users/sign_up", get(sign_up::show).post(sign_up::create))
}

fn settings(web: Web) -> Web {
    web.at("/-/user_settings/profile", get(profile::show).post(profile::update))
        .at("/-/user_settings/profile/avatar", post(profile::set_avatar))
        .at("/-/user_settings/profile/avatar/delete", post(profile::remove_avatar))
        .at("/-/user_settings/account", get(account::show))
        .at("/-/user_settings/account/username", post(account::rename))
        .at("/-/user_settings/account/delete", post(account::delete))
        .at("/-/user_settings/password/edit", get(password::edit))
        .at("/-/user_settings/password", post(password::update))
        .at("/-/user_settings/active_sessions", get(sessions::list))
        .at("/-/user_settings/active_sessions/end_others", post(sessions::end_others))
        .at("/-/user_settings/active_sessions/{id}/end", post(sessions::end))
        .at("/-/user_settings/personal_access_tokens", get(tokens::list).post(tokens::create))
        .at("/-/user_settings/personal_access_tokens/{id}/revoke", post(tokens::revoke))
        .at("/-/user_settings/personal_access_tokens/{id}/rotate", post(tokens::rotate))
        .at("/-/user_settings/ssh_keys", get(keys::list).post(keys::create))
        .at("/-/user_settings/ssh_keys/{id}/delete", post(keys::delete))
}

/// The user and the session's id: the settings of an account are for somebody at a browser, not for a token.
fn at_browser(actor: &Actor) -> Result<(&User, i64)> {
    match actor.via() {
        Via::Session(id) => Ok((actor.user()?, *id)),
        _ => Err(Error::Unauthenticated),
    }
}

/// The administrator at a browser; a 404 for others, who needn't know what is there.
fn admin_at_browser(actor: &Actor) -> Result<&User> {
    let (user, _) = at_browser(actor)?;
    if user.admin { Ok(user) } else { Err(Error::not_found("Page")) }
}

/// What is wrong with the fields of a form.
#[derive(Default)]
struct Wrong(Vec<(String, String)>);

impl Wrong {
    /// The complaints of a refused form; other errors are passed on.
    fn of(error: Error) -> Result<Self> {
        match error {
            Error::Invalid(fields) => Ok(Self(fields)),
            Error::Conflict(why) => Ok(Self(vec![(String::new(), why)])),
            other => Err(other),
        }
    }

    /// The complaint about a field, as a sentence.
    fn with(&self, field: &str) -> Option<String> {
        let (_, why) = self.0.iter().find(|(f, _)| f == field)?;
        let name = field.replace('_', " ");
        let mut letters = name.chars();
        let name: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
        Some(format!("{name} {why}."))
    }

    /// What belongs to none of the fields shown.
    fn beside(&self, shown: &[&str]) -> Markup {
        let rest: Vec<_> = self.0.iter().filter(|(f, _)| !shown.contains(&f.as_str())).collect();
        ui::html! {
            @for (field, why) in rest {
                (ui::parts::alert(ui::Tone::Bad, &ui::html! {
                    @if field.is_empty() { (why) "." } @else { (self.with(field).unwrap_or_default()) }
                }))
            }
        }
    }

    fn status(&self) -> StatusCode {
        if self.0.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY }
    }
}

/// A page that must not be kept anywhere, as it holds a secret or the state of an account.
fn private(status: StatusCode, page: Markup) -> Response {
    let mut response = (status, page).into_response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

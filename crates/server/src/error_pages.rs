//! Turns errors into pages for browsers; the API and git keep the JSON.

use axum::extract::{OriginalUri, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use http::header::{ACCEPT, LOCATION};
use http::{HeaderMap, StatusCode};
use kernel::http::is_api;
use kernel::http::layers::RequestId;
use kernel::{App, Error};
use ui::{ErrorPage, Item};

pub(crate) async fn render(State(app): State<App>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let page = !is_api(path) && !path.starts_with("/@git/") && accepts_html(request.headers());
    let asked = request.extensions().get::<OriginalUri>().map(|u| u.0.clone());
    let actor = request.extensions().get::<accounts::Actor>().cloned().unwrap_or_else(accounts::Actor::nobody);
    let id = request.extensions().get::<RequestId>().map(|r| r.0.clone());
    let response = next.run(request).await;
    let Some(error) = response.extensions().get::<Error>().filter(|_| page).cloned() else { return response };
    match error {
        Error::Moved(_) => return response,
        Error::Unauthenticated => {
            let back = asked.as_ref().and_then(|u| u.path_and_query()).map_or("/", |p| p.as_str());
            let back: String = url::form_urlencoded::byte_serialize(back.as_bytes()).collect();
            return Redirect::to(&format!("/users/sign_in?redirect_to={back}")).into_response();
        }
        _ => {}
    }
    let status = error.status();
    let body = explain(&error, actor.known().is_some(), id).body();
    let page = ui::Page { body, ..accounts::shell::page(&app, &actor, title(status)) };
    let mut answer = (status, page.render()).into_response();
    if let Some(place) = response.headers().get(LOCATION) {
        answer.headers_mut().insert(LOCATION, place.clone());
    }
    answer
}

fn accepts_html(headers: &HeaderMap) -> bool {
    headers.get(ACCEPT).and_then(|v| v.to_str().ok()).is_some_and(|v| v.contains("text/html"))
}

fn title(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "Not found",
        StatusCode::FORBIDDEN => "Not allowed",
        StatusCode::TOO_MANY_REQUESTS => "Too many requests",
        StatusCode::INTERNAL_SERVER_ERROR => "A fault of ours",
        _ => "That did not work",
    }
}

/// What was wrong and what helps.
fn explain(error: &Error, signed_in: bool, request_id: Option<String>) -> ErrorPage {
    let (title, help) = match error {
        Error::NotFound(_) if signed_in => (
            "Nothing is here".to_owned(),
            "The address may be mistyped, the thing may be gone, or you may not be a member of what it belongs to."
                .to_owned(),
        ),
        Error::NotFound(_) => (
            "Nothing is here".to_owned(),
            "The address may be mistyped, or what is here is only for members. Signing in may help.".to_owned(),
        ),
        Error::Forbidden(why) if why.is_empty() => (
            "You may not do this here".to_owned(),
            "A maintainer or owner can do it, or give you a higher role.".to_owned(),
        ),
        Error::Forbidden(why) => ("You may not do this here".to_owned(), sentence(why)),
        Error::Internal(_) => (
            "Something broke on the server".to_owned(),
            "Trying again may help. If it does not, give the number below to whoever runs this server.".to_owned(),
        ),
        Error::TooMany(seconds) => ("That was too often".to_owned(), format!("Try again in {seconds} seconds.")),
        other => ("That did not work".to_owned(), sentence(&other.to_string())),
    };
    let mut actions = vec![Item::new("Go to the start page", "/")];
    if !signed_in {
        actions.insert(0, Item::new("Sign in", "/users/sign_in"));
    }
    let shown = matches!(error, Error::Internal(_)).then_some(request_id).flatten();
    ErrorPage { status: error.status().as_u16(), title, help, actions, request_id: shown }
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
    let end = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{end}", chars.as_str())
}

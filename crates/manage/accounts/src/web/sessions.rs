//! The sessions of one's browsers.

use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use kernel::{App, Result};
use serde_json::json;
use ui::parts::{self, Button};
use ui::{Markup, Tone, format, html};

use super::{at_browser, private};
use crate::shell::{redirect_with, settings_page};
use crate::{Actor, Session, audit};

const HERE: &str = "/-/user_settings/active_sessions";

pub(super) async fn list(State(app): State<App>, actor: Actor) -> Result<Response> {
    let (user, current) = at_browser(&actor)?;
    let sessions = Session::of_user(app.db().conn(), user.id).await?;
    let others = sessions.len() > 1;
    let mut page = settings_page(&app, &actor, "Active sessions", "sessions");
    let end_others = html! {
        @if others {
            (parts::post_button("/-/user_settings/active_sessions/end_others", &[], &Button {
                label: "Sign out everywhere else", icon: "out", class: "danger", ..Button::default() }))
        }
    };
    let rows: Vec<Markup> = sessions.iter().map(|s| row(s, s.id == current)).collect();
    page.body = html! {
        (parts::head(&html! { "Active sessions" }, &end_others, &html! { "The browsers that are signed in as you." }))
        (parts::panel_rows("sessions", "Sessions", &parts::rows(&rows)))
    };
    Ok(private(StatusCode::OK, page.render()))
}

fn row(session: &Session, current: bool) -> Markup {
    let end = format!("{HERE}/{}/end", session.id);
    let meta = html! {
        "From " (if session.ip.is_empty() { "an unknown address" } else { &session.ip })
        " · seen " (format::time(session.last_seen_at.0)) " · signed in " (format::time(session.created_at.0))
        " · ends " (format::time(session.expires_at.0))
    };
    let button = html! {
        @if current { (parts::tag_icon("ok", "This session")) }
        @else { (parts::post_button(&end, &[], &Button { label: "Sign out", class: "small", ..Button::default() })) }
    };
    parts::row(&ui::icon("eye"), &html! { (browser(&session.user_agent)) }, &meta, &button)
}

/// A browser and a system, as far as the text tells.
fn browser(agent: &str) -> String {
    let first =
        |names: &[(&str, &'static str)]| names.iter().find(|(sign, _)| agent.contains(sign)).map(|(_, name)| *name);
    let program = first(&[
        ("Edg/", "Edge"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ]);
    let system = first(&[
        ("Windows", "Windows"),
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (program, system) {
        (Some(program), Some(system)) => format!("{program} on {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => "An unknown browser".to_owned(),
    }
}

pub(super) async fn end(State(app): State<App>, actor: Actor, Path(id): Path<i64>) -> Result<Response> {
    let (user, _) = at_browser(&actor)?;
    Session::end(app.db().conn(), user.id, id).await?;
    audit::record(app.db().conn(), &actor, "session.ended", ("User", user.id), json!({ "session": id })).await?;
    Ok(redirect_with(HERE, Tone::Ok, "The session has ended."))
}

pub(super) async fn end_others(State(app): State<App>, actor: Actor) -> Result<Response> {
    let (user, current) = at_browser(&actor)?;
    let sql = "DELETE FROM sessions WHERE user_id = $1 AND id <> $2";
    let ended = app.db().run(sql, [user.id.into(), current.into()]).await?;
    audit::record(app.db().conn(), &actor, "session.ended", ("User", user.id), json!({ "all_but": current })).await?;
    let text = if ended == 1 { "One session has ended.".to_owned() } else { format!("{ended} sessions have ended.") };
    Ok(redirect_with(HERE, Tone::Ok, &text))
}

//! Markdown made into HTML.

use accounts::Actor;
use axum::Json;
use axum::extract::State;
use http::StatusCode;
use kernel::api::Api;
use kernel::http::Params;
use kernel::{App, Error, Result};
use projects::ProjectAccess;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ui::markdown::{MAX_INPUT, MarkdownOptions, render};

pub(crate) fn api() -> Api {
    Api::new("Markdown").post("/markdown", "Makes HTML of Markdown", make).takes::<Text>().gives::<Html>()
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Text {
    /// The Markdown.
    text: String,
    /// Takes the text as in comments, where every line end is a line break.
    #[serde(default)]
    gfm: bool,
    /// The path of the project that uploads belong to.
    project: Option<String>,
}

/// Safe HTML.
#[derive(Debug, Serialize, JsonSchema)]
struct Html {
    html: String,
}

async fn make(State(app): State<App>, actor: Actor, Params(given): Params<Text>) -> Result<(StatusCode, Json<Html>)> {
    actor.user()?;
    if given.text.len() > MAX_INPUT {
        return Err(Error::TooLarge(format!("the text is over {} KiB", MAX_INPUT >> 10)));
    }
    let uploads = match given.project.as_deref().filter(|p| !p.is_empty()) {
        Some(path) => Some(format!("/{}", ProjectAccess::by_path(&app, actor, path).await?.project.full_path)),
        None => None,
    };
    let work = move || {
        let options =
            MarkdownOptions { uploads: uploads.as_deref(), hard_breaks: given.gfm, ..MarkdownOptions::default() };
        render(&given.text, &options)
    };
    let html = tokio::task::spawn_blocking(work).await?;
    Ok((StatusCode::CREATED, Json(Html { html })))
}

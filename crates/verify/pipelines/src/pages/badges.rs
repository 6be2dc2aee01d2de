//! Badges: a small picture of how a branch fares.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header;
use kernel::http::Query;
use kernel::{App, Error, Result};
use projects::ProjectAccess;
use serde::Deserialize;
use ui::{Markup, html};

use crate::build::Build;
use crate::pipeline::Pipeline;
use crate::status::Status;
use crate::visibility::sees_pipelines;

const LONGEST: usize = 64;

#[derive(Deserialize)]
pub(super) struct Asked {
    style: Option<String>,
    key_text: Option<String>,
    key_width: Option<u32>,
    #[serde(default)]
    ignore_skipped: bool,
    job: Option<String>,
}

/// What a badge says at its right, in which colour.
struct Said {
    word: String,
    colour: &'static str,
}

pub(super) async fn show(
    State(app): State<App>,
    access: ProjectAccess,
    Path((_, rest)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    sees_pipelines(&access)?;
    let (ref_name, kind) = rest.rsplit_once('/').ok_or_else(|| Error::not_found("Badge"))?;
    let (key, said) = match kind {
        "pipeline.svg" | "build.svg" => ("pipeline", pipeline(&app, &access, ref_name, asked.ignore_skipped).await?),
        "coverage.svg" => ("coverage", coverage(&app, &access, ref_name, asked.job.as_deref()).await?),
        _ => return Err(Error::not_found("Badge")),
    };
    let key = asked.key_text.as_deref().unwrap_or(key);
    let drawn = draw(key, &said, asked.key_width, asked.style.as_deref() == Some("flat-square"));
    let headers = [
        (header::CONTENT_TYPE, "image/svg+xml"),
        (header::CACHE_CONTROL, "private, no-cache, max-age=0"),
        (header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'"),
    ];
    Ok((headers, drawn.into_string()).into_response())
}

async fn latest(app: &App, access: &ProjectAccess, ref_name: &str, ignore_skipped: bool) -> Result<Option<Pipeline>> {
    if !ignore_skipped {
        return Pipeline::latest(app.db().conn(), access.project.id, ref_name).await;
    }
    let sql = "SELECT * FROM pipelines WHERE project_id = $1 AND ref_name = $2 AND status <> 'skipped' ORDER BY id DESC LIMIT 1";
    app.db().one(sql, [access.project.id.into(), ref_name.into()]).await
}

async fn pipeline(app: &App, access: &ProjectAccess, ref_name: &str, ignore_skipped: bool) -> Result<Said> {
    let found = latest(app, access, ref_name, ignore_skipped).await?;
    let (word, colour) = match found.map(|p| p.status) {
        None => ("unknown", GREY),
        Some(Status::Success) => ("passed", GREEN),
        Some(Status::Failed) => ("failed", RED),
        Some(Status::Running) => ("running", BLUE),
        Some(Status::Pending | Status::Created) => ("pending", AMBER),
        Some(other) => (other.word(), GREY),
    };
    Ok(Said { word: word.to_owned(), colour })
}

async fn coverage(app: &App, access: &ProjectAccess, ref_name: &str, job: Option<&str>) -> Result<Said> {
    // As the last pipeline may still run, the last that knows counts.
    let sql = "SELECT * FROM pipelines WHERE project_id = $1 AND ref_name = $2 AND status = 'success' ORDER BY id DESC LIMIT 1";
    let found: Option<Pipeline> = app.db().one(sql, [access.project.id.into(), ref_name.into()]).await?;
    let percent = match (found, job) {
        (Some(pipeline), Some(job)) => {
            let builds = Build::of_pipeline(app.db().conn(), pipeline.id).await?;
            builds.into_iter().find(|b| b.name == job).and_then(|b| b.coverage)
        }
        (found, _) => found.and_then(|p| p.coverage),
    };
    Ok(match percent {
        None => Said { word: "unknown".into(), colour: GREY },
        Some(percent) => {
            let colour = if percent >= 90.0 {
                GREEN
            } else if percent >= 75.0 {
                AMBER
            } else {
                RED
            };
            Said { word: format!("{percent:.2}%"), colour }
        }
    })
}

const GREEN: &str = "#1a7f4b";
const RED: &str = "#b42318";
const BLUE: &str = "#1f5f9e";
const AMBER: &str = "#8a5a00";
const GREY: &str = "#5b6670";

/// About how wide a text is in the face that the picture asks for.
fn width(text: &str) -> u32 {
    let units: u32 = text
        .chars()
        .map(|c| match c {
            'i' | 'j' | 'l' | '.' | ',' | '!' | '|' | '\'' => 32,
            'm' | 'w' | 'M' | 'W' | '%' | '@' => 100,
            c if c.is_ascii_uppercase() => 76,
            c if c.is_ascii() => 66,
            _ => 110,
        })
        .sum();
    units / 10 + 12
}

fn draw(key: &str, said: &Said, key_width: Option<u32>, square: bool) -> Markup {
    let key: String = key.chars().filter(|c| !c.is_control()).take(LONGEST).collect();
    let left = key_width.filter(|w| (1..512).contains(w)).unwrap_or_else(|| width(&key));
    let right = width(&said.word);
    let (whole, radius) = (left + right, if square { 0 } else { 4 });
    html! {
        svg xmlns="http://www.w3.org/2000/svg" width=(whole) height="20" role="img" aria-label={ (key) ": " (said.word) } {
            title { (key) ": " (said.word) }
            clipPath id="r" { rect width=(whole) height="20" rx=(radius) {} }
            g clip-path="url(#r)" {
                rect width=(left) height="20" fill="#31383f" {}
                rect x=(left) width=(right) height="20" fill=(said.colour) {}
            }
            g fill="#fff" font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="11" text-anchor="middle" {
                text x=(left / 2) y="14" { (key) }
                text x=(left + right / 2) y="14" { (said.word) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_others_stay_text() {
        let said = Said { word: "passed".into(), colour: GREEN };
        let svg = draw("<script>\"\u{7}", &said, Some(9999), true).into_string();
        assert!(!svg.contains("<script>") && svg.contains("&lt;script&gt;") && svg.contains("rx=\"0\""), "{svg}");
    }
}

//! What operators and clients ask the program itself: health, metrics, assets, the API's document.

use std::net::IpAddr;

use accounts::Actor;
use axum::Json;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use kernel::http::client_ip;
use kernel::{App, Error, Result, Slice, Web};
use serde_json::{Value, json};

use crate::help;

/// The OpenAPI document, made once.
pub(crate) struct OpenApi(pub(crate) Value);

pub(crate) fn slice() -> Slice {
    Slice::new("operations").web(
        Web::default()
            .at("/-/health", get(health))
            .at("/-/liveness", get(async || Json(json!({ "status": "ok" }))))
            .at("/-/readiness", get(readiness))
            .at("/-/metrics", get(metrics))
            .at("/api/openapi.json", get(openapi))
            .at("/help/api", get(help::index))
            .at("/help/api/{operation}", get(help::show))
            .at("/-/assets/{name}", get(asset))
            .at("/robots.txt", get(async || "User-agent: *\nDisallow: /api/\nDisallow: /*/-/\n")),
    )
}

async fn health() -> &'static str {
    "Tidemill OK"
}

async fn readiness(State(app): State<App>) -> Response {
    let database = app.db().run("SELECT 1", []).await.is_ok();
    let disk = tokio::fs::metadata(app.config().repositories()).await.is_ok();
    let word = |ok: bool| if ok { "ok" } else { "failed" };
    let checks = json!({
        "status": word(database && disk),
        "db_check": [{ "status": word(database) }],
        "repositories_check": [{ "status": word(disk) }],
    });
    let status = if database && disk { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(checks)).into_response()
}

/// Metrics tell about traffic, so they are for this machine and for administrators.
async fn metrics(State(app): State<App>, actor: Actor, request: Request) -> Result<Response> {
    let near = client_ip(request.extensions(), request.headers()).is_some_and(|ip: IpAddr| ip.is_loopback());
    if !near && !actor.is_admin() {
        return Err(Error::not_found("Page"));
    }
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(CONTENT_TYPE, kind)], app.metrics().text()).into_response())
}

async fn openapi(State(app): State<App>) -> Result<Json<Value>> {
    let document = app.get::<OpenApi>().ok_or_else(|| Error::not_found("Page"))?;
    Ok(Json(document.0.clone()))
}

async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Result<Response> {
    let asset = ui::assets::get(&name).ok_or_else(|| Error::not_found("Page"))?;
    let gzip = headers.get(ACCEPT_ENCODING).and_then(|v| v.to_str().ok()).is_some_and(|v| v.contains("gzip"));
    let kept = "public, max-age=31536000, immutable";
    let common = [(CONTENT_TYPE, asset.mime), (CACHE_CONTROL, kept)];
    Ok(match gzip {
        true => (common, [(CONTENT_ENCODING, "gzip")], &*asset.gzip).into_response(),
        false => (common, &*asset.bytes).into_response(),
    })
}

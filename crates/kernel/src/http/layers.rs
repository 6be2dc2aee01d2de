//! The layers around every route: request id, log line, metrics, protection against cross-site requests, entity tags.

use std::time::Instant;

use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, COOKIE, ETAG, HOST, IF_NONE_MATCH, ORIGIN};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use sha2::{Digest, Sha256};
use tracing::Instrument;

use crate::metrics::RequestLabels;
use crate::{App, Error};

/// The id of the request being served, also in the log and in the answer's `X-Request-Id`.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// Gives the request an id, logs it and counts it.
pub async fn observe(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let id = request_id(request.headers());
    request.extensions_mut().insert(RequestId(id.clone()));
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let span = tracing::info_span!("request", id);
    let begun = Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    let (took, status) = (begun.elapsed(), response.status());
    let route = response.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str).to_owned();
    span.in_scope(|| tracing::info!(%method, path, status = status.as_u16(), ms = took.as_secs_f64() * 1e3, "served"));
    app.metrics().latency.observe(took.as_secs_f64());
    let labels = RequestLabels { method: method.to_string(), route, status: status.as_u16() };
    app.metrics().requests.get_or_create(&labels).inc();
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-request-id", value);
    }
    response
}

fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get("x-request-id").and_then(|v| v.to_str().ok());
    let usable = |id: &&str| (8..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    given.filter(usable).map_or_else(|| crate::auth::random_token("", 24), str::to_owned)
}

/// Notes the matched route on the answer, for the metrics; belongs inside the router.
pub async fn note_route(request: Request, next: Next) -> Response {
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let mut response = next.run(request).await;
    if let Some(matched) = matched {
        response.extensions_mut().insert(matched);
    }
    response
}

/// Refuses requests that change something, carry a cookie and come from another site.
///
/// Browsers say where a request comes from in `Sec-Fetch-Site` (Fetch Metadata) or, older ones, in `Origin`.
pub async fn refuse_cross_site(request: Request, next: Next) -> Response {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if safe || !request.headers().contains_key(COOKIE) || same_site(request.headers()) {
        return next.run(request).await;
    }
    Error::forbidden("this request came from another site").into_response()
}

fn same_site(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|v: &HeaderValue| v.to_str().ok());
    if let Some(site) = text("sec-fetch-site".parse().unwrap_or(ORIGIN)) {
        return matches!(site, "same-origin" | "none");
    }
    match (text(ORIGIN), text(HOST)) {
        (None, _) => true,
        (Some(origin), Some(host)) => origin.split_once("://").is_some_and(|(_, o)| o == host),
        (Some(_), None) => false,
    }
}

/// Gives JSON answers to GET a weak entity tag and answers 304 where the client has it already.
pub async fn entity_tags(request: Request, next: Next) -> Response {
    let wanted = request.method() == Method::GET;
    let known = request.headers().get(IF_NONE_MATCH).cloned();
    let response = next.run(request).await;
    let is_json = response.headers().get(CONTENT_TYPE).is_some_and(|t| t.as_bytes().starts_with(b"application/json"));
    let exact = response.body().size_hint().exact().is_some_and(|n| n < 4 << 20);
    if !wanted || !is_json || !exact || response.status() != StatusCode::OK || response.headers().contains_key(ETAG) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, usize::MAX).await else {
        return Error::internal(anyhow::anyhow!("an answer broke off")).into_response();
    };
    let tag = format!("W/\"{}\"", &hex::encode(Sha256::digest(&bytes))[..32]);
    parts.headers.insert(CACHE_CONTROL, HeaderValue::from_static("max-age=0, private, must-revalidate"));
    if let Ok(value) = HeaderValue::from_str(&tag) {
        parts.headers.insert(ETAG, value);
    }
    if known.is_some_and(|k| k.to_str().is_ok_and(|k| k.split(',').any(|t| t.trim() == tag))) {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(CONTENT_TYPE);
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(bytes))
}

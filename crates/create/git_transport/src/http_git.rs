//! Git over smart HTTP: the advertisement, fetches and pushes.

use accounts::Actor;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use git::pack::receive::read_head;
use git::pack::{Protocol, Service};
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, EXPIRES, PRAGMA, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use kernel::http::client_ip;
use kernel::{App, Error, Result};
use tokio::io::{AsyncRead, BufReader};
use tokio_util::io::StreamReader;

use crate::fetch::{self, Answer};
use crate::gate::{Door, admit, empty_repository};
use crate::{auth, limits, messages, push};

/// Who sends a request.
pub(crate) async fn actor_of(app: &App, parts: &Parts) -> Result<Actor> {
    let ip = client_ip(&parts.extensions, &parts.headers).map(|ip| ip.to_string()).unwrap_or_default();
    auth::identify(app, &parts.headers, ip).await
}

/// `GET …/info/refs?service=…`
pub(crate) async fn info_refs(State(app): State<App>, Path(project): Path<String>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let actor = actor_of(&app, &parts).await;
    let known = actor.as_ref().is_ok_and(|a| a.known().is_some());
    match advertise(&app, actor, &project, &parts).await {
        Ok(response) => response,
        Err(e) => refusal(&e, known, &project),
    }
}

async fn advertise(app: &App, actor: Result<Actor>, project: &str, parts: &Parts) -> Result<Response> {
    let query = parts.uri.query().unwrap_or_default();
    let asked = query.split('&').find_map(|p| p.strip_prefix("service=")).and_then(Service::parse);
    let Some(service) = asked else {
        return Err(Error::forbidden("this server speaks git's smart protocol only; a newer git is needed"));
    };
    let actor = actor?;
    let protocol = protocol_of(&parts.headers);
    let repo = match admit(app, &actor, project, service).await? {
        Door::Open(admitted) => repositories::open(app, &admitted.access.project).await?,
        Door::Vacant(_) => empty_repository(app).await?,
    };
    let mut body = Vec::new();
    if protocol != Protocol::V2 || service == Service::ReceivePack {
        body.extend_from_slice(&service.http_prefix());
    }
    body.extend_from_slice(&fetch::advertise(&repo, service, protocol).await?);
    Ok(answer(service, "advertisement", Body::from(body)))
}

/// `POST …/git-upload-pack`
pub(crate) async fn upload_pack(State(app): State<App>, Path(project): Path<String>, request: Request) -> Response {
    serve(app, project, request, Service::UploadPack).await
}

/// `POST …/git-receive-pack`
pub(crate) async fn receive_pack(State(app): State<App>, Path(project): Path<String>, request: Request) -> Response {
    serve(app, project, request, Service::ReceivePack).await
}

async fn serve(app: App, project: String, request: Request, service: Service) -> Response {
    let (parts, body) = request.into_parts();
    let actor = actor_of(&app, &parts).await;
    let known = actor.as_ref().is_ok_and(|a| a.known().is_some());
    let request = (parts.headers, body);
    let outcome = match (actor, service) {
        (Err(e), _) => Err(e),
        (Ok(actor), Service::UploadPack) => fetch(&app, &actor, &project, request).await,
        (Ok(actor), Service::ReceivePack) => take_in(&app, &actor, &project, request).await,
    };
    outcome.unwrap_or_else(|e| refusal(&e, known, &project))
}

async fn fetch(app: &App, actor: &Actor, project: &str, (headers, body): (HeaderMap, Body)) -> Result<Response> {
    let service = Service::UploadPack;
    check_type(&headers, service)?;
    let Door::Open(admitted) = admit(app, actor, project, service).await? else {
        return Err(Error::not_found("Project"));
    };
    let protocol = protocol_of(&headers);
    let repo = repositories::open(app, &admitted.access.project).await?;
    let body = match fetch::answer(&repo, protocol, reader(&headers, body)?).await? {
        Answer::Whole(bytes) => Body::from(bytes),
        Answer::Stream(stream) => Body::from_stream(stream),
    };
    Ok(answer(service, "result", body))
}

async fn take_in(app: &App, actor: &Actor, project: &str, (headers, body): (HeaderMap, Body)) -> Result<Response> {
    let service = Service::ReceivePack;
    check_type(&headers, service)?;
    let door = admit(app, actor, project, service).await?;
    let mut input = reader(&headers, body)?;
    let head = read_head(&mut input).await.map_err(messages::unreadable)?;
    if head.commands.is_empty() {
        return Ok(answer(service, "result", Body::empty()));
    }
    let admitted = match door {
        Door::Open(admitted) => *admitted,
        Door::Vacant(vacant) => vacant.create(app, actor).await?,
    };
    let output = push::receive(app, admitted, head, input).await?;
    Ok(answer(service, "result", Body::from_stream(output)))
}

fn protocol_of(headers: &HeaderMap) -> Protocol {
    headers.get("git-protocol").and_then(|v| v.to_str().ok()).map(Protocol::parse).unwrap_or_default()
}

fn check_type(headers: &HeaderMap, service: Service) -> Result<()> {
    let given = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    if given == format!("application/x-{}-request", service.name()).as_bytes() {
        return Ok(());
    }
    Err(Error::Status(StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("only {} requests are taken here", service.name())))
}

/// The body as it comes in, unpacked if it is compressed.
fn reader(headers: &HeaderMap, body: Body) -> Result<Box<dyn AsyncRead + Send + Unpin>> {
    let chunks = body.into_data_stream().map_err(std::io::Error::other);
    let in_time = tokio_stream::StreamExt::timeout(chunks, limits::STALLED);
    let stalled = |_| Err(std::io::ErrorKind::TimedOut.into());
    let plain = StreamReader::new(Box::pin(in_time.map(move |chunk| chunk.unwrap_or_else(stalled))));
    match headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes).unwrap_or_default() {
        b"" | b"identity" => Ok(Box::new(plain)),
        b"gzip" | b"x-gzip" => Ok(Box::new(BufReader::new(async_compression::tokio::bufread::GzipDecoder::new(plain)))),
        _ => Err(Error::Status(StatusCode::UNSUPPORTED_MEDIA_TYPE, "bodies may be compressed with gzip only".into())),
    }
}

fn answer(service: Service, kind: &str, body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_maybe_shared(Bytes::from(format!("application/x-{}-{kind}", service.name()))) {
        headers.insert(CONTENT_TYPE, value);
    }
    let never: [(HeaderName, &'static str); 3] = [
        (CACHE_CONTROL, "no-cache, max-age=0, must-revalidate"),
        (EXPIRES, "Fri, 01 Jan 1980 00:00:00 GMT"),
        (PRAGMA, "no-cache"),
    ];
    for (name, value) in never {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The answer to a request that is refused, in plain text, which git prints. What does not exist for nobody may exist
/// for somebody, so git is told to ask for credentials.
pub(crate) fn refusal(error: &Error, known: bool, project: &str) -> Response {
    let ask = !known && matches!(error, Error::NotFound(_));
    if ask || matches!(error, Error::Unauthenticated | Error::InvalidToken(_)) {
        let text = match error {
            Error::InvalidToken(why) => why.clone(),
            _ => "Sign in with your name and a password or access token; the one given, if any, was not right."
                .to_owned(),
        };
        let mut response = (StatusCode::UNAUTHORIZED, text).into_response();
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"Tidemill\""));
        return response;
    }
    if let Error::Internal(cause) = error {
        tracing::error!(error = format!("{cause:#}"), "a git request failed");
    }
    let text = match error {
        Error::NotFound(_) => format!("There is no project {} that you may see.", project.trim_end_matches(".git")),
        other => messages::reason(other),
    };
    let mut response = (error.status(), text).into_response();
    if let Error::TooMany(seconds) = error {
        response.headers_mut().insert(http::header::RETRY_AFTER, (*seconds).into());
    }
    response
}

//! Which slices make the program, and the layers around their routes.

use std::sync::Arc;

use axum::Router;
use axum::extract::{OriginalUri, Request, State};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use http::header::{HeaderName, HeaderValue};
use http::{StatusCode, Uri};
use kernel::api::Endpoint;
use kernel::http::layers;
use kernel::{App, AppBuilder, Config, Db, Error, Objects, Settings, Slice};
use tower::ServiceExt;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};

use crate::{error_pages, ops, rewrite};

/// Every slice of the program, the lower tiers first.
pub fn slices() -> Vec<Slice> {
    vec![
        ops::slice(),
        accounts::slice(),
        projects::slice(),
        repositories::slice(),
        git_transport::slice(),
        source_pages::slice(),
        pipelines::slice(),
    ]
}

/// What higher slices register with lower ones.
fn register(builder: &mut AppBuilder) {
    builder.insert(projects::RepositoryHooks(Arc::new(repositories::Repositories)));
    builder.insert(projects::SearchScopes(repositories::search_scopes()));
    builder.insert(accounts::hooks::UserHooks(vec![Arc::new(projects::user_hook::UserNamespaces)]));
    builder.insert(projects::shell::NavItems([projects::shell::nav(), source_pages::nav(), pipelines::nav()].concat()));
    builder.insert(accounts::shell::Entries([projects::shell::entries(), pipelines::entries()].concat()));
    builder.insert(git_transport::SshAddress::default());
    builder.insert(accounts::Credentials(vec![Arc::new(pipelines::JobTokens)]));
    builder.insert(repositories::LastPipelines(Arc::new(pipelines::CommitPipelines)));
    builder.insert(pipelines::RunnerState::default());
    builder.insert(projects::HealthFacts(vec![Arc::new(crate::health::JobIsolation)]));
}

/// An entry of the route table, for the tests that call every route.
#[derive(Clone, Debug)]
pub struct Route {
    /// The method; `*` for pages, whose handlers say which they take.
    pub method: String,
    /// The pattern, with `/api/v4` where it is an endpoint.
    pub path: String,
}

/// The composed program: the application and its service.
pub struct Program {
    /// The application.
    pub app: App,
    /// Everything that HTTP serves.
    pub service: Router,
    /// All routes.
    pub routes: Vec<Route>,
    /// What the slices start beside HTTP.
    pub starts: Vec<kernel::Start>,
}

/// Makes the program for a configuration, on an open database and store.
pub fn compose(config: Config, db: Db, objects: Objects, settings: Settings) -> Program {
    let mut builder = AppBuilder::default();
    let slices = slices();
    for slice in &slices {
        builder.slice(slice);
    }
    register(&mut builder);
    let endpoints = slices.iter().flat_map(|s| &s.api).flat_map(|a| &a.endpoints);
    let document = kernel::api::openapi(endpoints.clone(), config.url.as_str().trim_end_matches('/'));
    let mut routes: Vec<Route> = endpoints.map(endpoint_route).collect();
    let pages = slices.iter().flat_map(|s| &s.web.routes);
    routes.extend(pages.map(|(path, _)| Route { method: "*".into(), path: (*path).to_owned() }));
    builder.insert(ops::OpenApi(document));
    let app = builder.build(config, db, objects, settings);
    let starts = slices.iter().flat_map(|s| s.starts.iter().copied()).collect();
    let service = service(&app, router(slices).with_state(app.clone()));
    Program { app, service, routes, starts }
}

fn endpoint_route(endpoint: &Endpoint) -> Route {
    Route { method: endpoint.method.to_string(), path: format!("/api/v4{}", endpoint.path) }
}

fn router(slices: Vec<Slice>) -> Router<App> {
    let mut router = Router::new();
    for slice in slices {
        for (path, handlers) in slice.web.routes {
            router = router.route(path, handlers);
        }
        for endpoint in slice.api.into_iter().flat_map(|a| a.endpoints) {
            router = router.route(&format!("/api/v4{}", endpoint.path), endpoint.route);
        }
    }
    router
        .fallback(async |request: Request| {
            let unknown = serde_json::json!({ "error": "404 Not Found" });
            match kernel::http::is_api(request.uri().path()) {
                true => (StatusCode::NOT_FOUND, axum::Json(unknown)).into_response(),
                false => Error::not_found("Page").into_response(),
            }
        })
        .method_not_allowed_fallback(async || {
            let message = "405 Method Not Allowed".to_owned();
            Error::Status(StatusCode::METHOD_NOT_ALLOWED, message)
        })
        .layer(from_fn(layers::note_route))
}

/// The layers, the innermost first, around a router that is given rewritten paths.
fn service(app: &App, inner: Router) -> Router {
    let inner = inner
        .layer(from_fn(layers::entity_tags))
        .layer(from_fn(layers::refuse_cross_site))
        .layer(from_fn_with_state(app.clone(), error_pages::render))
        .layer(from_fn_with_state(app.clone(), accounts::actor::authenticate));
    let inner = Arc::new(inner);
    let compressible = DefaultPredicate::new()
        .and(NotForContentType::const_new("application/x-git"))
        .and(NotForContentType::const_new("application/zip"))
        .and(NotForContentType::const_new("application/gzip"))
        .and(NotForContentType::const_new("application/octet-stream"));
    Router::new()
        .fallback(move |State(app): State<App>, request: Request| dispatch(app, inner.clone(), request))
        .layer(CompressionLayer::new().compress_when(compressible))
        .layer(from_fn(security_headers))
        .layer(CatchPanicLayer::custom(|_| {
            Error::internal(std::io::Error::other("a handler panicked")).into_response()
        }))
        .layer(from_fn_with_state(app.clone(), layers::observe))
        .with_state(app.clone())
}

async fn dispatch(app: App, inner: Arc<Router>, mut request: Request) -> Response {
    let original = request.uri().clone();
    if original.path().contains("%00") {
        // No name of anything holds a NUL, and PostgreSQL can't be asked for one.
        return Error::bad_request("the path is malformed").into_response();
    }
    let path = match rewrite::rewrite(&app, original.path()).await {
        Ok(Some(path)) => path,
        Ok(None) => "/@nothing".to_owned(),
        Err(e) => return e.into_response(),
    };
    if path != original.path() {
        let query = original.query().map(|q| format!("?{q}")).unwrap_or_default();
        match format!("{path}{query}").parse::<Uri>() {
            Ok(uri) => *request.uri_mut() = uri,
            Err(_) => return Error::bad_request("the path is malformed").into_response(),
        }
    }
    request.extensions_mut().insert(OriginalUri(original));
    let answered = Router::clone(&inner).oneshot(request).await;
    answered.unwrap_or_else(|never| match never {})
}

/// Headers that hold for every answer; a handler may set stricter ones.
async fn security_headers(request: Request, next: axum::middleware::Next) -> Response {
    let mut response = next.run(request).await;
    let defaults = [
        ("content-security-policy", ui::CONTENT_SECURITY_POLICY),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "strict-origin-when-cross-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("permissions-policy", "interest-cohort=()"),
    ];
    for (name, value) in defaults {
        let entry = response.headers_mut().entry(HeaderName::from_static(name));
        entry.or_insert(HeaderValue::from_static(value));
    }
    response
}

//! Who is asking: the user behind a session, a token or a job, or nobody.

use std::sync::Arc;

use async_trait::async_trait;
use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{AUTHORIZATION, COOKIE};
use http::request::Parts;
use http::{HeaderMap, Method};
use kernel::http::{client_ip, is_api};
use kernel::{App, Error, Result};

use crate::{AccessToken, Session, User, ratelimit, shell};

/// How somebody proved who they are.
#[derive(Clone, Debug)]
pub enum Via {
    /// Not at all.
    Nobody,
    /// By a password, as git over HTTP may.
    Password,
    /// By a browser's session; holds its id.
    Session(i64),
    /// By a personal access token.
    Token(Arc<AccessToken>),
    /// By an SSH key; holds its id.
    Key(i64),
    /// By the token of a CI job, which acts for the job's user within limits.
    Job {
        /// The job.
        job_id: i64,
        /// Its project.
        project_id: i64,
    },
}

/// Who is asking.
#[derive(Clone, Debug)]
pub struct Actor {
    user: Option<Arc<User>>,
    via: Via,
    /// The client's address, for the audit log.
    pub ip: String,
    /// What the page before left to be shown once.
    pub(crate) flash: Vec<ui::Flash>,
}

/// Turns tokens of other areas, such as a CI job's, into an actor. Registered as [`Credentials`].
#[async_trait]
pub trait Credential: Send + Sync {
    /// The actor that `token` stands for; `None` if it is no token of this kind.
    async fn resolve(&self, app: &App, token: &str) -> Result<Option<Actor>>;
}

/// All kinds of tokens that other areas brought.
#[derive(Default)]
pub struct Credentials(pub Vec<Arc<dyn Credential>>);

impl Actor {
    /// Nobody.
    pub fn nobody() -> Self {
        Self { user: None, via: Via::Nobody, ip: String::new(), flash: vec![] }
    }

    /// A user, and how they proved to be it.
    pub fn new(user: User, via: Via) -> Self {
        Self { user: Some(Arc::new(user)), via, ip: String::new(), flash: vec![] }
    }

    /// The user, or a 401.
    pub fn user(&self) -> Result<&User> {
        self.user.as_deref().ok_or(Error::Unauthenticated)
    }

    /// The user, if there is one.
    pub fn known(&self) -> Option<&User> {
        self.user.as_deref()
    }

    /// The user's id, if there is a user.
    pub fn id(&self) -> Option<i64> {
        self.known().map(|u| u.id)
    }

    /// How they proved who they are.
    pub fn via(&self) -> &Via {
        &self.via
    }

    /// Whether this is an administrator. A job's token never is.
    pub fn is_admin(&self) -> bool {
        !matches!(self.via, Via::Job { .. }) && self.known().is_some_and(|u| u.admin)
    }

    /// The user, if an administrator; else a 401 or 403.
    pub fn admin(&self) -> Result<&User> {
        let user = self.user()?;
        if self.is_admin() { Ok(user) } else { Err(Error::Forbidden(String::new())) }
    }

    /// Refuses a token that has none of `scopes`; sessions, passwords and keys have all.
    pub fn require_scope(&self, scopes: &[&str]) -> Result<()> {
        match &self.via {
            Via::Token(token) if !scopes.iter().any(|s| token.has(s)) => {
                Err(Error::InsufficientScope(scopes.join(" ")))
            }
            _ => Ok(()),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Actor {
    type Rejection = Error;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_else(Self::nobody))
    }
}

/// The layer that finds out who is asking and refuses tokens that don't cover the request.
pub async fn authenticate(State(app): State<App>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let ip = client_ip(&parts.extensions, &parts.headers).map(|ip| ip.to_string()).unwrap_or_default();
    let mut identified = identify(&app, &parts).await;
    let standing = ratelimit::request(&app, &identified, parts.uri.path(), &ip);
    if let Some(over) = standing.as_ref().filter(|s| s.exceeded()) {
        identified = Err(Error::TooMany(over.wait()));
    }
    let mut response = match identified {
        Ok(actor) => answer(Actor { ip, ..actor }, Request::from_parts(parts, body), next).await,
        Err(e) => e.into_response(),
    };
    if let Some(standing) = standing {
        standing.write(response.headers_mut());
    }
    response
}

async fn answer(mut actor: Actor, mut request: Request, next: Next) -> Response {
    actor.flash = shell::flash_of(request.headers());
    let flashed = !actor.flash.is_empty();
    request.extensions_mut().insert(actor);
    let mut response = next.run(request).await;
    if flashed {
        shell::forget_flash(&mut response);
    }
    response
}

async fn identify(app: &App, request: &Parts) -> Result<Actor> {
    let (headers, path) = (&request.headers, request.uri.path());
    if path.starts_with("/-/assets/") {
        return Ok(Actor::nobody()); // The same for everybody, so nobody need be asked who they are.
    }
    let actor = match token_of(headers, request.uri.query()) {
        Some(token) => by_token(app, &token).await?,
        None => by_session(app, headers).await?,
    };
    if is_api(path) {
        check_scope(&actor, &request.method, path)?;
        return sudo(app, actor, request).await;
    }
    // A token opens pages that serve data, such as raw files; it never changes anything there.
    if matches!(actor.via, Via::Token(_)) && request.method != Method::GET && request.method != Method::HEAD {
        return Ok(Actor::nobody());
    }
    actor.require_scope(&["api", "read_api", "read_repository"])?;
    Ok(actor)
}

async fn by_session(app: &App, headers: &HeaderMap) -> Result<Actor> {
    let Some(session) = Session::of_request(app, headers).await? else { return Ok(Actor::nobody()) };
    let user = User::find(app.db().conn(), session.user_id).await?.filter(User::is_active);
    Ok(user.map_or_else(Actor::nobody, |u| Actor::new(u, Via::Session(session.id))))
}

/// The actor that a token of any kind stands for; a 401 if it stands for none.
pub async fn by_token(app: &App, token: &str) -> Result<Actor> {
    if let Some(found) = AccessToken::by_secret(app.db().conn(), token).await? {
        found.check()?;
        found.touch(app.db().conn()).await?;
        let user =
            User::find(app.db().conn(), found.user_id).await?.filter(User::is_active).ok_or(Error::Unauthenticated)?;
        return Ok(Actor::new(user, Via::Token(Arc::new(found))));
    }
    for kind in app.get::<Credentials>().iter().flat_map(|c| &c.0) {
        if let Some(actor) = kind.resolve(app, token).await? {
            return Ok(actor);
        }
    }
    Err(Error::Unauthenticated)
}

fn token_of(headers: &HeaderMap, query: Option<&str>) -> Option<String> {
    let named = ["private-token", "job-token"].iter().find_map(|n| headers.get(*n)?.to_str().ok());
    let bearer = || {
        let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    };
    let in_query = || {
        let mut pairs = url::form_urlencoded::parse(query?.as_bytes());
        pairs.find(|(k, _)| matches!(&**k, "private_token" | "access_token" | "job_token")).map(|(_, v)| v.into_owned())
    };
    named.or_else(bearer).map(str::to_owned).or_else(in_query).filter(|t| !t.is_empty())
}

fn check_scope(actor: &Actor, method: &Method, path: &str) -> Result<()> {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    let below = path.strip_prefix("/api/v4").unwrap_or(path);
    if matches!(actor.via, Via::Job { .. }) && !for_jobs(below, reads) {
        return Err(Error::Unauthenticated);
    }
    let mut scopes = vec!["api"];
    if reads {
        scopes.push("read_api");
        if below.starts_with("/user") {
            scopes.push("read_user");
        }
        if below.contains("/repository/") {
            scopes.push("read_repository");
        }
    }
    if below == "/personal_access_tokens/self" {
        return Ok(()); // Any token may look at itself and end itself.
    }
    if below == "/personal_access_tokens/self/rotate" {
        scopes.push("self_rotate");
    }
    if below == "/user/runners" {
        scopes.push("create_runner");
    }
    if below.starts_with("/markdown") {
        scopes.push("read_api");
    }
    actor.require_scope(&scopes)
}

/// Whether the token of a CI job opens an endpoint. A script that somebody pushed runs with it, so it reads projects,
/// serves its own job and publishes, and is nobody everywhere else.
fn for_jobs(below: &str, reads: bool) -> bool {
    const PUBLISHED: &[&str] =
        &["packages", "releases", "terraform", "deployments", "environments", "trigger", "secure_files"];
    let mut parts = below.trim_start_matches('/').split('/');
    match (parts.next(), parts.next(), parts.next()) {
        (Some("job" | "jobs"), ..) => true,
        (Some("projects" | "packages"), ..) if reads => true,
        (Some("projects"), Some(_), Some(noun)) => PUBLISHED.contains(&noun),
        (Some("packages"), ..) => true,
        (Some("groups"), Some(_), Some("-" | "packages")) => reads,
        _ => false,
    }
}

/// Lets an administrator act as another user: header `Sudo` or parameter `sudo`, a name or an id.
async fn sudo(app: &App, actor: Actor, request: &Parts) -> Result<Actor> {
    let header = request.headers.get("sudo").and_then(|v| v.to_str().ok()).map(str::to_owned);
    let in_query = || {
        let mut pairs = url::form_urlencoded::parse(request.uri.query()?.as_bytes());
        pairs.find(|(k, _)| k == "sudo").map(|(_, v)| v.into_owned())
    };
    let Some(wanted) = header.or_else(in_query) else { return Ok(actor) };
    if !actor.is_admin() {
        return Err(Error::forbidden("Must be admin to use sudo"));
    }
    actor.require_scope(&["sudo"])?;
    let user = match wanted.parse() {
        Ok(id) => User::find(app.db().conn(), id).await?,
        Err(_) => User::by_username(app.db().conn(), &wanted).await?,
    };
    let user = user.ok_or_else(|| Error::not_found(format!("User with ID or username '{wanted}'")))?;
    Ok(Actor { user: Some(Arc::new(user)), ..actor })
}

/// The value of a cookie; `None` where it is absent or empty.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, wanted: &str) -> Option<&'a str> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(';'));
    let mut pairs = cookies.filter_map(|c| c.trim().split_once('='));
    pairs.find(|(name, value)| *name == wanted && !value.is_empty()).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::for_jobs;

    #[test]
    fn jobs_read_projects_and_publish() {
        for path in
            ["/projects/1", "/projects/g%2Fp/repository/tree", "/job", "/jobs/1/artifacts", "/groups/1/-/packages"]
        {
            assert!(for_jobs(path, true), "{path}");
        }
        for path in ["/projects/1/packages/generic/a/1/f", "/projects/1/releases", "/jobs/request"] {
            assert!(for_jobs(path, false), "{path}");
        }
        let closed = [
            "/user",
            "/users/1",
            "/user/keys",
            "/personal_access_tokens",
            "/application/settings",
            "/groups/1",
            "/keys/1",
        ];
        for path in closed {
            assert!(!for_jobs(path, true) && !for_jobs(path, false), "{path}");
        }
        for path in ["/projects", "/projects/1", "/projects/1/members", "/projects/1/variables", "/projects/1/hooks"] {
            assert!(!for_jobs(path, false), "{path}");
        }
    }
}

//! The one error of the house, turned into JSON or a page last.

use std::sync::Arc;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Map, Value, json};

/// The result of everything that a request or a job does.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, as the outside may know it; causes that it may not know are inside [`Error::Internal`].
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing, or the actor may not know that there is (404). Holds the thing's name, may be empty.
    #[error("404 {}{}Not Found", .0, if .0.is_empty() { "" } else { " " })]
    NotFound(String),
    /// A parameter is missing or malformed; found before the work (400, key `error`).
    #[error("{0}")]
    BadParameter(String),
    /// The request can't be carried out as it stands (400, key `message`).
    #[error("{0}")]
    BadRequest(String),
    /// The model refuses values: field and complaint (400, key `message`).
    #[error("{}", join_fields(.0))]
    Invalid(Vec<(String, String)>),
    /// Nobody is signed in and somebody has to be (401).
    #[error("401 Unauthorized")]
    Unauthenticated,
    /// The token is unusable (401); holds why.
    #[error("{0}")]
    InvalidToken(String),
    /// The actor may see it and not do it (403); holds the reason, may be empty.
    #[error("403 Forbidden{}{}", if .0.is_empty() { "" } else { " - " }, .0)]
    Forbidden(String),
    /// The token's scopes don't cover the request (403); holds the scopes that would.
    #[error("The request requires higher privileges than provided by the access token.")]
    InsufficientScope(String),
    /// The state of things is in the way (409).
    #[error("{0}")]
    Conflict(String),
    /// It is understood and can't be processed (422).
    #[error("{0}")]
    Unprocessable(String),
    /// The body is over a limit (413).
    #[error("{0}")]
    TooLarge(String),
    /// Too many requests (429); holds the seconds to wait.
    #[error("Retry later")]
    TooMany(u64),
    /// It is elsewhere now (301); holds the path or URL.
    #[error("301 Moved Permanently")]
    Moved(String),
    /// Another status with a message.
    #[error("{1}")]
    Status(StatusCode, String),
    /// Something that should work is out of order for now (503).
    #[error("{0}")]
    Unavailable(String),
    /// A fault of ours (500). The cause goes to the log only.
    #[error("500 Internal Server Error")]
    Internal(Arc<anyhow::Error>),
}

impl Error {
    /// A 404 that names the kind of thing, such as `Project`.
    pub fn not_found(what: impl Into<String>) -> Self {
        Self::NotFound(what.into())
    }

    /// A refusal of one field's value by the model.
    pub fn invalid(field: impl Into<String>, complaint: impl Into<String>) -> Self {
        Self::Invalid(vec![(field.into(), complaint.into())])
    }

    /// A 403 with a reason.
    pub fn forbidden(reason: impl Into<String>) -> Self {
        Self::Forbidden(reason.into())
    }

    /// A 400 with a message.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::BadRequest(message.into())
    }

    /// An internal fault with its cause.
    pub fn internal(cause: impl Into<anyhow::Error>) -> Self {
        Self::Internal(Arc::new(cause.into()))
    }

    /// The status that the answer carries.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::BadParameter(_) | Self::BadRequest(_) | Self::Invalid(_) => StatusCode::BAD_REQUEST,
            Self::Unauthenticated | Self::InvalidToken(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) | Self::InsufficientScope(_) => StatusCode::FORBIDDEN,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::Unprocessable(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Moved(_) => StatusCode::MOVED_PERMANENTLY,
            Self::Status(status, _) => *status,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The JSON body, in the shapes of GitLab's REST API.
    pub fn body(&self) -> Value {
        match self {
            Self::NotFound(what) if what.is_empty() => json!({ "message": "404 Not Found" }),
            Self::BadParameter(message) => json!({ "error": message }),
            Self::Invalid(fields) => json!({ "message": field_map(fields) }),
            Self::InvalidToken(why) => json!({ "error": "invalid_token", "error_description": why }),
            Self::InsufficientScope(scope) => {
                json!({ "error": "insufficient_scope", "error_description": self.to_string(), "scope": scope })
            }
            _ => json!({ "message": self.to_string() }),
        }
    }
}

fn join_fields(fields: &[(String, String)]) -> String {
    let parts: Vec<_> = fields.iter().map(|(f, c)| format!("{} {c}", f.replace('_', " "))).collect();
    parts.join(", ")
}

fn field_map(fields: &[(String, String)]) -> Value {
    let mut map = Map::new();
    for (field, complaint) in fields {
        let list = map.entry(field.clone()).or_insert_with(|| json!([]));
        if let Value::Array(list) = list {
            list.push(json!(complaint));
        }
    }
    Value::Object(map)
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        if let Self::Internal(cause) = &self {
            tracing::error!(error = format!("{cause:#}"), "request failed");
        }
        let mut response = (self.status(), Json(self.body())).into_response();
        if let Self::TooMany(seconds) = &self {
            response.headers_mut().insert(http::header::RETRY_AFTER, (*seconds).into());
        }
        if let Self::Moved(place) = &self
            && let Ok(place) = http::HeaderValue::from_str(place)
        {
            response.headers_mut().insert(http::header::LOCATION, place);
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<sea_orm::DbErr> for Error {
    fn from(e: sea_orm::DbErr) -> Self {
        use sea_orm::SqlErr;
        match e.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(_)) => Self::Conflict("Has already been taken".into()),
            _ => Self::internal(e),
        }
    }
}

impl From<anyhow::Error> for Error {
    fn from(e: anyhow::Error) -> Self {
        match e.downcast::<Self>() {
            Ok(own) => own,
            Err(e) => Self::Internal(Arc::new(e)),
        }
    }
}

macro_rules! internal_from {
    ($($t:ty),*) => { $(impl From<$t> for Error { fn from(e: $t) -> Self { Self::internal(e) } })* };
}
internal_from!(
    std::io::Error,
    serde_json::Error,
    object_store::Error,
    tokio::task::JoinError,
    http::Error,
    http::header::InvalidHeaderValue,
    axum::Error
);

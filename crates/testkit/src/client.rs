//! An HTTP client for tests that panics on what a test can't go on from.

use std::fmt::Display;

use http::{HeaderMap, Method, StatusCode};
use reqwest::redirect::Policy;
use serde_json::Value;

/// Sends requests as one person, or as nobody; doesn't follow redirects.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
    cookie: Option<String>,
}

/// An answer, read to the end.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: bytes::Bytes,
}

impl Client {
    pub(crate) fn new(base: &str, token: Option<String>) -> Self {
        let http = reqwest::Client::builder().redirect(Policy::none()).build().expect("a client");
        Self { http, base: base.to_owned(), token, cookie: None }
    }

    /// The same client as a browser with a cookie instead of a token.
    pub fn with_cookie(&self, cookie: impl Into<String>) -> Self {
        Self { token: None, cookie: Some(cookie.into()), ..self.clone() }
    }

    /// The request, for what the short forms can't say.
    pub fn request(&self, method: Method, path: impl Display) -> reqwest::RequestBuilder {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.header("private-token", token);
        }
        if let Some(cookie) = &self.cookie {
            request =
                request.header("cookie", cookie).header("sec-fetch-site", "same-origin").header("accept", "text/html");
        }
        request
    }

    /// Sends a request.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status(), response.headers().clone());
        Answer { status, headers, body: response.bytes().await.expect("a whole answer") }
    }

    /// GET.
    pub async fn get(&self, path: impl Display) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    /// GET as a browser would.
    pub async fn page(&self, path: impl Display) -> Answer {
        self.send(self.request(Method::GET, path).header("accept", "text/html")).await
    }

    /// POST with JSON.
    pub async fn post(&self, path: impl Display, body: Value) -> Answer {
        self.send(self.request(Method::POST, path).json(&body)).await
    }

    /// POST with a form.
    pub async fn form(&self, path: impl Display, fields: &[(&str, &str)]) -> Answer {
        self.send(self.request(Method::POST, path).form(fields)).await
    }

    /// PUT with JSON.
    pub async fn put(&self, path: impl Display, body: Value) -> Answer {
        self.send(self.request(Method::PUT, path).json(&body)).await
    }

    /// DELETE.
    pub async fn delete(&self, path: impl Display) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header as text, empty where it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }

    /// Fails the test where the status is another; gives the answer on.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self
    }
}

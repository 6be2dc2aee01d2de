//! Pages of lists, by offset, with the headers of GitLab's API.

use axum::Json;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::header::LINK;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Uri};
use serde::{Deserialize, Serialize};

use super::Params;
use crate::{App, Error, Result};

const DEFAULT_SIZE: u64 = 20;
const MAX_SIZE: u64 = 100;
/// Beyond this many rows no totals are given, as counting them would cost more than the page.
const MAX_COUNTED: i64 = 10_000;

/// Which page of a list is asked for.
#[derive(Clone, Debug)]
pub struct Paging {
    /// The page, from 1.
    pub page: u64,
    /// Rows on a page, at most 100.
    pub per_page: u64,
    /// Whether `pagination=keyset` was asked for.
    pub keyset: bool,
    /// The opaque place after which a keyset page begins.
    pub cursor: Option<String>,
    base: String,
    query: String,
}

#[derive(Deserialize)]
struct Asked {
    page: Option<i64>,
    per_page: Option<i64>,
    pagination: Option<String>,
    cursor: Option<String>,
    page_token: Option<String>,
}

impl FromRequestParts<App> for Paging {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let uri = parts.extensions.get::<axum::extract::OriginalUri>().map_or(&parts.uri, |o| &o.0);
        Self::of(uri, app.config().url.as_str().trim_end_matches('/'))
    }
}

impl Paging {
    fn of(uri: &Uri, root: &str) -> Result<Self> {
        let asked: Asked = Params::of_query(uri.query())?;
        let positive = |name: &str, value: Option<i64>, default: u64| match value {
            None => Ok(default),
            Some(n) => u64::try_from(n)
                .ok()
                .filter(|n| *n > 0)
                .ok_or(Error::BadParameter(format!("{name} does not have a valid value"))),
        };
        Ok(Self {
            page: positive("page", asked.page, 1)?.min(u64::from(u32::MAX)),
            per_page: positive("per_page", asked.per_page, DEFAULT_SIZE)?.min(MAX_SIZE),
            keyset: asked.pagination.as_deref() == Some("keyset"),
            cursor: asked.cursor.or(asked.page_token),
            base: format!("{root}{}", uri.path()),
            query: uri.query().unwrap_or_default().to_owned(),
        })
    }

    /// Rows to skip.
    pub fn offset(&self) -> i64 {
        i64::try_from((self.page - 1).saturating_mul(self.per_page)).unwrap_or(i64::MAX)
    }

    /// Rows to read.
    pub fn limit(&self) -> i64 {
        i64::try_from(self.per_page).unwrap_or(100)
    }

    /// Answers with one page of a list whose length is known.
    pub fn list<T: Serialize>(&self, items: &[T], total: i64) -> Response {
        let pages = u64::try_from(total).unwrap_or(0).div_ceil(self.per_page);
        let next = (self.page < pages).then_some(self.page + 1);
        let counted = (total <= MAX_COUNTED).then_some((total, pages));
        self.respond(items, next, counted)
    }

    /// Answers with one page of a list whose length is not known; `items` may hold one more than the page, which tells
    /// that there is a next page and is left out.
    pub fn list_uncounted<T: Serialize>(&self, items: &[T]) -> Response {
        let size = usize::try_from(self.per_page).unwrap_or(usize::MAX);
        let next = (items.len() > size).then_some(self.page + 1);
        self.respond(&items[..items.len().min(size)], next, None)
    }

    /// Answers with a keyset page; `next` is the cursor behind its last row where there are more.
    pub fn list_keyset<T: Serialize>(&self, items: &[T], next: Option<&str>) -> Response {
        let mut response = Json(items).into_response();
        if let Some(cursor) = next {
            let link = format!("<{}>; rel=\"next\"", self.link(&[("cursor", cursor)]));
            set(&mut response, LINK, &link);
        }
        response
    }

    fn respond<T: Serialize>(&self, items: &[T], next: Option<u64>, counted: Option<(i64, u64)>) -> Response {
        let mut response = Json(items).into_response();
        let previous = (self.page > 1).then(|| self.page - 1);
        let text = |n: Option<u64>| n.map(|n| n.to_string()).unwrap_or_default();
        set(&mut response, HeaderName::from_static("x-page"), &self.page.to_string());
        set(&mut response, HeaderName::from_static("x-per-page"), &self.per_page.to_string());
        set(&mut response, HeaderName::from_static("x-next-page"), &text(next));
        set(&mut response, HeaderName::from_static("x-prev-page"), &text(previous));
        if let Some((total, pages)) = counted {
            set(&mut response, HeaderName::from_static("x-total"), &total.to_string());
            set(&mut response, HeaderName::from_static("x-total-pages"), &pages.max(1).to_string());
        }
        let mut links = vec![("first", Some(1)), ("prev", previous), ("next", next)];
        links.push(("last", counted.map(|(_, pages)| pages.max(1))));
        let links = links
            .into_iter()
            .filter_map(|(rel, page)| Some(format!("<{}>; rel=\"{rel}\"", self.link(&[("page", &page?.to_string())]))));
        set(&mut response, LINK, &links.collect::<Vec<_>>().join(", "));
        response
    }

    fn link(&self, change: &[(&str, &str)]) -> String {
        let size = self.per_page.to_string();
        let mut change = change.to_vec();
        change.push(("per_page", &size));
        page_links(&self.base, &self.query, &change)
    }
}

/// `base` with the query string `query`, in which the parameters of `change` are replaced.
pub fn page_links(base: &str, query: &str, change: &[(&str, &str)]) -> String {
    let kept = url::form_urlencoded::parse(query.as_bytes())
        .filter(|(k, _)| !change.iter().any(|(c, _)| c == k) && k != "private_token" && k != "access_token");
    let mut out = url::form_urlencoded::Serializer::new(String::new());
    out.extend_pairs(kept).extend_pairs(change);
    format!("{base}?{}", out.finish())
}

fn set(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

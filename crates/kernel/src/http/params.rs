//! The parameters of a request: query string, form and JSON body, which are equal and mix.

use axum::extract::{FromRequest, FromRequestParts, Request};
use http::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::lenient::{Lenient, Refused};
use crate::{Error, Result};

/// The most that the body of a request with parameters may hold, in bytes.
pub const MAX_PARAMS: usize = 64 << 20;
const MAX_DEPTH: usize = 32;

/// The parameters, read into `T`. A wrong one is a 400 in GitLab's words, such as `title is missing`.
#[derive(Clone, Copy, Debug)]
pub struct Params<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Params<T> {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self> {
        let (parts, body) = request.into_parts();
        let mut values = Map::new();
        merge_pairs(&mut values, parts.uri.query().unwrap_or_default())?;
        let content_type = parts.headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if kind == "multipart/form-data" {
            let request = Request::from_parts(parts, body);
            merge_multipart(&mut values, request).await?;
        } else {
            let too_large = |_| Error::TooLarge(format!("the request body is over {} MiB", MAX_PARAMS >> 20));
            let body = axum::body::to_bytes(body, MAX_PARAMS).await.map_err(too_large)?;
            merge_body(&mut values, &kind, &body)?;
        }
        read(values)
    }
}

impl<T: DeserializeOwned> Params<T> {
    /// The parameters of the query string alone, for handlers that read the body themselves.
    pub fn of_query(query: Option<&str>) -> Result<T> {
        let mut values = Map::new();
        merge_pairs(&mut values, query.unwrap_or_default())?;
        read(values).map(|p: Self| p.0)
    }
}

fn read<T: DeserializeOwned>(values: Map<String, Value>) -> Result<Params<T>> {
    serde_path_to_error::deserialize(Lenient(Value::Object(values))).map(Params).map_err(|e| {
        let path = e.path().to_string();
        Error::BadParameter(match e.into_inner() {
            missing @ Refused::Missing(_) => missing.to_string(),
            why if path == "." => why.to_string(),
            why => format!("{path} {why}"),
        })
    })
}

fn merge_body(values: &mut Map<String, Value>, kind: &str, body: &[u8]) -> Result<()> {
    if body.is_empty() {
        return Ok(());
    }
    if kind == "application/json" || kind.ends_with("+json") {
        return match serde_json::from_slice(body) {
            Ok(Value::Object(map)) => {
                values.extend(map);
                Ok(())
            }
            Ok(_) => Err(Error::BadParameter("the request body is not a JSON object".into())),
            Err(e) => Err(Error::BadParameter(format!("the request body is not valid JSON: {e}"))),
        };
    }
    if kind == "application/x-www-form-urlencoded" {
        let text = std::str::from_utf8(body).map_err(|_| Error::BadParameter("the form is not UTF-8".into()))?;
        return merge_pairs(values, text);
    }
    Ok(())
}

async fn merge_multipart(values: &mut Map<String, Value>, request: Request) -> Result<()> {
    let bad = |e: axum::extract::multipart::MultipartError| {
        Error::BadParameter(format!("the form is malformed: {}", e.body_text()))
    };
    let mut form =
        axum::extract::Multipart::from_request(request, &()).await.map_err(|e| Error::BadParameter(e.body_text()))?;
    let mut total = 0;
    while let Some(field) = form.next_field().await.map_err(bad)? {
        let name = field.name().unwrap_or_default().to_owned();
        let text = field.text().await.map_err(bad)?;
        total += text.len();
        if total > MAX_PARAMS {
            return Err(Error::TooLarge(format!("the request body is over {} MiB", MAX_PARAMS >> 20)));
        }
        insert(values, &name, text)?;
    }
    Ok(())
}

fn merge_pairs(values: &mut Map<String, Value>, encoded: &str) -> Result<()> {
    for (key, value) in url::form_urlencoded::parse(encoded.as_bytes()) {
        insert(values, &key, value.into_owned())?;
    }
    Ok(())
}

/// Puts `value` where a key such as `a[b][]` or `a[0][b]` says.
fn insert(values: &mut Map<String, Value>, key: &str, value: String) -> Result<()> {
    let malformed = || Error::BadParameter(format!("{} is invalid", key.chars().take(80).collect::<String>()));
    let (head, rest) = key.split_at(key.find('[').unwrap_or(key.len()));
    let segments: Vec<&str> = match rest.strip_prefix('[').and_then(|r| r.strip_suffix(']')) {
        Some(inner) => inner.split("][").collect(),
        None if rest.is_empty() => vec![],
        None => return Err(malformed()),
    };
    if segments.len() > MAX_DEPTH {
        return Err(malformed());
    }
    let slot = values.entry(head.to_owned()).or_insert(Value::Null);
    place(slot, &segments, value).ok_or_else(malformed)
}

fn place(slot: &mut Value, segments: &[&str], value: String) -> Option<()> {
    let Some((first, rest)) = segments.split_first() else {
        *slot = Value::String(value);
        return Some(());
    };
    if first.is_empty() {
        if slot.is_null() || slot.is_string() {
            *slot = Value::Array(vec![]);
        }
        let list = slot.as_array_mut()?;
        // `a[][x]=1&a[][y]=2` is one entry; a key that comes again begins the next.
        let begins = match (rest.first(), list.last()) {
            (Some(key), Some(Value::Object(last))) => last.contains_key(*key),
            _ => true,
        };
        if begins {
            list.push(Value::Null);
        }
        return place(list.last_mut()?, rest, value);
    }
    if slot.is_null() {
        *slot = Value::Object(Map::new());
    }
    place(slot.as_object_mut()?.entry(first.to_owned()).or_insert(Value::Null), rest, value)
}

/// For `Option<Option<T>>` with `#[serde(default, deserialize_with = "present")]`: tells an absent field from a null one.
pub fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(d: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(d).map(Some)
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Error;
    async fn from_request_parts(parts: &mut http::request::Parts, _: &S) -> Result<Self> {
        Params::of_query(parts.uri.query()).map(Self)
    }
}

/// The parameters of the query string alone, which leaves the body to another extractor.
#[derive(Clone, Copy, Debug)]
pub struct Query<T>(pub T);

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize, Debug, PartialEq)]
    struct Wanted {
        title: String,
        count: Option<u32>,
        #[serde(default)]
        labels: Vec<String>,
        kind: Option<Kind>,
    }
    #[derive(Deserialize, Debug, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        Open,
    }

    fn parse(query: &str) -> Result<Wanted, String> {
        Params::of_query(Some(query)).map_err(|e| e.to_string())
    }

    #[test]
    fn text_becomes_typed() {
        let w = parse("title=7&count=3&labels[]=a&labels[]=b&kind=open").unwrap();
        assert_eq!(
            w,
            Wanted { title: "7".into(), count: Some(3), labels: vec!["a".into(), "b".into()], kind: Some(Kind::Open) }
        );
        assert_eq!(parse("title=x&labels=a,b").unwrap().labels, ["a", "b"]);
    }

    #[test]
    fn refusals_speak_like_the_api() {
        assert_eq!(parse("").unwrap_err(), "title is missing");
        assert_eq!(parse("title=x&count=many").unwrap_err(), "count is invalid");
        assert_eq!(parse("title=x&kind=shut").unwrap_err(), "kind does not have a valid value");
        assert_eq!(parse("title=x&labels[=1").unwrap_err(), "labels[ is invalid");
        assert_eq!(parse("title=a%00b").unwrap_err(), "title is invalid");
    }

    #[test]
    fn hashes_in_arrays() {
        let mut map = Map::new();
        merge_pairs(&mut map, "v[][key]=A&v[][value]=1&v[][key]=B&v[][value]=2&not[labels]=x&w[0][a]=1").unwrap();
        let expected = serde_json::json!({
            "v": [{ "key": "A", "value": "1" }, { "key": "B", "value": "2" }], "not": { "labels": "x" }, "w": { "0": { "a": "1" } } });
        assert_eq!(Value::Object(map), expected);
    }
}

//! Parameters that may come with a picture in a multipart form.

use axum::extract::{FromRequest, Multipart, Request};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use kernel::http::Params;
use kernel::{App, Error, Result};
use serde::de::DeserializeOwned;
use url::form_urlencoded::Serializer;

use crate::avatar::MAX_BYTES;

const MAX_TEXT: usize = 1 << 20;

/// The parameters, and the file called `avatar` if there was one.
pub(crate) struct WithAvatar<T> {
    pub(crate) params: T,
    pub(crate) avatar: Option<Bytes>,
}

impl<T: DeserializeOwned> FromRequest<App> for WithAvatar<T> {
    type Rejection = Error;

    async fn from_request(request: Request, app: &App) -> Result<Self> {
        let kind = request.headers().get(CONTENT_TYPE).map(|v| v.as_bytes().to_ascii_lowercase());
        if !kind.is_some_and(|k| k.starts_with(b"multipart/form-data")) {
            let Params(params) = Params::from_request(request, app).await?;
            return Ok(Self { params, avatar: None });
        }
        let query = request.uri().query().unwrap_or_default().to_owned();
        let mut pairs: Vec<(String, String)> = vec![];
        let malformed = |text: String| Error::BadParameter(format!("the form is malformed: {text}"));
        let mut form = Multipart::from_request(request, app).await.map_err(|e| malformed(e.body_text()))?;
        let (mut avatar, mut total) = (None, 0);
        while let Some(mut field) = form.next_field().await.map_err(|e| malformed(e.body_text()))? {
            let name = field.name().unwrap_or_default().to_owned();
            let is_file = field.file_name().is_some();
            let most = if is_file { MAX_BYTES } else { MAX_TEXT };
            let mut data = Vec::new();
            while let Some(chunk) = field.chunk().await.map_err(|e| malformed(e.body_text()))? {
                if data.len() + chunk.len() > most && name == "avatar" {
                    return Err(Error::invalid("avatar", "is too big (should be at most 200 KiB)"));
                }
                total += chunk.len();
                if data.len() + chunk.len() > most || total > 2 * MAX_TEXT {
                    return Err(Error::TooLarge("the form is over 2 MiB".into()));
                }
                data.extend_from_slice(&chunk);
            }
            if is_file {
                avatar = Some(Bytes::from(data)).filter(|d| name == "avatar" && !d.is_empty()).or(avatar);
                continue;
            }
            let text = String::from_utf8(data).map_err(|_| malformed(format!("{name} is not UTF-8")))?;
            pairs.push((name, text));
        }
        let all = Serializer::new(query).extend_pairs(pairs).finish();
        Ok(Self { params: Params::of_query(Some(&all))?, avatar })
    }
}

//! Blobs that are not git's: uploads, avatars, artifacts, LFS objects, log archives.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{BoxStream, StreamExt};
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{GetOptions, GetRange, MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload};

use url::Url;

use crate::{Error, Result};

/// The store of blobs, keyed by slash-separated names made by us, never by users.
#[derive(Clone, Debug)]
pub struct Objects {
    store: Arc<dyn ObjectStore>,
}

impl Objects {
    /// Opens the store that a URL names: `file:PATH`, whose folder is made, or
    /// `s3://BUCKET/PREFIX?endpoint=URL&region=NAME` with the credentials of `AWS_ACCESS_KEY_ID` and
    /// `AWS_SECRET_ACCESS_KEY`. An endpoint is needed where the store isn't Amazon's.
    pub fn open(url: &str) -> Result<Self> {
        if let Some(folder) = url.strip_prefix("file:") {
            return Self::in_folder(&PathBuf::from(folder));
        }
        match Url::parse(url) {
            Ok(url) if url.scheme() == "s3" => Self::in_bucket(&url),
            _ => Err(Error::bad_request(format!(
                "objects: {url} is not understood; file:PATH and s3://BUCKET/PREFIX are"
            ))),
        }
    }

    fn in_folder(folder: &std::path::Path) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let store = LocalFileSystem::new_with_prefix(folder)?.with_automatic_cleanup(true);
        Ok(Self { store: Arc::new(store) })
    }

    fn in_bucket(url: &Url) -> Result<Self> {
        let bucket = url.host_str().unwrap_or_default();
        let mut builder = AmazonS3Builder::from_env().with_bucket_name(bucket);
        for (key, value) in url.query_pairs() {
            builder = match &*key {
                "endpoint" => builder.with_allow_http(value.starts_with("http://")).with_endpoint(value),
                "region" => builder.with_region(value),
                other => {
                    return Err(Error::bad_request(format!(
                        "objects: {other} is not understood; endpoint and region are"
                    )));
                }
            };
        }
        let store = PrefixStore::new(builder.build()?, url.path().trim_matches('/'));
        Ok(Self { store: Arc::new(store) })
    }

    /// Stores `data` under `key`, replacing what was there.
    pub async fn put(&self, key: &str, data: impl Into<Bytes>) -> Result<()> {
        self.store.put(&Path::from(key), PutPayload::from_bytes(data.into())).await?;
        Ok(())
    }

    /// Begins a streamed write; nothing is visible under `key` before `complete`.
    pub async fn writer(&self, key: &str) -> Result<Box<dyn MultipartUpload>> {
        Ok(self.store.put_multipart(&Path::from(key)).await?)
    }

    /// Reads a whole small object; `None` if there is none.
    pub async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        match self.store.get(&Path::from(key)).await {
            Ok(found) => Ok(Some(found.bytes().await?)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    /// Streams an object, or the part of it in `range` (start, end exclusive); with the whole object's size.
    pub async fn stream(
        &self,
        key: &str,
        range: Option<(u64, u64)>,
    ) -> Result<Option<(u64, BoxStream<'static, std::io::Result<Bytes>>)>> {
        let range = range.map(|(from, to)| GetRange::Bounded(from..to));
        let options = GetOptions { range, ..Default::default() };
        match self.store.get_opts(&Path::from(key), options).await {
            Ok(found) => {
                let size = found.meta.size;
                Ok(Some((size, found.into_stream().map(|c| c.map_err(std::io::Error::other)).boxed())))
            }
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    /// The size of an object in bytes; `None` if there is none.
    pub async fn size(&self, key: &str) -> Result<Option<u64>> {
        match self.store.head(&Path::from(key)).await {
            Ok(meta) => Ok(Some(meta.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    /// Removes an object; it is no error if there is none.
    pub async fn delete(&self, key: &str) -> Result<()> {
        match self.store.delete(&Path::from(key)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(e) => Err(e.into()),
        }
    }
}

//! Both kinds of stores behave alike.

use futures_util::StreamExt;
use kernel::Objects;

/// The variable that names a bucket, as `--objects` takes it.
const VARIABLE: &str = "TIDEMILL_TEST_S3";

async fn behaves(objects: Objects) {
    assert_eq!(objects.get("a/none").await.unwrap(), None);
    objects.put("a/one", "hello world").await.unwrap();
    assert_eq!(objects.get("a/one").await.unwrap().unwrap(), "hello world");
    assert_eq!(objects.size("a/one").await.unwrap(), Some(11));

    let (size, mut part) = objects.stream("a/one", Some((6, 11))).await.unwrap().unwrap();
    let mut read = vec![];
    while let Some(bytes) = part.next().await {
        read.extend_from_slice(&bytes.unwrap());
    }
    assert_eq!((size, read.as_slice()), (11, b"world".as_slice()));

    let mut writer = objects.writer("a/large").await.unwrap();
    for _ in 0..2 {
        writer.put_part(vec![7u8; 5 << 20].into()).await.unwrap();
    }
    assert_eq!(objects.size("a/large").await.unwrap(), None, "nothing is visible before the end");
    writer.complete().await.unwrap();
    assert_eq!(objects.size("a/large").await.unwrap(), Some(10 << 20));

    for key in ["a/one", "a/large", "a/none"] {
        objects.delete(key).await.unwrap();
        assert_eq!(objects.size(key).await.unwrap(), None);
    }
}

#[tokio::test]
async fn in_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    behaves(Objects::open(&format!("file:{}", folder.path().display())).unwrap()).await;
}

#[tokio::test]
async fn in_a_bucket() {
    let Ok(url) = std::env::var(VARIABLE) else {
        eprintln!("skipped: {VARIABLE} names no bucket");
        return;
    };
    let _already_there = rustls::crypto::ring::default_provider().install_default();
    behaves(Objects::open(&url).unwrap()).await;
}

#[test]
fn other_urls_are_refused_with_what_helps() {
    let complaint = |url: &str| Objects::open(url).unwrap_err().to_string();
    assert!(complaint("ftp://x").contains("file:PATH and s3://"));
    assert!(complaint("s3://bucket?colour=red").contains("endpoint and region"));
}

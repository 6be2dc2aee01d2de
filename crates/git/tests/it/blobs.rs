use git::blob::{LfsPointer, is_binary};

use crate::support::{World, collect, path};

#[tokio::test]
async fn large_blobs_are_streamed_not_read() {
    let world = World::new().await;
    let content = "0123456789abcde\n".repeat(200_000);
    let tip = world.commit_file("big", &content);
    let blob = world.repo.blob_at(tip, &path("big"), 1000).await.unwrap();
    assert!(blob.truncated && blob.data.is_empty());
    assert_eq!(blob.size, content.len() as u64);
    let (size, stream) = world.repo.blob_stream(blob.oid).await.unwrap();
    assert_eq!(size, blob.size);
    assert_eq!(collect(stream).await.unwrap(), content.as_bytes());
    let (_, dropped) = world.repo.blob_stream(blob.oid).await.unwrap();
    drop(dropped);
    assert!(world.repo.blob_stream(tip).await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn reads_ranges_of_lines() {
    let world = World::new().await;
    let tip = world.commit_file("f", "1\n2\n3\n4\n");
    let oid = world.repo.entry(tip, &path("f")).await.unwrap().oid;
    let lines = world.repo.blob_lines(oid, 2, 3, 1000).await.unwrap();
    assert_eq!(lines, ["2", "3"]);
    assert_eq!(world.repo.blob_lines(oid, 4, 900, 1000).await.unwrap(), ["4"]);
    assert!(world.repo.blob_lines(oid, 9, 3, 1000).await.unwrap().is_empty());
    assert!(world.repo.blob_lines(oid, 1, 3, 2).await.is_err());
}

#[test]
fn recognises_binary_and_pointers() {
    assert!(is_binary(b"a\0b") && !is_binary("ä\u{1}".as_bytes()));
    let oid = "a".repeat(64);
    let text = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 12345\n");
    assert_eq!(LfsPointer::parse(text.as_bytes()).unwrap(), LfsPointer { oid, size: 12345 });
    for broken in ["", "version https://git-lfs.github.com/spec/v1\noid sha256:xyz\nsize 1\n", "hello"] {
        assert!(LfsPointer::parse(broken.as_bytes()).is_none());
    }
}

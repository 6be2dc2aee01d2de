use std::process::{Command, Stdio};

use git::archive::ArchiveFormat;

use crate::support::{World, collect, path};

#[tokio::test]
async fn packs_trees_and_folders() {
    let world = World::new().await;
    world.write("src/a", "a");
    world.write("doc/b", "b");
    let tip = world.commit("files");
    for (format, option) in [(ArchiveFormat::Tar, "-t"), (ArchiveFormat::TarGz, "-tz"), (ArchiveFormat::TarBz2, "-tj")]
    {
        let stream = world.repo.archive(tip, &path("src"), format, &"x-1".into()).await.unwrap();
        let bytes = collect(stream).await.unwrap();
        let mut tar = Command::new("tar").arg(option).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        std::io::Write::write_all(&mut tar.stdin.take().unwrap(), &bytes).unwrap();
        let listed = String::from_utf8(tar.wait_with_output().unwrap().stdout).unwrap();
        assert_eq!(listed, "x-1/\nx-1/src/\nx-1/src/a\n", "{format:?}");
    }
    let zip = world.repo.archive(tip, &path(""), ArchiveFormat::Zip, &"".into()).await.unwrap();
    assert!(collect(zip).await.unwrap().starts_with(b"PK"));
    let missing = world.repo.archive(tip, &path("nope"), ArchiveFormat::Zip, &"".into()).await;
    assert!(missing.unwrap_err().is_not_found());
    assert!(world.repo.archive(tip, &path(""), ArchiveFormat::Zip, &"../x".into()).await.is_err());
}

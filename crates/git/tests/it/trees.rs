use git::tree::EntryKind;

use crate::support::{World, path};

async fn world() -> (World, git::Oid) {
    let world = World::new().await;
    world.write("src/main.rs", "fn main() {}\n");
    world.write("src/deep/er/x", "x");
    world.write("README.md", "# Hi\n");
    world.write("run.sh", "#!/bin/sh\n");
    world.git(&["add", "-A"]);
    world.git(&["update-index", "--chmod=+x", "run.sh"]);
    std::os::unix::fs::symlink("README.md", world.work().join("link")).unwrap();
    let sub = "1234567890123456789012345678901234567890";
    world.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{sub},lib/sub")]);
    world.write(".gitmodules", "[submodule \"x\"]\n\tpath = lib/sub\n\turl = ../sub.git\n[broken\n");
    world.git(&["add", ".gitmodules", "link"]);
    world.git(&["commit", "-q", "-m", "start"]);
    world.push();
    let tip = world.tip();
    (world, tip)
}

#[tokio::test]
async fn lists_directories_first() {
    let (world, tip) = world().await;
    let entries = world.repo.list_dir(tip, &path("")).await.unwrap();
    let shown: Vec<String> = entries.iter().map(|entry| format!("{} {}", entry.kind.mode(), entry.name)).collect();
    let expected =
        ["040000 lib", "040000 src", "100644 .gitmodules", "100644 README.md", "120000 link", "100755 run.sh"];
    assert_eq!(shown, expected);
    let inner = world.repo.list_dir(tip, &path("src/deep")).await.unwrap();
    assert_eq!(inner[0].path, "src/deep/er");
    assert!(world.repo.list_dir(tip, &path("README.md")).await.unwrap_err().is_not_found());
    assert!(world.repo.list_dir(tip, &path("nope")).await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn lists_recursively_in_pages() {
    let (world, tip) = world().await;
    let all = world.repo.list_recursive(tip, &path(""), 0, 100).await.unwrap();
    assert!(!all.more);
    let paths: Vec<String> = all.items.iter().map(|entry| entry.path.to_string()).collect();
    assert_eq!(paths.len(), 11);
    let expected = world.bare(&["ls-tree", "-r", "-t", "--name-only", "main"]);
    assert_eq!(paths, expected.lines().collect::<Vec<_>>());
    let page = world.repo.list_recursive(tip, &path(""), 2, 3).await.unwrap();
    assert!(page.more);
    assert_eq!(page.items[0].path, all.items[2].path);
    assert_eq!(page.items.len(), 3);
    let rest = world.repo.list_recursive(tip, &path("src"), 0, 100).await.unwrap();
    assert_eq!(rest.items.last().unwrap().path, "src/main.rs");
    let (files, complete) = world.repo.list_paths(tip, 100).await.unwrap();
    assert!(complete && files.len() == 7, "{files:?}");
    assert!(!world.repo.list_paths(tip, 3).await.unwrap().1);
}

#[tokio::test]
async fn finds_entries_and_sizes() {
    let (world, tip) = world().await;
    let entry = world.repo.entry(tip, &path("src/main.rs")).await.unwrap();
    assert_eq!(entry.kind, EntryKind::Blob);
    assert_eq!(world.repo.entry(tip, &path("lib/sub")).await.unwrap().kind, EntryKind::Submodule);
    assert_eq!(world.repo.entry(tip, &path("")).await.unwrap().kind, EntryKind::Tree);
    assert!(world.repo.entry(tip, &path("src/main.rs/x")).await.unwrap_err().is_not_found());
    let sizes = world.repo.sizes(vec![entry.oid, git::Oid::zero()]).await.unwrap();
    assert_eq!(sizes.get(&entry.oid), Some(&13));
    assert_eq!(sizes.len(), 1);
}

#[tokio::test]
async fn reads_submodule_urls() {
    let (world, tip) = world().await;
    let urls = world.repo.submodule_urls(tip).await.unwrap();
    assert_eq!(urls.get(b"lib/sub" as &[u8]).unwrap(), "../sub.git");
}

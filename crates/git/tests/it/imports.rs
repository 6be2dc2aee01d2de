use git::import::FetchOptions;
use git::{GitError, Repo};

use crate::support::World;

#[tokio::test]
async fn fetches_over_the_network() {
    let world = World::new().await;
    world.commit_file("a", "1");
    world.git(&["tag", "v1"]);
    world.git(&["branch", "-m", "trunk"]);
    world.git(&["push", "-q", "origin", "--all"]);
    world.bare(&["symbolic-ref", "HEAD", "refs/heads/trunk"]);
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let base = format!("--base-path={}", world.dir.path().display());
    // The daemon itself: `git daemon` would leave it running when killed.
    let programs = world.git(&["--exec-path"]);
    let mut daemon = std::process::Command::new(format!("{programs}/git-daemon"))
        .stderr(std::process::Stdio::null())
        .args(["--reuseaddr", "--export-all", "--listen=127.0.0.1", &format!("--port={port}"), &base])
        .spawn()
        .unwrap();
    let options = FetchOptions::new(format!("git://127.0.0.1:{port}/bare.git"));
    let mut lines = Vec::new();
    let target = world.dir.path().join("import.git");
    let mut outcome = Err(GitError::NotFound(String::new()));
    for _ in 0..50 {
        outcome = Repo::clone_from_url(&target, &options, |line| lines.push(line.to_owned())).await;
        if outcome.is_ok() {
            break;
        }
        assert!(!target.exists());
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let missing = FetchOptions::new(format!("git://127.0.0.1:{port}/nothing.git"));
    let failed = Repo::clone_from_url(world.dir.path().join("x.git"), &missing, |_| {}).await;
    daemon.kill().unwrap();
    daemon.wait().unwrap();
    let repo = outcome.unwrap();
    assert_eq!(repo.default_branch().await.unwrap(), "trunk");
    assert!(repo.resolve("trunk").await.is_ok());
    assert!(!lines.is_empty());
    assert!(failed.is_err());
}

#[test]
fn refuses_other_protocols_and_secrets_in_addresses() {
    let refused = [
        "",
        "/etc/passwd",
        "file:///etc",
        "ssh://host/x",
        "ext::sh -c x",
        "https://",
        "https://user:pw@host/x",
        "--upload-pack=x",
        "https://-x/y",
        "https://host/a b",
        "https://host/a\nb",
        "git@host:x",
    ];
    for url in refused {
        assert!(FetchOptions::new(url).check().is_err(), "{url}");
    }
    let mut options = FetchOptions::new("https://host/x.git");
    assert!(options.check().is_ok());
    options.credentials = Some(("user".into(), "pass\nword".into()));
    assert!(options.check().is_err());
}

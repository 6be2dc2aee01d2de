//! `tidemill admin` beside a running server.

use std::path::Path;

use crate::process::{Running, run, tidemill};

fn admin(data: &Path, args: &[&str]) -> (i32, String, String) {
    let mut all = vec!["admin"];
    all.extend(args);
    all.extend(["--data", data.to_str().unwrap()]);
    run(tidemill(&all))
}

async fn status(url: &str, path: &str, token: &str) -> u16 {
    let _already_there = rustls::crypto::ring::default_provider().install_default();
    let request = reqwest::Client::new().get(format!("{url}{path}")).header("private-token", token);
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn users_and_tokens_are_made_while_the_server_runs() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path());
    let (code, password, err) = admin(folder.path(), &["user", "create", "tamar", "--email", "tamar@example.com"]);
    assert_eq!((code, password.trim().len()), (0, 20), "{err}");
    let (code, _, err) = admin(folder.path(), &["user", "create", "tamar", "--email", "other@example.com"]);
    assert!(code == 1 && err.contains("already been taken"), "{err}");

    let (code, token, err) = admin(folder.path(), &["token", "create", "tamar", "--scopes", "read_api,read_user"]);
    assert_eq!((code, token.lines().count()), (0, 1), "{err}");
    assert_eq!(status(&server.url, "/api/v4/user", token.trim()).await, 200);
    let (_, expired, _) = admin(folder.path(), &["token", "create", "tamar", "--expires", "2020-01-31"]);
    assert_eq!(status(&server.url, "/api/v4/user", expired.trim()).await, 401);

    let (code, _, err) = admin(folder.path(), &["token", "create", "nobody"]);
    assert!(code == 1 && err.contains("no user called nobody"), "{err}");
    let (code, _, err) = admin(folder.path(), &["token", "create", "tamar", "--scopes", "everything"]);
    assert!(code == 1 && err.contains("everything"), "{err}");
    let (code, _, err) = admin(folder.path(), &["token", "create", "tamar", "--expires", "soon"]);
    assert!(code == 1 && err.contains("2027-01-31"), "{err}");

    let (code, changed, _) = admin(folder.path(), &["user", "password", "tamar"]);
    assert!(code == 0 && changed != password);
}

#[tokio::test]
async fn the_doctor_finds_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path());
    let (code, out, err) = admin(folder.path(), &["doctor"]);
    assert!(code == 0 && out.contains("in order"), "{out}{err}");
    drop(server);
    std::fs::create_dir_all(folder.path().join("repositories/07/1234.git")).unwrap();
    let (code, out, err) = admin(folder.path(), &["doctor"]);
    assert!(code == 1 && out.contains("1234.git"), "{out}{err}");
}

#[test]
fn a_folder_without_an_instance_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let (code, _, err) = admin(folder.path(), &["doctor"]);
    assert!(code == 1 && err.contains("no instance"), "{err}");
}

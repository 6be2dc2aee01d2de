//! What a first start makes and prints, and what it says when it can't.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use testkit::git;

use crate::process::{Running, run, tidemill};

#[tokio::test]
async fn the_first_start_makes_everything_and_a_push_makes_the_project() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("deep/data");
    let server = Running::start(&data);
    assert!(
        server.lines[1].contains("root") && server.lines[1].contains("initial_root_password"),
        "{:?}",
        server.lines
    );
    assert!(server.lines[2].contains(&format!("git push {}/root/hello.git main", server.url)));

    let file = data.join("initial_root_password");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::metadata(&data).unwrap().permissions().mode() & 0o777, 0o700);
    let password = std::fs::read_to_string(&file).unwrap().trim().to_owned();

    let work = folder.path().join("work");
    std::fs::create_dir(&work).unwrap();
    git(&work, &["init", "-q", "-b", "main"]).await.expect_ok();
    std::fs::write(work.join("README.md"), "# Hello\n").unwrap();
    git(&work, &["add", "."]).await.expect_ok();
    git(&work, &["commit", "-qm", "First"]).await.expect_ok();
    let remote = format!("{}/root/hello.git", server.url).replacen("://", &format!("://root:{password}@"), 1);
    git(&work, &["push", &remote, "main"]).await.expect_ok();
    let heads = git(&work, &["ls-remote", &remote, "refs/heads/main"]).await.expect_ok();
    assert!(heads.contains("refs/heads/main"), "{heads}");

    // The second start keeps it all and makes no second administrator.
    assert!(server.terminate().success());
    let again = Running::start(&data);
    let remote = format!("{}/root/hello.git", again.url).replacen("://", &format!("://root:{password}@"), 1);
    assert!(git(&work, &["ls-remote", &remote]).await.expect_ok().contains("refs/heads/main"));
}

#[test]
fn a_taken_port_is_said_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let data = folder.path().join("data");
    refused(&["serve", "--data", data.to_str().unwrap(), "--http", &address], &[], &[&address, "taken", "--http"]);
}

#[test]
fn a_folder_that_cannot_be_written_is_said_in_one_line() {
    refused(
        &["serve", "--data", "/dev/null/data", "--http", "127.0.0.1:0"],
        &[],
        &["/dev/null/data", "can't be written", "--data"],
    );
}

#[test]
fn a_missing_git_is_said_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let path = folder.path().to_str().unwrap();
    let args = ["serve", "--data", data.to_str().unwrap(), "--http", "127.0.0.1:0"];
    refused(&args, &[("PATH", path)], &["git was not found", "2.38"]);

    let old = folder.path().join("git");
    std::fs::write(&old, "#!/bin/sh\necho git version 2.30.2\n").unwrap();
    std::fs::set_permissions(&old, std::fs::Permissions::from_mode(0o755)).unwrap();
    refused(&args, &[("PATH", path)], &["2.30.2", "too old", "2.38"]);
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    Running::start(&data).terminate();
    let db = kernel::Db::connect(&format!("sqlite:{}", data.join("tidemill.db").display())).await.unwrap();
    db.run("INSERT INTO migrations (name, applied_at) VALUES ('9999_tomorrow', 0)", []).await.unwrap();
    drop(db);
    let args = ["serve", "--data", data.to_str().unwrap(), "--http", "127.0.0.1:0"];
    refused(&args, &[], &["newer version", "9999_tomorrow"]);
}

#[test]
fn two_servers_do_not_share_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let _first = Running::start(folder.path());
    let args = ["serve", "--data", folder.path().to_str().unwrap(), "--http", "127.0.0.1:0"];
    refused(&args, &[], &["another tidemill", "--data"]);
}

#[test]
fn an_option_wins_over_the_environment_and_that_over_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let free = |_| TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let [file, environment] = [0, 1].map(free);
    let toml = format!("http = \"{file}\"\nssh = \"off\"\nurl = \"http://from-the-file.example\"\n");
    std::fs::write(data.join("tidemill.toml"), toml).unwrap();

    let start = |environment: &[(&str, &str)], more: &[&str]| {
        let mut command = tidemill(&[&["serve", "--data", data.to_str().unwrap()], more].concat());
        command.envs(environment.iter().copied());
        Running::spawn(command).url.clone()
    };
    assert_eq!(start(&[], &[]), "http://from-the-file.example");
    assert_eq!(
        start(&[("TIDEMILL_HTTP", &environment), ("TIDEMILL_URL", "http://from-the-environment.example")], &[]),
        "http://from-the-environment.example"
    );
    let url =
        start(&[("TIDEMILL_URL", "http://from-the-environment.example")], &["--url", "http://from-the-option.example"]);
    assert_eq!(url, "http://from-the-option.example");

    std::fs::write(data.join("tidemill.toml"), "htpp = \"x\"\n").unwrap();
    refused(&["serve", "--data", data.to_str().unwrap()], &[], &["tidemill.toml", "htpp"]);
}

#[test]
fn help_explains_every_option() {
    let (code, out, _) = run(tidemill(&["serve", "--help"]));
    assert_eq!(code, 0);
    for word in ["--data", "--http", "--ssh", "--url", "--database", "--objects", "TIDEMILL_DATA", "tidemill.toml"] {
        assert!(out.contains(word), "{word} is not in {out}");
    }
}

/// Fails unless the program ends with code 1 and one line of complaint that holds all of `words`.
#[track_caller]
fn refused(args: &[&str], environment: &[(&str, &str)], words: &[&str]) {
    let mut command = tidemill(args);
    command.envs(environment.iter().copied());
    let (code, out, err) = run(command);
    assert_eq!(code, 1, "{out}{err}");
    let complaint: Vec<&str> = err.lines().filter(|l| l.starts_with("tidemill: ")).collect();
    assert_eq!(complaint.len(), 1, "{err}");
    for word in words {
        assert!(err.contains(word), "{word} is not in {err}");
    }
}

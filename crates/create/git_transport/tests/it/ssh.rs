//! The same over SSH, with OpenSSH's client.

use accounts::SshKey;
use testkit::{GitOutput, Person, TestApp, for_each_database, git};

use crate::support::{assert_sound, commit, head, pending, repository, run, told, work_tree};

/// A person's key and how to use it.
struct Keys {
    command: String,
    port: u16,
}

async fn keys(t: &TestApp, person: &Person) -> Keys {
    let file = t.scratch().join(format!("key-{}", person.username));
    let path = file.to_str().unwrap().to_owned();
    run(t.scratch(), "ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &path], &[]).await.expect_ok();
    let public = std::fs::read_to_string(file.with_extension("pub")).unwrap();
    SshKey::create(t.app.db().conn(), person.id, "test", &public, "auth_and_signing", None).await.unwrap();
    let port = t.eventually("SSH is served", async || git_transport::ssh_address(&t.app)).await.port();
    let options = "-F none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o IdentitiesOnly=yes -o BatchMode=yes -o LogLevel=ERROR";
    Keys { command: format!("ssh {options} -i {path}"), port }
}

impl Keys {
    fn url(&self, project: &str) -> String {
        format!("ssh://git@127.0.0.1:{}/{project}.git", self.port)
    }

    async fn git(&self, folder: &std::path::Path, args: &[&str]) -> GitOutput {
        run(folder, "git", args, &[("GIT_SSH_COMMAND", &self.command)]).await
    }

    async fn ssh(&self, folder: &std::path::Path, command: &[&str]) -> GitOutput {
        let port = self.port.to_string();
        let mut args: Vec<&str> = self.command.split(' ').skip(1).collect();
        args.extend(["-p", &port, "git@127.0.0.1"]);
        args.extend(command);
        run(folder, "ssh", &args, &[]).await
    }
}

#[tokio::test]
async fn every_protocol_works_over_ssh() {
    for_each_database(async |t| {
        let w = t.world().await;
        let mats = keys(&t, &w.mats).await;
        let url = mats.url("mill/wheel");
        let work = work_tree(&t, "source").await;
        git(&work, &["tag", "-a", "v1", "-m", "One"]).await.expect_ok();
        mats.git(&work, &["push", "-q", "-o", "ci.skip", &url, "main", "v1"]).await.expect_ok();
        for version in ["0", "1", "2"] {
            let setting = format!("protocol.version={version}");
            let name = format!("clone{version}");
            mats.git(t.scratch(), &["-c", &setting, "clone", "-q", &url, &name]).await.expect_ok();
            let clone = t.scratch().join(&name);
            let made = commit(&clone, &format!("file{version}"), "text\n").await;
            mats.git(&clone, &["-c", &setting, "push", "-q", "origin", "main"]).await.expect_ok();
            mats.git(&work, &["-c", &setting, "pull", "-q", &url, "main"]).await.expect_ok();
            assert_eq!(head(&work).await, made);
            mats.git(&work, &["-c", &setting, "fetch", "-q", &url, "main"]).await.expect_ok();
        }
        mats.git(t.scratch(), &["clone", "-q", "--depth", "1", "--filter=blob:none", &url, "shallow"])
            .await
            .expect_ok();
        mats.git(&t.scratch().join("shallow"), &["fetch", "-q", "--unshallow"]).await.expect_ok();
        let events = told(&t).await;
        assert_eq!((events.len(), pending(&t).await), (5, 0));
        assert!(events.iter().all(|e| e.origin.key_id.is_some()));
        assert_eq!(events[0].origin.options, ["ci.skip"]);
        assert_sound(&repository(&t, "mill/wheel").await).await;
    })
    .await;
}

#[tokio::test]
async fn pushes_over_ssh_are_checked_like_any_other() {
    for_each_database(async |t| {
        let w = t.world().await;
        let (dana, rita, sam) = (keys(&t, &w.dana).await, keys(&t, &w.rita).await, keys(&t, &w.sam).await);
        let work = work_tree(&t, "source").await;
        let said = dana.git(&work, &["push", &dana.url("dana/hello"), "main"]).await;
        assert!(said.ok && said.stderr.contains("dana/hello was created"), "{}", said.stderr);
        let said = sam.git(&work, &["push", &sam.url("dana/hello"), "main:x"]).await.expect_failure();
        assert!(said.contains("there is no such project"), "{said}");
        dana.git(&work, &["push", "-q", &dana.url("mill/wheel"), "main"]).await.expect_ok();
        commit(&work, "a", "a").await;
        let said = dana.git(&work, &["push", &dana.url("mill/wheel"), "main"]).await.expect_failure();
        assert!(said.contains("remote: main is a protected branch"), "{said}");
        let said = dana.git(&work, &["push", &dana.url("mill/wheel"), ":main"]).await.expect_failure();
        assert!(said.contains("main is the default branch"), "{said}");
        let said = rita.git(&work, &["push", &rita.url("mill/wheel"), "main:x"]).await.expect_failure();
        assert!(said.contains("you may not push to mill/wheel"), "{said}");
        rita.git(t.scratch(), &["clone", "-q", &rita.url("mill/wheel"), "clone"]).await.expect_ok();
        t.app.db().run("UPDATE projects SET archived = TRUE WHERE id = $1", [w.wheel.id.into()]).await.unwrap();
        let said = dana.git(&work, &["push", &dana.url("mill/wheel"), "main:y"]).await.expect_failure();
        assert!(said.contains("The project is archived"), "{said}");
        assert_eq!((told(&t).await.len(), pending(&t).await), (2, 0));
    })
    .await;
}

#[tokio::test]
async fn only_known_keys_and_known_commands_are_served() {
    for_each_database(async |t| {
        let w = t.world().await;
        let dana = keys(&t, &w.dana).await;
        let said = dana.ssh(t.scratch(), &[]).await;
        assert!(said.ok && said.stdout.contains("Welcome to Tidemill, @dana"), "{said:?}");
        let said = dana.ssh(t.scratch(), &["ls", "/"]).await.expect_failure();
        assert!(said.contains("not \"ls /\""), "{said}");
        dana.ssh(t.scratch(), &["git-upload-pack", "'../../etc'"]).await.expect_failure();
        let said = dana.ssh(t.scratch(), &["git-lfs-authenticate", "mill/pond.git", "upload"]).await.expect_ok();
        assert!(said.contains("/mill/pond.git/info/lfs"), "{said}");
        t.app.db().run("UPDATE ssh_keys SET expires_at = 1", []).await.unwrap();
        let said = dana.ssh(t.scratch(), &[]).await.expect_failure();
        assert!(said.contains("Permission denied (publickey)"), "{said}");
        t.app.db().run("UPDATE ssh_keys SET expires_at = NULL, usage_type = 'signing'", []).await.unwrap();
        dana.ssh(t.scratch(), &[]).await.expect_failure();
        t.app.db().run("UPDATE ssh_keys SET usage_type = 'auth'", []).await.unwrap();
        dana.ssh(t.scratch(), &[]).await.expect_ok();
        t.app.db().run("UPDATE users SET state = 'blocked' WHERE id = $1", [w.dana.id.into()]).await.unwrap();
        dana.ssh(t.scratch(), &[]).await.expect_failure();
        let key = std::fs::metadata(t.data().join("ssh_host_ed25519_key")).unwrap();
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&key.permissions()) & 0o777, 0o600);
    })
    .await;
}

//! The pages of code, at the edge: a real server, real git, people in every role.

#![allow(clippy::unwrap_used)]

mod changes;
mod editing;
mod files;
mod hostile;
mod refs;
mod roles;

use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;

use testkit::{Client, Person, TestApp, World, git};

/// A server with its people and a work tree that pushes to `mill/pond` (public) as the owner.
pub(crate) struct Stage {
    pub(crate) t: TestApp,
    pub(crate) world: World,
    pub(crate) work: PathBuf,
}

impl Stage {
    /// The stage with a first commit of these files.
    pub(crate) async fn new(t: TestApp, files: &[(&str, &str)]) -> Self {
        let world = t.world().await;
        let work = t.scratch().join("work");
        std::fs::create_dir(&work).unwrap();
        let stage = Self { t, world, work };
        stage.git(&["init", "-q"]).await;
        stage.commit("First commit", files).await;
        stage.push().await;
        stage
    }

    pub(crate) async fn git(&self, args: &[&str]) -> String {
        git(&self.work, args).await.expect_ok()
    }

    /// Writes files and commits them; gives the id.
    pub(crate) async fn commit(&self, message: &str, files: &[(&str, &str)]) -> String {
        for (path, content) in files {
            let path = self.work.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        self.git(&["add", "-A"]).await;
        self.git(&["commit", "-q", "--allow-empty", "-m", message]).await;
        self.git(&["rev-parse", "HEAD"]).await.trim().to_owned()
    }

    /// Pushes all branches and tags to `mill/pond`.
    pub(crate) async fn push(&self) {
        let remote = self.t.remote(&self.world.olive, "mill/pond");
        self.git(&["push", "-q", &remote, "refs/heads/*:refs/heads/*", "refs/tags/*:refs/tags/*"]).await;
    }

    /// Feeds `git fast-import` and checks the branch out.
    pub(crate) fn import(&self, stream: &[u8]) {
        let mut child = std::process::Command::new("git")
            .current_dir(&self.work)
            .args(["fast-import", "--quiet", "--force"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(stream).unwrap();
        assert!(child.wait().unwrap().success());
    }

    pub(crate) async fn browser(&self, person: &Person) -> Client {
        person.browser(&self.t).await
    }

    /// A page as somebody without an account sees it.
    pub(crate) async fn page(&self, path: &str) -> String {
        self.t.anonymous().page(path).await.expect(200).text()
    }
}

/// Asserts that a text holds another, and shows it where not.
#[track_caller]
pub(crate) fn has(text: &str, part: &str) {
    assert!(text.contains(part), "no {part:?} in:\n{}", main_part(text));
}

/// Asserts that a text does not hold another.
#[track_caller]
pub(crate) fn lacks(text: &str, part: &str) {
    assert!(!text.contains(part), "{part:?} is in:\n{}", main_part(text));
}

fn main_part(text: &str) -> &str {
    text.find("<main").map_or(text, |at| &text[at..])
}

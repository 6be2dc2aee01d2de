//! What these tests have in common.

use serde_json::{Value, json};
use testkit::{Client, TestApp, World};

/// A server with the usual people, a client of the owner, and the API's path of the private project.
pub(crate) struct Bench {
    pub(crate) world: World,
    pub(crate) olive: Client,
    /// `/api/v4/projects/ID` of `mill/wheel`.
    pub(crate) wheel: String,
}

impl Bench {
    pub(crate) async fn new(t: &TestApp) -> Self {
        let world = t.world().await;
        let (olive, wheel) = (world.olive.client(t), format!("/api/v4/projects/{}", world.wheel.id));
        Self { world, olive, wheel }
    }

    /// The same with a first commit on `main`.
    pub(crate) async fn seeded(t: &TestApp) -> Self {
        let bench = Self::new(t).await;
        seed(&bench.olive, &bench.wheel).await;
        bench
    }

    /// A path below the repository of the project.
    pub(crate) fn repo(&self, rest: &str) -> String {
        format!("{}/repository/{rest}", self.wheel)
    }
}

/// Makes the first commit: `README.md`, `src/lib.rs` and `bin/run`, which may be run.
pub(crate) async fn seed(client: &Client, project: &str) -> Value {
    let actions = json!([
        create("README.md", "# Wheel\n\nTurns.\n"),
        create("src/lib.rs", "pub fn turn() {}\n"),
        { "action": "create", "file_path": "bin/run", "content": "#!/bin/sh\n", "execute_filemode": true },
    ]);
    commit(client, project, "main", "Begin", actions).await
}

pub(crate) fn create(path: &str, content: &str) -> Value {
    json!({ "action": "create", "file_path": path, "content": content })
}

pub(crate) fn update(path: &str, content: &str) -> Value {
    json!({ "action": "update", "file_path": path, "content": content })
}

/// Makes a commit and gives its entity.
pub(crate) async fn commit(client: &Client, project: &str, branch: &str, message: &str, actions: Value) -> Value {
    let body = json!({ "branch": branch, "commit_message": message, "actions": actions });
    client.post(format!("{project}/repository/commits"), body).await.expect(201).json()
}

/// The texts of one field of a list.
pub(crate) fn texts<'a>(list: &'a Value, field: &str) -> Vec<&'a str> {
    let list = list.as_array().expect("a list");
    list.iter().map(|item| item[field].as_str().unwrap_or_else(|| panic!("no {field}: {item}"))).collect()
}

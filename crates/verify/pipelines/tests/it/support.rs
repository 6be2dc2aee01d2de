//! Projects with a configuration, and pipelines that are waited for.

use serde_json::{Value, json};
use testkit::{Client, TestApp};

/// The address of a project in the API.
pub(crate) fn api(project: &str) -> String {
    format!("/api/v4/projects/{}", project.replace('/', "%2F"))
}

/// Commits files to a branch of a project; gives the commit's id.
pub(crate) async fn commit(client: &Client, project: &str, branch: &str, files: &[(&str, &str)]) -> String {
    let there = client.get(format!("{}/repository/branches/{}", api(project), branch.replace('/', "%2F"))).await;
    let mut actions = vec![];
    for (path, content) in files {
        let at =
            format!("{}/repository/files/{}?ref={branch}", api(project), path.replace('/', "%2F").replace('.', "%2E"));
        let known = there.status == 200 && client.get(at).await.status == 200;
        actions
            .push(json!({ "action": if known { "update" } else { "create" }, "file_path": path, "content": content }));
    }
    let body = json!({ "branch": branch, "commit_message": "Change files", "actions": actions });
    let answer = client.post(format!("{}/repository/commits", api(project)), body).await.expect(201).json();
    answer["id"].as_str().unwrap().to_owned()
}

/// Commits a configuration to `main` and waits for its pipeline; gives that.
pub(crate) async fn configured(t: &TestApp, client: &Client, project: &str, yaml: &str) -> Value {
    let sha = commit(client, project, "main", &[(".gitlab-ci.yml", yaml)]).await;
    let list = format!("{}/pipelines?sha={sha}", api(project));
    let found = t.eventually("the pipeline", async || client.get(&list).await.expect(200).json().get(0).cloned()).await;
    pipeline(client, project, &found).await
}

/// The pipeline as it is now.
pub(crate) async fn pipeline(client: &Client, project: &str, known: &Value) -> Value {
    client.get(format!("{}/pipelines/{}", api(project), known["id"])).await.expect(200).json()
}

/// Waits until a pipeline has a state.
pub(crate) async fn reaches(t: &TestApp, client: &Client, project: &str, known: &Value, status: &str) -> Value {
    t.eventually(&format!("the state {status}"), async || {
        Some(pipeline(client, project, known).await).filter(|p| p["status"] == status)
    })
    .await
}

/// The jobs of a pipeline, the newest first.
pub(crate) async fn jobs(client: &Client, project: &str, pipeline: &Value) -> Vec<Value> {
    let path = format!("{}/pipelines/{}/jobs", api(project), pipeline["id"]);
    client.get(path).await.expect(200).json().as_array().unwrap().clone()
}

/// A job of a pipeline by its name.
pub(crate) async fn job(client: &Client, project: &str, pipeline: &Value, name: &str) -> Value {
    let all = jobs(client, project, pipeline).await;
    all.into_iter().find(|j| j["name"] == name).unwrap_or_else(|| panic!("{name} is not in the pipeline"))
}

/// Waits until a job has a state.
pub(crate) async fn job_reaches(t: &TestApp, client: &Client, project: &str, known: &Value, status: &str) -> Value {
    t.eventually(&format!("the state {status} of {}", known["name"]), async || {
        let now = client.get(format!("{}/jobs/{}", api(project), known["id"])).await.expect(200).json();
        Some(now).filter(|j| j["status"] == status)
    })
    .await
}

/// The keys of an object, in order.
pub(crate) fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

//! Every route of the program as every role, on each project: no fault of ours, nothing shown that is hidden, and nothing
//! changed by those who may not.
//!
//! A new route is covered by being there. What strangers may change in a project that they see is in [`OPEN`]; a route
//! that is missing there and lets a stranger through fails the test.

use std::time::Duration;

use http::Method;
use reqwest::RequestBuilder;
use serde_json::{Map, Value, json};
use testkit::{Client, TestApp, World, for_each_database};
use tokio::task::JoinSet;

/// What people who are no members may ask of a project that they see, beyond reading.
const OPEN: &[(&str, &str)] = &[
    ("POST", "/api/v4/projects/{id}/star"),
    ("POST", "/api/v4/projects/{id}/unstar"),
    ("POST", "/api/v4/projects/{id}/fork"),
    ("POST", "/api/v4/projects/{id}/repository/commits/{sha}/comments"),
    ("POST", "/@project/{project}/-/star"),
    ("POST", "/@project/{project}/-/unstar"),
    ("POST", "/@project/{project}/-/toggle_star"),
    ("POST", "/@project/{project}/-/forks"),
    // Fetching sends what one has and wants.
    ("POST", "/@git/{project}/git-upload-pack"),
    ("POST", "/@git/{project}/info/lfs/objects/batch"),
];

/// Where files are sent.
const MULTIPART: &[&str] = &["/uploads", "/upload/", "/replace/"];

/// What forms ask for; each form takes what it knows.
const FORM: &[(&str, &str)] = &[
    ("name", "example"),
    ("path", "example"),
    ("new_namespace_id", "1"),
    ("new_parent_id", "1"),
    ("content", "example"),
    ("link_url", "https://example.com"),
    ("image_url", "https://example.com/a.png"),
    ("branch", "main"),
    ("ref", "main"),
    ("commit_message", "example"),
    ("key", "KEY"),
    ("value", "example"),
    ("user", "sam"),
    ("access_level", "30"),
    ("id", "1"),
];

/// What ends the token or session that asks, or is limited by how often it is asked.
const OWN_END: &[&str] = &["/personal_access_tokens/self", "/users/sign_out", "/users/sign_in", "/active_sessions"];

/// Roles from the least powerful on; the first three are no members of anything.
const STRANGERS: [&str; 3] = ["nobody", "eve", "sam"];

struct Asker {
    name: String,
    token: Client,
    browser: Client,
}

struct Place {
    id: i64,
    path: String,
    sha: String,
    pipeline: i64,
    job: i64,
    hidden_from: &'static [&'static str],
}

/// One request that is to be sent.
#[derive(Clone)]
struct Call {
    method: Method,
    template: String,
    path: String,
    body: Value,
}

struct Outcome {
    status: u16,
    location: String,
    text: String,
}

impl Call {
    fn is_page(&self) -> bool {
        !self.path.starts_with("/api/")
    }

    fn is_about_project(&self) -> bool {
        self.template.contains("/projects/{id}") || self.template.contains("{project}")
    }

    fn is_git(&self) -> bool {
        self.template.starts_with("/@git/")
    }

    fn reads(&self) -> bool {
        matches!(self.method, Method::GET | Method::HEAD)
    }

    /// The request with a body that is well-formed, so that it comes to the question who may.
    fn with_body(&self, request: RequestBuilder) -> RequestBuilder {
        let raw = |kind: String, body: &'static str| {
            request.try_clone().expect("no body yet").header("content-type", kind).body(body)
        };
        if let Some(service) = self.path.rsplit('/').next().filter(|last| last.starts_with("git-")) {
            return raw(format!("application/x-{service}-request"), "0000");
        }
        if MULTIPART.iter().any(|part| self.template.contains(part)) {
            return raw("multipart/form-data; boundary=x".into(), "--x--\r\n");
        }
        if self.template.contains("/info/lfs/") {
            return raw("application/vnd.git-lfs+json".into(), "{\"operation\": \"download\", \"objects\": []}");
        }
        if self.is_page() { request.form(FORM) } else { request.json(&self.body) }
    }

    async fn ask(&self, client: &Client) -> Outcome {
        let mut request = client.request(self.method.clone(), &self.path).timeout(Duration::from_secs(60));
        if self.is_page() {
            request = request.header("accept", "text/html");
        }
        if !self.reads() {
            request = self.with_body(request);
        }
        let response = request.send().await.unwrap_or_else(|e| panic!("{} {}: {e}", self.method, self.path));
        let header =
            |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
        let (status, location) = (response.status().as_u16(), header("location"));
        // A stream of events does not end by itself.
        let text = match header("content-type").starts_with("text/event-stream") {
            true => String::new(),
            false => response.text().await.unwrap_or_default(),
        };
        Outcome { status, location, text }
    }
}

impl Outcome {
    fn asks_to_sign_in(&self) -> bool {
        self.status == 401 || (self.status == 303 && self.location.starts_with("/users/sign_in"))
    }

    /// What is wrong with the answer to a stranger who may not even know of the project.
    fn shows_hidden(&self, call: &Call, name: &str) -> bool {
        let may_be = match (call.is_git(), name) {
            (true, _) => matches!(self.status, 401 | 404),
            (false, "nobody") if call.is_page() => self.status == 404 || self.asks_to_sign_in(),
            _ => self.status == 404,
        };
        !may_be && self.status != 405
    }

    /// Whether a stranger was let through with a change to a project that is visible.
    fn lets_change(&self, call: &Call) -> bool {
        let open = OPEN.iter().any(|(method, path)| call.method == *method && call.template == *path);
        let refused = matches!(self.status, 401 | 403 | 404 | 405) || self.asks_to_sign_in();
        !open && !call.reads() && !refused
    }
}

#[tokio::test]
async fn no_route_fails_shows_what_is_hidden_or_lets_strangers_change_anything() {
    for_each_database(async |t: TestApp| {
        for setting in ["throttle_authenticated_api", "throttle_unauthenticated", "throttle_sign_in"] {
            let key = format!("{setting}_requests_per_minute");
            t.app.settings().set(t.app.db(), &key, 10_000_000).await.unwrap();
        }
        let world = t.world().await;
        let places = places(&t, &world).await;
        let askers = askers(&t, &world).await;
        let document = t.anonymous().get("/api/openapi.json").await.expect(200).json();
        let mut wrong = vec![];
        for (number, place) in places.iter().enumerate() {
            let mut all = calls(&t, &document, place, &world);
            // What belongs to no project needs to be asked but once.
            all.retain(|call| number == 0 || call.is_about_project());
            let (reads, writes): (Vec<Call>, Vec<Call>) = all.into_iter().partition(Call::reads);
            wrong.extend(check(&askers, reads, place).await);
            wrong.extend(check(&askers[..STRANGERS.len()], writes, place).await);
        }
        for place in &places {
            world
                .olive
                .client(&t)
                .get(format!("/api/v4/projects/{}/repository/branches/main", place.id))
                .await
                .expect(200);
        }
        // Those who may do more change much on the way, the most powerful last; here only faults of ours count.
        for asker in &askers[STRANGERS.len()..] {
            let mut writes = calls(&t, &document, &places[1], &world);
            writes.retain(|call| !call.reads());
            writes.sort_by_key(|call| (call.method == Method::DELETE, std::cmp::Reverse(call.template.len())));
            for call in writes {
                let outcome = call.ask(client_of(asker, &call)).await;
                wrong.extend(fault(&call, &asker.name, &places[1], &outcome));
            }
        }
        assert!(wrong.is_empty(), "{} answers are wrong:\n{}", wrong.len(), wrong.join("\n"));
    })
    .await;
}

/// Sends calls as several people, all people at once, and gives what is wrong with the answers.
async fn check(askers: &[Asker], calls: Vec<Call>, place: &Place) -> Vec<String> {
    let mut wrong = vec![];
    for call in calls {
        let mut answers = JoinSet::new();
        for asker in askers {
            let (call, client, name) = (call.clone(), client_of(asker, &call).clone(), asker.name.clone());
            answers.spawn(async move {
                let outcome = call.ask(&client).await;
                (name, outcome)
            });
        }
        while let Some(answer) = answers.join_next().await {
            let (name, outcome) = answer.expect("an answer");
            let about_project = call.is_about_project();
            let hidden = about_project && place.hidden_from.contains(&name.as_str());
            let stranger = STRANGERS.contains(&name.as_str());
            let complaint = match () {
                () if hidden && outcome.shows_hidden(&call, &name) => Some("is hidden"),
                () if about_project && !hidden && stranger && outcome.lets_change(&call) => Some("may not change it"),
                () => None,
            };
            let why = complaint.map(|c| format!("{} as {name} ({c}): {}", line(&call, place), short(&outcome)));
            wrong.extend(why);
            wrong.extend(fault(&call, &name, place, &outcome));
        }
    }
    wrong
}

/// An answer that nobody should ever get.
fn fault(call: &Call, name: &str, place: &Place, outcome: &Outcome) -> Option<String> {
    let bad = outcome.status >= 500 || outcome.status == 429;
    bad.then(|| format!("{} as {name} (fault): {}", line(call, place), short(outcome)))
}

fn line(call: &Call, place: &Place) -> String {
    format!("{} {} [{}]", call.method, call.template, place.path)
}

fn short(outcome: &Outcome) -> String {
    let text: String = outcome.text.chars().take(160).collect();
    format!("{} {} {}", outcome.status, outcome.location, text.replace('\n', " "))
}

fn client_of<'a>(asker: &'a Asker, call: &Call) -> &'a Client {
    if call.is_page() && !call.is_git() { &asker.browser } else { &asker.token }
}

async fn askers(t: &TestApp, world: &World) -> Vec<Asker> {
    let mut askers = vec![];
    for person in world.people() {
        let (token, browser) = (person.client(t), person.browser(t).await);
        askers.push(Asker { name: person.username.clone(), token, browser });
    }
    askers.push(Asker { name: "nobody".into(), token: t.anonymous(), browser: t.anonymous() });
    askers.reverse();
    askers
}

/// The three projects, each with a commit, a tag and a pipeline.
async fn places(t: &TestApp, world: &World) -> Vec<Place> {
    let olive = world.olive.client(t);
    let all: [(_, &'static [&'static str]); 3] =
        [(&world.wheel, &STRANGERS), (&world.race, &["nobody", "eve"]), (&world.pond, &[])];
    let mut places = vec![];
    for (project, hidden_from) in all {
        let api = format!("/api/v4/projects/{}", project.id);
        let file = |path: &str, content: &str| json!({ "action": "create", "file_path": path, "content": content });
        let ci = file(".gitlab-ci.yml", "job:\n  script: echo\n  when: manual\n");
        let actions = json!([file("README.md", "# Hello\n"), ci]);
        let body = json!({ "branch": "main", "commit_message": "Begin", "actions": actions });
        let commit = olive.post(format!("{api}/repository/commits"), body).await.expect(201).json();
        olive.post(format!("{api}/repository/tags"), json!({ "tag_name": "v1", "ref": "main" })).await.expect(201);
        let pipeline = t
            .eventually("a pipeline", async || olive.get(format!("{api}/pipelines")).await.json()[0]["id"].as_i64())
            .await;
        let jobs = olive.get(format!("{api}/pipelines/{pipeline}/jobs")).await.expect(200).json();
        places.push(Place {
            id: project.id,
            path: project.full_path.clone(),
            sha: commit["id"].as_str().expect("a commit").to_owned(),
            pipeline,
            job: jobs[0]["id"].as_i64().expect("a job"),
            hidden_from,
        });
    }
    places
}

/// All routes with everything in their paths and bodies filled in.
fn calls(t: &TestApp, document: &Value, place: &Place, world: &World) -> Vec<Call> {
    let mut calls = vec![];
    let kept = |path: &str| !OWN_END.iter().any(|end| path.contains(end));
    for route in t.routes.iter().filter(|route| kept(&route.path)) {
        let methods = match (route.method.as_str(), route.path.starts_with("/@git/")) {
            ("*", true) => vec![Method::GET, Method::POST, Method::PUT],
            ("*", false) => vec![Method::GET, Method::POST],
            (method, _) => vec![method.parse().expect("a method")],
        };
        for method in methods {
            let body = body_of(document, &method, &route.path);
            let path = fill(&route.path, place, world);
            calls.push(Call { method, template: route.path.clone(), path, body });
        }
    }
    calls
}

/// The path as a client would send it.
fn fill(template: &str, place: &Place, world: &World) -> String {
    let outside = [
        ("/@project/{project}", format!("/{}", place.path)),
        ("/@git/{project}", format!("/{}.git", place.path)),
        ("/@user/{user}", format!("/{}", world.olive.username)),
    ];
    let mut path = template.to_owned();
    for (inner, outer) in outside {
        path = path.replace(inner, &outer);
    }
    path = match path.strip_prefix("/@group/{group}") {
        Some("") => format!("/{}", world.mill.full_path),
        Some(rest) => format!("/groups/{}{rest}", world.mill.full_path),
        None => path,
    };
    let mut filled = String::new();
    let mut rest = path.as_str();
    while let Some((before, after)) = rest.split_once('{') {
        let (name, behind) = after.split_once('}').expect("a closing brace");
        filled.push_str(before);
        filled.push_str(&value_of(name, before, place, world));
        rest = behind;
    }
    let service = if template.ends_with("/info/refs") { "?service=git-upload-pack" } else { "" };
    filled + rest + service
}

fn value_of(name: &str, before: &str, place: &Place, world: &World) -> String {
    match name {
        "id" if before.ends_with("/projects/") => place.id.to_string(),
        "id" if before.ends_with("/groups/") || before.ends_with("/namespaces/") => world.mill.id.to_string(),
        "id" if before.ends_with("/users/") => world.olive.id.to_string(),
        "id" if before.ends_with("/pipelines/") => place.pipeline.to_string(),
        "id" if before.ends_with("/jobs/") => place.job.to_string(),
        "user_id" => world.olive.id.to_string(),
        "pipeline_id" | "pipeline" => place.pipeline.to_string(),
        "job_id" | "job" => place.job.to_string(),
        "sha" | "commit" => place.sha.clone(),
        "branch" | "name" | "ref" | "ref_name" => "main".into(),
        "tag_name" => "v1".into(),
        "file_path" => "README.md".into(),
        "username" | "user" => world.olive.username.clone(),
        "oid" => "0".repeat(64),
        "*rest" => "main/README.md".into(),
        "*path" => "README.md".into(),
        _ => "1".into(),
    }
}

/// A body with everything that the endpoint requires.
fn body_of(document: &Value, method: &Method, path: &str) -> Value {
    let operation = &document["paths"][path.replace("{*", "{")][method.as_str().to_ascii_lowercase()];
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let fields: Map<String, Value> =
        required.map(|name| (name.to_owned(), example(document, name, &schema["properties"][name]))).collect();
    Value::Object(fields)
}

fn example(document: &Value, name: &str, schema: &Value) -> Value {
    if let Some(target) = schema["$ref"].as_str().and_then(|r| document.pointer(r.strip_prefix('#')?)) {
        return example(document, name, target);
    }
    if let Some(first) = schema["enum"][0].as_str().or(schema["oneOf"][0]["const"].as_str()) {
        return json!(first);
    }
    match (schema["type"].as_str(), name) {
        (Some("integer" | "number"), _) => json!(30),
        (Some("boolean"), _) => json!(true),
        (Some("array"), _) => json!([]),
        (_, "branch" | "ref") => json!("main"),
        _ => json!("example"),
    }
}

//! Groups, projects and their members at their edge: pages and endpoints of a running server, on each database.
#![allow(clippy::unwrap_used)]

mod badges;
mod creation;
mod events;
mod groups;
mod hostile;
mod lists;
mod members;
mod moves;
mod pages;
mod projects;
mod roles;
mod search;
mod uploads;
mod visibility;

use http::Method;
use serde_json::Value;
use testkit::{Answer, Client, TestApp, World};

/// Sends a request with JSON by the name of its method.
async fn send(client: &Client, method: &str, path: &str, body: &Value) -> Answer {
    let method: Method = method.parse().unwrap();
    let request = client.request(method, path);
    let request = if body.is_null() { request } else { request.json(body) };
    client.send(request).await
}

/// Everybody from the most to the least powerful, and nobody at last.
fn everybody(t: &TestApp, world: &World) -> Vec<(String, Client)> {
    let mut all: Vec<(String, Client)> =
        world.people().into_iter().map(|p| (p.username.clone(), p.client(t))).collect();
    all.push(("nobody".into(), t.anonymous()));
    all
}

/// The values of a field in a list.
fn column<'a>(list: &'a Value, field: &str) -> Vec<&'a str> {
    list.as_array().unwrap().iter().map(|row| row[field].as_str().unwrap_or_default()).collect()
}

/// The ids in a list.
fn ids(list: &Value) -> Vec<i64> {
    list.as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

/// A multipart form with one file.
fn file_form(name: &str, file: &str, content: &[u8]) -> (String, Vec<u8>) {
    let boundary = "tidemill-test-boundary";
    let mut body = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{file}\"\r\nContent-Type: application/octet-stream\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(content);
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary={boundary}"), body)
}

/// Sends a multipart form with one file.
async fn send_file(client: &Client, method: Method, path: &str, form: (String, Vec<u8>)) -> Answer {
    client.send(client.request(method, path).header("content-type", form.0).body(form.1)).await
}

/// The smallest GIF there is.
const GIF: &[u8] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";

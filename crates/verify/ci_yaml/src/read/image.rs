//! The `image` and `services` keywords.

use super::scope::{Scope, present};
use super::variables;
use crate::model::{Image, Members};
use crate::value::{Map, Node, Value};

const PULL_POLICIES: [&str; 3] = ["always", "never", "if-not-present"];
const IMAGE_KEYS: [&str; 6] = ["name", "entrypoint", "ports", "docker", "kubernetes", "pull_policy"];
const SERVICE_KEYS: [&str; 9] =
    ["name", "entrypoint", "command", "alias", "ports", "variables", "docker", "kubernetes", "pull_policy"];

/// Reads `image`.
pub(crate) fn read(scope: &Scope<'_>, map: &Map) -> Option<Image> {
    let value = present(map, "image")?;
    one(&scope.child("image"), value, &IMAGE_KEYS)
}

/// Reads `services`.
pub(crate) fn read_services(scope: &Scope<'_>, map: &Map) -> Option<Vec<Image>> {
    let value = present(map, "services")?;
    let scope = scope.child("services");
    let Some(items) = value.as_seq() else {
        scope.config(value.at, "should be an array");
        return None;
    };
    let scope = scope.child("service");
    Some(items.iter().filter_map(|item| one(&scope, item, &SERVICE_KEYS)).collect())
}

fn one(scope: &Scope<'_>, value: &Value, known: &[&str]) -> Option<Image> {
    let map = match &value.node {
        Node::Str(name) if !name.is_empty() => {
            return Some(Image { name: name.clone(), ..Image::default() });
        }
        Node::Map(map) => map,
        _ => {
            scope.config(value.at, "should be a hash or a string");
            return None;
        }
    };
    scope.known_keys(map, value.at, known);
    let Some(name) = scope.text(map, "name") else {
        if present(map, "name").is_none() {
            scope.key("name", value.at, "can't be blank");
        }
        return None;
    };
    Some(Image {
        name,
        alias: scope.text(map, "alias"),
        entrypoint: scope.text_or_texts(map, "entrypoint"),
        command: scope.text_or_texts(map, "command"),
        pull_policy: pull_policy(scope, map),
        variables: variables::read(scope, map),
        other: others(map),
    })
}

fn pull_policy(scope: &Scope<'_>, map: &Map) -> Vec<String> {
    let list = scope.text_or_texts(map, "pull_policy").unwrap_or_default();
    let unknown: Vec<&str> = list.iter().map(String::as_str).filter(|policy| !PULL_POLICIES.contains(policy)).collect();
    if let (false, Some(value)) = (unknown.is_empty(), map.get("pull_policy")) {
        let what = format!("contains unknown values: {}", unknown.join(", "));
        scope.key("pull_policy", value.at, &what);
    }
    list
}

fn others(map: &Map) -> Members {
    ["ports", "docker", "kubernetes"]
        .into_iter()
        .filter_map(|key| Some((key.to_owned(), present(map, key)?.to_json())))
        .collect()
}

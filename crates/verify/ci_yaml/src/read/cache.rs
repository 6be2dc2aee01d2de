//! The `cache` keyword.

use super::artifacts::OUTCOMES;
use super::scope::{Scope, present};
use crate::expand::has_reference;
use crate::model::{Cache, When};
use crate::value::{Map, Node, Value};

const KEYS: [&str; 7] = ["key", "untracked", "paths", "when", "policy", "unprotect", "fallback_keys"];
const POLICIES: [&str; 3] = ["pull-push", "push", "pull"];
const MAX_CACHES: usize = 4;
const MAX_FALLBACKS: usize = 5;
const MAX_FILES: usize = 2;

/// Reads `cache`: one, or a list of up to four.
pub(crate) fn read(scope: &Scope<'_>, map: &Map) -> Option<Vec<Cache>> {
    let value = present(map, "cache")?;
    let list = match &value.node {
        Node::Seq(items) => items.as_slice(),
        Node::Map(map) if map.is_empty() => &[],
        _ => std::slice::from_ref(value),
    };
    if list.len() > MAX_CACHES {
        let what = format!("no more than {MAX_CACHES} caches can be created");
        scope.child("caches").config(value.at, &what);
    }
    let scope = scope.child("cache");
    Some(list.iter().filter_map(|item| one(&scope, item)).collect())
}

fn one(scope: &Scope<'_>, value: &Value) -> Option<Cache> {
    let map = scope.map(value)?;
    scope.known_keys(map, value.at, &KEYS);
    let mut cache = Cache {
        paths: scope.texts(map, "paths").unwrap_or_default(),
        untracked: scope.flag(map, "untracked").unwrap_or(false),
        unprotect: scope.flag(map, "unprotect").unwrap_or(false),
        when: scope.word(map, "when", &OUTCOMES).and_then(|word| When::from_word(&word)),
        policy: policy(scope, map),
        fallback_keys: fallback_keys(scope, map),
        ..Cache::default()
    };
    if let Some(key) = present(map, "key") {
        read_key(&scope.child("key"), key, &mut cache);
    }
    Some(cache)
}

fn fallback_keys(scope: &Scope<'_>, map: &Map) -> Vec<String> {
    let keys = scope.texts(map, "fallback_keys").unwrap_or_default();
    if keys.len() > MAX_FALLBACKS {
        let at = map.get("fallback_keys").map(|value| value.at).unwrap_or_default();
        scope.key("fallback_keys", at, &format!("has too many entries (maximum {MAX_FALLBACKS})"));
    }
    keys
}

fn policy(scope: &Scope<'_>, map: &Map) -> Option<String> {
    let text = scope.text(map, "policy")?;
    if !has_reference(&text) && !POLICIES.contains(&text.as_str()) {
        let at = map.get("policy").map(|value| value.at).unwrap_or_default();
        let what = format!("should be a variable or one of: {}", POLICIES.join(", "));
        scope.key("policy", at, &what);
    }
    Some(text)
}

fn read_key(scope: &Scope<'_>, value: &Value, cache: &mut Cache) {
    let Some(map) = value.as_map() else {
        match value.scalar_text() {
            Some(key) => {
                check_key(scope, &key, value);
                cache.key = Some(key);
            }
            None => scope.config(value.at, "should be a hash, a string or a symbol"),
        }
        return;
    };
    scope.known_keys(map, value.at, &["files", "files_commits", "prefix"]);
    cache.key_prefix = scope.text(map, "prefix");
    let files = scope.texts(map, "files").or_else(|| scope.texts(map, "files_commits"));
    match files {
        Some(files) if (1..=MAX_FILES).contains(&files.len()) => cache.key_files = files,
        Some(files) if files.is_empty() => scope.key("files", value.at, "requires at least 1 item"),
        Some(_) => {
            let what = format!("has too many items (maximum is {MAX_FILES})");
            scope.key("files", value.at, &what);
        }
        None => scope.config(value.at, "missing required keys: files"),
    }
}

fn check_key(scope: &Scope<'_>, key: &str, value: &Value) {
    let decoded = key.replace("%2F", "/").replace("%2f", "/").replace("%2E", ".").replace("%2e", ".");
    if decoded.contains('/') {
        scope.config(value.at, "cannot contain the \"/\" character");
    } else if decoded == "." || decoded == ".." {
        scope.config(value.at, "cannot be \".\" or \"..\"");
    }
}

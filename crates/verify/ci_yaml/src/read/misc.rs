//! Smaller job keywords: `environment`, `retry`, `id_tokens`, `inherit` and more.

use std::collections::BTreeMap;

use super::scope::{Scope, integers, present, strings};
use crate::duration;
use crate::expression;
use crate::keywords::{self, FAILURE_REASONS};
use crate::model::{AllowFailure, AutoCancel, Environment, Inherit, Retry};
use crate::problem::At;
use crate::value::{Map, Node, Value};

const ACTIONS: [&str; 5] = ["start", "stop", "prepare", "verify", "access"];
const TIERS: [&str; 5] = ["production", "staging", "testing", "development", "other"];
const ENVIRONMENT_KEYS: [&str; 7] =
    ["name", "url", "action", "on_stop", "auto_stop_in", "kubernetes", "deployment_tier"];
const NEW_COMMIT: [&str; 3] = ["conservative", "interruptible", "none"];
const MAX_RETRIES: i64 = 2;

/// Reads `environment`.
pub(crate) fn environment(scope: &Scope<'_>, map: &Map) -> Option<Environment> {
    let value = present(map, "environment")?;
    let scope = &scope.child("environment");
    let map = match &value.node {
        Node::Str(name) => {
            check_name(scope, name, value.at);
            return Some(Environment { name: name.clone(), ..Environment::default() });
        }
        Node::Map(map) => map,
        _ => {
            scope.config(value.at, "should be a hash or a string");
            return None;
        }
    };
    scope.known_keys(map, value.at, &ENVIRONMENT_KEYS);
    let name = scope.text(map, "name").unwrap_or_default();
    check_name(scope, &name, value.at);
    Some(Environment {
        name,
        url: url(scope, map),
        action: scope.choice(map, "action", &ACTIONS, "should be start, stop, prepare, verify, or access"),
        on_stop: scope.text(map, "on_stop"),
        auto_stop_in: auto_stop_in(scope, map),
        deployment_tier: scope.choice(map, "deployment_tier", &TIERS, &format!("must be one of {}", TIERS.join(", "))),
        kubernetes: present(map, "kubernetes").map(Value::to_json),
    })
}

fn check_name(scope: &Scope<'_>, name: &str, at: At) {
    let fits = |c: char| c.is_alphanumeric() || "-_/${}. ".contains(c);
    if name.is_empty() {
        scope.key("name", at, "can't be blank");
    } else if name.chars().count() > 255 {
        scope.key("name", at, "is too long (maximum is 255 characters)");
    } else if !name.chars().all(fits) || name.starts_with('/') || name.ends_with('/') {
        let what = "can contain only letters, digits, '-', '_', '/', '$', '{', '}', '.', and spaces";
        scope.key("name", at, &format!("{what}, but it cannot start or end with '/'"));
    }
}

fn url(scope: &Scope<'_>, map: &Map) -> Option<String> {
    let url = scope.text(map, "url")?;
    if url.chars().count() > 255 {
        let at = map.get("url").map(|value| value.at).unwrap_or_default();
        scope.key("url", at, "is too long (maximum is 255 characters)");
    }
    Some(url)
}

/// Reads the lifetime of an environment, which may hold a variable.
fn auto_stop_in(scope: &Scope<'_>, map: &Map) -> Option<String> {
    let text = present(map, "auto_stop_in")?.scalar_text()?;
    if text.contains('$') {
        return Some(text);
    }
    scope.lifetime(map, "auto_stop_in")
}

/// Reads `retry`.
pub(crate) fn retry(scope: &Scope<'_>, map: &Map) -> Option<Retry> {
    let value = present(map, "retry")?;
    let scope = &scope.child("retry");
    let map = match &value.node {
        Node::Int(count) => {
            return Some(Retry { max: retries(scope, "config", *count, value.at), ..Retry::default() });
        }
        Node::Map(map) => map,
        _ => {
            scope.config(value.at, "has to be either an integer or a hash");
            return None;
        }
    };
    scope.known_keys(map, value.at, &["max", "when", "exit_codes"]);
    let max = match present(map, "max").map(|max| (max.as_int(), max.at)) {
        Some((Some(count), at)) => retries(scope, "max", count, at),
        Some((None, at)) => {
            scope.key("max", at, "is not a number");
            0
        }
        None => 0,
    };
    let exit_codes = present(map, "exit_codes").map(|codes| {
        integers(codes).unwrap_or_else(|| {
            scope.key("exit_codes", codes.at, "should be an array of integers or an integer");
            Vec::new()
        })
    });
    Some(Retry { max, when: retry_when(scope, map), exit_codes: exit_codes.unwrap_or_default() })
}

fn retries(scope: &Scope<'_>, key: &str, count: i64, at: At) -> u8 {
    if count < 0 {
        scope.key(key, at, "must be greater than or equal to 0");
    } else if count > MAX_RETRIES {
        scope.key(key, at, "must be less than or equal to 2");
    }
    u8::try_from(count.clamp(0, MAX_RETRIES)).unwrap_or(0)
}

fn retry_when(scope: &Scope<'_>, map: &Map) -> Vec<String> {
    let list = scope.text_or_texts(map, "when").unwrap_or_default();
    let unknown: Vec<&str> =
        list.iter().map(String::as_str).filter(|reason| !FAILURE_REASONS.contains(reason)).collect();
    if let (false, Some(value)) = (unknown.is_empty(), map.get("when")) {
        let what = match value.node {
            Node::Str(_) => "is not included in the list".to_owned(),
            _ => format!("contains unknown values: {}", unknown.join(", ")),
        };
        scope.key("when", value.at, &what);
    }
    list
}

/// Reads `timeout` in seconds.
pub(crate) fn timeout(scope: &Scope<'_>, map: &Map) -> Option<u64> {
    let value = present(map, "timeout")?;
    match value.scalar_text().and_then(|text| duration::parse(&text)) {
        Some(seconds) => Some(seconds),
        None => {
            scope.child("timeout").config_hint(value.at, "should be a duration", "Write for instance `1h 30m`.");
            None
        }
    }
}

/// Reads `allow_failure`.
pub(crate) fn allow_failure(scope: &Scope<'_>, map: &Map) -> Option<AllowFailure> {
    let value = present(map, "allow_failure")?;
    match &value.node {
        Node::Bool(true) => Some(AllowFailure::Yes),
        Node::Bool(false) => Some(AllowFailure::No),
        Node::Map(map) => {
            let scope = scope.child("allow_failure");
            scope.known_keys(map, value.at, &["exit_codes"]);
            let codes = present(map, "exit_codes").and_then(integers);
            if codes.is_none() {
                scope.key("exit_codes", value.at, "should be an array of integers or an integer");
            }
            codes.map(AllowFailure::ExitCodes)
        }
        _ => {
            scope.key("allow_failure", value.at, "should be a hash or a boolean value");
            None
        }
    }
}

/// Reads `id_tokens`: the audiences of each token.
pub(crate) fn id_tokens(scope: &Scope<'_>, map: &Map) -> Option<BTreeMap<String, Vec<String>>> {
    let value = present(map, "id_tokens")?;
    let scope = &scope.child("id_tokens");
    let tokens = scope.map(value)?;
    let mut found = BTreeMap::new();
    for (name, token) in tokens {
        let Some(map) = scope.map(token) else {
            continue;
        };
        scope.known_keys(map, token.at, &["aud"]);
        match scope.text_or_texts(map, "aud") {
            Some(audiences) => {
                found.insert(name.clone(), audiences);
            }
            None if !map.contains_key("aud") => scope.config(token.at, "missing required keys: aud"),
            None => {}
        }
    }
    Some(found)
}

/// Reads one half of `inherit`.
pub(crate) fn inherit(scope: &Scope<'_>, map: &Map, half: &'static str) -> Inherit {
    let Some(value) = present(map, "inherit") else {
        return Inherit::All;
    };
    let scope = scope.child("inherit");
    let Some(map) = scope.map(value) else {
        return Inherit::All;
    };
    scope.known_keys(map, value.at, &["default", "variables"]);
    let Some(value) = present(map, half) else {
        return Inherit::All;
    };
    match (value.as_bool(), strings(value)) {
        (Some(true), _) => Inherit::All,
        (Some(false), _) => Inherit::None,
        (None, Some(keys)) => {
            check_inherited(&scope.child(half), &keys, value.at);
            Inherit::Only(keys)
        }
        (None, None) => {
            scope.child(half).config(value.at, "should be a bool or array of strings");
            Inherit::All
        }
    }
}

/// Refuses names of defaults that do not exist; variables may have any name.
fn check_inherited(scope: &Scope<'_>, keys: &[String], at: At) {
    let unknown: Vec<&str> = keys.iter().map(String::as_str).filter(|key| !keywords::DEFAULT.contains(key)).collect();
    if scope.is_in("default") && !unknown.is_empty() {
        scope.config(at, &format!("contains unknown values: {}", unknown.join(", ")));
    }
}

/// Reads `coverage`.
pub(crate) fn coverage(scope: &Scope<'_>, map: &Map) -> Option<String> {
    let value = present(map, "coverage")?;
    let text = value.as_str().filter(|text| matches!(expression::compile(text), Some(Ok(_))));
    if text.is_none() {
        scope.child("coverage").config_hint(
            value.at,
            "must be a regular expression with re2 syntax",
            "Write the pattern between slashes: '/TOTAL.*? (\\d+)%/'.",
        );
    }
    text.map(str::to_owned)
}

/// Reads `auto_cancel`.
pub(crate) fn auto_cancel(scope: &Scope<'_>, map: &Map) -> Option<AutoCancel> {
    let value = present(map, "auto_cancel")?;
    let scope = &scope.child("auto_cancel");
    let map = scope.map(value)?;
    scope.known_keys(map, value.at, &["on_new_commit", "on_job_failure"]);
    Some(AutoCancel {
        on_new_commit: scope.choice(
            map,
            "on_new_commit",
            &NEW_COMMIT,
            &format!("must be one of: {}", NEW_COMMIT.join(", ")),
        ),
        on_job_failure: scope.choice(map, "on_job_failure", &["none", "all"], "must be one of: none, all"),
    })
}

/// Checks the parts of `release` that must be there.
pub(crate) fn check_release(scope: &Scope<'_>, map: &Map) {
    let Some(value) = present(map, "release") else {
        return;
    };
    let scope = &scope.child("release");
    let Some(map) = scope.map(value) else {
        return;
    };
    let known = ["tag_name", "tag_message", "description", "name", "ref", "released_at", "milestones", "assets"];
    scope.known_keys(map, value.at, &known);
    for key in ["tag_name", "description"] {
        if scope.text(map, key).is_none_or(|text| text.is_empty()) && !map.contains_key(key) {
            scope.key(key, value.at, "can't be blank");
        }
    }
    for key in ["tag_message", "name", "ref", "released_at"] {
        scope.text(map, key);
    }
    scope.text_or_texts(map, "milestones");
    if let Some(assets) = present(map, "assets") {
        check_assets(&scope.child("assets"), assets);
    }
}

fn check_assets(scope: &Scope<'_>, value: &Value) {
    let Some(map) = scope.map(value) else {
        return;
    };
    scope.known_keys(map, value.at, &["links"]);
    let links = present(map, "links").and_then(Value::as_seq);
    let Some(links) = links else {
        scope.key("links", value.at, "should be an array of hashes");
        return;
    };
    let scope = scope.child("links:link");
    for link in links {
        let Some(map) = scope.map(link) else {
            continue;
        };
        scope.known_keys(map, link.at, &["name", "url", "filepath", "link_type"]);
        for key in ["name", "url"] {
            if scope.text(map, key).is_none() && !map.contains_key(key) {
                scope.key(key, link.at, "can't be blank");
            }
        }
    }
}

/// Checks `trigger` as far as its form goes.
pub(crate) fn check_trigger(scope: &Scope<'_>, map: &Map) {
    let Some(value) = present(map, "trigger") else {
        return;
    };
    let scope = &scope.child("trigger");
    let map = match &value.node {
        Node::Str(_) => return,
        Node::Map(map) => map,
        _ => {
            scope.config(value.at, "has to be either a string or a hash");
            return;
        }
    };
    let includes = map.contains_key("include");
    let known: &[&str] = if includes {
        &["strategy", "include", "forward"]
    } else {
        &["project", "branch", "strategy", "forward", "inputs"]
    };
    scope.known_keys(map, value.at, known);
    if !includes && scope.text(map, "project").is_none() {
        scope.key("project", value.at, "can't be blank");
    }
    scope.text(map, "branch");
    scope.word(map, "strategy", &["depend", "mirror"]);
    if let Some(forward) = present(map, "forward") {
        let scope = scope.child("forward");
        if let Some(map) = scope.map(forward) {
            scope.known_keys(map, forward.at, &["yaml_variables", "pipeline_variables"]);
            scope.flag(map, "yaml_variables");
            scope.flag(map, "pipeline_variables");
        }
    }
}

//! The `only` and `except` keywords.

use super::rules;
use super::scope::{Scope, present, strings};
use crate::expression;
use crate::model::Policy;
use crate::value::{Map, Node, Value};

/// Reads `only` or `except`.
pub(crate) fn read(scope: &Scope<'_>, map: &Map, key: &'static str) -> Option<Policy> {
    let value = present(map, key)?;
    let scope = &scope.child(key);
    match &value.node {
        Node::Seq(_) => Some(Policy { refs: refs(scope, value, "config"), ..Policy::default() }),
        Node::Map(map) => Some(detailed(scope, value, map)),
        _ => {
            scope.config(value.at, "has to be either an array of conditions or a hash");
            None
        }
    }
}

fn refs(scope: &Scope<'_>, value: &Value, key: &str) -> Option<Vec<String>> {
    let list = strings(value).filter(|list| list.iter().all(|one| is_ref(one)));
    if list.is_none() {
        let what = "should be an array of strings or regular expressions using re2 syntax";
        scope.key(key, value.at, what);
    }
    list
}

/// Tells whether text is a name, or a pattern that compiles.
fn is_ref(text: &str) -> bool {
    let pattern = text.rsplit_once("/@").map_or(text, |(pattern, _)| &text[..=pattern.len()]);
    !matches!(expression::compile(pattern), Some(Err(_)))
}

fn detailed(scope: &Scope<'_>, value: &Value, map: &Map) -> Policy {
    if map.is_empty() {
        scope.config(value.at, "can't be blank");
    }
    scope.known_keys(map, value.at, &["refs", "kubernetes", "variables", "changes"]);
    let kubernetes = present(map, "kubernetes");
    if let Some(value) = kubernetes.filter(|value| value.as_str() != Some("active")) {
        let word = value.scalar_text().unwrap_or_default();
        scope.key("kubernetes", value.at, &format!("unknown value: {word}"));
    }
    Policy {
        refs: present(map, "refs").and_then(|value| refs(scope, value, "refs")),
        variables: variables(scope, map),
        changes: scope.texts(map, "changes"),
        kubernetes: kubernetes.is_some(),
    }
}

fn variables(scope: &Scope<'_>, map: &Map) -> Option<Vec<expression::Expression>> {
    let value = present(map, "variables")?;
    let Some(items) = value.as_seq() else {
        scope.key("variables", value.at, "should be an array of strings");
        return None;
    };
    Some(items.iter().filter_map(|item| rules::condition(scope, item, "variables")).collect())
}

//! The `variables` keyword, at the top level and inside jobs.

use super::scope::{Scope, present, strings};
use crate::model::{DefaultVariable, Variable};
use crate::value::{Map, Value};

/// Reads variables with a value alone or a value and `expand`.
pub(crate) fn read(scope: &Scope<'_>, map: &Map) -> Vec<Variable> {
    entries(scope, map, &["value", "expand"])
        .into_iter()
        .map(|variable| Variable { key: variable.key, value: variable.value.unwrap_or_default(), raw: variable.raw })
        .collect()
}

/// Reads the variables of the top level.
pub(crate) fn read_defaults(scope: &Scope<'_>, map: &Map) -> Vec<DefaultVariable> {
    entries(scope, map, &["value", "description", "expand", "options"])
}

fn entries(scope: &Scope<'_>, map: &Map, allowed: &[&str]) -> Vec<DefaultVariable> {
    let Some(value) = present(map, "variables") else {
        return Vec::new();
    };
    let scope = scope.child("variables");
    let Some(map) = value.as_map() else {
        scope.config(value.at, "should be a hash of key value pairs");
        return Vec::new();
    };
    map.iter().filter_map(|(key, value)| entry(&scope, key, value, allowed)).collect()
}

fn entry(scope: &Scope<'_>, key: &str, value: &Value, allowed: &[&str]) -> Option<DefaultVariable> {
    if let Some(text) = value.scalar_text() {
        return Some(variable(key, Some(text)));
    }
    let Some(map) = value.as_map() else {
        let what = format!("variable `{key}` definition must be either a string or a hash");
        scope.config_hint(value.at, &what, "Write an empty value as \"\".");
        return None;
    };
    let unknown: Vec<&str> = map.keys().map(String::as_str).filter(|one| !allowed.contains(one)).collect();
    if !unknown.is_empty() {
        let what = format!("variable `{key}` uses invalid data keys: {}", unknown.join(", "));
        scope.config(value.at, &what);
        return None;
    }
    detailed(scope, key, value, map)
}

fn detailed(scope: &Scope<'_>, key: &str, value: &Value, map: &Map) -> Option<DefaultVariable> {
    let text = present(map, "value").map(Value::scalar_text);
    if text == Some(None) {
        scope.config(value.at, &format!("variable `{key}` value must be a scalar"));
        return None;
    }
    let mut variable = variable(key, text.flatten());
    variable.description = scope.text(map, "description");
    variable.raw = scope.flag(map, "expand") == Some(false);
    if let Some(options) = present(map, "options") {
        variable.options = strings(options).unwrap_or_default();
        let has_value = variable.value.as_ref().is_some_and(|text| variable.options.contains(text));
        if variable.options.is_empty() {
            scope.config(options.at, &format!("variable `{key}` options should be an array of strings"));
        } else if !has_value {
            scope.config(options.at, &format!("variable `{key}` value must be present in options"));
        }
    }
    Some(variable)
}

fn variable(key: &str, value: Option<String>) -> DefaultVariable {
    DefaultVariable { key: key.to_owned(), value, description: None, options: Vec::new(), raw: false }
}

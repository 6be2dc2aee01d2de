//! The `variables` keyword, at the top level and inside jobs.

use super::scope::{Scope, present};
use crate::model::{DefaultVariable, Variable};
use crate::value::{Map, Value};

/// Reads variables with a value alone or a value and `expand`.
pub(crate) fn read(scope: &Scope<'_>, map: &Map) -> Vec<Variable> {
    plain(entries(scope, map, &["value", "expand"]))
}

/// Reads variables that have a value alone.
pub(crate) fn read_plain(scope: &Scope<'_>, map: &Map) -> Vec<Variable> {
    plain(entries(scope, map, &[]))
}

fn plain(list: Vec<DefaultVariable>) -> Vec<Variable> {
    list.into_iter().map(|one| Variable { key: one.key, value: one.value.unwrap_or_default(), raw: one.raw }).collect()
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
    let place = &scope.entry(key);
    let Some(map) = value.as_map() else {
        let what = "variable definition must be either a string or a hash";
        place.bare(value.at, what, "Write an empty value as \"\".");
        return None;
    };
    let unknown: Vec<&str> = map.keys().map(String::as_str).filter(|one| !allowed.contains(one)).collect();
    if allowed.is_empty() {
        place.config(value.at, "must be a string");
    } else if !unknown.is_empty() {
        let what = format!("uses invalid data keys: {}", unknown.join(", "));
        place.config(value.at, &what);
    }
    Some(detailed(place, key, value, map))
}

fn detailed(place: &Scope<'_>, key: &str, value: &Value, map: &Map) -> DefaultVariable {
    let text = present(map, "value").map(Value::scalar_text);
    if text == Some(None) {
        place.key("value", value.at, "must be a scalar");
    }
    let mut variable = variable(key, text.flatten());
    variable.description = place.text(map, "description");
    variable.raw = place.flag(map, "expand") == Some(false);
    if let Some(options) = place.texts(map, "options") {
        let has_value = variable.value.as_ref().is_some_and(|text| options.contains(text));
        if !options.is_empty() && !has_value {
            place.config(value.at, "value must be present in options");
        }
        variable.options = options;
    }
    variable
}

fn variable(key: &str, value: Option<String>) -> DefaultVariable {
    DefaultVariable { key: key.to_owned(), value, description: None, options: Vec::new(), raw: false }
}

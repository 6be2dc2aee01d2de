//! The `rules` keyword of jobs and of `workflow`.

use super::scope::{Scope, present, strings};
use super::{misc, needs, variables};
use crate::duration;
use crate::expression::{self, Expression};
use crate::model::{AllowFailure, PathsCondition, Rule, When};
use crate::problem::At;
use crate::value::{Map, Node, Value};

const MAX_LEVEL: usize = 10;
const MAX_PATHS: usize = 50;
/// Bounds a delay to a week.
const MAX_DELAY: u64 = 7 * 24 * 3600;
const JOB_KEYS: [&str; 9] =
    ["if", "changes", "exists", "when", "start_in", "allow_failure", "variables", "needs", "interruptible"];
const WORKFLOW_KEYS: [&str; 6] = ["if", "changes", "exists", "when", "variables", "auto_cancel"];

/// Who the rules belong to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    Job,
    Workflow,
}

/// Reads `rules`: hashes, in lists up to ten deep.
pub(crate) fn read(scope: &Scope<'_>, map: &Map, owner: Owner) -> Option<Vec<Rule>> {
    let value = present(map, "rules")?;
    let mut flat = Vec::new();
    if value.as_seq().is_none() || !flatten(value, 0, &mut flat) {
        let what = "should be an array containing hashes and arrays of hashes";
        scope.key("rules", value.at, what);
        return None;
    }
    let scope = scope.child("rules").child("rule");
    Some(flat.into_iter().map(|rule| one(&scope, rule, owner)).collect())
}

fn flatten<'v>(value: &'v Value, level: usize, flat: &mut Vec<&'v Value>) -> bool {
    match &value.node {
        Node::Map(_) => {
            flat.push(value);
            true
        }
        Node::Seq(items) if level <= MAX_LEVEL => items.iter().all(|item| flatten(item, level + 1, flat)),
        _ => false,
    }
}

fn one(scope: &Scope<'_>, value: &Value, owner: Owner) -> Rule {
    let none = Map::new();
    let map = value.as_map().unwrap_or(&none);
    if map.is_empty() {
        scope.config(value.at, "can't be blank");
    }
    let known: &[&str] = match owner {
        Owner::Job => &JOB_KEYS,
        Owner::Workflow => &WORKFLOW_KEYS,
    };
    scope.known_keys(map, value.at, known);
    let when = when(scope, map, owner);
    Rule {
        at: value.at,
        condition: present(map, "if").and_then(|text| condition(scope, text, "if")),
        changes: paths(scope, map, "changes"),
        exists: paths(scope, map, "exists"),
        when,
        start_in: rule_delay(scope, map, when),
        allow_failure: allow_failure(scope, map),
        variables: variables::read_plain(scope, map),
        needs: needs::read(scope, map, false),
        interruptible: scope.flag(map, "interruptible"),
        auto_cancel: misc::auto_cancel(scope, map),
    }
}

fn when(scope: &Scope<'_>, map: &Map, owner: Owner) -> Option<When> {
    let value = present(map, "when")?;
    let word = value.scalar_text().unwrap_or_default();
    let when = When::from_word(&word).filter(|when| match owner {
        Owner::Job => true,
        Owner::Workflow => matches!(when, When::Always | When::Never),
    });
    if when.is_none() {
        scope.key("when", value.at, &format!("unknown value: {word}"));
    }
    when
}

fn allow_failure(scope: &Scope<'_>, map: &Map) -> Option<AllowFailure> {
    let tolerated = scope.flag(map, "allow_failure")?;
    Some(if tolerated { AllowFailure::Yes } else { AllowFailure::No })
}

/// Reads a condition on variables.
pub(crate) fn condition(scope: &Scope<'_>, value: &Value, key: &str) -> Option<Expression> {
    let Some(text) = value.as_str() else {
        scope.key(key, value.at, "invalid expression syntax");
        return None;
    };
    match expression::parse(text) {
        Ok(condition) => Some(condition),
        Err(error) => {
            let mut what = "invalid expression syntax".to_owned();
            if key == "if" {
                what = format!("{what}: {error}");
            }
            scope.key(key, value.at, &what);
            None
        }
    }
}

/// Reads the delay of a rule.
fn rule_delay(scope: &Scope<'_>, map: &Map, when: Option<When>) -> Option<u64> {
    let delayed = when == Some(When::Delayed);
    match present(map, "start_in") {
        Some(value) if !delayed => {
            let hint = "A delay goes with `when: delayed`.";
            scope.config_hint(value.at, "contains disallowed keys: start_in", hint);
            None
        }
        _ => start_in(scope, map, delayed),
    }
}

/// Reads the delay, which belongs to `when: delayed` alone.
pub(crate) fn start_in(scope: &Scope<'_>, map: &Map, delayed: bool) -> Option<u64> {
    let Some(value) = present(map, "start_in") else {
        if delayed {
            let at = map.get("when").map(|value| value.at).unwrap_or_default();
            scope.key("start_in", at, "should be a duration");
        }
        return None;
    };
    if !delayed {
        scope.key("start_in", value.at, "must be blank");
        return None;
    }
    let seconds = value.scalar_text().and_then(|text| duration::parse(&text));
    match seconds {
        None => scope.key("start_in", value.at, "should be a duration"),
        Some(seconds) if seconds > MAX_DELAY => {
            scope.key("start_in", value.at, "should not exceed the limit of 1 week");
        }
        Some(_) => {}
    }
    seconds
}

fn paths(scope: &Scope<'_>, map: &Map, key: &'static str) -> Option<PathsCondition> {
    let value = present(map, key)?;
    let scope = &scope.child(key);
    let condition = match &value.node {
        Node::Seq(_) => PathsCondition { paths: plain_paths(scope, value)?, ..PathsCondition::default() },
        Node::Map(map) => detailed_paths(scope, value.at, map, key)?,
        _ => {
            scope.config(value.at, "should be an array or a hash");
            return None;
        }
    };
    if condition.paths.len() > MAX_PATHS {
        let what = format!("has too many entries (maximum {MAX_PATHS})");
        scope.config(value.at, &what);
    }
    Some(condition)
}

fn plain_paths(scope: &Scope<'_>, value: &Value) -> Option<Vec<String>> {
    let list = strings(value);
    if list.is_none() {
        scope.config(value.at, "should be an array of strings");
    }
    list
}

fn detailed_paths(scope: &Scope<'_>, at: At, map: &Map, key: &str) -> Option<PathsCondition> {
    let known: &[&str] = if key == "changes" { &["paths", "compare_to"] } else { &["paths", "project", "ref"] };
    scope.known_keys(map, at, known);
    let Some(value) = present(map, "paths") else {
        scope.config(at, "missing required keys: paths");
        return None;
    };
    let Some(paths) = strings(value) else {
        scope.key("paths", value.at, "should be an array of strings");
        return None;
    };
    let condition = PathsCondition {
        paths,
        compare_to: scope.text(map, "compare_to"),
        project: scope.text(map, "project"),
        reference: scope.text(map, "ref"),
    };
    if condition.reference.is_some() && condition.project.is_none() {
        scope.key("project", at, "is required when `ref` is specified");
    }
    Some(condition)
}

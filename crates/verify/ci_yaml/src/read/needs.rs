//! The `needs` keyword.

use super::parallel;
use super::scope::{Scope, present};
use crate::model::{JobNeed, Need};
use crate::value::{Map, Node, Value};

/// Reads `needs`: a list of names and hashes, or one of either.
pub(crate) fn read(scope: &Scope<'_>, map: &Map, bridge: bool) -> Option<Vec<Need>> {
    let value = present(map, "needs")?;
    let scope = scope.child("needs");
    let items = match &value.node {
        Node::Seq(items) => items.as_slice(),
        Node::Map(_) | Node::Str(_) => std::slice::from_ref(value),
        _ => {
            scope.config(value.at, "can only be a Hash or an Array");
            return None;
        }
    };
    Some(items.iter().filter_map(|item| one(&scope, item, bridge)).collect())
}

fn one(scope: &Scope<'_>, value: &Value, bridge: bool) -> Option<Need> {
    let map = match &value.node {
        Node::Str(job) if !job.is_empty() => return Some(Need::Job(plain(job))),
        Node::Map(map) => map,
        _ => {
            scope.child("need").config(value.at, "has an unsupported type");
            return None;
        }
    };
    let scope = scope.child("need");
    if map.contains_key("project") || map.contains_key("pipeline") {
        external(&scope, value, map, bridge)
    } else {
        job(&scope, value, map)
    }
}

fn plain(job: &str) -> JobNeed {
    JobNeed { job: job.to_owned(), artifacts: true, optional: false, matrix: None }
}

fn job(scope: &Scope<'_>, value: &Value, map: &Map) -> Option<Need> {
    scope.known_keys(map, value.at, &["job", "artifacts", "optional", "parallel"]);
    let Some(name) = scope.text(map, "job").filter(|name| !name.is_empty()) else {
        if present(map, "job").is_none_or(|job| job.as_str().is_some()) {
            scope.key("job", value.at, "can't be blank");
        }
        return None;
    };
    Some(Need::Job(JobNeed {
        artifacts: scope.flag(map, "artifacts").unwrap_or(true),
        optional: scope.flag(map, "optional").unwrap_or(false),
        matrix: matrix(scope, map),
        job: name,
    }))
}

fn matrix(scope: &Scope<'_>, map: &Map) -> Option<Vec<crate::model::MatrixRow>> {
    let value = present(map, "parallel")?;
    let scope = scope.child("parallel");
    let Some(map) = value.as_map() else {
        let what = match value.as_int() {
            Some(_) => "cannot use \"parallel: <number>\".",
            None => "should be a hash",
        };
        scope.config(value.at, what);
        return None;
    };
    scope.known_keys(map, value.at, &["matrix"]);
    let matrix = present(map, "matrix")?;
    parallel::rows(&scope.child("matrix"), matrix)
}

/// Accepts a need of another project or pipeline, and keeps it as written.
fn external(scope: &Scope<'_>, value: &Value, map: &Map, bridge: bool) -> Option<Need> {
    let project = map.contains_key("project");
    let known: &[&str] =
        if project { &["project", "ref", "job", "artifacts"] } else { &["pipeline", "job", "artifacts"] };
    scope.known_keys(map, value.at, known);
    let required: &[&str] = match (project, bridge) {
        (true, _) => &["project", "ref", "job"],
        (false, true) => &["pipeline"],
        (false, false) => &["pipeline", "job"],
    };
    let mut complete = true;
    for key in required {
        if scope.text(map, key).is_none_or(|text| text.is_empty()) {
            scope.key(key, value.at, "can't be blank");
            complete = false;
        }
    }
    scope.flag(map, "artifacts");
    complete.then(|| Need::External(value.to_json()))
}

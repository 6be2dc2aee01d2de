//! The `parallel` keyword and its matrix.

use super::scope::{Scope, present};
use crate::model::{MatrixRow, Parallel};
use crate::value::{Map, Node, Value};

/// Bounds the instances of one job.
const MAX_INSTANCES: usize = 200;

/// Reads `parallel`.
pub(crate) fn read(scope: &Scope<'_>, map: &Map) -> Option<Parallel> {
    let value = present(map, "parallel")?;
    let scope = scope.child("parallel");
    match &value.node {
        Node::Int(count) => read_count(&scope, *count, value),
        Node::Map(map) => {
            scope.known_keys(map, value.at, &["matrix"]);
            let Some(matrix) = present(map, "matrix") else {
                scope.config(value.at, "missing required keys: matrix");
                return None;
            };
            rows(&scope.child("matrix"), matrix).map(Parallel::Matrix)
        }
        _ => {
            scope.bare(value.at, "should be an integer or a hash", "Write a number, or `matrix` with a list.");
            None
        }
    }
}

fn read_count(scope: &Scope<'_>, count: i64, value: &Value) -> Option<Parallel> {
    if count < 1 {
        scope.config(value.at, "must be greater than or equal to 1");
        return None;
    }
    match u32::try_from(count) {
        Ok(count) if count as usize <= MAX_INSTANCES => Some(Parallel::Count(count)),
        _ => {
            let what = format!("must be less than or equal to {MAX_INSTANCES}");
            scope.config(value.at, &what);
            None
        }
    }
}

/// Reads the rows of a matrix: each entry gives every combination of its values.
pub(crate) fn rows(scope: &Scope<'_>, value: &Value) -> Option<Vec<MatrixRow>> {
    let Some(items) = value.as_seq() else {
        scope.config(value.at, "should be an array of hashes");
        return None;
    };
    if items.is_empty() {
        scope.config(value.at, "can't be blank");
        return None;
    }
    let mut rows = Vec::new();
    for item in items {
        let Some(columns) = columns(item) else {
            let what = "should be a hash of key value pairs, value can be an array";
            scope.config(item.at, what);
            return None;
        };
        let count = columns.iter().fold(1usize, |count, (_, values)| count.saturating_mul(values.len()));
        if rows.len().saturating_add(count) > MAX_INSTANCES {
            let what = format!("generates too many jobs (maximum is {MAX_INSTANCES})");
            scope.config(value.at, &what);
            return None;
        }
        rows.extend(combine(&columns));
    }
    Some(rows)
}

/// Bounds the variables of one entry of a matrix.
const MAX_COLUMNS: usize = 100;

type Columns = Vec<(String, Vec<String>)>;

fn columns(item: &Value) -> Option<Columns> {
    let map = item.as_map().filter(|map| (1..=MAX_COLUMNS).contains(&map.len()))?;
    map.iter()
        .map(|(key, value)| {
            let values: Vec<String> = match &value.node {
                Node::Seq(items) => items.iter().map(Value::scalar_text).collect::<Option<_>>()?,
                _ => vec![value.scalar_text()?],
            };
            (!values.is_empty()).then(|| (key.clone(), values))
        })
        .collect()
}

fn combine(columns: &Columns) -> Vec<MatrixRow> {
    let mut rows: Vec<MatrixRow> = vec![Vec::new()];
    for (key, values) in columns {
        rows = rows
            .iter()
            .flat_map(|row| {
                values.iter().map(|value| {
                    let mut row = row.clone();
                    row.push((key.clone(), value.clone()));
                    row
                })
            })
            .collect();
    }
    rows
}

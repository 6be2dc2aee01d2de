//! Scripts: a string, or strings in lists up to ten deep.

use super::scope::{Scope, present};
use crate::value::{Map, Node, Value};

const MAX_LEVEL: usize = 10;

/// Reads a list of commands.
pub(crate) fn read(scope: &Scope<'_>, map: &Map, key: &'static str) -> Option<Vec<String>> {
    let value = present(map, key)?;
    let mut lines = Vec::new();
    match flatten(value, 0, &mut lines) {
        Ok(()) => Some(lines),
        Err(wrong) => {
            let what = format!("should be a string or a nested array of strings up to {MAX_LEVEL} levels deep");
            let scope = scope.child(key);
            match hint(wrong) {
                Some(hint) => scope.config_hint(wrong.at, &what, hint),
                None => scope.config(wrong.at, &what),
            }
            None
        }
    }
}

fn flatten<'v>(value: &'v Value, level: usize, lines: &mut Vec<String>) -> Result<(), &'v Value> {
    match &value.node {
        Node::Str(line) => lines.push(line.clone()),
        Node::Seq(items) if level < MAX_LEVEL => {
            for item in items {
                flatten(item, level + 1, lines)?;
            }
        }
        _ => return Err(value),
    }
    Ok(())
}

fn hint(value: &Value) -> Option<&'static str> {
    match value.node {
        Node::Map(_) => Some("Put a command that holds a colon and a space in quotes."),
        Node::Bool(_) | Node::Int(_) | Node::Float(_) => Some("Put the command in quotes."),
        Node::Null => Some("Remove the empty line of the list."),
        _ => None,
    }
}

//! The document as a tree that knows its lines.

use indexmap::IndexMap;
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::Value as Json;

use crate::problem::At;
use crate::scalar;

/// The entries of a mapping in the order of the file.
pub type Map = IndexMap<String, Value>;

/// A value and the place where it stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Value {
    /// Marks the line; for an entry of a mapping, the line of its key.
    pub at: At,
    /// Holds the value itself.
    pub node: Node,
}

/// The kinds of value a document holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Node {
    /// Nothing.
    #[default]
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// Text.
    Str(String),
    /// A list.
    Seq(Vec<Value>),
    /// A mapping.
    Map(Map),
    /// A `!reference` that is not resolved yet.
    Reference(Vec<String>),
}

impl Value {
    /// Joins a value and its place.
    pub(crate) fn new(at: At, node: Node) -> Self {
        Self { at, node }
    }

    /// Tells whether there is nothing.
    pub fn is_null(&self) -> bool {
        matches!(self.node, Node::Null)
    }

    /// Gives the text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.node {
            Node::Str(text) => Some(text),
            _ => None,
        }
    }

    /// Gives a whole number.
    pub fn as_int(&self) -> Option<i64> {
        match self.node {
            Node::Int(number) => Some(number),
            _ => None,
        }
    }

    /// Gives a truth value.
    pub fn as_bool(&self) -> Option<bool> {
        match self.node {
            Node::Bool(truth) => Some(truth),
            _ => None,
        }
    }

    /// Gives the entries of a mapping.
    pub fn as_map(&self) -> Option<&Map> {
        match &self.node {
            Node::Map(map) => Some(map),
            _ => None,
        }
    }

    /// Gives the items of a list.
    pub fn as_seq(&self) -> Option<&[Value]> {
        match &self.node {
            Node::Seq(items) => Some(items),
            _ => None,
        }
    }

    /// Gives the entry of a mapping, unless it is null.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_map()?.get(key).filter(|value| !value.is_null())
    }

    /// Writes a scalar the way Ruby prints it.
    pub(crate) fn scalar_text(&self) -> Option<String> {
        Some(match &self.node {
            Node::Bool(truth) => truth.to_string(),
            Node::Int(number) => number.to_string(),
            Node::Float(number) => float_text(*number),
            Node::Str(text) => text.clone(),
            Node::Null | Node::Seq(_) | Node::Map(_) | Node::Reference(_) => return None,
        })
    }

    /// Turns the tree into JSON and forgets the lines.
    pub fn to_json(&self) -> Json {
        match &self.node {
            Node::Null => Json::Null,
            Node::Bool(truth) => Json::Bool(*truth),
            Node::Int(number) => Json::from(*number),
            Node::Float(number) => Json::from(*number),
            Node::Str(text) => Json::String(text.clone()),
            Node::Seq(items) => items.iter().map(Value::to_json).collect(),
            Node::Map(map) => Json::Object(map.iter().map(|(key, value)| (key.clone(), value.to_json())).collect()),
            Node::Reference(path) => path.iter().map(|key| Json::String(key.clone())).collect(),
        }
    }

    /// Lays another tree over this one: mappings merge, all else is replaced.
    pub(crate) fn merge(&mut self, over: Value) {
        let Value { at, node } = over;
        match (&mut self.node, node) {
            (Node::Map(base), Node::Map(over)) => {
                merge_maps(base, over);
                self.at = at;
            }
            (_, node) => *self = Value { at, node },
        }
    }

    /// Counts the values of the tree.
    pub(crate) fn weight(&self) -> usize {
        match &self.node {
            Node::Str(text) => 1 + text.len() / 32,
            Node::Seq(items) => 1 + items.iter().map(Value::weight).sum::<usize>(),
            Node::Map(map) => 1 + map.iter().map(|(key, value)| 1 + key.len() / 32 + value.weight()).sum::<usize>(),
            _ => 1,
        }
    }
}

/// Lays the entries of one mapping over another.
pub(crate) fn merge_maps(base: &mut Map, over: Map) {
    for (key, value) in over {
        match base.get_mut(&key) {
            Some(present) => present.merge(value),
            None => {
                base.insert(key, value);
            }
        }
    }
}

/// Writes a float with at least one digit after the point, as Ruby does.
fn float_text(number: f64) -> String {
    if number.is_nan() {
        "NaN".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned()
    } else {
        format!("{number:?}")
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match &self.node {
            Node::Null => to.serialize_unit(),
            Node::Bool(truth) => to.serialize_bool(*truth),
            Node::Int(number) => to.serialize_i64(*number),
            Node::Float(number) => to.serialize_f64(*number),
            Node::Str(text) => Text(text).serialize(to),
            Node::Seq(items) => {
                let mut list = to.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(item)?;
                }
                list.end()
            }
            Node::Map(entries) => {
                let mut map = to.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    map.serialize_entry(&Text(key), value)?;
                }
                map.end()
            }
            Node::Reference(path) => path.serialize(to),
        }
    }
}

/// Text that must come back as text: what looks like something else is quoted.
struct Text<'a>(&'a str);

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let is_plain = matches!(scalar::resolve(self.0), Node::Str(_)) && !scalar::is_date(self.0) && self.0 != "<<";
        if is_plain { to.serialize_str(self.0) } else { serde_saphyr::DoubleQuoted(self.0).serialize(to) }
    }
}

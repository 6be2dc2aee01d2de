//! The `spec:inputs` header and the `$[[ inputs.name ]]` it provides.

use crate::expression;
use crate::load::Budget;
use crate::problem::{At, Problem};
use crate::value::{Map, Node, Value};

/// Bounds the functions of one block.
const MAX_FUNCTIONS: usize = 3;

/// Splits a file into header and content, and puts the inputs into the content.
pub(crate) fn apply(
    documents: Vec<Value>,
    given: &Map,
    file: u16,
    budget: &mut Budget,
) -> Result<Option<Value>, Problem> {
    let mut documents = documents.into_iter();
    let first = documents.next();
    let spec = first.as_ref().and_then(|value| value.as_map()?.get("spec")).cloned();
    let Some(spec) = spec else {
        return match given.first() {
            Some((name, value)) => Err(Problem::new(format!("unknown input arguments: {name}"))
                .at(value.at)
                .keyword("include")
                .hint("The included file has no `spec:inputs` header.")),
            None => Ok(first.or(Some(empty(file)))),
        };
    };
    let values = resolve(&spec, given)?;
    let Some(content) = documents.next() else {
        return Ok(Some(empty(file)));
    };
    let mut interpolation = Interpolation { values, budget };
    interpolation.value(&content).map(Some)
}

fn empty(file: u16) -> Value {
    Value::new(At { file, line: 1 }, Node::Map(Map::new()))
}

fn fault(at: At, message: String) -> Problem {
    Problem::new(message).at(at).keyword("spec")
}

/// Settles the value of every input.
fn resolve(spec: &Value, given: &Map) -> Result<Map, Problem> {
    let none = Map::new();
    let declared = match spec.get("inputs") {
        Some(inputs) => {
            inputs.as_map().ok_or_else(|| fault(inputs.at, "spec:inputs config should be a hash".to_owned()))?
        }
        None => &none,
    };
    if let Some((name, value)) = given.iter().find(|(name, _)| !declared.contains_key(*name)) {
        return Err(fault(value.at, format!("unknown input arguments: {name}")));
    }
    declared.iter().map(|(name, definition)| Ok((name.clone(), input(name, definition, given)?))).collect()
}

fn input(name: &str, definition: &Value, given: &Map) -> Result<Value, Problem> {
    let known = ["default", "description", "options", "regex", "type", "rules"];
    let unknown = definition.as_map().and_then(|map| map.keys().find(|key| !known.contains(&key.as_str())));
    if let Some(key) = unknown {
        let message = format!("header:spec:inputs:{name} config contains unknown keys: {key}");
        return Err(fault(definition.at, message));
    }
    let (value, which) = match (given.get(name), definition.as_map().and_then(|map| map.get("default"))) {
        (Some(value), _) => (value, "provided"),
        (None, Some(value)) => (value, "default"),
        (None, None) => {
            let message = format!("`{name}` input: required value has not been provided");
            return Err(fault(definition.at, message));
        }
    };
    check(name, definition, value, which)?;
    Ok(value.clone())
}

fn check(name: &str, definition: &Value, value: &Value, which: &str) -> Result<(), Problem> {
    let kind = definition.get("type").and_then(Value::as_str).unwrap_or("string");
    let fits = match kind {
        "string" => matches!(value.node, Node::Str(_) | Node::Null),
        "number" => matches!(value.node, Node::Int(_) | Node::Float(_)),
        "boolean" => matches!(value.node, Node::Bool(_)),
        "array" => matches!(value.node, Node::Seq(_)),
        other => {
            let message = format!("header:spec:inputs:{name} type unknown value: {other}");
            return Err(fault(definition.at, message));
        }
    };
    let article = if kind == "array" { "an" } else { "a" };
    if !fits {
        let message = format!("`{name}` input: {which} value is not {article} {kind}");
        return Err(fault(value.at, message));
    }
    check_options(name, definition, value)?;
    check_pattern(name, definition, value, which)
}

fn check_options(name: &str, definition: &Value, value: &Value) -> Result<(), Problem> {
    let Some(options) = definition.get("options").and_then(Value::as_seq) else {
        return Ok(());
    };
    if options.iter().any(|option| option.node == value.node) {
        return Ok(());
    }
    let shown = value.scalar_text().unwrap_or_default();
    let message = format!("`{name}` input: `{shown}` cannot be used because it is not in the list of allowed options");
    Err(fault(value.at, message))
}

fn check_pattern(name: &str, definition: &Value, value: &Value, which: &str) -> Result<(), Problem> {
    let Some(pattern) = definition.get("regex").and_then(Value::as_str) else {
        return Ok(());
    };
    let spelled = format!("/{}/", pattern.replace('/', "\\/"));
    let fits = match expression::compile(&spelled) {
        Some(Ok(regex)) => value.as_str().is_some_and(|text| regex.is_match(text)),
        _ => false,
    };
    if fits {
        return Ok(());
    }
    let message = format!("`{name}` input: {which} value does not match required RegEx pattern");
    Err(fault(value.at, message))
}

struct Interpolation<'a> {
    values: Map,
    budget: &'a mut Budget,
}

impl Interpolation<'_> {
    fn value(&mut self, value: &Value) -> Result<Value, Problem> {
        let node = match &value.node {
            Node::Str(text) => self.text(text, value.at)?,
            Node::Seq(items) => Node::Seq(items.iter().map(|item| self.value(item)).collect::<Result<_, _>>()?),
            Node::Map(map) => Node::Map(self.map(map)?),
            other => other.clone(),
        };
        Ok(Value::new(value.at, node))
    }

    fn map(&mut self, map: &Map) -> Result<Map, Problem> {
        map.iter()
            .map(|(key, value)| {
                let name = Value::new(value.at, self.text(key, value.at)?);
                let name = name.scalar_text().unwrap_or_else(|| key.clone());
                Ok((name, self.value(value)?))
            })
            .collect()
    }

    /// Fills the blocks of a text. A text that is one block takes the value as it is.
    fn text(&mut self, text: &str, at: At) -> Result<Node, Problem> {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("$[[") {
            let Some((block, tail)) = after.split_once("]]") else {
                break;
            };
            out.push_str(before);
            match self.block(block.trim(), at)? {
                None => out.push_str(&format!("$[[{block}]]")),
                Some(value) => {
                    self.budget.spend(value.weight(), at)?;
                    if out.is_empty() && tail.is_empty() && rest.len() == text.len() {
                        return Ok(value.node);
                    }
                    out.push_str(&shown(&value));
                }
            }
            rest = tail;
        }
        out.push_str(rest);
        Ok(Node::Str(out))
    }

    /// Evaluates a block; other kinds than inputs are left for later.
    fn block(&self, block: &str, at: At) -> Result<Option<Value>, Problem> {
        let mut parts = block.split('|').map(str::trim);
        let Some(name) = parts.next().and_then(|path| path.strip_prefix("inputs.")) else {
            return Ok(None);
        };
        let found = self
            .values
            .get(name)
            .cloned()
            .ok_or_else(|| fault(at, format!("unknown interpolation provided: `{name}` in `inputs.{name}`")))?;
        let functions: Vec<&str> = parts.collect();
        if functions.len() > MAX_FUNCTIONS {
            return Err(fault(at, "too many functions in interpolation block".to_owned()));
        }
        functions.into_iter().try_fold(found, |value, function| call(function, value, at)).map(Some)
    }
}

fn shown(value: &Value) -> String {
    match value.node {
        Node::Null => String::new(),
        _ => value.scalar_text().unwrap_or_else(|| value.to_json().to_string()),
    }
}

/// Applies a function. `expand_vars` changes nothing here: the variables are
/// expanded wherever the text is used.
fn call(function: &str, value: Value, at: At) -> Result<Value, Problem> {
    let Some(text) = value.as_str() else {
        return Err(fault(at, format!("invalid input type for `{function}`: it takes a string")));
    };
    let changed = match function {
        "expand_vars" => return Ok(value),
        "posix_escape" => escape(text),
        _ => truncate(function, text).ok_or_else(|| {
            fault(
                at,
                format!(
                    "no function matching `{function}`: check that the function name, arguments, and types are correct"
                ),
            )
        })?,
    };
    Ok(Value::new(value.at, Node::Str(changed)))
}

fn truncate(function: &str, text: &str) -> Option<String> {
    let arguments = function.strip_prefix("truncate(")?.strip_suffix(')')?;
    let (offset, length) = arguments.split_once(',')?;
    let (offset, length) = (offset.trim().parse().ok()?, length.trim().parse().ok()?);
    Some(text.chars().skip(offset).take(length).collect())
}

/// Puts a backslash before each character a shell would act on.
fn escape(text: &str) -> String {
    if text.is_empty() {
        return "''".to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '\n' {
            out.push_str("'\n'");
            continue;
        }
        if !c.is_alphanumeric() && !"_-.,:+/@".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

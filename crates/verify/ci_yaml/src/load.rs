//! Reads YAML into a tree, within bounds, the way Ruby's reader does.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};

use crate::problem::{At, Problem};
use crate::scalar;
use crate::value::{Map, Node, Value};

/// Bounds the size of one file.
pub(crate) const MAX_SIZE: usize = 2 * 1024 * 1024;
/// Bounds how deep lists and mappings nest.
const MAX_DEPTH: usize = 100;

/// Bounds the values a configuration may come to, aliases and includes counted.
pub(crate) struct Budget {
    left: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { left: 200_000 }
    }
}

impl Budget {
    /// Takes from what is left.
    pub(crate) fn spend(&mut self, weight: usize, at: At) -> Result<(), Problem> {
        self.left = self.left.checked_sub(weight).ok_or_else(|| {
            Problem::new("The parsed YAML is too big").at(at).hint("Use fewer aliases and references to large blocks.")
        })?;
        Ok(())
    }
}

/// Reads all documents of a file.
pub(crate) fn load(text: &str, file: u16, budget: &mut Budget) -> Result<Vec<Value>, Problem> {
    if text.len() > MAX_SIZE {
        return Err(Problem::new("The YAML file is too big").hint("The limit is 2 MiB."));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut options = granit_parser::Options::default();
    options.set_emit_comments(false);
    let mut loader =
        Loader { events: Parser::new_from_str_with_options(text, options), anchors: HashMap::new(), file, budget };
    loader.documents()
}

struct Loader<'a, 'b> {
    events: Parser<'a, StrInput<'a>>,
    anchors: HashMap<usize, Value>,
    file: u16,
    budget: &'b mut Budget,
}

impl<'a> Loader<'a, '_> {
    fn documents(&mut self) -> Result<Vec<Value>, Problem> {
        let mut documents = Vec::new();
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(documents),
                Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
                event => documents.push(self.value(event, span, 0)?),
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'a>, Span), Problem> {
        match self.events.next_event() {
            Some(Ok(found)) => Ok(found),
            Some(Err(error)) => Err(self.syntax(&error)),
            None => Err(Problem::new("Invalid configuration format").hint("The file ends too soon.")),
        }
    }

    fn syntax(&self, error: &ScanError) -> Problem {
        let at = self.at(error.marker().line());
        let column = error.marker().col() + 1;
        let what = error.info();
        Problem::new(format!("(<unknown>): {what} at line {} column {column}", at.line)).at(at)
    }

    fn at(&self, line: usize) -> At {
        At { file: self.file, line: u32::try_from(line).unwrap_or(u32::MAX) }
    }

    fn value(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Value, Problem> {
        let at = self.at(span.start.line());
        if depth > MAX_DEPTH {
            return Err(Problem::new("The parsed YAML is too deep").at(at));
        }
        self.budget.spend(1, at)?;
        let (anchor, node) = match event {
            Event::Scalar(text, style, anchor, tag) => (anchor, self.scalar(&text, style, tag.as_deref(), at)?),
            Event::SequenceStart(_, anchor, tag) => (anchor, self.sequence(tag.as_deref(), at, depth)?),
            Event::MappingStart(_, anchor, tag) => {
                refuse_tag(tag.as_deref(), at)?;
                (anchor, Node::Map(self.mapping(depth)?))
            }
            Event::Alias(anchor) => return self.alias(anchor, at),
            _ => return Err(Problem::new("Invalid configuration format").at(at)),
        };
        let value = Value::new(at, node);
        if anchor > 0 {
            self.budget.spend(value.weight(), at)?;
            self.anchors.insert(anchor, value.clone());
        }
        Ok(value)
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>, at: At) -> Result<Node, Problem> {
        self.budget.spend(text.len() / 32, at)?;
        if tag.is_some_and(|tag| tag.is_yaml_core_schema_tag("str")) {
            return Ok(Node::Str(text.to_owned()));
        }
        refuse_tag(tag, at)?;
        if style != ScalarStyle::Plain {
            return Ok(Node::Str(text.to_owned()));
        }
        if scalar::is_date(text) {
            return Err(Problem::new("Tried to load unspecified class: Date")
                .at(at)
                .hint(format!("Put the date in quotes: \"{text}\".")));
        }
        Ok(scalar::resolve(text))
    }

    fn sequence(&mut self, tag: Option<&Tag>, at: At, depth: usize) -> Result<Node, Problem> {
        let is_reference = tag.is_some_and(|tag| tag.original() == "!reference");
        if !is_reference {
            refuse_tag(tag, at)?;
        }
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                break;
            }
            items.push(self.value(event, span, depth + 1)?);
        }
        if is_reference { reference(&items, at) } else { Ok(Node::Seq(items)) }
    }

    /// Reads a mapping. A key given twice keeps its first place and its last
    /// value; `<<` takes effect where it stands, as in Ruby.
    fn mapping(&mut self, depth: usize) -> Result<Map, Problem> {
        let mut map = Map::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                return Ok(map);
            }
            let merge = matches!(&event, Event::Scalar(text, ScalarStyle::Plain, ..) if text == "<<");
            let key = self.value(event, span, depth + 1)?;
            let (event, span) = self.next()?;
            let value = self.value(event, span, depth + 1)?;
            if merge {
                merge_into(&mut map, value)?;
            } else {
                map.insert(key_text(&key)?, Value::new(key.at, value.node));
            }
        }
    }

    fn alias(&mut self, anchor: usize, at: At) -> Result<Value, Problem> {
        let Some(target) = self.anchors.get(&anchor) else {
            return Err(Problem::new("Invalid configuration format")
                .at(at)
                .hint("The alias stands inside the value it names."));
        };
        self.budget.spend(target.weight(), at)?;
        Ok(target.clone())
    }
}

/// Lays the mapping or mappings behind `<<` into a mapping.
fn merge_into(map: &mut Map, value: Value) -> Result<(), Problem> {
    let at = value.at;
    match value.node {
        Node::Map(entries) => map.extend(entries),
        Node::Seq(items) => {
            for item in items.into_iter().rev() {
                for (key, value) in mapping_of(item, at)? {
                    map.entry(key).or_insert(value);
                }
            }
        }
        Node::Null => {}
        _ => return Err(merge_problem(at)),
    }
    Ok(())
}

fn mapping_of(value: Value, at: At) -> Result<Map, Problem> {
    match value.node {
        Node::Map(entries) => Ok(entries),
        _ => Err(merge_problem(at)),
    }
}

fn merge_problem(at: At) -> Problem {
    Problem::new("Invalid configuration format")
        .at(at)
        .hint("The merge key `<<` takes a mapping or a list of mappings.")
}

fn key_text(key: &Value) -> Result<String, Problem> {
    match &key.node {
        Node::Null => Ok(String::new()),
        _ => key.scalar_text().ok_or_else(|| {
            Problem::new("Invalid configuration format").at(key.at).hint("The key of a mapping must be plain text.")
        }),
    }
}

fn reference(items: &[Value], at: At) -> Result<Node, Problem> {
    let keys: Option<Vec<String>> = items.iter().map(Value::scalar_text).collect();
    match keys {
        Some(keys) if !keys.is_empty() => Ok(Node::Reference(keys)),
        _ => Err(Problem::new("!reference is not valid")
            .at(at)
            .keyword("!reference")
            .hint("Name the job and the keyword: !reference [job, script].")),
    }
}

/// Refuses tags other than the types of YAML itself.
fn refuse_tag(tag: Option<&Tag>, at: At) -> Result<(), Problem> {
    match tag {
        Some(tag) if tag.original() == "!reference" => Err(Problem::new("!reference is not valid")
            .at(at)
            .keyword("!reference")
            .hint("Write a list: !reference [job, script].")),
        Some(tag) if !tag.is_yaml_core_schema() && tag.original() != "!" => {
            Err(Problem::new(format!("Unknown YAML tag: {}", tag.original())).at(at))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;

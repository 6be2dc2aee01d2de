//! Expansion of `$VAR`, `${VAR}` and `%VAR%` inside text and inside variables.

use std::collections::HashMap;

/// Bounds the length of expanded text.
const MAX_LENGTH: usize = 1 << 20;

/// A variable that takes part in expansion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Holds the value.
    pub value: String,
    /// Tells whether references inside the value stay as they are.
    pub raw: bool,
}

/// Variables by name; a later one of the same name replaces the earlier.
#[derive(Clone, Debug, Default)]
pub struct Variables {
    entries: HashMap<String, Entry>,
}

impl Variables {
    /// Sets a variable.
    pub fn set(&mut self, key: &str, value: &str, raw: bool) {
        let entry = Entry { value: value.to_owned(), raw };
        self.entries.insert(key.to_owned(), entry);
    }

    /// Gives the value as it was set.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.entries.get(key).map(|entry| entry.value.as_str())
    }

    /// Gives the value with the references inside it expanded.
    pub fn expanded(&self, key: &str) -> Option<String> {
        Layers(&[self]).expanded(key)
    }

    /// Expands text, and the variables in it. Unknown names give nothing; a
    /// reference that leads back to itself stays as written.
    pub fn expand(&self, text: &str) -> String {
        Layers(&[self]).expand(text)
    }
}

/// Sets of variables of different rank, the highest first.
#[derive(Clone, Copy, Debug)]
pub struct Layers<'a>(pub &'a [&'a Variables]);

impl Layers<'_> {
    fn entry(&self, key: &str) -> Option<&Entry> {
        self.0.iter().find_map(|layer| layer.entries.get(key))
    }

    /// Gives the value with the references inside it expanded.
    pub fn expanded(&self, key: &str) -> Option<String> {
        let entry = self.entry(key)?;
        if entry.raw || !has_reference(&entry.value) {
            return Some(entry.value.clone());
        }
        let mut path = vec![key.to_owned()];
        Some(Expansion::new(self).text(&entry.value, &mut path))
    }

    /// Expands text, and the variables in it.
    pub fn expand(&self, text: &str) -> String {
        if !has_reference(text) {
            return text.to_owned();
        }
        Expansion::new(self).text(text, &mut Vec::new())
    }

    /// Expands text like [`Layers::expand`], but leaves unknown names as they stand.
    pub fn expand_existing(&self, text: &str) -> String {
        let mut out = String::new();
        for piece in pieces(text) {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Name { name, source } => {
                    let value = self.expanded(name);
                    out.push_str(value.as_deref().unwrap_or(source));
                }
            }
            if out.len() > MAX_LENGTH {
                break;
            }
        }
        out
    }
}

/// Expands text once: the values put in are not looked at again.
pub fn expand(text: &str, lookup: &dyn Fn(&str) -> Option<String>) -> String {
    let mut out = String::new();
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Name { name, .. } => out.push_str(&lookup(name).unwrap_or_default()),
        }
    }
    out
}

/// Tells whether text holds something to expand.
pub fn has_reference(text: &str) -> bool {
    text.contains(['$', '%'])
}

struct Expansion<'a> {
    variables: &'a Layers<'a>,
    room: usize,
}

impl<'a> Expansion<'a> {
    fn new(variables: &'a Layers<'a>) -> Self {
        Self { variables, room: MAX_LENGTH }
    }

    fn text(&mut self, text: &str, path: &mut Vec<String>) -> String {
        let mut out = String::new();
        for piece in pieces(text) {
            // Each step costs something, or variables without text could double for ever.
            let Some(room) = self.room.checked_sub(1) else {
                break;
            };
            self.room = room;
            let part = match piece {
                Piece::Text(text) => text.to_owned(),
                Piece::Name { name, source } if path.len() > 50 || path.iter().any(|seen| seen == name) => {
                    source.to_owned()
                }
                Piece::Name { name, .. } => self.value(name, path),
            };
            if part.len() > self.room {
                self.room = 0;
                break;
            }
            self.room -= part.len();
            out.push_str(&part);
        }
        out
    }

    fn value(&mut self, name: &str, path: &mut Vec<String>) -> String {
        let Some(entry) = self.variables.entry(name) else {
            return String::new();
        };
        if entry.raw || !has_reference(&entry.value) {
            return entry.value.clone();
        }
        path.push(name.to_owned());
        let value = self.text(&entry.value, path);
        path.pop();
        value
    }
}

/// A stretch of text, or a reference to a variable.
enum Piece<'a> {
    Text(&'a str),
    Name { name: &'a str, source: &'a str },
}

/// Splits text into stretches and references. `$$` stays as it is.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let (mut start, mut at) = (0, 0);
    while let Some(offset) = text[at..].find(['$', '%']) {
        at += offset;
        if text[at..].starts_with("$$") {
            at += 2;
        } else if let Some((name, length)) = reference(&text[at..]) {
            found.push(Piece::Text(&text[start..at]));
            let source = &text[at..at + length];
            found.push(Piece::Name { name, source });
            at += length;
            start = at;
        } else {
            at += 1;
        }
    }
    found.push(Piece::Text(&text[start..]));
    found
}

/// Reads the reference the text starts with: its name and length.
fn reference(text: &str) -> Option<(&str, usize)> {
    let (open, close) = if text.starts_with("${") {
        (2, "}")
    } else if text.starts_with('$') {
        (1, "")
    } else {
        (1, "%")
    };
    let inner = &text[open..];
    let end = inner.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(inner.len());
    let name = &inner[..end];
    let closed = inner[end..].starts_with(close);
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    (closed && starts_well).then_some((name, open + end + close.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables() -> Variables {
        let mut variables = Variables::default();
        for (key, value) in
            [("A", "1"), ("B", "$A-2"), ("C", "${B}-3"), ("LOOP", "x$POOL"), ("POOL", "y$LOOP"), ("SELF", "$SELF:more")]
        {
            variables.set(key, value, false);
        }
        variables.set("RAW", "$A", true);
        variables
    }

    #[test]
    fn references_are_expanded() {
        let cases = [
            ("$A", "1"),
            ("${A}b", "1b"),
            ("%A%", "1"),
            ("$C", "1-2-3"),
            ("$RAW", "$A"),
            ("[$NONE]", "[]"),
            ("$$A", "$$A"),
            ("100%", "100%"),
            ("50% of $A%", "50% of 1%"),
            ("${A", "${A"),
            ("$-$1", "$-$1"),
            ("$LOOP", "xy$LOOP"),
            ("$SELF", "$SELF:more"),
            ("é$A", "é1"),
        ];
        for (text, wanted) in cases {
            assert_eq!(variables().expand(text), wanted, "{text}");
        }
        assert_eq!(variables().expanded("LOOP").unwrap(), "xy$LOOP");
    }

    #[test]
    fn unknown_names_can_stay() {
        let variables = variables();
        assert_eq!(Layers(&[&variables]).expand_existing("$B/$NONE/${NONE}"), "1-2/$NONE/${NONE}");
    }

    #[test]
    fn one_pass_leaves_values_alone() {
        let lookup = |name: &str| (name == "A").then(|| "$B".to_owned());
        assert_eq!(expand("$A ${B}", &lookup), "$B ");
    }

    #[test]
    fn growth_is_bounded() {
        let mut variables = Variables::default();
        variables.set("V0", &"x".repeat(1000), false);
        for index in 1..40 {
            let value = format!("$V{0}$V{0}", index - 1);
            variables.set(&format!("V{index}"), &value, false);
        }
        assert!(variables.expand("$V39").len() <= MAX_LENGTH);
    }
}

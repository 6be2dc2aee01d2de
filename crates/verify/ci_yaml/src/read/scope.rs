//! Names places in messages and collects what is wrong.

use std::borrow::Cow;
use std::cell::RefCell;

use crate::duration;
use crate::problem::{At, Problem};
use crate::value::{Map, Node, Value};

/// Bounds the problems kept; more would not help anyone.
const MAX_PROBLEMS: usize = 100;

/// Collects problems and warnings.
#[derive(Default)]
pub(crate) struct Report {
    problems: RefCell<Vec<Problem>>,
    warnings: RefCell<Vec<Problem>>,
}

impl Report {
    /// Adds a problem.
    pub(crate) fn refuse(&self, problem: Problem) {
        push(&self.problems, problem);
    }

    /// Adds a warning.
    pub(crate) fn warn(&self, problem: Problem) {
        push(&self.warnings, problem);
    }

    /// Tells whether nothing is wrong.
    pub(crate) fn is_clean(&self) -> bool {
        self.problems.borrow().is_empty()
    }

    /// Gives the problems and the warnings.
    pub(crate) fn finish(self, files: &[String]) -> (Vec<Problem>, Vec<Problem>) {
        let named = |list: RefCell<Vec<Problem>>| {
            let list = list.into_inner();
            list.into_iter().map(|one| one.named(files)).collect()
        };
        (named(self.problems), named(self.warnings))
    }
}

fn push(list: &RefCell<Vec<Problem>>, problem: Problem) {
    let mut list = list.borrow_mut();
    let known = list.iter().any(|other| other.message == problem.message);
    if list.len() < MAX_PROBLEMS && !known {
        list.push(problem);
    }
}

/// A place in the configuration, such as `jobs:build:artifacts`.
#[derive(Clone)]
pub(crate) struct Scope<'a> {
    report: &'a Report,
    job: Option<&'a str>,
    start: String,
    path: Vec<Cow<'static, str>>,
}

impl<'a> Scope<'a> {
    /// Starts at a keyword of the top level; empty text means the top itself.
    pub(crate) fn top(report: &'a Report, start: &str) -> Self {
        Self { report, job: None, start: start.to_owned(), path: Vec::new() }
    }

    /// Starts at a job.
    pub(crate) fn job(report: &'a Report, name: &'a str) -> Self {
        Self { report, job: Some(name), start: format!("jobs:{name}"), path: Vec::new() }
    }

    /// Goes into a keyword.
    pub(crate) fn child(&self, key: &'static str) -> Self {
        let mut child = self.clone();
        child.path.push(Cow::Borrowed(key));
        child
    }

    /// Goes to an entry whose name the file chooses.
    pub(crate) fn entry(&self, name: &str) -> Self {
        let mut child = self.clone();
        child.path.push(Cow::Owned(name.to_owned()));
        child
    }

    /// Refuses the place itself without the word `config`.
    pub(crate) fn bare(&self, at: At, what: &str, hint: &str) {
        self.add(self.problem("", what, at).hint(hint));
    }

    /// Tells whether the place is the value of a keyword.
    pub(crate) fn is_in(&self, key: &str) -> bool {
        self.path.last().is_some_and(|last| last == key)
    }

    /// Refuses the value of the place itself: `jobs:build:script config …`.
    pub(crate) fn config(&self, at: At, what: &str) {
        self.add(self.problem("config", what, at));
    }

    /// Refuses the value of the place itself and says what would help.
    pub(crate) fn config_hint(&self, at: At, what: &str, hint: &str) {
        self.add(self.problem("config", what, at).hint(hint));
    }

    /// Refuses a keyword of the place: `jobs:build when …`.
    pub(crate) fn key(&self, key: &str, at: At, what: &str) {
        let mut problem = self.problem(&key.replace('_', " "), what, at);
        if self.path.is_empty() {
            problem = problem.keyword(key);
        }
        self.add(problem);
    }

    fn add(&self, problem: Problem) {
        self.report.refuse(problem);
    }

    /// Adds a warning about this place.
    pub(crate) fn warn(&self, what: &str, at: At) {
        let mut problem = Problem::new(format!("{} {what}", self.start)).at(at);
        problem.job = self.job.map(str::to_owned);
        self.report.warn(problem);
    }

    fn problem(&self, subject: &str, what: &str, at: At) -> Problem {
        let place = std::iter::once(self.start.as_str())
            .chain(self.path.iter().map(Cow::as_ref))
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(":");
        let mut problem = Problem::new(words([&place, subject, what])).at(at);
        problem.job = self.job.map(str::to_owned);
        problem.keyword = match (self.path.first(), self.job) {
            (Some(key), _) => Some(key.as_ref().into()),
            (None, None) if !self.start.is_empty() => Some(self.start.as_str().into()),
            (None, _) => None,
        };
        problem
    }

    /// Refuses keys that are not known, with the likeliest spelling as a hint.
    pub(crate) fn known_keys(&self, map: &Map, at: At, known: &[&str]) {
        let unknown: Vec<(&String, &Value)> = map.iter().filter(|(key, _)| !known.contains(&key.as_str())).collect();
        let Some((first, value)) = unknown.first() else {
            return;
        };
        let names: Vec<&str> = unknown.iter().map(|(key, _)| key.as_str()).collect();
        let what = format!("contains unknown keys: {}", names.join(", "));
        let place = if value.at.line > 0 { value.at } else { at };
        let mut problem = self.problem("config", &what, place);
        problem.keyword.get_or_insert_with(|| first.as_str().into());
        if let Some(near) = nearest(first, known) {
            problem = problem.hint(format!("Did you mean `{near}`?"));
        }
        self.add(problem);
    }

    /// Reads a string.
    pub(crate) fn text(&self, map: &Map, key: &str) -> Option<String> {
        let value = present(map, key)?;
        match value.as_str() {
            Some(text) => Some(text.to_owned()),
            None => {
                self.key(key, value.at, "should be a string");
                None
            }
        }
    }

    /// Reads a truth value.
    pub(crate) fn flag(&self, map: &Map, key: &str) -> Option<bool> {
        let value = present(map, key)?;
        if value.as_bool().is_none() {
            self.key(key, value.at, "should be a boolean value");
        }
        value.as_bool()
    }

    /// Reads a list of strings.
    pub(crate) fn texts(&self, map: &Map, key: &str) -> Option<Vec<String>> {
        let value = present(map, key)?;
        let list = strings(value);
        if list.is_none() {
            self.key(key, value.at, "should be an array of strings");
        }
        list
    }

    /// Reads a string or a list of strings.
    pub(crate) fn text_or_texts(&self, map: &Map, key: &str) -> Option<Vec<String>> {
        let value = present(map, key)?;
        let list = match value.as_str() {
            Some(text) => Some(vec![text.to_owned()]),
            None => strings(value),
        };
        if list.is_none() {
            self.key(key, value.at, "should be an array of strings or a string");
        }
        list
    }

    /// Reads one of several words.
    pub(crate) fn word(&self, map: &Map, key: &str, words: &[&str]) -> Option<String> {
        self.choice(map, key, words, &format!("should be one of: {}", words.join(", ")))
    }

    /// Reads one of several words, refused in words of its own.
    pub(crate) fn choice(&self, map: &Map, key: &str, words: &[&str], otherwise: &str) -> Option<String> {
        let value = present(map, key)?;
        match value.scalar_text() {
            Some(text) if words.contains(&text.as_str()) => Some(text),
            _ => {
                self.key(key, value.at, otherwise);
                None
            }
        }
    }

    /// Reads a length of time, kept as written.
    pub(crate) fn lifetime(&self, map: &Map, key: &str) -> Option<String> {
        let value = present(map, key)?;
        match value.scalar_text() {
            Some(text) if duration::parse_lifetime(&text).is_some() => Some(text),
            _ => {
                self.key(key, value.at, "should be a duration");
                None
            }
        }
    }

    /// Reads the mapping at this place.
    pub(crate) fn map<'v>(&self, value: &'v Value) -> Option<&'v Map> {
        if value.as_map().is_none() {
            self.config(value.at, "should be a hash");
        }
        value.as_map()
    }
}

/// Joins words, leaving out empty ones.
fn words(words: [&str; 3]) -> String {
    words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Gives the entry of a mapping, unless it is null.
pub(crate) fn present<'v>(map: &'v Map, key: &str) -> Option<&'v Value> {
    map.get(key).filter(|value| !value.is_null())
}

/// Reads a list of strings.
pub(crate) fn strings(value: &Value) -> Option<Vec<String>> {
    let items = value.as_seq()?;
    items.iter().map(|item| item.as_str().map(str::to_owned)).collect()
}

/// Reads one whole number or a list of them.
pub(crate) fn integers(value: &Value) -> Option<Vec<i64>> {
    match &value.node {
        Node::Int(one) => Some(vec![*one]),
        Node::Seq(items) => items.iter().map(Value::as_int).collect(),
        _ => None,
    }
}

/// Finds the word that takes the fewest changes, three at most.
pub(crate) fn nearest<'w>(word: &str, words: &[&'w str]) -> Option<&'w str> {
    if word.len() > 40 {
        return None;
    }
    words
        .iter()
        .map(|other| (distance(word, other), *other))
        .filter(|(changes, other)| *changes <= 3 && *changes * 2 < other.len())
        .min_by_key(|(changes, _)| *changes)
        .map(|(_, other)| other)
}

fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = corner + usize::from(x != *y);
            corner = row[j + 1];
            row[j + 1] = change.min(corner + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

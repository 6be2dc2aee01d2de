//! The condition language of `rules:if`, `only:variables` and `include:rules`.

mod lexer;
mod parser;

use std::fmt;

use regex::{Regex, RegexBuilder};

pub use parser::parse;

/// Bounds the compiled size of one pattern.
const PATTERN_SIZE: usize = 256 * 1024;

/// Finds the value of a variable by its name.
pub type Lookup<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// Says why an expression was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpressionError {
    /// Names the fault.
    pub message: String,
    /// Counts the characters before the fault.
    pub column: usize,
}

impl fmt::Display for ExpressionError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} at character {}", self.message, self.column + 1)
    }
}

impl std::error::Error for ExpressionError {}

/// A condition that was understood.
#[derive(Clone, Debug)]
pub struct Expression {
    source: String,
    root: Term,
}

impl Expression {
    /// Gives the condition as it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Tells whether the condition holds.
    pub fn evaluate(&self, lookup: &Lookup<'_>) -> bool {
        self.root.evaluate(lookup).is_present()
    }
}

/// Parses a condition and tells whether it holds.
pub fn evaluate(source: &str, lookup: &Lookup<'_>) -> Result<bool, ExpressionError> {
    Ok(parse(source)?.evaluate(lookup))
}

/// A part of a condition.
#[derive(Clone, Debug)]
enum Term {
    Null,
    Text(String),
    Variable(String),
    Pattern(Box<Pattern>),
    Compare(Comparison, Box<Term>, Box<Term>),
    All(Vec<Term>),
    Any(Vec<Term>),
}

/// The operators that compare two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Equal,
    NotEqual,
    Match,
    NoMatch,
}

/// A regular expression and its spelling.
#[derive(Clone, Debug)]
struct Pattern {
    regex: Regex,
    source: String,
}

/// What a part comes to.
#[derive(Clone, Debug)]
enum Outcome {
    Null,
    Truth(bool),
    Text(String),
    Pattern(Box<Pattern>),
}

impl Outcome {
    /// Tells whether the value counts as true: blank text does not.
    fn is_present(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Truth(truth) => *truth,
            Self::Text(text) => !text.trim().is_empty(),
            Self::Pattern(_) => true,
        }
    }

    /// Compares like with like; values of different kinds differ.
    fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Truth(a), Self::Truth(b)) => a == b,
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Pattern(a), Self::Pattern(b)) => a.source == b.source,
            _ => false,
        }
    }

    /// Gives the text a pattern is matched with.
    fn into_text(self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Truth(truth) => truth.to_string(),
            Self::Text(text) => text,
            Self::Pattern(pattern) => pattern.source,
        }
    }

    /// Matches text with this pattern. Text that spells no pattern is searched
    /// for the other text instead, as GitLab does.
    fn matches(self, text: &str) -> bool {
        match self {
            Self::Null => false,
            Self::Truth(truth) => truth,
            Self::Pattern(pattern) => pattern.regex.is_match(text),
            Self::Text(source) => match compile(&source) {
                Some(Ok(regex)) => regex.is_match(text),
                Some(Err(_)) => false,
                None => source.contains(text),
            },
        }
    }
}

impl Term {
    fn evaluate(&self, lookup: &Lookup<'_>) -> Outcome {
        match self {
            Self::Null => Outcome::Null,
            Self::Text(text) => Outcome::Text(text.clone()),
            Self::Variable(name) => lookup(name).map_or(Outcome::Null, Outcome::Text),
            Self::Pattern(pattern) => Outcome::Pattern(pattern.clone()),
            Self::Compare(how, left, right) => {
                let left = left.evaluate(lookup);
                Outcome::Truth(how.apply(left, right.evaluate(lookup)))
            }
            Self::All(terms) => last_until(terms, lookup, false),
            Self::Any(terms) => last_until(terms, lookup, true),
        }
    }
}

/// Evaluates terms until one is as wanted, and gives the last one seen. Ruby's
/// `&&` and `||` ask for nil or false, so empty text passes both on.
fn last_until(terms: &[Term], lookup: &Lookup<'_>, wanted: bool) -> Outcome {
    let mut last = Outcome::Null;
    for term in terms {
        last = term.evaluate(lookup);
        let truthy = !matches!(last, Outcome::Null | Outcome::Truth(false));
        if truthy == wanted {
            break;
        }
    }
    last
}

impl Comparison {
    fn apply(self, left: Outcome, right: Outcome) -> bool {
        match self {
            Self::Equal => left.equals(&right),
            Self::NotEqual => !left.equals(&right),
            Self::Match => right.matches(&left.into_text()),
            Self::NoMatch => match right {
                Outcome::Null => true,
                right => !right.matches(&left.into_text()),
            },
        }
    }
}

/// Compiles `/pattern/flags`; gives nothing when the text is not spelled so.
pub(crate) fn compile(source: &str) -> Option<Result<Regex, regex::Error>> {
    let rest = source.strip_prefix('/')?;
    let end = rest.rfind('/')?;
    let (pattern, flags) = (&rest[..end], &rest[end + 1..]);
    if pattern.is_empty() || !flags.chars().all(|flag| "ismU".contains(flag)) {
        return None;
    }
    let pattern = pattern.replace("\\/", "/");
    Some(
        RegexBuilder::new(&pattern)
            .case_insensitive(flags.contains('i'))
            .dot_matches_new_line(flags.contains('s'))
            .multi_line(flags.contains('m'))
            .swap_greed(flags.contains('U'))
            .size_limit(PATTERN_SIZE)
            .dfa_size_limit(PATTERN_SIZE)
            .build(),
    )
}

#[cfg(test)]
mod tests;

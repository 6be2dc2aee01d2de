//! Splits a condition into tokens.

use super::{Comparison, ExpressionError};

/// The smallest parts of a condition.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Open,
    Close,
    And,
    Or,
    Compare(Comparison),
    Null,
    Text(String),
    Variable(String),
    Pattern(String),
}

/// A token and the number of bytes before it.
pub(super) type Placed = (Token, usize);

const OPERATORS: [(&str, Token); 8] = [
    ("(", Token::Open),
    (")", Token::Close),
    ("&&", Token::And),
    ("||", Token::Or),
    ("==", Token::Compare(Comparison::Equal)),
    ("!=", Token::Compare(Comparison::NotEqual)),
    ("=~", Token::Compare(Comparison::Match)),
    ("!~", Token::Compare(Comparison::NoMatch)),
];

/// Splits the whole condition.
pub(super) fn tokens(source: &str) -> Result<Vec<Placed>, ExpressionError> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(next) = source[at..].chars().next() {
        if next.is_whitespace() {
            at += next.len_utf8();
            continue;
        }
        let (token, length) = token(&source[at..]).ok_or_else(|| ExpressionError {
            message: format!("unexpected {}", excerpt(&source[at..])),
            column: source[..at].chars().count(),
        })?;
        found.push((token, at));
        at += length;
    }
    Ok(found)
}

/// Reads the token the text starts with, and its length.
fn token(text: &str) -> Option<(Token, usize)> {
    for (spelling, token) in OPERATORS {
        if text.starts_with(spelling) {
            return Some((token, spelling.len()));
        }
    }
    match text.as_bytes().first()? {
        b'$' => variable(text),
        quote @ (b'"' | b'\'') => quoted(text, char::from(*quote)),
        b'/' => pattern(text),
        _ => null(text),
    }
}

fn variable(text: &str) -> Option<(Token, usize)> {
    let name = word(&text[1..]);
    (!name.is_empty()).then(|| (Token::Variable(name.to_owned()), 1 + name.len()))
}

fn quoted(text: &str, quote: char) -> Option<(Token, usize)> {
    let inner = &text[1..];
    let end = inner.find(quote)?;
    Some((Token::Text(inner[..end].to_owned()), end + 2))
}

/// Reads `/pattern/flags`. A pattern of one character is refused, as in GitLab.
fn pattern(text: &str) -> Option<(Token, usize)> {
    let bytes = text.as_bytes();
    let mut end = 1;
    while bytes.get(end) != Some(&b'/') || bytes[end - 1] == b'\\' {
        end += 1;
        if end >= bytes.len() {
            return None;
        }
    }
    if text[1..end].chars().count() < 2 {
        return None;
    }
    let flags = bytes[end + 1..].iter().take_while(|byte| b"ismU".contains(byte)).count();
    let length = end + 1 + flags;
    Some((Token::Pattern(text[..length].to_owned()), length))
}

fn null(text: &str) -> Option<(Token, usize)> {
    (word(text) == "null").then_some((Token::Null, 4))
}

fn word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

fn excerpt(text: &str) -> String {
    let mut short: String = text.chars().take(20).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("`{short}`")
}

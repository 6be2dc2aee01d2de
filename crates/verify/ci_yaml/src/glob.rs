//! Path patterns as `changes`, `exists` and `include` read them: `*` and `?`
//! stop at a slash, `**/` spans folders, dots are nothing special.

use regex::{Regex, RegexBuilder};

/// Bounds the length of one pattern.
const MAX_PATTERN: usize = 4096;
/// Bounds the compiled size of one pattern.
const COMPILED_SIZE: usize = 512 * 1024;

/// A pattern that was understood.
#[derive(Clone, Debug)]
pub struct Glob {
    literal: Option<String>,
    regex: Option<Regex>,
}

impl Glob {
    /// Reads a pattern; a leading slash or `./` is dropped. One that cannot be
    /// understood matches its own text alone.
    pub fn new(pattern: &str) -> Self {
        let pattern = pattern.strip_prefix("./").unwrap_or(pattern);
        let pattern = pattern.trim_start_matches('/');
        let special = pattern.contains(['*', '?', '[', '{', '\\']);
        let regex = (special && pattern.len() <= MAX_PATTERN).then(|| compile(pattern)).flatten();
        Self { literal: regex.is_none().then(|| pattern.to_owned()), regex }
    }

    /// Tells whether a path relative to the root of the repository matches.
    pub fn matches(&self, path: &str) -> bool {
        match (&self.regex, &self.literal) {
            (Some(regex), _) => regex.is_match(path),
            (None, Some(literal)) => literal == path,
            (None, None) => false,
        }
    }

    /// Gives the only path that can match, if the pattern has no wildcard.
    pub fn literal(&self) -> Option<&str> {
        self.literal.as_deref()
    }
}

/// Tells whether a pattern matches a path.
pub fn matches(pattern: &str, path: &str) -> bool {
    Glob::new(pattern).matches(path)
}

fn compile(pattern: &str) -> Option<Regex> {
    let mut translation = Translation { input: pattern.chars().collect(), at: 0, out: String::from("^"), braces: 0 };
    translation.run();
    translation.out.push('$');
    if translation.braces > 0 {
        return None;
    }
    RegexBuilder::new(&translation.out)
        .dot_matches_new_line(true)
        .size_limit(COMPILED_SIZE)
        .dfa_size_limit(COMPILED_SIZE)
        .build()
        .ok()
}

/// Rewrites a pattern as a regular expression.
struct Translation {
    input: Vec<char>,
    at: usize,
    out: String,
    braces: usize,
}

impl Translation {
    fn run(&mut self) {
        while let Some(&next) = self.input.get(self.at) {
            match next {
                '*' => self.stars(),
                '?' => self.put("[^/]", 1),
                '[' => self.set(),
                '{' => {
                    self.braces += 1;
                    self.put("(?:", 1);
                }
                '}' if self.braces > 0 => {
                    self.braces -= 1;
                    self.put(")", 1);
                }
                ',' if self.braces > 0 => self.put("|", 1),
                '\\' if self.at + 1 < self.input.len() => {
                    self.at += 1;
                    self.literal(self.input[self.at]);
                }
                other => self.literal(other),
            }
        }
    }

    fn put(&mut self, text: &str, length: usize) {
        self.out.push_str(text);
        self.at += length;
    }

    fn literal(&mut self, c: char) {
        let mut buffer = [0; 4];
        let text = regex::escape(c.encode_utf8(&mut buffer));
        self.put(&text, 1);
    }

    /// Rewrites a run of stars: `**/` at the start of a part spans folders.
    fn stars(&mut self) {
        let count = self.input[self.at..].iter().take_while(|c| **c == '*').count();
        let starts_part = self.at == 0 || matches!(self.input[self.at - 1], '/' | '{' | ',');
        let spans = count == 2 && starts_part && self.input.get(self.at + 2) == Some(&'/');
        if spans {
            self.put("(?:[^/]+/)*", 3);
        } else {
            self.put("[^/]*", count);
        }
    }

    /// Rewrites `[a-z]` and `[!a-z]`; a bracket never closed is plain text.
    fn set(&mut self) {
        let start = self.at + 1;
        let negated = matches!(self.input.get(start), Some('!' | '^'));
        let first = start + usize::from(negated);
        let end = self.input.iter().skip(first + 1).position(|c| *c == ']');
        let Some(end) = end.map(|offset| first + 1 + offset) else {
            return self.literal('[');
        };
        self.out.push_str(if negated { "[^/" } else { "[" });
        for index in first..end {
            let c = self.input[index];
            if c == '-' && index > first && index + 1 < end {
                self.out.push('-');
            } else {
                self.out.push_str(&escape_in_set(c));
            }
        }
        self.out.push(']');
        self.at = end + 1;
    }
}

fn escape_in_set(c: char) -> String {
    if c.is_alphanumeric() || c == '_' {
        c.to_string()
    } else if c.is_ascii() {
        format!("\\x{:02x}", u32::from(c))
    } else {
        c.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match() {
        for (pattern, path) in [
            ("README.md", "README.md"),
            ("/README.md", "README.md"),
            ("./a", "a"),
            ("*.md", ".hidden.md"),
            ("docs/*", "docs/a"),
            ("docs/**/*", "docs/a"),
            ("docs/**/*", "docs/a/b/c"),
            ("**/*.rb", "a.rb"),
            ("**/*.rb", "x/y/a.rb"),
            ("**/*", ".ci/x"),
            ("*.{rb,py,sh}", "a.py"),
            ("{src,lib}/**/*.{c,h}", "lib/x/y.h"),
            ("{**/*.a,b}", "x/y.a"),
            ("a?c", "abc"),
            ("[a-c]x", "bx"),
            ("[!a-c]x", "dx"),
            ("[.]x", ".x"),
            ("a\\*b", "a*b"),
            ("a[b", "a[b"),
            ("Dockerfile*", "Dockerfile.dev"),
            ("é*", "éa"),
        ] {
            assert!(matches(pattern, path), "{pattern} {path}");
        }
    }

    #[test]
    fn patterns_do_not_match() {
        for (pattern, path) in [
            ("*.md", "docs/a.md"),
            ("docs/*", "docs/a/b"),
            ("docs/**", "docs/a/b"),
            ("docs", "docs/a"),
            ("a?c", "a/c"),
            ("[!a]x", "/x"),
            ("*.{rb,py}", "a.js"),
            ("a.b", "axb"),
            ("{a,b", "a"),
            ("", "a"),
        ] {
            assert!(!matches(pattern, path), "{pattern} {path}");
        }
    }

    #[test]
    fn hostile_patterns_are_harmless() {
        for pattern in ["{".repeat(5000), "*".repeat(4000), "**/".repeat(1000), "[".repeat(3000), "{a,".repeat(1300)] {
            assert!(!matches(&pattern, "some/long/path/to/nothing/z"));
        }
    }
}

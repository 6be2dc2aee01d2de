//! Words that must not come in, each with the reason and the places where it is right.

use crate::{File, Finding};

struct Rule {
    words: &'static [&'static str],
    /// The kinds of files it is about; empty means all.
    extensions: &'static [&'static str],
    /// Whether tests are free of it.
    tests_may: bool,
    /// Beginnings of paths where it is right.
    allowed: &'static [&'static str],
    reason: &'static str,
}

/// Says what it forbids, so it is let off.
const SELF: &str = "xtask/src/words.rs";

const RULES: &[Rule] = &[
    Rule {
        words: &["todo!(", "unimplemented!(", "dbg!("],
        extensions: &["rs"],
        tests_may: false,
        allowed: &[],
        reason: "unfinished or left-over code; finish it or write it down in SHORTCOMINGS.md",
    },
    Rule {
        words: &["process::Command", "process::{Command"],
        extensions: &["rs"],
        tests_may: true,
        allowed: &["crates/git/", "crates/verify/sandbox/", "xtask/"],
        reason: "only `git` and `sandbox` start processes, where the environment and the arguments are made safe",
    },
    Rule {
        words: &["sqlx::"],
        extensions: &["rs"],
        tests_may: false,
        allowed: &["crates/kernel/"],
        reason: "the driver is the kernel's; use `kernel::db`",
    },
    Rule {
        words: &["thread::sleep("],
        extensions: &["rs"],
        tests_may: true,
        allowed: &["crates/verify/sandbox/", "xtask/"],
        reason: "it blocks a thread that serves others; use tokio::time::sleep",
    },
    Rule {
        // Put together, so that no file of the project holds such a path.
        words: &[concat!("/wo", "rk/"), "/root/.", "/home/runner/"],
        extensions: &[],
        tests_may: false,
        allowed: &["crates/verify/sandbox/tests/"],
        reason: "a path of one machine",
    },
    Rule {
        words: &["\n<<<<<<< ", "\n>>>>>>> "],
        extensions: &[],
        tests_may: false,
        allowed: &[],
        reason: "a conflict that was not resolved",
    },
    Rule {
        words: &["\"resolved\":"],
        extensions: &["json"],
        tests_may: false,
        allowed: &[],
        reason: "a lock file that names one registry host; see omit-lockfile-registry-resolved in .npmrc",
    },
];

pub(crate) fn check(files: &[File]) -> Vec<Finding> {
    files.iter().filter(|f| f.path != SELF).flat_map(check_file).collect()
}

fn check_file(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in RULES.iter().filter(|r| applies(r, file)) {
        for word in rule.words {
            for (at, _) in file.text.match_indices(word) {
                let line = file.text[..at].lines().count().max(1) + usize::from(word.starts_with('\n'));
                let shown = word.trim();
                findings.push(Finding::failure(format!("{}:{line}", file.path), format!("`{shown}`: {}", rule.reason)));
            }
        }
    }
    findings
}

fn applies(rule: &Rule, file: &File) -> bool {
    (rule.extensions.is_empty() || rule.extensions.contains(&file.extension()))
        && !rule.allowed.iter().any(|prefix| file.path.starts_with(prefix))
        && !(rule.tests_may && file.is_test())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        check(&[File { path: path.into(), text: text.into() }]).into_iter().map(|f| f.place).collect()
    }

    #[test]
    fn finds_words_with_their_line() {
        assert_eq!(found("crates/a/src/lib.rs", "fn a() {\n    todo!()\n}\n"), ["crates/a/src/lib.rs:2"]);
        assert_eq!(found("docs/a.md", concat!("see /wo", "rk/main")), ["docs/a.md:1"]);
        assert_eq!(found("a.rs", "a\n<<<<<<< HEAD\n"), ["a.rs:2"]);
    }

    #[test]
    fn knows_where_a_word_is_right() {
        assert!(found("crates/git/src/command.rs", "use tokio::process::Command;").is_empty());
        assert!(found("crates/a/tests/it/main.rs", "use std::process::Command;").is_empty());
        assert!(!found("crates/a/src/lib.rs", "use std::process::Command;").is_empty());
        assert!(found("crates/a/src/lib.rs", "format!(\"/root/hello.git\")").is_empty());
    }
}

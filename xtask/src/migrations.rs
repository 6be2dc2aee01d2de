//! Migrations run in the order of their names, and never change once they are released.

use std::collections::BTreeMap;

use crate::{File, Finding};

pub(crate) fn check(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut numbers: BTreeMap<&str, &str> = BTreeMap::new();
    for file in files.iter().filter(|f| f.path.starts_with("migrations/")) {
        let name = &file.path["migrations/".len()..];
        match number(name) {
            None => findings.push(Finding::failure(&file.path, "a migration is called NNNN_name.sql")),
            Some(number) => {
                if let Some(other) = numbers.insert(number, name) {
                    findings.push(Finding::failure(&file.path, format!("has the same number as {other}")));
                }
            }
        }
    }
    findings
}

fn number(name: &str) -> Option<&str> {
    let (number, words) = name.strip_suffix(".sql")?.split_once('_')?;
    let numbered = number.len() == 4 && number.bytes().all(|b| b.is_ascii_digit());
    let named = !words.is_empty() && words.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    (numbered && named).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_carry_four_digits_and_a_name() {
        assert_eq!(number("0010_accounts.sql"), Some("0010"));
        for wrong in ["10_accounts.sql", "0010.sql", "0010_.sql", "0010_Accounts.sql", "0010_a.txt", "00100_a.sql"] {
            assert_eq!(number(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn numbers_are_taken_once() {
        let file = |path: &str| File { path: path.into(), text: String::new() };
        let found = check(&[file("migrations/0001_a.sql"), file("migrations/0001_b.sql")]);
        assert_eq!(found.len(), 1);
    }
}

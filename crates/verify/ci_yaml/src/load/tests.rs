use serde_json::{Value as Json, json};

use super::{Budget, load};

fn json_of(text: &str) -> Json {
    let documents = load(text, 0, &mut Budget::default()).unwrap();
    documents.first().map_or(Json::Null, |value| value.to_json())
}

fn refused(text: &str) -> String {
    load(text, 0, &mut Budget::default()).unwrap_err().message
}

#[test]
fn scalars_keep_their_style() {
    let text = "a: yes\nb: 'yes'\nc: 010\nd: \"010\"\ne: |\n  1\nf: !!str 12\ng:\n";
    assert_eq!(json_of(text), json!({"a": true, "b": "yes", "c": 8, "d": "010", "e": "1\n", "f": "12", "g": null}));
}

#[test]
fn later_keys_win_and_merges_happen_in_place() {
    assert_eq!(json_of("a: 1\nb: 2\na: 3\n"), json!({"a": 3, "b": 2}));
    let base = "x: &x {k: base, l: base}\n";
    assert_eq!(json_of(&format!("{base}a:\n  <<: *x\n  k: own\n"))["a"], json!({"k": "own", "l": "base"}));
    assert_eq!(json_of(&format!("{base}y: &y {{k: y}}\na:\n  <<: [*x, *y]\n"))["a"]["l"], json!("base"));
}

#[test]
fn values_know_their_lines() {
    let documents = load("a:\n  b:\n    - c\n    - d\n", 0, &mut Budget::default()).unwrap();
    let b = documents[0].get("a").unwrap().get("b").unwrap();
    assert_eq!(b.at.line, 2);
    assert_eq!(b.as_seq().unwrap()[1].at.line, 4);
}

#[test]
fn documents_are_separate() {
    let documents = load("a: 1\n---\nb: 2\n", 0, &mut Budget::default()).unwrap();
    assert_eq!(documents.len(), 2);
    assert!(load("", 0, &mut Budget::default()).unwrap().is_empty());
}

#[test]
fn bombs_are_refused() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    assert_eq!(refused(&bomb), "The parsed YAML is too big");
    assert!(!refused(&"[".repeat(100_000)).is_empty());
    assert!(!refused(&"- ".repeat(100_000)).is_empty());
    assert!(!refused(&format!("{}x{}", "[".repeat(150), "]".repeat(150))).is_empty());
    assert_eq!(refused(&" ".repeat(3 << 20)), "The YAML file is too big");
}

#[test]
fn malformed_files_are_refused() {
    for text in [
        "a: [",
        "a: b: c",
        "a:\n\tb: c",
        "a: *none",
        "a: &a [*a]",
        "a: !ruby/object:Kernel {}",
        "a: !custom x",
        "a: !reference x",
        "a: !reference []",
        "a: !reference [[x]]",
        "<<: x",
        "<<: [x]",
        "? [a]\n: b",
        "a: 2024-01-31",
        "a: \"unclosed",
        "%YAML 9.9.9",
        "a: \u{0}",
    ] {
        assert!(load(text, 0, &mut Budget::default()).is_err(), "{text:?}");
    }
}

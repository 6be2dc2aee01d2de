use std::time::Instant;

use ci_yaml::{NoFiles, parse};

use crate::support::{Event, messages};

/// A small generator of numbers, the same on every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }
}

const PIECES: [&str; 24] = [
    "\n",
    "  ",
    ": ",
    "- ",
    "[",
    "]",
    "{",
    "}",
    "&a ",
    "*a",
    "<<: *a\n",
    "!reference [a, b]",
    "'",
    "\"",
    "|\n",
    "~",
    "\0",
    "é",
    "needs: [a]\n",
    "extends: a\n",
    "parallel: 3\n",
    "rules: [{if: $A}]\n",
    "---\n",
    "$[[ inputs.x ]]",
];

fn mutated(source: &str, dice: &mut Dice) -> String {
    let mut text: Vec<char> = source.chars().collect();
    for _ in 0..=dice.roll(4) {
        let at = dice.roll(text.len() + 1);
        match dice.roll(4) {
            0 => {
                let piece = PIECES[dice.roll(PIECES.len())].chars();
                text.splice(at..at, piece);
            }
            1 => {
                let end = (at + dice.roll(20)).min(text.len());
                text.drain(at..end);
            }
            2 => {
                let end = (at + dice.roll(60)).min(text.len());
                let copy: Vec<char> = text[at..end].to_vec();
                let to = dice.roll(text.len() + 1);
                text.splice(to..to, copy);
            }
            _ if at < text.len() => text[at] = char::from(u8::try_from(dice.roll(128)).unwrap()),
            _ => {}
        }
    }
    text.into_iter().collect()
}

#[test]
fn random_changes_never_panic() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/accepted");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut dice = Dice(7);
    let mut accepted = 0;
    for path in paths {
        let source = std::fs::read_to_string(path).unwrap();
        for _ in 0..800 {
            let text = mutated(&source, &mut dice);
            match parse(&text, &NoFiles) {
                Ok(config) => {
                    accepted += 1;
                    config.to_yaml().unwrap();
                    let _ = Event::default().plan(&text);
                }
                Err(problems) => assert!(!problems.is_empty()),
            }
        }
    }
    assert!(accepted > 100, "only {accepted} accepted");
}

fn quick(source: &str) -> Vec<String> {
    let start = Instant::now();
    let found = messages(source);
    assert!(start.elapsed().as_secs() < 5, "took {:?}", start.elapsed());
    found
}

#[test]
fn references_cannot_explode() {
    let mut source = String::from(".r0: {script: [x, x, x, x, x, x, x, x, x, x]}\n");
    for level in 1..10 {
        let below = format!("!reference [.r{}, script]", level - 1);
        source.push_str(&format!(".r{level}: {{script: [{}]}}\n", vec![below; 10].join(", ")));
    }
    source.push_str("a: {script: !reference [.r9, script]}\n");
    assert_eq!(quick(&source), ["The parsed YAML is too big"]);
}

#[test]
fn extends_cannot_explode() {
    let wide: Vec<String> = (0..2000).map(|index| format!("V{index}: x")).collect();
    let mut source = format!(".base: {{script: x, variables: {{{}}}}}\n", wide.join(", "));
    for index in 0..500 {
        source.push_str(&format!("j{index}: {{extends: .base}}\n"));
    }
    assert_eq!(quick(&source), ["The parsed YAML is too big"]);
}

#[test]
fn instances_and_needs_are_bounded() {
    let mut source = String::new();
    for index in 0..100 {
        source.push_str(&format!("j{index}: {{script: x, parallel: 200}}\n"));
    }
    assert_eq!(quick(&source), ["The number of jobs has exceeded the limit of 5000"]);
    let mut source = String::new();
    for index in 0..20 {
        source.push_str(&format!("j{index}: {{script: x, stage: build, parallel: 200}}\n"));
    }
    let needs: Vec<String> = (0..20).map(|index| format!("j{index}")).collect();
    source.push_str(&format!("all: {{script: x, parallel: 200, needs: [{}]}}\n", needs.join(", ")));
    let error = Event::default().plan(&source).unwrap_err();
    assert_eq!(error.to_string(), "The pipeline has too many needs");
}

#[test]
fn long_chains_do_not_exhaust_the_stack() {
    let mut source = String::from("j0: {script: x}\n");
    for index in 1..4000 {
        source.push_str(&format!("j{index}: {{script: x, needs: [j{}]}}\n", index - 1));
    }
    assert_eq!(Event::default().plan(&source).unwrap().jobs.len(), 4000);
    let mut source = String::new();
    for index in 0..4000 {
        source.push_str(&format!("j{index}: {{script: x, extends: j{}}}\n", index + 1));
    }
    source.push_str("j4000: {script: x}\n");
    assert_eq!(quick(&source).len(), 1);
}

#[test]
fn many_problems_are_cut_short() {
    let source: String = (0..5000).map(|index| format!("j{index}: {{}}\n")).collect();
    assert_eq!(quick(&source).len(), 100);
}

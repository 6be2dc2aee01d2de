use ci_yaml::{Problem, parse};
use indoc::indoc;

use crate::support::Tree;

fn refused(source: &str, tree: &Tree) -> Problem {
    parse(source, tree).unwrap_err().remove(0)
}

#[test]
fn included_files_merge_below_the_file_itself() {
    let tree = Tree::new(&[
        ("ci/a.yml", "include: ci/b.yml\nbuild: {script: a, image: a, variables: {X: a, Y: a}}\n"),
        ("ci/b.yml", "build: {script: b, tags: [b]}\nother: {script: b}\n"),
    ]);
    let config = parse("include: {local: /ci/a.yml}\nbuild: {variables: {X: own}}\n", &tree).unwrap();
    let build = &config.jobs["build"];
    assert_eq!(build.options.script, ["a"]);
    assert_eq!(build.options.tags, ["b"]);
    assert_eq!(build.variables[0].value, "own");
    assert_eq!(build.variables[1].value, "a");
    assert_eq!(config.includes, ["ci/a.yml", "ci/b.yml"]);
    assert!(config.jobs.contains_key("other"));
}

#[test]
fn wildcards_and_rules_choose_files() {
    let mut tree = Tree::new(&[
        ("ci/a.yml", "a: {script: x}\n"),
        ("ci/deep/b.yml", "b: {script: x}\n"),
        ("ci/readme.md", "no"),
        ("off.yml", "off: {script: x}\n"),
    ]);
    tree.variables.insert("ON".to_owned(), "1".to_owned());
    tree.variables.insert("DIR".to_owned(), "ci".to_owned());
    let source = indoc! {"
        include:
          - local: $DIR/**/*.yml
            rules: [{if: $ON}]
          - local: off.yml
            rules: [{if: $OFF}]
          - local: off.yml
            rules: [{exists: [ci/readme.md], when: never}, {if: $ON}]
    "};
    let config = parse(source, &tree).unwrap();
    assert_eq!(config.jobs.keys().collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn circles_and_floods_are_refused() {
    let tree = Tree::new(&[("a.yml", "include: b.yml\n"), ("b.yml", "include: a.yml\n")]);
    let problem = refused("include: a.yml\n", &tree);
    assert_eq!(problem.message, "Included file `a.yml` includes itself");
    assert_eq!(problem.file.as_deref(), Some("b.yml"));
    let tree = Tree::new(&[("a.yml", "a: {script: x}\n")]);
    let many = format!("include: [{}]\n", vec!["a.yml"; 151].join(", "));
    assert_eq!(refused(&many, &tree).message, "Maximum of 150 nested includes are allowed!");
    let doubling: Vec<(String, String)> =
        (0..40).map(|level| (format!("f{level}.yml"), format!("include: [f{0}.yml, f{0}.yml]\n", level + 1))).collect();
    let pairs: Vec<(&str, &str)> = doubling.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    assert!(parse("include: f0.yml\na: {script: x}\n", &Tree::new(&pairs)).is_err());
}

#[test]
fn problems_name_the_included_file() {
    let tree = Tree::new(&[("ci/a.yml", "build:\n  script: x\n  retry: 9\n"), ("ci/b.yml", "a: [\n")]);
    let problem = refused("include: ci/a.yml\n", &tree);
    assert_eq!((problem.file.as_deref(), problem.line), (Some("ci/a.yml"), Some(3)));
    assert_eq!(refused("include: ci/b.yml\n", &tree).file.as_deref(), Some("ci/b.yml"));
}

#[test]
fn inputs_are_filled_in() {
    let template = indoc! {r#"
        spec:
          inputs:
            name:
            count: {type: number, default: 2}
            kind: {options: [fast, slow], default: fast}
            tag: {regex: ^v\d+$, default: v1}
        ---
        "$[[ inputs.name ]]-job":
          script: ["run $[[ inputs.name | truncate(0,2) ]] $[[ inputs.kind ]]"]
          parallel: $[[ inputs.count ]]
    "#};
    let tree = Tree::new(&[("t.yml", template), ("plain.yml", "a: {script: x}\n")]);
    let include = |inputs: &str| format!("include: [{{local: t.yml, inputs: {inputs}}}]\n");
    let config = parse(&include("{name: alpha}"), &tree).unwrap();
    assert_eq!(config.jobs["alpha-job"].options.script, ["run al fast"]);
    assert_eq!(config.jobs["alpha-job"].parallel, Some(ci_yaml::Parallel::Count(2)));
    for (inputs, message) in [
        ("{}", "`name` input: required value has not been provided"),
        ("{name: a, other: b}", "unknown input arguments: other"),
        ("{name: 1}", "`name` input: provided value is not a string"),
        ("{name: a, kind: odd}", "`kind` input: `odd` cannot be used because it is not in the list of allowed options"),
        ("{name: a, tag: x}", "`tag` input: provided value does not match required RegEx pattern"),
    ] {
        assert_eq!(refused(&include(inputs), &tree).message, message);
    }
    let problem = refused("include: {local: plain.yml, inputs: {a: b}}\n", &tree);
    assert_eq!(problem.message, "unknown input arguments: a");
}

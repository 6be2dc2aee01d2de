use std::fs;
use std::path::PathBuf;

use ci_yaml::{NoFiles, parse};

use crate::support::{Event, read};

fn files(folder: &str) -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it").join(folder);
    let mut found: Vec<(String, String)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            (path.file_stem().unwrap().to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap())
        })
        .collect();
    found.sort();
    assert!(!found.is_empty());
    found
}

/// Each file starts with a comment that holds the message it must give.
#[test]
fn refused_files_say_why() {
    let mut wrong = Vec::new();
    for (name, text) in files("refused") {
        let wanted = text.lines().next().unwrap().trim_start_matches("# ").to_owned();
        match parse(&text, &NoFiles) {
            Ok(_) => wrong.push(format!("{name}: accepted, wanted: {wanted}")),
            Err(problems) => {
                let found: Vec<&str> = problems.iter().map(|one| one.message.as_str()).collect();
                if found != [wanted.as_str()] {
                    wrong.push(format!("{name}: wanted {wanted:?}, found {found:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn refusals_name_line_job_and_keyword() {
    let mut without = Vec::new();
    for (name, text) in files("refused") {
        let problem = parse(&text, &NoFiles).unwrap_err().remove(0);
        if name != "no_jobs" && problem.line.is_none_or(|line| line < 2) {
            without.push(format!("{name}: {problem:?}"));
        }
        if problem.message.starts_with("jobs:") {
            assert!(problem.job.is_some(), "{name}");
        }
    }
    assert!(without.is_empty(), "{}", without.join("\n"));
}

#[test]
fn accepted_files_are_accepted() {
    for (name, text) in files("accepted") {
        let config = parse(&text, &NoFiles).unwrap_or_else(|problems| panic!("{name}: {problems:#?}"));
        let yaml = config.to_yaml().unwrap();
        let again = parse(&yaml, &NoFiles).unwrap_or_else(|problems| panic!("{name}: {problems:#?}\n{yaml}"));
        assert_eq!(
            config.jobs.keys().collect::<Vec<_>>(),
            again.jobs.keys().collect::<Vec<_>>(),
            "{name} after a round trip"
        );
    }
}

#[test]
fn stored_jobs_survive_a_round_trip() {
    for (name, text) in files("accepted") {
        let plan = Event::default().plan(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        for job in plan.jobs {
            let stored = serde_json::to_string(&job).unwrap();
            assert_eq!(serde_json::from_str::<ci_yaml::JobSpec>(&stored).unwrap(), job, "{name}");
        }
    }
}

#[test]
fn keywords_reach_the_typed_form() {
    let (_, text) = files("accepted").into_iter().find(|(name, _)| name == "everything").unwrap();
    let config = read(&text);
    let build = &config.jobs["build"].options;
    assert_eq!(build.script, ["make", "make install"]);
    assert!(build.before_script.is_empty());
    assert_eq!(build.timeout, Some(5400));
    assert_eq!(build.tags, ["linux"]);
    assert_eq!(build.image.as_ref().unwrap().name, "ruby:3.2");
    assert_eq!(build.services[1].alias.as_deref(), Some("cache"));
    assert_eq!(build.retry.as_ref().unwrap().max, 2);
    assert_eq!(build.artifacts.as_ref().unwrap().access.as_deref(), Some("developer"));
    assert_eq!(build.cache[0].key_files.len(), 2);
    assert_eq!(config.variables[1].value.as_deref(), Some("1.1"));
    assert_eq!(config.variables[2].value.as_deref(), Some("true"));
    assert!(config.variables[4].raw);
    assert_eq!(config.jobs["child"].options.tags.len(), 0);
    assert_eq!(config.jobs["build"].options.pre_get_sources_script, ["echo before"]);
}

#[test]
fn text_stays_text_after_a_round_trip() {
    let words = [
        "yes",
        "no",
        "on",
        "OFF",
        "true",
        "null",
        "~",
        "",
        "010",
        "1_000",
        "1:30",
        "1e3",
        ".5",
        "0x1f",
        "+1",
        "1,000",
        "2024-01-31",
        "a: b",
        "- a",
        "# a",
        "a #b",
        " a",
        "a ",
        "*a",
        "&a",
        "!a",
        "<<",
        "%a",
        "@a",
        "`a`",
        "a\nb\n",
        "\ta",
        "'a'",
        "\"a\"",
        "{a}",
        "[a]",
        "é🚀",
        "a\\b",
        "=",
        "y",
        ".inf",
        "---",
        "...",
        "|",
        ">",
        "a\n\n  b",
        "\u{7}",
    ];
    let variables: serde_json::Map<String, serde_json::Value> =
        words.iter().enumerate().map(|(index, word)| (format!("V{index}"), (*word).into())).collect();
    let source = serde_json::json!({"variables": variables, "job": {"script": words.to_vec()}}).to_string();
    let config = read(&source);
    let yaml = config.to_yaml().unwrap();
    let again = read(&yaml);
    for (first, second) in config.variables.iter().zip(&again.variables) {
        assert_eq!(first, second, "{yaml}");
    }
    assert_eq!(config.jobs["job"].options.script, again.jobs["job"].options.script);
}

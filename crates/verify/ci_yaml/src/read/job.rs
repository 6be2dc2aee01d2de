//! Reads one job.

use super::rules::{self, Owner};
use super::scope::{Report, Scope, present};
use super::{artifacts, cache, image, misc, needs, parallel, policy, script, variables};
use crate::keywords;
use crate::model::{Job, JobOptions, Members, Need, Parallel, When};
use crate::problem::{At, Problem};
use crate::value::{Map, Value};

const MAX_NAME: usize = 255;
const MAX_TAGS: usize = 50;
/// Lists what is kept as written, without a field of its own.
const RAW: [&str; 7] = ["publish", "run", "dast_configuration", "secrets", "identity", "inputs", "extends"];

/// Lists the keywords of which a job must have one.
const STARTERS: [&str; 4] = ["script", "run", "trigger", "needs"];

/// What a job takes from outside itself.
pub(crate) struct Surroundings<'a> {
    pub(crate) report: &'a Report,
    pub(crate) defaults: &'a Map,
}

/// Reads a job, with the defaults it inherits.
pub(crate) fn read(around: &Surroundings<'_>, name: &str, value: &Value) -> Option<Job> {
    let scope = &Scope::job(around.report, name);
    check_name(scope, name, value.at);
    let map = value.as_map().filter(|map| STARTERS.iter().any(|key| present(map, key).is_some()));
    let Some(own) = map else {
        around.report.refuse(without_start(name, value));
        return None;
    };
    let bridge = is_bridge(own);
    let known: &[&str] = if bridge { &keywords::BRIDGE } else { &keywords::JOB };
    scope.known_keys(own, value.at, known);
    let mut map = own.clone();
    if !bridge {
        let inherited = misc::inherit(scope, own, "default");
        for (key, value) in around.defaults {
            if inherited.takes(key) && present(own, key).is_none() {
                map.insert(key.clone(), value.clone());
            }
        }
    }
    let job = build(scope, name, value.at, &map, bridge);
    check(scope, &job, &map, value.at);
    Some(job)
}

fn without_start(name: &str, value: &Value) -> Problem {
    let hint = if value.as_map().is_some() {
        "Add a `script`, or start the name with a dot to hide the entry."
    } else {
        "Every other entry of the top level is a job; a job is a hash."
    };
    Problem::new(format!("jobs {name} config should implement the script:, run:, or trigger: keyword"))
        .at(value.at)
        .job(name)
        .hint(hint)
}

fn check_name(scope: &Scope<'_>, name: &str, at: At) {
    if name.is_empty() {
        scope.key("name", at, "can't be blank");
    } else if name.chars().count() > MAX_NAME {
        let what = format!("is too long (maximum is {MAX_NAME} characters)");
        scope.key("name", at, &what);
    }
}

fn build(scope: &Scope<'_>, name: &str, at: At, map: &Map, bridge: bool) -> Job {
    let when = when(scope, map, bridge);
    let rules = rules::read(scope, map, Owner::Job);
    let delayed = when == Some(When::Delayed) && rules.is_none();
    Job {
        name: name.to_owned(),
        at,
        stage: stage(scope, map),
        when,
        start_in: match rules {
            Some(_) => None,
            None => rules::start_in(scope, map, delayed),
        },
        allow_failure: misc::allow_failure(scope, map),
        rules,
        only: policy::read(scope, map, "only"),
        except: policy::read(scope, map, "except"),
        needs: needs::read(scope, map, bridge),
        dependencies: scope.texts(map, "dependencies"),
        parallel: parallel::read(scope, map),
        variables: variables::read(scope, map),
        inherit_variables: misc::inherit(scope, map, "variables"),
        options: options(scope, map),
    }
}

/// Reads the keywords that do not depend on the pipeline; `default` shares them.
pub(crate) fn options(scope: &Scope<'_>, map: &Map) -> JobOptions {
    misc::check_release(scope, map);
    misc::check_trigger(scope, map);
    scope.text_or_texts(map, "extends");
    let raw = |key: &str| present(map, key).map(Value::to_json);
    JobOptions {
        script: script::read(scope, map, "script").unwrap_or_default(),
        before_script: script::read(scope, map, "before_script").unwrap_or_default(),
        after_script: script::read(scope, map, "after_script").unwrap_or_default(),
        pre_get_sources_script: hook(scope, map),
        image: image::read(scope, map),
        services: image::read_services(scope, map).unwrap_or_default(),
        tags: tags(scope, map),
        artifacts: artifacts::read(scope, map),
        cache: cache::read(scope, map).unwrap_or_default(),
        environment: misc::environment(scope, map),
        retry: misc::retry(scope, map),
        timeout: misc::timeout(scope, map),
        interruptible: interruptible(scope, map),
        coverage: misc::coverage(scope, map),
        resource_group: scope.text(map, "resource_group"),
        manual_confirmation: scope.text(map, "manual_confirmation"),
        id_tokens: misc::id_tokens(scope, map).unwrap_or_default(),
        release: raw("release"),
        pages: raw("pages"),
        trigger: raw("trigger"),
        other: others(map),
    }
}

fn others(map: &Map) -> Members {
    RAW.into_iter()
        .filter(|key| *key != "extends")
        .filter_map(|key| Some((key.to_owned(), present(map, key)?.to_json())))
        .collect()
}

fn hook(scope: &Scope<'_>, map: &Map) -> Vec<String> {
    let Some(value) = present(map, "hooks") else {
        return Vec::new();
    };
    let scope = scope.child("hooks");
    let Some(map) = scope.map(value) else {
        return Vec::new();
    };
    scope.known_keys(map, value.at, &["pre_get_sources_script"]);
    script::read(&scope, map, "pre_get_sources_script").unwrap_or_default()
}

fn interruptible(scope: &Scope<'_>, map: &Map) -> Option<bool> {
    let value = present(map, "interruptible")?;
    if value.as_bool().is_none() {
        scope.child("interruptible").config(value.at, "should be a boolean value");
    }
    value.as_bool()
}

fn tags(scope: &Scope<'_>, map: &Map) -> Vec<String> {
    let Some(value) = present(map, "tags") else {
        return Vec::new();
    };
    let scope = scope.child("tags");
    let Some(tags) = super::scope::strings(value) else {
        scope.config(value.at, "should be an array of strings");
        return Vec::new();
    };
    if tags.len() > MAX_TAGS {
        let what = format!("must be less than the limit of {MAX_TAGS} tags");
        scope.config(value.at, &what);
    }
    tags
}

fn stage(scope: &Scope<'_>, map: &Map) -> String {
    let Some(value) = present(map, "stage") else {
        return "test".to_owned();
    };
    match value.as_str() {
        Some(stage) => stage.to_owned(),
        None => {
            scope.child("stage").config(value.at, "should be a string");
            "test".to_owned()
        }
    }
}

fn when(scope: &Scope<'_>, map: &Map, bridge: bool) -> Option<When> {
    let words: &[&str] = if bridge {
        &["on_success", "on_failure", "always", "manual"]
    } else {
        &["on_success", "on_failure", "always", "manual", "delayed"]
    };
    scope.word(map, "when", words).and_then(|word| When::from_word(&word))
}

/// Checks what depends on several keywords.
fn check(scope: &Scope<'_>, job: &Job, map: &Map, at: At) {
    if job.rules.is_some() {
        let clashing: Vec<&str> =
            ["only", "except", "start_in"].into_iter().filter(|key| present(map, key).is_some()).collect();
        if !clashing.is_empty() {
            let what = format!("key may not be used with `rules`: {}", clashing.join(", "));
            scope.config(at, &what);
        }
    }
    let has_script = present(map, "script");
    if has_script.is_some_and(is_blank) {
        scope.key("script", at, "can't be blank");
    }
    if has_script.is_some() && present(map, "run").is_some() {
        scope.config(at, "these keys cannot be used together: script, run");
    }
    if is_bridge(map) {
        check_bridge(scope, job, map, at);
    }
    check_dependencies(scope, job, map, at);
}

fn is_bridge(map: &Map) -> bool {
    present(map, "script").is_none() && present(map, "run").is_none()
}

/// Checks a job that runs no script: it triggers a pipeline, or follows one.
fn check_bridge(scope: &Scope<'_>, job: &Job, map: &Map, at: At) {
    let follows = |need: &Need| match need {
        Need::External(raw) => raw.get("pipeline").is_some() && raw.get("job").is_none(),
        Need::Job(_) => false,
    };
    if present(map, "trigger").is_none() && !job.needs.iter().flatten().any(follows) {
        let hint = "Add a `script`, or start the name with a dot to hide the entry.";
        scope.config_hint(at, "should contain either a trigger or a needs:pipeline", hint);
    }
    if matches!(job.parallel, Some(Parallel::Count(_))) {
        scope.child("parallel").config(at, "cannot use \"parallel: <number>\".");
    }
}

fn is_blank(value: &Value) -> bool {
    value.as_str().is_some_and(str::is_empty) || value.as_seq().is_some_and(<[_]>::is_empty)
}

/// Refuses dependencies that `needs` does not name.
fn check_dependencies(scope: &Scope<'_>, job: &Job, map: &Map, at: At) {
    let (Some(dependencies), Some(needs)) = (&job.dependencies, &job.needs) else {
        return;
    };
    let needed: Vec<&str> = needs
        .iter()
        .filter_map(|need| match need {
            Need::Job(need) => Some(need.job.as_str()),
            Need::External(_) => None,
        })
        .collect();
    let missing: Vec<&str> = dependencies.iter().map(String::as_str).filter(|name| !needed.contains(name)).collect();
    if !missing.is_empty() && !needed.is_empty() {
        let at = map.get("dependencies").map_or(at, |value| value.at);
        let what = format!("the {} should be part of needs", missing.join(", "));
        scope.key("dependencies", at, &what);
    }
}

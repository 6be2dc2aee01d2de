//! Turns the tree into the typed form and refuses what GitLab refuses.

mod artifacts;
mod cache;
mod check;
pub(crate) mod conditions;
mod image;
mod job;
mod misc;
mod needs;
mod parallel;
mod policy;
mod rules;
mod scope;
mod script;
mod variables;

use indexmap::IndexMap;

use self::job::Surroundings;
use self::rules::Owner;
use self::scope::{Report, Scope, present, strings};
use crate::evaluate::{MAX_JOBS, too_many};
use crate::keywords;
use crate::model::{Config, DefaultVariable, Job, Parallel, When, Workflow};
use crate::problem::{At, Problem};
use crate::value::{Map, Node, Value};

const DEFAULT_STAGES: [&str; 3] = ["build", "test", "deploy"];

/// Reads a whole document.
pub(crate) fn config(root: Map, files: Vec<String>) -> Result<Config, Vec<Problem>> {
    let report = Report::default();
    let defaults = defaults(&report, &root);
    let stages = stages(&report, &root);
    let workflow = workflow(&report, &root);
    let variables = variables(&report, &root);
    let mut jobs = IndexMap::new();
    if report.is_clean() {
        jobs = read_jobs(&report, &root, &defaults);
        warn(&report, &workflow, &jobs);
        limit(&report, &jobs);
    }
    if report.is_clean() {
        check::jobs(&report, &stages, &jobs);
    }
    let (problems, warnings) = report.finish(&files);
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(Config {
        workflow,
        variables,
        stages,
        jobs,
        warnings,
        includes: files,
        merged: Value::new(At::default(), Node::Map(root)),
    })
}

/// Gathers `default` and the keywords of the top level that mean the same.
fn defaults(report: &Report, root: &Map) -> Map {
    let mut defaults = Map::new();
    for key in keywords::GLOBAL_DEFAULTS {
        if let Some(value) = present(root, key) {
            defaults.insert(key.to_owned(), value.clone());
        }
    }
    job::options(&Scope::top(report, ""), &defaults);
    let Some(value) = present(root, "default") else {
        return defaults;
    };
    let scope = Scope::top(report, "default");
    let Some(map) = scope.map(value) else {
        return defaults;
    };
    scope.known_keys(map, value.at, &keywords::DEFAULT);
    job::options(&scope, map);
    let twice: Vec<&str> = defaults.keys().map(String::as_str).filter(|key| present(map, key).is_some()).collect();
    if !twice.is_empty() {
        let what = format!("{} are defined in top-level and `default:` entry", twice.join(", "));
        scope.config(value.at, &what);
    }
    defaults.extend(map.iter().map(|(key, value)| (key.clone(), value.clone())));
    defaults
}

/// Reads `stages` and puts `.pre` first and `.post` last.
fn stages(report: &Report, root: &Map) -> Vec<String> {
    let scope = Scope::top(report, "stages");
    let mut stages: Vec<String> = match present(root, "stages") {
        None => DEFAULT_STAGES.map(str::to_owned).to_vec(),
        Some(value) => strings(value).unwrap_or_else(|| {
            scope.config(value.at, "should be an array of strings");
            Vec::new()
        }),
    };
    stages.retain(|stage| stage != ".pre" && stage != ".post");
    let mut seen = std::collections::HashSet::new();
    stages.retain(|stage| seen.insert(stage.clone()));
    stages.insert(0, ".pre".to_owned());
    stages.push(".post".to_owned());
    stages
}

fn workflow(report: &Report, root: &Map) -> Workflow {
    let Some(value) = present(root, "workflow") else {
        return Workflow::default();
    };
    let scope = &Scope::top(report, "workflow");
    let Some(map) = scope.map(value) else {
        return Workflow::default();
    };
    scope.known_keys(map, value.at, &["rules", "name", "auto_cancel"]);
    let name = scope.text(map, "name");
    if name.as_ref().is_some_and(|name| name.chars().count() > 255) {
        scope.key("name", value.at, "is too long (maximum is 255 characters)");
    }
    Workflow {
        name: name.filter(|name| !name.trim().is_empty()),
        rules: rules::read(scope, map, Owner::Workflow),
        auto_cancel: misc::auto_cancel(scope, map).unwrap_or_default(),
    }
}

fn variables(report: &Report, root: &Map) -> Vec<DefaultVariable> {
    variables::read_defaults(&Scope::top(report, ""), root)
}

fn read_jobs(report: &Report, root: &Map, defaults: &Map) -> IndexMap<String, Job> {
    let around = Surroundings { report, defaults };
    let entries: Vec<(&String, &Value)> =
        root.iter().filter(|(name, _)| !name.starts_with('.') && !keywords::TOP.contains(&name.as_str())).collect();
    let jobs: IndexMap<String, Job> = entries
        .into_iter()
        .filter_map(|(name, value)| Some((name.clone(), job::read(&around, name, value)?)))
        .collect();
    if jobs.is_empty() {
        let problem = Problem::new("jobs config should contain at least one visible job")
            .hint("Add a job: a name of your choice with a `script` below it.");
        report.refuse(problem);
    }
    jobs
}

/// Refuses more instances than a pipeline may have in any event.
fn limit(report: &Report, jobs: &IndexMap<String, Job>) {
    let total: usize = jobs
        .values()
        .map(|job| match &job.parallel {
            None => 1,
            Some(Parallel::Count(count)) => *count as usize,
            Some(Parallel::Matrix(rows)) => rows.len(),
        })
        .sum();
    if total > 2 * MAX_JOBS {
        report.refuse(too_many());
    }
}

/// Warns of rules that let two pipelines run for one push.
fn warn(report: &Report, workflow: &Workflow, jobs: &IndexMap<String, Job>) {
    if workflow.rules.is_some() {
        return;
    }
    for job in jobs.values() {
        let last = job.rules.as_ref().and_then(|rules| rules.last());
        let open = last.is_some_and(|rule| {
            rule.when.is_some_and(|when| when != When::Never)
                && rule.condition.is_none()
                && rule.changes.is_none()
                && rule.exists.is_none()
                && rule.variables.is_empty()
                && rule.allow_failure.is_none()
        });
        if open {
            let what = "may allow multiple pipelines to run for a single action due to \
                        `rules:when` clause with no `workflow:rules`";
            Scope::job(report, &job.name).warn(what, job.at);
        }
    }
}

use std::collections::BTreeMap;

use ci_yaml::{Config, Context, Files, NoFiles, NoPipeline, Plan, RefKind, Variable, evaluate, parse};

/// Holds files in memory.
#[derive(Default)]
pub(crate) struct Tree {
    pub(crate) files: BTreeMap<String, String>,
    pub(crate) variables: BTreeMap<String, String>,
}

impl Tree {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        Self { files, variables: BTreeMap::new() }
    }
}

impl Files for Tree {
    fn read(&self, path: &str) -> Option<String> {
        self.files.get(path).cloned()
    }

    fn list(&self) -> Vec<String> {
        self.files.keys().cloned().collect()
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }
}

pub(crate) fn read(source: &str) -> Config {
    parse(source, &NoFiles).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

pub(crate) fn messages(source: &str) -> Vec<String> {
    parse(source, &NoFiles).unwrap_err().into_iter().map(|problem| problem.message).collect()
}

/// An event, with sensible values.
pub(crate) struct Event {
    pub(crate) kind: RefKind,
    pub(crate) reference: &'static str,
    pub(crate) source: &'static str,
    pub(crate) variables: Vec<Variable>,
    pub(crate) changed: Option<Vec<String>>,
    pub(crate) files: Vec<String>,
}

impl Default for Event {
    fn default() -> Self {
        Self {
            kind: RefKind::Branch,
            reference: "main",
            source: "push",
            variables: Vec::new(),
            changed: None,
            files: Vec::new(),
        }
    }
}

impl Event {
    pub(crate) fn variable(mut self, key: &str, value: &str) -> Self {
        self.variables.push(Variable { key: key.to_owned(), value: value.to_owned(), raw: false });
        self
    }

    pub(crate) fn changed(mut self, paths: &[&str]) -> Self {
        self.changed = Some(paths.iter().map(|path| (*path).to_owned()).collect());
        self
    }

    pub(crate) fn plan(&self, source: &str) -> Result<Plan, NoPipeline> {
        let predefined: Vec<Variable> = [
            ("CI_PIPELINE_SOURCE", self.source),
            ("CI_COMMIT_REF_NAME", self.reference),
            (if self.kind == RefKind::Tag { "CI_COMMIT_TAG" } else { "CI_COMMIT_BRANCH" }, self.reference),
        ]
        .iter()
        .map(|(key, value)| Variable { key: (*key).to_owned(), value: (*value).to_owned(), raw: false })
        .collect();
        let context = Context {
            kind: self.kind,
            reference: self.reference,
            source: self.source,
            project: "group/project",
            predefined: &predefined,
            variables: &self.variables,
            changed: &|_| self.changed.clone(),
            files: &|| self.files.clone(),
        };
        evaluate(&read(source), &context)
    }

    pub(crate) fn jobs(&self, source: &str) -> Vec<String> {
        self.plan(source).unwrap().jobs.into_iter().map(|job| job.name).collect()
    }
}

pub(crate) fn plan(source: &str) -> Plan {
    Event::default().plan(source).unwrap()
}

//! Lays the blocks named by `extends` under the jobs that name them.

use std::collections::HashMap;

use crate::load::Budget;
use crate::problem::{At, Problem};
use crate::value::{Map, Node, Value};

/// Bounds the levels below a job; with its own there are eleven.
const MAX_ANCESTORS: usize = 10;

/// Carries out every `extends` of a document.
pub(crate) fn resolve(root: &mut Map, budget: &mut Budget) -> Result<(), Problem> {
    let extending: Vec<String> =
        root.iter().filter(|(_, value)| value.get("extends").is_some()).map(|(key, _)| key.clone()).collect();
    let mut resolver = Resolver { root, budget, done: HashMap::new(), chain: Vec::new() };
    for key in &extending {
        resolver.entry(key)?;
    }
    let done = resolver.done;
    for (key, (value, _)) in done {
        root.insert(key, value);
    }
    Ok(())
}

struct Resolver<'a> {
    root: &'a Map,
    budget: &'a mut Budget,
    /// Holds finished entries with the levels below each.
    done: HashMap<String, (Value, usize)>,
    chain: Vec<String>,
}

impl Resolver<'_> {
    /// Finishes an entry; gives the number of levels below it.
    fn entry(&mut self, key: &str) -> Result<usize, Problem> {
        if let Some((_, levels)) = self.done.get(key) {
            return Ok(*levels);
        }
        let Some(value) = self.root.get(key) else {
            return Ok(0);
        };
        let Some(extends) = value.get("extends") else {
            return Ok(0);
        };
        if self.chain.iter().any(|seen| seen == key) {
            return Err(fault(key, "circular dependency detected in `extends`", extends.at));
        }
        if self.chain.len() > MAX_ANCESTORS {
            return Err(too_deep(&self.chain[0], extends.at));
        }
        self.chain.push(key.to_owned());
        let outcome = self.merge(key, value, extends)?;
        self.chain.pop();
        let levels = outcome.1;
        self.done.insert(key.to_owned(), outcome);
        Ok(levels)
    }

    fn merge(&mut self, key: &str, value: &Value, extends: &Value) -> Result<(Value, usize), Problem> {
        let bases = bases(extends).ok_or_else(|| {
            let job = format!("jobs:{key}");
            Problem::new(format!("{job} extends should be an array of strings or a string"))
                .at(extends.at)
                .job(key)
                .keyword("extends")
        })?;
        let root = self.root;
        self.known(key, &bases, extends.at)?;
        let mut merged = Value::new(value.at, Node::Map(Map::new()));
        let mut levels = 0;
        for base in &bases {
            levels = levels.max(self.entry(base)? + 1);
            if levels > MAX_ANCESTORS + 1 {
                return Err(too_deep(key, extends.at));
            }
            if let Some(below) = self.done.get(base).map(|(value, _)| value).or_else(|| root.get(base)) {
                self.budget.spend(below.weight(), extends.at)?;
                merged.merge(below.clone());
            }
        }
        self.budget.spend(value.weight(), extends.at)?;
        merged.merge(value.clone());
        merged.at = value.at;
        Ok((merged, levels))
    }

    fn known(&self, key: &str, bases: &[String], at: At) -> Result<(), Problem> {
        let list = |wrong: &dyn Fn(&String) -> bool| -> Vec<&str> {
            bases.iter().filter(|base| wrong(base)).map(String::as_str).collect()
        };
        let unknown = list(&|base| !self.root.contains_key(base));
        if !unknown.is_empty() {
            let what = format!("unknown keys in `extends` ({})", unknown.join(", "));
            return Err(fault(key, &what, at)
                .hint("Name jobs of this file or of an included file; hidden ones start with a dot."));
        }
        let invalid = list(&|base| self.root.get(base).is_some_and(|value| value.as_map().is_none()));
        if invalid.is_empty() {
            return Ok(());
        }
        let what = format!("invalid base hashes in `extends` ({})", invalid.join(", "));
        Err(fault(key, &what, at))
    }
}

fn bases(extends: &Value) -> Option<Vec<String>> {
    match &extends.node {
        Node::Str(one) => Some(vec![one.clone()]),
        Node::Seq(items) => items.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
}

fn too_deep(key: &str, at: At) -> Problem {
    fault(key, "nesting too deep in `extends`", at).hint("The limit is 11 levels.")
}

fn fault(key: &str, what: &str, at: At) -> Problem {
    Problem::new(format!("{key}: {what}")).at(at).job(key).keyword("extends")
}

//! Puts in place what `!reference` names.

use crate::load::Budget;
use crate::problem::{At, Problem};
use crate::value::{Map, Node, Value};

/// Bounds how many references lead from one to the next.
const MAX_CHAIN: usize = 10;

/// Resolves every reference of a document.
pub(crate) fn resolve(root: &Map, budget: &mut Budget) -> Result<Map, Problem> {
    let mut resolver = Resolver { root, budget, chain: Vec::new() };
    resolver.map(root)
}

struct Resolver<'a> {
    root: &'a Map,
    budget: &'a mut Budget,
    chain: Vec<&'a [String]>,
}

impl<'a> Resolver<'a> {
    fn map(&mut self, map: &'a Map) -> Result<Map, Problem> {
        map.iter().map(|(key, value)| Ok((key.clone(), self.value(value)?))).collect()
    }

    fn value(&mut self, value: &'a Value) -> Result<Value, Problem> {
        let node = match &value.node {
            Node::Reference(path) => return self.follow(path, value.at),
            Node::Map(map) => Node::Map(self.map(map)?),
            Node::Seq(items) => Node::Seq(items.iter().map(|item| self.value(item)).collect::<Result<_, _>>()?),
            other => other.clone(),
        };
        // Inside a reference every value is a further copy.
        if !self.chain.is_empty() {
            self.budget.spend(1, value.at)?;
        }
        Ok(Value::new(value.at, node))
    }

    fn follow(&mut self, path: &'a [String], at: At) -> Result<Value, Problem> {
        if self.chain.contains(&path) {
            return Err(problem(path, "is part of a circular chain", at));
        }
        if self.chain.len() >= MAX_CHAIN {
            return Err(problem(path, "is nested too deep", at).hint("The limit is 10 levels."));
        }
        self.chain.push(path);
        let found = self.find(path, at)?;
        self.chain.pop();
        Ok(Value::new(at, found.node))
    }

    /// Walks to the value; a reference on the way is followed.
    fn find(&mut self, path: &'a [String], at: At) -> Result<Value, Problem> {
        let missing = || {
            problem(path, "could not be found", at)
                .hint("A reference names the job first, then the keyword, then what is inside it.")
        };
        let (first, rest) = path.split_first().ok_or_else(missing)?;
        let mut current = self.root.get(first).ok_or_else(missing)?;
        for (index, key) in rest.iter().enumerate() {
            if let Node::Reference(other) = &current.node {
                let whole = self.follow(other, at)?;
                return dig(whole, &rest[index..]).ok_or_else(missing);
            }
            current = current.as_map().and_then(|map| map.get(key)).ok_or_else(missing)?;
        }
        self.value(current)
    }
}

fn dig(value: Value, path: &[String]) -> Option<Value> {
    path.iter().try_fold(value, |value, key| match value.node {
        Node::Map(mut map) => map.swap_remove(key),
        _ => None,
    })
}

fn problem(path: &[String], what: &str, at: At) -> Problem {
    Problem::new(format!("!reference {path:?} {what}")).at(at).keyword("!reference")
}

//! The `.gitlab-ci.yml` language: text in, a graph of jobs out. No I/O.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod duration;
mod evaluate;
pub mod expand;
pub mod expression;
mod extends;
pub mod glob;
mod include;
mod inputs;
pub mod keywords;
mod load;
mod model;
mod names;
mod problem;
mod read;
mod reference;
mod scalar;
mod value;

pub use evaluate::{Changed, Context, MAX_JOBS, NoPipeline, RefKind, evaluate};
pub use include::{External, Fetched, Files, NoFiles};
pub use model::*;
pub use problem::{At, Problem};
pub use value::{Map, Node, Value};

/// Reads a configuration with everything it includes.
pub fn parse(source: &str, files: &dyn Files) -> Result<Config, Vec<Problem>> {
    let mut names = Vec::new();
    match document(source, files, &mut names) {
        Ok(root) => read::config(root, names),
        Err(problem) => Err(vec![problem.named(&names)]),
    }
}

/// Carries out includes, references and `extends`.
fn document(source: &str, files: &dyn Files, names: &mut Vec<String>) -> Result<Map, Problem> {
    let mut budget = load::Budget::default();
    let root = include::read(source, files, &mut budget, names)?;
    let mut root = reference::resolve(&root, &mut budget)?;
    extends::resolve(&mut root, &mut budget)?;
    Ok(root)
}

impl Config {
    /// Writes the document after includes, references and `extends`.
    pub fn to_yaml(&self) -> Result<String, Problem> {
        let text = serde_saphyr::to_string(&self.merged)
            .map_err(|error| Problem::new(format!("The configuration cannot be written: {error}")))?;
        Ok(format!("---\n{text}"))
    }
}

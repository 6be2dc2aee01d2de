//! Checks of the project by the project. Each check takes the root folder and gives findings.

mod edges;
mod files;
mod links;
mod migrations;
pub mod openapi;
mod readmes;
mod sizes;
mod words;

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

pub use files::File;

/// What a check has to say about a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Whether the check fails because of it, rather than only mentioning it.
    pub fails: bool,
    /// The file, relative to the root, with a line number where there is one.
    pub place: String,
    /// What is wrong and what helps.
    pub message: String,
}

impl Finding {
    pub(crate) fn failure(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { fails: true, place: place.into(), message: message.into() }
    }

    pub(crate) fn warning(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { fails: false, place: place.into(), message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.fails { "error" } else { "warning" };
        write!(f, "{kind}: {}: {}", self.place, self.message)
    }
}

/// Finds the folder of the workspace.
pub fn root() -> Result<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    Ok(here.parent().context("xtask lies below the root")?.to_owned())
}

/// Carries out every check.
pub fn tidy(root: &Path) -> Result<Vec<Finding>> {
    let files = files::read(root)?;
    let mut findings = edges::check(root)?;
    findings.extend(sizes::check(&files));
    findings.extend(words::check(&files));
    findings.extend(migrations::check(&files));
    findings.extend(readmes::check(root, &files));
    findings.extend(links::check(root, &files));
    Ok(findings)
}

/// Prints findings; tells whether none of them fails.
pub fn report(findings: &[Finding]) -> bool {
    for finding in findings {
        eprintln!("{finding}");
    }
    let failures = findings.iter().filter(|f| f.fails).count();
    if failures > 0 {
        eprintln!("{failures} of {} findings must be repaired", findings.len());
    }
    failures == 0
}

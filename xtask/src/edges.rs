//! Who uses whom, against the written list.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::Finding;

const LIST: &str = "xtask/tiers.toml";

#[derive(Deserialize)]
struct List {
    #[serde(rename = "crate")]
    crates: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    tier: u8,
    uses: Vec<String>,
    #[serde(default)]
    dev: Vec<String>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    kind: Option<String>,
    path: Option<String>,
}

/// Compares the list with what Cargo knows.
pub(crate) fn check(root: &Path) -> Result<Vec<Finding>> {
    let text = std::fs::read_to_string(root.join(LIST)).with_context(|| format!("{LIST} can't be read"))?;
    let list: List = toml::from_str(&text).with_context(|| format!("{LIST} can't be understood"))?;
    Ok(compare(&list, &metadata(root)?))
}

fn metadata(root: &Path) -> Result<Metadata> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(root)
        .output()
        .context("cargo can't be started")?;
    if !output.status.success() {
        bail!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn compare(list: &List, metadata: &Metadata) -> Vec<Finding> {
    let mut findings = check_list(list);
    let entries: BTreeMap<&str, &Entry> = list.crates.iter().map(|e| (e.name.as_str(), e)).collect();
    for package in &metadata.packages {
        match entries.get(package.name.as_str()) {
            Some(entry) => findings.extend(check_package(package, entry)),
            None => findings.push(Finding::failure(LIST, format!("the crate `{}` is not listed", package.name))),
        }
    }
    for entry in &list.crates {
        if !metadata.packages.iter().any(|p| p.name == entry.name) {
            findings.push(Finding::failure(LIST, format!("there is no crate `{}`", entry.name)));
        }
    }
    findings
}

/// Whether the list keeps its own rule: down a tier, or backwards within one.
fn check_list(list: &List) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut before: BTreeMap<&str, u8> = BTreeMap::new();
    for entry in &list.crates {
        for used in &entry.uses {
            let allowed = before.get(used.as_str()).is_some_and(|tier| *tier <= entry.tier);
            if !allowed {
                let message = format!("`{}` lists `{used}`, which is not below or before it", entry.name);
                findings.push(Finding::failure(LIST, message));
            }
        }
        before.insert(&entry.name, entry.tier);
    }
    findings
}

fn check_package(package: &Package, entry: &Entry) -> Vec<Finding> {
    let place = format!("crate {}", package.name);
    let uses: BTreeSet<&str> = entry.uses.iter().map(String::as_str).collect();
    let dev: BTreeSet<&str> = entry.dev.iter().map(String::as_str).collect();
    let mut findings = Vec::new();
    for dependency in package.dependencies.iter().filter(|d| d.path.is_some()) {
        let name = dependency.name.as_str();
        let only_tests = dependency.kind.as_deref() == Some("dev");
        let allowed = uses.contains(name) || (only_tests && dev.contains(name));
        if !allowed {
            let message = format!("uses `{name}`, which {LIST} does not allow; could an event or a trait do?");
            findings.push(Finding::failure(&place, message));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> List {
        toml::from_str(text).unwrap()
    }

    fn package(name: &str, uses: &[(&str, Option<&str>)]) -> Package {
        let dependency = |(name, kind): &(&str, Option<&str>)| Dependency {
            name: (*name).into(),
            kind: kind.map(Into::into),
            path: Some("here".into()),
        };
        Package { name: name.into(), dependencies: uses.iter().map(dependency).collect() }
    }

    const TWO: &str = r#"
        [[crate]]
        name = "low"
        tier = 0
        uses = []
        [[crate]]
        name = "high"
        tier = 1
        uses = ["low"]
        dev = ["kit"]
    "#;

    #[test]
    fn allows_what_is_listed() {
        let packages = vec![package("low", &[]), package("high", &[("low", None), ("kit", Some("dev"))])];
        assert_eq!(compare(&list(TWO), &Metadata { packages }), []);
    }

    #[test]
    fn refuses_an_edge_upwards_and_a_test_helper_outside_tests() {
        let packages = vec![package("low", &[("high", None)]), package("high", &[("kit", None)])];
        let findings = compare(&list(TWO), &Metadata { packages });
        assert_eq!(findings.iter().map(|f| f.place.as_str()).collect::<Vec<_>>(), ["crate low", "crate high"]);
    }

    #[test]
    fn refuses_unlisted_and_vanished_crates() {
        let packages = vec![package("low", &[]), package("new", &[])];
        let findings = compare(&list(TWO), &Metadata { packages });
        assert!(findings.iter().any(|f| f.message.contains("`new` is not listed")));
        assert!(findings.iter().any(|f| f.message.contains("no crate `high`")));
    }

    #[test]
    fn refuses_a_list_that_points_upwards() {
        let upwards = TWO.replace("uses = []", r#"uses = ["high"]"#);
        assert!(check_list(&list(&upwards)).iter().any(|f| f.message.contains("not below")));
    }
}

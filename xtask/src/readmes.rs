//! Every crate says in a README.md what it is and what always holds in it.

use std::path::Path;

use crate::{File, Finding};

pub(crate) fn check(root: &Path, files: &[File]) -> Vec<Finding> {
    let manifests = files.iter().filter_map(|f| f.path.strip_suffix("/Cargo.toml"));
    let without = manifests.filter(|folder| !root.join(folder).join("README.md").is_file());
    without.map(|folder| Finding::failure(folder, "has no README.md: what is it, and what always holds?")).collect()
}

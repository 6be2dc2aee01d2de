//! Changed files as the API shows them.

use git::Oid;
use git::diff::{DiffOptions, FileDiff, Status};
use kernel::Result;
use schemars::JsonSchema;
use serde::Serialize;

use super::code::Code;
use crate::error::OrStatus;

/// A changed file with its lines.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct DiffEntity {
    /// The changed places in unified format.
    diff: String,
    collapsed: bool,
    too_large: bool,
    new_path: String,
    old_path: String,
    a_mode: String,
    b_mode: String,
    new_file: bool,
    renamed_file: bool,
    deleted_file: bool,
    generated_file: bool,
}

impl DiffEntity {
    fn of(file: &FileDiff, unidiff: bool) -> Self {
        let change = &file.change;
        let (old, new) = (change.old_path.lossy().into_owned(), change.new_path.lossy().into_owned());
        let mut diff = file.unified().lossy().into_owned();
        if unidiff && !diff.is_empty() {
            let side = |there: bool, prefix: &str, path: &str| match there {
                true => format!("{prefix}/{path}"),
                false => "/dev/null".to_owned(),
            };
            let before = side(change.status != Status::Added, "a", &old);
            let after = side(change.status != Status::Deleted, "b", &new);
            diff = format!("--- {before}\n+++ {after}\n{diff}");
        }
        Self {
            diff,
            collapsed: file.collapsed,
            too_large: file.too_large,
            new_path: new,
            old_path: old,
            a_mode: format!("{:o}", change.old_mode),
            b_mode: format!("{:o}", change.new_mode),
            new_file: change.status == Status::Added,
            renamed_file: change.status == Status::Renamed,
            deleted_file: change.status == Status::Deleted,
            generated_file: change.generated,
        }
    }
}

/// The files that differ between two revisions, and whether there are more.
pub(crate) async fn between(code: &Code, old: Oid, new: Oid, unidiff: bool) -> Result<(Vec<DiffEntity>, bool)> {
    let options = DiffOptions { words: false, ..DiffOptions::default() };
    let diff = code.repo.diff(old, new, &options).await.or_status()?;
    Ok((diff.files.iter().map(|file| DiffEntity::of(file, unidiff)).collect(), diff.truncated))
}

//! The project's own text files.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// Folders that hold nothing written by hand.
const SKIPPED: &[&str] = &["target", "node_modules", ".git", "data"];
const EXTENSIONS: &[&str] =
    &["rs", "js", "mjs", "css", "md", "toml", "sql", "sh", "yml", "yaml", "json", "py", "html", "txt", "svg", "lock"];

/// A text file of the project.
#[derive(Clone, Debug)]
pub struct File {
    /// The path from the root, with slashes.
    pub path: String,
    /// What it says.
    pub text: String,
}

impl File {
    pub(crate) fn extension(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name.rsplit_once('.').map_or("", |(_, extension)| extension)
    }

    /// Whether it is code that only tests see.
    pub(crate) fn is_test(&self) -> bool {
        let named = |part: &str| matches!(part, "tests" | "tests.rs" | "testkit" | "benches" | "examples");
        self.path.split('/').any(named)
    }
}

/// Reads all text files below `root`, in the order of their paths.
pub(crate) fn read(root: &Path) -> Result<Vec<File>> {
    let mut files = Vec::new();
    walk(root, "", &mut files)?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn walk(folder: &Path, prefix: &str, files: &mut Vec<File>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("{} can't be read", folder.display()))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        let kind = entry.file_type()?;
        if kind.is_dir() && !SKIPPED.contains(&name.as_str()) {
            walk(&entry.path(), &format!("{path}/"), files)?;
        } else if kind.is_file() && is_text(&name) {
            // A file may vanish while somebody works beside us, and some hold bytes on purpose.
            if let Ok(text) = fs::read_to_string(entry.path()) {
                files.push(File { path, text });
            }
        }
    }
    Ok(())
}

fn is_text(name: &str) -> bool {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    matches!(name, "justfile" | "run" | ".npmrc" | ".gitignore") || extension.is_some_and(|e| EXTENSIONS.contains(&e))
}

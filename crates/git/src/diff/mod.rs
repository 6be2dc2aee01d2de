//! Differences between two trees, as data.

mod list;
mod patch;
mod words;

use serde::Serialize;

pub use list::ChangeList;
pub use patch::Diff;
pub(crate) use patch::read_line;

use crate::command::Git;
use crate::tree::EntryKind;
use crate::{ByteStream, ByteString, GitError, Oid, Repo, RepoPath, Result};

/// Files above this size are treated as binary, which spares reading them.
const BIG_FILE: &str = "core.bigFileThreshold=16m";

/// Says what to compare and how much of it to return.
#[derive(Clone, Debug)]
pub struct DiffOptions {
    /// Limits the comparison to these paths; a renamed file needs both of its paths.
    pub paths: Vec<RepoPath>,
    /// How many files to return at most.
    pub max_files: usize,
    /// A file with more changed and context lines than this is too large.
    pub max_file_lines: usize,
    /// A file whose patch has more bytes than this is too large.
    pub max_file_bytes: usize,
    /// Files after this many bytes of patches come collapsed.
    pub max_total_bytes: usize,
    /// Lines of context around each change.
    pub context: u32,
    /// Whether to ignore changes of white space.
    pub ignore_whitespace: bool,
    /// Whether to mark the changed words within lines.
    pub words: bool,
}

impl Default for DiffOptions {
    fn default() -> Self {
        Self {
            paths: Vec::new(),
            max_files: 1000,
            max_file_lines: 5000,
            max_file_bytes: 512 << 10,
            max_total_bytes: 4 << 20,
            context: 3,
            ignore_whitespace: false,
            words: true,
        }
    }
}

/// Says what happened to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It is new.
    Added,
    /// Its contents or mode changed.
    Modified,
    /// It is gone.
    Deleted,
    /// It has another path.
    Renamed,
    /// It was made from another file.
    Copied,
    /// It became something else, as a link in place of a file.
    TypeChanged,
}

impl Status {
    fn from_letter(letter: u8) -> Self {
        match letter {
            b'A' => Self::Added,
            b'D' => Self::Deleted,
            b'R' => Self::Renamed,
            b'C' => Self::Copied,
            b'T' => Self::TypeChanged,
            _ => Self::Modified,
        }
    }
}

/// Is one changed file.
#[derive(Clone, Debug, Serialize)]
pub struct FileChange {
    /// The path before; the same as `new_path` unless renamed or copied.
    pub old_path: ByteString,
    /// The path after; the old one for a deleted file.
    pub new_path: ByteString,
    /// What happened.
    pub status: Status,
    /// The mode before, zero if the file is new.
    pub old_mode: u32,
    /// The mode after, zero if the file is gone.
    pub new_mode: u32,
    /// The object before, zeros if the file is new.
    pub old_oid: Oid,
    /// The object after, zeros if the file is gone.
    pub new_oid: Oid,
    /// How alike both are, in percent, for renames and copies.
    pub similarity: Option<u8>,
    /// Whether the file is no text.
    pub binary: bool,
    /// Lines added, if counted.
    pub additions: Option<u64>,
    /// Lines removed, if counted.
    pub deletions: Option<u64>,
    /// Whether the file is usually made by a tool.
    pub generated: bool,
}

impl FileChange {
    /// Tells whether the change concerns a submodule.
    pub fn is_submodule(&self) -> bool {
        [self.old_mode, self.new_mode].iter().any(|mode| EntryKind::from_mode(*mode) == EntryKind::Submodule)
    }

    /// Returns the paths that select this change in [`DiffOptions::paths`].
    pub fn selection(&self) -> Vec<RepoPath> {
        let mut paths: Vec<_> = [&self.old_path, &self.new_path].iter().filter_map(|p| RepoPath::new(p).ok()).collect();
        paths.dedup();
        paths
    }
}

/// Is one changed file with its lines.
#[derive(Clone, Debug, Serialize)]
pub struct FileDiff {
    /// The file.
    #[serde(flatten)]
    pub change: FileChange,
    /// The changed places, empty if collapsed, too large or binary.
    pub hunks: Vec<Hunk>,
    /// Whether the file alone exceeds the limits.
    pub too_large: bool,
    /// Whether the files before it used up the limits; ask for it alone to see it.
    pub collapsed: bool,
}

impl FileDiff {
    /// Returns the hunks in unified format, without a header for the file.
    pub fn unified(&self) -> ByteString {
        let mut text = Vec::new();
        for hunk in &self.hunks {
            hunk.write_unified(&mut text);
        }
        text.into()
    }
}

/// Is a run of changed lines with context.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hunk {
    /// The first line before, counted from one.
    pub old_start: u32,
    /// How many lines before.
    pub old_lines: u32,
    /// The first line after, counted from one.
    pub new_start: u32,
    /// How many lines after.
    pub new_lines: u32,
    /// The heading that git found, such as a function's first line.
    pub heading: ByteString,
    /// The lines.
    pub lines: Vec<Line>,
}

impl Hunk {
    fn write_unified(&self, text: &mut Vec<u8>) {
        let side = |start: u32, count: u32| if count == 1 { start.to_string() } else { format!("{start},{count}") };
        let (old, new) = (side(self.old_start, self.old_lines), side(self.new_start, self.new_lines));
        text.extend_from_slice(format!("@@ -{old} +{new} @@").as_bytes());
        if !self.heading.is_empty() {
            text.push(b' ');
            text.extend_from_slice(&self.heading);
        }
        text.push(b'\n');
        for line in &self.lines {
            text.push(line.kind.sign());
            text.extend_from_slice(&line.text);
            text.push(b'\n');
            if line.no_newline {
                text.extend_from_slice(b"\\ No newline at end of file\n");
            }
        }
    }
}

/// Says which side of a diff a line is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    /// Both.
    Context,
    /// The new one.
    Added,
    /// The old one.
    Removed,
}

impl LineKind {
    fn sign(self) -> u8 {
        match self {
            Self::Context => b' ',
            Self::Added => b'+',
            Self::Removed => b'-',
        }
    }
}

/// Is one line of a diff.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Which side it is on.
    pub kind: LineKind,
    /// Its number before, counted from one.
    pub old: Option<u32>,
    /// Its number after, counted from one.
    pub new: Option<u32>,
    /// The text without a line feed.
    pub text: ByteString,
    /// The byte ranges of changed words, as pairs of start and end.
    pub words: Vec<(u32, u32)>,
    /// Whether the file ends here without a line feed.
    pub no_newline: bool,
}

impl Repo {
    /// Returns what a commit is compared with: its first parent, or the empty tree.
    pub async fn diff_base(&self, commit: Oid) -> Result<Oid> {
        let commit = self.commit(commit).await?;
        Ok(commit.parents.first().copied().unwrap_or_else(Oid::empty_tree))
    }

    /// Returns where a three-dot comparison starts: the merge base, or the empty tree without one.
    pub async fn three_dot_base(&self, old: Oid, new: Oid) -> Result<Oid> {
        Ok(self.merge_base(old, new).await?.unwrap_or_else(Oid::empty_tree))
    }

    /// Streams the difference of two revisions as a patch that `git apply` takes.
    pub fn patch_stream(&self, old: Oid, new: Oid) -> Result<ByteStream> {
        let command = self.git("diff-tree").args(["-r", "-M", "-p", "--full-index", "--binary", "--no-ext-diff"]);
        command.args([old.to_string(), new.to_string()]).stream()
    }

    /// Streams the commits that `new` has and `old` has not as mails, at most `limit`; one commit if `old` is absent.
    pub fn format_patch_stream(&self, old: Option<Oid>, new: Oid, limit: usize) -> Result<ByteStream> {
        let command = self.git("format-patch").args(["--stdout", "--no-signature", "--full-index", "--binary"]);
        let command = match old {
            Some(old) => command.arg(format!("--max-count={limit}")).arg(format!("{old}..{new}")),
            None => command.args(["-1", &new.to_string()]),
        };
        command.stream()
    }

    fn diff_command(&self, old: Oid, new: Oid, options: &DiffOptions, format: &[&str]) -> Result<Git> {
        if options.paths.len() > 1000 {
            return Err(GitError::TooLarge("the list of paths".into()));
        }
        let git = Git::with_settings(self.path(), "diff-tree", &[BIG_FILE.to_owned()]);
        let git = git.args(["-r", "-z", "-M", "-l1000", "--raw", "--full-index", "--no-ext-diff", "--no-textconv"]);
        let git = git.args(format).arg_if(options.ignore_whitespace, "--ignore-all-space");
        let git = git.args([&old.to_string(), &new.to_string(), "--"]);
        Ok(options.paths.iter().fold(git, |git, path| git.path(path)))
    }
}

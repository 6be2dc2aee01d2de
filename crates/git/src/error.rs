//! The one error type of the crate.

use std::io;

/// Is the result of every fallible function of this crate.
pub type Result<T, E = GitError> = std::result::Result<T, E>;

/// Says why an operation on a repository could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The repository, revision, path or object does not exist.
    #[error("{0} was not found")]
    NotFound(String),
    /// A ref name, path, revision or object id is malformed.
    #[error("{0}")]
    InvalidName(String),
    /// The repository changed since the caller looked at it, or the change contradicts what is there.
    #[error("{0}")]
    Conflict(String),
    /// A merge, cherry-pick or revert left conflicts in these paths.
    #[error("merge conflict in {} path(s)", .0.len())]
    MergeConflict(Vec<crate::ByteString>),
    /// Something is larger than the given limit.
    #[error("{0} is too large")]
    TooLarge(String),
    /// The work did not finish within its time limit.
    #[error("{0} took too long")]
    TimedOut(String),
    /// An object or file of the repository can't be read.
    #[error("repository data can't be read: {0}")]
    Corrupt(String),
    /// A git command failed.
    #[error("git {command} failed: {stderr}")]
    Command {
        /// The subcommand.
        command: String,
        /// What it printed on standard error, cut to a few kilobytes.
        stderr: String,
    },
    /// The file system or a pipe failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl GitError {
    /// Tells whether the error is [`GitError::NotFound`].
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound(_))
    }
}

impl From<gix::Error> for GitError {
    fn from(error: gix::Error) -> Self {
        Self::Corrupt(error.to_string())
    }
}

/// Builds a [`GitError::NotFound`].
pub(crate) fn not_found(what: impl Into<String>) -> GitError {
    GitError::NotFound(what.into())
}

/// Builds a [`GitError::Corrupt`] from any error.
pub(crate) fn corrupt(error: impl std::fmt::Display) -> GitError {
    GitError::Corrupt(error.to_string())
}

//! Git's errors in the house's terms.

use git::GitError;
use kernel::{Error, Result};

/// Turns an error of the git crate into the house's own.
pub fn status_of(error: GitError) -> Error {
    match error {
        GitError::NotFound(_) => Error::not_found(""),
        GitError::InvalidName(why) => Error::BadRequest(why),
        GitError::Conflict(why) => Error::Conflict(why),
        e @ GitError::MergeConflict(_) => Error::Conflict(e.to_string()),
        e @ GitError::TooLarge(_) => Error::TooLarge(e.to_string()),
        e @ GitError::TimedOut(_) => Error::Unavailable(e.to_string()),
        GitError::Io(e) if e.kind() == std::io::ErrorKind::StorageFull => full_disk(),
        GitError::Command { stderr, .. } if stderr.contains("No space left on device") => full_disk(),
        other => Error::internal(other),
    }
}

fn full_disk() -> Error {
    Error::Unavailable("the server's disk is full; nothing was changed".into())
}

/// Lets results of the git crate be passed on by `?`.
pub trait OrStatus<T> {
    /// The same result with the house's error.
    fn or_status(self) -> Result<T>;
}

impl<T> OrStatus<T> for git::Result<T> {
    fn or_status(self) -> Result<T> {
        self.map_err(status_of)
    }
}

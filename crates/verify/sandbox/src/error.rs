use std::io;

/// Why a step or a job could not be started or followed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The host cannot isolate jobs.
    #[error("this host cannot isolate jobs: {0}")]
    Unavailable(String),
    /// The sandbox could not be set up.
    #[error("the job's sandbox could not be set up: {0}")]
    Setup(String),
    /// The request makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// An operation on the host failed.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system answered.
        source: io::Error,
    },
}

/// The crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Says what was tried when an operation fails.
pub(crate) trait Context<T> {
    fn context(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: Into<io::Error>> Context<T> for Result<T, E> {
    fn context(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|e| Error::Io { what: what(), source: e.into() })
    }
}

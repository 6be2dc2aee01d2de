//! What is wrong with a configuration, and where.

use std::fmt;

/// One reason why a configuration is refused or doubtful.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Problem {
    /// Names the fault in GitLab's words.
    pub message: String,
    /// Gives the line, counted from one, where the fault was found.
    pub line: Option<u32>,
    /// Names the included file that holds the line, when it is not the root file.
    pub file: Option<String>,
    /// Names the job at fault.
    pub job: Option<String>,
    /// Names the keyword at fault.
    pub keyword: Option<Box<str>>,
    /// Says what would mend the fault.
    pub hint: Option<Box<str>>,
    /// Counts the file until its name is known.
    #[serde(skip)]
    place: u16,
}

impl Problem {
    /// Starts a problem that has only a message.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), line: None, file: None, job: None, keyword: None, hint: None, place: 0 }
    }

    /// Adds the place where the fault was found.
    pub(crate) fn at(mut self, at: At) -> Self {
        self.line = (at.line > 0).then_some(at.line);
        self.place = at.file;
        self
    }

    /// Adds the job at fault.
    pub(crate) fn job(mut self, job: &str) -> Self {
        self.job = Some(job.to_owned());
        self
    }

    /// Adds the keyword at fault.
    pub(crate) fn keyword(mut self, keyword: &str) -> Self {
        self.keyword = Some(keyword.into());
        self
    }

    /// Adds what would mend the fault.
    pub(crate) fn hint(mut self, hint: impl Into<Box<str>>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Names the included file that holds the fault.
    pub(crate) fn named(mut self, files: &[String]) -> Self {
        let number = usize::from(self.place);
        self.file = number.checked_sub(1).and_then(|index| files.get(index).cloned());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)?;
        match (&self.file, self.line) {
            (Some(file), Some(line)) => write!(out, " ({file}, line {line})"),
            (None, Some(line)) => write!(out, " (line {line})"),
            (Some(file), None) => write!(out, " ({file})"),
            (None, None) => Ok(()),
        }
    }
}

impl std::error::Error for Problem {}

/// Marks where a value stands: the number of its file and its line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct At {
    /// Counts files in the order of inclusion; 0 is the root file.
    pub file: u16,
    /// Counts lines from one; 0 means that no line is known.
    pub line: u32,
}

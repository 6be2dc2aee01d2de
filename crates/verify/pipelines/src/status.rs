//! The states of jobs and pipelines, and how those of many make one.

use std::fmt;

use sea_orm::{DbErr, TryGetError, TryGetable};
use serde::{Deserialize, Serialize};

/// The state of a job or a pipeline, as GitLab names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Waits for what comes before.
    Created,
    /// Waits for a runner.
    Pending,
    /// Runs.
    Running,
    /// Ended well.
    Success,
    /// Ended badly.
    Failed,
    /// Was asked to end and hasn't yet.
    Canceling,
    /// Was ended.
    Canceled,
    /// Never runs.
    Skipped,
    /// Waits for somebody.
    Manual,
    /// Waits for a time.
    Scheduled,
}

use Status::{Canceled, Canceling, Created, Failed, Manual, Pending, Running, Scheduled, Skipped, Success};

const WORDS: &[(Status, &str)] = &[
    (Created, "created"),
    (Pending, "pending"),
    (Running, "running"),
    (Success, "success"),
    (Failed, "failed"),
    (Canceling, "canceling"),
    (Canceled, "canceled"),
    (Skipped, "skipped"),
    (Manual, "manual"),
    (Scheduled, "scheduled"),
];

impl Status {
    /// The word in the API and the database.
    pub fn word(self) -> &'static str {
        WORDS.iter().find(|(s, _)| *s == self).map_or("", |(_, w)| w)
    }

    /// The state that a word names.
    pub fn parse(word: &str) -> Option<Self> {
        WORDS.iter().find(|(_, w)| *w == word).map(|(s, _)| *s)
    }

    /// Whether nothing more happens by itself or by a runner.
    pub fn is_complete(self) -> bool {
        matches!(self, Success | Failed | Canceled | Skipped)
    }

    /// Whether a runner has it or is about to.
    pub fn is_active(self) -> bool {
        matches!(self, Pending | Running | Canceling)
    }

    /// Whether it can still be cancelled.
    pub fn is_cancelable(self) -> bool {
        matches!(self, Created | Pending | Running | Scheduled | Manual)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl From<Status> for sea_orm::Value {
    fn from(status: Status) -> Self {
        status.word().into()
    }
}

impl TryGetable for Status {
    fn try_get_by<I: sea_orm::ColIdx>(row: &sea_orm::QueryResult, index: I) -> Result<Self, TryGetError> {
        let word = String::try_get_by(row, index)?;
        Self::parse(&word).ok_or_else(|| TryGetError::DbErr(DbErr::Type(format!("{word} is no status"))))
    }
}

/// What a job contributes to the state of many.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Is(Status),
    /// It failed or was cancelled and that is allowed.
    Warned,
    /// It waits for somebody and nobody waits for it.
    Ignored,
}

fn part((status, allow_failure): (Status, bool)) -> Part {
    match status {
        Failed | Canceled if allow_failure => Part::Warned,
        Manual if allow_failure => Part::Ignored,
        _ => Part::Is(status),
    }
}

/// The state of many jobs together; `None` where there are none. Each is its state and whether it may fail.
pub fn composite(jobs: impl Iterator<Item = (Status, bool)>) -> Option<Status> {
    let parts: Vec<Part> = jobs.map(part).collect();
    if parts.is_empty() {
        return None;
    }
    let only = |states: &[Status], warned: bool| {
        parts.iter().all(|p| match p {
            Part::Is(s) => states.contains(s),
            Part::Warned => warned,
            Part::Ignored => true,
        })
    };
    let any = |states: &[Status]| parts.iter().any(|p| matches!(p, Part::Is(s) if states.contains(s)));
    Some(if only(&[Skipped], false) {
        Skipped
    } else if only(&[Success, Skipped], true) {
        Success
    } else if only(&[Created], true) {
        Created
    } else if only(&[Canceled, Success, Skipped], true) {
        Canceled
    } else if any(&[Canceling]) {
        Canceling
    } else if only(&[Pending, Created, Skipped], true) {
        Pending
    } else if any(&[Running, Pending]) {
        Running
    } else if any(&[Manual]) {
        Manual
    } else if any(&[Scheduled]) {
        Scheduled
    } else if any(&[Created]) {
        Running
    } else {
        Failed
    })
}

/// The state of the jobs that a job with `needs` waits for: it is skipped where one of them never runs, and waits
/// (`Pending`) until all of them have ended.
pub fn needs_composite(jobs: impl Iterator<Item = (Status, bool)> + Clone) -> Option<Status> {
    let parts = || jobs.clone().map(part);
    if parts().any(|p| matches!(p, Part::Ignored | Part::Is(Skipped))) {
        return Some(Skipped);
    }
    if parts().any(|p| matches!(p, Part::Is(s) if !s.is_complete())) {
        return Some(Pending);
    }
    composite(jobs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(jobs: &[(Status, bool)]) -> Option<Status> {
        composite(jobs.iter().copied())
    }

    #[test]
    fn many_make_one() {
        let (may, must) = (true, false);
        for (jobs, expected) in [
            (vec![], None),
            (vec![(Success, must), (Skipped, must)], Some(Success)),
            (vec![(Success, must), (Failed, may)], Some(Success)),
            (vec![(Success, must), (Failed, must)], Some(Failed)),
            (vec![(Failed, must), (Running, must)], Some(Running)),
            (vec![(Success, must), (Created, must)], Some(Running)),
            (vec![(Success, must), (Manual, must), (Created, must)], Some(Manual)),
            (vec![(Success, must), (Manual, may)], Some(Success)),
            (vec![(Manual, may)], Some(Skipped)),
            (vec![(Canceled, must), (Success, must)], Some(Canceled)),
            (vec![(Created, must)], Some(Created)),
            (vec![(Pending, must), (Created, must)], Some(Pending)),
            (vec![(Success, must), (Scheduled, must)], Some(Scheduled)),
            (vec![(Failed, may)], Some(Success)),
            (vec![(Canceling, must), (Success, must)], Some(Canceling)),
        ] {
            assert_eq!(of(&jobs), expected, "{jobs:?}");
        }
    }

    #[test]
    fn needs_wait_for_all() {
        let of = |jobs: &[(Status, bool)]| needs_composite(jobs.iter().copied());
        assert_eq!(of(&[(Success, false), (Running, false)]), Some(Pending));
        assert_eq!(of(&[(Success, false), (Skipped, false)]), Some(Skipped));
        assert_eq!(of(&[(Manual, true)]), Some(Skipped));
        assert_eq!(of(&[(Manual, false)]), Some(Pending));
        assert_eq!(of(&[(Failed, true)]), Some(Success));
        assert_eq!(of(&[(Failed, false), (Success, false)]), Some(Failed));
    }
}

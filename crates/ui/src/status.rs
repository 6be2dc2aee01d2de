//! States of builds: an icon, a word and a colour, in that order of weight.

use maud::{Markup, html};

use crate::icon;

/// The state of a build or one of its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Status {
    /// Made, nothing has happened yet.
    #[default]
    Created,
    /// Waits for a resource such as a lock or a runner.
    Waiting,
    /// Something is being prepared before it can be queued.
    Preparing,
    /// Queued.
    Pending,
    /// Runs now.
    Running,
    /// Ended well.
    Success,
    /// Ended well but something that may fail did.
    Warnings,
    /// Ended badly.
    Failed,
    /// Was asked to stop and is stopping.
    Canceling,
    /// Was stopped.
    Canceled,
    /// Was left out.
    Skipped,
    /// Waits for a person.
    Manual,
    /// Will start at a set time.
    Scheduled,
}

impl Status {
    /// Parses the usual lower-case names; unknown names give `None`.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "created" => Self::Created,
            "waiting" | "waiting_for_resource" | "waiting_for_callback" => Self::Waiting,
            "preparing" => Self::Preparing,
            "pending" => Self::Pending,
            "running" => Self::Running,
            "success" => Self::Success,
            "warnings" | "success-with-warnings" => Self::Warnings,
            "failed" => Self::Failed,
            "canceling" => Self::Canceling,
            "canceled" => Self::Canceled,
            "skipped" => Self::Skipped,
            "manual" => Self::Manual,
            "scheduled" => Self::Scheduled,
            _ => return None,
        })
    }

    /// Returns the word a reader sees.
    pub fn word(self) -> &'static str {
        match self {
            Self::Created => "Created",
            Self::Waiting => "Waiting",
            Self::Preparing => "Preparing",
            Self::Pending => "Pending",
            Self::Running => "Running",
            Self::Success => "Passed",
            Self::Warnings => "Warnings",
            Self::Failed => "Failed",
            Self::Canceling => "Cancelling",
            Self::Canceled => "Cancelled",
            Self::Skipped => "Skipped",
            Self::Manual => "Manual",
            Self::Scheduled => "Scheduled",
        }
    }

    /// Returns the tone class: `ok`, `bad`, `warn`, `run` or `rest`.
    pub fn tone(self) -> &'static str {
        match self {
            Self::Success => "ok",
            Self::Failed => "bad",
            Self::Warnings => "warn",
            Self::Running | Self::Canceling => "run",
            _ => "rest",
        }
    }

    /// Returns the name of the icon; each state has its own shape.
    pub fn icon(self) -> &'static str {
        match self {
            Self::Success => "ok",
            Self::Failed => "bad",
            Self::Warnings => "warn",
            Self::Running => "run",
            Self::Canceling | Self::Canceled => "stop",
            Self::Skipped => "skip",
            Self::Manual => "play",
            Self::Scheduled => "clock",
            Self::Created | Self::Waiting | Self::Preparing | Self::Pending => "wait",
        }
    }

    /// Tells whether nothing more will happen by itself.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Success | Self::Warnings | Self::Failed | Self::Canceled | Self::Skipped)
    }
}

/// Shows a state in a row: icon and word.
pub fn status(status: Status) -> Markup {
    tone(status.tone(), status.icon(), status.word())
}

/// Shows a state in a row as a link.
pub fn status_link(status: Status, href: &str) -> Markup {
    html! { a class={ "st " (status.tone()) } href=(href) { (icon(status.icon())) (status.word()) } }
}

/// Shows a state in the head of a page.
pub fn status_pill(status: Status) -> Markup {
    pill(status.tone(), status.icon(), status.word())
}

/// Shows any other state in a row, given its tone class, icon and word.
pub fn tone(tone: &str, name: &str, word: &str) -> Markup {
    html! { span class={ "st " (tone) } { (icon(name)) (word) } }
}

/// Shows any other state in the head of a page.
pub fn pill(tone: &str, name: &str, word: &str) -> Markup {
    html! { span class={ "pill " (tone) } { (icon(name)) (word) } }
}

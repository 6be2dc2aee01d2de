//! States and reasons in plain words.

use crate::build::Build;
use crate::status::Status;

/// The state as the interface shows it.
pub(super) fn shown(status: Status, allow_failure: bool) -> ui::Status {
    match status {
        Status::Failed if allow_failure => ui::Status::Warnings,
        other => ui::Status::parse(other.word()).unwrap_or_default(),
    }
}

/// The state of a job as the interface shows it.
pub(super) fn of_build(build: &Build) -> ui::Status {
    shown(build.status, build.allow_failure)
}

/// Why a job failed, and what helps.
pub(super) fn failure(build: &Build) -> (String, &'static str) {
    let code = build.exit_code.unwrap_or(1);
    match build.failure_reason.as_deref() {
        Some("script_failure") => {
            (format!("The script ended with exit code {code}."), "The last lines of the log usually say why.")
        }
        Some("job_execution_timeout") => (
            format!("The job was ended after its time limit of {}.", ui::format::duration(seconds(build.timeout))),
            "A longer one can be set by the keyword timeout or in the CI/CD settings.",
        ),
        Some("runner_system_failure") => (
            "The runner could not carry the job out.".into(),
            "That is no fault of the script. Retry it; if it fails again, the log and the server's own log say more.",
        ),
        Some("job_log_limit_exceeded" | "trace_size_exceeded") => (
            "The job wrote more than a log may hold.".into(),
            "Send what isn't needed to a file and keep that as an artifact.",
        ),
        Some("stuck_or_timeout_failure") => {
            ("No runner took the job in time.".into(), "Retry it once a runner is free.")
        }
        Some(other) => (format!("The job failed: {}.", other.replace('_', " ")), ""),
        None => ("The job failed.".into(), ""),
    }
}

/// Whole seconds as a number to write.
#[allow(clippy::cast_precision_loss)] // Time limits are far below 2^52 seconds.
pub(super) fn seconds(seconds: i64) -> f64 {
    seconds.max(0) as f64
}

/// A time as a clock, empty where there is none.
pub(super) fn clock(seconds: Option<f64>) -> String {
    seconds.map(ui::format::clock).unwrap_or_default()
}

/// A failure that is worth a mark in a log.
pub(super) fn is_error(text: &str) -> bool {
    const BEGINS: [&str; 4] = ["FAIL", "ERROR", "E   ", "Traceback (most recent call last)"];
    const IN_ANY_CASE: [&str; 4] = ["error:", "error[", "fatal:", "npm ERR!"];
    const WITHIN: [&str; 3] = ["Job failed", "panicked at", ": error:"];
    let text = text.trim_start();
    let begins = |b: &&str| text.get(..b.len()).is_some_and(|t| t.eq_ignore_ascii_case(b));
    BEGINS.iter().any(|b| text.starts_with(b))
        || IN_ANY_CASE.iter().any(begins)
        || WITHIN.iter().any(|w| text.contains(w))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_found() {
        for text in [
            "error: no such file",
            "  error[E0308]: mismatched",
            "fatal: bad",
            "FAIL x",
            "ERROR: Job failed: exit code 1",
            "a.c:1:2: error: x",
        ] {
            assert!(is_error(text), "{text}");
        }
        for text in ["0 errors", "failsafe", "no error", "", "é"] {
            assert!(!is_error(text), "{text}");
        }
    }
}

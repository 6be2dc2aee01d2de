//! A pipeline's state in words and pictures.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::status::Status;

/// A state in words and pictures.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct DetailedStatus {
    icon: String,
    text: &'static str,
    label: &'static str,
    group: &'static str,
    tooltip: &'static str,
    has_details: bool,
    details_path: String,
    illustration: Option<Value>,
    favicon: String,
}

impl DetailedStatus {
    /// The state of a pipeline whose page is at `details_path`; `warned` if something failed that may.
    pub(crate) fn of(status: Status, warned: bool, details_path: String) -> Self {
        let warned = warned && status == Status::Success;
        let (icon, text, label, group) = match status {
            Status::Success if warned => ("warning", "Warning", "passed with warnings", "success-with-warnings"),
            Status::Success => ("success", "Passed", "passed", "success"),
            Status::Failed => ("failed", "Failed", "failed", "failed"),
            Status::Running => ("running", "Running", "running", "running"),
            Status::Pending => ("pending", "Pending", "pending", "pending"),
            Status::Created => ("created", "Created", "created", "created"),
            Status::Canceling => ("canceled", "Canceling", "canceling", "canceling"),
            Status::Canceled => ("canceled", "Canceled", "canceled", "canceled"),
            Status::Skipped => ("skipped", "Skipped", "skipped", "skipped"),
            Status::Manual => ("manual", "Manual", "waiting for manual action", "manual"),
            Status::Scheduled => ("scheduled", "Scheduled", "waiting for delayed job", "scheduled"),
        };
        Self {
            icon: format!("status_{icon}"),
            text,
            label,
            group,
            tooltip: label,
            has_details: true,
            details_path,
            illustration: None,
            favicon: ui::assets::favicon_href(),
        }
    }
}

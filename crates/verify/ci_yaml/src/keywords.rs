//! The keywords of the language, and those the engine does not carry out.

/// Lists the keywords of a job that runs a script.
pub(crate) const JOB: [&str; 38] = [
    "tags",
    "script",
    "image",
    "services",
    "start_in",
    "artifacts",
    "cache",
    "dependencies",
    "before_script",
    "after_script",
    "hooks",
    "coverage",
    "retry",
    "parallel",
    "timeout",
    "release",
    "id_tokens",
    "publish",
    "pages",
    "manual_confirmation",
    "run",
    "dast_configuration",
    "secrets",
    "identity",
    "extends",
    "stage",
    "only",
    "except",
    "rules",
    "variables",
    "inherit",
    "allow_failure",
    "when",
    "needs",
    "resource_group",
    "environment",
    "interruptible",
    "inputs",
];

/// Lists the keywords of a job that triggers another pipeline.
pub(crate) const BRIDGE: [&str; 17] = [
    "trigger",
    "parallel",
    "extends",
    "stage",
    "only",
    "except",
    "rules",
    "variables",
    "inherit",
    "allow_failure",
    "when",
    "needs",
    "resource_group",
    "environment",
    "interruptible",
    "inputs",
    "manual_confirmation",
];

/// Lists the keywords `default` may hold.
pub(crate) const DEFAULT: [&str; 13] = [
    "before_script",
    "after_script",
    "hooks",
    "cache",
    "image",
    "services",
    "interruptible",
    "timeout",
    "retry",
    "tags",
    "artifacts",
    "id_tokens",
    "identity",
];

/// Lists the keywords of the top level that stand for an entry of `default`.
pub(crate) const GLOBAL_DEFAULTS: [&str; 5] = ["before_script", "after_script", "image", "services", "cache"];

/// Lists the keywords of the top level that are no jobs.
pub(crate) const TOP: [&str; 11] = [
    "default",
    "include",
    "before_script",
    "image",
    "services",
    "after_script",
    "variables",
    "stages",
    "cache",
    "workflow",
    "spec",
];

/// Lists the reasons `retry:when` may name.
pub const FAILURE_REASONS: [&str; 24] = [
    "always",
    "unknown_failure",
    "script_failure",
    "api_failure",
    "stuck_or_timeout_failure",
    "runner_system_failure",
    "runner_unsupported",
    "stale_schedule",
    "job_execution_timeout",
    "archived_failure",
    "unmet_prerequisites",
    "scheduler_failure",
    "data_integrity_failure",
    "missing_dependency_failure",
    "forward_deployment_failure",
    "user_blocked",
    "project_deleted",
    "ci_quota_exceeded",
    "no_matching_runner",
    "trace_size_exceeded",
    "builds_disabled",
    "environment_creation_failure",
    "runner_provisioning_timeout",
    "deployment_rejected",
];

/// Lists the keywords that are checked and stored but not carried out, each
/// with what happens instead.
pub const ACCEPTED_ONLY: [(&str, &str); 24] = [
    ("image", "the job runs on the tools of the host"),
    ("services", "no service containers are started"),
    ("cache", "nothing is kept between jobs"),
    ("artifacts:reports", "reports are stored as plain artifacts"),
    ("artifacts:expose_as", "no link is shown"),
    ("artifacts:access", "everyone who may read the project may download"),
    ("coverage", "no coverage is taken from the log"),
    ("environment", "no deployment is recorded"),
    ("resource_group", "jobs of a group may run at the same time"),
    ("release", "no release is made"),
    ("pages", "nothing is published"),
    ("publish", "nothing is published"),
    ("trigger", "no other pipeline is started"),
    ("secrets", "no secrets are fetched"),
    ("id_tokens", "no tokens are issued"),
    ("identity", "no cloud identity is assumed"),
    ("hooks", "the hook does not run"),
    ("run", "steps do not run"),
    ("inputs", "inputs of a job are not asked for"),
    ("dast_configuration", "nothing is scanned"),
    ("only:kubernetes", "no cluster is ever active"),
    ("needs:project", "artifacts of other projects are not fetched"),
    ("needs:pipeline", "artifacts of other pipelines are not fetched"),
    ("rules:exists:project", "the files of the project itself are looked at"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepted_keywords_are_keywords() {
        for (keyword, instead) in ACCEPTED_ONLY {
            let first = keyword.split(':').next().unwrap();
            assert!(JOB.contains(&first) || BRIDGE.contains(&first), "{keyword}");
            assert!(!instead.is_empty());
        }
    }
}

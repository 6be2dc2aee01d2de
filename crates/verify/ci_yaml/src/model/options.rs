//! The part of a job that is handed to the runner as it is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{Members, Variable, When};

/// The part of a job that does not depend on the pipeline it runs in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct JobOptions {
    /// Lists the commands of the job.
    pub script: Vec<String>,
    /// Lists the commands before `script`, run in the same shell.
    pub before_script: Vec<String>,
    /// Lists the commands after the job, run in a shell of their own.
    pub after_script: Vec<String>,
    /// Lists the commands before the checkout.
    pub pre_get_sources_script: Vec<String>,
    /// Names the container image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,
    /// Lists the service containers.
    pub services: Vec<Image>,
    /// Lists the tags a runner must have.
    pub tags: Vec<String>,
    /// Says what is kept after the job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifacts: Option<Artifacts>,
    /// Says what is kept between jobs.
    pub cache: Vec<Cache>,
    /// Names the environment the job deploys to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
    /// Says when the job is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// Limits the run in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u64>,
    /// Tells whether a newer pipeline may cancel the job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interruptible: Option<bool>,
    /// Holds the pattern that finds the coverage in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coverage: Option<String>,
    /// Names the group of which one job runs at a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_group: Option<String>,
    /// Holds the question asked before a manual job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manual_confirmation: Option<String>,
    /// Holds identity tokens by variable: the audiences of each.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub id_tokens: BTreeMap<String, Vec<String>>,
    /// Holds `release` as written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<Json>,
    /// Holds `pages` as written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pages: Option<Json>,
    /// Holds `trigger` as written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger: Option<Json>,
    /// Holds further keywords as written, by name.
    #[serde(skip_serializing_if = "Members::is_empty")]
    pub other: Members,
}

/// An `image` or one of `services`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Image {
    /// Names the image.
    pub name: String,
    /// Names the host a service answers to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// Replaces the entry point.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entrypoint: Option<Vec<String>>,
    /// Replaces the command of a service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<String>>,
    /// Lists pull policies in the order of trial.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pull_policy: Vec<String>,
    /// Holds variables of a service.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub variables: Vec<Variable>,
    /// Holds options of an executor as written, by name.
    #[serde(skip_serializing_if = "Members::is_empty")]
    pub other: Members,
}

/// The `artifacts` keyword.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Artifacts {
    /// Names the archive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Lists path patterns to keep.
    pub paths: Vec<String>,
    /// Lists path patterns to leave out.
    pub exclude: Vec<String>,
    /// Tells whether files unknown to Git are kept.
    pub untracked: bool,
    /// Says for which outcome files are kept.
    pub when: Option<When>,
    /// Holds the lifetime as written, such as `1 week` or `never`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expire_in: Option<String>,
    /// Names the link shown in merge requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expose_as: Option<String>,
    /// Says who may download: `all`, `developer`, `maintainer` or `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access: Option<String>,
    /// Holds reports by kind as written.
    #[serde(skip_serializing_if = "Members::is_empty")]
    pub reports: Members,
}

/// One entry of `cache`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cache {
    /// Names the cache; absent means `default`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Lists the files whose contents name the cache.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub key_files: Vec<String>,
    /// Stands before the name made from files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_prefix: Option<String>,
    /// Lists names to try when there is no such cache.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fallback_keys: Vec<String>,
    /// Lists path patterns to keep.
    pub paths: Vec<String>,
    /// Tells whether files unknown to Git are kept.
    pub untracked: bool,
    /// Tells whether protected and other branches share the cache.
    pub unprotect: bool,
    /// Says for which outcome files are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<When>,
    /// Holds `pull-push`, `pull`, `push` or a variable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
}

/// The `environment` keyword.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Environment {
    /// Names the environment; may hold variables.
    pub name: String,
    /// Holds the address; may hold variables.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Says what the job does: `start`, `stop`, `prepare`, `verify` or `access`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// Names the job that stops the environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_stop: Option<String>,
    /// Holds the lifetime as written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_stop_in: Option<String>,
    /// Names the tier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment_tier: Option<String>,
    /// Holds `kubernetes` as written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kubernetes: Option<Json>,
}

/// The `retry` keyword.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Retry {
    /// Limits the further tries.
    pub max: u8,
    /// Lists the reasons for which the job is tried again.
    pub when: Vec<String>,
    /// Lists the exit codes for which the job is tried again.
    pub exit_codes: Vec<i64>,
}

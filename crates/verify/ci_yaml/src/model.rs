//! The typed form of a configuration and of the jobs a pipeline stores.

mod options;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::expression::Expression;
use crate::problem::{At, Problem};
use crate::value::Value;

pub use options::*;

/// Values kept as written, by keyword.
pub type Members = serde_json::Map<String, Json>;

/// A whole configuration that was accepted.
#[derive(Clone, Debug)]
pub struct Config {
    /// Holds the rules for the pipeline as a whole.
    pub workflow: Workflow,
    /// Holds the variables every job gets.
    pub variables: Vec<DefaultVariable>,
    /// Names the stages in order, from `.pre` to `.post`.
    pub stages: Vec<String>,
    /// Holds the visible jobs in the order of the file.
    pub jobs: IndexMap<String, Job>,
    /// Lists what is accepted but doubtful.
    pub warnings: Vec<Problem>,
    /// Names the included files in the order of inclusion.
    pub includes: Vec<String>,
    /// Holds the document after includes, references and `extends`.
    pub merged: Value,
}

/// The `workflow` keyword.
#[derive(Clone, Debug, Default)]
pub struct Workflow {
    /// Names the pipeline; variables are expanded when it is created.
    pub name: Option<String>,
    /// Decides whether a pipeline is created; absent means always.
    pub rules: Option<Vec<Rule>>,
    /// Says which older or failing pipelines are cancelled.
    pub auto_cancel: AutoCancel,
}

/// The `workflow:auto_cancel` keyword.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AutoCancel {
    /// Holds `conservative`, `interruptible` or `none`.
    pub on_new_commit: Option<String>,
    /// Holds `all` or `none`.
    pub on_job_failure: Option<String>,
}

/// A variable of the top level, with what the "new pipeline" form shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefaultVariable {
    /// Names the variable.
    pub key: String,
    /// Holds the value; absent means empty until someone fills it in.
    pub value: Option<String>,
    /// Says what the variable is for.
    pub description: Option<String>,
    /// Lists the values that may be chosen.
    pub options: Vec<String>,
    /// Tells whether references inside the value stay as they are.
    pub raw: bool,
}

/// A variable that a job is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variable {
    /// Names the variable.
    pub key: String,
    /// Holds the value.
    pub value: String,
    /// Tells whether references inside the value stay as they are.
    #[serde(default)]
    pub raw: bool,
}

/// When a job starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// Starts when no earlier job has failed.
    OnSuccess,
    /// Starts when an earlier job has failed.
    OnFailure,
    /// Starts whatever happened before.
    Always,
    /// Starts when someone says so.
    Manual,
    /// Starts after `start_in`.
    Delayed,
    /// Keeps the job out of the pipeline.
    Never,
}

impl When {
    /// Reads the word used in a file.
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "on_success" => Self::OnSuccess,
            "on_failure" => Self::OnFailure,
            "always" => Self::Always,
            "manual" => Self::Manual,
            "delayed" => Self::Delayed,
            "never" => Self::Never,
            _ => return None,
        })
    }

    /// Gives the word used in a file.
    pub fn word(self) -> &'static str {
        match self {
            Self::OnSuccess => "on_success",
            Self::OnFailure => "on_failure",
            Self::Always => "always",
            Self::Manual => "manual",
            Self::Delayed => "delayed",
            Self::Never => "never",
        }
    }
}

/// Whether a failed job leaves its pipeline green.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AllowFailure {
    /// Fails the pipeline.
    #[default]
    No,
    /// Lets the pipeline pass.
    Yes,
    /// Lets the pipeline pass for these exit codes alone.
    ExitCodes(Vec<i64>),
}

/// One entry of `rules`.
#[derive(Clone, Debug, Default)]
pub struct Rule {
    /// Marks where the rule stands.
    pub at: At,
    /// Holds the condition on variables.
    pub condition: Option<Expression>,
    /// Holds the condition on changed files.
    pub changes: Option<PathsCondition>,
    /// Holds the condition on files that exist.
    pub exists: Option<PathsCondition>,
    /// Says when the job starts if the rule matches.
    pub when: Option<When>,
    /// Holds the delay in seconds.
    pub start_in: Option<u64>,
    /// Overrides `allow_failure`.
    pub allow_failure: Option<AllowFailure>,
    /// Adds variables.
    pub variables: Vec<Variable>,
    /// Replaces `needs`.
    pub needs: Option<Vec<Need>>,
    /// Overrides `interruptible`.
    pub interruptible: Option<bool>,
    /// Overrides `workflow:auto_cancel`; only in `workflow:rules`.
    pub auto_cancel: Option<AutoCancel>,
}

/// The condition of `rules:changes` or `rules:exists`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PathsCondition {
    /// Lists path patterns.
    pub paths: Vec<String>,
    /// Names the ref `changes` compares with.
    pub compare_to: Option<String>,
    /// Names another project to look in.
    pub project: Option<String>,
    /// Names the ref to look at in the other project.
    pub reference: Option<String>,
}

/// The `only` or `except` keyword.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Lists refs, patterns and kinds of pipeline.
    pub refs: Option<Vec<String>>,
    /// Lists conditions on variables.
    pub variables: Option<Vec<Expression>>,
    /// Lists patterns of changed files.
    pub changes: Option<Vec<String>>,
    /// Tells whether an active cluster is asked for.
    pub kubernetes: bool,
}

/// One entry of `needs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// Needs a job of the same pipeline.
    Job(JobNeed),
    /// Needs a job of another pipeline or project; kept as written.
    External(Json),
}

/// A need of a job in the same pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobNeed {
    /// Names the job as in the file, or one of its instances.
    pub job: String,
    /// Tells whether its artifacts are downloaded.
    pub artifacts: bool,
    /// Tells whether the job may be absent.
    pub optional: bool,
    /// Chooses instances of a matrix.
    pub matrix: Option<Vec<MatrixRow>>,
}

/// The variables of one instance of a matrix, in the order of the file.
pub type MatrixRow = Vec<(String, String)>;

/// The `parallel` keyword.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parallel {
    /// Runs this many equal instances.
    Count(u32),
    /// Runs one instance for each row.
    Matrix(Vec<MatrixRow>),
}

/// Which defaults or default variables a job takes over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Inherit {
    /// Takes all.
    #[default]
    All,
    /// Takes none.
    None,
    /// Takes those named.
    Only(Vec<String>),
}

impl Inherit {
    /// Tells whether the key is taken over.
    pub fn takes(&self, key: &str) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Only(keys) => keys.iter().any(|one| one == key),
        }
    }
}

/// A job as the file describes it, with defaults applied.
#[derive(Clone, Debug)]
pub struct Job {
    /// Names the job.
    pub name: String,
    /// Marks where the job stands.
    pub at: At,
    /// Names the stage.
    pub stage: String,
    /// Says when the job starts.
    pub when: Option<When>,
    /// Holds the delay of a delayed job in seconds.
    pub start_in: Option<u64>,
    /// Says whether a failure is tolerated.
    pub allow_failure: Option<AllowFailure>,
    /// Decides whether and how the job is added.
    pub rules: Option<Vec<Rule>>,
    /// Restricts the pipelines the job is part of.
    pub only: Option<Policy>,
    /// Excludes the job from pipelines.
    pub except: Option<Policy>,
    /// Names the jobs that come before, instead of the earlier stages.
    pub needs: Option<Vec<Need>>,
    /// Names the jobs whose artifacts are downloaded.
    pub dependencies: Option<Vec<String>>,
    /// Says how many instances run.
    pub parallel: Option<Parallel>,
    /// Holds the job's own variables.
    pub variables: Vec<Variable>,
    /// Says which default variables the job takes.
    pub inherit_variables: Inherit,
    /// Holds what is handed to the runner unchanged.
    pub options: JobOptions,
}

/// A job of one pipeline, ready to be stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobSpec {
    /// Names the job, with its instance.
    pub name: String,
    /// Names the job as in the file.
    pub base_name: String,
    /// Names the stage.
    pub stage: String,
    /// Counts the stage from zero, `.pre` included.
    pub stage_index: usize,
    /// Says when the job starts.
    pub when: When,
    /// Says whether a failure is tolerated.
    pub allow_failure: AllowFailure,
    /// Holds the delay of a delayed job in seconds.
    pub start_in: Option<u64>,
    /// Holds the variables of the file, those of higher rank last.
    pub variables: Vec<Variable>,
    /// Names the jobs that must end first; absent means the earlier stages.
    pub needs: Option<Vec<ResolvedNeed>>,
    /// Holds needs of other pipelines or projects as written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub external_needs: Vec<Json>,
    /// Names the jobs whose artifacts are downloaded; absent means all earlier ones.
    pub dependencies: Option<Vec<String>>,
    /// Counts the instance from one, and all instances.
    pub instance: Option<Instance>,
    /// Holds what does not depend on the pipeline.
    #[serde(flatten)]
    pub options: JobOptions,
}

/// The place of an instance of a parallel job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// Counts from one.
    pub index: u32,
    /// Counts all instances.
    pub total: u32,
}

/// A need whose job is part of the pipeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolvedNeed {
    /// Names the job, with its instance.
    pub job: String,
    /// Tells whether its artifacts are downloaded.
    pub artifacts: bool,
    /// Tells whether the job might have been absent.
    pub optional: bool,
}

/// What a configuration comes to for one event.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Names the pipeline.
    pub name: Option<String>,
    /// Says which pipelines are cancelled.
    pub auto_cancel: AutoCancel,
    /// Names the stages in order.
    pub stages: Vec<String>,
    /// Holds the variables of the top level and of the workflow rule.
    pub variables: Vec<Variable>,
    /// Holds the jobs in the order of stages, then of the file.
    pub jobs: Vec<JobSpec>,
}

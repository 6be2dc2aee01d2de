//! Checks a configuration without running anything.

use ci_yaml::{Config, Files, JobSpec, NoPipeline, Plan, Problem};
use git::{Oid, Repo};
use kernel::{App, Result};
use projects::Project;
use tokio::runtime::Handle;

use crate::create::{Tree, Wanted, simulate};

/// What a check found.
#[derive(Clone, Debug, Default)]
pub struct Linted {
    /// Why it is refused; empty where it isn't.
    pub errors: Vec<Problem>,
    /// What is accepted but doubtful.
    pub warnings: Vec<Problem>,
    /// The whole configuration with everything that it includes.
    pub merged: Option<String>,
    /// The included files.
    pub includes: Vec<String>,
    /// The jobs: those of the file, or of the pipeline that was simulated.
    pub jobs: Vec<LintedJob>,
}

/// A job in the outcome of a check.
#[derive(Clone, Debug)]
pub struct LintedJob {
    /// What the pipeline would store.
    pub spec: JobSpec,
    /// The refs that `only` names.
    pub only: Option<Vec<String>>,
    /// The refs that `except` names.
    pub except: Option<Vec<String>>,
}

impl Linted {
    /// Whether it is accepted.
    pub fn is_valid(&self) -> bool {
        self.errors.is_empty()
    }

    fn refused(errors: Vec<Problem>) -> Self {
        Self { errors, ..Self::default() }
    }
}

/// Checks the text of a configuration as if it lay in the project at `sha`; local files are read there.
pub async fn check(repo: &Repo, project: &Project, sha: Option<Oid>, text: String) -> Result<Linted> {
    let (repo, branch, handle) = (repo.clone(), project.branch().to_owned(), Handle::current());
    let checked = tokio::task::spawn_blocking(move || match sha {
        Some(sha) => {
            parse(&text, &Tree { repo, sha, base: Oid::zero(), branch, handle, variables: Default::default() })
        }
        None => parse(&text, &ci_yaml::NoFiles),
    });
    Ok(checked.await?)
}

/// Checks the text and works out the pipeline that a push of it would make.
pub async fn dry_run(app: &App, repo: &Repo, project: &Project, wanted: &Wanted, text: String) -> Result<Linted> {
    let mut linted = check(repo, project, Some(wanted.sha), text.clone()).await?;
    if !linted.is_valid() {
        return Ok(linted);
    }
    linted.jobs = vec![];
    match simulate(app, repo, project, wanted, text).await? {
        Ok(plan) => linted.jobs = planned(plan),
        Err(NoPipeline::Invalid(problems)) => linted.errors = problems,
        Err(why) => linted.errors = vec![Problem::new(why.to_string())],
    }
    Ok(linted)
}

fn planned(plan: Plan) -> Vec<LintedJob> {
    plan.jobs.into_iter().map(|spec| LintedJob { spec, only: None, except: None }).collect()
}

fn parse(text: &str, files: &dyn Files) -> Linted {
    match ci_yaml::parse(text, files) {
        Ok(config) => Linted {
            jobs: jobs(&config),
            merged: config.to_yaml().ok(),
            includes: config.includes.clone(),
            warnings: config.warnings,
            errors: vec![],
        },
        Err(problems) => Linted::refused(problems),
    }
}

/// The jobs as the file has them, whatever a pipeline would make of their rules.
fn jobs(config: &Config) -> Vec<LintedJob> {
    let one = |job: &ci_yaml::Job| LintedJob {
        spec: JobSpec {
            name: job.name.clone(),
            base_name: job.name.clone(),
            stage: job.stage.clone(),
            stage_index: config.stages.iter().position(|s| *s == job.stage).unwrap_or_default(),
            when: job.when.unwrap_or(ci_yaml::When::OnSuccess),
            allow_failure: job.allow_failure.clone().unwrap_or_default(),
            start_in: job.start_in,
            variables: job.variables.clone(),
            needs: None,
            external_needs: vec![],
            dependencies: job.dependencies.clone(),
            instance: None,
            options: job.options.clone(),
        },
        only: job.only.as_ref().and_then(|p| p.refs.clone()),
        except: job.except.as_ref().and_then(|p| p.refs.clone()),
    };
    let mut all: Vec<LintedJob> = config.jobs.values().map(one).collect();
    all.sort_by_key(|j| j.spec.stage_index);
    all
}

//! Works out what a configuration comes to for one event.

mod conditions;
mod context;
mod needs;

use std::fmt;

use self::context::Facts;
pub use self::context::{Changed, Context, RefKind};
use self::needs::Draft;
use crate::expand::{Layers, Variables};
use crate::model::{
    AllowFailure, AutoCancel, Config, Instance, Job, JobSpec, MatrixRow, Need, Parallel, Plan, Rule, Variable, When,
};
use crate::names;
use crate::problem::Problem;

/// Bounds the jobs of one pipeline.
pub const MAX_JOBS: usize = 5_000;

/// Why there is no pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoPipeline {
    /// The rules of the workflow keep it away.
    Filtered,
    /// No job is left.
    Empty,
    /// The jobs do not fit together.
    Invalid(Vec<Problem>),
}

impl fmt::Display for NoPipeline {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Filtered => out.write_str("Pipeline filtered out by workflow rules."),
            Self::Empty => out.write_str(
                "Pipeline will not run for the selected trigger. The rules configuration \
                 prevented any jobs from being added to the pipeline.",
            ),
            Self::Invalid(problems) => {
                let list: Vec<&str> = problems.iter().map(|one| one.message.as_str()).collect();
                out.write_str(&list.join("\n"))
            }
        }
    }
}

impl std::error::Error for NoPipeline {}

/// Decides on the pipeline and its jobs.
pub fn evaluate(config: &Config, context: &Context<'_>) -> Result<Plan, NoPipeline> {
    let evaluation = Evaluation::new(config, context);
    let (variables, rule) = evaluation.workflow()?;
    let root = table(&variables);
    let mut drafts = Vec::new();
    for job in config.jobs.values() {
        evaluation.job(job, &variables, &root, &mut drafts);
        if drafts.len() > MAX_JOBS {
            return Err(NoPipeline::Invalid(vec![too_many()]));
        }
    }
    if drafts.iter().all(|draft| is_edge(&draft.spec.stage)) {
        return Err(NoPipeline::Empty);
    }
    let mut jobs = needs::settle(drafts).map_err(NoPipeline::Invalid)?;
    jobs.sort_by_key(|job| job.stage_index);
    let layers = [&evaluation.overrides, &root, &evaluation.predefined];
    Ok(Plan {
        name: evaluation.name(&Layers(&layers)),
        auto_cancel: auto_cancel(config, rule),
        stages: config.stages.clone(),
        variables,
        jobs,
    })
}

pub(crate) fn too_many() -> Problem {
    Problem::new(format!("The number of jobs has exceeded the limit of {MAX_JOBS}"))
        .hint("Split the configuration, or run fewer instances with `parallel`.")
}

fn is_edge(stage: &str) -> bool {
    stage == ".pre" || stage == ".post"
}

fn auto_cancel(config: &Config, rule: Option<&Rule>) -> AutoCancel {
    let own = rule.and_then(|rule| rule.auto_cancel.as_ref());
    let usual = &config.workflow.auto_cancel;
    AutoCancel {
        on_new_commit: own.and_then(|own| own.on_new_commit.clone()).or_else(|| usual.on_new_commit.clone()),
        on_job_failure: own.and_then(|own| own.on_job_failure.clone()).or_else(|| usual.on_job_failure.clone()),
    }
}

fn table(list: &[Variable]) -> Variables {
    let mut variables = Variables::default();
    for variable in list {
        variables.set(&variable.key, &variable.value, variable.raw);
    }
    variables
}

/// Adds variables; one of the same name takes the place of the earlier.
fn overlay(base: &mut Vec<Variable>, over: &[Variable]) {
    for variable in over {
        match base.iter_mut().find(|one| one.key == variable.key) {
            Some(present) => *present = variable.clone(),
            None => base.push(variable.clone()),
        }
    }
}

fn plain(key: &str, value: &str) -> Variable {
    Variable { key: key.to_owned(), value: value.to_owned(), raw: false }
}

struct Evaluation<'a> {
    config: &'a Config,
    facts: Facts<'a>,
    predefined: Variables,
    overrides: Variables,
}

/// Which instance of a job is meant.
#[derive(Clone, Copy, Default)]
struct Place<'c> {
    instance: Option<Instance>,
    row: Option<&'c MatrixRow>,
}

/// How a job joins the pipeline.
struct Admission<'c> {
    when: When,
    rule: Option<&'c Rule>,
}

impl<'a> Evaluation<'a> {
    fn new(config: &'a Config, context: &'a Context<'a>) -> Self {
        Self {
            config,
            facts: Facts::new(context),
            predefined: table(context.predefined),
            overrides: table(context.variables),
        }
    }

    /// Decides `workflow`: gives the variables of the top level and the rule that held.
    fn workflow(&self) -> Result<(Vec<Variable>, Option<&'a Rule>), NoPipeline> {
        let mut variables: Vec<Variable> = self
            .config
            .variables
            .iter()
            .map(|one| Variable { key: one.key.clone(), value: one.value.clone().unwrap_or_default(), raw: one.raw })
            .collect();
        let Some(rules) = &self.config.workflow.rules else {
            return Ok((variables, None));
        };
        let root = table(&variables);
        let layers = [&self.overrides, &root, &self.predefined];
        let rule = conditions::first(rules, &self.facts, &Layers(&layers))
            .filter(|rule| rule.when != Some(When::Never))
            .ok_or(NoPipeline::Filtered)?;
        overlay(&mut variables, &rule.variables);
        Ok((variables, Some(rule)))
    }

    fn name(&self, variables: &Layers<'_>) -> Option<String> {
        let name = variables.expand(self.config.workflow.name.as_ref()?);
        let name: String = name.trim().chars().take(255).collect();
        (!name.is_empty()).then_some(name)
    }

    /// Adds the instances of a job that are part of the pipeline.
    fn job(&self, job: &'a Job, defaults: &[Variable], root: &Variables, drafts: &mut Vec<Draft<'a>>) {
        let taken: Vec<Variable> =
            defaults.iter().filter(|one| job.inherit_variables.takes(&one.key)).cloned().collect();
        // The rules of a job see no more defaults than the job takes.
        let narrowed = (taken.len() < defaults.len()).then(|| table(&taken));
        let root = narrowed.as_ref().unwrap_or(root);
        for place in places(job) {
            drafts.extend(self.instance(job, place, &taken, root));
        }
    }

    fn instance(&self, job: &'a Job, place: Place<'a>, defaults: &[Variable], root: &Variables) -> Option<Draft<'a>> {
        let own = own_variables(job, place);
        let table = table(&own);
        let layers = [&self.overrides, &table, root, &self.predefined];
        let admission = self.admit(job, &Layers(&layers))?;
        let rule = admission.rule;
        let mut variables = defaults.to_vec();
        overlay(&mut variables, &own);
        overlay(&mut variables, rule.map_or(&[], |rule| &rule.variables));
        let needs = rule.and_then(|rule| rule.needs.as_deref()).or(job.needs.as_deref());
        let mut spec = self.spec(job, place, &admission);
        spec.variables = variables;
        for tag in &mut spec.options.tags {
            *tag = Layers(&layers).expand_existing(tag);
        }
        spec.external_needs = external(needs);
        Some(Draft { spec, needs, row: place.row, line: job.at })
    }

    /// Decides whether and when a job runs.
    fn admit(&self, job: &'a Job, variables: &Layers<'_>) -> Option<Admission<'a>> {
        let usual = job.when.unwrap_or(When::OnSuccess);
        if let Some(rules) = &job.rules {
            let rule = conditions::first(rules, &self.facts, variables)?;
            let when = rule.when.unwrap_or(usual);
            return (when != When::Never).then_some(Admission { when, rule: Some(rule) });
        }
        let only = match &job.only {
            Some(policy) => conditions::only(policy, &self.facts, variables),
            None if self.config.workflow.rules.is_some() => true,
            None => conditions::only(&crate::model::Policy::default(), &self.facts, variables),
        };
        let except = job.except.as_ref().is_some_and(|policy| conditions::except(policy, &self.facts, variables));
        (only && !except).then_some(Admission { when: usual, rule: None })
    }

    fn spec(&self, job: &Job, place: Place<'_>, admission: &Admission<'_>) -> JobSpec {
        let mut options = job.options.clone();
        if let Some(interruptible) = admission.rule.and_then(|rule| rule.interruptible) {
            options.interruptible = Some(interruptible);
        }
        let stage_index = self.config.stages.iter().position(|stage| *stage == job.stage);
        JobSpec {
            name: instance_name(job, place),
            base_name: job.name.clone(),
            stage: job.stage.clone(),
            stage_index: stage_index.unwrap_or_default(),
            when: admission.when,
            allow_failure: allow_failure(job, admission.rule),
            start_in: admission.rule.and_then(|rule| rule.start_in).or(job.start_in),
            variables: Vec::new(),
            needs: None,
            external_needs: Vec::new(),
            dependencies: job.dependencies.clone(),
            instance: place.instance,
            options,
        }
    }
}

/// Lists the instances of a job.
fn places(job: &Job) -> Vec<Place<'_>> {
    match &job.parallel {
        None => vec![Place::default()],
        Some(Parallel::Count(total)) => {
            (1..=*total).map(|index| Place { instance: Some(Instance { index, total: *total }), row: None }).collect()
        }
        Some(Parallel::Matrix(rows)) => {
            let total = u32::try_from(rows.len()).unwrap_or(u32::MAX);
            (1..)
                .zip(rows)
                .map(|(index, row)| Place { instance: Some(Instance { index, total }), row: Some(row) })
                .collect()
        }
    }
}

/// Gathers the variables that belong to the job and to its instance.
fn own_variables(job: &Job, place: Place<'_>) -> Vec<Variable> {
    let mut own = job.variables.clone();
    let total = place.instance.map_or(1, |instance| instance.total);
    let mut more = vec![plain("CI_NODE_TOTAL", &total.to_string())];
    if let Some(instance) = place.instance {
        more.push(plain("CI_NODE_INDEX", &instance.index.to_string()));
    }
    more.extend(place.row.into_iter().flatten().map(|(key, value)| plain(key, value)));
    overlay(&mut own, &more);
    own
}

fn instance_name(job: &Job, place: Place<'_>) -> String {
    match (place.instance, place.row) {
        (_, Some(row)) => names::matrix(&job.name, row),
        (Some(instance), None) => format!("{} {}/{}", job.name, instance.index, instance.total),
        (None, None) => job.name.clone(),
    }
}

/// A manual job may fail unless said otherwise; one made manual by a rule may not.
fn allow_failure(job: &Job, rule: Option<&Rule>) -> AllowFailure {
    let usual = if job.when == Some(When::Manual) { AllowFailure::Yes } else { AllowFailure::No };
    rule.and_then(|rule| rule.allow_failure.clone()).or_else(|| job.allow_failure.clone()).unwrap_or(usual)
}

fn external(needs: Option<&[Need]>) -> Vec<serde_json::Value> {
    needs
        .into_iter()
        .flatten()
        .filter_map(|need| match need {
            Need::External(raw) => Some(raw.clone()),
            Need::Job(_) => None,
        })
        .collect()
}

//! Checks what one job says about another.

use std::collections::HashMap;

use indexmap::IndexMap;

use super::scope::{Report, nearest};
use crate::model::{Job, JobNeed, Need, Parallel};
use crate::names;
use crate::problem::Problem;

/// Bounds the needs of one job.
pub(crate) const MAX_NEEDS: usize = 50;

/// Checks stages, needs, dependencies and environments of all jobs.
pub(crate) fn jobs(report: &Report, stages: &[String], jobs: &IndexMap<String, Job>) {
    let checker = Checker::new(report, stages, jobs);
    for job in jobs.values() {
        if checker.stage(job) {
            checker.needs(job);
            checker.dependencies(job);
            checker.on_stop(job);
        }
    }
    if report.is_clean() {
        checker.circles();
    }
}

struct Checker<'a> {
    report: &'a Report,
    stages: &'a [String],
    jobs: &'a IndexMap<String, Job>,
    /// Finds the job behind each name an instance has.
    instances: HashMap<String, &'a Job>,
}

impl<'a> Checker<'a> {
    fn new(report: &'a Report, stages: &'a [String], jobs: &'a IndexMap<String, Job>) -> Self {
        let mut instances = HashMap::new();
        for job in jobs.values() {
            if let Some(parallel) = &job.parallel {
                for name in names::instances(&job.name, parallel) {
                    instances.insert(name, job);
                }
            }
        }
        Self { report, stages, jobs, instances }
    }

    fn fault(&self, job: &Job, keyword: &str, what: &str, hint: Option<String>) {
        let mut problem = Problem::new(format!("{} job: {what}", job.name)).at(job.at).job(&job.name).keyword(keyword);
        problem.hint = hint.map(String::into_boxed_str);
        self.report.refuse(problem);
    }

    fn rank(&self, job: &Job) -> Option<usize> {
        self.stages.iter().position(|stage| *stage == job.stage)
    }

    fn find(&self, name: &str) -> Option<&'a Job> {
        self.jobs.get(name).or_else(|| self.instances.get(name).copied())
    }

    fn suggestion(&self, name: &str) -> Option<String> {
        let names: Vec<&str> = self.jobs.keys().map(String::as_str).collect();
        nearest(name, &names).map(|near| format!("Did you mean `{near}`?"))
    }

    fn stage(&self, job: &Job) -> bool {
        let known = self.rank(job).is_some();
        if !known {
            let what =
                format!("chosen stage {} does not exist; available stages are {}", job.stage, self.stages.join(", "));
            self.fault(job, "stage", &what, Some("Add the stage to `stages`.".to_owned()));
        }
        known
    }

    fn needs(&self, job: &Job) {
        let rules = job.rules.iter().flatten().filter_map(|rule| rule.needs.as_ref());
        for needs in job.needs.iter().chain(rules) {
            if needs.len() > MAX_NEEDS {
                self.report.refuse(too_many(job, needs.len()));
                return;
            }
            for need in needs {
                if let Need::Job(need) = need {
                    self.need(job, need);
                }
            }
            self.twice(job, needs);
        }
    }

    fn need(&self, job: &Job, need: &JobNeed) {
        let name = &need.job;
        let Some(target) = self.find(name) else {
            if !need.optional {
                self.fault(job, "needs", &format!("undefined need: {name}"), self.suggestion(name));
            }
            return;
        };
        if self.rank(target) > self.rank(job) {
            let what = format!("need {name} is not defined in current or prior stages");
            self.fault(job, "needs", &what, None);
        }
        if let Some(rows) = &need.matrix {
            self.matrix(job, need, target, rows);
        }
    }

    /// Refuses a choice of instances that finds none. Expressions are settled later.
    fn matrix(&self, job: &Job, need: &JobNeed, target: &Job, rows: &[crate::model::MatrixRow]) {
        let dynamic = rows.iter().flatten().any(|(_, value)| value.contains("$[["));
        let found = match &target.parallel {
            Some(Parallel::Matrix(all)) => all.iter().any(|row| names::chosen(row, rows)),
            _ => false,
        };
        if !dynamic && !found && !need.optional {
            let what = format!("undefined need: {}: no instance has the given matrix values", need.job);
            self.fault(job, "needs", &what, None);
        }
    }

    fn twice(&self, job: &Job, needs: &[Need]) {
        let mut seen = Vec::new();
        for need in needs {
            let Need::Job(need) = need else { continue };
            let key = (&need.job, &need.matrix);
            if seen.contains(&key) {
                let what = format!("{} is listed twice in needs", need.job);
                self.fault(job, "needs", &what, None);
            }
            seen.push(key);
        }
    }

    fn dependencies(&self, job: &Job) {
        for name in job.dependencies.iter().flatten() {
            let Some(target) = self.find(name) else {
                let what = format!("undefined dependency: {name}");
                self.fault(job, "dependencies", &what, self.suggestion(name));
                continue;
            };
            let needed = job.needs.is_some();
            if !needed && self.rank(target) >= self.rank(job) {
                let what = format!("dependency {name} is not defined in prior stages");
                self.fault(job, "dependencies", &what, None);
            }
        }
    }

    fn on_stop(&self, job: &Job) {
        let environment = job.options.environment.as_ref();
        let Some((environment, name)) = environment.and_then(|one| Some((one, one.on_stop.as_ref()?))) else {
            return;
        };
        let what = match self.jobs.get(name).map(|stop| stop.options.environment.as_ref()) {
            None => "is not defined",
            Some(None) => "does not have environment defined",
            Some(Some(stop)) if stop.name != environment.name => "have different environment name",
            Some(Some(stop)) if stop.action.as_deref() != Some("stop") => "needs to have action stop defined",
            Some(Some(_)) => return,
        };
        self.fault(job, "environment", &format!("on_stop job {name} {what}"), None);
    }

    /// Refuses needs that lead back to where they started.
    fn circles(&self) {
        let mut state: Vec<u8> = vec![0; self.jobs.len()];
        for start in 0..self.jobs.len() {
            if let Some(circle) = self.circle(start, &mut state) {
                let names: Vec<&str> =
                    circle.iter().filter_map(|index| Some(self.jobs.get_index(*index)?.0.as_str())).collect();
                let message = match names.as_slice() {
                    [only] => format!("The pipeline has circular dependencies: self-dependency: {only}"),
                    _ => format!("The pipeline has circular dependencies: {}", names.join(", ")),
                };
                if let Some((name, job)) = self.jobs.get_index(circle[0]) {
                    let problem = Problem::new(message).at(job.at).job(name).keyword("needs");
                    self.report.refuse(problem);
                }
                return;
            }
        }
    }

    /// Walks depth first without recursion; 1 marks the path, 2 what is done.
    fn circle(&self, start: usize, state: &mut [u8]) -> Option<Vec<usize>> {
        if state[start] != 0 {
            return None;
        }
        let mut path = vec![(start, self.targets(start))];
        state[start] = 1;
        while let Some((current, targets)) = path.last_mut() {
            let Some(next) = targets.pop() else {
                state[*current] = 2;
                path.pop();
                continue;
            };
            match state[next] {
                0 => {
                    state[next] = 1;
                    path.push((next, self.targets(next)));
                }
                1 => {
                    let from = path.iter().position(|(index, _)| *index == next)?;
                    return Some(path[from..].iter().map(|(index, _)| *index).collect());
                }
                _ => {}
            }
        }
        None
    }

    fn targets(&self, index: usize) -> Vec<usize> {
        let Some((_, job)) = self.jobs.get_index(index) else {
            return Vec::new();
        };
        job.needs
            .iter()
            .flatten()
            .filter_map(|need| match need {
                Need::Job(need) => self.jobs.get_index_of(&self.find(&need.job)?.name),
                Need::External(_) => None,
            })
            .collect()
    }
}

fn too_many(job: &Job, count: usize) -> Problem {
    Problem::new(format!(
        "{}: one job can only need {MAX_NEEDS} others, but you have listed {count}. \
         See needs keyword documentation for more details",
        job.name
    ))
    .at(job.at)
    .job(&job.name)
    .keyword("needs")
}

//! Turns needs into names of jobs that are part of the pipeline.

use std::collections::{HashMap, HashSet};

use crate::model::{JobNeed, JobSpec, MatrixRow, Need, ResolvedNeed};
use crate::names;
use crate::problem::Problem;

/// Bounds the needs of a whole pipeline.
const MAX_LINKS: usize = 200_000;

/// A job of the pipeline before its needs are settled.
pub(crate) struct Draft<'c> {
    pub(crate) spec: JobSpec,
    pub(crate) needs: Option<&'c [Need]>,
    pub(crate) row: Option<&'c MatrixRow>,
    pub(crate) line: crate::problem::At,
}

/// Settles the needs and dependencies of all drafts.
pub(crate) fn settle(mut drafts: Vec<Draft<'_>>) -> Result<Vec<JobSpec>, Vec<Problem>> {
    let index = Index::new(&drafts);
    let mut problems = Vec::new();
    let mut links = 0;
    let mut settled = Vec::with_capacity(drafts.len());
    for draft in &drafts {
        let needs = draft.needs.map(|needs| resolve(draft, needs, &drafts, &index, &mut problems));
        links += needs.as_ref().map_or(0, Vec::len);
        if links > MAX_LINKS {
            problems.push(Problem::new("The pipeline has too many needs").keyword("needs"));
            break;
        }
        settled.push((needs, dependencies(draft, &index, &drafts)));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    for (draft, (needs, dependencies)) in drafts.iter_mut().zip(settled) {
        draft.spec.needs = needs;
        draft.spec.dependencies = dependencies;
    }
    if let Some(problem) = circle(&drafts) {
        return Err(vec![problem]);
    }
    Ok(drafts.into_iter().map(|draft| draft.spec).collect())
}

/// Finds drafts by the name in the file and by the name of the instance.
struct Index {
    bases: HashMap<String, Vec<usize>>,
    names: HashMap<String, usize>,
}

impl Index {
    fn new(drafts: &[Draft<'_>]) -> Self {
        let mut bases: HashMap<String, Vec<usize>> = HashMap::new();
        let mut names = HashMap::new();
        for (number, draft) in drafts.iter().enumerate() {
            bases.entry(draft.spec.base_name.clone()).or_default().push(number);
            names.insert(draft.spec.name.clone(), number);
        }
        Self { bases, names }
    }

    fn find(&self, name: &str) -> Vec<usize> {
        match self.bases.get(name) {
            Some(all) => all.clone(),
            None => self.names.get(name).copied().into_iter().collect(),
        }
    }
}

fn resolve(
    draft: &Draft<'_>,
    needs: &[Need],
    drafts: &[Draft<'_>],
    index: &Index,
    problems: &mut Vec<Problem>,
) -> Vec<ResolvedNeed> {
    let mut seen = HashSet::new();
    let mut resolved = Vec::new();
    for need in needs {
        let Need::Job(need) = need else { continue };
        let found = targets(draft, need, drafts, index);
        if found.is_empty() && !need.optional {
            problems.push(missing(draft, need));
        }
        for number in found {
            if seen.insert(number) {
                resolved.push(ResolvedNeed {
                    job: drafts[number].spec.name.clone(),
                    artifacts: need.artifacts,
                    optional: need.optional,
                });
            }
        }
    }
    resolved
}

fn targets(draft: &Draft<'_>, need: &JobNeed, drafts: &[Draft<'_>], index: &Index) -> Vec<usize> {
    let mut found = index.find(&need.job);
    if let Some(wanted) = &need.matrix {
        let wanted = fill(wanted, draft.row);
        found.retain(|number| drafts[*number].row.is_some_and(|row| names::chosen(row, &wanted)));
    }
    found
}

/// Replaces `$[[ matrix.NAME ]]` by the value of the instance that needs.
fn fill(wanted: &[MatrixRow], own: Option<&MatrixRow>) -> Vec<MatrixRow> {
    let value = |text: &String| {
        let name = text
            .strip_prefix("$[[")
            .and_then(|rest| rest.strip_suffix("]]"))
            .and_then(|inner| inner.trim().strip_prefix("matrix."));
        let found = name.and_then(|name| own?.iter().find(|(key, _)| key == name));
        found.map_or_else(|| text.clone(), |(_, value)| value.clone())
    };
    wanted.iter().map(|row| row.iter().map(|(key, text)| (key.clone(), value(text))).collect()).collect()
}

fn missing(draft: &Draft<'_>, need: &JobNeed) -> Problem {
    let name = &draft.spec.name;
    let needed = &need.job;
    Problem::new(format!(
        "'{name}' job needs '{needed}' job, but '{needed}' does not exist in the pipeline. \
         This might be because of the only, except, or rules keywords. \
         To need a job that sometimes does not exist in the pipeline, use needs:optional."
    ))
    .at(draft.line)
    .job(name)
    .keyword("needs")
    .hint("Give both jobs the same rules, or add `optional: true` to the need.")
}

fn dependencies(draft: &Draft<'_>, index: &Index, drafts: &[Draft<'_>]) -> Option<Vec<String>> {
    let names = draft.spec.dependencies.as_ref()?;
    Some(names.iter().flat_map(|name| index.find(name)).map(|number| drafts[number].spec.name.clone()).collect())
}

/// Finds jobs that wait for each other: what is left when all others are taken away.
fn circle(drafts: &[Draft<'_>]) -> Option<Problem> {
    let numbers: HashMap<&str, usize> =
        drafts.iter().enumerate().map(|(number, draft)| (draft.spec.name.as_str(), number)).collect();
    let mut waiting: Vec<usize> = vec![0; drafts.len()];
    let mut after: Vec<Vec<usize>> = vec![Vec::new(); drafts.len()];
    for (number, draft) in drafts.iter().enumerate() {
        for need in draft.spec.needs.iter().flatten() {
            if let Some(needed) = numbers.get(need.job.as_str()) {
                waiting[number] += 1;
                after[*needed].push(number);
            }
        }
    }
    let mut ready: Vec<usize> = (0..drafts.len()).filter(|number| waiting[*number] == 0).collect();
    let mut done = 0;
    while let Some(number) = ready.pop() {
        done += 1;
        for next in &after[number] {
            waiting[*next] -= 1;
            if waiting[*next] == 0 {
                ready.push(*next);
            }
        }
    }
    if done == drafts.len() {
        return None;
    }
    let stuck: Vec<&str> = (0..drafts.len())
        .filter(|number| waiting[*number] > 0)
        .take(10)
        .map(|number| drafts[number].spec.name.as_str())
        .collect();
    let message = format!("The pipeline has circular dependencies: {}", stuck.join(", "));
    Some(Problem::new(message).keyword("needs"))
}

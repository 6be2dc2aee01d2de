//! Which jobs decide when a pipeline ends: the longest way through needs and stages.

use std::collections::HashMap;

use crate::build::{Build, Need};

/// When each job can end, and the jobs on the longest way.
#[derive(Debug, Default)]
pub(super) struct Critical {
    /// Indices of the jobs on the way, the last first.
    pub(super) path: Vec<usize>,
    /// Seconds that the way takes.
    pub(super) seconds: f64,
}

/// The jobs with what decides on their order.
struct Ways<'a> {
    builds: &'a [Build],
    needs: &'a HashMap<i64, Vec<Need>>,
    weights: &'a [f64],
    index: HashMap<&'a str, usize>,
    /// When each job ends, once that is known.
    ends: Vec<Option<f64>>,
    /// The job that each waits for the longest.
    after: Vec<Option<usize>>,
    /// The job that ends the stages before the current one.
    gate: Option<usize>,
}

/// Finds the longest way; `weights` are the seconds of each job, taken or expected. Jobs are in the order of their stages.
pub(super) fn critical(builds: &[Build], needs: &HashMap<i64, Vec<Need>>, weights: &[f64]) -> Critical {
    let index = builds.iter().enumerate().map(|(at, b)| (b.name.as_str(), at)).collect();
    let (ends, after) = (vec![None; builds.len()], vec![None; builds.len()]);
    let mut ways = Ways { builds, needs, weights, index, ends, after, gate: None };
    let mut first = 0;
    for stage in builds.chunk_by(|a, b| a.stage_index == b.stage_index) {
        let here: Vec<usize> = (first..first + stage.len()).collect();
        first += stage.len();
        ways.place(&here);
        let last = ways.last(here.into_iter().chain(ways.gate));
        ways.gate = last;
    }
    let path = std::iter::successors(ways.gate, |at| ways.after[*at]).collect();
    Critical { seconds: ways.gate.map_or(0.0, |at| ways.end(at)), path }
}

impl Ways<'_> {
    fn end(&self, at: usize) -> f64 {
        self.ends[at].unwrap_or(0.0)
    }

    fn last(&self, jobs: impl Iterator<Item = usize>) -> Option<usize> {
        jobs.max_by(|a, b| self.end(*a).total_cmp(&self.end(*b)))
    }

    /// Places the jobs of a stage; one may need others of the same stage, in any order.
    fn place(&mut self, here: &[usize]) {
        let mut left: Vec<usize> = here.to_vec();
        while !left.is_empty() {
            let before = left.len();
            left.retain(|at| !self.place_one(*at));
            if left.len() == before {
                // A circle can't be stored; should there be one, it weighs nothing.
                left.drain(..).for_each(|at| self.ends[at] = Some(0.0));
            }
        }
    }

    /// Places a job once all that it waits for has been placed.
    fn place_one(&mut self, at: usize) -> bool {
        let build = &self.builds[at];
        let before: Vec<usize> = match build.dag {
            false => self.gate.into_iter().collect(),
            true => {
                let needs = self.needs.get(&build.id).into_iter().flatten();
                needs.filter_map(|n| self.index.get(n.name.as_str()).copied()).collect()
            }
        };
        if before.iter().any(|b| self.ends[*b].is_none()) {
            return false;
        }
        let last = self.last(before.into_iter());
        self.ends[at] = Some(last.map_or(0.0, |l| self.end(l)) + self.weights[at]);
        self.after[at] = last;
        true
    }
}

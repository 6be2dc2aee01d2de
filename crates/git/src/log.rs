//! Histories: which commits, in which order, and how many.

use std::collections::HashMap;
use std::sync::LazyLock;

use gix::Repository;
use gix::revision::walk::Sorting;
use gix::traverse::commit::simple::CommitTimeOrder;
use moka::sync::Cache;
use serde::Serialize;

use crate::command::Git;
use crate::commit::read_commit;
use crate::error::corrupt;
use crate::{Commit, Oid, Repo, RepoPath, Result};

/// The most commits one call returns.
const MAX_LIMIT: usize = 10_000;

static COUNTED: LazyLock<Cache<(Oid, RepoPath, bool), u64>> = LazyLock::new(|| Cache::new(20_000));

/// Says in which order commits are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogOrder {
    /// By date, newest first.
    #[default]
    Date,
    /// No parent before all its children, lines of history kept together.
    Topological,
}

/// Selects commits.
#[derive(Clone, Debug, Default)]
pub struct LogQuery {
    /// Where the history starts.
    pub tips: Vec<Oid>,
    /// Leaves out what these reach.
    pub exclude: Vec<Oid>,
    /// Starts at all branches and tags as well.
    pub all: bool,
    /// Keeps commits that change this path.
    pub path: RepoPath,
    /// Follows the path's file across renames.
    pub follow: bool,
    /// Keeps commits whose author contains this.
    pub author: Option<String>,
    /// Keeps commits whose message contains this.
    pub message: Option<String>,
    /// Keeps commits at or after this second.
    pub since: Option<i64>,
    /// Keeps commits at or before this second.
    pub until: Option<i64>,
    /// Follows only first parents.
    pub first_parent: bool,
    /// Leaves out merges.
    pub no_merges: bool,
    /// The order of the list.
    pub order: LogOrder,
    /// How many to leave out at the start.
    pub skip: usize,
    /// How many to return at most.
    pub limit: usize,
}

impl LogQuery {
    /// Selects the first `limit` commits of the history of `tip`.
    pub fn of(tip: Oid, limit: usize) -> Self {
        Self { tips: vec![tip], limit, ..Self::default() }
    }

    /// Tells whether a walk without any filter finds the commits.
    fn is_plain(&self) -> bool {
        let filtered = self.author.is_some() || self.message.is_some() || self.since.is_some() || self.until.is_some();
        let shaped = self.all || self.no_merges || self.order != LogOrder::Date || !self.exclude.is_empty();
        !filtered && !shaped && self.path.is_root()
    }
}

/// Counts changed lines and files of a commit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CommitStats {
    /// Lines added.
    pub additions: u64,
    /// Lines removed.
    pub deletions: u64,
    /// Files changed.
    pub files: u64,
}

impl Repo {
    /// Lists commits.
    pub async fn log(&self, query: LogQuery) -> Result<Vec<Commit>> {
        let ids = self.log_ids(query).await?;
        self.commits(ids).await
    }

    /// Lists the ids of commits.
    pub async fn log_ids(&self, mut query: LogQuery) -> Result<Vec<Oid>> {
        query.limit = query.limit.min(MAX_LIMIT);
        if query.limit == 0 || (query.tips.is_empty() && !query.all) {
            return Ok(Vec::new());
        }
        if query.is_plain() {
            return self.read(move |repo| walk(repo, &query)).await;
        }
        let command = if query.follow && !query.path.is_root() {
            self.git("log").args(["--follow", "--format=%H"])
        } else {
            self.git("rev-list")
        };
        let paging = [format!("--skip={}", query.skip), format!("--max-count={}", query.limit)];
        let output = with_filters(command.args(paging), &query).run().await?;
        parse_ids(&output)
    }

    /// Counts the commits that the query selects, whatever its `skip` and `limit`.
    pub async fn count_commits(&self, query: &LogQuery) -> Result<u64> {
        let simple = LogQuery { path: RepoPath::root(), first_parent: false, ..query.clone() }.is_plain();
        let key = match query.tips.as_slice() {
            [tip] if simple => Some((*tip, query.path.clone(), query.first_parent)),
            _ => None,
        };
        if let Some(known) = key.as_ref().and_then(|key| COUNTED.get(key)) {
            return Ok(known);
        }
        if query.tips.is_empty() && !query.all {
            return Ok(0);
        }
        let output = with_filters(self.git("rev-list").arg("--count"), query).run().await?;
        let text = String::from_utf8_lossy(&output);
        let count = text.trim().parse().map_err(corrupt)?;
        if let Some(key) = key {
            COUNTED.insert(key, count);
        }
        Ok(count)
    }

    /// Counts what each of the commits changed compared to its first parent.
    pub async fn commit_stats(&self, ids: &[Oid]) -> Result<HashMap<Oid, CommitStats>> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let input: String = ids.iter().map(|id| format!("{id}\n")).collect();
        let command =
            self.git("diff-tree").args(["--stdin", "-r", "--root", "--diff-merges=first-parent", "--numstat"]);
        let output = command.arg("-M").run_with(input.into_bytes()).await?;
        Ok(parse_stats(&output))
    }
}

fn with_filters(command: Git, query: &LogQuery) -> Git {
    let text = |name: &str, value: &Option<String>| value.as_ref().map(|value| format!("--{name}={}", one_line(value)));
    let date = |name: &str, value: Option<i64>| value.map(|value| format!("--{name}={}", value.max(0)));
    let optional = [
        text("author", &query.author),
        text("grep", &query.message),
        // `--max-age` and `--min-age` take seconds, while `--since` would read a small number as a date.
        date("max-age", query.since),
        date("min-age", query.until),
    ];
    let command = command
        .args(optional.into_iter().flatten())
        .args(["--fixed-strings", "--regexp-ignore-case"])
        .arg_if(query.first_parent, "--first-parent")
        .arg_if(query.no_merges, "--no-merges")
        .arg_if(query.order == LogOrder::Topological, "--topo-order");
    let command = if query.all { command.args(["--branches", "--tags"]) } else { command };
    command
        .args(query.tips.iter().map(Oid::to_string))
        .args(query.exclude.iter().map(|id| format!("^{id}")))
        .arg("--")
        .path(&query.path)
}

/// Git takes a line break in a pattern for "or", and can't take NUL in an argument.
fn one_line(text: &str) -> String {
    text.chars().take(1000).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn walk(repo: &Repository, query: &LogQuery) -> Result<Vec<Oid>> {
    for tip in &query.tips {
        read_commit(repo, *tip)?;
    }
    let platform = repo.rev_walk(query.tips.iter().map(|tip| tip.0));
    let mut platform = platform.sorting(Sorting::ByCommitTime(CommitTimeOrder::NewestFirst));
    if query.first_parent {
        platform = platform.first_parent_only();
    }
    let commits = platform.all()?.skip(query.skip).take(query.limit);
    commits.map(|info| Ok(Oid(info.map_err(corrupt)?.id))).collect()
}

pub(crate) fn parse_ids(output: &[u8]) -> Result<Vec<Oid>> {
    let lines = output.split(|b| *b == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| Oid::from_hex(line).map_err(corrupt)).collect()
}

/// Reads alternating lines of `ID` and `ADDED TAB DELETED TAB PATH`.
fn parse_stats(output: &[u8]) -> HashMap<Oid, CommitStats> {
    let mut stats: HashMap<Oid, CommitStats> = HashMap::new();
    let mut current = None;
    for line in output.split(|b| *b == b'\n') {
        let mut fields = line.splitn(3, |b| *b == b'\t');
        let (first, second) = (fields.next().unwrap_or_default(), fields.next());
        match (second, current) {
            (None, _) => current = first.get(..40).and_then(|id| Oid::from_hex(id).ok()).or(current),
            (Some(second), Some(id)) => {
                let entry = stats.entry(id).or_default();
                entry.additions += number(first);
                entry.deletions += number(second);
                entry.files += 1;
            }
            (Some(_), None) => {}
        }
        if let Some(id) = current {
            stats.entry(id).or_default();
        }
    }
    stats
}

/// Reads a decimal number; `-`, which stands for a binary file, is zero.
pub(crate) fn number(digits: &[u8]) -> u64 {
    std::str::from_utf8(digits).ok().and_then(|text| text.parse().ok()).unwrap_or(0)
}

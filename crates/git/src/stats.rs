//! Numbers about a history: contributors, commits per week, languages.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use gix::Repository;
use moka::sync::Cache;
use serde::Serialize;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::languages::{Language, detect, is_generated_path, is_vendored};
use crate::log::number;
use crate::tree::{EntryKind, root_tree, walk_tree};
use crate::{ByteString, GitError, Oid, Repo, Result};

/// The weeks that [`Repo::commits_per_week`] looks back.
pub const WEEKS: usize = 26;
const WEEK: i64 = 7 * 24 * 3600;
/// Files looked at for the languages of a tree.
const MAX_FILES: usize = 200_000;
/// The most contributors kept apart.
const MAX_CONTRIBUTORS: usize = 100_000;
const TIMEOUT: Duration = Duration::from_secs(120);

/// The contributors of a history, shared between the cache and its readers.
pub type People = Arc<Vec<Contributor>>;

static CONTRIBUTORS: LazyLock<Cache<(Oid, bool), People>> = LazyLock::new(|| Cache::new(200));
static LANGUAGES: LazyLock<Cache<Oid, Arc<Vec<LanguageShare>>>> = LazyLock::new(|| Cache::new(5000));

/// Sums up what one person contributed.
#[derive(Clone, Debug, Serialize)]
pub struct Contributor {
    /// The name, after `.mailmap`.
    pub name: ByteString,
    /// The e-mail address, after `.mailmap`.
    pub email: ByteString,
    /// Commits, without merges.
    pub commits: u64,
    /// Lines added, if asked for.
    pub additions: u64,
    /// Lines removed, if asked for.
    pub deletions: u64,
}

/// Is one language's part of a tree.
#[derive(Clone, Debug, Serialize)]
pub struct LanguageShare {
    /// The language.
    pub name: &'static str,
    /// Its colour, as `#rrggbb`.
    pub colour: &'static str,
    /// Bytes of files in it.
    pub bytes: u64,
    /// Its part of all bytes, in percent.
    pub percent: f64,
}

impl Repo {
    /// Lists who contributed to the history of `tip`, most commits first.
    ///
    /// Counting changed lines reads every diff of the history and takes accordingly long.
    pub async fn contributors(&self, tip: Oid, with_lines: bool) -> Result<People> {
        if let Some(known) = CONTRIBUTORS.get(&(tip, with_lines)) {
            return Ok(known);
        }
        let command = self.git("log").args(["--no-merges", "--use-mailmap", "--format=%x01%aN%x00%aE"]);
        let command = command.arg_if(with_lines, "--numstat").arg(tip.to_string()).arg("--");
        let reader = BufReader::new(command.stream()?.into_reader());
        let counted = tokio::time::timeout(TIMEOUT, count_contributors(reader)).await;
        let mut people = counted.map_err(|_| GitError::TimedOut("counting contributors".into()))??;
        people.sort_by(|a, b| b.commits.cmp(&a.commits).then_with(|| a.name.cmp(&b.name)));
        let people = Arc::new(people);
        CONTRIBUTORS.insert((tip, with_lines), people.clone());
        Ok(people)
    }

    /// Counts the commits of the last [`WEEKS`] weeks before `now`, the oldest week first.
    pub async fn commits_per_week(&self, tip: Oid, now: i64) -> Result<Vec<u64>> {
        let span = WEEK * i64::try_from(WEEKS).unwrap_or(26);
        let since = format!("--max-age={}", now.saturating_sub(span).max(0));
        let command = self.git("log").args([&since, "--format=%ct", &tip.to_string(), "--"]);
        let output = command.timeout(TIMEOUT).run().await?;
        let mut weeks = vec![0; WEEKS];
        for line in output.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
            let age = now - i64::try_from(number(line)).unwrap_or(0);
            let week = usize::try_from(age.max(0) / WEEK).unwrap_or(WEEKS);
            if let Some(count) = WEEKS.checked_sub(week + 1).and_then(|at| weeks.get_mut(at)) {
                *count += 1;
            }
        }
        Ok(weeks)
    }

    /// Measures the languages of a tree by the size of its files, largest first.
    pub async fn languages(&self, revision: Oid) -> Result<Arc<Vec<LanguageShare>>> {
        let tree = self.read(move |repo| root_tree(repo, revision)).await?;
        if let Some(known) = LANGUAGES.get(&tree) {
            return Ok(known);
        }
        let shares = Arc::new(self.read(move |repo| measure(repo, tree)).await?);
        LANGUAGES.insert(tree, shares.clone());
        Ok(shares)
    }
}

/// Reads `%x01 NAME NUL EMAIL` lines, each followed by lines of `ADDED TAB DELETED TAB PATH`.
async fn count_contributors(mut reader: impl AsyncBufReadExt + Unpin) -> Result<Vec<Contributor>> {
    let mut people: Vec<Contributor> = Vec::new();
    let mut by_email: HashMap<Vec<u8>, usize> = HashMap::new();
    let (mut line, mut current) = (Vec::new(), None);
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line).await? == 0 {
            return Ok(people);
        }
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        if let Some(header) = text.strip_prefix(b"\x01") {
            current = person(header, &mut people, &mut by_email);
            if let Some(at) = current {
                people[at].commits += 1;
            }
        } else if let Some(at) = current {
            let mut fields = text.splitn(3, |b| *b == b'\t').map(number);
            people[at].additions += fields.next().unwrap_or(0);
            people[at].deletions += fields.next().unwrap_or(0);
        }
    }
}

fn person(header: &[u8], people: &mut Vec<Contributor>, by_email: &mut HashMap<Vec<u8>, usize>) -> Option<usize> {
    let mut fields = header.splitn(2, |b| *b == 0);
    let (name, email) = (fields.next()?, fields.next()?);
    let key = email.to_ascii_lowercase();
    if let Some(at) = by_email.get(&key) {
        return Some(*at);
    }
    if people.len() >= MAX_CONTRIBUTORS {
        return None;
    }
    people.push(Contributor { name: name.into(), email: email.into(), commits: 0, additions: 0, deletions: 0 });
    by_email.insert(key, people.len() - 1);
    Some(people.len() - 1)
}

fn measure(repo: &Repository, tree: Oid) -> Result<Vec<LanguageShare>> {
    let mut files = Vec::new();
    let mut seen = 0;
    walk_tree(repo, tree, b"", &mut |entry| {
        seen += 1;
        if entry.kind != EntryKind::Tree
            && entry.kind.is_file()
            && !is_vendored(&entry.path)
            && !is_generated_path(&entry.path)
            && let Some(language) = detect(&entry.path)
        {
            files.push((entry.oid, language));
        }
        seen < MAX_FILES
    })?;
    let mut bytes: HashMap<&'static str, (&'static Language, u64)> = HashMap::new();
    for (oid, language) in files.into_iter().filter(|(_, language)| language.counted) {
        let size = repo.try_find_header(oid.0)?.map_or(0, |header| header.size());
        bytes.entry(language.name).or_insert((language, 0)).1 += size;
    }
    Ok(shares(bytes.into_values().collect()))
}

#[allow(clippy::cast_precision_loss)]
fn shares(mut bytes: Vec<(&'static Language, u64)>) -> Vec<LanguageShare> {
    bytes.retain(|(_, bytes)| *bytes > 0);
    bytes.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.name.cmp(b.0.name)));
    let total: u64 = bytes.iter().map(|(_, bytes)| bytes).sum();
    let share = |(language, bytes): (&'static Language, u64)| LanguageShare {
        name: language.name,
        colour: language.colour,
        bytes,
        percent: (bytes as f64 * 10_000.0 / total as f64).round() / 100.0,
    };
    bytes.into_iter().map(share).collect()
}

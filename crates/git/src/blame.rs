//! Who last changed each line of a file.

use std::collections::HashMap;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use tempfile::NamedTempFile;

use crate::error::corrupt;
use crate::revision::peel_to_commit;
use crate::{ByteString, Commit, GitError, Oid, Repo, RepoPath, Result};

/// How long blaming a file may take.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The largest file that is blamed.
const MAX_FILE: u64 = 8 << 20;
/// The largest list of commits to look through.
const MAX_IGNORE: u64 = 1 << 20;

/// Is a run of lines that one commit brought in.
#[derive(Clone, Debug)]
pub struct BlameRange {
    /// The commit.
    pub commit: Arc<Commit>,
    /// The first line in the file, counted from one.
    pub start: u32,
    /// How many lines.
    pub lines: u32,
    /// The first line in the file as of the commit.
    pub original_start: u32,
    /// The path of the file as of the commit.
    pub original_path: ByteString,
    /// The commit and path before the change, if the file existed then.
    pub previous: Option<(Oid, ByteString)>,
}

impl Repo {
    /// Finds who last changed each line of a file, or of its lines `first` to `last`.
    ///
    /// Commits listed in `.git-blame-ignore-revs` at the root are looked through.
    pub async fn blame(&self, revision: Oid, path: &RepoPath, lines: Option<(u32, u32)>) -> Result<Vec<BlameRange>> {
        let blob = self.blob_at(revision, path, MAX_FILE).await?;
        if blob.truncated {
            return Err(GitError::TooLarge("the file".into()));
        }
        if blob.data.is_empty() {
            return Ok(Vec::new());
        }
        let ignored = self.ignored_commits(revision).await?;
        let command = self.git("blame").args(["--porcelain", "--encoding=none"]).timeout(TIMEOUT);
        let command = match &ignored {
            Some(file) => command.arg("--ignore-revs-file").arg(file.path()),
            None => command,
        };
        let command = match lines {
            Some((first, last)) => command.arg(format!("-L{},{}", first.max(1), last.max(first.max(1)))),
            None => command,
        };
        let output = command.arg(revision.to_string()).arg("--").path(path).run().await?;
        let ranges = parse(&output).ok_or_else(|| corrupt("blame printed a malformed line"))?;
        self.with_commits(ranges).await
    }

    async fn with_commits(&self, raw: Vec<RawRange>) -> Result<Vec<BlameRange>> {
        let mut ids: Vec<Oid> = raw.iter().map(|range| range.commit).collect();
        ids.sort_unstable();
        ids.dedup();
        let commits = self.commits(ids).await?;
        let commits: HashMap<Oid, Arc<Commit>> = commits.into_iter().map(|c| (c.id, Arc::new(c))).collect();
        let with_commit = |range: RawRange| {
            let commit = commits.get(&range.commit)?.clone();
            let RawRange { start, lines, original_start, original_path, previous, .. } = range;
            Some(BlameRange { commit, start, lines, original_start, original_path, previous })
        };
        Ok(raw.into_iter().filter_map(with_commit).collect())
    }

    /// Writes the commits to look through to a file, without lines that git would stumble over.
    async fn ignored_commits(&self, revision: Oid) -> Result<Option<NamedTempFile>> {
        let path = RepoPath::new(".git-blame-ignore-revs")?;
        let list = match self.blob_at(revision, &path, MAX_IGNORE).await {
            Ok(list) => list,
            Err(GitError::NotFound(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        self.read(move |repo| {
            let mut file = NamedTempFile::new()?;
            for line in list.data.split(|b| *b == b'\n') {
                let id = line.split(|b| *b == b'#').next().unwrap_or_default().trim_ascii();
                let Ok(id) = Oid::from_hex(id) else { continue };
                if peel_to_commit(repo, id)?.is_some() {
                    writeln!(file, "{id}")?;
                }
            }
            file.flush()?;
            Ok(Some(file))
        })
        .await
    }
}

struct RawRange {
    commit: Oid,
    start: u32,
    lines: u32,
    original_start: u32,
    original_path: ByteString,
    previous: Option<(Oid, ByteString)>,
}

#[derive(Clone, Default)]
struct Origin {
    path: ByteString,
    previous: Option<(Oid, ByteString)>,
}

/// Reads the porcelain format, in which the details of a commit stand where it first occurs.
fn parse(output: &[u8]) -> Option<Vec<RawRange>> {
    let mut ranges: Vec<RawRange> = Vec::new();
    let mut origins: HashMap<Oid, Origin> = HashMap::new();
    let mut lines = output.split(|b| *b == b'\n');
    while let Some(header) = lines.next().filter(|line| !line.is_empty()) {
        let (commit, original, start) = parse_header(header)?;
        let mut origin = origins.remove(&commit).unwrap_or_default();
        for line in lines.by_ref().take_while(|line| !line.starts_with(b"\t")) {
            if let Some(path) = line.strip_prefix(b"filename ") {
                origin.path = path.into();
            } else if let Some(previous) = line.strip_prefix(b"previous ") {
                let id = Oid::from_hex(previous.get(..40)?).ok()?;
                origin.previous = Some((id, previous.get(41..)?.into()));
            }
        }
        extend(&mut ranges, commit, original, start, &origin);
        origins.insert(commit, origin);
    }
    Some(ranges)
}

/// Reads `ID ORIGINAL FINAL [COUNT]`.
fn parse_header(line: &[u8]) -> Option<(Oid, u32, u32)> {
    let commit = Oid::from_hex(line.get(..40)?).ok()?;
    let rest = std::str::from_utf8(line.get(41..)?).ok()?;
    let mut numbers = rest.split(' ').map(|number| number.parse().ok());
    Some((commit, numbers.next()??, numbers.next()??))
}

/// Adds a line to the last range if it continues it, or else starts another.
fn extend(ranges: &mut Vec<RawRange>, commit: Oid, original_start: u32, start: u32, origin: &Origin) {
    if let Some(last) = ranges.last_mut() {
        let continues = last.commit == commit
            && last.start + last.lines == start
            && last.original_start + last.lines == original_start
            && last.original_path == origin.path;
        if continues {
            last.lines += 1;
            return;
        }
    }
    let (original_path, previous) = (origin.path.clone(), origin.previous.clone());
    ranges.push(RawRange { commit, start, lines: 1, original_start, original_path, previous });
}

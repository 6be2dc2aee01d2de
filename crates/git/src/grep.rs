//! Searching the files of a commit for a text.

use std::time::Duration;

use serde::Serialize;
use tokio::io::BufReader;

use crate::command::Running;
use crate::diff::read_line;
use crate::{ByteString, GitError, Oid, Repo, Result};

/// How long a search may take.
const TIMEOUT: Duration = Duration::from_secs(15);
/// The most bytes that are kept of a line.
const MAX_LINE: usize = 2000;
/// The most matching lines of one file.
const MAX_PER_FILE: &str = "--max-count=20";

/// Is one place where the text was found, with a line of context around it.
#[derive(Clone, Debug, Serialize)]
pub struct GrepHit {
    /// The file.
    pub path: ByteString,
    /// The number of the first line of `text`, counted from one.
    pub first_line: u32,
    /// The lines, each with a line feed.
    pub text: ByteString,
}

impl Repo {
    /// Finds text files of a commit with lines that hold `text`, ignoring case; leaves out the first `skip` places.
    pub async fn grep(&self, revision: Oid, text: &str, skip: usize, limit: usize) -> Result<Vec<GrepHit>> {
        let text: String = text.chars().take(1000).map(|c| if c.is_control() { ' ' } else { c }).collect();
        if text.trim().is_empty() || limit == 0 {
            return Ok(vec![]);
        }
        let command = self.git("grep").args(["-I", "-n", "-z", "-i", "-F", "-C1", MAX_PER_FILE, "-e", &text]);
        let running = command.arg(revision.to_string()).arg("--").spawn(false)?;
        let search = collect(running, format!("{revision}:"), skip, limit);
        tokio::time::timeout(TIMEOUT, search).await.map_err(|_| GitError::TimedOut("the search".into()))?
    }
}

/// Reads hits until there are enough; then the command is ended by being dropped.
async fn collect(mut running: Running, prefix: String, skip: usize, limit: usize) -> Result<Vec<GrepHit>> {
    let mut reader = BufReader::new(running.take_stdout()?);
    let (mut line, mut seen, mut hits, mut open) = (Vec::new(), 0, vec![], None::<GrepHit>);
    while hits.len() < limit {
        let more = read_line(&mut reader, &mut line, MAX_LINE + prefix.len()).await?;
        let parsed = if more { parse(&line, prefix.as_bytes()) } else { None };
        match (parsed, &mut open) {
            (Some((path, _, text)), Some(hit)) if path == hit.path.as_bytes() => extend(hit, text),
            (parsed, open) => {
                if let Some(hit) = open.take() {
                    seen += 1;
                    if seen > skip {
                        hits.push(hit);
                    }
                }
                *open = parsed.map(|(path, first_line, text)| {
                    let mut hit = GrepHit { path: path.into(), first_line, text: Vec::new().into() };
                    extend(&mut hit, text);
                    hit
                });
            }
        }
        if !more {
            break;
        }
    }
    Ok(hits)
}

fn extend(hit: &mut GrepHit, line: &[u8]) {
    hit.text = [hit.text.as_bytes(), &line[..line.len().min(MAX_LINE)], b"\n"].concat().into();
}

/// Reads `ID:PATH NUL NUMBER SIGN TEXT`; the line `--`, which stands between hits, is nothing.
fn parse<'a>(line: &'a [u8], prefix: &[u8]) -> Option<(&'a [u8], u32, &'a [u8])> {
    let rest = line.strip_prefix(prefix)?;
    let end = rest.iter().position(|b| *b == 0)?;
    let (path, rest) = (&rest[..end], &rest[end + 1..]);
    let digits = rest.iter().position(|b| !b.is_ascii_digit())?;
    let number = std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()?;
    Some((path, number, &rest[digits + 1..]))
}

//! Reading commits.

use gix::Repository;
use serde::Serialize;

use crate::error::{corrupt, not_found};
use crate::{ByteString, GitError, Oid, Repo, Result};

/// Says who did something and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Signature {
    /// The name.
    pub name: ByteString,
    /// The e-mail address.
    pub email: ByteString,
    /// Seconds since 1970 in UTC.
    pub time: i64,
    /// Seconds that local time was ahead of UTC.
    pub offset: i32,
}

impl Signature {
    /// Makes a signature; characters that git can't store are dropped.
    pub fn new(name: &str, email: &str, time: i64, offset: i32) -> Self {
        let (name, email) = (storable(name, "unknown"), storable(email, "unknown@localhost"));
        // Git stores whole minutes and no more than a day.
        let offset = offset.clamp(-86_340, 86_340) / 60 * 60;
        Self { name: name.into(), email: email.into(), time: time.max(0), offset }
    }

    pub(crate) fn to_gix(&self) -> gix::actor::Signature {
        let clean = Self::new(&self.name.lossy(), &self.email.lossy(), self.time, self.offset);
        gix::actor::Signature {
            name: clean.name.into_vec().into(),
            email: clean.email.into_vec().into(),
            time: gix::date::Time::new(clean.time, clean.offset),
        }
    }

    /// Reads `NAME <EMAIL> SECONDS OFFSET` and makes the best of malformed ones.
    pub(crate) fn parse(raw: &[u8], encoding: Option<&[u8]>) -> Self {
        let open = raw.iter().position(|b| *b == b'<').unwrap_or(raw.len());
        let close = raw.iter().rposition(|b| *b == b'>').filter(|at| *at > open).unwrap_or(raw.len());
        let email = raw.get(open + 1..close).unwrap_or_default();
        let date = String::from_utf8_lossy(raw.get(close + 1..).unwrap_or_default());
        let mut date = date.split_whitespace();
        let time = date.next().and_then(|text| text.parse().ok()).unwrap_or(0);
        let offset = date.next().and_then(parse_offset).unwrap_or(0);
        let name = decode(raw[..open].trim_ascii(), encoding);
        Self { name, email: decode(email.trim_ascii(), encoding), time, offset }
    }
}

fn storable(text: &str, fallback: &str) -> String {
    let kept: String = text.chars().filter(|c| !c.is_control() && !"<>".contains(*c)).take(500).collect();
    let kept = kept.trim_matches(|c: char| c.is_whitespace() || ".,:;\"'\\".contains(c));
    if kept.is_empty() { fallback.to_owned() } else { kept.to_owned() }
}

/// Reads `+0130` as seconds.
fn parse_offset(text: &str) -> Option<i32> {
    let (sign, digits) = match text.split_at_checked(1)? {
        ("-", digits) => (-1, digits),
        ("+", digits) => (1, digits),
        _ => return None,
    };
    let number: i32 = digits.parse().ok().filter(|number| *number <= 9999)?;
    Some(sign * (number / 100 * 3600 + number % 100 * 60))
}

/// Names the format of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SignatureKind {
    /// OpenPGP.
    Pgp,
    /// An SSH key.
    Ssh,
    /// X.509, S/MIME.
    X509,
}

impl SignatureKind {
    pub(crate) fn of(armour: &[u8]) -> Self {
        if armour.starts_with(b"-----BEGIN SSH SIGNATURE") {
            Self::Ssh
        } else if armour.starts_with(b"-----BEGIN SIGNED MESSAGE") {
            Self::X509
        } else {
            Self::Pgp
        }
    }
}

/// Cuts a signature off the end of a tag's message.
pub(crate) fn split_signature(message: &[u8]) -> (&[u8], Option<SignatureKind>) {
    let armours: [&[u8]; 3] = [b"-----BEGIN PGP SIGNATURE", b"-----BEGIN SSH SIGNATURE", b"-----BEGIN SIGNED MESSAGE"];
    let starts_line = |at: usize| at == 0 || message[at - 1] == b'\n';
    let found = (0..message.len())
        .filter(|at| message[*at] == b'-' && starts_line(*at))
        .find(|at| armours.iter().any(|armour| message[*at..].starts_with(armour)));
    match found {
        Some(at) => (&message[..at], Some(SignatureKind::of(&message[at..]))),
        None => (message, None),
    }
}

/// Holds one commit.
#[derive(Clone, Debug, Serialize)]
pub struct Commit {
    /// The commit's id.
    pub id: Oid,
    /// Its tree.
    pub tree: Oid,
    /// Its parents, the one it was merged into first.
    pub parents: Vec<Oid>,
    /// Who wrote the change.
    pub author: Signature,
    /// Who put it into the history.
    pub committer: Signature,
    /// The whole message.
    pub message: ByteString,
    /// The kind of signature it carries, if any.
    pub signature: Option<SignatureKind>,
}

impl Commit {
    /// Returns the first line of the message.
    pub fn title(&self) -> ByteString {
        let message = self.message.trim_ascii_start();
        message.split(|b| *b == b'\n').next().unwrap_or_default().trim_ascii_end().into()
    }

    /// Returns the message below the first line.
    pub fn body(&self) -> ByteString {
        let message = self.message.trim_ascii_start();
        let end = message.iter().position(|b| *b == b'\n').unwrap_or(message.len());
        message[end..].trim_ascii().into()
    }

    /// Returns the `Key: value` lines of the last paragraph.
    pub fn trailers(&self) -> Vec<(String, String)> {
        let body = self.body();
        let text = body.lossy().replace('\r', "");
        let last = text.rsplit("\n\n").next().unwrap_or_default();
        let parsed: Vec<_> = last.lines().filter_map(trailer).collect();
        // A paragraph of prose with a colon in it is none of trailers.
        if parsed.len() * 4 < last.lines().count() * 3 { Vec::new() } else { parsed }
    }
}

fn trailer(line: &str) -> Option<(String, String)> {
    let (key, value) = line.split_once(':')?;
    let token = |c: char| c.is_ascii_alphanumeric() || c == '-';
    (!key.is_empty() && key.chars().all(token) && value.starts_with(' '))
        .then(|| (key.to_owned(), value.trim().to_owned()))
}

impl Repo {
    /// Reads one commit.
    pub async fn commit(&self, id: Oid) -> Result<Commit> {
        self.read(move |repo| read_commit(repo, id)).await
    }

    /// Reads several commits, in the order given.
    pub async fn commits(&self, ids: Vec<Oid>) -> Result<Vec<Commit>> {
        self.read(move |repo| ids.iter().map(|id| read_commit(repo, *id)).collect()).await
    }

    /// Finds the best common ancestor of two commits, if they have one.
    pub async fn merge_base(&self, one: Oid, two: Oid) -> Result<Option<Oid>> {
        let (one, two) = (one.to_string(), two.to_string());
        let output = self.git("merge-base").args([&one, &two]).run_any(Vec::new()).await?;
        match output.code {
            Some(0) => Oid::from_hex(output.stdout.trim_ascii()).map(Some),
            Some(1) => Ok(None),
            _ => Err(GitError::Command { command: "merge-base".into(), stderr: output.stderr }),
        }
    }

    /// Tells whether `descendant` has `ancestor` in its history; a commit is its own ancestor.
    pub async fn is_ancestor(&self, ancestor: Oid, descendant: Oid) -> Result<bool> {
        let (ancestor, descendant) = (ancestor.to_string(), descendant.to_string());
        let command = self.git("merge-base").args(["--is-ancestor", &ancestor, &descendant]);
        let output = command.run_any(Vec::new()).await?;
        match output.code {
            Some(code @ (0 | 1)) => Ok(code == 0),
            _ => Err(GitError::Command { command: "merge-base".into(), stderr: output.stderr }),
        }
    }
}

/// Decodes one commit; a repository may hold commits that no current git would write.
pub(crate) fn read_commit(repo: &Repository, id: Oid) -> Result<Commit> {
    let object = repo.try_find_object(id.0)?.ok_or_else(|| not_found(format!("commit {id}")))?;
    let raw = object.try_to_commit_ref().map_err(|_| not_found(format!("commit {id}")))?;
    let encoding = raw.encoding.map(|name| -> &[u8] { name });
    let signature = raw.extra_headers.iter().find(|(key, _)| *key == "gpgsig");
    let parents = raw.parents.iter().map(|hex| Oid::from_hex(hex)).collect::<Result<_>>();
    Ok(Commit {
        id,
        tree: Oid::from_hex(raw.tree).map_err(corrupt)?,
        parents: parents.map_err(corrupt)?,
        author: Signature::parse(raw.author, encoding),
        committer: Signature::parse(raw.committer, encoding),
        message: decode(raw.message, encoding),
        signature: signature.map(|(_, armour)| SignatureKind::of(armour)),
    })
}

/// Converts Latin-1 to UTF-8; other encodings are left as they are.
fn decode(bytes: &[u8], encoding: Option<&[u8]>) -> ByteString {
    let latin = encoding.is_some_and(|name| {
        let name = name.to_ascii_lowercase();
        name == b"iso-8859-1" || name == b"iso8859-1" || name == b"latin1" || name == b"latin-1"
    });
    if latin {
        return bytes.iter().map(|b| char::from(*b)).collect::<String>().into();
    }
    bytes.into()
}

/// Returns the date of a commit, if it can be read.
pub(crate) fn commit_time(repo: &Repository, id: Oid) -> Option<i64> {
    let object = repo.try_find_object(id.0).ok()??;
    let raw = object.try_to_commit_ref().ok()?;
    Some(Signature::parse(raw.committer, None).time)
}

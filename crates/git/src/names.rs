//! Validated names: object ids, ref names, tree paths, and byte strings that may be invalid UTF-8.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::{GitError, Result};

/// The longest path and ref name accepted, in bytes.
const MAX_NAME: usize = 4096;
/// The longest ref name, so that `refs/…` with a `.lock` suffix still fits a path of the file system.
const MAX_REF: usize = 1000;

/// Holds bytes that are usually, but not necessarily, UTF-8.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteString(Vec<u8>);

impl ByteString {
    /// Returns the text with invalid sequences replaced.
    pub fn lossy(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }

    /// Returns the bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Gives up the bytes.
    pub fn into_vec(self) -> Vec<u8> {
        self.0
    }
}

impl Deref for ByteString {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for ByteString {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl std::borrow::Borrow<[u8]> for ByteString {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl<T: AsRef<[u8]> + ?Sized> From<&T> for ByteString {
    fn from(bytes: &T) -> Self {
        Self(bytes.as_ref().to_vec())
    }
}

impl From<Vec<u8>> for ByteString {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl From<String> for ByteString {
    fn from(text: String) -> Self {
        Self(text.into_bytes())
    }
}

impl PartialEq<str> for ByteString {
    fn eq(&self, other: &str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl PartialEq<&str> for ByteString {
    fn eq(&self, other: &&str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl fmt::Display for ByteString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lossy())
    }
}

impl fmt::Debug for ByteString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.lossy(), f)
    }
}

impl Serialize for ByteString {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.lossy())
    }
}

/// Names an object by its SHA-1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Oid(pub(crate) gix::ObjectId);

impl Oid {
    /// Returns the id of the tree without entries.
    pub fn empty_tree() -> Self {
        Self(gix::ObjectId::empty_tree(gix::hash::Kind::Sha1))
    }

    /// Returns the id of forty zeros, which stands for "no object" in ref updates.
    pub fn zero() -> Self {
        Self(gix::ObjectId::null(gix::hash::Kind::Sha1))
    }

    /// Tells whether this is the id of forty zeros.
    pub fn is_zero(&self) -> bool {
        self.0.is_null()
    }

    /// Reads exactly forty hexadecimal digits.
    pub fn from_hex(hex: &[u8]) -> Result<Self> {
        let valid = hex.len() == 40 && hex.iter().all(u8::is_ascii_hexdigit);
        let parsed = valid.then(|| gix::ObjectId::from_hex(hex).ok()).flatten();
        parsed.map(Self).ok_or_else(|| invalid("object id", hex))
    }

    /// Returns the first eight hexadecimal digits.
    pub fn short(&self) -> String {
        self.0.to_hex_with_len(8).to_string()
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for Oid {
    type Err = GitError;
    fn from_str(text: &str) -> Result<Self> {
        Self::from_hex(text.as_bytes())
    }
}

impl Serialize for Oid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Holds a full ref name (`refs/…` or `HEAD`) that git accepts.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(transparent)]
pub struct RefName(ByteString);

impl RefName {
    /// Accepts a full name: `HEAD`, or one below `refs/` that follows git's rules for ref names.
    pub fn new(name: impl AsRef<[u8]>) -> Result<Self> {
        let name = name.as_ref();
        let below_refs = name.strip_prefix(b"refs/").is_some_and(|rest| rest.contains(&b'/'));
        if name == b"HEAD" || (below_refs && is_valid_ref(name)) {
            return Ok(Self(name.into()));
        }
        Err(invalid("ref name", name))
    }

    /// Names a branch by its short name.
    pub fn branch(short: impl AsRef<[u8]>) -> Result<Self> {
        Self::below(b"refs/heads/", short.as_ref(), "branch name")
    }

    /// Names a tag by its short name.
    pub fn tag(short: impl AsRef<[u8]>) -> Result<Self> {
        Self::below(b"refs/tags/", short.as_ref(), "tag name")
    }

    fn below(prefix: &[u8], short: &[u8], what: &str) -> Result<Self> {
        // `-x` would read as an option and `HEAD` as the symbolic ref in many a client.
        if short.starts_with(b"-") || short == b"HEAD" {
            return Err(invalid(what, short));
        }
        let full = [prefix, short].concat();
        Self::new(full).map_err(|_| invalid(what, short))
    }

    /// Wraps a name that comes from the repository itself.
    pub(crate) fn trusted(name: &[u8]) -> Self {
        Self(name.into())
    }

    /// Returns the full name.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the full name with invalid sequences replaced.
    pub fn lossy(&self) -> Cow<'_, str> {
        self.0.lossy()
    }

    /// Returns the name without `refs/heads/`, `refs/tags/` or `refs/`.
    pub fn short(&self) -> ByteString {
        let name = self.as_bytes();
        let prefixes: [&[u8]; 3] = [b"refs/heads/", b"refs/tags/", b"refs/"];
        let short = prefixes.iter().find_map(|prefix| name.strip_prefix(*prefix));
        short.unwrap_or(name).into()
    }

    /// Tells whether the ref is a branch.
    pub fn is_branch(&self) -> bool {
        self.0.starts_with(b"refs/heads/")
    }

    /// Tells whether the ref is a tag.
    pub fn is_tag(&self) -> bool {
        self.0.starts_with(b"refs/tags/")
    }
}

impl fmt::Display for RefName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Applies the rules of `git check-ref-format`, and limits of the file system.
fn is_valid_ref(name: &[u8]) -> bool {
    let forbidden = |b: &u8| *b <= b' ' || *b == 0x7f || b"~^:?*[\\".contains(b);
    name.len() <= MAX_REF
        && !name.iter().any(forbidden)
        && !name.windows(2).any(|pair| pair == b".." || pair == b"@{")
        && !name.ends_with(b".")
        && name.split(|b| *b == b'/').all(is_valid_ref_component)
}

fn is_valid_ref_component(part: &[u8]) -> bool {
    !part.is_empty() && part.len() <= 250 && !part.starts_with(b".") && !part.ends_with(b".lock")
}

/// Holds a path inside a tree: relative, normalised, without `.` and `..`; empty for the root.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(transparent)]
pub struct RepoPath(ByteString);

impl RepoPath {
    /// Names the root of the tree.
    pub fn root() -> Self {
        Self::default()
    }

    /// Accepts a relative path; slashes at the ends are dropped.
    pub fn new(path: impl AsRef<[u8]>) -> Result<Self> {
        let bytes = path.as_ref();
        let mut path = bytes;
        while let Some(rest) = path.strip_suffix(b"/") {
            path = rest;
        }
        if path.is_empty() && bytes.len() <= 1 {
            return Ok(Self::root());
        }
        let valid = path.len() <= MAX_NAME && !path.contains(&0);
        if valid && path.split(|b| *b == b'/').all(is_valid_component) {
            return Ok(Self(path.into()));
        }
        Err(invalid("path", bytes))
    }

    /// Returns the bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the path with invalid sequences replaced.
    pub fn lossy(&self) -> Cow<'_, str> {
        self.0.lossy()
    }

    /// Tells whether this is the root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the last component, empty for the root.
    pub fn file_name(&self) -> ByteString {
        self.0.rsplit(|b| *b == b'/').next().unwrap_or_default().into()
    }

    /// Returns the directory that holds this path; the root for the root.
    pub fn parent(&self) -> Self {
        let cut = self.0.iter().rposition(|b| *b == b'/').unwrap_or(0);
        Self(self.0[..cut].into())
    }

    /// Returns the path of `name` below this directory.
    pub fn join(&self, name: impl AsRef<[u8]>) -> Result<Self> {
        if self.is_root() {
            return Self::new(name);
        }
        Self::new([self.as_bytes(), b"/", name.as_ref()].concat())
    }

    /// Returns the components from the root on.
    pub fn components(&self) -> impl Iterator<Item = &[u8]> {
        self.0.split(|b| *b == b'/').filter(|part| !part.is_empty())
    }

    /// Tells whether git would check the path out: no component may read as `.git`.
    pub fn is_writable(&self) -> bool {
        !self.is_root() && !self.components().any(is_dot_git)
    }
}

impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

fn is_valid_component(part: &[u8]) -> bool {
    !part.is_empty() && part != b"." && part != b".."
}

/// Recognises `.git` as case-insensitive, NTFS and HFS+ file systems would.
fn is_dot_git(part: &[u8]) -> bool {
    let visible: String = String::from_utf8_lossy(part)
        .chars()
        .filter(|c| !is_ignored_by_hfs(*c))
        .collect::<String>()
        .to_ascii_lowercase();
    let stem = visible.split([':', '\\']).next().unwrap_or_default();
    let stem = stem.trim_end_matches([' ', '.']);
    stem == ".git" || stem == "git~1"
}

fn is_ignored_by_hfs(c: char) -> bool {
    matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}

fn invalid(what: &str, name: &[u8]) -> GitError {
    let shown: String = String::from_utf8_lossy(name).chars().take(100).collect();
    GitError::InvalidName(format!("{shown:?} is not a valid {what}"))
}

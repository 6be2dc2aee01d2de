//! Contents of files.

use gix::objs::Kind;
use serde::Serialize;

use crate::error::not_found;
use crate::tree::find_entry;
use crate::{ByteStream, ByteString, GitError, Oid, Repo, RepoPath, Result};

/// How much of a file decides whether it is binary.
const SNIFF: usize = 8000;
/// No LFS pointer is larger.
const MAX_POINTER: usize = 1024;

/// Holds the contents of a file, or their beginning.
#[derive(Clone, Debug)]
pub struct Blob {
    /// The object.
    pub oid: Oid,
    /// The size of the whole contents in bytes.
    pub size: u64,
    /// The contents; empty if they are larger than the limit given.
    pub data: Vec<u8>,
    /// Tells that the contents are larger than the limit given.
    pub truncated: bool,
}

impl Blob {
    /// Tells whether the contents are no text, judged by NUL bytes at the start as git does.
    pub fn is_binary(&self) -> bool {
        is_binary(&self.data)
    }

    /// Reads the contents as a pointer of Git LFS.
    pub fn lfs_pointer(&self) -> Option<LfsPointer> {
        LfsPointer::parse(&self.data)
    }
}

/// Tells whether bytes are no text, judged by NUL bytes at the start as git does.
pub fn is_binary(data: &[u8]) -> bool {
    data[..data.len().min(SNIFF)].contains(&0)
}

/// Stands in a repository for a file that Git LFS keeps elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LfsPointer {
    /// The SHA-256 of the contents, in hexadecimal.
    pub oid: String,
    /// The size of the contents in bytes.
    pub size: u64,
}

impl LfsPointer {
    /// Reads a pointer file; nothing if the bytes are something else.
    pub fn parse(data: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(data).ok().filter(|text| text.len() <= MAX_POINTER)?;
        let mut lines = text.lines();
        lines.next().filter(|line| *line == "version https://git-lfs.github.com/spec/v1")?;
        let (mut oid, mut size) = (None, None);
        for line in lines {
            match line.split_once(' ')? {
                ("oid", value) => oid = value.strip_prefix("sha256:").filter(|hex| is_sha256(hex)),
                ("size", value) => size = value.parse().ok(),
                _ => {}
            }
        }
        Some(Self { oid: oid?.to_owned(), size: size? })
    }
}

fn is_sha256(hex: &str) -> bool {
    hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

impl Repo {
    /// Reads a blob; one that is larger than `limit` comes back without data and marked as truncated.
    pub async fn blob(&self, oid: Oid, limit: u64) -> Result<Blob> {
        self.read(move |repo| {
            let header = repo.try_find_header(oid.0)?.filter(|header| header.kind() == Kind::Blob);
            let size = header.ok_or_else(|| not_found(format!("file {oid}")))?.size();
            let truncated = size > limit;
            let data = if truncated { Vec::new() } else { repo.find_object(oid.0)?.detach().data };
            Ok(Blob { oid, size, data, truncated })
        })
        .await
    }

    /// Reads the file at `path`, like [`Repo::blob`].
    pub async fn blob_at(&self, revision: Oid, path: &RepoPath, limit: u64) -> Result<Blob> {
        let entry = self.entry(revision, path).await?;
        self.blob(entry.oid, limit).await
    }

    /// Streams a blob of any size, and tells its size.
    pub async fn blob_stream(&self, oid: Oid) -> Result<(u64, ByteStream)> {
        let size = self.blob(oid, 0).await?.size;
        let stream = self.git("cat-file").args(["blob", &oid.to_string()]).stream()?;
        Ok((size, stream))
    }

    /// Reads lines `first` to `last`, counted from one, as needed to expand the context of a diff.
    pub async fn blob_lines(&self, oid: Oid, first: usize, last: usize, limit: u64) -> Result<Vec<ByteString>> {
        let blob = self.blob(oid, limit).await?;
        if blob.truncated {
            return Err(GitError::TooLarge("the file".into()));
        }
        let count = last.saturating_add(1).saturating_sub(first.max(1));
        let text = blob.data.strip_suffix(b"\n").unwrap_or(&blob.data);
        let lines = text.split(|b| *b == b'\n').skip(first.saturating_sub(1)).take(count);
        Ok(lines.map(ByteString::from).collect())
    }

    /// Finds the object at each path; nothing for paths that do not exist.
    pub async fn find_entries(&self, revision: Oid, paths: Vec<RepoPath>) -> Result<Vec<Option<crate::tree::Entry>>> {
        self.read(move |repo| paths.iter().map(|path| find_entry(repo, revision, path)).collect()).await
    }
}

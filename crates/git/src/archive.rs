//! Downloads of a tree as one file.

use async_compression::tokio::bufread::BzEncoder;

use crate::{ByteStream, ByteString, GitError, Oid, Repo, RepoPath, Result};

/// Names the formats of archives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArchiveFormat {
    /// ZIP.
    Zip,
    /// Tar, compressed by gzip.
    TarGz,
    /// Tar, compressed by bzip2.
    TarBz2,
    /// Tar.
    Tar,
}

impl ArchiveFormat {
    /// Reads a file extension, without the dot before it.
    pub fn from_extension(extension: &str) -> Option<Self> {
        match extension {
            "zip" => Some(Self::Zip),
            "tar.gz" | "tgz" | "gz" => Some(Self::TarGz),
            "tar.bz2" | "tbz" | "tbz2" | "tb2" | "bz2" => Some(Self::TarBz2),
            "tar" => Some(Self::Tar),
            _ => None,
        }
    }

    /// Returns the file extension, without the dot before it.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Zip => "zip",
            Self::TarGz => "tar.gz",
            Self::TarBz2 => "tar.bz2",
            Self::Tar => "tar",
        }
    }

    /// Returns the media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Zip => "application/zip",
            Self::TarGz => "application/gzip",
            Self::TarBz2 => "application/x-bzip2",
            Self::Tar => "application/x-tar",
        }
    }

    /// Returns the format that git makes; it knows no bzip2.
    fn git_format(self) -> &'static str {
        match self {
            Self::Zip => "zip",
            Self::TarGz => "tar.gz",
            Self::TarBz2 | Self::Tar => "tar",
        }
    }
}

impl Repo {
    /// Streams a commit's tree, or what is below `path`, with all paths put below the folder `prefix`.
    pub async fn archive(
        &self,
        commit: Oid,
        path: &RepoPath,
        format: ArchiveFormat,
        prefix: &ByteString,
    ) -> Result<ByteStream> {
        self.entry(commit, path).await?;
        let prefix = RepoPath::new(prefix)?;
        if prefix.components().count() > 1 {
            return Err(GitError::InvalidName("the archive's folder can't have a slash in its name".into()));
        }
        let mut command = self.git("archive").arg(format!("--format={}", format.git_format()));
        if !prefix.is_root() {
            command = command.arg_bytes(&[b"--prefix=", prefix.as_bytes(), b"/"].concat());
        }
        let stream = command.arg(commit.to_string()).arg("--").path(path).stream()?;
        Ok(match format {
            ArchiveFormat::TarBz2 => ByteStream::of_reader(BzEncoder::new(stream.into_reader())),
            _ => stream,
        })
    }
}

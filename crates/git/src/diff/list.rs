//! Which files differ, and by how many lines.

use std::collections::HashMap;

use serde::Serialize;
use tokio::io::{AsyncBufRead, AsyncBufReadExt};

use super::{DiffOptions, FileChange, Status};
use crate::error::corrupt;
use crate::languages::is_generated_path;
use crate::log::number;
use crate::{ByteString, Oid, Repo, Result};

/// Lists changed files without their lines.
#[derive(Clone, Debug, Serialize)]
pub struct ChangeList {
    /// The files.
    pub files: Vec<FileChange>,
    /// Whether there are more files than the limit; lines are then not counted.
    pub truncated: bool,
    /// Lines added in all files.
    pub additions: u64,
    /// Lines removed in all files.
    pub deletions: u64,
}

impl Repo {
    /// Lists the files that differ between two revisions, with counts of lines.
    pub async fn changes(&self, old: Oid, new: Oid, options: &DiffOptions) -> Result<ChangeList> {
        let command = self.diff_command(old, new, options, &["--numstat"])?;
        let mut reader = command.stream()?.into_reader();
        let (mut files, truncated, mut field) = read_raw(&mut reader, options.max_files).await?;
        let (mut additions, mut deletions) = (0, 0);
        if !truncated {
            let counts = read_counts(&mut reader, &mut field).await?;
            for file in &mut files {
                let Some(count) = counts.get(&file.new_path) else { continue };
                file.binary = count.binary;
                file.additions = Some(count.added);
                file.deletions = Some(count.deleted);
                additions += count.added;
                deletions += count.deleted;
            }
        }
        Ok(ChangeList { files, truncated, additions, deletions })
    }

    /// Lists the files that differ between two revisions without reading their contents.
    pub async fn changed_files(&self, old: Oid, new: Oid, options: &DiffOptions) -> Result<ChangeList> {
        let command = self.diff_command(old, new, options, &[])?;
        let mut reader = command.stream()?.into_reader();
        let (files, truncated, _) = read_raw(&mut reader, options.max_files).await?;
        Ok(ChangeList { files, truncated, additions: 0, deletions: 0 })
    }
}

/// Reads the list of files; returns it, whether it was cut, and the first field that is not part of it.
pub(super) async fn read_raw(
    reader: &mut (impl AsyncBufRead + Unpin),
    limit: usize,
) -> Result<(Vec<FileChange>, bool, Vec<u8>)> {
    let mut files = Vec::new();
    loop {
        let field = read_field(reader).await?;
        if !field.starts_with(b":") {
            return Ok((files, false, field));
        }
        if files.len() >= limit {
            return Ok((files, true, Vec::new()));
        }
        let path = read_field(reader).await?;
        let mut file = parse_raw(&field, path).ok_or_else(|| corrupt("diff-tree printed a malformed line"))?;
        if file.similarity.is_some() {
            file.new_path = read_field(reader).await?.into();
        }
        file.generated = is_generated_path(&file.new_path);
        files.push(file);
    }
}

/// Reads up to the next NUL; empty at the end.
async fn read_field(reader: &mut (impl AsyncBufRead + Unpin)) -> Result<Vec<u8>> {
    let mut field = Vec::new();
    reader.read_until(0, &mut field).await?;
    if field.last() == Some(&0) {
        field.pop();
    }
    Ok(field)
}

/// Reads `:MODE MODE ID ID STATUS`.
fn parse_raw(field: &[u8], path: Vec<u8>) -> Option<FileChange> {
    let text = std::str::from_utf8(field.strip_prefix(b":")?).ok()?;
    let mut parts = text.split(' ');
    let mut mode = || u32::from_str_radix(parts.next()?, 8).ok();
    let (old_mode, new_mode) = (mode()?, mode()?);
    let mut oid = || Oid::from_hex(parts.next()?.as_bytes()).ok();
    let (old_oid, new_oid) = (oid()?, oid()?);
    let (letter, score) = parts.next()?.split_at_checked(1)?;
    let status = Status::from_letter(letter.as_bytes()[0]);
    let moved = matches!(status, Status::Renamed | Status::Copied);
    let path = ByteString::from(path);
    Some(FileChange {
        old_path: path.clone(),
        new_path: path,
        status,
        old_mode,
        new_mode,
        old_oid,
        new_oid,
        similarity: if moved { Some(score.parse().unwrap_or(100)) } else { None },
        binary: false,
        additions: None,
        deletions: None,
        generated: false,
    })
}

struct Count {
    added: u64,
    deleted: u64,
    binary: bool,
}

/// Reads `ADDED TAB DELETED TAB PATH` fields, where a rename has an empty path and two more fields.
async fn read_counts(
    reader: &mut (impl AsyncBufRead + Unpin),
    field: &mut Vec<u8>,
) -> Result<HashMap<ByteString, Count>> {
    let mut counts = HashMap::new();
    while !field.is_empty() {
        let mut parts = field.splitn(3, |b| *b == b'\t');
        let (added, deleted) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let count = Count { added: number(added), deleted: number(deleted), binary: added == b"-" };
        let mut path = parts.next().unwrap_or_default().to_vec();
        if path.is_empty() {
            read_field(reader).await?;
            path = read_field(reader).await?;
        }
        counts.insert(path.into(), count);
        *field = read_field(reader).await?;
    }
    Ok(counts)
}

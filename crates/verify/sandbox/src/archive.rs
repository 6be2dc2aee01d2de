//! Packing and unpacking of artifacts, carried out inside the sandbox with the job's own rights.
//!
//! Hostile names, links and bombs therefore meet the same walls as the job itself: what they can reach,
//! the job could reach already.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};

use flate2::GzBuilder;
use globset::{GlobBuilder, GlobMatcher};
use serde::{Deserialize, Serialize};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// The exit code of a collection that matched nothing.
pub(crate) const NOTHING_FOUND: i32 = 3;
/// Entries that one archive may have.
const ENTRY_CAP: usize = 500_000;

/// How artifacts are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// One zip archive.
    #[default]
    Zip,
    /// One gzip member per file.
    Gzip,
    /// The first matching file as it is.
    Raw,
}

impl Format {
    /// Returns the format's name in the runner protocol.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Zip => "zip",
            Self::Gzip => "gzip",
            Self::Raw => "raw",
        }
    }

    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Zip => ".zip",
            Self::Gzip => ".gz",
            Self::Raw => "",
        }
    }
}

/// What to pack.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Collect {
    pub(crate) paths: Vec<String>,
    pub(crate) exclude: Vec<String>,
    /// A NUL-separated list of untracked files, relative to the working folder.
    pub(crate) untracked: Option<PathBuf>,
    pub(crate) format: Format,
    pub(crate) cap: u64,
}

/// Bounds of unpacking.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Unpack {
    pub(crate) cap: u64,
}

/// Packs what the patterns match into `file` and returns the exit code.
pub(crate) fn collect(spec: &Collect, workdir: &str, file: File) -> i32 {
    let mut log = io::stdout();
    match try_collect(spec, workdir, file, &mut log) {
        Ok(0) => {
            say(&mut log, "\x1b[31;1mERROR: No files to upload\x1b[0;m");
            NOTHING_FOUND
        }
        Ok(_) => 0,
        Err(error) => {
            say(&mut log, &format!("\x1b[31;1mERROR: packing failed: {error}\x1b[0;m"));
            1
        }
    }
}

fn say(log: &mut impl Write, line: &str) {
    // A log that nobody reads any more is no reason to stop.
    let _ = writeln!(log, "{line}");
}

fn try_collect(spec: &Collect, workdir: &str, file: File, log: &mut impl Write) -> io::Result<usize> {
    let mut found = Found::new(workdir, &spec.exclude, log)?;
    for pattern in &spec.paths {
        let count = found.add_pattern(pattern)?;
        let line = match count {
            0 => format!("\x1b[0;33mWARNING: {pattern}: no matching files\x1b[0;m"),
            n => format!("{pattern}: found {n} matching artifact files and directories"),
        };
        say(found.log, &line);
    }
    if let Some(list) = &spec.untracked {
        let count = found.add_untracked(list)?;
        say(found.log, &format!("untracked: found {count} files"));
    }
    let entries = found.entries;
    let capped = Capped { inner: file, cap: spec.cap, position: 0 };
    match spec.format {
        Format::Zip => write_zip(&entries, capped),
        Format::Gzip => write_gzip(&entries, capped),
        Format::Raw => write_raw(&entries, capped),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Folder,
    Link,
}

/// The entries found so far, by their path relative to the working folder.
struct Found<'a, W> {
    workdir: &'a Path,
    exclude: Vec<GlobMatcher>,
    entries: BTreeMap<String, Kind>,
    log: &'a mut W,
}

impl<'a, W: Write> Found<'a, W> {
    fn new(workdir: &'a str, exclude: &[String], log: &'a mut W) -> io::Result<Self> {
        let workdir = Path::new(workdir);
        let exclude =
            exclude.iter().filter_map(|p| relative(p, workdir)).map(|p| matcher(&p)).collect::<Result<_, _>>()?;
        Ok(Self { workdir, exclude, entries: BTreeMap::new(), log })
    }

    fn add_pattern(&mut self, pattern: &str) -> io::Result<usize> {
        let before = self.entries.len();
        let Some(pattern) = relative(pattern, self.workdir) else { return Ok(0) };
        let base = literal_base(&pattern);
        let glob = (base != pattern).then(|| matcher(&pattern)).transpose()?;
        self.walk(&base, glob.as_ref())?;
        Ok(self.entries.len() - before)
    }

    /// Visits `start` and everything below; without a matcher all of it is taken.
    fn walk(&mut self, start: &str, glob: Option<&GlobMatcher>) -> io::Result<()> {
        let mut queue = vec![(start.to_owned(), glob.is_none())];
        while let Some((path, mut taken)) = queue.pop() {
            let Some(kind) = kind(&self.workdir.join(&path)) else { continue };
            taken |= glob.is_some_and(|g| g.is_match(&path));
            if taken && !path.is_empty() {
                self.take(&path, kind)?;
            }
            if kind == Kind::Folder {
                self.list(&path, taken, &mut queue);
            }
        }
        Ok(())
    }

    fn list(&mut self, path: &str, taken: bool, queue: &mut Vec<(String, bool)>) {
        let Ok(folder) = fs::read_dir(self.workdir.join(path)) else {
            return say(self.log, &format!("\x1b[0;33mWARNING: {path}: cannot be read\x1b[0;m"));
        };
        for entry in folder.flatten() {
            match entry.file_name().to_str() {
                Some(name) if path.is_empty() => queue.push((name.to_owned(), taken)),
                Some(name) => queue.push((format!("{path}/{name}"), taken)),
                None => say(self.log, "\x1b[0;33mWARNING: a name that is not UTF-8 was left out\x1b[0;m"),
            }
        }
    }

    fn take(&mut self, path: &str, kind: Kind) -> io::Result<()> {
        if self.exclude.iter().any(|g| g.is_match(path)) {
            return Ok(());
        }
        self.entries.insert(path.to_owned(), kind);
        if self.entries.len() > ENTRY_CAP {
            return Err(io::Error::other(format!("more than {ENTRY_CAP} entries")));
        }
        Ok(())
    }

    fn add_untracked(&mut self, list: &Path) -> io::Result<usize> {
        let before = self.entries.len();
        for name in fs::read(list)?.split(|b| *b == 0) {
            let Some(path) = std::str::from_utf8(name).ok().and_then(|n| relative(n, self.workdir)) else { continue };
            if let Some(kind) = kind(&self.workdir.join(&path)) {
                self.take(&path, kind)?;
            }
        }
        Ok(self.entries.len() - before)
    }
}

fn kind(path: &Path) -> Option<Kind> {
    let kind = fs::symlink_metadata(path).ok()?.file_type();
    match kind {
        k if k.is_dir() => Some(Kind::Folder),
        k if k.is_file() => Some(Kind::File),
        k if k.is_symlink() => Some(Kind::Link),
        _ => None,
    }
}

/// Makes a path relative to the working folder, or refuses it when it leads out of there.
fn relative(path: &str, workdir: &Path) -> Option<String> {
    let path = Path::new(path.trim());
    let path = if path.is_absolute() { path.strip_prefix(workdir).ok()? } else { path };
    let mut parts = Vec::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => parts.push(name.to_str()?),
            Component::CurDir => {}
            _ => return None,
        }
    }
    Some(parts.join("/")).filter(|p| !p.is_empty() || path.as_os_str() == ".")
}

/// Returns the folders in front of the first wildcard.
fn literal_base(pattern: &str) -> String {
    let wild = |part: &&str| !part.contains(['*', '?', '[', '{', '\\']);
    pattern.split('/').take_while(wild).collect::<Vec<_>>().join("/")
}

fn matcher(pattern: &str) -> io::Result<GlobMatcher> {
    let glob = GlobBuilder::new(pattern).literal_separator(true).backslash_escape(true).build();
    Ok(glob.map_err(io::Error::other)?.compile_matcher())
}

/// A file that refuses to grow past its cap.
struct Capped {
    inner: File,
    cap: u64,
    position: u64,
}

impl Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.position + bytes.len() as u64 > self.cap {
            return Err(io::Error::other(format!("the archive is larger than the limit of {} bytes", self.cap)));
        }
        let written = self.inner.write(bytes)?;
        self.position += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl Seek for Capped {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = self.inner.seek(to)?;
        Ok(self.position)
    }
}

fn open(path: &str) -> io::Result<File> {
    // A path that was swapped for a pipe or a link meanwhile neither blocks nor leads elsewhere.
    OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path)
}

fn write_zip(entries: &BTreeMap<String, Kind>, out: Capped) -> io::Result<usize> {
    let mut zip = ZipWriter::new(out);
    for (path, kind) in entries {
        let meta = fs::symlink_metadata(path)?;
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .unix_permissions(meta.mode() & 0o777)
            .large_file(meta.len() >= u64::from(u32::MAX));
        match kind {
            Kind::Folder => zip.add_directory(format!("{path}/"), options)?,
            Kind::Link => zip.add_symlink(path, fs::read_link(path)?.to_string_lossy(), options)?,
            Kind::File => {
                zip.start_file(path, options)?;
                io::copy(&mut open(path)?, &mut zip)?;
            }
        }
    }
    zip.finish()?;
    Ok(entries.len())
}

fn files(entries: &BTreeMap<String, Kind>) -> impl Iterator<Item = &String> {
    entries.iter().filter(|(_, kind)| **kind == Kind::File).map(|(path, _)| path)
}

fn write_gzip(entries: &BTreeMap<String, Kind>, mut out: Capped) -> io::Result<usize> {
    let mut count = 0;
    for path in files(entries) {
        let mut member = GzBuilder::new().filename(path.as_bytes()).write(&mut out, flate2::Compression::default());
        io::copy(&mut open(path)?, &mut member)?;
        member.finish()?;
        count += 1;
    }
    Ok(count)
}

fn write_raw(entries: &BTreeMap<String, Kind>, mut out: Capped) -> io::Result<usize> {
    let Some(path) = files(entries).next() else { return Ok(0) };
    io::copy(&mut open(path)?, &mut out)?;
    Ok(1)
}

/// Unpacks a zip archive into the working folder and returns the exit code.
pub(crate) fn unpack(spec: &Unpack, file: File) -> i32 {
    match try_unpack(spec, file, &mut io::stdout()) {
        Ok(()) => 0,
        Err(error) => {
            say(&mut io::stdout(), &format!("\x1b[31;1mERROR: unpacking failed: {error}\x1b[0;m"));
            1
        }
    }
}

fn try_unpack(spec: &Unpack, file: File, log: &mut impl Write) -> io::Result<()> {
    let mut zip = ZipArchive::new(file)?;
    if zip.len() > ENTRY_CAP {
        return Err(io::Error::other(format!("more than {ENTRY_CAP} entries")));
    }
    let mut left = spec.cap;
    let mut links = Vec::new();
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index)?;
        let Some(path) = entry.enclosed_name() else {
            say(log, "\x1b[0;33mWARNING: an entry that leads out of the project was left out\x1b[0;m");
            continue;
        };
        if entry.is_symlink() {
            let mut target = String::new();
            (&mut entry).take(4096).read_to_string(&mut target)?;
            links.push((path, target));
        } else if entry.is_dir() {
            fs::create_dir_all(&path)?;
        } else {
            let mode = entry.unix_mode().unwrap_or(0o644);
            write_entry(&mut entry, &path, mode, &mut left)?;
        }
    }
    // Links come last, so that no entry is written through one of the archive's own.
    links.iter().try_for_each(|(path, target)| write_link(path, target, log))
}

fn write_entry(entry: &mut impl Read, path: &Path, mode: u32, left: &mut u64) -> io::Result<()> {
    prepare(path)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let written = io::copy(&mut entry.take(*left + 1), &mut file)?;
    *left =
        left.checked_sub(written).ok_or_else(|| io::Error::other("the archive unpacks to more than the disk limit"))?;
    file.set_permissions(fs::Permissions::from_mode(mode & 0o777))
}

fn write_link(path: &Path, target: &str, log: &mut impl Write) -> io::Result<()> {
    let depth = path.components().count() as i64 - 1;
    let lowest = Path::new(target).components().scan(depth, |level, part| {
        *level += match part {
            Component::ParentDir => -1,
            Component::Normal(_) => 1,
            _ => 0,
        };
        Some(*level)
    });
    if Path::new(target).is_absolute() || lowest.min().unwrap_or(0) < 0 {
        say(log, &format!("\x1b[0;33mWARNING: {}: a link out of the project was left out\x1b[0;m", path.display()));
        return Ok(());
    }
    prepare(path)?;
    symlink(target, path)
}

/// Makes room for a new file: its folder is there, an older file of the name is not.
fn prepare(path: &Path) -> io::Result<()> {
    if let Some(parent) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
        fs::create_dir_all(parent)?;
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

//! Protocol 2 in process: the capability advertisement and `ls-refs`.

use bytes::{Bytes, BytesMut};
use gix::Repository;
use gix::refs::Target;
use tokio::io::{AsyncRead, AsyncReadExt};

use super::pktline::{Packet, Writer, decode};
use crate::refs::{find_ref, peeled};
use crate::{GitError, Oid, RefName, Repo, Result};

/// The largest request that is read in process.
const MAX_REQUEST: usize = 4 << 20;

/// Returns what opens a conversation in protocol 2; `agent` names the server.
pub fn capabilities(agent: &str) -> Bytes {
    let agent = super::agent_name(agent);
    Writer::new()
        .data("version 2\n")
        .data(format!("agent={agent}\n"))
        .data("ls-refs=unborn\n")
        .data("fetch=shallow wait-for-done filter\n")
        .data("server-option\n")
        .data("object-format=sha1\n")
        .flush()
        .finish()
}

/// Is a request in protocol 2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Nothing: the client is done.
    End,
    /// A list of refs is wanted.
    LsRefs(LsRefs),
    /// Another command, which is for `git upload-pack`.
    Other {
        /// The command's name.
        command: String,
        /// What was read so far; it goes to git before the rest.
        consumed: Bytes,
    },
}

/// Says which refs a client wants listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LsRefs {
    /// Whether to tell what annotated tags point to.
    pub peel: bool,
    /// Whether to tell where symbolic refs lead.
    pub symrefs: bool,
    /// Whether to tell of a `HEAD` that names a branch without commits.
    pub unborn: bool,
    /// Prefixes of wanted refs; all are wanted if there is none.
    pub prefixes: Vec<Vec<u8>>,
}

/// Reads a request, of which only `ls-refs` is read to its end.
pub async fn read_request(reader: &mut (impl AsyncRead + Unpin)) -> Result<Request> {
    let mut buffer = BytesMut::new();
    let command = loop {
        if let Some((packet, _)) = decode(&buffer)? {
            match packet.line() {
                Some(line) => break String::from_utf8_lossy(line).into_owned(),
                None => return Ok(Request::End),
            }
        }
        if !fill(reader, &mut buffer).await? {
            return if buffer.is_empty() { Ok(Request::End) } else { Err(cut_off()) };
        }
    };
    if command != "command=ls-refs" {
        let command = command.strip_prefix("command=").unwrap_or_default().to_owned();
        return Ok(Request::Other { command, consumed: buffer.freeze() });
    }
    loop {
        if let Some(request) = LsRefs::parse(&buffer)? {
            return Ok(Request::LsRefs(request));
        }
        if !fill(reader, &mut buffer).await? {
            return Err(cut_off());
        }
    }
}

async fn fill(reader: &mut (impl AsyncRead + Unpin), buffer: &mut BytesMut) -> Result<bool> {
    if buffer.len() >= MAX_REQUEST {
        return Err(GitError::TooLarge("the request".into()));
    }
    Ok(reader.read_buf(buffer).await? > 0)
}

fn cut_off() -> GitError {
    GitError::InvalidName("the request ends too early".into())
}

impl LsRefs {
    /// Reads a whole request; nothing if it is incomplete.
    fn parse(mut bytes: &[u8]) -> Result<Option<Self>> {
        let mut request = Self::default();
        let mut in_arguments = false;
        while let Some((packet, length)) = decode(bytes)? {
            bytes = &bytes[length..];
            match packet {
                Packet::Flush | Packet::ResponseEnd => return Ok(Some(request)),
                Packet::Delimiter => in_arguments = true,
                Packet::Data(_) => {
                    if let Some(line) = packet.line().filter(|_| in_arguments) {
                        request.argument(line)?;
                    }
                }
            }
        }
        Ok(None)
    }

    fn argument(&mut self, line: &[u8]) -> Result<()> {
        match line {
            b"peel" => self.peel = true,
            b"symrefs" => self.symrefs = true,
            b"unborn" => self.unborn = true,
            _ => match line.strip_prefix(b"ref-prefix ") {
                Some(prefix) => self.prefixes.push(prefix.to_vec()),
                None => return Err(GitError::InvalidName("ls-refs has an unknown argument".into())),
            },
        }
        Ok(())
    }

    fn wants(&self, name: &[u8]) -> bool {
        self.prefixes.is_empty() || self.prefixes.iter().any(|prefix| name.starts_with(prefix))
    }
}

impl Repo {
    /// Answers `ls-refs`, leaving out refs below the `hidden` prefixes.
    pub async fn ls_refs(&self, request: LsRefs, hidden: &[String]) -> Result<Bytes> {
        let hidden = hidden.to_vec();
        self.read(move |repo| answer(repo, &request, &hidden)).await
    }
}

fn answer(repo: &Repository, request: &LsRefs, hidden: &[String]) -> Result<Bytes> {
    let mut writer = Writer::new();
    if request.wants(b"HEAD") {
        answer_head(repo, request, &mut writer)?;
    }
    let is_hidden = |name: &[u8]| hidden.iter().any(|prefix| is_below(name, prefix.as_bytes()));
    let mut refs = Vec::new();
    for reference in repo.references()?.all()?.filter_map(std::result::Result::ok) {
        let reference = reference.detach();
        let name = reference.name.as_bstr();
        if request.wants(name) && !is_hidden(name) {
            refs.push(reference);
        }
    }
    refs.sort_by(|a, b| a.name.cmp(&b.name));
    for reference in refs {
        let name = RefName::trusted(reference.name.as_bstr());
        let (target, link) = match reference.target {
            Target::Object(id) => (id, None),
            Target::Symbolic(link) => match find_ref(repo, &name)? {
                Some(found) => (found.0, Some(link)),
                None => continue,
            },
        };
        let mut line = format!("{target} ").into_bytes();
        line.extend_from_slice(name.as_bytes());
        if let Some(link) = link.filter(|_| request.symrefs) {
            line.extend_from_slice(b" symref-target:");
            line.extend_from_slice(link.as_bstr());
        }
        // Branches point to commits, which spares looking.
        if request.peel
            && !name.is_branch()
            && let Some(peeled) = peeled(repo, target, reference.peeled)?
        {
            line.extend_from_slice(format!(" peeled:{peeled}").as_bytes());
        }
        line.push(b'\n');
        writer.data(line);
    }
    Ok(writer.flush().finish())
}

/// Tells whether a ref is the hidden one or below it, as `transfer.hideRefs` does.
pub(super) fn is_below(name: &[u8], prefix: &[u8]) -> bool {
    match name.strip_prefix(prefix) {
        Some(rest) => rest.is_empty() || prefix.ends_with(b"/") || rest.starts_with(b"/"),
        None => false,
    }
}

fn answer_head(repo: &Repository, request: &LsRefs, writer: &mut Writer) -> Result<()> {
    let link = repo.head_name()?;
    let head: Option<Oid> = find_ref(repo, &RefName::trusted(b"HEAD"))?;
    let mut line = match head {
        Some(id) => format!("{id} HEAD"),
        None if request.unborn => "unborn HEAD".to_owned(),
        None => return Ok(()),
    }
    .into_bytes();
    if let Some(link) = link.filter(|_| request.symrefs || head.is_none()) {
        line.extend_from_slice(b" symref-target:");
        line.extend_from_slice(link.as_bstr());
    }
    line.push(b'\n');
    writer.data(line);
    Ok(())
}

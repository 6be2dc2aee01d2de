//! What the trusted side and the job's first process say to each other over a socket pair.

use std::io::{self, Read, Write};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::archive::{Collect, Unpack};
use crate::config::{Limits, Network};

/// The largest request that is read.
const REQUEST_CAP: u32 = 64 << 20;

/// The first and only message to the job's first process.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Request {
    /// Find out what the host offers.
    Probe { range: bool },
    /// Run one step.
    Run(Box<Spawn>),
}

/// A step as the job's first process needs it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Spawn {
    pub(crate) task: Task,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) workdir: String,
    pub(crate) hostname: String,
    pub(crate) network: Network,
    pub(crate) limits: Limits,
    /// Whether the step runs without any isolation, on the host's own paths.
    pub(crate) bare: bool,
    /// The first outside id of the slot's range, or none when a single id is mapped.
    pub(crate) range: Option<u32>,
    /// Control groups to enter.
    pub(crate) cgroups: Vec<PathBuf>,
    /// Whether a control group limits memory, so that no resource limit has to stand in.
    pub(crate) memory_cgroup: bool,
    /// Host folders shown at `/builds`, `/tmp` and the home folder.
    pub(crate) builds: PathBuf,
    pub(crate) tmp: PathBuf,
    pub(crate) home: PathBuf,
    /// Host folders shown read-only at their own path.
    pub(crate) read_only: Vec<PathBuf>,
    /// Paths inside the sandbox that an empty folder covers.
    pub(crate) covered: Vec<PathBuf>,
    /// An archive to read or write, opened before the sandbox closes.
    pub(crate) payload: Option<Payload>,
}

/// What runs inside.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Task {
    /// A shell script.
    Script(String),
    /// Packing of artifacts into the payload.
    Collect(Collect),
    /// Unpacking of the payload.
    Unpack(Unpack),
}

/// A host file that the step gets as an open descriptor.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Payload {
    Read(PathBuf),
    Write(PathBuf),
}

/// What the job's first process reports, one JSON value a line.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Report {
    Probed(Probe),
    Exited { code: i32 },
    Signalled { signal: i32 },
    Failed { message: String },
}

/// What a probe found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Probe {
    pub(crate) user: bool,
    pub(crate) range: bool,
    pub(crate) mount: bool,
    pub(crate) pid: bool,
    pub(crate) net: bool,
    pub(crate) ipc: bool,
    pub(crate) uts: bool,
    pub(crate) cgroup: bool,
    pub(crate) sandbox: bool,
    pub(crate) overlay: bool,
    pub(crate) seccomp: bool,
    pub(crate) landlock: u32,
    pub(crate) reason: Option<String>,
}

/// Encodes a request with its length in front.
pub(crate) fn encode(request: &Request) -> io::Result<Vec<u8>> {
    let body = serde_json::to_vec(request)?;
    let length = u32::try_from(body.len()).ok().filter(|n| *n <= REQUEST_CAP);
    let length = length.ok_or_else(|| io::Error::other("the job's script and variables are too large"))?;
    let mut message = length.to_le_bytes().to_vec();
    message.extend_from_slice(&body);
    Ok(message)
}

/// Reads one request.
pub(crate) fn read_request(mut from: impl Read) -> io::Result<Request> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length);
    if length > REQUEST_CAP {
        return Err(io::Error::other("the request is too large"));
    }
    let mut body = vec![0; length as usize];
    from.read_exact(&mut body)?;
    Ok(serde_json::from_slice(&body)?)
}

/// Writes one report.
pub(crate) fn write_report(mut to: impl Write, report: &Report) -> io::Result<()> {
    let mut line = serde_json::to_vec(report)?;
    line.push(b'\n');
    to.write_all(&line)
}

//! Serving fetches and pushes: `git upload-pack`, `git receive-pack`, and what is answered in process.

pub mod pktline;
mod process;
pub mod receive;
pub mod report;
mod v0;
pub mod v2;

pub use process::{PackExit, PackOptions, PackProcess};

use bytes::Bytes;

/// Makes the name of a server fit for the wire.
fn agent_name(agent: &str) -> String {
    agent.chars().map(|c| if c.is_ascii_graphic() { c } else { '.' }).collect()
}

/// Names the two services of the wire protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    /// Serves fetches and clones.
    UploadPack,
    /// Serves pushes.
    ReceivePack,
}

impl Service {
    /// Reads `git-upload-pack` or `git-receive-pack`.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "git-upload-pack" => Some(Self::UploadPack),
            "git-receive-pack" => Some(Self::ReceivePack),
            _ => None,
        }
    }

    /// Returns the name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::UploadPack => "git-upload-pack",
            Self::ReceivePack => "git-receive-pack",
        }
    }

    fn subcommand(self) -> &'static str {
        match self {
            Self::UploadPack => "upload-pack",
            Self::ReceivePack => "receive-pack",
        }
    }

    /// Returns what precedes an advertisement over HTTP.
    pub fn http_prefix(self) -> Bytes {
        pktline::Writer::new().data(format!("# service={}\n", self.name())).flush().finish()
    }
}

/// Names the versions of the wire protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// The original one.
    #[default]
    V0,
    /// The original one with a version line.
    V1,
    /// The one of commands and capabilities.
    V2,
}

impl Protocol {
    /// Reads the `Git-Protocol` header or `GIT_PROTOCOL` variable; the highest known version wins.
    pub fn parse(header: &str) -> Self {
        let version = |key: &str| match key {
            "version=2" => Self::V2,
            "version=1" => Self::V1,
            _ => Self::V0,
        };
        header.split(':').map(version).max().unwrap_or_default()
    }

    fn variable(self) -> Option<&'static str> {
        match self {
            Self::V0 => None,
            Self::V1 => Some("version=1"),
            Self::V2 => Some("version=2"),
        }
    }
}

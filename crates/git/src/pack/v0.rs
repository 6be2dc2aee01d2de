//! Protocols 0 and 1 in process: the list of refs that opens a push.

use bytes::Bytes;
use gix::refs::Target;

use super::pktline::Writer;
use super::v2::is_below;
use super::{Protocol, agent_name};
use crate::{Repo, Result};

/// What `git receive-pack` can do, which serves the push itself.
const CAPABILITIES: &str =
    "report-status report-status-v2 delete-refs side-band-64k quiet atomic ofs-delta push-options object-format=sha1";

impl Repo {
    /// Lists the refs that a push may compare with, leaving out those below the `hidden` prefixes.
    pub async fn advertise_for_push(&self, protocol: Protocol, agent: &str, hidden: &[String]) -> Result<Bytes> {
        let (hidden, agent) = (hidden.to_vec(), agent_name(agent));
        self.read(move |repo| {
            let mut lines = Vec::new();
            // A broken ref must not be in the way of a push that may repair it.
            for reference in repo.references()?.all()?.filter_map(std::result::Result::ok) {
                let reference = reference.detach();
                let name = reference.name.as_bstr();
                if let Target::Object(id) = reference.target
                    && !hidden.iter().any(|prefix| is_below(name, prefix.as_bytes()))
                {
                    lines.push((name.to_vec(), id));
                }
            }
            lines.sort_unstable();
            Ok(write(protocol, &agent, &lines))
        })
        .await
    }
}

fn write(protocol: Protocol, agent: &str, lines: &[(Vec<u8>, gix::ObjectId)]) -> Bytes {
    let mut writer = Writer::new();
    if protocol == Protocol::V1 {
        writer.data("version 1\n");
    }
    let capabilities = format!("\0{CAPABILITIES} agent={agent}");
    if lines.is_empty() {
        writer.data(format!("{} capabilities^{{}}{capabilities}\n", "0".repeat(40)));
    }
    for (index, (name, id)) in lines.iter().enumerate() {
        let rest = if index == 0 { capabilities.as_bytes() } else { b"" };
        writer.data([format!("{id} ").as_bytes(), name, rest, b"\n"].concat());
    }
    writer.flush().finish()
}

//! Git on the wire: smart HTTP, SSH and LFS. What they have in common is in `gate`, `fetch` and `push`.

mod auth;
mod fetch;
mod forward;
mod gate;
mod http_git;
mod lfs;
mod limits;
mod messages;
mod push;
mod ssh;

use axum::routing::{get, post};
use kernel::{Slice, Web};

pub use ssh::{SshAddress, ssh_address};

/// What this area brings to the program.
pub fn slice() -> Slice {
    let web = Web::default()
        .at("/@git/{project}/info/refs", get(http_git::info_refs))
        .at("/@git/{project}/git-upload-pack", post(http_git::upload_pack))
        .at("/@git/{project}/git-receive-pack", post(http_git::receive_pack));
    Slice::new("git_transport").web(lfs::routes(web)).starts(|app| Box::pin(ssh::start(app)))
}

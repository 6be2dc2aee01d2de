//! Git on the wire: smart HTTP, SSH and LFS. What they have in common is in `gate`, `fetch` and `push`.

mod auth;
mod fetch;
mod forward;
mod gate;
mod http_git;
mod limits;
mod messages;
mod push;

use axum::routing::{get, post};
use kernel::{Slice, Web};

/// What this area brings to the program.
pub fn slice() -> Slice {
    let web = Web::default()
        .at("/@git/{project}/info/refs", get(http_git::info_refs))
        .at("/@git/{project}/git-upload-pack", post(http_git::upload_pack))
        .at("/@git/{project}/git-receive-pack", post(http_git::receive_pack));
    Slice::new("git_transport").web(web)
}

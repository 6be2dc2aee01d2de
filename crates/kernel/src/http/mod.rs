//! What HTTP handlers share: parameters, pages of lists, request ids, limits.

pub mod layers;
mod lenient;
mod paging;
mod params;
pub mod ratelimit;

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use http::{Extensions, HeaderMap};

pub use paging::{Paging, page_links};
pub use params::{MAX_PARAMS, Params, Query, present};

/// The address of the client. A proxy on this machine is believed when it names another.
pub fn client_ip(extensions: &Extensions, headers: &HeaderMap) -> Option<IpAddr> {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>().map(|c| c.0.ip())?;
    let forwarded = headers.get("x-forwarded-for").and_then(|v| v.to_str().ok());
    let claimed = forwarded.and_then(|v| v.rsplit(',').next()).and_then(|v| v.trim().parse().ok());
    Some(if peer.is_loopback() { claimed.unwrap_or(peer) } else { peer })
}

/// Whether the request asks for the JSON API rather than a page.
pub fn is_api(path: &str) -> bool {
    path == "/api" || path.starts_with("/api/")
}

//! The interface kit: page frame, components, style sheet, script, icons, Markdown, highlighting, logs and charts.
//!
//! Everything here turns plain data into markup. The crate knows no noun of the product, touches no database and
//! does no I/O. See `README.md` for a tour and `examples/gallery.rs` for every part on one page.

pub mod ansi;
pub mod assets;
pub mod blame;
pub mod chart;
pub mod code;
pub mod commits;
pub mod csv;
pub mod diff;
pub mod form;
pub mod format;
mod frame;
pub mod highlight;
pub mod icons;
pub mod lanes;
pub mod log;
pub mod markdown;
pub mod menu;
pub mod notebook;
mod page;
pub mod parts;
pub mod pipeline;
pub mod status;

pub use icons::{icon, icon_named, icon_with};
pub use maud::{Markup, PreEscaped, Render, html};
pub use page::{
    Area, Create, Crumb, Door, ErrorPage, Flash, Item, Nav, NavHeading, Page, Scheme, Tone, Viewer, fragment,
};
pub use status::Status;

/// The content security policy every page of this crate fits in: no inline script, no inline style, no framing.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
img-src 'self' data: https:; media-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self'; \
base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'";

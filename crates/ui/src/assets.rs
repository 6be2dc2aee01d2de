//! The style sheet, the script and the icons, served under names that carry a hash of their content.

use std::io::Write as _;
use std::sync::LazyLock;

use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};

/// The path below which [`get`] is to be served.
pub const PREFIX: &str = "/-/assets/";

const CSS: &str = concat!(
    include_str!("../assets/tokens.css"),
    include_str!("../assets/base.css"),
    include_str!("../assets/controls.css"),
    include_str!("../assets/parts.css"),
    include_str!("../assets/code.css"),
    include_str!("../assets/charts.css"),
    include_str!("../assets/plan.css"),
    include_str!("../assets/extra.css"),
    include_str!("../assets/source.css"),
    include_str!("../assets/door.css"),
    include_str!("../assets/shell.css"),
);
const JS: &str = include_str!("../assets/app.js");

/// One file as it goes over the wire.
#[derive(Debug)]
pub struct Asset {
    /// File name with the content hash, as in `app.0a1b2c3d4e5f.css`.
    pub name: String,
    /// The media type with its charset.
    pub mime: &'static str,
    /// The plain bytes.
    pub bytes: Vec<u8>,
    /// The same bytes under gzip, for clients that accept it.
    pub gzip: Vec<u8>,
}

static ASSETS: LazyLock<[Asset; 4]> = LazyLock::new(|| {
    [
        asset("app", "css", "text/css; charset=utf-8", CSS),
        asset("app", "js", "text/javascript; charset=utf-8", &slim(JS)),
        asset("icons", "svg", "image/svg+xml", &crate::icons::sheet()),
        asset("favicon", "svg", "image/svg+xml", crate::icons::FAVICON),
    ]
});

fn asset(stem: &str, extension: &str, mime: &'static str, text: &str) -> Asset {
    let hash = hex::encode(&Sha256::digest(text.as_bytes())[..6]);
    Asset {
        name: format!("{stem}.{hash}.{extension}"),
        mime,
        bytes: text.as_bytes().to_vec(),
        gzip: gzip(text.as_bytes()).unwrap_or_default(),
    }
}

/// Leaves out comment lines and indentation; no template literal spans lines.
fn slim(script: &str) -> String {
    let kept = script.lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with("//"));
    kept.collect::<Vec<_>>().join("\n")
}

fn gzip(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// Finds a file by its hashed name; such an answer may be cached for ever (`max-age=31536000, immutable`).
pub fn get(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.name == name)
}

/// Returns the address of the style sheet.
pub fn css_href() -> String {
    href(0)
}

/// Returns the address of the script.
pub fn js_href() -> String {
    href(1)
}

/// Returns the address of the sheet that holds every icon as a `<symbol>`.
pub fn icons_href() -> String {
    href(2)
}

/// Returns the address of the site icon.
pub fn favicon_href() -> String {
    href(3)
}

fn href(index: usize) -> String {
    format!("{PREFIX}{}", ASSETS[index].name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_to_content() {
        for asset in ASSETS.iter() {
            assert!(std::ptr::eq(get(&asset.name).expect("known"), asset));
            assert!(asset.gzip.len() > 20 && asset.gzip.len() < asset.bytes.len());
        }
        assert!(get("app.css").is_none());
        assert!(get("../app.css").is_none());
    }

    #[test]
    fn budgets_hold() {
        assert!(CSS.len() <= 60_000, "style sheet has {} bytes", CSS.len());
        assert!(slim(JS).len() <= 15_000, "script has {} bytes", slim(JS).len());
        assert!(!CSS.contains("@import") && !JS.contains("eval("));
    }
}

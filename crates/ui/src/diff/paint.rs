//! Highlighting of changes: each side of a hunk is read as one text.

use super::{File, Hunk, Kind};
use crate::highlight;

/// Highlights the lines of a file's hunks by its name; lines that are highlighted already stay.
///
/// This takes time with long hunks, so it belongs on a thread that may block.
pub fn highlight(file: &mut File) {
    let (old_name, new_name) = (file.old_path.clone(), file.new_path.clone());
    for hunk in &mut file.hunks {
        side(hunk, &old_name, Kind::Removed);
        side(hunk, &new_name, Kind::Added);
    }
}

fn side(hunk: &mut Hunk, name: &str, changed: Kind) {
    let belongs = |kind: Kind| kind == Kind::Context || kind == changed;
    let text: String = hunk
        .lines
        .iter()
        .filter(|line| belongs(line.kind))
        .map(|line| format!("{}\n", line.text.replace(['\n', '\r'], " ")))
        .collect();
    let mut painted = highlight::lines(name, "", &text).into_iter();
    for line in hunk.lines.iter_mut().filter(|line| belongs(line.kind)) {
        let html = painted.next();
        // The new side is painted last and also decides how unchanged lines look.
        if line.html.is_none() || (line.kind == Kind::Context && changed == Kind::Added) {
            line.html = html;
        }
    }
}

//! Long files are asked about, very long ones refused: a file is read as a whole or not at all.

use crate::{File, Finding};

const ASK: usize = 400;
const REFUSE: usize = 800;

pub(crate) fn check(files: &[File]) -> Vec<Finding> {
    let source = |file: &&File| matches!(file.extension(), "rs" | "js" | "mjs" | "css" | "py" | "sql");
    files.iter().filter(source).filter_map(judge).collect()
}

fn judge(file: &File) -> Option<Finding> {
    let lines = file.text.lines().count();
    if lines > REFUSE {
        return Some(Finding::failure(&file.path, format!("{lines} lines; split it, {REFUSE} is the limit")));
    }
    let asks = lines > ASK;
    asks.then(|| Finding::warning(&file.path, format!("{lines} lines; is it one thing? ({ASK} is wanted)")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warns_and_then_refuses() {
        let file = |path: &str, lines: usize| File { path: path.into(), text: "x\n".repeat(lines) };
        let files = [file("a.rs", 400), file("b.css", 401), file("c.js", 801), file("d.md", 9000)];
        let found = check(&files);
        assert_eq!(
            found.iter().map(|f| (f.place.as_str(), f.fails)).collect::<Vec<_>>(),
            [("b.css", false), ("c.js", true)]
        );
    }
}

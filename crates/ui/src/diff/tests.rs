#![allow(clippy::single_range_in_vec_init)]
use super::*;

fn line(kind: Kind, old: u32, new: u32, text: &str) -> Line {
    let side = |number| (number > 0).then_some(number);
    Line { kind, old: side(old), new: side(new), text: text.into(), ..Line::default() }
}

fn sample() -> File {
    let lines = vec![
        line(Kind::Context, 1, 1, "a"),
        line(Kind::Removed, 2, 0, "<old>"),
        line(Kind::Removed, 3, 0, "gone"),
        Line { words: vec![0..3], ..line(Kind::Added, 0, 2, "new") },
        line(Kind::Note, 0, 0, "No newline at the end"),
    ];
    let hunk = Hunk { hidden: 4, expand_href: Some("/x".into()), lines, ..Hunk::default() };
    File { id: "f1".into(), new_path: "src/a.rs".into(), hunks: vec![hunk], added: 1, removed: 2, ..File::default() }
}

#[test]
fn both_layouts_show_every_line_escaped() {
    for layout in [Layout::Inline, Layout::SideBySide] {
        let html = file(&sample(), layout).into_string();
        assert!(html.contains("&lt;old&gt;") && html.contains("<ins>new</ins>"), "{html}");
        assert!(html.contains("id=\"f1-A2\"") && html.contains("id=\"f1-B2\""));
        assert!(html.contains("Show 4 lines"));
    }
}

#[test]
fn sides_are_highlighted_apart() {
    let mut file = sample();
    file.old_path = "a.rs".into();
    for (line, text) in file.hunks[0].lines.iter_mut().zip(["fn a() {", "let x = 1;", "/* open", "let y = \"s\";"]) {
        line.text = text.into();
        line.words = Vec::new();
    }
    highlight(&mut file);
    let lines = &file.hunks[0].lines;
    let html = |at: usize| lines[at].html.clone().unwrap_or_default();
    assert!(html(0).contains("sk") && html(2).contains("sc") && html(3).contains("ss"), "{lines:?}");
    assert!(lines[4].html.is_none());
}

#[test]
fn runs_are_paired() {
    let file = sample();
    let pairs = pairs(&file.hunks[0].lines);
    assert_eq!(pairs.len(), 4);
    assert!(pairs[1].old.is_some() && pairs[1].new.is_some());
    assert!(pairs[2].old.is_some() && pairs[2].new.is_none());
}

#[test]
fn what_is_missing_is_explained() {
    let collapsed = File { collapsed: Some("Large.".into()), load_href: Some("/l".into()), ..sample() };
    assert!(file(&collapsed, Layout::Inline).into_string().contains("data-load"));
    let renamed = File { change: Change::Renamed, old_path: "b".into(), hunks: vec![], ..sample() };
    assert!(file(&renamed, Layout::Inline).into_string().contains("Only the name changed"));
}

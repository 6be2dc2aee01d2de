use super::*;

fn lines(text: &str) -> Vec<String> {
    parse(text.as_bytes())
        .into_iter()
        .filter_map(|event| match event {
            Event::Line(line) => Some(line.html),
            _ => None,
        })
        .collect()
}

#[test]
fn colours_become_classes() {
    assert_eq!(lines("\x1b[31;1mbad\x1b[0m <ok>\n"), ["<span class=\"x1 xb\">bad</span> &lt;ok&gt;"]);
    assert_eq!(
        lines("\x1b[38;5;9ma\x1b[48;2;0;0;255mb\n"),
        ["<span class=\"x9\">a</span><span class=\"x9 y4\">b</span>"]
    );
    assert_eq!(lines("\x1b[7mx\x1b[27my"), ["<span class=\"xv\">x</span>y"]);
    assert_eq!(lines("\x1b[32ma\nb\x1b[m"), ["<span class=\"x2\">a</span>", "<span class=\"x2\">b</span>"]);
}

#[test]
fn overwriting_leaves_the_last_state() {
    assert_eq!(lines("10%\r50%\r100%\n"), ["100%"]);
    assert_eq!(lines("abcdef\rxy\x1b[K\n"), ["xy"]);
    assert_eq!(lines("abc\x08d\n"), ["abd"]);
    assert_eq!(lines("a\r\nb\r\n"), ["a", "b"]);
    assert_eq!(lines("abc\x1b[2Kd"), ["d"]);
}

#[test]
fn sections_are_events() {
    let text = "section_start:1560896352:my_part[collapsed=true]\r\x1b[0KThe title\nin\nsection_end:1560896353:my_part\r\x1b[0K\nafter\n";
    let events = parse(text.as_bytes());
    let Event::SectionStart { name, at, collapsed, title } = &events[0] else { panic!("{events:?}") };
    assert_eq!((name.as_str(), *at, *collapsed, title.html.as_str()), ("my_part", 1_560_896_352, true, "The title"));
    assert!(matches!(&events[1], Event::Line(line) if line.html == "in" && line.number == 2));
    assert!(matches!(&events[2], Event::SectionEnd { name, at: 1_560_896_353 } if name == "my_part"));
    assert!(events.iter().any(|event| matches!(event, Event::Line(line) if line.text == "after")));
}

#[test]
fn sections_follow_each_other_on_one_line() {
    let text = "\x1b[0Ksection_start:1:a\r\x1b[0Kone\nsection_end:2:a\r\x1b[0Ksection_start:3:b\r\x1b[0Ktwo\nx\nsection_end:4:b\r\x1b[0K";
    let kinds: Vec<String> = parse(text.as_bytes())
        .iter()
        .map(|event| match event {
            Event::Line(line) => line.text.clone(),
            Event::SectionStart { name, title, .. } => format!("+{name} {}", title.text),
            Event::SectionEnd { name, .. } => format!("-{name}"),
        })
        .collect();
    assert_eq!(kinds, ["+a one", "-a", "+b two", "x", "-b"]);
}

#[test]
fn pieces_may_break_anywhere() {
    let text = "section_start:1:a\r\x1b[0K\x1b[31mTitel ü€😀\x1b[0m\nx\rsection_end:2:a\r\x1b[0Kende\n".as_bytes();
    let whole = parse(text);
    for size in 1..9 {
        let mut parser = Parser::new();
        let mut events: Vec<Event> = text.chunks(size).flat_map(|chunk| parser.push(chunk)).collect();
        events.extend(parser.finish());
        assert_eq!(events, whole);
    }
}

#[test]
fn timestamps_are_taken_off() {
    let events = parse(b"2026-05-22T12:43:46.962646Z 00E hello\n");
    let Event::Line(line) = &events[0] else { panic!() };
    assert_eq!(
        (line.text.as_str(), line.timestamp.as_deref(), line.error),
        ("hello", Some("2026-05-22T12:43:46.962646Z"), true)
    );
}

#[test]
fn hostile_input_is_bounded_and_escaped() {
    assert_eq!(lines("\x1b]8;;javascript:alert(1)\x07x\x1b]8;;\x1b\\\n"), ["x"]);
    assert_eq!(lines("<script>\"'"), ["&lt;script&gt;&quot;&#39;"]);
    assert!(lines(&"a".repeat(MAX_LINE * 2 + 1)).len() == 3);
    assert!(lines("\x1b[99999999C\x1b[9999999999;x").len() <= 1);
    let noise: Vec<u8> = (0..40_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let _ = parse(&noise);
    assert_eq!(lines("a\u{202e}b"), ["ab"]);
    let nested = format!("\x1b[{}m", "1;".repeat(200));
    assert_eq!(lines(&format!("{nested}x")).len(), 1);
}

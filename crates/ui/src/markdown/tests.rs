use super::*;

fn html(text: &str) -> String {
    render(text, &MarkdownOptions { anchors: true, ..MarkdownOptions::default() })
}

#[test]
fn scripts_never_pass() {
    let cases = [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](JaVa\tScRiPt:alert(1))",
        "<a href=\"&#106;avascript:alert(1)\">x</a>",
        "![x](javascript:alert(1))",
        "<svg onload=alert(1)><script>alert(1)</script></svg>",
        "<iframe src=https://x></iframe><object data=x></object><embed src=x>",
        "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
        "<form action=/users/sign_out method=post><button>x</button></form>",
        "<div style=\"position:fixed\">x</div>",
        "<base href=//evil><meta http-equiv=refresh content=0><link rel=stylesheet href=//x>",
        "<input type=image src=x onerror=alert(1) autofocus onfocus=alert(1)>",
        "```\"><script>alert(1)</script>\nx\n```",
        "<div title=\"\n\n```\nonmouseover=alert(1) x\n```\n\n\">x</div>",
        "$<script>alert(1)</script>$",
        "[data](data:text/html;base64,PHNjcmlwdD4=)",
        "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
        "<details open ontoggle=alert(1)>",
        "[a]: javascript:alert(1)\n\n[a]",
        "---\na: <script>alert(1)</script>\n---\n",
    ];
    for case in cases {
        let out = render(case, &MarkdownOptions { anchors: true, front_matter: true, ..MarkdownOptions::default() });
        let low = out.to_ascii_lowercase();
        for bad in [
            "<script",
            "<iframe",
            "<svg",
            "<form",
            "<button",
            "<object",
            "<embed",
            "<base",
            "<meta",
            "<link",
            "<style",
            " style=",
            "href=\"javascript",
            "src=\"javascript",
            "data:text",
        ] {
            assert!(!low.contains(bad), "{case}\n→ {out}");
        }
        for tag in low.split('<').skip(1).filter_map(|piece| piece.split('>').next()) {
            let attributes = tag.split('"').step_by(2).collect::<String>();
            assert!(!attributes.contains(" on"), "{case}\n→ {out}");
        }
    }
}

#[test]
fn github_flavour_works() {
    let out = html(
        "| a | b |\n|---|--:|\n| 1 | 2 |\n\n~~gone~~ https://x.example\n\n- [x] done\n- [ ] open\n- [~] void\n- [?] odd\n",
    );
    assert!(out.contains("<table>") && out.contains("align=\"right\"") && out.contains("<del>gone</del>"), "{out}");
    assert!(out.contains("href=\"https://x.example\""));
    assert_eq!(out.matches("type=\"checkbox\"").count(), 3, "{out}");
    assert_eq!(out.matches("checked").count(), 1, "{out}");
    assert!(out.contains("<del>void</del>") && out.contains("[?] odd"), "{out}");
}

#[test]
fn footnotes_alerts_lists_and_emoji_work() {
    let out = html("x[^1] :tada:\n\n[^1]: note\n\n> [!WARNING]\n> careful\n\nterm\n\n: meaning\n");
    assert!(out.contains("id=\"user-content-fn-1\"") && out.contains("href=\"#user-content-fn-1\""), "{out}");
    assert!(out.contains("markdown-alert-warning") && out.contains("<dt>") && out.contains('🎉'), "{out}");
}

#[test]
fn headings_have_anchors_and_a_table_of_contents() {
    let out = html("[TOC]\n\n# One & two\n\n### Deep\n\n# One & two\n\n[[_TOC_]]\n\n[go](#deep)");
    assert_eq!(out.matches("class=\"toc\"").count(), 2, "{out}");
    assert!(out.contains("id=\"user-content-one--two\"") && out.contains("id=\"user-content-one--two-1\""), "{out}");
    assert!(out.contains("href=\"#user-content-deep\""));
    assert!(!out.contains("<p><div"));
}

#[test]
fn links_follow_the_file() {
    let base = Base { links: "/g/p/-/blob/main/".into(), images: "/g/p/-/raw/main/".into(), folder: "docs".into() };
    let options = MarkdownOptions { base: Some(base), uploads: Some("/g/p"), ..MarkdownOptions::default() };
    let out = render(
        "[a](b.md#c) [r](/LICENSE) ![i](../img/x.svg) <img src=\"y.png\"> [u](/uploads/abc/f.txt) [m](mailto:a@b.c)",
        &options,
    );
    for part in [
        "/g/p/-/blob/main/docs/b.md#c",
        "/g/p/-/blob/main/LICENSE",
        "/g/p/-/raw/main/img/x.svg",
        "/g/p/-/raw/main/docs/y.png",
        "\"/g/p/uploads/abc/f.txt\"",
        "mailto:a@b.c",
    ] {
        assert!(out.contains(part), "{part}: {out}");
    }
}

#[test]
fn references_become_links_where_they_may() {
    let text = "#1 `#1` [#1](/x) \\#1 **!2** ~bug and ~bug <b>@ada</b> https://x.example/#1\n\n```\n#1\n```";
    let found = references(text);
    assert_eq!(found.len(), 4, "{found:?}");
    let known: HashMap<Reference, Resolved> = found
        .into_iter()
        .map(|reference| {
            let resolved = Resolved {
                href: format!("/r/{}", reference.name),
                title: "<\"t\">".into(),
                colour: Some("#ff0000".into()),
                ..Resolved::default()
            };
            (reference, resolved)
        })
        .collect();
    let out = render(text, &MarkdownOptions { resolver: Some(&known), ..MarkdownOptions::default() });
    assert_eq!(out.matches("href=\"/r/1\"").count(), 1, "{out}");
    assert!(
        out.contains("href=\"/r/2\"") && out.contains("fill=\"#ff0000\"") && out.contains("href=\"/r/ada\""),
        "{out}"
    );
    assert!(out.contains("title=\"&lt;&quot;t&quot;&gt;\""), "{out}");
}

#[test]
fn code_is_highlighted_and_front_matter_shown_or_hidden() {
    let out = html("---\ntitle: X\n---\n\n```rust\nfn main() {}\n```\n\n```mermaid\ngraph TD\n```\n");
    assert!(out.contains("<span class=\"sk\">") && out.contains("language-mermaid") && !out.contains("title"), "{out}");
    let shown =
        render("---\ntitle: X\n---\n\ny", &MarkdownOptions { front_matter: true, ..MarkdownOptions::default() });
    assert!(shown.contains("<th scope=\"row\">title</th><td>X</td>"), "{shown}");
}

#[test]
fn hostile_sizes_and_depths_end_quickly() {
    let started = std::time::Instant::now();
    let cases = [
        ">".repeat(200_000),
        "<div>".repeat(100_000),
        "<b><i><u>\n\n".repeat(30_000),
        "*a _".repeat(50_000),
        "[".repeat(100_000),
        "- ".repeat(20_000),
        "a".repeat(MAX_INPUT + 1),
        "<font color=1><a>x\n\n".repeat(20_000),
    ];
    for case in &cases {
        assert!(!render(case, &MarkdownOptions::default()).is_empty());
        let _ = references(case);
    }
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}

#[test]
fn excerpts_are_plain_and_short() {
    assert_eq!(excerpt("# Hi *there*\n\nsome `code` and [a link](x) :tada:", 100), "Hi there some code and a link 🎉");
    assert_eq!(excerpt("one two three four", 12), "one two…");
    assert_eq!(excerpt("<b>x</b>", 10), "x");
}

/// Puts fragments together at random, always in the same way.
fn jumble(seed: u64) -> String {
    const PIECES: [&str; 40] = [
        "#",
        "# ",
        "- ",
        "- [~] ",
        "- [?] ",
        "1. ",
        "> ",
        "> [!NOTE]\n",
        "\n",
        "\n\n",
        "    ",
        "```",
        "```rust\n",
        "`",
        "*",
        "**",
        "_",
        "~",
        "~~",
        "[",
        "]",
        "(",
        ")",
        "![",
        "<b>",
        "</b>",
        "<div title=\"",
        "\">",
        "<!--",
        "[TOC]",
        "[[_TOC_]]",
        "$",
        "$$",
        "| a | b |\n|--|--|\n",
        ":tada:",
        "[^1]",
        "[^1]: ",
        "\u{E000}0-0\u{E001}",
        "#1 @a ~\"b c\" 8f3c1ae",
        "---\na: b\n---\n",
    ];
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut out = String::new();
    for _ in 0..(seed % 40 + 1) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        out.push_str(PIECES[(state >> 20) as usize % PIECES.len()]);
        if state & 1024 == 0 {
            out.push_str("word ");
        }
    }
    out
}

struct Everything;

impl Resolver for Everything {
    fn resolve(&self, reference: &Reference) -> Option<Resolved> {
        Some(Resolved {
            href: format!("/x/{}", reference.name),
            text: Some("\"><script>".into()),
            ..Resolved::default()
        })
    }
}

#[test]
fn no_jumble_breaks_out_or_panics() {
    let options = MarkdownOptions {
        anchors: true,
        front_matter: true,
        resolver: Some(&Everything),
        ..MarkdownOptions::default()
    };
    for seed in 0..6_000 {
        let text = jumble(seed);
        let out = render(&text, &options);
        assert!(!out.contains("<script") && !out.contains("<!--"), "{text:?}\n{out}");
        let (mut quoted, mut tag) = (false, false);
        for c in out.chars() {
            match c {
                '"' if tag => quoted = !quoted,
                '<' if !quoted && tag => panic!("{text:?}\n{out}"),
                '<' if !quoted => tag = true,
                '>' if !quoted => tag = false,
                _ => {}
            }
        }
        let _ = excerpt(&text, 80);
    }
}

//! Markdown as people write it in issues and files, made into safe HTML.
//!
//! The text is parsed by comrak; what the product adds (references, headings with anchors, highlighted code) is kept
//! aside while everything that came from the author passes the allow-list, and is put back afterwards.

mod links;
mod references;
pub(crate) mod sanitise;
mod trusted;

use std::collections::HashMap;

use comrak::nodes::{Ast, LineColumn, Node, NodeValue};
use comrak::{Anchorizer, Arena, Options, format_html, parse_document};

use crate::highlight;
use crate::highlight::escape;
use trusted::Trusted;

pub use links::Base;
pub use references::{RefKind, Reference, Resolved, Resolver, references};

/// Longer texts are shown as they are.
pub const MAX_INPUT: usize = 1024 * 1024;
const MAX_DEPTH: usize = 60;
const SHOWN_PLAIN: usize = 64 * 1024;

/// What a text belongs to and how it is shown.
#[derive(Default)]
pub struct MarkdownOptions<'a> {
    /// Where relative links and pictures lead, for files of a repository.
    pub base: Option<Base>,
    /// What stands before `/uploads/…`.
    pub uploads: Option<&'a str>,
    /// What `#1`, `!1`, `@user` and the like refer to.
    pub resolver: Option<&'a dyn Resolver>,
    /// Gives headings anchors.
    pub anchors: bool,
    /// Shows front matter as a table instead of leaving it out.
    pub front_matter: bool,
    /// Takes every line end as a line break, as in comments.
    pub hard_breaks: bool,
    /// Stands before every id; several texts on one page need different ones. `user-content-` when empty.
    pub id_prefix: &'a str,
}

fn comrak_options(hard_breaks: bool) -> Options<'static> {
    let mut options = Options::default();
    let on = &mut options.extension;
    on.strikethrough = true;
    on.table = true;
    on.autolink = true;
    on.tasklist = true;
    on.footnotes = true;
    on.description_lists = true;
    on.multiline_block_quotes = true;
    on.alerts = true;
    on.math_dollars = true;
    on.math_code = true;
    on.shortcodes = true;
    on.front_matter_delimiter = Some("---".to_owned());
    options.parse.relaxed_tasklist_matching = true;
    options.parse.escaped_char_spans = true;
    options.render.r#unsafe = true;
    options.render.hardbreaks = hard_breaks;
    options.render.tasklist_classes = true;
    options
}

/// Makes safe HTML of a text.
pub fn render(text: &str, options: &MarkdownOptions<'_>) -> String {
    if text.len() > MAX_INPUT {
        return too_much(text, "This text is too long to be formatted; its beginning is shown as it was written.");
    }
    let prefix = if options.id_prefix.is_empty() { "user-content-" } else { options.id_prefix };
    let settings = comrak_options(options.hard_breaks);
    let arena = Arena::new();
    let root = parse_document(&arena, text, &settings);
    if !is_shallow(root) {
        return too_much(text, "This text is nested too deeply to be formatted; it is shown as it was written.");
    }
    let mut trusted = Trusted::new();
    rewrite(&arena, root, options, prefix, &mut trusted);
    let mut html = String::new();
    if format_html(root, &settings, &mut html).is_err() || !sanitise::is_affordable(&html) {
        return too_much(text, "This text is nested too deeply to be formatted; it is shown as it was written.");
    }
    trusted.restore(&sanitise::clean(&html, options, prefix))
}

fn too_much(text: &str, why: &str) -> String {
    let end = text.floor_char_boundary(SHOWN_PLAIN);
    format!("<p class=\"cut-note\">{why}</p><pre class=\"code\">{}</pre>", escape(&text[..end]))
}

/// Tells whether blocks and spans nest within reason.
fn is_shallow(root: Node<'_>) -> bool {
    let mut depth = 0_usize;
    let mut at = root;
    loop {
        if let Some(child) = at.first_child() {
            depth += 1;
            if depth > MAX_DEPTH {
                return false;
            }
            at = child;
            continue;
        }
        loop {
            if at.same_node(root) {
                return true;
            }
            if let Some(next) = at.next_sibling() {
                at = next;
                break;
            }
            let Some(parent) = at.parent() else { return true };
            depth = depth.saturating_sub(1);
            at = parent;
        }
    }
}

fn node<'a>(arena: &'a Arena<'a>, value: NodeValue) -> Node<'a> {
    arena.alloc(Ast::new(value, LineColumn { line: 0, column: 0 }).into())
}

fn rewrite<'a>(
    arena: &'a Arena<'a>,
    root: Node<'a>,
    options: &MarkdownOptions<'_>,
    prefix: &str,
    trusted: &mut Trusted,
) {
    let all: Vec<Node<'a>> = root.descendants().collect();
    let headings = headings(arena, &all, options, prefix, trusted);
    for at in &all {
        let replacement = match &at.data().value {
            NodeValue::CodeBlock(block) => Some(code_block(&block.info, &block.literal)),
            NodeValue::Math(math) => Some(math_span(math.display_math, &math.literal)),
            NodeValue::FrontMatter(text) => Some(if options.front_matter { front_matter(text) } else { String::new() }),
            NodeValue::Paragraph if is_toc(at) => Some(toc(&headings, prefix)),
            _ => None,
        };
        if let Some(markup) = replacement {
            replace(arena, at, trusted.keep(markup));
        }
    }
    for at in &all {
        task(arena, at);
    }
    if let Some(resolver) = options.resolver {
        references::link(&all, resolver, trusted);
    }
}

fn math_span(display: bool, text: &str) -> String {
    let class = if display { "math display" } else { "math" };
    format!("<code class=\"{class}\">{}</code>", escape(text))
}

/// Puts a token in the place of a node: as text within a line, as a block of its own otherwise.
fn replace<'a>(arena: &'a Arena<'a>, at: Node<'a>, token: String) {
    let children: Vec<Node<'a>> = at.children().collect();
    children.into_iter().for_each(|child| child.detach());
    let block = !matches!(at.data().value, NodeValue::Math(_));
    at.data_mut().value = if block { NodeValue::Paragraph } else { NodeValue::Text(token.clone().into()) };
    if block {
        // A paragraph around block markup is taken away again when the token is replaced.
        at.append(node(arena, NodeValue::Text(token.into())));
    }
}

struct Heading {
    level: u8,
    text: String,
    id: String,
}

fn headings<'a>(
    arena: &'a Arena<'a>,
    all: &[Node<'a>],
    options: &MarkdownOptions<'_>,
    prefix: &str,
    trusted: &mut Trusted,
) -> Vec<Heading> {
    let mut names = Anchorizer::new();
    let mut found = Vec::new();
    for at in all {
        let NodeValue::Heading(heading) = at.data().value else { continue };
        let text = at.collect_text();
        let id = names.anchorize(text.trim());
        if options.anchors && !id.is_empty() {
            let id = escape(&format!("{prefix}{id}"));
            let anchor =
                format!("<a class=\"anchor\" id=\"{id}\" href=\"#{id}\" aria-label=\"Link to this heading\"></a>");
            at.prepend(node(arena, NodeValue::Text(trusted.keep(anchor).into())));
        }
        found.push(Heading { level: heading.level, text, id });
    }
    found
}

fn is_toc(at: Node<'_>) -> bool {
    let Some(first) = at.first_child() else { return false };
    if !matches!(&first.data().value, NodeValue::Text(text) if text.starts_with('[')) || at.children().count() > 4 {
        return false;
    }
    let text = at.collect_text();
    matches!(text.trim(), "[TOC]" | "[[_TOC_]]" | "[[TOC]]")
}

fn toc(headings: &[Heading], prefix: &str) -> String {
    const MOST: usize = 500;
    let Some(top) = headings.iter().map(|heading| heading.level).min() else { return String::new() };
    let mut out = String::from("<div class=\"toc\">");
    let mut depth = 0;
    for heading in headings.iter().take(MOST) {
        let wanted = usize::from(heading.level - top) + 1;
        // A skipped level is not shown as an empty list.
        let wanted = wanted.min(depth + 1);
        while depth < wanted {
            out.push_str("<ul>");
            depth += 1;
        }
        while depth > wanted {
            out.push_str("</ul>");
            depth -= 1;
        }
        let (id, text) = (escape(&format!("{prefix}{}", heading.id)), escape(heading.text.trim()));
        out.push_str(&format!("<li><a href=\"#{id}\">{text}</a></li>"));
    }
    out.push_str(&"</ul>".repeat(depth));
    out.push_str("</div>");
    out
}

fn code_block(info: &str, text: &str) -> String {
    let language = info.split([' ', ',', '{', ':', '\t']).next().unwrap_or_default();
    if language == "math" {
        return format!("<pre class=\"code math\">{}</pre>", escape(text));
    }
    let class: String =
        language.chars().filter(|c| c.is_ascii_alphanumeric() || "+#-_.".contains(*c)).take(40).collect();
    let lines = highlight::fenced(&language.to_ascii_lowercase(), text).join("\n");
    let attribute = if class.is_empty() { String::new() } else { format!(" class=\"language-{class}\"") };
    format!("<pre class=\"code\" tabindex=\"0\"><code{attribute}>{lines}</code></pre>")
}

fn front_matter(text: &str) -> String {
    let inside = text.trim().trim_matches('-').trim();
    let pairs: Option<Vec<(&str, &str)>> = inside
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.split_once(": ").filter(|(key, _)| !key.starts_with([' ', '-', '#'])))
        .collect();
    let Some(pairs) = pairs.filter(|pairs| !pairs.is_empty() && pairs.len() <= 50) else {
        let lines = highlight::fenced("yaml", inside).join("\n");
        return format!(
            "<details class=\"front\"><summary>Front matter</summary><pre class=\"code\"><code>{lines}</code></pre></details>"
        );
    };
    let row = |(key, value): &(&str, &str)| {
        format!(
            "<tr><th scope=\"row\">{}</th><td>{}</td></tr>",
            escape(key),
            escape(value.trim().trim_matches(['"', '\'']))
        )
    };
    format!("<table class=\"front\"><tbody>{}</tbody></table>", pairs.iter().map(row).collect::<String>())
}

/// Strikes out tasks marked with `[~]` and gives other odd marks back as text.
fn task<'a>(arena: &'a Arena<'a>, at: Node<'a>) {
    let symbol = match &at.data().value {
        NodeValue::TaskItem(item) => item.symbol,
        _ => return,
    };
    match symbol {
        None | Some('x' | 'X') => {}
        Some('~') => {
            if let NodeValue::TaskItem(item) = &mut at.data_mut().value {
                item.symbol = None;
            }
            if let Some(first) = at.first_child().filter(|first| first.data().value.contains_inlines()) {
                let strike = node(arena, NodeValue::Strikethrough);
                let inner: Vec<Node<'a>> = first.children().collect();
                inner.into_iter().for_each(|child| strike.append(child));
                first.append(strike);
            }
        }
        Some(other) => untask(arena, at, other),
    }
}

fn untask<'a>(arena: &'a Arena<'a>, at: Node<'a>, symbol: char) {
    let list = at.parent().and_then(|parent| match parent.data().value {
        NodeValue::List(list) => Some(list),
        _ => None,
    });
    let Some(list) = list else { return };
    at.data_mut().value = NodeValue::Item(list);
    if let Some(first) = at.first_child().filter(|first| first.data().value.contains_inlines()) {
        first.prepend(node(arena, NodeValue::Text(format!("[{symbol}] ").into())));
    }
}

/// Takes the first words of a text without any formatting.
pub fn excerpt(text: &str, most: usize) -> String {
    let start = &text[..text.floor_char_boundary(most.saturating_mul(8).clamp(1_000, 64 * 1024))];
    let arena = Arena::new();
    let root = parse_document(&arena, start, &comrak_options(false));
    let mut words = String::new();
    for at in root.descendants() {
        match &at.data().value {
            NodeValue::Text(piece) => words.push_str(piece),
            NodeValue::Code(code) => words.push_str(&code.literal),
            NodeValue::Math(math) => words.push_str(&math.literal),
            NodeValue::ShortCode(code) => words.push_str(&code.emoji),
            NodeValue::Escaped => {}
            value if value.block() => words.push(' '),
            NodeValue::SoftBreak | NodeValue::LineBreak => words.push(' '),
            _ => {}
        }
        if words.len() > most.saturating_mul(5) {
            break;
        }
    }
    clip(&words.split_whitespace().collect::<Vec<_>>().join(" "), most)
}

fn clip(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let cut: String = text.chars().take(most.saturating_sub(1)).collect();
    let end = cut.rfind(' ').filter(|end| *end > cut.len() / 2).unwrap_or(cut.len());
    format!("{}…", &cut[..end])
}

impl Resolver for HashMap<Reference, Resolved> {
    fn resolve(&self, reference: &Reference) -> Option<Resolved> {
        self.get(reference).cloned()
    }
}

#[cfg(test)]
mod tests;

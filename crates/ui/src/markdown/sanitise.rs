//! The allow-list that everything an author wrote must pass.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use ammonia::Builder;

use super::MarkdownOptions;
use super::links::{self, Links};

/// Sum of depths over all tags; beyond it the tree would cost too much time and memory.
const MAX_WORK: usize = 1_000_000;
const MAX_OPEN: usize = 100;
const VOID: [&str; 8] = ["br", "hr", "img", "input", "wbr", "col", "area", "source"];
/// These end by themselves when the next one begins.
const SELF_ENDING: [&str; 10] = ["p", "li", "td", "th", "tr", "dt", "dd", "tbody", "thead", "option"];

/// Estimates from the tags alone whether building the tree stays cheap.
pub(super) fn is_affordable(html: &str) -> bool {
    let (mut depth, mut work, mut rest) = (0_usize, 0_usize, html);
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if let Some(closing) = rest.strip_prefix('/') {
            if !listed(&SELF_ENDING, closing) {
                depth = depth.saturating_sub(1);
            }
        } else if rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
            work += depth + 1;
            if !listed(&VOID, rest) && !listed(&SELF_ENDING, rest) {
                depth += 1;
            }
        }
        if depth > MAX_OPEN || work > MAX_WORK {
            return false;
        }
    }
    true
}

fn listed(names: &[&str], tag: &str) -> bool {
    let end = tag.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(tag.len()).min(12);
    tag.get(..end).is_some_and(|name| names.iter().any(|listed| listed.eq_ignore_ascii_case(name)))
}

/// Lets pass what is allowed and resolves links.
pub(super) fn clean(html: &str, options: &MarkdownOptions<'_>, prefix: &str) -> String {
    let links =
        Links { base: options.base.clone(), uploads: options.uploads.map(str::to_owned), prefix: prefix.to_owned() };
    let mut builder = builder();
    builder.id_prefix(Some(prefix)).attribute_filter(move |element, attribute, value| {
        let resolved = match (element, attribute) {
            ("a", "href") => links::resolve(value, false, &links),
            ("img", "src") => links::resolve(value, true, &links),
            _ => None,
        };
        Some(resolved.map_or(Cow::Borrowed(value), Cow::Owned))
    });
    builder.clean(html).to_string()
}

/// Cleans HTML that came from elsewhere, such as a notebook's output.
pub(crate) fn clean_foreign(html: &str) -> Option<String> {
    is_affordable(html).then(|| builder().id_prefix(Some("user-content-")).clean(html).to_string())
}

fn builder<'a>() -> Builder<'a> {
    let mut builder = Builder::default();
    builder
        .add_tags(["input", "section", "tfoot"])
        .rm_tags(["area", "map", "nav", "header", "footer", "article", "aside", "hgroup"])
        .add_generic_attributes(["id", "dir"])
        .add_tag_attributes("details", ["open"])
        .add_tag_attributes("input", ["type", "checked", "disabled"])
        .add_tag_attributes("a", ["aria-label"])
        .add_tag_attributes("th", ["scope"])
        .set_tag_attribute_value("input", "type", "checkbox")
        .set_tag_attribute_value("input", "disabled", "")
        .set_tag_attribute_value("input", "aria-label", "Task")
        .set_tag_attribute_value("img", "loading", "lazy")
        .allowed_classes(classes())
        .link_rel(Some("nofollow noopener noreferrer"));
    for tag in ["p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "img", "table"] {
        builder.add_tag_attributes(tag, ["align"]);
    }
    builder
}

fn classes() -> HashMap<&'static str, HashSet<&'static str>> {
    let alert = [
        "markdown-alert",
        "markdown-alert-note",
        "markdown-alert-tip",
        "markdown-alert-important",
        "markdown-alert-warning",
        "markdown-alert-caution",
    ];
    HashMap::from([
        ("div", HashSet::from(alert)),
        ("p", HashSet::from(["markdown-alert-title"])),
        ("li", HashSet::from(["task-list-item"])),
        ("ul", HashSet::from(["contains-task-list"])),
        ("ol", HashSet::from(["contains-task-list"])),
        ("section", HashSet::from(["footnotes"])),
        ("sup", HashSet::from(["footnote-ref"])),
        ("a", HashSet::from(["footnote-backref"])),
    ])
}

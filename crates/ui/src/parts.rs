//! The small parts: buttons, tags, avatars, panels, tabs, messages, empty states and paging.

use maud::{Markup, html};

use crate::page::{Item, Tone};
use crate::{icon, icon_with};

/// A link that looks like a button.
pub fn link_button(href: &str, icon_name: &str, label: &str) -> Markup {
    html! { a.btn href=(href) { @if !icon_name.is_empty() { (icon(icon_name)) } (label) } }
}

/// The one link of a view that looks like the primary button.
pub fn primary_link(href: &str, icon_name: &str, label: &str) -> Markup {
    html! { a.btn.primary href=(href) { @if !icon_name.is_empty() { (icon(icon_name)) } (label) } }
}

/// A button that sends the form it stands in.
pub fn submit(label: &str) -> Markup {
    html! { button.btn.primary type="submit" { (label) } }
}

/// Everything a button can be.
#[derive(Debug, Clone, Copy, Default)]
pub struct Button<'a> {
    /// The word on it, or its name when only the icon is shown.
    pub label: &'a str,
    /// The icon before the word.
    pub icon: &'a str,
    /// Extra classes: `primary`, `danger`, `quiet`, `small`.
    pub class: &'a str,
    /// Shows the icon alone.
    pub icon_only: bool,
    /// Makes it a link.
    pub href: Option<&'a str>,
    /// The name and value it sends with its form.
    pub value: Option<(&'a str, &'a str)>,
    /// The id of the menu it opens.
    pub menu: Option<&'a str>,
    /// The id of the dialog it opens.
    pub dialog: Option<&'a str>,
    /// Why it can't be pressed; shown as title.
    pub disabled: Option<&'a str>,
}

impl Button<'_> {
    /// Writes the button.
    pub fn render(&self) -> Markup {
        let class = format!(
            "btn{}{}{}",
            if self.class.is_empty() { "" } else { " " },
            self.class,
            if self.icon_only { " icon" } else { "" }
        );
        let label = self.icon_only.then_some(self.label);
        let inside = html! {
            @if !self.icon.is_empty() { (icon(self.icon)) }
            @if !self.icon_only { (self.label) }
            @if self.menu.is_some() && !self.icon_only { (icon_with("down", "down")) }
        };
        if let Some(href) = self.href {
            return html! { a class=(class) href=(href) aria-label=[label] title=[label] { (inside) } };
        }
        let kind = if self.menu.is_some() || self.dialog.is_some() { "button" } else { "submit" };
        html! {
            button class=(class) type=(kind) aria-label=[label] title=[self.disabled.or(label)]
                disabled[self.disabled.is_some()] popovertarget=[self.menu] data-open=[self.dialog]
                command=[self.dialog.map(|_| "show-modal")] commandfor=[self.dialog]
                name=[self.value.map(|pair| pair.0)] value=[self.value.map(|pair| pair.1)] { (inside) }
        }
    }
}

/// A form of one button that posts to an address, with hidden fields.
pub fn post_button(action: &str, fields: &[(&str, &str)], button: &Button<'_>) -> Markup {
    html! {
        form.inline method="post" action=(action) {
            @for (name, value) in fields { input type="hidden" name=(name) value=(value); }
            (button.render())
        }
    }
}

/// A short neutral word in a rounded outline.
pub fn tag(word: &str) -> Markup {
    html! { span.tag.bare { (word) } }
}

/// A short word with an icon in a rounded outline, such as the visibility.
pub fn tag_icon(icon_name: &str, word: &str) -> Markup {
    html! { span.tag.bare { (icon(icon_name)) (word) } }
}

/// A label with a dot of its colour; `scope::value` is shown as grey scope and bold value.
pub fn label(name: &str, colour: &str, href: Option<&str>) -> Markup {
    let dot = html! {
        svg.dotc width="8" height="8" aria-hidden="true" { circle cx="4" cy="4" r="4" fill=(safe_colour(colour)) {} }
    };
    let words = html! {
        @if let Some((scope, value)) = name.rsplit_once("::") { span { (scope) " " b { (value) } } } @else { (name) }
    };
    html! {
        @if let Some(href) = href { a.tag.bare href=(href) { (dot) (words) } }
        @else { span.tag.bare { (dot) (words) } }
    }
}

/// Returns a colour that is safe inside an attribute: hex digits or plain letters, else the current colour.
pub(crate) fn safe_colour(colour: &str) -> &str {
    let rest = colour.strip_prefix('#').unwrap_or(colour);
    let fits = !rest.is_empty() && rest.len() <= 20 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if fits { colour } else { "currentColor" }
}

/// A count.
pub fn badge(count: impl std::fmt::Display) -> Markup {
    html! { span.badge { (count.to_string()) } }
}

/// Lines added and removed.
pub fn changes(added: u64, removed: u64) -> Markup {
    html! { span.add-n { "+" (added) } " " span.del-n { "−" (removed) } }
}

/// Picks one of the eight colour classes for a name, always the same.
pub fn colour_class(name: &str) -> &'static str {
    const CLASSES: [&str; 8] = ["k1", "k2", "k3", "k4", "k5", "k6", "k7", "k8"];
    let hash = name.bytes().fold(2_166_136_261_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(16_777_619));
    CLASSES[(hash >> 7) as usize % CLASSES.len()]
}

fn initials(name: &str) -> String {
    let mut words = name.split([' ', '-', '_', '.', '/']).filter(|word| !word.is_empty());
    let first = words.next().unwrap_or("?");
    match words.next() {
        Some(second) => first.chars().take(1).chain(second.chars().take(1)).collect(),
        None => first.chars().take(2).collect(),
    }
}

fn avatar_as(name: &str, src: Option<&str>, class: &str, named: bool) -> Markup {
    html! {
        @if let Some(src) = src {
            img class={ "av " (class) } src=(src) alt=(if named { name } else { "" }) loading="lazy" width="24" height="24";
        } @else if named {
            span class={ "av " (colour_class(name)) " " (class) } role="img" aria-label=(name) title=(name)
                data-i=(initials(name)) {}
        } @else {
            span class={ "av " (colour_class(name)) " " (class) } aria-hidden="true" data-i=(initials(name)) {}
        }
    }
}

/// A person's picture or initials beside the name.
pub fn avatar(name: &str, src: Option<&str>) -> Markup {
    avatar_as(name, src, "", false)
}

/// A small picture or initials beside the name.
pub fn avatar_small(name: &str, src: Option<&str>) -> Markup {
    avatar_as(name, src, "s", false)
}

/// A large picture or initials.
pub fn avatar_large(name: &str, src: Option<&str>) -> Markup {
    avatar_as(name, src, "l", false)
}

/// A picture or initials that stand alone and therefore carry the name.
pub fn avatar_named(name: &str, src: Option<&str>) -> Markup {
    avatar_as(name, src, "", true)
}

/// The square picture of a project or group.
pub fn avatar_square(name: &str, src: Option<&str>) -> Markup {
    avatar_as(name, src, "l sq", false)
}

/// The head of a page: title, actions at the right, a line below.
pub fn head(title: &Markup, actions: &Markup, below: &Markup) -> Markup {
    html! {
        div.head {
            h1 { (title) }
            div.acts { (actions) }
            @if !below.0.is_empty() { div.line { (below) } }
        }
    }
}

/// A panel with a heading and a padded body.
pub fn panel(id: &str, title: &str, body: &Markup) -> Markup {
    panel_with(id, &html! { h2 id=(id) { (title) } }, &html! { div.body.stack { (body) } }, None)
}

/// A panel whose body reaches its edges, for rows and tables.
pub fn panel_rows(id: &str, title: &str, body: &Markup) -> Markup {
    panel_with(id, &html! { h2 id=(id) { (title) } }, body, None)
}

/// A panel with its own header, body and foot; the header holds the element with the given id.
pub fn panel_with(id: &str, header: &Markup, body: &Markup, foot: Option<&Markup>) -> Markup {
    html! {
        section.panel aria-labelledby=(id) {
            header { (header) }
            (body)
            @if let Some(foot) = foot { footer { (foot) } }
        }
    }
}

/// A list of rows; each entry is the inside of one row.
pub fn rows(entries: &[Markup]) -> Markup {
    html! { ul.rows { @for entry in entries { li { (entry) } } } }
}

/// The inside of one row: something before, title with a line of facts below, something at the end.
pub fn row(before: &Markup, title: &Markup, meta: &Markup, end: &Markup) -> Markup {
    html! {
        (before)
        div.grow { span { (title) } @if !meta.0.is_empty() { span.meta { (meta) } } }
        (end)
    }
}

/// A table; the first cell of a row is its header, columns named in `right` are numbers.
pub fn table(caption: &str, columns: &[&str], right: &[usize], body: &[Vec<Markup>]) -> Markup {
    let class = |index: usize| right.contains(&index).then_some("r");
    html! {
        div.scroll {
            table.data {
                caption.vh { (caption) }
                thead { tr { @for (index, column) in columns.iter().enumerate() { th scope="col" class=[class(index)] {
                    @if column.is_empty() { span.vh { "Actions" } } @else { (column) }
                } } } }
                tbody {
                    @for row in body {
                        tr {
                            @for (index, cell) in row.iter().enumerate() {
                                @if index == 0 { th scope="row" class=[class(0)] { (cell) } } @else { td class=[class(index)] { (cell) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Tabs below a page's head.
pub fn tabs(name: &str, items: &[Item]) -> Markup {
    html! {
        nav.tabs.pagetabs aria-label=(name) {
            @for item in items {
                a href=(item.href) aria-current=[item.current.then_some("page")] {
                    (item.title) @if let Some(count) = &item.badge { span.badge { (count) } }
                }
            }
        }
    }
}

/// A few choices side by side, one of them current.
pub fn segments(name: &str, items: &[Item]) -> Markup {
    html! {
        div.seg role="group" aria-label=(name) {
            @for item in items { a href=(item.href) aria-current=[item.current.then_some("true")] { (item.title) } }
        }
    }
}

/// A message that stays in the flow.
pub fn alert(tone: Tone, body: &Markup) -> Markup {
    alert_with(tone, body, &Markup::default())
}

/// A message that stays in the flow, with a button that helps.
pub fn alert_with(tone: Tone, body: &Markup, action: &Markup) -> Markup {
    let role = if tone == Tone::Bad { "alert" } else { "status" };
    html! { div class={ "alert " (tone.class()) } role=(role) { (icon(tone.icon())) div { (body) } (action) } }
}

/// Something to copy: the text and its button.
pub fn copy_box(text: &str, name: &str) -> Markup {
    html! {
        div.copy {
            code tabindex="0" { (text) }
            button.btn.quiet.small.icon type="button" data-copy=(text) aria-label={ "Copy " (name) } { (icon("copy")) }
        }
    }
}

/// A small button that copies a text, to stand beside it.
pub fn copy_button(text: &str, name: &str) -> Markup {
    html! { button.btn.quiet.small.icon type="button" data-copy=(text) aria-label={ "Copy " (name) } title={ "Copy " (name) } { (icon("copy")) } }
}

/// A block of commands or code with a copy button.
pub fn code_box(text: &str, name: &str) -> Markup {
    html! {
        div.codebox {
            pre.code tabindex="0" role="region" aria-label=(name) { code { (text) } }
            button.btn.small type="button" data-copy=(text) aria-label={ "Copy: " (name) } { (icon("copy")) "Copy" }
        }
    }
}

/// What stands where a list would be when there is nothing yet.
#[derive(Debug, Clone, Default)]
pub struct Empty<'a> {
    /// The icon above.
    pub icon: &'a str,
    /// What isn't there.
    pub title: &'a str,
    /// What it would be and how to get it.
    pub text: &'a str,
    /// A command to copy.
    pub command: Option<&'a str>,
    /// The one button: address and label.
    pub action: Option<(&'a str, &'a str)>,
}

impl Empty<'_> {
    /// Writes the empty state.
    pub fn render(&self) -> Markup {
        html! {
            div.blank {
                @if !self.icon.is_empty() { (icon(self.icon)) }
                h2 { (self.title) }
                @if !self.text.is_empty() { p { (self.text) } }
                @if let Some(command) = self.command { (copy_box(command, "command")) }
                @if let Some((href, label)) = self.action { a.btn.primary href=(href) { (label) } }
            }
        }
    }
}

/// A bar of progress with its name.
pub fn progress(name: &str, value: u64, of: u64) -> Markup {
    html! { progress.short aria-label=(name) value=(value) max=(of.max(1)) { (value) " of " (of) } }
}

/// Name and value pairs for an aside.
pub fn facts(pairs: &[(&str, Markup)]) -> Markup {
    html! { dl.facts { @for (name, value) in pairs { dt { (name) } dd { (value) } } } }
}

/// Paging by page numbers; `href` makes the address of a page.
pub fn pages(current: u64, last: u64, href: impl Fn(u64) -> String) -> Markup {
    if last <= 1 {
        return Markup::default();
    }
    let mut shown: Vec<u64> = [1, 2, current.saturating_sub(1), current, current + 1, last.saturating_sub(1), last]
        .into_iter()
        .filter(|page| (1..=last).contains(page))
        .collect();
    shown.sort_unstable();
    shown.dedup();
    html! {
        nav.paging aria-label="Pages" {
            ol.pages {
                @if current > 1 { li { a rel="prev" href=(href(current - 1)) { "Back" } } }
                @for (index, page) in shown.iter().enumerate() {
                    @if index > 0 && shown[index - 1] + 1 < *page { li { span { "…" } } }
                    li { @if *page == current { span aria-current="page" { (page) } } @else { a href=(href(*page)) { (page) } } }
                }
                @if current < last { li { a rel="next" href=(href(current + 1)) { "Next" } } }
            }
        }
    }
}

/// Paging for lists that are read in one direction only.
pub fn pages_keyset(back: Option<&str>, next: Option<&str>) -> Markup {
    html! {
        @if back.is_some() || next.is_some() {
            nav.paging aria-label="Pages" {
                ol.pages {
                    @if let Some(href) = back { li { a rel="prev" href=(href) { "Newer" } } }
                    @if let Some(href) = next { li { a rel="next" href=(href) { "Older" } } }
                }
            }
        }
    }
}

/// One step of a path: word and address.
pub type Step<'a> = (&'a str, String);

/// The path of a file as links, each step into its folder; the last one is plain.
pub fn path(steps: &[Step<'_>]) -> Markup {
    html! {
        span.path.mono {
            @for (index, (word, href)) in steps.iter().enumerate() {
                @if index > 0 { span.faint { "/" } }
                @if index + 1 == steps.len() { b { (word) } } @else { a href=(href) { (word) } }
            }
        }
    }
}

#[cfg(test)]
mod tests;

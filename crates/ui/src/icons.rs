//! The icons: 16 px symbols drawn with the current colour. A page carries only the ones it uses.

use std::collections::BTreeSet;

use maud::{Markup, PreEscaped, html};

const SOURCE: &str = include_str!("../assets/icons.txt");

pub(crate) const FAVICON: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 16 16\" fill=\"none\" \
stroke=\"#10647f\" stroke-width=\"1.5\"><circle cx=\"8\" cy=\"8\" r=\"6.75\"/><path d=\"M8 8V1.5M8 8 3.3 3.3M8 8l4.7-4.7\"/>\
<path d=\"M1.6 9.4c1.3-1.2 2.6-1.2 3.9-.4 1.3.8 2.5.9 3.9.1 1.7-1 3.2-.9 5 .4-.7 3-3.3 5.2-6.4 5.2s-5.7-2.2-6.4-5.3z\" \
fill=\"#10647f\" stroke=\"none\"/></svg>";

const USE: &str = "<use href=\"#i-";

fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    SOURCE.lines().filter_map(|line| line.split_once(' '))
}

/// Returns the names of all icons.
pub fn names() -> impl Iterator<Item = &'static str> {
    all().map(|(name, _)| name)
}

/// Draws an icon beside a word; assistive technology skips it.
pub fn icon(name: &str) -> Markup {
    icon_with(name, "")
}

/// Draws an icon with extra classes, such as a tone (`ok`, `bad`) or `turn`.
pub fn icon_with(name: &str, class: &str) -> Markup {
    let space = if class.is_empty() { "" } else { " " };
    html! { svg class={ "ic" (space) (class) } aria-hidden="true" { use href={ "#i-" (name) } {} } }
}

/// Draws an icon that stands alone and therefore carries its name.
pub fn icon_named(name: &str, class: &str, label: &str) -> Markup {
    html! {
        svg class={ "ic " (class) } role="img" aria-label=(label) { title { (label) } use href={ "#i-" (name) } {} }
    }
}

/// Builds the inline sprite with the icons that the given markup uses.
pub(crate) fn sprite(markup: &str) -> Markup {
    let used: BTreeSet<&str> =
        markup.split(USE).skip(1).filter_map(|rest| rest.split_once('"').map(|(name, _)| name)).collect();
    html! {
        svg.sprite width="0" height="0" aria-hidden="true" {
            @for (name, shape) in all().filter(|(name, _)| used.contains(name)) { (symbol(name, shape)) }
        }
    }
}

fn symbol(name: &str, shape: &str) -> Markup {
    html! { symbol id={ "i-" (name) } viewBox="0 0 16 16" { (PreEscaped(shape)) } }
}

/// Builds the sheet of all icons that the script refers to when it draws entries of its own.
pub(crate) fn sheet() -> String {
    let symbols = html! { @for (name, shape) in all() { (symbol(name, shape)) } };
    format!("<svg xmlns=\"http://www.w3.org/2000/svg\">{}</svg>", symbols.into_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sprite_holds_only_what_is_used() {
        let sprite = sprite(&html! { (icon("ok")) (icon_with("bad", "warn")) (icon("ok")) }.into_string());
        assert_eq!(sprite.0.matches("<symbol").count(), 2);
        assert!(sprite.0.contains("id=\"i-bad\""));
    }

    #[test]
    fn every_icon_is_drawn_once() {
        let names: Vec<_> = names().collect();
        let set: BTreeSet<_> = names.iter().collect();
        assert_eq!(names.len(), set.len());
        assert!(names.len() > 60);
    }
}

//! What floats: menus, the clone menu, the branch switcher and confirming dialogs.

use maud::{Markup, html};

use crate::page::Item;
use crate::parts::{Button, copy_box};
use crate::{frame, icon, icon_with};

/// A button and the menu of links it opens.
pub fn menu(id: &str, button: &Button<'_>, items: &[Item]) -> Markup {
    let button = Button { menu: Some(id), ..*button };
    html! {
        (button.render())
        div.menu.end id=(id) popover { @for item in items { (frame::menu_item(item)) } }
    }
}

/// A button and a menu with any content.
pub fn menu_with(id: &str, button: &Button<'_>, content: &Markup) -> Markup {
    let button = Button { menu: Some(id), ..*button };
    html! { (button.render()) div.menu.end.pad id=(id) popover { div.stack { (content) } } }
}

/// How a repository can be cloned and downloaded.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clone<'a> {
    /// The address for HTTP, empty when switched off.
    pub http: &'a str,
    /// The address for SSH, empty when switched off.
    pub ssh: &'a str,
    /// Archives: word and address.
    pub archives: &'a [(&'a str, String)],
    /// Where a key can be added.
    pub keys_href: Option<&'a str>,
}

impl Clone<'_> {
    /// Writes the button with its menu.
    pub fn render(&self) -> Markup {
        let button = Button { label: "Clone", icon: "save", class: "primary", ..Button::default() };
        menu_with(
            "clone",
            &button,
            &html! {
                @if !self.ssh.is_empty() { div.field { span.label { "SSH" } (copy_box(self.ssh, "SSH address")) } }
                @if !self.http.is_empty() { div.field { span.label { "HTTPS" } (copy_box(self.http, "HTTPS address")) } }
                div.line {
                    @for (word, href) in self.archives { a.btn.small href=(href) download { (icon("save")) (word) } }
                    @if let Some(href) = self.keys_href { a.btn.quiet.small.push href=(href) { (icon("key")) "Set up a key" } }
                }
            },
        )
    }
}

/// Branches and tags to switch between.
#[derive(Debug, Clone, Copy, Default)]
pub struct Refs<'a> {
    /// The name shown on the button.
    pub current: &'a str,
    /// Branches: name and address.
    pub branches: &'a [(String, String)],
    /// Tags: name and address.
    pub tags: &'a [(String, String)],
    /// Where all branches are listed, when only some are given.
    pub more_href: Option<&'a str>,
}

impl Refs<'_> {
    /// Writes the button with its menu, which filters while one types.
    pub fn render(&self) -> Markup {
        html! {
            button.btn.refbtn type="button" popovertarget="refs" title=(self.current) {
                (icon("branch")) span.cut { (self.current) } (icon_with("down", "down"))
            }
            div.menu.refs id="refs" popover {
                label.filter.plain {
                    span.vh { "Filter branches and tags" } (icon("search"))
                    input.in type="search" placeholder="Filter branches and tags" autocomplete="off" data-filter="reflist" autofocus;
                }
                div.reflist id="reflist" {
                    (ref_group("Branches", self.branches, self.current))
                    (ref_group("Tags", self.tags, self.current))
                }
                @if let Some(href) = self.more_href { hr; a href=(href) { "All branches" } }
            }
        }
    }
}

fn ref_group(title: &str, refs: &[(String, String)], current: &str) -> Markup {
    html! {
        @if !refs.is_empty() {
            p.title { (title) }
            @for (name, href) in refs {
                a href=(href) data-row aria-current=[(name == current).then_some("true")] {
                    (icon(if name == current { "done" } else { "branch" })) span.cut { (name) }
                }
            }
        }
    }
}

/// A dialog that asks before something that is hard to undo.
#[derive(Debug, Clone, Copy, Default)]
pub struct Confirm<'a> {
    /// The id that the opening button names.
    pub id: &'a str,
    /// The question.
    pub title: &'a str,
    /// What is lost, and for how long it can come back.
    pub text: &'a str,
    /// Where the form posts to.
    pub action: &'a str,
    /// Hidden fields.
    pub fields: &'a [(&'a str, &'a str)],
    /// The word to type before the button works, if any.
    pub type_to_confirm: Option<&'a str>,
    /// The answer that keeps everything.
    pub keep: &'a str,
    /// The answer that does it.
    pub act: &'a str,
}

impl Confirm<'_> {
    /// Writes the dialog; a [`Button`] with `dialog` set to the same id opens it.
    pub fn render(&self) -> Markup {
        let title = format!("{}-title", self.id);
        html! {
            dialog.modal id=(self.id) aria-labelledby=(title) {
                form method="post" action=(self.action) {
                    h2 id=(title) { (self.title) }
                    @if !self.text.is_empty() { p.soft { (self.text) } }
                    @for (name, value) in self.fields { input type="hidden" name=(name) value=(value); }
                    @if let Some(word) = self.type_to_confirm {
                        div.field {
                            label for={ (self.id) "-word" } { "Type " code { (word) } " to confirm" }
                            input.in id={ (self.id) "-word" } name="confirm" required autocomplete="off" pattern=(exactly(word));
                        }
                    }
                    div.acts {
                        button.btn type="button" data-close autofocus[self.type_to_confirm.is_none()] {
                            (if self.keep.is_empty() { "Keep it" } else { self.keep })
                        }
                        button.btn.danger.primary type="submit" { (self.act) }
                    }
                }
            }
        }
    }
}

/// Writes a pattern that matches exactly this word.
fn exactly(word: &str) -> String {
    word.chars().fold(String::new(), |mut out, c| {
        if r"\^$.*+?()[]{}|/-".contains(c) {
            out.push('\\');
        }
        out.push(c);
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn menus_are_tied_to_their_buttons() {
        let html = menu(
            "more",
            &Button { label: "More", icon: "dots", icon_only: true, ..Button::default() },
            &[Item::new("Edit", "/e")],
        )
        .into_string();
        assert!(html.contains("popovertarget=\"more\"") && html.contains("id=\"more\" popover"));
    }

    #[test]
    fn words_to_type_are_matched_literally() {
        assert_eq!(exactly("a/b.c"), r"a\/b\.c");
    }
}

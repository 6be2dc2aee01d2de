//! Fields with their label, hint and error tied together for assistive technology.

use maud::{Markup, html};

use crate::icon;

/// One field of a form.
#[derive(Debug, Clone, Copy, Default)]
pub struct Field<'a> {
    /// The name it is sent under, also the stem of its id.
    pub name: &'a str,
    /// The id, where two fields of a page have one name; made from the name when empty.
    pub id: &'a str,
    /// The label.
    pub label: &'a str,
    /// What is filled in.
    pub value: &'a str,
    /// What helps to fill it in.
    pub hint: &'a str,
    /// What is wrong with it and what helps.
    pub error: Option<&'a str>,
    /// The type of an input: `text` when empty.
    pub kind: &'a str,
    /// Shown while the field is empty.
    pub placeholder: &'a str,
    /// What a browser may fill in, as in `username`.
    pub autocomplete: &'a str,
    /// Must be filled in.
    pub required: bool,
    /// Gets the focus when the page opens.
    pub autofocus: bool,
    /// Can't be changed.
    pub disabled: bool,
    /// Is written in the monospaced face.
    pub mono: bool,
    /// Rows of a text area.
    pub rows: u32,
    /// What an input must match.
    pub pattern: Option<&'a str>,
    /// How long a text may be.
    pub maxlength: Option<u32>,
}

impl Field<'_> {
    fn id(&self) -> String {
        if !self.id.is_empty() {
            return self.id.to_owned();
        }
        self.name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).fold("f-".to_owned(), |mut id, c| {
            id.push(c);
            id
        })
    }

    fn describedby(&self, id: &str) -> Option<String> {
        match (self.error.is_some(), !self.hint.is_empty()) {
            (true, true) => Some(format!("{id}-error {id}-hint")),
            (true, false) => Some(format!("{id}-error")),
            (false, true) => Some(format!("{id}-hint")),
            (false, false) => None,
        }
    }

    fn wrap(&self, control: &Markup) -> Markup {
        let id = self.id();
        html! {
            div.field {
                label for=(id) { (self.label) }
                (control)
                @if let Some(error) = self.error { p.error id={ (id) "-error" } { (icon("bad")) span { (error) } } }
                @if !self.hint.is_empty() { p.hint id={ (id) "-hint" } { (self.hint) } }
            }
        }
    }

    /// Writes a one-line input.
    pub fn input(&self) -> Markup {
        let id = self.id();
        let kind = if self.kind.is_empty() { "text" } else { self.kind };
        self.wrap(&html! {
            input.in.mono[self.mono] id=(id) name=(self.name) type=(kind) value=[(kind != "password").then_some(self.value)]
                placeholder=[some(self.placeholder)] autocomplete=[some(self.autocomplete)] required[self.required]
                autofocus[self.autofocus] disabled[self.disabled] pattern=[self.pattern] maxlength=[self.maxlength]
                aria-invalid=[self.error.map(|_| "true")] aria-describedby=[self.describedby(&id)];
        })
    }

    /// Writes a text area; Ctrl+Enter sends its form.
    pub fn textarea(&self) -> Markup {
        let id = self.id();
        self.wrap(&html! {
            textarea.in.mono[self.mono] id=(id) name=(self.name) rows=[(self.rows > 0).then_some(self.rows)]
                placeholder=[some(self.placeholder)] required[self.required] autofocus[self.autofocus]
                disabled[self.disabled] maxlength=[self.maxlength]
                aria-invalid=[self.error.map(|_| "true")] aria-describedby=[self.describedby(&id)] { "\n" (self.value) }
        })
    }

    /// Writes a choice of one: pairs of value and word; `value` is the chosen one.
    pub fn select(&self, choices: &[(&str, &str)]) -> Markup {
        let id = self.id();
        self.wrap(&html! {
            select.in id=(id) name=(self.name) required[self.required] disabled[self.disabled]
                aria-invalid=[self.error.map(|_| "true")] aria-describedby=[self.describedby(&id)] {
                @for (value, word) in choices { option value=(value) selected[*value == self.value] { (word) } }
            }
        })
    }

    /// Writes a group of radio buttons: value, word and what it means.
    pub fn radios(&self, choices: &[(&str, &str, &str)]) -> Markup {
        let id = self.id();
        html! {
            fieldset.field.choices aria-describedby=[self.describedby(&id)] {
                legend.label { (self.label) }
                @for (value, word, hint) in choices {
                    label.check.tall {
                        input type="radio" name=(self.name) value=(value) checked[*value == self.value] disabled[self.disabled];
                        span { (word) @if !hint.is_empty() { br; span.hint { (hint) } } }
                    }
                }
                @if let Some(error) = self.error { p.error id={ (id) "-error" } { (icon("bad")) span { (error) } } }
                @if !self.hint.is_empty() { p.hint id={ (id) "-hint" } { (self.hint) } }
            }
        }
    }
}

fn some(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// A box to tick that is sent as `1`; what it means stands below.
pub fn checkbox(name: &str, label: &str, checked: bool, hint: &str) -> Markup {
    html! {
        label.check.tall {
            input type="checkbox" name=(name) value="1" checked[checked];
            span { (label) @if !hint.is_empty() { br; span.hint { (hint) } } }
        }
    }
}

/// A hidden field.
pub fn hidden(name: &str, value: &str) -> Markup {
    html! { input type="hidden" name=(name) value=(value); }
}

/// A field that filters the list with the given id while one types; nothing is sent.
pub fn filter(list: &str, label: &str) -> Markup {
    html! {
        label.filter {
            (icon("filter")) span.vh { (label) }
            input.in type="search" placeholder=(label) autocomplete="off" data-filter=(list);
            kbd.wide-only { "/" }
        }
    }
}

/// A search field that works as a form: sends `name` with the given value by GET to `action`.
pub fn search(action: &str, name: &str, value: &str, label: &str, keep: &[(&str, &str)]) -> Markup {
    html! {
        form.filter action=(action) role="search" {
            (icon("search"))
            @for (kept, value) in keep { (hidden(kept, value)) }
            input.in type="search" name=(name) value=(value) aria-label=(label) placeholder=(label) autocomplete="off" data-slash;
            kbd.wide-only { "/" }
        }
    }
}

/// The foot of a form: the sending button and a way back.
pub fn actions(send: &str, back: Option<(&str, &str)>) -> Markup {
    html! {
        div.line {
            button.btn.primary type="submit" { (send) }
            @if let Some((href, word)) = back { a.btn.quiet href=(href) { (word) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_and_hints_are_tied_to_the_field() {
        let field = Field {
            name: "branch[name]",
            label: "Branch",
            error: Some("No spaces."),
            hint: "Letters.",
            ..Field::default()
        };
        let html = field.input().into_string();
        assert!(html.contains("aria-invalid=\"true\""));
        assert!(html.contains("aria-describedby=\"f-branch-name--error f-branch-name--hint\""));
        assert!(html.contains("id=\"f-branch-name--error\""));
    }

    #[test]
    fn passwords_are_never_written_back() {
        let html = Field { name: "p", kind: "password", value: "secret", ..Field::default() }.input().into_string();
        assert!(!html.contains("secret"));
    }

    #[test]
    fn text_areas_keep_a_leading_newline() {
        let html = Field { name: "t", value: "\nx", ..Field::default() }.textarea().into_string();
        assert!(html.contains(">\n\nx</textarea>"));
    }
}

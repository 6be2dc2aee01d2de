//! Files as people read them: numbered lines, pictures, and what stands in for binary files.

use maud::{Markup, PreEscaped, html};

use crate::{format, icon};

/// Shows highlighted lines with numbers that are anchors (`#L1`); the lines are HTML from [`crate::highlight`].
pub fn code(lines: &[String], name: &str) -> Markup {
    code_from(lines, 1, name)
}

/// Shows highlighted lines whose first one has the given number.
pub fn code_from(lines: &[String], first: u32, name: &str) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label={ "Lines of " (name) } {
            table.src {
                tbody {
                    @for (line, number) in lines.iter().zip(first..) {
                        tr id={ "L" (number) } {
                            td.n { a href={ "#L" (number) } data-n=(number) aria-label={ "Line " (number) } {} }
                            td.t { (PreEscaped(line)) }
                        }
                    }
                }
            }
        }
    }
}

/// Shows a picture from an address.
pub fn picture(src: &str, alt: &str) -> Markup {
    html! { div.binary { img.shown src=(src) alt=(alt) loading="lazy"; } }
}

/// Says that a file can't be shown and offers it for download.
pub fn binary(size: u64, download_href: &str, why: &str) -> Markup {
    html! {
        div.binary {
            p { (why) }
            a.btn href=(download_href) download { (icon("save")) "Download " span.faint { (format::bytes(size)) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_anchors() {
        let html = code_from(&["a".to_owned(), "b".to_owned()], 41, "x").into_string();
        assert!(html.contains("id=\"L42\"") && html.contains("href=\"#L42\""));
    }
}

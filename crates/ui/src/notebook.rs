//! Jupyter notebooks: text, code and outputs, read only.

use base64::Engine as _;
use maud::{Markup, PreEscaped, html};
use serde_json::Value;

use crate::markdown::{MarkdownOptions, render as markdown, sanitise::clean_foreign};
use crate::{ansi, highlight};

/// Larger notebooks are offered for download instead.
pub const MAX_INPUT: usize = 8 * 1024 * 1024;
const MAX_CELLS: usize = 500;
const MAX_TEXT: usize = 128 * 1024;
const MAX_IMAGE: usize = 2 * 1024 * 1024;

/// Shows a notebook; fails with what is wrong with it.
pub fn render(text: &str, options: &MarkdownOptions<'_>) -> Result<Markup, String> {
    if text.len() > MAX_INPUT {
        return Err("This notebook is too large to be shown.".to_owned());
    }
    let book: Value = serde_json::from_str(text).map_err(|error| format!("This notebook can't be read: {error}."))?;
    let cells = book
        .get("cells")
        .and_then(Value::as_array)
        .ok_or("This notebook has no cells; only version 4 can be shown.")?;
    let language =
        book.pointer("/metadata/language_info/name").or_else(|| book.pointer("/metadata/kernelspec/language"));
    let language = language.and_then(Value::as_str).unwrap_or("python");
    Ok(html! {
        div.body.notebook {
            @for one in cells.iter().take(MAX_CELLS) { (cell(one, language, options)) }
            @if cells.len() > MAX_CELLS { p.cut-note { "Only the first " (MAX_CELLS) " cells are shown." } }
        }
    })
}

/// Joins text that is written as one string or as a list of lines.
fn joined(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(lines)) => lines.iter().filter_map(Value::as_str).collect(),
        _ => String::new(),
    }
}

fn bounded(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_TEXT)]
}

fn cell(cell: &Value, language: &str, options: &MarkdownOptions<'_>) -> Markup {
    let source = joined(cell.get("source"));
    let source = bounded(&source);
    match cell.get("cell_type").and_then(Value::as_str) {
        Some("markdown") => html! { div.cell-text { article.prose { (PreEscaped(markdown(source, options))) } } },
        Some("code") => code(cell, source, language),
        _ => html! { div.cell-text { pre.code { (source) } } },
    }
}

fn code(cell: &Value, source: &str, language: &str) -> Markup {
    let count = cell.get("execution_count").and_then(Value::as_u64);
    let outputs = cell.get("outputs").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    html! {
        div.cell-in {
            span.faint { "In" @if let Some(count) = count { " [" (count) "]" } }
            pre.code tabindex="0" { code { (PreEscaped(highlight::fenced(language, source).join("\n"))) } }
        }
        @for one in outputs.iter().take(100) {
            div.cell-out { span.faint { "Out" } div { (output(one)) } }
        }
    }
}

fn output(output: &Value) -> Markup {
    match output.get("output_type").and_then(Value::as_str) {
        Some("stream") => terminal(&joined(output.get("text"))),
        Some("error") => {
            let trace = output.get("traceback").and_then(Value::as_array);
            let lines = trace.into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join("\n");
            terminal(&lines)
        }
        _ => output.get("data").map_or_else(Markup::default, data),
    }
}

fn terminal(text: &str) -> Markup {
    let lines = ansi::parse(bounded(text).as_bytes()).into_iter().filter_map(|event| match event {
        ansi::Event::Line(line) => Some(line.html),
        _ => None,
    });
    html! { pre { (PreEscaped(lines.collect::<Vec<_>>().join("\n"))) } }
}

/// Picks the richest form that can be shown safely.
fn data(data: &Value) -> Markup {
    for kind in ["image/png", "image/jpeg", "image/gif"] {
        let picture = joined(data.get(kind)).split_whitespace().collect::<String>();
        if !picture.is_empty() && picture.len() <= MAX_IMAGE && is_base64(&picture) {
            return html! { img src={ "data:" (kind) ";base64," (picture) } alt="Output of the cell"; };
        }
    }
    let vector = joined(data.get("image/svg+xml"));
    if !vector.is_empty() && vector.len() <= MAX_IMAGE {
        // As a picture it can neither run scripts nor load anything.
        let encoded = base64::engine::general_purpose::STANDARD.encode(vector);
        return html! { img src={ "data:image/svg+xml;base64," (encoded) } alt="Output of the cell"; };
    }
    let rich = joined(data.get("text/html"));
    if let Some(clean) =
        Some(rich).filter(|rich| !rich.is_empty() && rich.len() <= MAX_TEXT).and_then(|rich| clean_foreign(&rich))
    {
        return html! { div.prose.s { (PreEscaped(clean)) } };
    }
    terminal(&joined(data.get("text/plain")))
}

fn is_base64(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_shown_and_outputs_cleaned() {
        let book = serde_json::json!({
            "metadata": { "language_info": { "name": "python" } },
            "cells": [
                { "cell_type": "markdown", "source": ["# Hi\n", "<script>x</script>"] },
                { "cell_type": "code", "execution_count": 3, "source": "import os", "outputs": [
                    { "output_type": "stream", "text": ["\u{1b}[31mred\u{1b}[0m <b>"] },
                    { "output_type": "display_data", "data": { "text/html": "<table onclick=x><tr><td>1</td></tr></table><script>y</script>" } },
                    { "output_type": "display_data", "data": { "image/png": "aGk=\n" } },
                    { "output_type": "display_data", "data": { "image/png": "\"><script>" , "text/plain": "p" } },
                ] },
            ],
        });
        let html = render(&book.to_string(), &MarkdownOptions::default()).expect("shown").into_string();
        assert!(!html.contains("<script") && !html.contains("onclick"), "{html}");
        assert!(
            html.contains("In [3]")
                && html.contains("class=\"x1\"")
                && html.contains("base64,aGk=")
                && html.contains("<td>1</td>")
        );
    }

    #[test]
    fn broken_ones_say_why() {
        assert!(render("{", &MarkdownOptions::default()).is_err());
        assert!(render("{}", &MarkdownOptions::default()).is_err());
        assert!(render(&" ".repeat(MAX_INPUT + 1), &MarkdownOptions::default()).is_err());
    }
}

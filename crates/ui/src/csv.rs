//! Comma-separated values as a table.

use maud::{Markup, html};

/// Larger files are cut.
pub const MAX_INPUT: usize = 1024 * 1024;
const MAX_ROWS: usize = 2_000;
const MAX_COLUMNS: usize = 100;

/// Shows values as a table whose first row is the header; the separator is found by itself.
pub fn table(text: &str) -> Markup {
    let cut = text.len() > MAX_INPUT;
    let part = &text[..text.floor_char_boundary(MAX_INPUT)];
    let mut rows = parse(part, separator(part), MAX_ROWS + 2);
    let more = cut || rows.len() > MAX_ROWS + 1;
    rows.truncate(MAX_ROWS + 1);
    let Some((head, body)) = rows.split_first() else {
        return html! { p.none.faint { "This file has no values." } };
    };
    html! {
        @if more { p.waiting { "Only the first " (crate::format::count(MAX_ROWS as i64)) " rows are shown." } }
        div.scroll tabindex="0" role="region" aria-label="Table" {
            table.data {
                thead { tr { @for (index, cell) in head.iter().enumerate() { th scope="col" class=[numbers(body, index).then_some("r")] { (cell) } } } }
                tbody {
                    @for (row, number) in body.iter().zip(2..) {
                        tr id={ "L" (number) } { @for cell in row { td class=[is_number(cell).then_some("r")] { (cell) } } }
                    }
                }
            }
        }
    }
}

fn numbers(body: &[Vec<String>], column: usize) -> bool {
    body.first().and_then(|row| row.get(column)).is_some_and(|cell| is_number(cell))
}

fn is_number(cell: &str) -> bool {
    !cell.is_empty() && cell.len() < 24 && cell.trim().parse::<f64>().is_ok()
}

/// Picks the separator that occurs most in the first line outside of quotes.
fn separator(text: &str) -> char {
    let first = text.lines().next().unwrap_or_default();
    let mut counts = [(',', 0), (';', 0), ('\t', 0), ('|', 0)];
    let mut quoted = false;
    for c in first.chars() {
        quoted ^= c == '"';
        counts.iter_mut().filter(|entry| !quoted && entry.0 == c).for_each(|entry| entry.1 += 1);
    }
    counts.iter().rev().max_by_key(|entry| entry.1).filter(|entry| entry.1 > 0).map_or(',', |entry| entry.0)
}

fn parse(text: &str, separator: char, most: usize) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' if quoted || cell.is_empty() => quoted = !quoted,
            '\r' if !quoted && chars.peek() == Some(&'\n') => {}
            '\n' if !quoted => {
                end_cell(&mut row, &mut cell);
                rows.push(std::mem::take(&mut row));
                if rows.len() >= most {
                    return rows;
                }
            }
            c if c == separator && !quoted => end_cell(&mut row, &mut cell),
            c => cell.push(c),
        }
    }
    if !cell.is_empty() || !row.is_empty() {
        end_cell(&mut row, &mut cell);
        rows.push(row);
    }
    rows
}

fn end_cell(row: &mut Vec<String>, cell: &mut String) {
    let text = std::mem::take(cell);
    if row.len() < MAX_COLUMNS {
        row.push(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_separators_are_understood() {
        assert_eq!(parse("a,\"b,\"\"c\"\"\nd\"\r\n1,2", ',', 9), [vec!["a", "b,\"c\"\nd"], vec!["1", "2"]]);
        assert_eq!(
            (separator("a;b;c,d"), separator("a\tb"), separator("x"), separator("\"a,b\";c")),
            (';', '\t', ',', ';')
        );
    }

    #[test]
    fn tables_are_escaped_and_bounded() {
        let html = table("<b>,n\nx,12.5\n").into_string();
        assert!(html.contains("&lt;b&gt;") && html.contains("class=\"r\">12.5"));
        assert!(table(&"a,b\n".repeat(5_000)).into_string().contains("Only the first 2,000 rows"));
        assert!(table("").into_string().contains("no values"));
        assert!(table("\"unclosed").into_string().contains("unclosed"));
    }
}

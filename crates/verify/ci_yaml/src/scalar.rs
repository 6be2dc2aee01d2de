//! Plain scalars as Ruby's YAML 1.1 reader understands them.

use crate::value::Node;

/// Resolves an unquoted scalar.
pub(crate) fn resolve(text: &str) -> Node {
    if let Some(node) = word(text) {
        return node;
    }
    if !text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) {
        return Node::Str(text.to_owned());
    }
    integer(text).map(Node::Int).or_else(|| float(text).map(Node::Float)).unwrap_or_else(|| Node::Str(text.to_owned()))
}

/// Tells whether Ruby would read a date, which GitLab does not allow.
pub(crate) fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 10
        && bytes.iter().enumerate().all(|(index, byte)| match index {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        })
        && (1..=12).contains(&number(&text[5..7]))
        && (1..=31).contains(&number(&text[8..10]))
}

fn number(digits: &str) -> u32 {
    digits.parse().unwrap_or(0)
}

/// Resolves the words; `y` and `n` alone stay text.
fn word(text: &str) -> Option<Node> {
    if text.len() > 5 {
        return None;
    }
    Some(match text.to_ascii_lowercase().as_str() {
        "" | "~" => Node::Null,
        "null" => Node::Null,
        "yes" | "true" | "on" => Node::Bool(true),
        "no" | "false" | "off" => Node::Bool(false),
        ".nan" => Node::Float(f64::NAN),
        ".inf" | "+.inf" => Node::Float(f64::INFINITY),
        "-.inf" => Node::Float(f64::NEG_INFINITY),
        _ => return None,
    })
}

fn integer(text: &str) -> Option<i64> {
    let (negative, digits) = sign(text);
    if digits.contains(':') {
        return sexagesimal(digits).map(|value| if negative { -value } else { value });
    }
    let plain: String = digits.chars().filter(|c| !matches!(c, '_' | ',')).collect();
    if plain.is_empty() || !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let magnitude = if let Some(hex) = plain.strip_prefix("0x") {
        radix(hex, 16)
    } else if let Some(binary) = plain.strip_prefix("0b") {
        radix(binary, 2)
    } else if plain.len() > 1 && plain.starts_with('0') {
        radix(&plain[1..], 8)
    } else {
        radix(&plain, 10)
    }?;
    Some(if negative { -magnitude } else { magnitude })
}

/// Reads digits alone; a second sign is no number.
fn radix(digits: &str, base: u32) -> Option<i64> {
    if digits.starts_with(['+', '-']) {
        return None;
    }
    i64::from_str_radix(digits, base).ok()
}

/// Reads `1:30` as ninety, as YAML 1.1 does.
fn sexagesimal(digits: &str) -> Option<i64> {
    let mut total: i64 = 0;
    for (index, part) in digits.split(':').enumerate() {
        let value = radix(part, 10)?;
        let leading_zero = index == 0 && part.len() > 1 && part.starts_with('0');
        if leading_zero || (index > 0 && (value > 59 || part.len() > 2)) {
            return None;
        }
        total = total.checked_mul(60)?.checked_add(value)?;
    }
    Some(total)
}

fn float(text: &str) -> Option<f64> {
    let (_, digits) = sign(text);
    let known = |c: char| c.is_ascii_digit() || matches!(c, '.' | '_' | ',' | 'e' | 'E' | '+' | '-');
    let numeric = digits.starts_with(|c: char| c.is_ascii_digit()) || digits.len() > 1 && digits.starts_with('.');
    if !numeric || !digits.chars().all(known) || !digits.contains(['.', 'e', 'E']) {
        return None;
    }
    let plain: String = text.chars().filter(|c| !matches!(c, '_' | ',')).collect();
    plain.parse().ok().filter(|value: &f64| value.is_finite())
}

fn sign(text: &str) -> (bool, &str) {
    match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_numbers() {
        let cases = [
            ("yes", Node::Bool(true)),
            ("Off", Node::Bool(false)),
            ("TRUE", Node::Bool(true)),
            ("~", Node::Null),
            ("", Node::Null),
            ("0", Node::Int(0)),
            ("-12", Node::Int(-12)),
            ("010", Node::Int(8)),
            ("0x1F", Node::Int(31)),
            ("0b101", Node::Int(5)),
            ("1_000", Node::Int(1000)),
            ("1:30", Node::Int(90)),
            ("1.10", Node::Float(1.1)),
            ("1e3", Node::Float(1000.0)),
            (".5", Node::Float(0.5)),
        ];
        for (text, node) in cases {
            assert_eq!(resolve(text), node, "{text}");
        }
    }

    #[test]
    fn everything_else_is_text() {
        for text in [
            "y",
            "n",
            "N",
            "0o17",
            "09",
            "1.2.3",
            "-",
            "+",
            ".",
            "--5",
            "+-5",
            "1:99",
            "12:30:",
            "abc",
            "é",
            "99999999999999999999",
            "_",
            "0x",
            "1e999",
            "-e",
        ] {
            assert_eq!(resolve(text), Node::Str(text.to_owned()), "{text}");
        }
    }

    #[test]
    fn dates() {
        assert!(is_date("2024-01-31"));
        assert!(!is_date("2024-13-31"));
        assert!(!is_date("2024-1-31"));
        assert!(!is_date("éé24-01-31"));
    }
}

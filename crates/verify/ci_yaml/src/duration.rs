//! Lengths of time as people write them: `1 week`, `3 mins 4 sec`, `2h20min`.

/// Bounds what is understood to a hundred years.
const LIMIT: f64 = 100.0 * 31_557_600.0;

/// A lifetime that may have no end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// Never ends.
    Never,
    /// Ends after this many seconds.
    Seconds(u64),
}

/// Reads a length of time in seconds; a bare number counts seconds.
pub fn parse(text: &str) -> Option<u64> {
    let text = text.trim().to_ascii_lowercase();
    if text.len() > 255 {
        return None;
    }
    let seconds = clock(&text).or_else(|| words(&text))?;
    (seconds <= LIMIT).then_some(seconds.round() as u64)
}

/// Reads a lifetime: a length of time or `never`.
pub fn parse_lifetime(text: &str) -> Option<Lifetime> {
    if text.trim().eq_ignore_ascii_case("never") {
        return Some(Lifetime::Never);
    }
    parse(text).map(Lifetime::Seconds)
}

/// Reads `4:01:05` and `4:01`, the last part counting seconds.
fn clock(text: &str) -> Option<f64> {
    if !text.contains(':') {
        return None;
    }
    let mut total = 0.0;
    for part in text.split(':') {
        if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        total = total * 60.0 + part.parse::<f64>().ok()?;
    }
    Some(total)
}

/// Adds up pairs of number and unit.
fn words(text: &str) -> Option<f64> {
    let mut total = 0.0;
    let mut amount: Option<f64> = None;
    let mut found = false;
    for token in split(text) {
        if let Some(number) = number(token) {
            if amount.replace(number).is_some() {
                return None;
            }
        } else if let Some(unit) = unit(token) {
            total += amount.take().unwrap_or(1.0) * unit;
            found = true;
        } else if !matches!(token, "and" | "with" | "plus" | ",") {
            return None;
        }
    }
    match amount {
        Some(seconds) => Some(total + seconds),
        None => found.then_some(total),
    }
}

/// Splits where spaces stand and where digits meet letters.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let kind = |c: char| match c {
        '0'..='9' | '.' => 0,
        c if c.is_alphabetic() => 1,
        ',' => 2,
        _ => 3,
    };
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start();
        let first = kind(rest.chars().next()?);
        let end = rest
            .char_indices()
            .find(|(_, c)| kind(*c) != first || c.is_whitespace())
            .map_or(rest.len(), |(index, _)| index);
        let (token, after) = rest.split_at(end);
        rest = after;
        Some(token)
    })
}

fn number(token: &str) -> Option<f64> {
    let word = match token {
        "a" | "an" | "one" => 1.0,
        "two" => 2.0,
        "three" => 3.0,
        "four" => 4.0,
        "five" => 5.0,
        "six" => 6.0,
        "seven" => 7.0,
        "eight" => 8.0,
        "nine" => 9.0,
        "ten" => 10.0,
        "twelve" => 12.0,
        "fifteen" => 15.0,
        "twenty" => 20.0,
        "thirty" => 30.0,
        _ if token.starts_with(|c: char| c.is_ascii_digit() || c == '.') => {
            return token.parse().ok();
        }
        _ => return None,
    };
    Some(word)
}

/// Gives the seconds of a unit; a year has 365.25 days and a month 30.
fn unit(token: &str) -> Option<f64> {
    Some(match token {
        "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
        "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3600.0,
        "d" | "dy" | "dys" | "day" | "days" => 86_400.0,
        "w" | "wk" | "wks" | "week" | "weeks" => 604_800.0,
        "mo" | "mos" | "mon" | "mons" | "mth" | "mths" | "month" | "months" => 2_592_000.0,
        "y" | "yr" | "yrs" | "year" | "years" => 31_557_600.0,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read() {
        let cases = [
            ("42", 42),
            ("42 seconds", 42),
            ("3 mins 4 sec", 184),
            ("2 hrs 20 min", 8400),
            ("2h20min", 8400),
            ("6 mos 1 day", 15_638_400),
            ("47 yrs 6 mos and 4d", 47 * 31_557_600 + 6 * 2_592_000 + 4 * 86_400),
            ("3 weeks and 2 days", 1_987_200),
            ("1 week", 604_800),
            ("1 Day, 2 hours", 93_600),
            ("one hour", 3600),
            ("1.5h", 5400),
            ("3:30", 210),
            ("  1h  ", 3600),
            ("day", 86_400),
        ];
        for (text, seconds) in cases {
            assert_eq!(parse(text), Some(seconds), "{text}");
        }
        assert_eq!(parse_lifetime("never"), Some(Lifetime::Never));
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "never", "soon", "1 2", "1 parsec", "-5", "1:", "é", "9999999999999999999 years", "1..2h"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}

//! Times, sizes, durations and counts as people read them.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::{Timestamp, tz::TimeZone};
use maud::{Markup, html};

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

fn now_micros() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| i64::try_from(elapsed.as_micros()).unwrap_or(i64::MAX))
}

/// Shows a moment as "3 hours ago" with the exact time in the title; the script keeps it fresh.
pub fn time(unix_micros: i64) -> Markup {
    let machine = iso(unix_micros);
    html! { time datetime=(machine) title=(exact(unix_micros)) data-rel { (ago(unix_micros, now_micros())) } }
}

/// Shows a moment as a date and a clock time in UTC.
pub fn exact_time(unix_micros: i64) -> Markup {
    html! { time datetime=(iso(unix_micros)) { (exact(unix_micros)) } }
}

/// Shows a moment as a date.
pub fn date(unix_micros: i64) -> Markup {
    let text = stamp(unix_micros, "%-d %b %Y");
    html! { time datetime=(iso(unix_micros)) title=(exact(unix_micros)) { (text) } }
}

/// Formats a moment for machines (RFC 3339, whole seconds, UTC).
pub fn iso(unix_micros: i64) -> String {
    stamp(unix_micros, "%Y-%m-%dT%H:%M:%SZ")
}

/// Formats a moment for the title of a relative time.
pub fn exact(unix_micros: i64) -> String {
    stamp(unix_micros, "%a %-d %b %Y, %H:%M:%S UTC")
}

fn stamp(unix_micros: i64, format: &str) -> String {
    let moment = Timestamp::from_microsecond(unix_micros).unwrap_or(Timestamp::UNIX_EPOCH);
    jiff::fmt::strtime::format(format, &moment.to_zoned(TimeZone::UTC)).unwrap_or_default()
}

/// Says how long before (or after) `now` a moment lies.
pub fn ago(unix_micros: i64, now: i64) -> String {
    let distance = now.saturating_sub(unix_micros);
    let size = distance.saturating_abs();
    if size < 45 * SECOND {
        return "just now".to_owned();
    }
    let (count, unit) = match size {
        s if s < HOUR => ((s + MINUTE / 2) / MINUTE, "minute"),
        s if s < DAY => ((s + HOUR / 2) / HOUR, "hour"),
        s if s < 14 * DAY => ((s + DAY / 2) / DAY, "day"),
        s if s < 60 * DAY => (s / (7 * DAY), "week"),
        s if s < 730 * DAY => (s / (30 * DAY), "month"),
        s => (s / (365 * DAY), "year"),
    };
    let phrase = plural(count.max(1), unit);
    if distance < 0 { format!("in {phrase}") } else { format!("{phrase} ago") }
}

/// Formats a count with its noun: "1 commit", "1,284 commits".
pub fn plural(count: i64, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", self::count(count))
}

/// Formats a whole number with separators between thousands.
pub fn count(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if number < 0 {
        out.push('−');
    }
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Formats a number of bytes: "482 bytes", "86 KB", "11.4 MB".
pub fn bytes(size: u64) -> String {
    const UNITS: [&str; 5] = ["KB", "MB", "GB", "TB", "PB"];
    if size < 1024 {
        return if size == 1 { "1 byte".to_owned() } else { format!("{size} bytes") };
    }
    let mut value = size as f64 / 1024.0;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if value < 10.0 { format!("{value:.1} {}", UNITS[unit]) } else { format!("{value:.0} {}", UNITS[unit]) }
}

/// Formats a duration in words: "0.4 s", "38 s", "6 min 12 s", "2 h 5 min", "3 days 4 h".
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "none".to_owned();
    }
    if seconds < 10.0 && seconds.fract() > 0.05 {
        return format!("{seconds:.1} s");
    }
    let whole = seconds.round() as u64;
    let (days, hours, minutes, rest) = (whole / 86_400, whole / 3600 % 24, whole / 60 % 60, whole % 60);
    let pair = |large: String, small: u64, unit: &str| {
        if small == 0 { large } else { format!("{large} {small} {unit}") }
    };
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{rest} s"),
        (0, 0, _) => pair(format!("{minutes} min"), rest, "s"),
        (0, _, _) => pair(format!("{hours} h"), minutes, "min"),
        (1, ..) => pair("1 day".to_owned(), hours, "h"),
        _ => pair(format!("{days} days"), hours, "h"),
    }
}

/// Formats a duration as a clock: "2:38" or "1:02:38".
pub fn clock(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return String::new();
    }
    let whole = seconds.round() as u64;
    let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{rest:02}") } else { format!("{minutes}:{rest:02}") }
}

/// Formats a share between 0 and 1 in percent.
pub fn percent(share: f64) -> String {
    let value = share * 100.0;
    if value > 0.0 && value < 10.0 { format!("{value:.1} %") } else { format!("{value:.0} %") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_read_naturally() {
        assert_eq!(ago(0, 20 * SECOND), "just now");
        assert_eq!(ago(0, 60 * SECOND), "1 minute ago");
        assert_eq!(ago(0, 41 * MINUTE), "41 minutes ago");
        assert_eq!(ago(0, 5 * HOUR), "5 hours ago");
        assert_eq!(ago(3 * DAY, 0), "in 3 days");
        assert_eq!(ago(0, 800 * DAY), "2 years ago");
        assert_eq!(ago(i64::MIN, i64::MAX).split(' ').next_back(), Some("ago"));
    }

    #[test]
    fn numbers_read_naturally() {
        assert_eq!(count(1_284), "1,284");
        assert_eq!(count(-1_000_000), "−1,000,000");
        assert_eq!(plural(1, "commit"), "1 commit");
        assert_eq!(bytes(1), "1 byte");
        assert_eq!(bytes(88_064), "86 KB");
        assert_eq!(bytes(u64::MAX), "16384 PB");
        assert_eq!(duration(372.0), "6 min 12 s");
        assert_eq!(duration(0.4), "0.4 s");
        assert_eq!(duration(7200.0), "2 h");
        assert_eq!(clock(158.0), "2:38");
        assert_eq!(clock(3758.0), "1:02:38");
        assert_eq!(iso(0), "1970-01-01T00:00:00Z");
        assert_eq!(exact(0), "Thu 1 Jan 1970, 00:00:00 UTC");
    }
}

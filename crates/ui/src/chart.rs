//! Small charts as SVG: shares, bars, lines, a year of activity. Each says its finding in words.

use maud::{Markup, html};

use crate::format::percent;

const SERIES: usize = 8;

/// Shows shares as one bar with a legend: languages of a repository. Small shares are joined as "Other".
pub fn shares(name: &str, parts: &[(String, f64)]) -> Markup {
    let total: f64 = parts.iter().map(|part| part.1.max(0.0)).sum();
    if total <= 0.0 {
        return Markup::default();
    }
    let shown = join_small(parts, total);
    let mut left = 0.0;
    let finding =
        shown.iter().map(|(word, share)| format!("{word} {}", percent(*share))).collect::<Vec<_>>().join(", ");
    html! {
        svg.chart height="10" role="img" aria-label={ (name) ": " (finding) } {
            @for (index, (_, share)) in shown.iter().enumerate() {
                @let start = { let start = left; left += share * 100.0; start };
                rect class={ "k" (index % SERIES + 1) } x={ (round(start)) "%" } width={ (round((share * 100.0 - 0.6).max(0.3))) "%" } height="10" rx="2" {}
            }
        }
        ul.key { @for (index, (word, share)) in shown.iter().enumerate() { li class={ "k" (index % SERIES + 1) } { (word) " " (percent(*share)) } } }
    }
}

fn join_small(parts: &[(String, f64)], total: f64) -> Vec<(String, f64)> {
    let mut sorted: Vec<(String, f64)> =
        parts.iter().map(|(word, size)| (word.clone(), size.max(0.0) / total)).collect();
    sorted.sort_by(|a, b| b.1.total_cmp(&a.1));
    let keep = sorted.iter().take(6).take_while(|part| part.1 >= 0.01).count().max(1);
    let rest: f64 = sorted[keep..].iter().map(|part| part.1).sum();
    sorted.truncate(keep);
    if rest > 0.0005 {
        sorted.push(("Other".to_owned(), rest));
    }
    sorted
}

fn round(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// One bar: its height and its class (`k1` to `k8`, or a tone such as `ok`).
pub type Bar<'a> = (f64, &'a str);

/// Shows bars from a zero line; the finding is the sentence read aloud.
pub fn bars(finding: &str, height: u32, list: &[Bar<'_>]) -> Markup {
    let most = list.iter().map(|bar| bar.0).fold(0.0, f64::max).max(f64::MIN_POSITIVE);
    let step = 100.0 / list.len().max(1) as f64;
    let room = f64::from(height) - 2.0;
    html! {
        svg.chart height=(height) role="img" aria-label=(finding) {
            line.grid x1="0" x2="100%" y1=(round(f64::from(height) - 0.5)) y2=(round(f64::from(height) - 0.5)) {}
            @for (index, (value, class)) in list.iter().enumerate() {
                @let tall = (value.max(0.0) / most * room).max(if *value > 0.0 { 1.0 } else { 0.0 });
                rect class=(class) x={ (round(index as f64 * step)) "%" } y=(round(f64::from(height) - tall)) width={ (round(step * 0.76)) "%" } height=(round(tall)) rx="1" {}
            }
        }
    }
}

/// Shows a line over time without axes.
pub fn sparkline(finding: &str, height: u32, values: &[f64]) -> Markup {
    let clean: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    let (low, high) =
        clean.iter().fold((0.0_f64, f64::MIN_POSITIVE), |span, value| (span.0.min(*value), span.1.max(*value)));
    let step = 100.0 / clean.len().saturating_sub(1).max(1) as f64;
    let room = f64::from(height) - 4.0;
    let points: Vec<String> = clean
        .iter()
        .enumerate()
        .map(|(index, value)| {
            format!(
                "{} {}",
                round(index as f64 * step),
                round(f64::from(height) - 2.0 - (value - low) / (high - low) * room)
            )
        })
        .collect();
    html! {
        @if let (Some(first), Some(_)) = (points.first(), points.get(1)) {
            svg.chart height=(height) viewBox={ "0 0 100 " (height) } preserveAspectRatio="none" role="img" aria-label=(finding) {
                path.area d={ "M" (first.split(' ').next().unwrap_or("0")) " " (height) "L" (points.join("L")) "V" (height) "z" } {}
                path.spark d={ "M" (points.join("L")) } {}
            }
        }
    }
}

/// Shows a year of activity as weeks of seven days; `days` ends today and starts on the weekday given (0 is Monday).
pub fn calendar(finding: &str, days: &[u32], first_weekday: usize) -> Markup {
    const CELL: usize = 13;
    let most = days.iter().copied().max().unwrap_or(0).max(1);
    let weeks = (days.len() + first_weekday).div_ceil(7);
    let level = |count: u32| match count {
        0 => "",
        count => match count * 4 / most {
            0 => "v1",
            1 => "v2",
            2 => "v3",
            _ => "v4",
        },
    };
    html! {
        div.scroll tabindex="0" role="region" aria-label="Calendar, scrolls sideways" {
            svg.heat width=(weeks * CELL) height=(7 * CELL) role="img" aria-label=(finding) {
                @for (index, count) in days.iter().enumerate() {
                    @let at = index + first_weekday % 7;
                    rect class=[Some(level(*count)).filter(|class| !class.is_empty())] x=(at / 7 * CELL) y=(at % 7 * CELL) width="11" height="11" rx="2" {}
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_shares_are_joined() {
        let parts: Vec<(String, f64)> = (0..12).map(|n| (format!("L{n}"), if n == 0 { 900.0 } else { 10.0 })).collect();
        let html = shares("Languages", &parts).into_string();
        assert!(html.contains("Other") && html.matches("<rect").count() <= 7);
        assert!(shares("x", &[]).0.is_empty());
    }

    #[test]
    fn charts_survive_odd_numbers() {
        assert!(bars("x", 40, &[(f64::NAN, "k1"), (0.0, "k1")]).0.contains("<svg"));
        assert!(sparkline("x", 40, &[1.0]).0.is_empty());
        assert!(!sparkline("x", 40, &[f64::NAN, 1.0, 3.0]).0.contains("NaN"));
        assert!(calendar("x", &[u32::MAX / 8, 0, 1], 3).0.contains("v4"));
    }
}

//! The lanes of a commit graph: which column each commit and each line between commits takes.

use std::collections::HashMap;

use maud::{Markup, html};

const STEP: usize = 14;
const HEIGHT: usize = 36;
const MAX_SHOWN: usize = 24;

/// A piece of line within one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// The lane at the upper edge; `None` begins at the commit.
    pub from: Option<usize>,
    /// The lane at the lower edge; `None` ends at the commit.
    pub to: Option<usize>,
    /// The colour, 1 to 8.
    pub colour: u8,
}

/// The lanes of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The lane of the commit.
    pub lane: usize,
    /// The colour of the commit, 1 to 8.
    pub colour: u8,
    /// Whether it has several parents.
    pub merge: bool,
    /// The lines through, into and out of the row.
    pub segments: Vec<Segment>,
    /// How many lanes the row uses.
    pub width: usize,
}

#[derive(Default)]
struct Lanes<'a> {
    /// What each lane waits for, with its colour.
    waits: Vec<Option<(&'a str, u8)>>,
    colours: u8,
}

impl<'a> Lanes<'a> {
    fn colour(&mut self) -> u8 {
        self.colours = self.colours % 8 + 1;
        self.colours
    }

    fn free(&mut self) -> usize {
        self.waits.iter().position(Option::is_none).unwrap_or_else(|| {
            self.waits.push(None);
            self.waits.len() - 1
        })
    }

    fn waiting_for(&self, id: &str) -> Option<usize> {
        self.waits.iter().position(|wait| wait.is_some_and(|(waited, _)| waited == id))
    }

    fn row(&mut self, id: &'a str, parents: &'a [String]) -> Row {
        let before = self.waits.clone();
        let known = self.waiting_for(id);
        let lane = known.unwrap_or_else(|| self.free());
        let colour = match self.waits[lane] {
            Some((_, colour)) => colour,
            None => self.colour(),
        };
        let mut segments = self.arrive(id, &before);
        let width_before = self.waits.len();
        self.depart(lane, colour, parents, &mut segments);
        while self.waits.last().is_some_and(Option::is_none) {
            self.waits.pop();
        }
        let width = width_before.max(self.waits.len()).max(lane + 1);
        Row { lane, colour, merge: parents.len() > 1, segments, width }
    }

    fn arrive(&mut self, id: &str, before: &[Option<(&'a str, u8)>]) -> Vec<Segment> {
        let mut segments = Vec::new();
        for (index, wait) in before.iter().enumerate() {
            let Some((waited, colour)) = *wait else { continue };
            if waited == id {
                segments.push(Segment { from: Some(index), to: None, colour });
                self.waits[index] = None;
            } else {
                segments.push(Segment { from: Some(index), to: Some(index), colour });
            }
        }
        segments
    }

    fn depart(&mut self, lane: usize, colour: u8, parents: &'a [String], segments: &mut Vec<Segment>) {
        for (index, parent) in parents.iter().enumerate() {
            // The first parent stays in its lane unless another lane further left already leads there.
            let (to, colour) = match self.waiting_for(parent) {
                Some(to) if index > 0 || to < lane => (to, self.waits[to].map_or(colour, |(_, colour)| colour)),
                _ if index == 0 => (lane, colour),
                _ => (self.free(), self.colour()),
            };
            self.waits.get_mut(to).into_iter().for_each(|wait| *wait = Some((parent.as_str(), colour)));
            segments.push(Segment { from: None, to: Some(to), colour });
        }
    }
}

/// Assigns lanes to commits given as id and parents, children before their parents.
///
/// Parents that aren't among the commits run on to the lower edge.
pub fn assign(commits: &[(String, Vec<String>)]) -> Vec<Row> {
    let mut lanes = Lanes::default();
    let mut seen = HashMap::new();
    commits
        .iter()
        .map(|(id, parents)| {
            // A parent that was already shown can't be waited for: it would run on for ever.
            seen.insert(id.as_str(), ());
            let all_new = parents.iter().all(|parent| !seen.contains_key(parent.as_str()));
            lanes.row(id, if all_new { parents } else { &[] })
        })
        .collect()
}

/// Draws the lanes of one row, 36 px high.
pub fn cell(row: &Row, width: usize) -> Markup {
    let x = |lane: usize| lane * STEP + STEP / 2 + 2;
    let wide = width.min(MAX_SHOWN) * STEP + 4;
    let (middle, dot) = (HEIGHT / 2, x(row.lane));
    let line = |segment: &Segment| match (segment.from, segment.to) {
        (Some(from), Some(to)) if from == to => format!("M{0} 0V{HEIGHT}", x(from)),
        (from, to) => {
            let (x1, y1) = from.map_or((dot, middle), |lane| (x(lane), 0));
            let (x2, y2) = to.map_or((dot, middle), |lane| (x(lane), HEIGHT));
            let bend = (y1 + y2) / 2;
            format!("M{x1} {y1}C{x1} {bend} {x2} {bend} {x2} {y2}")
        }
    };
    html! {
        svg.graphcell width=(wide) height=(HEIGHT) viewBox={ "0 0 " (wide) " " (HEIGHT) } aria-hidden="true" {
            @for segment in &row.segments { path class={ "k" (segment.colour) } d=(line(segment)) {} }
            circle class={ "k" (row.colour) (if row.merge { " merge" } else { "" }) } cx=(dot) cy=(middle) r=(if row.merge { 4 } else { 5 }) {}
        }
    }
}

/// Returns how many lanes the widest row uses.
pub fn width(rows: &[Row]) -> usize {
    rows.iter().map(|row| row.width).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commits(list: &[(&str, &[&str])]) -> Vec<(String, Vec<String>)> {
        list.iter().map(|(id, parents)| ((*id).to_owned(), parents.iter().map(|p| (*p).to_owned()).collect())).collect()
    }

    #[test]
    fn a_straight_line_takes_one_lane() {
        let rows = assign(&commits(&[("c", &["b"]), ("b", &["a"]), ("a", &[])]));
        assert!(rows.iter().all(|row| row.lane == 0 && row.width == 1));
        assert_eq!(rows[2].segments, [Segment { from: Some(0), to: None, colour: 1 }]);
    }

    #[test]
    fn a_merge_opens_a_lane_that_closes_at_the_fork() {
        let rows = assign(&commits(&[("m", &["a", "b"]), ("b", &["r"]), ("a", &["r"]), ("r", &[])]));
        assert!(rows[0].merge);
        assert_eq!((rows[0].lane, rows[1].lane, rows[2].lane, rows[3].lane), (0, 1, 0, 0));
        assert_eq!(rows[0].width, 2);
        assert!(rows[2].segments.contains(&Segment { from: None, to: Some(0), colour: 1 }));
        assert_eq!(rows[3].segments.len(), 2);
    }

    #[test]
    fn two_heads_meet() {
        let rows = assign(&commits(&[("x", &["r"]), ("y", &["r"]), ("r", &[])]));
        assert_eq!((rows[0].lane, rows[1].lane), (0, 1));
        assert_eq!(rows[1].segments.len(), 2);
    }

    #[test]
    fn lines_are_continuous_between_rows() {
        let rows = assign(&commits(&[
            ("g", &["f", "e"]),
            ("f", &["d"]),
            ("e", &["c", "d"]),
            ("d", &["b"]),
            ("c", &["b", "x"]),
            ("b", &["a"]),
            ("a", &[]),
        ]));
        for pair in rows.windows(2) {
            let mut down: Vec<_> = pair[0].segments.iter().filter_map(|s| s.to).collect();
            let mut up: Vec<_> = pair[1].segments.iter().filter_map(|s| s.from).collect();
            down.sort_unstable();
            down.dedup();
            up.sort_unstable();
            assert_eq!(down, up);
        }
    }

    #[test]
    fn wrong_order_does_not_hurt() {
        let rows = assign(&commits(&[("a", &["a"]), ("b", &["a"]), ("a", &["b"])]));
        assert_eq!(rows.len(), 3);
        assert!(cell(&rows[0], width(&rows)).0.starts_with("<svg"));
    }
}

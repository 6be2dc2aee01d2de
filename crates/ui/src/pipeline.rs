//! The graph of a pipeline: nodes in columns, edges routed around them, and the short form as beads.

use std::collections::HashMap;

use maud::{Markup, html};

use crate::{Status, icon_with};

const NODE_W: usize = 168;
const NODE_H: usize = 44;
const GAP_X: usize = 44;
const GAP_Y: usize = 16;
const TOP: usize = 26;
const MARGIN: usize = 2;

/// How nodes are put into columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Arrange {
    /// By their stage.
    #[default]
    Stages,
    /// By how many others must come before them.
    Needs,
}

/// One job in the graph.
#[derive(Debug, Clone, Default)]
pub struct Node {
    /// The name that others need it by, unique within the graph.
    pub id: String,
    /// The name shown.
    pub title: String,
    /// Where it is.
    pub href: String,
    /// Its state.
    pub status: Status,
    /// A short note at the right: its time, `~0:50` for an estimate.
    pub time: String,
    /// Instead of the state's word below the title.
    pub note: Option<String>,
    /// The number of its stage.
    pub stage: usize,
    /// The ids it needs.
    pub needs: Vec<String>,
    /// Whether it decides when the whole ends.
    pub critical: bool,
}

/// Where a node stands: column and row.
pub type Place = (usize, usize);

/// Puts every node into a column and a row; needs that lead in a circle or nowhere are ignored.
pub fn layout(nodes: &[Node], arrange: Arrange) -> Vec<Place> {
    let index = index(nodes);
    let columns: Vec<usize> = match arrange {
        Arrange::Stages => compact(&nodes.iter().map(|node| node.stage).collect::<Vec<_>>()),
        Arrange::Needs => depths(nodes, &index),
    };
    let mut order: Vec<usize> = (0..nodes.len()).collect();
    order.sort_by_key(|node| columns[*node]);
    let mut rows = vec![0; nodes.len()];
    let most = order.iter().fold(vec![0; nodes.len() + 1], |mut counts, node| {
        counts[columns[*node]] += 1;
        counts
    });
    let most = most.into_iter().max().unwrap_or(0);
    let mut start = 0;
    while start < order.len() {
        let column = columns[order[start]];
        let end = start + order[start..].iter().take_while(|node| columns[**node] == column).count();
        place_column(nodes, &index, &columns, &order[start..end], most, &mut rows);
        start = end;
    }
    columns.into_iter().zip(rows).collect()
}

fn index(nodes: &[Node]) -> HashMap<&str, usize> {
    nodes.iter().enumerate().map(|(at, node)| (node.id.as_str(), at)).collect()
}

/// Numbers stages without the ones nobody is in.
fn compact(stages: &[usize]) -> Vec<usize> {
    let mut used = stages.to_vec();
    used.sort_unstable();
    used.dedup();
    stages.iter().map(|stage| used.binary_search(stage).unwrap_or(0)).collect()
}

/// Finds the longest way of needs to each node by taking away what needs nothing any more.
fn depths(nodes: &[Node], index: &HashMap<&str, usize>) -> Vec<usize> {
    let needs: Vec<Vec<usize>> = nodes.iter().map(|node| known(node, index)).collect();
    let mut open: Vec<usize> = needs.iter().map(Vec::len).collect();
    let mut followers = vec![Vec::new(); nodes.len()];
    for (node, list) in needs.iter().enumerate() {
        list.iter().for_each(|need| followers[*need].push(node));
    }
    let mut depth = vec![0; nodes.len()];
    let mut ready: Vec<usize> = (0..nodes.len()).filter(|node| open[*node] == 0).collect();
    while let Some(node) = ready.pop() {
        for follower in &followers[node] {
            depth[*follower] = depth[*follower].max(depth[node] + 1);
            open[*follower] -= 1;
            if open[*follower] == 0 {
                ready.push(*follower);
            }
        }
    }
    depth
}

fn known(node: &Node, index: &HashMap<&str, usize>) -> Vec<usize> {
    let mut list: Vec<usize> = node.needs.iter().filter_map(|need| index.get(need.as_str()).copied()).collect();
    list.sort_unstable();
    list.dedup();
    list
}

/// Gives the nodes of a column rows close to what they need, each row once.
fn place_column(
    nodes: &[Node],
    index: &HashMap<&str, usize>,
    columns: &[usize],
    column: &[usize],
    most: usize,
    rows: &mut [usize],
) {
    let wish = |node: usize| {
        let before: Vec<usize> =
            known(&nodes[node], index).into_iter().filter(|need| columns[*need] < columns[node]).collect();
        (!before.is_empty()).then(|| before.iter().map(|need| rows[*need]).sum::<usize>() as f64 / before.len() as f64)
    };
    let mut wishes: Vec<(usize, Option<f64>)> = column.iter().map(|node| (*node, wish(*node))).collect();
    let free_last = f64::MAX;
    wishes.sort_by(|a, b| a.1.unwrap_or(free_last).total_cmp(&b.1.unwrap_or(free_last)));
    let mut next = 0;
    for (done, (node, wish)) in wishes.into_iter().enumerate() {
        // Rows may stay empty to keep lines straight, as long as the rest still fits.
        let last = most.saturating_sub(column.len() - done);
        let row = wish.map_or(next, |wish| (wish.round() as usize).clamp(next, last.max(next)));
        rows[node] = row;
        next = row + 1;
    }
}

/// Draws the graph; `stages` are the titles of the columns when arranged by stages.
pub fn graph(nodes: &[Node], stages: &[String], arrange: Arrange) -> Markup {
    let places = layout(nodes, arrange);
    let columns = places.iter().map(|place| place.0 + 1).max().unwrap_or(0);
    let rows = places.iter().map(|place| place.1 + 1).max().unwrap_or(0);
    let width = columns * (NODE_W + GAP_X) - GAP_X.min(columns * GAP_X) + 2 * MARGIN;
    let height = TOP + rows * (NODE_H + GAP_Y) + MARGIN;
    let titles = titles(nodes, &places, stages, arrange, columns);
    html! {
        div.body.scroll tabindex="0" role="region" aria-label="Pipeline graph, scrolls sideways" {
            svg.graph width=(width) height=(height) viewBox={ "0 0 " (width) " " (height) } role="group" aria-label="Jobs and what they need" {
                @for (column, title) in titles.iter().enumerate() { text.stage x=(x(column)) y="14" { (clip(title, 26)) } }
                (edges(nodes, &places))
                @for (node, place) in nodes.iter().zip(&places) { (draw(node, *place)) }
            }
        }
    }
}

fn titles(nodes: &[Node], places: &[Place], stages: &[String], arrange: Arrange, columns: usize) -> Vec<String> {
    (0..columns)
        .map(|column| match arrange {
            Arrange::Needs if column == 0 => "Needs nothing".to_owned(),
            Arrange::Needs => format!("Step {}", column + 1),
            Arrange::Stages => {
                let first = nodes.iter().zip(places).find(|(_, place)| place.0 == column);
                first.and_then(|(node, _)| stages.get(node.stage)).cloned().unwrap_or_default()
            }
        })
        .collect()
}

fn x(column: usize) -> usize {
    MARGIN + column * (NODE_W + GAP_X)
}

fn y(row: usize) -> usize {
    TOP + row * (NODE_H + GAP_Y)
}

fn edges(nodes: &[Node], places: &[Place]) -> Markup {
    let index = index(nodes);
    let mut lines = Vec::new();
    for (at, node) in nodes.iter().enumerate() {
        for need in known(node, &index) {
            if places[need].0 < places[at].0 {
                let hot = node.critical && nodes[need].critical;
                lines.push((hot, waits(node.status), route(places[need], places[at], places)));
            }
        }
    }
    // Critical edges are drawn last, above the others.
    lines.sort_by_key(|line| line.0);
    html! { @for (hot, off, d) in &lines { path.edge.hot[*hot].off[*off && !*hot] d=(d) {} } }
}

fn waits(status: Status) -> bool {
    matches!(status, Status::Skipped | Status::Manual | Status::Canceled | Status::Created | Status::Scheduled)
}

/// Draws a curve to the next column, or leads the line through the gap below a row when nodes are in its way.
fn route(from: Place, to: Place, places: &[Place]) -> String {
    let (x1, y1) = (x(from.0) + NODE_W, y(from.1) + NODE_H / 2);
    let (x2, y2) = (x(to.0), y(to.1) + NODE_H / 2);
    let half = GAP_X / 2;
    let between = |column: usize, row: usize| places.contains(&(column, row));
    let free = ((from.0 + 1)..to.0).all(|column| !between(column, from.1));
    if to.0 == from.0 + 1 {
        return format!("M{x1} {y1}C{} {y1} {} {y2} {x2} {y2}", x1 + half, x2 - half);
    }
    if free {
        let turn = x2 - GAP_X;
        return format!("M{x1} {y1}H{turn}C{} {y1} {} {y2} {x2} {y2}", turn + half, x2 - half);
    }
    let lane = y(from.1) + NODE_H + GAP_Y / 2;
    let (enter, leave) = (x1 + GAP_X, x2 - GAP_X);
    format!(
        "M{x1} {y1}C{} {y1} {} {lane} {enter} {lane}H{leave}C{} {lane} {} {y2} {x2} {y2}",
        x1 + half,
        enter - half,
        leave + half,
        x2 - half
    )
}

fn draw(node: &Node, place: Place) -> Markup {
    let tone = node.status.tone();
    let word = node.note.clone().unwrap_or_else(|| node.status.word().to_owned());
    let word = if node.critical { format!("{word}, critical") } else { word };
    let off = matches!(
        node.status,
        Status::Skipped | Status::Manual | Status::Created | Status::Scheduled | Status::Canceled
    );
    let class = format!("node {tone}{}{}", if node.critical { " hot" } else { "" }, if off { " off" } else { "" });
    let room = if node.time.is_empty() { 20 } else { 15 };
    html! {
        a class=(class) href=(node.href) transform={ "translate(" (x(place.0)) " " (y(place.1)) ")" } {
            title { (node.title) ": " (word) }
            rect.box width=(NODE_W) height=(NODE_H) rx="8" {}
            use class={ "ic " (tone) } href={ "#i-" (node.status.icon()) } x="12" y="14" width="16" height="16" {}
            text x="36" y="19" font-weight="600" { (clip(&node.title, room)) }
            @if !node.time.is_empty() { text.sub.num x=(NODE_W - 10) y="19" text-anchor="end" { (node.time) } }
            text.sub x="36" y="34" { (clip(&word, 22)) }
        }
    }
}

fn clip(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// Explains what the lines of the graph mean.
pub fn legend() -> Markup {
    let sample = |class: &str| html! { svg.graph width="28" height="8" aria-hidden="true" { path class={ "edge " (class) } d="M0 4H28" {} } };
    html! {
        span.line.tight.faint { (sample("hot")) "critical path" }
        span.line.tight.faint.wide-only { (sample("off")) "not started or optional" }
    }
}

/// One stage in the short form of a pipeline.
#[derive(Debug, Clone, Default)]
pub struct Bead {
    /// The stage's name.
    pub name: String,
    /// Its state.
    pub status: Status,
    /// Where it is.
    pub href: String,
}

/// Shows a pipeline as a row of beads, one for each stage.
pub fn beads(stages: &[Bead]) -> Markup {
    const MOST: usize = 8;
    html! {
        ol.beads {
            @for bead in stages.iter().take(MOST) {
                @let name = format!("{}: {}", bead.name, bead.status.word().to_lowercase());
                li { a href=(bead.href) aria-label=(name) title=(name) { (icon_with(bead.status.icon(), bead.status.tone())) } }
            }
            @if stages.len() > MOST { li { span.more { "+" (stages.len() - MOST) } } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(id: &str, stage: usize, needs: &[&str]) -> Node {
        Node {
            id: id.into(),
            title: id.into(),
            stage,
            needs: needs.iter().map(|need| (*need).to_owned()).collect(),
            ..Node::default()
        }
    }

    #[test]
    fn stages_become_columns_without_holes() {
        let places = layout(&[node("a", 0, &[]), node("b", 3, &[]), node("c", 3, &[])], Arrange::Stages);
        assert_eq!(places, [(0, 0), (1, 0), (1, 1)]);
    }

    #[test]
    fn needs_become_depths() {
        let nodes = [
            node("deploy", 2, &["test", "lint"]),
            node("test", 1, &["build"]),
            node("build", 0, &[]),
            node("lint", 1, &[]),
        ];
        let columns: Vec<usize> = layout(&nodes, Arrange::Needs).iter().map(|place| place.0).collect();
        assert_eq!(columns, [2, 1, 0, 0]);
    }

    #[test]
    fn no_two_nodes_share_a_place() {
        let nodes: Vec<Node> = (0..60)
            .map(|n| {
                let needs = if n > 5 { vec![format!("n{}", n / 3), format!("n{}", n / 2)] } else { vec![] };
                Node { id: format!("n{n}"), needs, ..Node::default() }
            })
            .collect();
        let mut places = layout(&nodes, Arrange::Needs);
        places.sort_unstable();
        let before = places.len();
        places.dedup();
        assert_eq!(places.len(), before);
    }

    #[test]
    fn circles_and_unknown_needs_are_survived() {
        let nodes = [node("a", 0, &["b"]), node("b", 0, &["a", "zzz"]), node("c", 1, &["c"])];
        assert_eq!(layout(&nodes, Arrange::Needs).len(), 3);
        assert!(graph(&nodes, &[], Arrange::Needs).into_string().contains("<svg"));
        assert!(graph(&[], &[], Arrange::Stages).into_string().contains("<svg"));
    }

    #[test]
    fn long_edges_avoid_nodes() {
        let places = [(0, 0), (1, 0), (2, 0)];
        assert!(route((0, 0), (2, 0), &places).contains("H"));
        assert!(route((0, 0), (2, 0), &places).contains(&format!("{}", y(0) + NODE_H + GAP_Y / 2)));
        assert!(!route((0, 0), (1, 0), &places).contains('H'));
    }
}

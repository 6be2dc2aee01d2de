//! Markup of our own, kept aside while the author's passes the allow-list.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

/// Pieces of markup behind tokens that no author can guess.
pub(super) struct Trusted {
    opening: String,
    pieces: Vec<String>,
}

const START: char = '\u{E000}';
const END: char = '\u{E001}';

impl Trusted {
    pub(super) fn new() -> Self {
        let secret = RandomState::new().build_hasher().finish();
        Self { opening: format!("{START}{secret:016x}-"), pieces: Vec::new() }
    }

    /// Keeps a piece and returns the token that stands for it.
    pub(super) fn keep(&mut self, markup: String) -> String {
        self.pieces.push(markup);
        format!("{}{}{END}", self.opening, self.pieces.len() - 1)
    }

    /// Puts the pieces back where their tokens stand as text; inside of tags they are dropped.
    pub(super) fn restore(&self, html: &str) -> String {
        let mut out = String::with_capacity(html.len() + self.pieces.iter().map(String::len).sum::<usize>());
        let mut context = Context::Text;
        let mut rest = html;
        while let Some(at) = rest.find(&self.opening) {
            let before = &rest[..at];
            context = context.after(before);
            let after = &rest[at + self.opening.len()..];
            let Some((number, tail)) = after.split_once(END) else { break };
            let piece = number.parse().ok().and_then(|index: usize| self.pieces.get(index));
            let piece = piece.filter(|_| context == Context::Text).map_or("", String::as_str);
            rest = place(&mut out, before, piece, tail);
        }
        out.push_str(rest);
        out
    }
}

/// Writes a piece; a paragraph that holds nothing but a block is taken away around it.
fn place<'a>(out: &mut String, before: &str, piece: &str, tail: &'a str) -> &'a str {
    let block = ["<pre", "<div", "<table", "<details"].iter().any(|start| piece.starts_with(start)) || piece.is_empty();
    if block && before.ends_with("<p>") && tail.starts_with("</p>") {
        out.push_str(&before[..before.len() - 3]);
        out.push_str(piece);
        return &tail[4..];
    }
    out.push_str(before);
    out.push_str(piece);
    tail
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Context {
    Text,
    Tag,
    Quoted,
}

impl Context {
    fn after(self, html: &str) -> Self {
        html.bytes().fold(self, |context, byte| match (context, byte) {
            (Self::Text, b'<') | (Self::Quoted, b'"') => Self::Tag,
            (Self::Tag, b'>') => Self::Text,
            (Self::Tag, b'"') => Self::Quoted,
            (same, _) => same,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_inside_tags_are_dropped() {
        let mut trusted = Trusted::new();
        let token = trusted.keep("<b>\"</b>".to_owned());
        assert_eq!(trusted.restore(&format!("<i title=\"a>{token}\">{token}</i>")), "<i title=\"a>\"><b>\"</b></i>");
        let block = trusted.keep("<pre>x</pre>".to_owned());
        assert_eq!(trusted.restore(&format!("<p>{block}</p>y")), "<pre>x</pre>y");
        assert_eq!(trusted.restore("\u{E000}0000000000000000-0\u{E001}"), "\u{E000}0000000000000000-0\u{E001}");
    }
}

//! Colours and weights of terminal output as classes.

use crate::highlight::push_escaped;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Colour {
    #[default]
    Plain,
    /// One of the sixteen.
    Index(u8),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Style {
    fore: Colour,
    back: Colour,
    flags: u8,
}

const BOLD: u8 = 1;
const FAINT: u8 = 2;
const ITALIC: u8 = 4;
const UNDERLINE: u8 = 8;
const STRIKE: u8 = 16;
const INVERSE: u8 = 32;
const HIDDEN: u8 = 64;

impl Style {
    /// Reads a list of numbers of a "select graphic rendition" sequence.
    pub(super) fn select(&mut self, numbers: &[u32]) {
        let mut rest = numbers;
        while let Some((number, after)) = rest.split_first() {
            rest = after;
            match *number {
                0 => *self = Self::default(),
                1 => self.flags |= BOLD,
                2 => self.flags |= FAINT,
                3 => self.flags |= ITALIC,
                4 => self.flags |= UNDERLINE,
                7 => self.flags |= INVERSE,
                8 => self.flags |= HIDDEN,
                9 => self.flags |= STRIKE,
                22 => self.flags &= !(BOLD | FAINT),
                23 => self.flags &= !ITALIC,
                24 => self.flags &= !UNDERLINE,
                27 => self.flags &= !INVERSE,
                28 => self.flags &= !HIDDEN,
                29 => self.flags &= !STRIKE,
                code @ (30..=37 | 90..=97) => self.fore = basic(code, 30),
                code @ (40..=47 | 100..=107) => self.back = basic(code, 40),
                38 => self.fore = extended(&mut rest),
                48 => self.back = extended(&mut rest),
                39 => self.fore = Colour::Plain,
                49 => self.back = Colour::Plain,
                _ => {}
            }
        }
    }
}

fn basic(code: u32, base: u32) -> Colour {
    let index = if code >= 90 { code - base - 60 + 8 } else { code - base };
    u8::try_from(index).map_or(Colour::Plain, Colour::Index)
}

fn extended(rest: &mut &[u32]) -> Colour {
    match **rest {
        [5, index, ..] => {
            *rest = &rest[2..];
            from_256(index)
        }
        [2, red, green, blue, ..] => {
            *rest = &rest[4..];
            nearest(red.min(255), green.min(255), blue.min(255))
        }
        _ => {
            *rest = &[];
            Colour::Plain
        }
    }
}

fn from_256(index: u32) -> Colour {
    match index {
        0..16 => u8::try_from(index).map_or(Colour::Plain, Colour::Index),
        16..232 => {
            let level = |part: u32| if part == 0 { 0 } else { 55 + part * 40 };
            let index = index - 16;
            nearest(level(index / 36), level(index / 6 % 6), level(index % 6))
        }
        232..256 => {
            let grey = 8 + (index - 232) * 10;
            nearest(grey, grey, grey)
        }
        _ => Colour::Plain,
    }
}

/// Finds the colour of the sixteen that comes closest by hue, or by tone for greys.
fn nearest(red: u32, green: u32, blue: u32) -> Colour {
    let (high, low) = (red.max(green).max(blue), red.min(green).min(blue));
    if high - low < 40 {
        return Colour::Index(match high {
            0..64 => 0,
            64..150 => 8,
            150..225 => 7,
            _ => 15,
        });
    }
    let middle = (high + low) / 2;
    let bits = u8::from(red > middle) | u8::from(green > middle) << 1 | u8::from(blue > middle) << 2;
    Colour::Index(if low > 110 { bits + 8 } else { bits })
}

pub(super) fn paint(cells: &[(char, Style)]) -> String {
    let mut out = String::with_capacity(cells.len() + 32);
    let mut buffer = [0; 4];
    let mut open = Style::default();
    for (c, style) in cells {
        if *style != open {
            if open != Style::default() {
                out.push_str("</span>");
            }
            if *style != Style::default() {
                out.push_str("<span class=\"");
                push_classes(&mut out, *style);
                out.push_str("\">");
            }
            open = *style;
        }
        push_escaped(&mut out, c.encode_utf8(&mut buffer));
    }
    if open != Style::default() {
        out.push_str("</span>");
    }
    out
}

fn push_classes(out: &mut String, style: Style) {
    let mut classes: Vec<String> = Vec::new();
    let inverse = style.flags & INVERSE != 0;
    let (fore, back) = if inverse { (style.back, style.fore) } else { (style.fore, style.back) };
    if let Colour::Index(index) = fore {
        classes.push(format!("x{index}"));
    }
    if let Colour::Index(index) = back {
        classes.push(format!("y{index}"));
    }
    if inverse && fore == Colour::Plain && back == Colour::Plain {
        classes.push("xv".to_owned());
    }
    let flags = [(BOLD, "xb"), (FAINT, "xf"), (ITALIC, "xi"), (UNDERLINE, "xu"), (STRIKE, "xs"), (HIDDEN, "xh")];
    classes.extend(flags.iter().filter(|(flag, _)| style.flags & flag != 0).map(|(_, class)| (*class).to_owned()));
    out.push_str(&classes.join(" "));
}

//! A picture that needs nothing else: who calls on the left, who is called on the right.
//!
//! Each crossing ends at a line of its own, inside the box of whom it calls, and there stands what
//! may cross: so no text lies on another one, however many crossings there are.

use core::fmt::Write as _;
use std::collections::{BTreeMap, BTreeSet};

use super::{Crossing, TrustMap};

const MARGIN: f64 = 24.0;
/// Above the columns, for their titles.
const TITLE: f64 = 40.0;
/// Of a zone: the line with its name, the room around its members, and the room below it.
const HEAD: f64 = 36.0;
const PAD: f64 = 12.0;
const GAP: f64 = 24.0;
/// Of a member: the line with its name, and one line for each crossing that ends there.
const NAME: f64 = 34.0;
const LINE: f64 = 24.0;
/// Widths of the columns and of the room for arrows between them.
const CALLERS: f64 = 280.0;
const AISLE: f64 = 260.0;
const CALLED: f64 = 480.0;

/// Most characters of a name on the left, on the right, and of what may cross.
const CALLER_NAME: usize = 30;
const CALLED_NAME: usize = 52;
const LABEL: usize = 60;

const STYLE: &str = "\
text{font:13px system-ui,sans-serif;fill:#1d2733}.paper{fill:#fff}.title{fill:#52667a}\
.zone{fill:#eef3f8;stroke:#8aa4c0}.name{font-weight:600;fill:#3b5673}.member{fill:#fff;stroke:#c3d0de}\
.label{font:12px ui-monospace,monospace;fill:#33475b}.refused{fill:#b3261e}\
.allow,.deny{fill:none;stroke-width:1.6}.allow{stroke:#2e7d4f}.deny{stroke:#b3261e;stroke-dasharray:5 4}\
.head{fill:#2e7d4f}.bar{stroke:#b3261e;stroke-width:1.6}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.paper{fill:#0d1117}.title{fill:#9aa7b4}\
.zone{fill:#161d27;stroke:#4a6078}.name{fill:#a9c4e0}.member{fill:#0d1117;stroke:#35455a}\
.label{fill:#c4d0dc}.refused{fill:#ff8a80}.allow{stroke:#4cc47c}.deny{stroke:#ff8a80}\
.head{fill:#4cc47c}.bar{stroke:#ff8a80}}";

const MARKERS: &str = "\
<defs><marker id=\"a\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" \
markerUnits=\"userSpaceOnUse\"><path class=\"head\" d=\"M0 0L8 4L0 8z\"/></marker>\
<marker id=\"d\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"10\" markerHeight=\"10\" \
markerUnits=\"userSpaceOnUse\"><path class=\"bar\" d=\"M1 1L7 7M7 1L1 7\"/></marker></defs>";

/// Members of zones on one side, each with the crossings that end there.
type Side<'m> = BTreeMap<&'m str, BTreeMap<&'m str, Vec<&'m Crossing>>>;

/// The middle of the right edge of each caller.
type Exits<'m> = BTreeMap<(&'m str, &'m str), (f64, f64)>;

pub(crate) fn svg(map: &TrustMap) -> String {
    let (callers, called) = sides(map);
    let mut drawing = Drawing::default();
    let left = drawing.side(&callers, MARGIN, CALLERS, CALLER_NAME);
    let right_x = MARGIN + CALLERS + AISLE;
    let right = drawing.side(&called, right_x, CALLED, CALLED_NAME);
    let (width, height) = (right_x + CALLED + MARGIN, left.max(right) - GAP + MARGIN);
    let Drawing { boxes, arrows, .. } = drawing;
    let y = MARGIN + 12.0;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\">\n<title>Trust boundaries</title>\n<style>{STYLE}</style>\n\
         {MARKERS}\n<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n\
         <text class=\"title\" x=\"{MARGIN}\" y=\"{y}\">Who calls</text>\n\
         <text class=\"title\" x=\"{right_x}\" y=\"{y}\">What may cross, and what is refused (dashed)</text>\n\
         {boxes}{arrows}</svg>\n"
    )
}

/// Who calls, and everybody else: who is called, and who is alone.
fn sides(map: &TrustMap) -> (Side<'_>, Side<'_>) {
    let (mut callers, mut called) = (Side::new(), Side::new());
    let mut calling = BTreeSet::new();
    for crossing in &map.crossings {
        let (from, to) = (&crossing.from, &crossing.to);
        calling.insert((from.zone.as_str(), from.name.as_str()));
        callers.entry(&from.zone).or_default().entry(&from.name).or_default();
        called.entry(&to.zone).or_default().entry(&to.name).or_default().push(crossing);
    }
    for (zone, members) in &map.zones {
        for name in members.iter().map(String::as_str) {
            if !calling.contains(&(zone.as_str(), name)) {
                called.entry(zone).or_default().entry(name).or_default();
            }
        }
    }
    (callers, called)
}

#[derive(Default)]
struct Drawing<'m> {
    boxes: String,
    arrows: String,
    exits: Exits<'m>,
}

impl<'m> Drawing<'m> {
    /// Draws a column, and returns where it ends.
    fn side(&mut self, side: &Side<'m>, x: f64, width: f64, most: usize) -> f64 {
        let mut y = MARGIN + TITLE;
        for (zone, members) in side {
            let height = members.values().fold(HEAD, |sum, ends| sum + height_of(ends) + PAD);
            let (name_x, name_y) = (x + 14.0, y + 23.0);
            // Writing to a String can't fail, here and below.
            let _ = writeln!(
                self.boxes,
                "<rect class=\"zone\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"10\"/>\n\
                 <text class=\"name\" x=\"{name_x}\" y=\"{name_y}\">{}</text>",
                shown(zone, most)
            );
            let mut top = y + HEAD;
            for (name, ends) in members {
                self.member((zone, name), ends, (x + PAD, top), width - PAD - PAD, most);
                top += height_of(ends) + PAD;
            }
            y += height + GAP;
        }
        y
    }

    fn member(
        &mut self,
        (zone, name): (&'m str, &'m str),
        ends: &[&'m Crossing],
        (x, y): (f64, f64),
        width: f64,
        most: usize,
    ) {
        let height = height_of(ends);
        let _ = writeln!(
            self.boxes,
            "<rect class=\"member\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"6\"/>\n\
             <text x=\"{}\" y=\"{}\">{}</text>",
            x + 12.0,
            y + 22.0,
            shown(name, most)
        );
        // The left column is drawn first, and whoever calls is there.
        self.exits.entry((zone, name)).or_insert((x + width, y + NAME / 2.0));
        let mut line = y + NAME + LINE / 2.0 - 4.0;
        for crossing in ends {
            self.crossing(crossing, (x, line));
            line += LINE;
        }
    }

    fn crossing(&mut self, crossing: &'m Crossing, (x, y): (f64, f64)) {
        let from = (crossing.from.zone.as_str(), crossing.from.name.as_str());
        let Some(&(start, start_y)) = self.exits.get(&from) else { return };
        let (class, marker, refused) =
            if crossing.denied { ("deny", "d", " refused") } else { ("allow", "a", "") };
        let bend = (x - start) / 2.0;
        let _ = writeln!(
            self.arrows,
            "<path class=\"{class}\" marker-end=\"url(#{marker})\" d=\"M{start} {start_y}C{} {start_y} {} {y} {x} {y}\"/>\n\
             <text class=\"label{refused}\" x=\"{}\" y=\"{}\">{}<title>{}</title></text>",
            start + bend,
            x - bend,
            x + 12.0,
            y + 4.0,
            shown(&crossing.label, LABEL),
            escape(crossing.label.chars())
        );
    }
}

/// Of a member with these crossings.
fn height_of(ends: &[&Crossing]) -> f64 {
    ends.iter().fold(NAME, |height, _| height + LINE)
}

/// Text for XML, cut where there is no room for more. East Asian characters take twice the room.
fn shown(text: &str, most: usize) -> String {
    let room = |c: char| if u32::from(c) < 0x1100 { 1_usize } else { 2 };
    let width = |text: &str| text.chars().fold(0_usize, |sum, c| sum.saturating_add(room(c)));
    if width(text) <= most {
        return escape(text.chars());
    }
    let mut left = most.saturating_sub(1);
    let fits = text.chars().take_while(|c| {
        let fits = room(*c) <= left;
        left = left.saturating_sub(room(*c));
        fits
    });
    escape(fits.chain(['…']))
}

fn escape(text: impl Iterator<Item = char>) -> String {
    let mut escaped = String::new();
    for character in text {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            _ if character.is_control() => escaped.push('\u{fffd}'),
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_end_where_their_box_ends() {
        assert_eq!(shown("abc", 3), "abc");
        assert_eq!(shown("abcd", 3), "ab…");
        assert_eq!(shown("支払い", 5), "支払…");
        assert_eq!(shown("支払い", 6), "支払い");
        assert_eq!(shown("<\u{1}>", 3), "&lt;\u{fffd}&gt;");
    }
}

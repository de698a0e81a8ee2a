//! A picture that needs nothing else: zones as boxes, crossings as curves.

use core::fmt::Write as _;
use std::collections::BTreeMap;

use super::{Member, TrustMap};

const ROW: usize = 44;
const BOX: usize = 220;
const GAP: usize = 28;
const HEAD: usize = 34;
/// Between the columns, where the labels stand.
const AISLE: usize = 420;
const MARGIN: usize = 24;

const STYLE: &str = "text{font:13px system-ui,sans-serif;fill:#1d2733}\
.zone{fill:#eef3f8;stroke:#8aa4c0}.name{font-weight:600;fill:#3b5673}\
.member{fill:#fff;stroke:#c3d0de}.label{font-size:11px;fill:#33475b}\
.allow{stroke:#2e7d4f;fill:none;stroke-width:1.6}.deny{stroke:#b3261e;fill:none;stroke-width:1.6;stroke-dasharray:5 4}";

/// The upper left corner of a member.
type Places<'m> = BTreeMap<(&'m str, &'m str), (usize, usize)>;

/// Zones that are only called from stand on the left, those that are called on the right.
pub(crate) fn svg(map: &TrustMap) -> String {
    let called = |zone: &str| map.crossings.iter().any(|crossing| crossing.to.zone == zone);
    let (right, left): (Vec<_>, Vec<_>) = map.zones.iter().partition(|(zone, _)| called(zone));
    let mut places = Places::new();
    let mut zones = String::new();
    let right_x = MARGIN.saturating_add(BOX).saturating_add(AISLE);
    let mut height = 0;
    for (column, x) in [(left, MARGIN), (right, right_x)] {
        let mut y = MARGIN;
        for (zone, members) in column {
            y = draw_zone(
                &mut zones,
                zone,
                members.iter().map(String::as_str),
                (x, y),
                &mut places,
            );
        }
        height = height.max(y);
    }
    let width = right_x.saturating_add(BOX).saturating_add(AISLE / 2);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\">\n<title>Trust boundaries</title>\n<style>{STYLE}</style>\n<defs><marker id=\"a\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"#2e7d4f\"/></marker><marker id=\"d\" viewBox=\"0 0 8 8\" refX=\"5\" refY=\"4\" markerWidth=\"9\" markerHeight=\"9\" orient=\"auto\"><path d=\"M1 1L7 7M7 1L1 7\" stroke=\"#b3261e\" stroke-width=\"1.6\"/></marker></defs>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n{zones}"
    );
    draw_crossings(&mut text, map, &places);
    text.push_str("</svg>\n");
    text
}

/// Returns where the next zone begins.
fn draw_zone<'m>(
    text: &mut String,
    zone: &'m str,
    members: impl ExactSizeIterator<Item = &'m str>,
    (x, y): (usize, usize),
    places: &mut Places<'m>,
) -> usize {
    let height = members.len().saturating_mul(ROW).saturating_add(HEAD).saturating_add(8);
    // Writing to a String can't fail, here and below.
    let _ = writeln!(
        text,
        "<rect class=\"zone\" x=\"{x}\" y=\"{y}\" width=\"{BOX}\" height=\"{height}\" rx=\"10\"/>\n<text class=\"name\" x=\"{}\" y=\"{}\">{}</text>",
        x.saturating_add(14),
        y.saturating_add(22),
        escape(zone, 28)
    );
    for (row, name) in members.enumerate() {
        let (left, top) =
            (x.saturating_add(12), y.saturating_add(HEAD).saturating_add(row.saturating_mul(ROW)));
        let _ = writeln!(
            text,
            "<rect class=\"member\" x=\"{left}\" y=\"{top}\" width=\"{}\" height=\"34\" rx=\"6\"/>\n<text x=\"{}\" y=\"{}\">{}</text>",
            BOX.saturating_sub(24),
            left.saturating_add(10),
            top.saturating_add(22),
            escape(name, 27)
        );
        places.insert((zone, name), (left, top));
    }
    y.saturating_add(height).saturating_add(GAP)
}

fn draw_crossings(text: &mut String, map: &TrustMap, places: &Places<'_>) {
    let place =
        |member: &Member| places.get(&(member.zone.as_str(), member.name.as_str())).copied();
    for (number, crossing) in map.crossings.iter().enumerate() {
        let (Some(from), Some(to)) = (place(&crossing.from), place(&crossing.to)) else { continue };
        // Arrows of one pair do not lie on each other.
        let shift = (number % 5).saturating_mul(5);
        let inner = BOX.saturating_sub(24);
        let (y1, y2) = (
            from.1.saturating_add(9).saturating_add(shift / 2),
            to.1.saturating_add(7).saturating_add(shift),
        );
        let (x1, x2, bend) = if from.0 < to.0 {
            (from.0.saturating_add(inner), to.0, AISLE / 2)
        } else {
            let side = from.0.saturating_add(inner);
            (side, side, AISLE / 4)
        };
        let (c1, c2) = if from.0 < to.0 {
            (x1.saturating_add(bend), x2.saturating_sub(bend))
        } else {
            (x1.saturating_add(bend), x2.saturating_add(bend))
        };
        let (class, marker) = if crossing.denied { ("deny", "d") } else { ("allow", "a") };
        let (lx, anchor) = if from.0 < to.0 {
            (x2.saturating_sub(12), "end")
        } else {
            (x1.saturating_add(bend), "start")
        };
        let ly = if from.0 < to.0 { y2.saturating_sub(4) } else { y1.midpoint(y2) };
        let _ = writeln!(
            text,
            "<path class=\"{class}\" marker-end=\"url(#{marker})\" d=\"M{x1} {y1}C{c1} {y1} {c2} {y2} {x2} {y2}\"/>\n<text class=\"label\" x=\"{lx}\" y=\"{ly}\" text-anchor=\"{anchor}\">{}<title>{}</title></text>",
            escape(&crossing.label, 52),
            escape(&crossing.label, usize::MAX)
        );
    }
}

/// Text for XML, cut where there is no room for more.
fn escape(text: &str, most: usize) -> String {
    let long = text.chars().count() > most;
    let shown: String =
        text.chars().take(if long { most.saturating_sub(1) } else { most }).collect();
    let mut escaped = String::new();
    for character in shown.chars().chain(long.then_some('…')) {
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

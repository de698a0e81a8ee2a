//! Mermaid, for Markdown that shows it.

use core::fmt::Write as _;
use std::collections::BTreeMap;

use super::TrustMap;

pub(crate) fn mermaid(map: &TrustMap) -> String {
    let mut text = String::from("flowchart LR\n");
    let mut ids = BTreeMap::new();
    // Writing to a String can't fail, here and below.
    for (number, (zone, members)) in map.zones.iter().enumerate() {
        let _ = writeln!(text, "  subgraph z{number}[\"{}\"]", escape(zone));
        for name in members {
            let id = format!("n{}", ids.len());
            let _ = writeln!(text, "    {id}[\"{}\"]", escape(name));
            ids.insert((zone.as_str(), name.as_str()), id);
        }
        text.push_str("  end\n");
    }
    for crossing in &map.crossings {
        let id = |member: &super::Member| -> String {
            ids.get(&(member.zone.as_str(), member.name.as_str())).cloned().unwrap_or_default()
        };
        let arrow = if crossing.denied { "-. \"" } else { "-- \"" };
        let head = if crossing.denied { "\" .-x" } else { "\" -->" };
        let (from, to) = (id(&crossing.from), id(&crossing.to));
        let _ = writeln!(text, "  {from} {arrow}{}{head} {to}", escape(&crossing.label));
    }
    text
}

/// Mermaid's entity codes for what would end a label.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '"' | '#' | ';' | '<' | '>' | '&' | '`' | '\\' => {
                let _ = write!(escaped, "#{};", u32::from(character));
            }
            _ if character.is_control() => {}
            _ => escaped.push(character),
        }
    }
    escaped
}

//! Graphviz DOT.

use core::fmt::Write as _;

use super::{Member, TrustMap};

pub(crate) fn dot(map: &TrustMap) -> String {
    let mut text = String::from(
        "digraph trust {\n  rankdir=LR;\n  node [shape=box, style=\"rounded,filled\", fillcolor=white, fontname=\"sans-serif\"];\n  edge [fontname=\"sans-serif\", fontsize=10];\n",
    );
    // Writing to a String can't fail, here and below.
    for (number, (zone, members)) in map.zones.iter().enumerate() {
        let _ = writeln!(
            text,
            "  subgraph cluster_{number} {{\n    label=\"{}\"; style=\"rounded,filled\"; fillcolor=\"#eef3f8\"; color=\"#8aa4c0\";",
            escape(zone)
        );
        for name in members {
            let id = id(zone, name);
            let _ = writeln!(text, "    \"{id}\" [label=\"{}\"];", escape(name));
        }
        text.push_str("  }\n");
    }
    for crossing in &map.crossings {
        let look = if crossing.denied {
            ", color=\"#b3261e\", fontcolor=\"#b3261e\", style=dashed, arrowhead=tee"
        } else {
            ""
        };
        let _ = writeln!(
            text,
            "  \"{}\" -> \"{}\" [label=\"{}\"{look}];",
            of(&crossing.from),
            of(&crossing.to),
            escape(&crossing.label)
        );
    }
    text.push_str("}\n");
    text
}

fn of(member: &Member) -> String {
    id(&member.zone, &member.name)
}

/// Unique, since a zone has no slash in its name.
fn id(zone: &str, name: &str) -> String {
    format!("{}/{}", escape(zone), escape(name))
}

fn escape(text: &str) -> String {
    let plain: String = text.chars().filter(|c| !c.is_control()).collect();
    plain.replace('\\', "\\\\").replace('"', "\\\"")
}

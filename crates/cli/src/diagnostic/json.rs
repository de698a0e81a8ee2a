//! For programs.

use serde_json::{Value, json};

use super::Diagnostic;

pub(crate) fn json(diagnostics: &[Diagnostic]) -> String {
    let findings: Vec<Value> = diagnostics.iter().map(finding).collect();
    format!("{:#}\n", json!({ "findings": findings }))
}

fn finding(diagnostic: &Diagnostic) -> Value {
    let place = diagnostic.place.as_ref();
    let mark = place.and_then(|place| place.mark);
    json!({
        "severity": diagnostic.severity.name(),
        "code": diagnostic.code,
        "detail": diagnostic.detail,
        "risk": diagnostic.risk,
        "fix": diagnostic.fix,
        "file": place.map(|place| &place.file.name),
        "line": mark.map(|mark| mark.line),
        "column": mark.map(|mark| mark.column),
        "length": mark.map(|mark| mark.length),
        "pointer": diagnostic.pointer,
        "correction": diagnostic.correction.as_ref().map(|correction| json!({
            "pointer": correction.pointer,
            "value": serde_json::from_str::<Value>(&correction.value).unwrap_or_default(),
        })),
    })
}

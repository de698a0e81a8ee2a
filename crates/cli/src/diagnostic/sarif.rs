//! For code scanning: SARIF 2.1.0.

use lychgate_core::{FindingCode, Severity};
use serde_json::{Value, json};

use super::Diagnostic;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

pub(crate) fn sarif(diagnostics: &[Diagnostic]) -> String {
    let mut rules: Vec<Value> = Vec::new();
    let mut codes: Vec<&str> = Vec::new();
    for diagnostic in diagnostics {
        if !codes.contains(&diagnostic.code) {
            codes.push(diagnostic.code);
            rules.push(rule(diagnostic));
        }
    }
    let driver = json!({
        "name": "lychgate",
        "version": env!("CARGO_PKG_VERSION"),
        "informationUri": env!("CARGO_PKG_REPOSITORY"),
        "rules": rules,
    });
    // One line for each result, without ever holding all of them as values.
    let lines = diagnostics.iter().map(|found| result(found, &codes).to_string());
    let results = lines.collect::<Vec<_>>().join(",\n");
    format!(
        "{{\"version\": \"2.1.0\",\n\"$schema\": \"{SCHEMA}\",\n\"runs\": [{{\"tool\": \
         {{\"driver\": {driver}}},\n\"columnKind\": \"unicodeCodePoints\",\n\"results\": [\n{results}\n]}}]}}\n"
    )
}

fn rule(diagnostic: &Diagnostic) -> Value {
    let known = FindingCode::ALL.iter().any(|code| code.name() == diagnostic.code);
    json!({
        "id": diagnostic.code,
        "shortDescription": { "text": diagnostic.risk },
        "help": { "text": diagnostic.fix },
        "defaultConfiguration": { "level": level(diagnostic) },
        "properties": { "tags": if known { ["security", "policy"] } else { ["security", "manifest"] } },
    })
}

const fn level(diagnostic: &Diagnostic) -> &'static str {
    match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn result(diagnostic: &Diagnostic, codes: &[&str]) -> Value {
    let index = codes.iter().position(|code| *code == diagnostic.code);
    let text = format!("{}. Fix: {}.", diagnostic.headline(), diagnostic.fix);
    let locations: Vec<Value> = diagnostic
        .place
        .iter()
        .map(|place| {
            let mut physical = json!({ "artifactLocation": { "uri": uri(&place.file.name) } });
            if let (Some(mark), Some(physical)) = (place.mark, physical.as_object_mut()) {
                let region = json!({
                    "startLine": mark.line,
                    "startColumn": mark.column.max(1),
                    "endColumn": mark.column.max(1).saturating_add(mark.length.max(1)),
                });
                physical.insert("region".to_owned(), region);
            }
            let logical = json!([{ "fullyQualifiedName": diagnostic.pointer }]);
            json!({ "physicalLocation": physical, "logicalLocations": logical })
        })
        .collect();
    json!({
        "ruleId": diagnostic.code,
        "ruleIndex": index,
        "level": level(diagnostic),
        "message": { "text": text },
        "locations": locations,
    })
}

/// A path as a relative URI reference (RFC 3986 §4.2).
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'-' | b'_' | b'~') {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_uris() {
        assert_eq!(uri("a b/ü.yaml"), "a%20b/%C3%BC.yaml");
    }
}

//! JSON Schemas (draft 2020-12) of the documents.

use serde_json::{Map, Value, json};

/// The named types of a schema.
#[derive(Debug, Default)]
pub(crate) struct Definitions(Map<String, Value>);

/// One member of an object.
pub(crate) struct Property {
    pub(crate) name: &'static str,
    pub(crate) doc: &'static [&'static str],
    pub(crate) required: bool,
    pub(crate) schema: Value,
}

impl Definitions {
    /// A closed object; a type that is already known is not looked at again.
    pub(crate) fn record(
        &mut self,
        name: &str,
        doc: &[&str],
        properties: impl FnOnce(&mut Self) -> Vec<Property>,
    ) -> Value {
        if !self.0.contains_key(name) {
            // Reserves the name first: a type may hold itself.
            self.0.insert(name.to_owned(), Value::Null);
            let properties = properties(self);
            let required: Vec<_> =
                properties.iter().filter(|p| p.required).map(|p| p.name).collect();
            let members: Map<String, Value> = properties
                .into_iter()
                .map(|p| (p.name.to_owned(), described(p.schema, p.doc)))
                .collect();
            let mut schema = json!({
                "type": "object",
                "description": text(doc),
                "additionalProperties": false,
                "properties": members,
            });
            if let (Some(object), false) = (schema.as_object_mut(), required.is_empty()) {
                object.insert("required".to_owned(), json!(required));
            }
            self.0.insert(name.to_owned(), schema);
        }
        reference(name)
    }

    /// One of some words.
    pub(crate) fn words(&mut self, name: &str, doc: &[&str], words: &[(&str, &[&str])]) -> Value {
        let list: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let meanings: Vec<String> =
            words.iter().map(|(word, doc)| format!("`{word}`: {}", text(doc))).collect();
        let description = format!("{}\n{}", text(doc), meanings.join("\n"));
        self.0.insert(name.to_owned(), json!({ "enum": list, "description": description }));
        reference(name)
    }

    /// All definitions, by name.
    pub(crate) fn finish(self) -> Map<String, Value> {
        self.0
    }
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

fn described(mut schema: Value, doc: &[&str]) -> Value {
    if let Some(object) = schema.as_object_mut() {
        object.insert("description".to_owned(), json!(text(doc)));
    }
    schema
}

/// Doc comments as one text: each line has lost its slashes and keeps the space behind them.
fn text(doc: &[&str]) -> String {
    doc.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ").trim().to_owned()
}

//! What people write: YAML and JSON files, folders and standard input, as documents with places.

mod files;
mod json;
mod node;
mod scalar;
mod text;
mod yaml;

pub(crate) use files::{Format, SourceFile, list, read_all, read_one, read_text};
pub(crate) use node::{Document, Mark, Node, Place, Value};
pub(crate) use text::Text;

use crate::error::CliError;

/// Nesting of a document; policies nest ten deep.
pub(crate) const DEPTH: usize = 32;

/// Reads the documents of one file, in order. Empty documents are left out.
pub(crate) fn documents(file: &SourceFile) -> Result<Vec<Document>, CliError> {
    match file.format {
        Format::Json => json::read(file),
        Format::Yaml => yaml::read(file),
    }
}

#[cfg(test)]
mod tests {
    use lychgate_core::json::JsonWriter;
    use proptest::prelude::*;

    use super::*;

    fn read(format: Format, text: &str) -> Result<Vec<String>, CliError> {
        let text = Text::new("a".to_owned(), text.to_owned());
        let file = SourceFile { format, file: std::rc::Rc::new(text) };
        let documents = documents(&file)?;
        Ok(documents
            .iter()
            .map(|document| {
                let mut writer = JsonWriter::new();
                document.root.write(&mut writer);
                writer.finish()
            })
            .collect())
    }

    fn json() -> impl Strategy<Value = String> {
        let text = "[ -~é€]{0,12}".prop_map(|text| {
            let mut writer = JsonWriter::new();
            writer.string(&text);
            writer.finish()
        });
        let leaf = prop_oneof![
            Just("null".to_owned()),
            any::<bool>().prop_map(|value| value.to_string()),
            any::<i32>().prop_map(|value| value.to_string()),
            text.clone(),
        ];
        leaf.prop_recursive(5, 32, 4, move |inner| {
            let members = prop::collection::hash_map(text.clone(), inner.clone(), 1..4);
            prop_oneof![
                prop::collection::vec(inner, 0..4).prop_map(|all| format!("[{}]", all.join(", "))),
                members.prop_map(|members| {
                    let members: Vec<_> =
                        members.iter().map(|(name, value)| format!("{name}: {value}")).collect();
                    format!("{{{}}}", members.join(", "))
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_json_text_means_the_same_when_it_is_read_as_yaml(text in json()) {
            let as_json = read(Format::Json, &text).unwrap();
            let as_yaml = read(Format::Yaml, &text).unwrap();
            // A document that is only null counts as empty in YAML.
            prop_assert!(as_json == as_yaml || text == "null");
        }

        #[test]
        fn no_text_makes_the_readers_panic(text in "[-a-c0-2:?&*!|>%@`'\"#,\\[\\]{}~.<= \n\t\\\\]{0,80}") {
            let _ = read(Format::Yaml, &text);
            let _ = read(Format::Json, &text);
        }

        #[test]
        fn no_characters_make_the_readers_panic(text in any::<String>()) {
            let _ = read(Format::Yaml, &text);
            let _ = read(Format::Json, &text);
        }
    }
}

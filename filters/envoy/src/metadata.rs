//! Metadata that earlier filters have set, for policies that read any.

use std::collections::BTreeSet;

use lychgate_core::request::{MetadataValue, Metadatum};

use crate::host;

/// Most elements of a list that are read, each in a call of its own.
const ELEMENTS: usize = 64;

/// The wanted values, by filter and key.
///
/// Envoy does not say of which type a value is, and gives numbers as their eight bytes: what is no
/// printable text is absent. A list can only be read element by element.
pub(crate) fn read(wanted: &BTreeSet<(String, String)>) -> Vec<Metadatum> {
    let datum = |(filter, key): &(String, String)| {
        let value = value(filter, key)?;
        Some(Metadatum { filter: filter.clone(), key: key.clone(), value })
    };
    wanted.iter().filter_map(datum).collect()
}

fn value(filter: &str, key: &str) -> Option<MetadataValue> {
    let path = ["metadata", "filter_metadata", filter, key];
    if let Some(bytes) = host::attribute(&path) {
        return text(bytes).map(MetadataValue::Text);
    }
    let element = |index: usize| {
        let index = index.to_string();
        host::attribute(&["metadata", "filter_metadata", filter, key, &index])
    };
    let elements: Vec<_> = (0..ELEMENTS).map_while(element).filter_map(text).collect();
    if elements.is_empty() { None } else { Some(MetadataValue::List(elements)) }
}

/// Text, if it is printable.
fn text(bytes: Vec<u8>) -> Option<String> {
    String::from_utf8(bytes).ok().filter(|text| !text.chars().any(char::is_control))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_no_text() {
        assert_eq!(text(1.0_f64.to_le_bytes().to_vec()), None);
        assert_eq!(text(b"team-a".to_vec()).as_deref(), Some("team-a"));
        assert_eq!(text(b"\xff".to_vec()), None);
    }
}

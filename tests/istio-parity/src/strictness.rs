//! The list of named differences: a verdict may name nothing else.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

/// Where Lychgate denies what Envoy allows, and once the other way round.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// Its stable id.
    pub id: String,
    /// Why Lychgate differs.
    pub reason: String,
    /// The heading in docs/strictness.md under which it stands.
    pub anchor: String,
    /// Fixed vectors that show it.
    pub vectors: Vec<Fixed>,
}

/// A vector under tests/vectors.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fixed {
    /// The file.
    pub file: String,
    /// The vector's name.
    pub name: String,
}

/// All of them by id, as `strictnesses.json` has them.
///
/// # Panics
/// If the file is malformed, or has an id twice.
#[must_use]
pub fn all() -> &'static BTreeMap<String, Named> {
    static ALL: OnceLock<BTreeMap<String, Named>> = OnceLock::new();
    ALL.get_or_init(|| {
        let list: Vec<Named> =
            serde_json::from_str(include_str!("../strictnesses.json")).expect("a list of them");
        let count = list.len();
        let all: BTreeMap<_, _> = list.into_iter().map(|named| (named.id.clone(), named)).collect();
        assert_eq!(all.len(), count, "an id stands twice");
        all
    })
}

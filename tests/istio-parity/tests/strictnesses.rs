//! Every named strictness is documented, and shown by a fixed vector.
#![allow(
    clippy::std_instead_of_core,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at what it can't read"
)]

use std::fs;

use lychgate_istio_parity::strictness::{self, Named};
use lychgate_tests_envoy::wasm::project;
use serde_json::Value;

#[test]
fn every_name_stands_under_its_heading_and_has_a_reason() {
    let text = fs::read_to_string(project().join("docs/strictness.md")).unwrap();
    for Named { id, reason, anchor, .. } in strictness::all().values() {
        let section = section(&text, anchor);
        assert!(section.contains(&format!("`{id}`")), "{id} is not under #{anchor}");
        assert!(!reason.is_empty(), "{id} has no reason");
    }
}

#[test]
fn every_name_is_shown_by_a_vector() {
    for Named { id, vectors, .. } in strictness::all().values() {
        assert!(!vectors.is_empty(), "{id} has no vector");
        for fixed in vectors {
            let text = fs::read_to_string(project().join("tests/vectors").join(&fixed.file));
            let file: Value = serde_json::from_str(&text.unwrap()).unwrap();
            let vectors = file["vectors"].as_array().unwrap();
            let is_it = |vector: &Value| vector["name"] == fixed.name.as_str();
            assert!(vectors.iter().any(is_it), "{id}: {} has no {:?}", fixed.file, fixed.name);
        }
    }
}

/// The text below the heading that a link with this anchor leads to, up to the next heading.
fn section<'a>(text: &'a str, anchor: &str) -> &'a str {
    let is_it = |part: &&str| {
        let title = part.lines().next().unwrap_or_default().trim_start_matches(['#', ' ']);
        title.to_lowercase().replace(' ', "-") == anchor
    };
    let mut parts = text.split("\n## ");
    parts.find(is_it).unwrap_or_else(|| panic!("no heading #{anchor}"))
}

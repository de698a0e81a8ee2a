//! Metadata that earlier filters of the host have set (`experimental.envoy.filters...`).

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::error::PolicyError;
use super::facts::View;
use super::pattern::{Case, Pattern, Patterns, Sense, Star};
use crate::request::MetadataValue;

/// Values of one key of a filter's metadata.
#[derive(Debug, Clone)]
pub(super) struct Metadata {
    pub(super) filter: Box<str>,
    pub(super) key: Box<str>,
    /// Written `v`: compared with a string.
    text: Patterns,
    /// Written `[v]`: compared with the members of a list.
    list: Patterns,
    sense: Sense,
}

impl Metadata {
    pub(super) fn new(filter: &str, key: &str, values: Vec<MetadataPattern>, sense: Sense) -> Self {
        let (mut text, mut list) = (Vec::new(), Vec::new());
        for value in values {
            match value {
                MetadataPattern::Text(pattern) => text.push(pattern),
                MetadataPattern::Member(pattern) => list.push(pattern),
            }
        }
        let patterns = |list| Patterns::new(list, Star::regex(sense), Case::Sensitive);
        let (text, list) = (patterns(text), patterns(list));
        Self { filter: filter.into(), key: key.into(), text, list, sense }
    }

    pub(super) fn matches(&self, view: &View<'_>) -> bool {
        let mut metadata = view.facts.metadata.iter();
        let found = metadata.find(|datum| *datum.filter == *self.filter && *datum.key == *self.key);
        found.is_some_and(|datum| match &datum.value {
            MetadataValue::Text(text) => self.text.matches(text.as_bytes()),
            MetadataValue::List(list) => list.iter().any(|text| self.list.matches(text.as_bytes())),
            MetadataValue::Unclear => self.sense == Sense::Wide,
        })
    }
}

/// One value.
#[derive(Debug, Clone)]
pub(super) enum MetadataPattern {
    Text(Pattern),
    Member(Pattern),
}

impl MetadataPattern {
    pub(super) fn parse(value: &str) -> Result<Self, PolicyError> {
        if value.starts_with('[') && value.ends_with(']') {
            return Pattern::parse(value.trim_matches(['[', ']'])).map(Self::Member);
        }
        Pattern::parse(value).map(Self::Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::facts::tests_support::facts;
    use crate::request::Metadatum;

    #[test]
    fn a_bracketed_value_is_for_lists_and_a_plain_one_for_strings() {
        let values =
            |text: &[&str]| text.iter().map(|v| MetadataPattern::parse(v).unwrap()).collect();
        let text = |text: &str| MetadataValue::Text(text.into());
        let list = |texts: &[&str]| MetadataValue::List(texts.iter().map(|&t| t.into()).collect());
        for (patterns, value, expected) in [
            (&["v"][..], text("v"), true),
            (&["v"], list(&["v"]), false),
            (&["[v]"], list(&["u", "v"]), true),
            (&["[v]"], text("v"), false),
            (&["[p*]", "x"], list(&["pq"]), true),
            (&["*"], text(""), false),
        ] {
            let metadatum =
                [Metadatum { filter: "envoy.filters.a.b".into(), key: "c".into(), value }];
            let facts = crate::policy::Facts { metadata: &metadatum, ..facts() };
            let view = View::of(&facts);
            let matcher = |filter| Metadata::new(filter, "c", values(patterns), Sense::Narrow);
            assert_eq!(matcher("envoy.filters.a.b").matches(&view), expected, "{patterns:?}");
            assert!(!matcher("envoy.filters.other").matches(&view));
        }
        assert_eq!(MetadataPattern::parse("[]").unwrap_err().code.name(), "empty_value");
    }

    #[test]
    fn what_the_host_can_not_tell_is_refused_and_never_granted() {
        let value = MetadataValue::Unclear;
        let metadatum = [Metadatum { filter: "f".into(), key: "c".into(), value }];
        let facts = crate::policy::Facts { metadata: &metadatum, ..facts() };
        let matcher = |sense| {
            let pattern = MetadataPattern::parse("v").unwrap();
            Metadata::new("f", "c", [pattern].into(), sense)
        };
        assert!(!matcher(Sense::Narrow).matches(&View::of(&facts)));
        assert!(matcher(Sense::Wide).matches(&View::of(&facts)));
    }
}

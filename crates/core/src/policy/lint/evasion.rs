//! Refusals by path that another spelling of the same page evades.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::Lints;
use super::view::{Entry, RuleView, Term};
use crate::finding::FindingCode;
use crate::policy::attribute::Attribute;
use crate::policy::path::{PathValue, Paths};
use crate::policy::pattern::Sense;

impl Lints<'_> {
    /// What refuses by path refuses one spelling. Nothing is lost where no ALLOW rule lets the other
    /// one pass.
    pub(super) fn evasions(&mut self, rules: &[RuleView<'_>], grants: bool) {
        let refuses =
            |term: &&Term<'_>| matches!(term.attribute, Attribute::Path) && grants == term.negated;
        let all = rules.iter().flat_map(RuleView::terms).filter(refuses);
        let refused: Vec<Paths> = all.map(paths).collect();
        let is_refused = |path: &str| refused.iter().any(|paths| paths.matches(path));
        for rule in rules {
            for term in rule.terms().filter(refuses) {
                for (index, value) in term.written.iter().enumerate() {
                    let place = format!("{}/{index}", term.pointer());
                    let other_end = other_end(value).filter(|path| !is_refused(path));
                    let other_case = other_case(value).filter(|path| !is_refused(path));
                    if let Some(path) = other_end.filter(|path| self.lets_pass(path)) {
                        self.add(rule, &place, FindingCode::PathSlash, path);
                    }
                    if let Some(path) = other_case.filter(|path| self.lets_pass(path)) {
                        self.add(rule, &place, FindingCode::PathCase, path);
                    }
                }
            }
        }
    }

    /// Whether the ALLOW rules leave room for a path: there are none, or one takes it.
    fn lets_pass(&mut self, path: &str) -> bool {
        let allow = self.allow.clone();
        allow.is_empty() || allow.iter().any(|rule| self.spend() && takes(rule, path))
    }
}

/// Whether a rule may match a request for this path.
fn takes(rule: &RuleView<'_>, path: &str) -> bool {
    let fits = |entry: &Entry<'_>| {
        let mut terms = entry.iter().filter(|term| matches!(term.attribute, Attribute::Path));
        terms.all(|term| paths(term).matches(path) != term.negated)
    };
    rule.operations.is_empty() || rule.operations.iter().any(fits)
}

fn paths(term: &Term<'_>) -> Paths {
    let values = term.written.iter().filter_map(|value| PathValue::parse(value).ok());
    Paths::new(values.collect(), Sense::Narrow)
}

/// A path that the value does not match and that differs from one that it matches in a slash at the
/// end.
fn other_end(value: &str) -> Option<String> {
    let path = example(value);
    let path = match path.strip_suffix('/') {
        Some("") => return None,
        Some(path) => path.to_string(),
        None if value.ends_with('*') => match value.strip_suffix("/*") {
            None | Some("") => return None,
            Some(path) => path.to_string(),
        },
        None => format!("{path}/"),
    };
    Some(path).filter(|path| !matches(value, path))
}

/// A path that the value does not match and that differs from one that it matches in case.
fn other_case(value: &str) -> Option<String> {
    let path = example(value);
    [path.to_ascii_uppercase(), path.to_ascii_lowercase()]
        .into_iter()
        .find(|other| *other != path && !matches(value, other))
}

fn matches(value: &str, path: &str) -> bool {
    let value = PathValue::parse(value).ok();
    Paths::new(value.into_iter().collect(), Sense::Narrow).matches(path)
}

/// A path that the value matches.
fn example(value: &str) -> String {
    if value.contains('{') {
        return value.replace("{**}", "").replace("{*}", "0");
    }
    match (value.strip_prefix('*'), value.strip_suffix('*')) {
        (Some(suffix), _) if suffix.starts_with('/') => suffix.into(),
        (Some(suffix), _) => format!("/{suffix}"),
        (None, Some(prefix)) => prefix.into(),
        (None, None) => value.into(),
    }
}

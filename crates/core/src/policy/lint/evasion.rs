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
                    let spellings = [
                        (FindingCode::PathSlash, other_ends(value)),
                        (FindingCode::PathCase, other_cases(value)),
                    ];
                    for (code, paths) in spellings {
                        let evades = |path: &String| !is_refused(path) && self.lets_pass(path);
                        if let Some(path) = paths.into_iter().find(evades) {
                            self.add(rule, &place, code, path);
                        }
                    }
                }
            }
        }
    }

    /// Whether the ALLOW rules leave room for a path: there are none, or one takes it. Without a look
    /// at every rule, nothing is said.
    fn lets_pass(&mut self, path: &str) -> bool {
        self.spend(self.allowed_paths.len())
            && (self.allowed_paths.is_empty()
                || self.allowed_paths.iter().any(|paths| paths.take(path)))
    }
}

/// What one rule that allows says about paths: alternatives, of which each has lists that must or
/// must not match.
pub(super) struct AllowedPaths(Vec<Vec<(Paths, bool)>>);

impl AllowedPaths {
    pub(super) fn of(rule: &RuleView<'_>) -> Self {
        let lists = |entry: &Entry<'_>| {
            let terms = entry.iter().filter(|term| matches!(term.attribute, Attribute::Path));
            terms.map(|term| (paths(term), !term.negated)).collect()
        };
        Self(rule.operations.iter().map(lists).collect())
    }

    /// Whether the rule may match a request for this path.
    fn take(&self, path: &str) -> bool {
        let fits = |lists: &Vec<(Paths, bool)>| {
            lists.iter().all(|(paths, wanted)| paths.matches(path) == *wanted)
        };
        self.0.is_empty() || self.0.iter().any(fits)
    }
}

fn paths(term: &Term<'_>) -> Paths {
    let values = term.written.iter().filter_map(|value| PathValue::parse(value).ok());
    Paths::new(values.collect(), Sense::Narrow)
}

/// Paths that differ from one that the value matches in the slash at its end.
fn other_ends(value: &str) -> Vec<String> {
    let path = example(value);
    let path = match path.strip_suffix('/') {
        Some("") => return Vec::new(),
        Some(path) => path.to_string(),
        None => format!("{path}/"),
    };
    [path].into_iter().filter(|path| !matches(value, path)).collect()
}

/// Paths that differ from one that the value matches in the case of all letters, or of those in its
/// last segment.
fn other_cases(value: &str) -> Vec<String> {
    let path = example(value);
    let last = path.trim_end_matches('/').rfind('/').unwrap_or(0);
    [0, last]
        .into_iter()
        .filter_map(|at| path.split_at_checked(at))
        .flat_map(|(start, end)| {
            [end.to_ascii_uppercase(), end.to_ascii_lowercase()].map(|end| format!("{start}{end}"))
        })
        .filter(|other| *other != path && !matches(value, other))
        .collect()
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

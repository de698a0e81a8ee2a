//! What a run has seen.

use std::collections::BTreeMap;
use std::fmt;

use super::{Case, Comparison, reduced};
use crate::case::Setup;
use crate::resource::Action;

/// How many bugs of one kind are kept, reduced.
const KEPT: usize = 6;

/// What a run has seen.
#[derive(Debug, Default)]
pub struct Report {
    /// How many answers were compared.
    pub requests: usize,
    /// How many bundles Lychgate refused, by code, with one message.
    pub refusals: BTreeMap<String, (usize, String)>,
    /// How many answers were alike, or stricter by which name.
    pub outcomes: BTreeMap<String, usize>,
    /// How often each part of a policy had a say: allowed by both, denied by both, other.
    pub coverage: BTreeMap<String, [usize; 3]>,
    /// What must not happen: how often, and reduced cases.
    pub bugs: BTreeMap<String, (usize, Vec<Case>)>,
}

impl Report {
    /// Whether nothing was looser, and nothing stricter without a name.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.bugs.is_empty()
    }

    pub(super) fn refused(&mut self, (code, message): &(String, String), _setup: &Setup) {
        let entry = self.refusals.entry(code.clone()).or_default();
        entry.0 += 1;
        entry.1.clone_from(message);
    }

    pub(super) fn bug(&mut self, case: Case, comparison: &Comparison) {
        let entry = self.bugs.entry(format!("{comparison:?}")).or_default();
        entry.0 += 1;
        if entry.1.len() < KEPT {
            entry.1.push(reduced(&case));
        }
    }

    pub(super) fn count(&mut self, setup: &Setup, outcomes: &[Comparison]) {
        self.requests += outcomes.len();
        let mut totals = [0; 3];
        for outcome in outcomes {
            let (column, name) = match outcome {
                Comparison::BothAllow => (0, "both allow".to_owned()),
                Comparison::BothDeny => (1, "both deny".to_owned()),
                Comparison::Stricter(name) => (2, format!("stricter: {name}")),
                Comparison::Bearer => (2, "looser by name: bearer in any case".to_owned()),
                bug => (2, format!("BUG {bug:?}")),
            };
            totals[column] += 1;
            *self.outcomes.entry(name).or_default() += 1;
        }
        for part in parts(setup) {
            let entry = self.coverage.entry(part).or_default();
            for (count, total) in entry.iter_mut().zip(totals) {
                *count += total;
            }
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} answers compared", self.requests)?;
        for (name, count) in &self.outcomes {
            writeln!(f, "{count:>9}  {name}")?;
        }
        writeln!(f, "\nbundles refused")?;
        for (code, (count, message)) in &self.refusals {
            writeln!(f, "{count:>9}  {code}: {message}")?;
        }
        writeln!(f, "\npart of a policy: both allow, both deny, other")?;
        for (part, [allow, deny, other]) in &self.coverage {
            writeln!(f, "{allow:>9} {deny:>9} {other:>9}  {part}")?;
        }
        for (name, (count, cases)) in &self.bugs {
            writeln!(f, "\nBUG {name}: {count} times")?;
            for case in cases {
                let text = serde_json::to_string(case).map_err(|_| fmt::Error)?;
                writeln!(f, "  {text}")?;
            }
        }
        Ok(())
    }
}

/// The fields, keys and forms of value in a set of policies.
fn parts(setup: &Setup) -> Vec<String> {
    let mut parts = Vec::new();
    for policy in &setup.policies {
        let action = match (policy.spec.action, policy.is_dry_run()) {
            (_, true) => "dry-run",
            (Action::Allow, _) => "ALLOW",
            (Action::Deny, _) => "DENY",
            (Action::Audit | Action::Custom, _) => "AUDIT",
        };
        parts.push(format!("action {action}"));
        let mut add = |name: &str, values: &[String]| {
            parts.push(format!("{action} {name}"));
            parts.extend(values.iter().map(|value| format!("form {}", form(value))));
        };
        for rule in policy.rules() {
            let sources = rule.from.iter().flat_map(|from| &from.source);
            let operations = rule.to.iter().flat_map(|to| &to.operation);
            sources.chain(operations).for_each(|(name, values)| add(name, values));
            for condition in &rule.when {
                if !condition.values.is_empty() {
                    add(&condition.key, &condition.values);
                }
                if !condition.not_values.is_empty() {
                    add(&format!("not {}", condition.key), &condition.not_values);
                }
            }
        }
    }
    parts.push(format!("{} issuers", setup.jwt_rules.len()));
    parts.sort();
    parts.dedup();
    parts
}

fn form(value: &str) -> &'static str {
    match value {
        "*" => "star",
        _ if value.contains("{*") => "template",
        _ if value.starts_with('*') => "suffix",
        _ if value.ends_with('*') => "prefix",
        _ => "exact",
    }
}

//! What a run has seen.

use std::collections::BTreeMap;
use std::fmt;

use super::coverage::parts;
use super::direction::Directions;
use super::{Case, Comparison, Question};
use crate::generate::Group;
use crate::strictness;

/// How many bugs of one kind are kept.
const KEPT: usize = 3;

/// How both sides answered where some part of a policy had a say.
#[derive(Debug, Clone, Copy, Default)]
pub struct Side {
    /// How often it was asked.
    pub asked: usize,
    /// How often both sides allowed.
    pub allowed: usize,
    /// How often both sides denied.
    pub denied: usize,
}

impl Side {
    const fn add(&mut self, other: Self) {
        self.asked += other.asked;
        self.allowed += other.allowed;
        self.denied += other.denied;
    }
}

/// What a run has seen.
#[derive(Debug, Default)]
pub struct Report {
    /// How many bundles Lychgate refused, by code, with one message.
    refusals: BTreeMap<String, (usize, String)>,
    /// How many answers were alike, or stricter by which name.
    outcomes: BTreeMap<String, usize>,
    /// How often each part of a policy and of a request had a say.
    coverage: BTreeMap<String, Side>,
    /// In which forms of a policy each strictness has shown.
    directions: Directions,
    /// What must not happen: how often, and the first cases.
    bugs: BTreeMap<String, (usize, Vec<Case>)>,
    /// The answers of the set of policies at hand.
    current: Side,
    /// How many answers were compared.
    requests: usize,
}

impl Report {
    /// How many answers were compared.
    #[must_use]
    pub const fn requests(&self) -> usize {
        self.requests
    }

    /// Whether nothing was looser, and nothing stricter without a name.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.bugs.is_empty()
    }

    /// How many answers must not have been.
    #[must_use]
    pub fn bugs(&self) -> usize {
        self.bugs.values().map(|(count, _)| count).sum()
    }

    /// The kinds of bugs, each with its first case.
    pub fn first_bugs(&self) -> impl Iterator<Item = (&str, &Case)> {
        self.bugs.iter().filter_map(|(kind, (_, cases))| Some((kind.as_str(), cases.first()?)))
    }

    /// The parts of policies and requests that had less than that to say.
    pub fn below(&self, least: usize) -> impl Iterator<Item = (&str, Side)> {
        let parts = self.coverage.iter().map(|(part, side)| (part.as_str(), *side));
        parts.filter(move |(_, side)| {
            side.asked < least || side.allowed < least || side.denied < least
        })
    }

    pub(crate) fn refused(&mut self, (code, message): &(String, String)) {
        let entry = self.refusals.entry(code.clone()).or_default();
        entry.0 += 1;
        entry.1.clone_from(message);
    }

    /// One answer to one of the sets of a group.
    pub(crate) fn add(
        &mut self,
        group: &Group,
        index: usize,
        question: &Question<'_>,
        comparison: &Comparison,
    ) {
        self.requests += 1;
        let mut side = Side { asked: 1, ..Side::default() };
        match comparison {
            Comparison::BothAllow | Comparison::Withheld(_) => side.allowed = 1,
            Comparison::BothDeny => side.denied = 1,
            _ => {}
        }
        self.current.add(side);
        for part in super::coverage::request_parts(question) {
            self.coverage.entry(part.into()).or_default().add(side);
        }
        let names: &[&str] = match comparison {
            Comparison::Stricter(names) => names,
            Comparison::Withheld(name) => &[name],
            _ => &[],
        };
        for name in names {
            assert!(strictness::all().contains_key(*name), "{name} is no named strictness");
        }
        self.directions.add(group, index, comparison);
        *self.outcomes.entry(outcome(comparison)).or_default() += 1;
        if comparison.is_bug() {
            let entry = self.bugs.entry(comparison.kind()).or_default();
            entry.0 += 1;
            if entry.1.len() < KEPT {
                entry.1.push(question.case());
            }
        }
    }

    /// Nothing more comes for that set of policies.
    pub(crate) fn end(&mut self, group: &Group, index: usize) {
        let side = std::mem::take(&mut self.current);
        for part in parts(&group.setups[index]) {
            self.coverage.entry(part).or_default().add(side);
        }
    }

    /// Counts a reason that Lychgate gave.
    pub(crate) fn reason(&mut self, reason: &str) {
        let reason = if reason.is_empty() { "none, or Envoy's own" } else { reason };
        *self.outcomes.entry(format!("reason {reason}")).or_default() += 1;
    }

    /// Adds what another run has seen.
    pub(crate) fn merge(&mut self, other: Self) {
        self.requests += other.requests;
        self.directions.merge(&other.directions);
        for (code, (count, message)) in other.refusals {
            let entry = self.refusals.entry(code).or_default();
            *entry = (entry.0 + count, message);
        }
        for (name, count) in other.outcomes {
            *self.outcomes.entry(name).or_default() += count;
        }
        for (part, side) in other.coverage {
            self.coverage.entry(part).or_default().add(side);
        }
        for (kind, (count, cases)) in other.bugs {
            let entry = self.bugs.entry(kind).or_default();
            entry.0 += count;
            entry.1.extend(cases);
            entry.1.truncate(KEPT);
        }
    }
}

fn outcome(comparison: &Comparison) -> String {
    match comparison {
        Comparison::BothAllow => "both allow".into(),
        Comparison::BothDeny => "both deny".into(),
        Comparison::Malformed => "both deny: Envoy itself, before any filter".into(),
        Comparison::Stricter(names) => format!("stricter: {}", names.join(" + ")),
        Comparison::Withheld(name) => format!("both allow, handed on differs by name: {name}"),
        Comparison::Bearer => "looser by name: bearer".into(),
        bug => format!("BUG {}", bug.kind()),
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
        writeln!(f, "\n    asked  both allow  both deny  part of a policy or a request")?;
        for (part, Side { asked, allowed, denied }) in &self.coverage {
            writeln!(f, "{asked:>9} {allowed:>11} {denied:>10}  {part}")?;
        }
        write!(f, "\n{}", self.directions)?;
        for (kind, (count, _)) in &self.bugs {
            writeln!(f, "BUG {kind}: {count} times")?;
        }
        Ok(())
    }
}

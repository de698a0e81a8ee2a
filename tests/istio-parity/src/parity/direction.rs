//! Whether each strictness narrows grants and widens refusals, negations included.
//!
//! Probes ask it without anything in the way: the same field with the same values in four policies,
//! granting and refusing, as it is and negated, all for the same requests. Where a grant by the
//! field is refused by name, the grant by its negation and both refusals must not be looser either.

use std::collections::BTreeMap;
use std::fmt;

use super::Comparison;
use crate::generate::{Group, PROBE};

/// By strictness: how often it has shown in each form of a probe.
#[derive(Debug, Default)]
pub(super) struct Directions {
    /// How often each form was asked, and how often Lychgate was looser there.
    asked: [(usize, usize); 4],
    stricter: BTreeMap<&'static str, [usize; 4]>,
}

impl Directions {
    pub(super) fn add(&mut self, group: &Group, index: usize, comparison: &Comparison) {
        if group.setups.len() != PROBE.len() {
            return;
        }
        self.asked[index].0 += 1;
        match comparison {
            Comparison::Looser(_) => self.asked[index].1 += 1,
            Comparison::Stricter(names) => {
                for name in names {
                    self.stricter.entry(name).or_default()[index] += 1;
                }
            }
            _ => {}
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (own, other) in self.asked.iter_mut().zip(other.asked) {
            *own = (own.0 + other.0, own.1 + other.1);
        }
        for (name, counts) in &other.stricter {
            let own = self.stricter.entry(name).or_default();
            own.iter_mut().zip(counts).for_each(|(own, count)| *own += count);
        }
    }
}

impl fmt::Display for Directions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |counts: [usize; 4]| counts.map(|count| format!("{count:>11}")).concat();
        writeln!(f, "      ALLOW  ALLOW not       DENY   DENY not  a field alone")?;
        writeln!(f, "{}  asked", row(self.asked.map(|(asked, _)| asked)))?;
        writeln!(f, "{}  looser", row(self.asked.map(|(_, looser)| looser)))?;
        for (name, counts) in &self.stricter {
            writeln!(f, "{}  stricter: {name}", row(*counts))?;
        }
        Ok(())
    }
}

//! What tests reach of a policy: which rules matched, and which conditions held and did not hold.

use lychgate_core::engine::{Engine, Examined};
use lychgate_core::policy::Sight;

use crate::input::Place;
use crate::subject::{Subject, conditions_of};

/// Whether something was ever true, and ever false.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Seen {
    held: bool,
    failed: bool,
}

impl Seen {
    fn note(&mut self, holds: bool) {
        self.held |= holds;
        self.failed |= !holds;
    }

    fn is_settled(self) -> bool {
        self.held && self.failed
    }
}

/// What was seen of the rules and conditions of one policy set, in the order of the engine.
#[derive(Debug, Clone)]
pub(crate) struct Coverage {
    rules: Vec<Seen>,
    conditions: Vec<Seen>,
}

impl Coverage {
    /// Nothing was seen yet.
    pub(crate) fn of(engine: &Engine) -> Self {
        let rules = engine.policies().rules();
        let conditions = rules.map(|rule| rule.all_conditions().count()).sum();
        Self {
            rules: vec![Seen::default(); engine.policies().rules().count()],
            conditions: vec![Seen::default(); conditions],
        }
    }

    /// Asks every rule and every condition about which something is still unknown.
    pub(crate) fn note(&mut self, seen: &Examined<'_>) {
        let sight = Sight::of(seen.facts);
        let mut conditions = self.conditions.iter_mut();
        for (rule, noted) in seen.policies.rules().zip(&mut self.rules) {
            if !noted.is_settled() {
                noted.note(rule.matches(&sight));
            }
            for (condition, noted) in rule.all_conditions().zip(&mut conditions) {
                if !noted.is_settled() {
                    noted.note(condition.holds(&sight));
                }
            }
        }
    }
}

/// What coverage says about one policy set.
#[derive(Debug, Clone, Default)]
pub(crate) struct Summary {
    pub(crate) policies: Counted,
    pub(crate) rules: Counted,
    pub(crate) conditions: Counted,
    pub(crate) gaps: Vec<Gap>,
}

/// How many of how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counted {
    pub(crate) reached: usize,
    pub(crate) all: usize,
}

impl Counted {
    fn add(&mut self, reached: bool) {
        self.all = self.all.saturating_add(1);
        self.reached = self.reached.saturating_add(usize::from(reached));
    }
}

/// Something that no test reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Gap {
    pub(crate) rule: String,
    /// The condition, or none for the rule itself.
    pub(crate) condition: Option<String>,
    /// `matched`, `true` or `false`: what it never was.
    pub(crate) never: &'static str,
    pub(crate) place: Option<Place>,
}

impl Summary {
    /// Counts, and lists what was not reached. A policy is reached when one of its rules matched.
    pub(crate) fn of(subject: &Subject, coverage: &Coverage) -> Self {
        let mut summary = Self::default();
        let mut conditions = coverage.conditions.iter();
        let mut reached: Vec<(&str, bool)> = Vec::new();
        for (rule, seen) in subject.engine.policies().rules().zip(&coverage.rules) {
            let name = rule.name();
            let text = format!("{}#{}", name.policy, name.rule);
            summary.rules.add(seen.held);
            match reached.last_mut() {
                Some((policy, any)) if *policy == &**name.policy => *any |= seen.held,
                _ => reached.push((name.policy, seen.held)),
            }
            let resource = subject.bundle.policy(name.policy);
            if !seen.held {
                let pointer = format!("/spec/rules/{}", name.rule);
                let place = resource.map(|(place, node)| place.at(Some(node.mark_of(&pointer))));
                summary.gaps.push(Gap {
                    rule: text.clone(),
                    condition: None,
                    never: "matched",
                    place,
                });
            }
            let written =
                resource.map(|(place, node)| (place, node, conditions_of(node, name.rule)));
            for (index, condition) in rule.all_conditions().enumerate() {
                let seen = conditions.next().copied().unwrap_or_default();
                summary.conditions.add(seen.is_settled());
                let place = written.as_ref().and_then(|(place, node, written)| {
                    Some(place.at(Some(node.mark_of(&written.get(index)?.pointer))))
                });
                for (happened, never) in [(seen.held, "true"), (seen.failed, "false")] {
                    if !happened {
                        let condition = Some(condition.label().to_owned());
                        let (rule, place) = (text.clone(), place.clone());
                        summary.gaps.push(Gap { rule, condition, never, place });
                    }
                }
            }
        }
        reached.iter().for_each(|(_, any)| summary.policies.add(*any));
        summary
    }
}

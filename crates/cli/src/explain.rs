//! Why one request gets the verdict that it gets: the pipeline step by step, each rule with its
//! conditions, and the smallest change that would turn the verdict.

pub(crate) mod curl;
pub(crate) mod record;
pub(crate) mod report;
mod steps;

use lychgate_core::decision::Decision;
use lychgate_core::engine::{Engine, Examined};
use lychgate_core::policy::{Effect, Facts, RuleView, Sight};

use crate::input::Place;
use crate::scenario::Scenario;
use crate::subject::{KeyStore, Subject, Written, conditions_of};

pub(crate) use steps::{Outcome, Step, meaning, remedy, steps};

/// One condition of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Condition {
    /// Such as `from[1].source.principals`.
    pub(crate) name: String,
    /// As audit records name it.
    pub(crate) label: String,
    /// Whether it holds; none where the input does not say.
    pub(crate) holds: Option<bool>,
    pub(crate) values: Vec<String>,
    pub(crate) place: Option<Place>,
}

impl Condition {
    /// What must be so for it to hold.
    pub(crate) fn demand(&self) -> String {
        let values = self.values.join(", ");
        let quantity = if self.is_negated() { "none of" } else { "one of" };
        format!("{} {quantity} [{values}]", self.name)
    }

    fn is_negated(&self) -> bool {
        self.label.rsplit('.').next().is_some_and(|field| field.starts_with("not"))
    }
}

/// One rule of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    /// `namespace/name#index`.
    pub(crate) name: String,
    pub(crate) effect: Effect,
    /// Whether it matches; none where the input does not say enough.
    pub(crate) matched: Option<bool>,
    pub(crate) conditions: Vec<Condition>,
    /// The conditions, by index, that would have to hold as well.
    pub(crate) missing: Vec<usize>,
    pub(crate) place: Option<Place>,
}

impl Rule {
    pub(crate) fn missing(&self) -> impl Iterator<Item = &Condition> {
        self.missing.iter().filter_map(|index| self.conditions.get(*index))
    }
}

/// What would turn the verdict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Flip {
    pub(crate) summary: String,
    pub(crate) changes: Vec<String>,
}

/// Everything about one request.
#[derive(Debug)]
pub(crate) struct Explanation {
    pub(crate) decision: Decision,
    pub(crate) steps: Vec<Step>,
    /// In the order of evaluation; empty if the request is refused before policy.
    pub(crate) rules: Vec<Rule>,
    pub(crate) flip: Flip,
}

/// Explains a request.
pub(crate) fn explain(subject: &mut Subject, scenario: &Scenario) -> Explanation {
    subject.at(scenario.now);
    let Subject { engine, store, .. } = subject;
    let decision = scenario.decide(engine, store);
    let held = look(engine, scenario, store).unwrap_or_default();
    let rules = rules(subject, &held);
    let flip = flip(&decision, &rules);
    let steps = steps(&decision, scenario);
    Explanation { decision, steps, rules, flip }
}

/// For each rule whether it matches and which of its conditions hold.
pub(crate) struct Held {
    pub(crate) matched: Option<bool>,
    pub(crate) conditions: Vec<Option<bool>>,
    pub(crate) missing: Vec<usize>,
}

fn look(engine: &Engine, scenario: &Scenario, store: &mut KeyStore) -> Option<Vec<Held>> {
    scenario.examine(engine, store, |seen: Examined<'_>| held(&seen, seen.facts, |_| true))
}

/// What holds under these facts; `known` says of a condition's name whether the facts are enough.
pub(crate) fn held(
    seen: &Examined<'_>,
    facts: &Facts<'_>,
    known: impl Fn(&str) -> bool,
) -> Vec<Held> {
    let sight = Sight::of(facts);
    seen.policies.rules().map(|rule| held_of(&rule, &sight, &known)).collect()
}

fn held_of(rule: &RuleView<'_>, sight: &Sight<'_>, known: &impl Fn(&str) -> bool) -> Held {
    let conditions: Vec<Option<bool>> = rule
        .all_conditions()
        .map(|condition| known(condition.label()).then(|| condition.holds(sight)))
        .collect();
    let matched = matched(rule, &conditions);
    let missing = if matched == Some(true) { Vec::new() } else { nearest(rule, &conditions) };
    Held { matched, conditions, missing }
}

/// Some `from`, some `to` and all of `when`, where each may be unknown.
fn matched(rule: &RuleView<'_>, held: &[Option<bool>]) -> Option<bool> {
    let entries = Entries::of(rule);
    let any = |groups: &[core::ops::Range<usize>]| {
        if groups.is_empty() {
            return Some(true);
        }
        let outcomes: Vec<_> = groups.iter().map(|group| all(held, group)).collect();
        if outcomes.contains(&Some(true)) {
            Some(true)
        } else if outcomes.contains(&None) {
            None
        } else {
            Some(false)
        }
    };
    let parts = [any(&entries.sources), any(&entries.operations), all(held, &entries.conditions)];
    if parts.contains(&Some(false)) {
        Some(false)
    } else if parts.contains(&None) {
        None
    } else {
        Some(true)
    }
}

fn all(held: &[Option<bool>], group: &core::ops::Range<usize>) -> Option<bool> {
    let group = held.get(group.clone()).unwrap_or_default();
    if group.contains(&Some(false)) {
        Some(false)
    } else if group.contains(&None) {
        None
    } else {
        Some(true)
    }
}

/// The conditions that fail or are unknown, with as few entries of `from` and `to` as possible.
fn nearest(rule: &RuleView<'_>, held: &[Option<bool>]) -> Vec<usize> {
    let entries = Entries::of(rule);
    let failing = |group: &core::ops::Range<usize>| -> Vec<usize> {
        group.clone().filter(|index| held.get(*index) != Some(&Some(true))).collect()
    };
    let best = |groups: &[core::ops::Range<usize>]| {
        groups.iter().map(failing).min_by_key(Vec::len).unwrap_or_default()
    };
    let mut missing = best(&entries.sources);
    missing.extend(best(&entries.operations));
    missing.extend(failing(&entries.conditions));
    missing
}

/// Which conditions of a rule stand in which entry.
struct Entries {
    sources: Vec<core::ops::Range<usize>>,
    operations: Vec<core::ops::Range<usize>>,
    conditions: core::ops::Range<usize>,
}

impl Entries {
    fn of(rule: &RuleView<'_>) -> Self {
        let mut next = 0_usize;
        let mut range = |count: usize| {
            let start = next;
            next = next.saturating_add(count);
            start..next
        };
        Self {
            sources: rule.sources().map(|entry| range(entry.count())).collect(),
            operations: rule.operations().map(|entry| range(entry.count())).collect(),
            conditions: range(rule.conditions().count()),
        }
    }
}

/// Puts together what holds and what was written.
pub(crate) fn rules(subject: &Subject, held: &[Held]) -> Vec<Rule> {
    let rules = subject.engine.policies().rules();
    rules.zip(held).map(|(rule, held)| rule_of(subject, &rule, held)).collect()
}

fn rule_of(subject: &Subject, rule: &RuleView<'_>, held: &Held) -> Rule {
    let name = rule.name();
    let resource = subject.bundle.policy(name.policy);
    let written = resource.map(|(_, node)| conditions_of(node, name.rule)).unwrap_or_default();
    let at = |pointer: &str| resource.map(|(place, node)| place.at(Some(node.mark_of(pointer))));
    let conditions = rule.all_conditions().zip(&held.conditions).enumerate();
    let conditions = conditions.map(|(index, (condition, holds))| {
        let written = written.get(index).filter(|written| written.label == condition.label());
        Condition {
            name: written.map_or_else(|| condition.label().to_owned(), short),
            label: condition.label().to_owned(),
            holds: *holds,
            values: written.map(|written| written.values.clone()).unwrap_or_default(),
            place: written.and_then(|written| at(&written.pointer)),
        }
    });
    Rule {
        name: format!("{}#{}", name.policy, name.rule),
        effect: rule.effect(),
        matched: held.matched,
        conditions: conditions.collect(),
        missing: held.missing.clone(),
        place: at(&format!("/spec/rules/{}", name.rule)),
    }
}

/// `from[1].source.principals` for `/spec/rules/0/from/1/source/principals`; conditions of `when`
/// keep their key.
fn short(written: &Written) -> String {
    let parts: Vec<&str> = written.place().collect();
    match parts.as_slice() {
        [list, index, member, field] => format!("{list}[{index}].{member}.{field}"),
        _ => written.label.clone(),
    }
}

/// The smallest change that turns the verdict, as far as policies decided it.
fn flip(decision: &Decision, rules: &[Rule]) -> Flip {
    let matching = |effect: Effect| {
        rules.iter().filter(move |rule| rule.effect == effect && rule.matched == Some(true))
    };
    let allowing = || rules.iter().filter(|rule| rule.effect == Effect::Allow);
    let nearest = allowing().min_by_key(|rule| rule.missing.len());
    let denying: Vec<&Rule> = matching(Effect::Deny).collect();
    if rules.is_empty() && decision.findings().rule.is_none() {
        return Flip { summary: remedy(decision.reason()).to_owned(), changes: Vec::new() };
    }
    if !denying.is_empty() {
        let mut changes: Vec<String> = denying.iter().map(|rule| lose_one(rule)).collect();
        match nearest {
            Some(rule) if !rule.missing.is_empty() => changes.push(gain_all(rule)),
            _ => {}
        }
        return Flip { summary: "it would be allowed if".to_owned(), changes };
    }
    let granting: Vec<&Rule> = matching(Effect::Allow).collect();
    if !granting.is_empty() {
        let changes = granting.iter().map(|rule| lose_one(rule)).collect();
        return Flip { summary: "it would be refused if".to_owned(), changes };
    }
    match nearest {
        Some(rule) => {
            Flip { summary: "it would be allowed if".to_owned(), changes: vec![gain_all(rule)] }
        }
        None => Flip { summary: remedy(decision.reason()).to_owned(), changes: Vec::new() },
    }
}

fn lose_one(rule: &Rule) -> String {
    let names: Vec<&str> = rule
        .conditions
        .iter()
        .filter(|condition| condition.holds == Some(true))
        .map(|condition| condition.name.as_str())
        .collect();
    if names.is_empty() {
        format!("{} were removed: it has no conditions", rule.name)
    } else {
        format!("{} no longer matched: one of {} would have to fail", rule.name, names.join(", "))
    }
}

fn gain_all(rule: &Rule) -> String {
    let demands: Vec<String> = rule.missing().map(Condition::demand).collect();
    format!("{} matched: {}", rule.name, demands.join(" and "))
}

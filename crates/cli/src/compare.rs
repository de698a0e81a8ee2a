//! What changes for callers between two policies: concrete requests that one allows and the other
//! refuses.
//!
//! A policy looks at a request through a finite number of conditions, each about one thing: the
//! method, the path, the peer, one claim. For each thing there are only so many values that any
//! condition can tell apart ([`candidates`]), and a request is one choice for each. If two policies
//! differ anywhere, they differ on a request that a rule matches which only one of them has. So for
//! each such rule the choices are searched ([`search`]), cutting off wherever both verdicts are
//! already the same whatever else is chosen. What is found is then decided by both engines in full;
//! nothing else is reported.

mod candidates;
mod request;
mod search;

use lychgate_core::decision::Verdict;
use lychgate_core::policy::Effect;

use crate::subject::{Subject, conditions_of};
use candidates::Thing;
pub(crate) use request::Witness;
use search::Side;

/// Most requests that are told for one rule.
const TOLD: usize = 3;

/// Which of the two policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Which {
    Old,
    New,
}

/// A difference for callers, under the rule by which it was found.
#[derive(Debug, Clone)]
pub(crate) struct Difference {
    /// The rule that only this policy has.
    pub(crate) rule: String,
    pub(crate) only_in: Which,
    pub(crate) witness: Witness,
    /// What each policy says: whether it allows, and why.
    pub(crate) old: Said,
    pub(crate) new: Said,
}

/// What a policy says about a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) allows: bool,
    pub(crate) reason: &'static str,
    pub(crate) rule: Option<String>,
}

/// The result of a comparison.
#[derive(Debug, Clone, Default)]
pub(crate) struct Comparison {
    pub(crate) differences: Vec<Difference>,
    /// Why the search is not complete; empty if it is.
    pub(crate) bounds: Vec<String>,
}

/// Compares two policies.
pub(crate) fn compare(old: &mut Subject, new: &mut Subject) -> Comparison {
    let mut comparison = Comparison { bounds: surroundings(old, new), ..Comparison::default() };
    let all_differ = !comparison.bounds.is_empty();
    let conditions = [written(old), written(new)];
    let (things, bounds) = candidates::of(&conditions.concat(), &[old, new]);
    comparison.bounds.extend(bounds);
    let sides = [Side::of(old, &things), Side::of(new, &things)];
    let texts = [rule_texts(old), rule_texts(new)];
    for (which, own, other) in [(Which::Old, 0, 1), (Which::New, 1, 0)] {
        let (Some(side), Some(own), Some(other)) =
            (sides.get(own), texts.get(own), texts.get(other))
        else {
            continue;
        };
        for (index, (name, text)) in own.iter().enumerate() {
            if !all_differ && other.iter().any(|(_, known)| known == text) {
                continue;
            }
            let found = search::search(&sides, side, index, &things);
            comparison.bounds.extend(found.bound);
            let before = comparison.differences.len();
            for choice in found.witnesses {
                if comparison.differences.len().saturating_sub(before) >= TOLD {
                    break;
                }
                let witness = Witness::of(&things, &choice);
                let said = (say(old, &witness), say(new, &witness));
                if let (Some(old), Some(new)) = said
                    && old.allows != new.allows
                {
                    let rule = name.clone();
                    comparison.add(Difference { rule, only_in: which, witness, old, new });
                }
            }
        }
    }
    comparison.bounds.sort();
    comparison.bounds.dedup();
    comparison
}

impl Comparison {
    /// The same request is not told twice.
    fn add(&mut self, difference: Difference) {
        let known = |d: &Difference| d.witness == difference.witness;
        if !self.differences.iter().any(known) {
            self.differences.push(difference);
        }
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.bounds.is_empty()
    }
}

/// What both engines are asked: with a token made for each, and the peer verified.
fn say(subject: &mut Subject, witness: &Witness) -> Option<Said> {
    let scenario = witness.scenario(subject)?;
    subject.at(scenario.now);
    let decision = scenario.decide(&subject.engine, &mut subject.store);
    let rule = decision.findings().rule.as_ref();
    Some(Said {
        allows: decision.verdict() == Verdict::Allow,
        reason: decision.reason().code(),
        rule: rule.map(|rule| format!("{}#{}", rule.policy, rule.rule)),
    })
}

/// What differs besides rules. Such differences are seen only as far as the requests show them.
fn surroundings(old: &Subject, new: &Subject) -> Vec<String> {
    let parse = |subject: &Subject| -> serde_json::Value {
        let selected = lychgate_core::select(subject.bundle.text.as_bytes()).unwrap_or_default();
        serde_json::from_str(&selected).unwrap_or_default()
    };
    let (old, new) = (parse(old), parse(new));
    let mut bounds = Vec::new();
    for (pointer, what) in [
        ("/settings", "the settings differ"),
        ("/workload/trustDomain", "the trust domains differ"),
        ("/workload/trustDomainAliases", "the trust domains differ"),
        ("/workload/kind", "the kinds of the workload differ"),
    ] {
        if old.pointer(pointer) != new.pointer(pointer) {
            bounds.push(format!("{what}: seen only as far as these requests show it"));
        }
    }
    for kind in ["RequestAuthentication", "PeerAuthentication"] {
        let of_kind = |bundle: &serde_json::Value| -> Vec<serde_json::Value> {
            let list = bundle.get("resources").and_then(serde_json::Value::as_array);
            let list = list.into_iter().flatten();
            let of_kind =
                list.filter(|resource| resource.get("kind").and_then(|k| k.as_str()) == Some(kind));
            let mut specs: Vec<_> =
                of_kind.filter_map(|resource| resource.get("spec").cloned()).collect();
            specs.sort_by_key(ToString::to_string);
            specs
        };
        if of_kind(&old) != of_kind(&new) {
            bounds.push(format!("{kind} differs: seen only as far as these requests show it"));
        }
    }
    bounds
}

/// The conditions of a policy: what each is about, and its values.
fn written(subject: &Subject) -> Vec<(Thing, Vec<String>)> {
    let mut conditions = Vec::new();
    for rule in subject.engine.policies().rules() {
        let name = rule.name();
        let Some((_, node)) = subject.bundle.policy(name.policy) else { continue };
        let home = name.policy.split('/').next().unwrap_or_default();
        for condition in conditions_of(node, name.rule) {
            let field = condition.label.rsplit('.').next().unwrap_or_default();
            let about_account =
                field.ends_with("erviceAccounts") || condition.label.contains("serviceAccount]");
            let values = condition.values.into_iter().map(|value| match value.contains('/') {
                // An account alone is one of the policy's own namespace.
                false if about_account => format!("{home}/{value}"),
                _ => value,
            });
            conditions.push((Thing::of(&condition.label), values.collect()));
        }
    }
    conditions
}

/// Each rule that decides, with a text that is equal where rules do the same.
fn rule_texts(subject: &Subject) -> Vec<(String, String)> {
    let mut texts = Vec::new();
    for rule in subject.engine.policies().rules() {
        let effect = rule.effect();
        if !matches!(effect, Effect::Deny | Effect::Allow) {
            continue;
        }
        let name = rule.name();
        let node = subject.bundle.policy(name.policy);
        let mut lines: Vec<String> = node
            .map(|(_, node)| conditions_of(node, name.rule))
            .unwrap_or_default()
            .into_iter()
            .map(|mut condition| {
                condition.values.sort();
                let place = condition.place().collect::<Vec<_>>().join("/");
                // The order of entries says nothing inside one condition of `when`.
                let place = if place.starts_with("when") { String::new() } else { place };
                format!("{place} {} {:?}", condition.label, condition.values)
            })
            .collect();
        lines.sort();
        let text = format!("{effect:?} {}", lines.join("\n"));
        texts.push((format!("{}#{}", name.policy, name.rule), text));
    }
    texts
}

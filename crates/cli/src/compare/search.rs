//! Searching the choices for one on which two policies differ.

use lychgate_core::policy::{ConditionView, Effect, RuleView, Sight};

use super::candidates::{Thing, Things, Value};
use super::request::Witness;
use crate::subject::Subject;

/// Most choices that are looked at for one rule.
const NODES: usize = 50_000;

/// Most requests that are tried for one rule.
const WITNESSES: usize = 16;

/// Whether a choice satisfies a condition, by thing and value: one bit for each alternative that
/// survives it.
type Bits = Vec<u64>;

/// One policy, as alternatives: a rule matches if one of its combinations of a `from` and a `to`
/// holds, together with its `when`.
pub(super) struct Side {
    alternatives: Vec<Alternative>,
    /// For each thing and each of its values: which alternatives survive.
    survive: Vec<Vec<Bits>>,
    restricts: bool,
}

#[derive(Debug)]
struct Alternative {
    rule: usize,
    denies: bool,
    /// The things that it has conditions on, by index.
    reads: Vec<usize>,
}

impl Side {
    pub(super) fn of(subject: &Subject, things: &Things) -> Self {
        let policies = subject.engine.policies();
        let mut alternatives = Vec::new();
        let mut conditions = Vec::new();
        let rules = policies.rules();
        let rules = rules.filter(|rule| matches!(rule.effect(), Effect::Deny | Effect::Allow));
        for (number, rule) in rules.enumerate() {
            for all in combinations(&rule) {
                let denies = rule.effect() == Effect::Deny;
                alternatives.push(Alternative { rule: number, denies, reads: reads(&all, things) });
                conditions.push(all);
            }
        }
        let survive = things.iter().map(|(thing, values)| {
            values.iter().map(|value| surviving(&conditions, thing, value)).collect()
        });
        Self { survive: survive.collect(), alternatives, restricts: policies.restricts() }
    }

    fn all(&self) -> Bits {
        let mut bits = vec![0; self.alternatives.len().div_ceil(64)];
        (0..self.alternatives.len()).for_each(|index| set(&mut bits, index));
        bits
    }

    fn after(&self, bits: &Bits, thing: usize, value: usize) -> Bits {
        let survive = self.survive.get(thing).and_then(|values| values.get(value));
        let survive = survive.map(Vec::as_slice).unwrap_or_default();
        bits.iter().zip(survive).map(|(one, other)| one & other).collect()
    }

    /// What the policy says if it is already sure.
    fn verdict(&self, bits: &Bits, chosen: &[Option<usize>]) -> Option<bool> {
        let (mut may_deny, mut may_allow, mut allows) = (false, false, !self.restricts);
        for alternative in self.alive(bits) {
            let sure = alternative
                .reads
                .iter()
                .all(|thing| chosen.get(*thing).copied().flatten().is_some());
            match (alternative.denies, sure) {
                (true, true) => return Some(false),
                (true, false) => may_deny = true,
                (false, true) => allows = true,
                (false, false) => may_allow = true,
            }
        }
        match (may_deny, allows, may_allow) {
            (false, true, _) => Some(true),
            (_, false, false) => Some(false),
            _ => None,
        }
    }

    fn alive<'s>(&'s self, bits: &'s Bits) -> impl Iterator<Item = &'s Alternative> {
        let alive = self.alternatives.iter().enumerate();
        alive.filter(|(index, _)| get(bits, *index)).map(|(_, alternative)| alternative)
    }
}

/// A condition, and what it is about.
type About<'p> = (Thing, ConditionView<'p>);

/// Each `from` with each `to`, together with `when`.
fn combinations<'p>(rule: &RuleView<'p>) -> Vec<Vec<About<'p>>> {
    let about = |condition: ConditionView<'p>| (Thing::of(condition.label()), condition);
    let mut sources: Vec<Vec<_>> = rule.sources().map(|entry| entry.map(about).collect()).collect();
    let operations = rule.operations().map(|entry| entry.map(about).collect());
    let mut operations: Vec<Vec<_>> = operations.collect();
    // An absent list is no condition.
    for list in [&mut sources, &mut operations] {
        if list.is_empty() {
            list.push(Vec::new());
        }
    }
    let mut all = Vec::new();
    for source in &sources {
        for operation in &operations {
            let conditions = source.iter().chain(operation).cloned();
            all.push(conditions.chain(rule.conditions().map(about)).collect());
        }
    }
    all
}

/// The things that conditions are about, by index. A claim is only there with a token.
fn reads(conditions: &[About<'_>], things: &Things) -> Vec<usize> {
    let index = |thing: &Thing| things.iter().position(|(known, _)| known == thing);
    let mut reads: Vec<usize> = conditions.iter().filter_map(|(thing, _)| index(thing)).collect();
    if conditions.iter().any(|(thing, _)| matches!(thing, Thing::Claim(_))) {
        reads.extend(index(&Thing::Principal));
    }
    reads.sort_unstable();
    reads.dedup();
    reads
}

/// Which alternatives a value of a thing leaves.
fn surviving(conditions: &[Vec<About<'_>>], thing: &Thing, value: &Value) -> Bits {
    Witness::only(thing, value).with_facts(|facts| {
        let sight = Sight::of(facts);
        let mut bits = vec![0; conditions.len().div_ceil(64)];
        for (index, all) in conditions.iter().enumerate() {
            let mut about = all.iter().filter(|(about, _)| is_about(about, thing, value));
            if about.all(|(_, condition)| condition.holds(&sight)) {
                set(&mut bits, index);
            }
        }
        bits
    })
}

/// Whether a condition can be answered by this value alone. Without a token there are no claims
/// either.
fn is_about(condition: &Thing, thing: &Thing, value: &Value) -> bool {
    let without_token = *thing == Thing::Principal && value.is_none();
    condition == thing || (without_token && matches!(condition, Thing::Claim(_)))
}

fn set(bits: &mut [u64], index: usize) {
    if let (Some(word), Some(bit)) = (bits.get_mut(index / 64), 1_u64.checked_shl(low(index))) {
        *word |= bit;
    }
}

fn get(bits: &[u64], index: usize) -> bool {
    bits.get(index / 64)
        .zip(1_u64.checked_shl(low(index)))
        .is_some_and(|(word, bit)| word & bit != 0)
}

fn low(index: usize) -> u32 {
    u32::try_from(index % 64).unwrap_or(0)
}

/// What a search brought.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// A value for each thing, by index.
    pub(super) witnesses: Vec<Vec<usize>>,
    pub(super) bound: Option<String>,
}

/// Searches the requests that one rule of `own` matches for those on which the sides differ.
pub(super) fn search(sides: &[Side; 2], own: &Side, rule: usize, things: &Things) -> Found {
    let mut search = Search { sides, things, nodes: 0, found: Found::default() };
    let of_rule = own.alternatives.iter().enumerate().filter(|(_, a)| a.rule == rule);
    for (index, _) in of_rule {
        let allowed: Vec<Vec<usize>> = own
            .survive
            .iter()
            .map(|values| {
                let fits = values.iter().enumerate().filter(|(_, bits)| get(bits, index));
                fits.map(|(value, _)| value).collect()
            })
            .collect();
        let alive = sides.each_ref().map(Side::all);
        search.go(&allowed, &alive, &mut vec![None; things.len()]);
    }
    search.found
}

struct Search<'a> {
    sides: &'a [Side; 2],
    things: &'a Things,
    nodes: usize,
    found: Found,
}

impl Search<'_> {
    /// Goes through the values of one more thing; true when there is nothing more to look for.
    fn go(
        &mut self,
        allowed: &[Vec<usize>],
        alive: &[Bits; 2],
        chosen: &mut Vec<Option<usize>>,
    ) -> bool {
        self.nodes = self.nodes.saturating_add(1);
        if self.nodes > NODES {
            self.found.bound = Some(format!("more than {NODES} combinations for one rule"));
            return true;
        }
        let [old, new] = self.sides;
        let [old_alive, new_alive] = alive;
        match (old.verdict(old_alive, chosen), new.verdict(new_alive, chosen)) {
            (Some(one), Some(other)) if one == other => return false,
            (Some(_), Some(_)) => return self.note(allowed, chosen),
            _ => {}
        }
        let Some(thing) = self.next(alive, chosen) else { return false };
        // Values that let the same alternatives survive are one value.
        let mut seen: Vec<[Bits; 2]> = Vec::new();
        for value in allowed.get(thing).into_iter().flatten() {
            if !self.fits(thing, *value, chosen) {
                continue;
            }
            let after = [old.after(old_alive, thing, *value), new.after(new_alive, thing, *value)];
            if seen.contains(&after) {
                continue;
            }
            if let Some(place) = chosen.get_mut(thing) {
                *place = Some(*value);
            }
            let stop = self.go(allowed, &after, chosen);
            if let Some(place) = chosen.get_mut(thing) {
                *place = None;
            }
            if stop {
                return true;
            }
            seen.push(after);
        }
        false
    }

    /// Whether a value goes with what is chosen: claims need a token.
    fn fits(&self, thing: usize, value: usize, chosen: &[Option<usize>]) -> bool {
        let is_claim = |index: usize| {
            self.things.get(index).is_some_and(|(thing, _)| matches!(thing, Thing::Claim(_)))
        };
        let principal = self.things.iter().position(|(thing, _)| *thing == Thing::Principal);
        let Some(principal) = principal else { return true };
        if is_claim(thing) {
            return value == 0 || chosen.get(principal).copied().flatten() != Some(0);
        }
        let claims = chosen.iter().enumerate().filter(|(index, _)| is_claim(*index));
        let has_claims = claims.into_iter().any(|(_, value)| value.is_some_and(|value| value != 0));
        !(thing == principal && value == 0 && has_claims)
    }

    /// The thing without a choice that most of the surviving alternatives have conditions on.
    fn next(&self, alive: &[Bits; 2], chosen: &[Option<usize>]) -> Option<usize> {
        let mut counts = vec![0_usize; self.things.len()];
        for (side, bits) in self.sides.iter().zip(alive) {
            for thing in side.alive(bits).flat_map(|alternative| &alternative.reads) {
                if let Some(count) = counts.get_mut(*thing) {
                    *count = count.saturating_add(1);
                }
            }
        }
        let open = counts
            .into_iter()
            .enumerate()
            .filter(|(thing, count)| *count > 0 && chosen.get(*thing).copied().flatten().is_none());
        open.max_by_key(|(thing, count)| (*count, core::cmp::Reverse(*thing)))
            .map(|(thing, _)| thing)
    }

    fn note(&mut self, allowed: &[Vec<usize>], chosen: &[Option<usize>]) -> bool {
        // Where it does not matter, somebody calls: a peer may be required before any policy.
        let rest = |thing: usize| {
            let values = allowed.get(thing)?;
            let is_peer = self.things.get(thing).is_some_and(|(thing, _)| *thing == Thing::Peer);
            let somebody = values.iter().find(|value| is_peer && **value != 0);
            somebody.or(values.first()).copied()
        };
        let choice = chosen.iter().enumerate();
        let choice = choice.map(|(thing, value)| value.or_else(|| rest(thing)).unwrap_or(0));
        self.found.witnesses.push(choice.collect());
        self.found.witnesses.len() >= WITNESSES
    }
}

//! The index: which rules can match a request at all.
//!
//! Every rule demands something of some dimension, or of none. It is filed once, under the
//! dimension in which its demands are shared by the fewest other rules, so a request meets the rules
//! that are filed under its own values and the few that are filed under nothing. What is found is
//! every rule that can match and some that can't; each is then evaluated in full.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::facts::View;
use super::pattern::Case;
use super::rule::{All, CompiledRule};
use super::table::Table;
use crate::order;

/// What a rule may demand of one value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Exact(Box<[u8]>),
    Prefix(Box<[u8]>),
    Suffix(Box<[u8]>),
    Present,
}

impl Key {
    /// How many requests a key of this form lets through, as a factor.
    fn width(&self, rules: u64) -> u64 {
        match self {
            Self::Exact(_) => 1,
            Self::Prefix(text) | Self::Suffix(text) if text.len() > 1 => 2,
            // A slash or a single letter says as little as a star.
            Self::Prefix(_) | Self::Suffix(_) | Self::Present => rules,
        }
    }

    #[cfg(test)]
    pub(super) fn lower(self) -> Self {
        let lower = |text: Box<[u8]>| text.to_ascii_lowercase().into();
        match self {
            Self::Exact(text) => Self::Exact(lower(text)),
            Self::Prefix(text) => Self::Prefix(lower(text)),
            Self::Suffix(text) => Self::Suffix(lower(text)),
            Self::Present => Self::Present,
        }
    }
}

/// A value of a request by which rules are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Dimension {
    /// `sub` of the token.
    Subject,
    /// The principal of the peer.
    Peer,
    Path,
    Host,
    /// The namespace of the peer.
    Namespace,
    /// `iss` of the token.
    Issuer,
    Port,
    Method,
}

impl Dimension {
    /// The most telling first.
    const ALL: [Self; 8] = [
        Self::Subject,
        Self::Peer,
        Self::Path,
        Self::Host,
        Self::Namespace,
        Self::Issuer,
        Self::Port,
        Self::Method,
    ];

    /// Those that don't say who calls.
    const OPERATION: [Self; 4] = [Self::Path, Self::Host, Self::Port, Self::Method];

    fn case(self) -> Case {
        match self {
            Self::Host => Case::Folded,
            Self::Subject
            | Self::Peer
            | Self::Path
            | Self::Namespace
            | Self::Issuer
            | Self::Port
            | Self::Method => Case::Sensitive,
        }
    }

    fn value<'v>(self, view: &'v View<'_>) -> Option<&'v [u8]> {
        match self {
            Self::Subject => view.facts.subject.map(str::as_bytes),
            Self::Issuer => view.facts.issuer.map(str::as_bytes),
            Self::Path => view.facts.path.map(str::as_bytes),
            Self::Host => view.facts.host.map(str::as_bytes),
            Self::Peer => view.peer.map(|peer| peer.principal.as_bytes()),
            Self::Namespace => {
                view.peer.and_then(|peer| peer.workload).map(|(namespace, _)| namespace.as_bytes())
            }
            Self::Port => view.port.as_ref().map(<[u8; 2]>::as_slice),
            Self::Method => view.method(),
        }
    }
}

/// Rules by what they demand.
#[derive(Debug, Clone)]
pub(super) struct Index {
    tables: Box<[(Dimension, Table)]>,
    /// Rules that demand nothing of any dimension, in ascending order.
    unfiled: Box<[u32]>,
}

impl Index {
    /// Files rules by everything that can be looked up.
    pub(super) fn new(rules: &[CompiledRule]) -> Self {
        Self::over(&Dimension::ALL, rules)
    }

    /// Files rules only by what is called, not by who calls.
    pub(super) fn of_operations(rules: &[CompiledRule]) -> Self {
        Self::over(&Dimension::OPERATION, rules)
    }

    fn over(dimensions: &[Dimension], rules: &[CompiledRule]) -> Self {
        let demands: Vec<_> = rules.iter().map(|rule| demands(dimensions, rule)).collect();
        let mut all = Vec::new();
        for (dimension, keys) in demands.iter().flatten() {
            all.extend(keys.iter().map(|key| (*dimension, key)));
        }
        order::sort_by(&mut all, |a, b| a < b);
        let sharing = |demand: (Dimension, &Key)| {
            let first = all.partition_point(|other| *other < demand);
            let behind = all.partition_point(|other| *other <= demand);
            u64::try_from(behind.saturating_sub(first)).unwrap_or(u64::MAX)
        };
        let total = u64::try_from(rules.len()).unwrap_or(u64::MAX);
        let cost = |(dimension, keys): &&(Dimension, Vec<Key>)| {
            let shared =
                keys.iter().map(|key| sharing((*dimension, key)).saturating_mul(key.width(total)));
            (shared.max().unwrap_or(0), keys.len())
        };
        let mut filed: Vec<(Dimension, &Key, u32)> = Vec::new();
        let mut unfiled = Vec::new();
        for (rule, demands) in (0..).zip(&demands) {
            match demands.iter().min_by_key(cost) {
                None => unfiled.push(rule),
                Some((dimension, keys)) => {
                    filed.extend(keys.iter().map(|key| (*dimension, key, rule)));
                }
            }
        }
        order::sort_by(&mut filed, |a, b| a < b);
        let tables = filed.chunk_by(|(a, ..), (b, ..)| a == b).filter_map(|filed| {
            let (dimension, ..) = *filed.first()?;
            let entries = filed.chunk_by(|(_, a, _), (_, b, _)| a == b).filter_map(|entries| {
                let (_, key, _) = *entries.first()?;
                Some((key.clone(), entries.iter().map(|(.., rule)| *rule).collect()))
            });
            Some((dimension, Table::new(entries, dimension.case())))
        });
        Self { tables: tables.collect(), unfiled: unfiled.into() }
    }

    /// Gives lists of rules, each ascending, that together hold every rule that can match.
    pub(super) fn find<'t>(&'t self, view: &View<'_>, mut give: impl FnMut(&'t [u32])) {
        for (dimension, table) in &self.tables {
            if let Some(value) = dimension.value(view) {
                table.find(value, &mut give);
            }
        }
        if !self.unfiled.is_empty() {
            give(&self.unfiled);
        }
    }
}

/// What a rule demands, by dimension; each list holds every key that a match may have.
fn demands(dimensions: &[Dimension], rule: &CompiledRule) -> Vec<(Dimension, Vec<Key>)> {
    let mut demands = Vec::new();
    for dimension in dimensions {
        let entries = [&rule.sources, &rule.operations].into_iter().filter(|list| !list.is_empty());
        let by_entries = entries.filter_map(|list| demand_of_any(*dimension, list));
        let by_conditions = demand_of_all(*dimension, &rule.conditions);
        for mut keys in by_entries.chain(by_conditions) {
            order::sort_by(&mut keys, |a, b| a < b);
            keys.dedup();
            demands.push((*dimension, keys));
        }
    }
    demands
}

/// Where one entry suffices, every entry must demand something.
fn demand_of_any(dimension: Dimension, entries: &[All]) -> Option<Vec<Key>> {
    let mut keys = Vec::new();
    for checks in entries {
        keys.extend(demand_of_all(dimension, checks)?);
    }
    Some(keys)
}

/// Where all must hold, the demand of any one of them is a demand; the shortest list is taken.
fn demand_of_all(dimension: Dimension, checks: &All) -> Option<Vec<Key>> {
    let positive = checks.iter().filter(|check| !check.negated);
    positive.filter_map(|check| check.matcher.keys(dimension)).min_by_key(Vec::len)
}

//! A compiled rule.

use alloc::boxed::Box;

use super::check::{Assume, Check};
use super::facts::View;

/// Checks of which all must hold.
pub(super) type All = Box<[Check]>;

/// A compiled rule: some source, some operation and every condition must hold.
#[derive(Debug, Clone)]
pub(super) struct CompiledRule {
    /// The index of the policy's name.
    pub(super) policy: usize,
    /// The index of the rule in its policy.
    pub(super) number: u32,
    /// Empty is anybody.
    pub(super) sources: Box<[All]>,
    /// Empty is anything.
    pub(super) operations: Box<[All]>,
    pub(super) conditions: All,
}

impl CompiledRule {
    pub(super) fn matches(&self, view: &View<'_>, assume: Assume) -> bool {
        let all = |checks: &All| checks.iter().all(|check| check.holds(view, assume));
        let any = |entries: &[All]| entries.is_empty() || entries.iter().any(all);
        any(&self.operations) && any(&self.sources) && all(&self.conditions)
    }

    /// The conditions that would have to change, with as few of `from` and `to` as possible.
    pub(super) fn missing<'r>(
        &'r self,
        view: &View<'_>,
        assume: Assume,
    ) -> impl Iterator<Item = &'r Check> {
        let failing =
            move |checks: &'r All| checks.iter().filter(move |check| !check.holds(view, assume));
        let nearest = move |entries: &'r [All]| {
            entries
                .iter()
                .min_by_key(|checks| failing(checks).count())
                .into_iter()
                .flat_map(failing)
        };
        nearest(&self.sources).chain(nearest(&self.operations)).chain(failing(&self.conditions))
    }

    pub(super) fn checks(&self) -> impl Iterator<Item = &Check> {
        let entries = self.sources.iter().chain(&self.operations).flatten();
        entries.chain(&self.conditions)
    }
}

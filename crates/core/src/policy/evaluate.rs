//! From facts to a ruling.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::check::Assume;
use super::explain;
use super::facts::{Facts, View};
use super::index::Index;
use super::needs::Needs;
use super::rule::CompiledRule;
use crate::decision::Reason;

/// The compiled policies of one workload.
#[derive(Debug, Clone)]
pub struct PolicySet {
    names: Box<[Arc<str>]>,
    nameless: Arc<str>,
    deny: RuleSet,
    allow: RuleSet,
    audit: RuleSet,
    dry_deny: RuleSet,
    dry_allow: RuleSet,
    needs: Needs,
}

/// A rule, as decisions name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleRef<'p> {
    /// The policy, `namespace/name`.
    pub policy: &'p Arc<str>,
    /// The index of the rule in its policy.
    pub rule: u32,
}

/// What the policies say.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Ruling<'p> {
    /// One of [`Reason::AllowedByRule`], [`Reason::NoAllowPolicy`], [`Reason::DeniedByRule`] and
    /// [`Reason::NoRuleMatched`].
    pub reason: Reason,
    /// The rule that decided: the first that matched, in the order of the bundle.
    pub rule: Option<RuleRef<'p>>,
    /// The first rule of an AUDIT policy that matched.
    pub audited: Option<RuleRef<'p>>,
    /// What the ruling would be if dry-run policies were in force; absent if there are none.
    pub shadow: Option<Shadow<'p>>,
    /// What was lacking; present on every refusal.
    pub denial: Option<Denial<'p>>,
}

/// What the ruling would be if dry-run policies were in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shadow<'p> {
    /// As in [`Ruling`].
    pub reason: Reason,
    /// As in [`Ruling`].
    pub rule: Option<RuleRef<'p>>,
}

/// What a refused request lacked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Denial<'p> {
    /// The ALLOW rule that came nearest; absent when a DENY rule decided.
    pub nearest: Option<Nearest<'p>>,
    /// There was no token, and nothing but conditions on the token stood in the way: an ALLOW rule
    /// fails on nothing else, or every DENY rule that matched did so for want of a token.
    pub lacks_only_token: bool,
    /// There was a token, and an ALLOW rule lacks nothing but scopes: the scopes that it names.
    pub missing_scopes: Option<Vec<&'p str>>,
}

/// An ALLOW rule that did not match, and why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nearest<'p> {
    /// The rule.
    pub rule: RuleRef<'p>,
    /// The conditions that failed, by stable names such as `from.source.principals`,
    /// `to.operation.paths` and `when[request.auth.claims[scope]]`.
    pub missing: Vec<&'p str>,
}

impl PolicySet {
    pub(super) fn new(names: Vec<Box<str>>, sets: [RuleSet; 5], needs: Needs) -> Self {
        let [deny, allow, audit, dry_deny, dry_allow] = sets;
        let names = names.into_iter().map(Into::into).collect();
        Self { names, nameless: "".into(), deny, allow, audit, dry_deny, dry_allow, needs }
    }

    /// What the policies read of a request.
    #[must_use]
    pub fn needs(&self) -> &Needs {
        &self.needs
    }

    /// Whether any ALLOW policy is in force: without one, what no DENY rule matches may pass.
    #[must_use]
    pub fn restricts(&self) -> bool {
        self.allow.policies > 0
    }

    /// Decides: DENY, then ALLOW. AUDIT and dry-run policies are reported and change nothing.
    ///
    /// Allocates nothing unless it refuses.
    pub fn evaluate(&self, facts: &Facts<'_>) -> Ruling<'_> {
        let view = View::of(facts);
        let denied = self.deny.first(&view, Assume::Nothing);
        let allowed =
            if denied.is_some() { None } else { self.allow.first(&view, Assume::Nothing) };
        let (reason, rule) = self.rule_on(denied, allowed, self.restricts());
        let denial = match rule {
            Some(_) if denied.is_some() => Some(explain::by_deny(&self.deny, &view)),
            None if self.restricts() => Some(explain::by_default(self, &view)),
            Some(_) | None => None,
        };
        let audited = self.audit.first(&view, Assume::Nothing).map(|rule| self.name(rule));
        Ruling { reason, rule, audited, shadow: self.shadow(&view, denied, allowed), denial }
    }

    fn rule_on(
        &self,
        denied: Option<&CompiledRule>,
        allowed: Option<&CompiledRule>,
        restricted: bool,
    ) -> (Reason, Option<RuleRef<'_>>) {
        match (denied, allowed) {
            (Some(rule), _) => (Reason::DeniedByRule, Some(self.name(rule))),
            (None, Some(rule)) => (Reason::AllowedByRule, Some(self.name(rule))),
            (None, None) if restricted => (Reason::NoRuleMatched, None),
            (None, None) => (Reason::NoAllowPolicy, None),
        }
    }

    fn shadow(
        &self,
        view: &View<'_>,
        denied: Option<&CompiledRule>,
        allowed: Option<&CompiledRule>,
    ) -> Option<Shadow<'_>> {
        if self.dry_deny.policies == 0 && self.dry_allow.policies == 0 {
            return None;
        }
        let denied = denied.or_else(|| self.dry_deny.first(view, Assume::Nothing));
        let allowed = allowed.or_else(|| self.dry_allow.first(view, Assume::Nothing));
        let restricted = self.restricts() || self.dry_allow.policies > 0;
        let (reason, rule) = self.rule_on(denied, allowed, restricted);
        Some(Shadow { reason, rule })
    }

    pub(super) fn allow(&self) -> &RuleSet {
        &self.allow
    }

    /// The rules by action: DENY, ALLOW, AUDIT, then what is only tried out.
    pub(super) fn sets(&self) -> [&RuleSet; 5] {
        [&self.deny, &self.allow, &self.audit, &self.dry_deny, &self.dry_allow]
    }

    /// The names of all policies, in the order of the bundle.
    pub(super) fn names(&self) -> &[Arc<str>] {
        &self.names
    }

    pub(super) fn name(&self, rule: &CompiledRule) -> RuleRef<'_> {
        let policy = self.names.get(rule.policy).unwrap_or(&self.nameless);
        RuleRef { policy, rule: rule.number }
    }
}

/// The rules of one action, with their index.
#[derive(Debug, Clone)]
pub(super) struct RuleSet {
    policies: usize,
    rules: Box<[CompiledRule]>,
    index: Index,
    by_operation: Index,
}

impl RuleSet {
    pub(super) fn new(policies: usize, rules: Vec<CompiledRule>) -> Self {
        let (index, by_operation) = (Index::new(&rules), Index::of_operations(&rules));
        Self { policies, rules: rules.into(), index, by_operation }
    }

    /// The first rule that matches.
    pub(super) fn first(&self, view: &View<'_>, assume: Assume) -> Option<&CompiledRule> {
        let mut first = None;
        // Where token conditions are taken for granted, the token can't be what rules are found by.
        let index = if assume == Assume::Token { &self.by_operation } else { &self.index };
        index.find(view, |candidates| {
            let before = candidates.iter().take_while(|number| first.is_none_or(|f| **number < f));
            let matching = before
                .copied()
                .find(|number| self.rule(*number).is_some_and(|rule| rule.matches(view, assume)));
            first = matching.or(first);
        });
        first.and_then(|number| self.rule(number))
    }

    pub(super) fn rules(&self) -> &[CompiledRule] {
        &self.rules
    }

    pub(super) fn rule(&self, number: u32) -> Option<&CompiledRule> {
        self.rules.get(usize::try_from(number).ok()?)
    }

    /// Some rules that share as much as possible with a request: those found by everything, then
    /// those found by what is called, then the first ones.
    pub(super) fn near(&self, view: &View<'_>, most: usize) -> Vec<u32> {
        let mut near: Vec<u32> = Vec::with_capacity(most);
        for index in [&self.index, &self.by_operation] {
            let mut found = Vec::with_capacity(most);
            index.find(view, |candidates| {
                for number in candidates.iter().filter(|number| !near.contains(number)) {
                    if !insert_bounded(&mut found, *number, most) {
                        break;
                    }
                }
            });
            near.append(&mut found);
        }
        for (number, _) in (0..).zip(&self.rules) {
            if near.len() >= most {
                break;
            }
            if !near.contains(&number) {
                near.push(number);
            }
        }
        near.truncate(most);
        near
    }

    #[cfg(test)]
    pub(super) fn first_by_walking(
        &self,
        view: &View<'_>,
        assume: Assume,
    ) -> Option<&CompiledRule> {
        self.rules.iter().find(|rule| rule.matches(view, assume))
    }
}

/// Keeps the smallest numbers, in order; false if this one and all behind it are too large.
fn insert_bounded(numbers: &mut Vec<u32>, number: u32, most: usize) -> bool {
    let Err(place) = numbers.binary_search(&number) else { return true };
    if place >= most {
        return false;
    }
    numbers.truncate(most.saturating_sub(1));
    numbers.insert(place, number);
    true
}

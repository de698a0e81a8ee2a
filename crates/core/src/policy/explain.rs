//! What a refused request lacked. Bounded, and independent of how rules are found where an answer's
//! status depends on it.

use alloc::vec::Vec;

use super::attribute::Dependence;
use super::check::{Assume, Check};
use super::evaluate::{Denial, Nearest, PolicySet, RuleSet};
use super::facts::View;
use crate::limits;

/// A DENY rule matched.
pub(super) fn by_deny<'p>(deny: &RuleSet, view: &View<'_>) -> Denial<'p> {
    let lacks_only_token =
        view.facts.issuer.is_none() && deny.first(view, Assume::NoToken).is_none();
    Denial { lacks_only_token, ..Denial::default() }
}

/// No ALLOW rule matched.
pub(super) fn by_default<'p>(policies: &'p PolicySet, view: &View<'_>) -> Denial<'p> {
    let anonymous = view.facts.issuer.is_none();
    let allow = policies.allow();
    Denial {
        nearest: nearest(policies, view),
        lacks_only_token: anonymous && allow.first(view, Assume::Token).is_some(),
        missing_scopes: if anonymous { None } else { missing_scopes(allow, view) },
    }
}

fn nearest<'p>(policies: &'p PolicySet, view: &View<'_>) -> Option<Nearest<'p>> {
    let allow = policies.allow();
    let near = allow.near(view, limits::RULES_EXPLAINED).into_iter();
    let near = near.filter_map(|number| Some((number, allow.rule(number)?)));
    let (_, rule) =
        near.min_by_key(|(number, rule)| (rule.missing(view, Assume::Nothing).count(), *number))?;
    let missing = rule.missing(view, Assume::Nothing).map(|check| &*check.label).collect();
    Some(Nearest { rule: policies.name(rule), missing })
}

/// Only `when` can ask for scopes, so the conditions that fail are all that the rule lacks.
fn missing_scopes<'p>(allow: &'p RuleSet, view: &View<'_>) -> Option<Vec<&'p str>> {
    let rule = allow.first(view, Assume::Scopes)?;
    let failing = rule.conditions.iter().filter(|check| !check.holds(view, Assume::Nothing));
    let scopes = |check: &&Check| check.dependence == Dependence::Scope;
    let mut missing: Vec<&str> = Vec::new();
    for scope in failing.filter(scopes).flat_map(|check| check.matcher.scopes()) {
        if !missing.contains(&scope) {
            missing.push(scope);
        }
    }
    Some(missing)
}

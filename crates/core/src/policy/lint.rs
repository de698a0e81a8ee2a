//! What compiles and is probably not meant: the mistakes that Istio accepts in silence.
//!
//! Findings never change a decision, and nothing here runs while one is made. What depends on other
//! policies is looked at over all of them: a rule is shadowed or unreachable, a DENY can be evaded,
//! only in the light of the rest.

mod cover;
mod evasion;
mod identity;
mod rules;
mod values;
mod view;

use alloc::string::String;
use alloc::vec::Vec;

use super::resource::{Action, AuthorizationPolicySpec};
use crate::finding::FindingCode;
use crate::limits;
use evasion::AllowedPaths;
use view::RuleView;

/// A policy that applies, as it is written.
#[derive(Debug, Clone, Copy)]
pub struct LintedPolicy<'a> {
    /// The namespace.
    pub namespace: &'a str,
    /// The name.
    pub name: &'a str,
    /// Whether it is only tried out.
    pub dry_run: bool,
    /// The policy.
    pub spec: &'a AuthorizationPolicySpec,
}

impl LintedPolicy<'_> {
    /// Whether it can refuse or allow anything.
    #[must_use]
    pub fn is_enforced(&self) -> bool {
        !self.dry_run && matches!(self.spec.action, Action::Allow | Action::Deny)
    }
}

/// What findings depend on besides the policies.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// The trust domain of the mesh, then its aliases.
    pub trust_domains: &'a [String],
    /// Whether every connection has a verified peer.
    pub peer_required: bool,
    /// Claims that every accepted token has.
    pub required_claims: &'a [String],
}

/// Something in a policy that is probably not meant.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PolicyFinding {
    /// The index of the policy.
    pub policy: usize,
    /// The place inside its `spec`, as a JSON Pointer (RFC 6901).
    pub pointer: String,
    /// What kind of thing it is.
    pub code: FindingCode,
    /// What stands there, or the other place that it depends on; may be empty.
    pub detail: String,
}

/// How policies are looked through: [`lint`], or not at all.
pub type Lint = fn(&[LintedPolicy<'_>], &Surroundings<'_>) -> Vec<PolicyFinding>;

/// Looks through all policies that apply to a workload. They have been compiled without an error.
#[must_use]
pub fn lint(policies: &[LintedPolicy<'_>], surroundings: &Surroundings<'_>) -> Vec<PolicyFinding> {
    let views = policies.iter().enumerate();
    let views: Vec<_> = views
        .map(|(index, policy)| RuleView::of_policy(index, policy, surroundings.trust_domains))
        .collect();
    let enforced = |wanted: Action| {
        let chosen = move |(policy, _): &(&LintedPolicy<'_>, _)| {
            policy.is_enforced() && policy.spec.action == wanted
        };
        policies.iter().zip(&views).filter(chosen).flat_map(|(_, rules)| rules).collect::<Vec<_>>()
    };
    let (allow, deny) = (enforced(Action::Allow), enforced(Action::Deny));
    let mut lints = Lints {
        policies,
        surroundings,
        peer_demanded: !allow.is_empty() && allow.iter().all(|rule| rule.demands_peer()),
        token_demanded: !allow.is_empty() && allow.iter().all(|rule| rule.demands_token()),
        guards: deny.iter().copied().filter(|rule| rule.is_guard()).collect(),
        allowed_paths: allow.iter().map(|rule| AllowedPaths::of(rule)).collect(),
        allow,
        deny,
        pairs: limits::RULE_PAIRS,
        findings: Vec::new(),
    };
    for (policy, rules) in policies.iter().zip(&views) {
        lints.policy(policy, rules);
    }
    lints.pairs = limits::RULE_PAIRS;
    lints.coverage();
    lints.findings
}

/// The findings so far, and what is needed to make more.
struct Lints<'a> {
    policies: &'a [LintedPolicy<'a>],
    surroundings: &'a Surroundings<'a>,
    /// The rules that allow.
    allow: Vec<&'a RuleView<'a>>,
    /// The rules that deny.
    deny: Vec<&'a RuleView<'a>>,
    /// Whether every rule that allows demands a verified peer, or a token.
    peer_demanded: bool,
    token_demanded: bool,
    /// The rules that deny whoever lacks something.
    guards: Vec<&'a RuleView<'a>>,
    /// What `allow` says about paths.
    allowed_paths: Vec<AllowedPaths>,
    /// How many pairs of rules may still be compared.
    pairs: usize,
    findings: Vec<PolicyFinding>,
}

impl Lints<'_> {
    fn policy(&mut self, policy: &LintedPolicy<'_>, rules: &[RuleView<'_>]) {
        let grants = policy.spec.action == Action::Allow;
        for rule in rules {
            self.values(rule, grants);
        }
        match policy.spec.action {
            Action::Allow => {
                self.split(rules);
                rules.iter().for_each(|rule| self.generosity(rule));
                self.evasions(rules, grants);
            }
            Action::Deny => {
                rules.iter().for_each(|rule| self.absence(rule));
                self.evasions(rules, grants);
            }
            Action::Audit | Action::Custom => {}
        }
    }

    /// Whether so many more pairs of rules may be compared: loading stays quick however many there
    /// are.
    fn spend(&mut self, pairs: usize) -> bool {
        let left = self.pairs.checked_sub(pairs);
        self.pairs = left.unwrap_or(0);
        left.is_some()
    }

    fn add(
        &mut self,
        rule: &RuleView<'_>,
        below: &str,
        code: FindingCode,
        detail: impl Into<String>,
    ) {
        self.findings.push(PolicyFinding {
            policy: rule.policy,
            pointer: alloc::format!("/rules/{}{below}", rule.number),
            code,
            detail: detail.into(),
        });
    }
}

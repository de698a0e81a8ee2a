//! Whether one rule matches everything that another does.
//!
//! Judged by what is written, and only ever too carefully: where it is not plain that a rule covers
//! another, it does not.

use alloc::format;

use super::view::{Entry, RuleView, Term};
use super::{LintedPolicy, Lints};
use crate::finding::FindingCode;
use crate::policy::attribute::Attribute;

impl Lints<'_> {
    /// Rules without effect: another of the same action covers them, or a DENY covers an ALLOW.
    pub(super) fn coverage(&mut self) {
        for rules in [self.allow.clone(), self.deny.clone()] {
            for (index, rule) in rules.iter().enumerate() {
                let shadow = self.shadow(&rules, index, rule);
                self.note(FindingCode::ShadowedRule, rule, shadow);
            }
        }
        let deny = self.deny.clone();
        for rule in self.allow.clone() {
            let refusal = deny.iter().find(|refusal| self.spend(1) && covers(refusal, rule));
            self.note(FindingCode::UnreachableRule, rule, refusal.copied());
        }
    }

    /// Another rule that covers this one; of two that cover each other the first counts.
    fn shadow<'r>(
        &mut self,
        rules: &[&'r RuleView<'r>],
        index: usize,
        rule: &RuleView<'_>,
    ) -> Option<&'r RuleView<'r>> {
        let mut others = rules.iter().enumerate().filter(|(other, _)| *other != index);
        let is_shadow = |(at, other): &(usize, &&RuleView<'_>)| {
            self.spend(1) && covers(other, rule) && (*at < index || !covers(rule, other))
        };
        others.find(is_shadow).map(|(_, other)| *other)
    }

    fn note(&mut self, code: FindingCode, rule: &RuleView<'_>, by: Option<&RuleView<'_>>) {
        let Some(by) = by else { return };
        let Some(LintedPolicy { namespace, name, .. }) = self.policies.get(by.policy) else {
            return;
        };
        let detail = format!("by {namespace}/{name}, rule {}", by.number);
        self.add(rule, "", code, detail);
    }
}

/// Whether every request that `rule` matches is also matched by `cover`.
///
/// `cover` may also be a DENY and `rule` an ALLOW: where they read a value differently, a DENY
/// matches more.
pub(super) fn covers(cover: &RuleView<'_>, rule: &RuleView<'_>) -> bool {
    covers_any(&cover.sources, &rule.sources)
        && covers_any(&cover.operations, &rule.operations)
        && covers_all(&cover.conditions, &rule.conditions)
}

/// Entries are alternatives: each must have its cover. None at all is everything.
pub(super) fn covers_any(cover: &[Entry<'_>], entries: &[Entry<'_>]) -> bool {
    let has_cover = |entry| cover.iter().any(|cover| covers_all(cover, entry));
    cover.is_empty() || (!entries.is_empty() && entries.iter().all(has_cover))
}

/// Terms add up: each of the cover's must follow from one of the entry's.
fn covers_all(cover: &Entry<'_>, entry: &Entry<'_>) -> bool {
    cover.iter().all(|cover| entry.iter().any(|term| follows(cover, term)))
}

fn follows(cover: &Term<'_>, term: &Term<'_>) -> bool {
    let (wide, narrow) = if term.negated { (term, cover) } else { (cover, term) };
    let is_included =
        |value| wide.values.iter().any(|pattern| includes(&cover.attribute, pattern, value));
    cover.negated == term.negated
        && cover.attribute == term.attribute
        && narrow.values.iter().all(|value| is_included(value.as_ref()))
}

/// Whether `pattern` matches everything that `value`, which may be a pattern too, matches.
pub(super) fn includes(attribute: &Attribute, pattern: &str, value: &str) -> bool {
    if pattern == value {
        return true;
    }
    match attribute {
        // What these compare is not the text.
        Attribute::SourceIp
        | Attribute::RemoteIp
        | Attribute::DestinationIp
        | Attribute::Port
        | Attribute::ServiceAccount
        | Attribute::Metadata { .. } => false,
        // A star there is one line, and a value with a star may be several.
        Attribute::Claim(_) => !value.contains(['*', '\n']) && fits(pattern, value),
        Attribute::RequestPrincipal => fits(pattern, value) && splits_alike(pattern, value),
        Attribute::ServerName
        | Attribute::Host
        | Attribute::Method
        | Attribute::Path
        | Attribute::Header(_)
        | Attribute::Principal
        | Attribute::Namespace
        | Attribute::TrustDomain => fits(pattern, value),
    }
}

fn fits(pattern: &str, value: &str) -> bool {
    if pattern == "*" {
        return true;
    }
    let plain = |text: &&str| !text.contains(['*', '{']);
    if let Some(suffix) = pattern.strip_prefix('*').filter(plain) {
        let is_open = value.ends_with('*') && !value.starts_with('*');
        return !is_open && value.ends_with(suffix);
    }
    let prefix = pattern.strip_suffix('*').filter(plain);
    prefix.is_some_and(|prefix| !value.starts_with('*') && value.starts_with(prefix))
}

/// Values are split at their last slash: a prefix that holds one fits only what has no other.
fn splits_alike(pattern: &str, value: &str) -> bool {
    pattern == "*" || pattern.starts_with('*') || !pattern.contains('/') || {
        let slashes = |text: &str| text.matches('/').count();
        slashes(pattern) == slashes(value)
    }
}

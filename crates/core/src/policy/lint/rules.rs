//! Rules that allow more than their author meant.

use alloc::format;

use super::Lints;
use super::view::{Entry, RuleView, Term};
use crate::finding::FindingCode;
use crate::policy::attribute::Attribute;

impl Lints<'_> {
    /// `- from` and `- to` with a dash each are two rules, of which one suffices.
    pub(super) fn split(&mut self, rules: &[RuleView<'_>]) {
        let is_from_only =
            |rule: &&RuleView<'_>| !rule.sources.is_empty() && rule.operations.is_empty();
        let is_to_only = |rule: &&RuleView<'_>| {
            rule.sources.is_empty() && rule.conditions.is_empty() && !rule.operations.is_empty()
        };
        let pair = rules.iter().find(is_from_only).zip(rules.iter().find(is_to_only));
        if let Some((from, to)) = pair {
            let detail = format!("rule {} has only from", from.number);
            self.add(to, "", FindingCode::SplitRule, detail);
        }
    }

    /// Rules that allow everything, or everything but.
    pub(super) fn generosity(&mut self, rule: &RuleView<'_>) {
        let is_universal = |entry: &Entry<'_>| entry.iter().all(is_universal);
        let any = |entries: &[Entry<'_>]| entries.is_empty() || entries.iter().any(is_universal);
        if any(&rule.sources) && any(&rule.operations) && is_universal(&rule.conditions) {
            self.add(rule, "", FindingCode::AllowEverything, "");
        } else if rule.sources.is_empty() && rule.conditions.is_empty() {
            let entries = rule.operations.iter().enumerate();
            for (index, _) in entries.filter(|(_, entry)| entry.iter().all(|term| term.negated)) {
                let place = format!("/to/{index}/operation");
                self.add(rule, &place, FindingCode::AllowNegative, "");
            }
        } else if rule.sources.is_empty() {
            if admits_by_negation(rule.conditions.iter()) {
                self.add(rule, "/when", FindingCode::AllowNegative, "");
            }
        } else {
            for (index, entry) in rule.sources.iter().enumerate() {
                if admits_by_negation(entry.iter().chain(&rule.conditions)) {
                    let place = format!("/from/{index}/source");
                    self.add(rule, &place, FindingCode::AllowNegative, "");
                }
            }
        }
    }
}

/// Whether these say who the caller may not be, and nothing about who it is or whence it comes.
fn admits_by_negation<'t>(terms: impl Iterator<Item = &'t Term<'t>> + Clone) -> bool {
    let mut who = terms.clone().filter(|term| term.is_about_peer() || term.is_about_token());
    let mut positive = terms.filter(|term| !term.negated && !is_universal(term));
    who.any(|term| term.negated) && positive.next().is_none()
}

/// Whether every request has a value that matches.
fn is_universal(term: &Term<'_>) -> bool {
    let has = |value: &str| term.written.iter().any(|written| written == value);
    !term.negated
        && match term.attribute {
            Attribute::Host | Attribute::Method => has("*"),
            Attribute::Path => has("*") || has("/*") || has("/{**}"),
            Attribute::SourceIp | Attribute::RemoteIp | Attribute::DestinationIp => {
                has("0.0.0.0/0") && has("::/0")
            }
            Attribute::Port
            | Attribute::ServerName
            | Attribute::Header(_)
            | Attribute::Principal
            | Attribute::Namespace
            | Attribute::ServiceAccount
            | Attribute::TrustDomain
            | Attribute::RequestPrincipal
            | Attribute::Claim(_)
            | Attribute::Metadata { .. } => false,
        }
}

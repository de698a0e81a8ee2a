//! DENY rules that a caller escapes by having no identity.

use super::Lints;
use super::cover::covers_any;
use super::view::{Entry, RuleView, Term};
use crate::finding::FindingCode;
use crate::policy::attribute::Attribute;
use crate::policy::claim::ClaimPath;

impl Term<'_> {
    pub(super) fn is_about_peer(&self) -> bool {
        matches!(
            self.attribute,
            Attribute::Principal
                | Attribute::Namespace
                | Attribute::ServiceAccount
                | Attribute::TrustDomain
        )
    }

    pub(super) fn is_about_token(&self) -> bool {
        matches!(self.attribute, Attribute::RequestPrincipal | Attribute::Claim(_))
    }
}

/// What a request may lack.
#[derive(Clone, Copy)]
enum Lack<'t> {
    Peer,
    Token,
    Claim(&'t ClaimPath),
}

impl<'t> Lack<'t> {
    fn of(term: &'t Term<'_>) -> Option<Self> {
        if term.negated {
            None
        } else if term.is_about_peer() {
            Some(Self::Peer)
        } else if let Attribute::Claim(path) = &term.attribute
            && !path.is("iss")
        {
            Some(Self::Claim(path))
        } else {
            term.is_about_token().then_some(Self::Token)
        }
    }

    /// Whether the term speaks about it.
    fn is_in(self, term: &Term<'_>) -> bool {
        match self {
            Self::Peer => term.is_about_peer(),
            Self::Token => term.is_about_token(),
            Self::Claim(path) => {
                matches!(&term.attribute, Attribute::Claim(other) if other == path)
            }
        }
    }

    /// Whether a rule does not match a request that lacks it.
    fn is_demanded_by(self, rule: &RuleView<'_>) -> bool {
        let demands =
            |entry: &Entry<'_>| entry.iter().any(|term| !term.negated && self.is_in(term));
        demands(&rule.conditions) || (!rule.sources.is_empty() && rule.sources.iter().all(demands))
    }

    /// Whether a DENY rule refuses every request that lacks it and that has one of the operations.
    fn is_refused_by(self, rule: &RuleView<'_>, operations: &[Entry<'_>]) -> bool {
        let has_star = |term: &Term<'_>| term.written.iter().any(|value| value == "*");
        let only = match (rule.sources.as_slice(), rule.conditions.as_slice()) {
            ([entry], []) => entry.as_slice(),
            ([], entry) => entry,
            _ => return false,
        };
        matches!(only, [term] if term.negated && self.is_in(term) && has_star(term))
            && covers_any(&rule.operations, operations)
    }
}

impl Lints<'_> {
    /// A DENY on what may be absent does not refuse where it is absent.
    pub(super) fn absence(&mut self, rule: &RuleView<'_>) {
        let lacking = rule.terms().find(|term| {
            Lack::of(term).is_some_and(|lack| !self.is_always_there(lack, &rule.operations))
        });
        if let Some(pointer) = lacking.map(Term::pointer) {
            self.add(rule, &pointer, FindingCode::DenyAbsent, "");
        }
    }

    /// Whether a request without it is refused anyhow.
    fn is_always_there(&self, lack: Lack<'_>, operations: &[Entry<'_>]) -> bool {
        let demanded = |lack: Lack<'_>| {
            !self.allow.is_empty() && self.allow.iter().all(|rule| lack.is_demanded_by(rule))
        };
        let refused =
            |lack: Lack<'_>| self.deny.iter().any(|rule| lack.is_refused_by(rule, operations));
        let guarded = |lack: Lack<'_>| demanded(lack) || refused(lack);
        match lack {
            Lack::Peer => self.surroundings.peer_required || guarded(lack),
            Lack::Token => guarded(lack),
            Lack::Claim(path) => {
                let mut required = self.surroundings.required_claims.iter();
                guarded(lack) || (required.any(|name| path.is(name)) && guarded(Lack::Token))
            }
        }
    }
}

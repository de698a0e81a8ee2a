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
    fn is_refused_by(self, guard: &RuleView<'_>, operations: &[Entry<'_>]) -> bool {
        guard.only_term().is_some_and(|term| self.is_in(term))
            && covers_any(&guard.operations, operations)
    }
}

impl RuleView<'_> {
    /// Whether it refuses whoever lacks something.
    pub(super) fn is_guard(&self) -> bool {
        let is_star = |term: &Term<'_>| term.written.iter().any(|value| value == "*");
        self.only_term().is_some_and(|term| term.negated && is_star(term))
    }

    /// Whether every request that matches has a verified peer, or a token.
    pub(super) fn demands_peer(&self) -> bool {
        Lack::Peer.is_demanded_by(self)
    }

    pub(super) fn demands_token(&self) -> bool {
        Lack::Token.is_demanded_by(self)
    }

    fn only_term(&self) -> Option<&Term<'_>> {
        match (self.sources.as_slice(), self.conditions.as_slice()) {
            ([entry], []) => match entry.as_slice() {
                [term] => Some(term),
                _ => None,
            },
            ([], [term]) => Some(term),
            _ => None,
        }
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
    fn is_always_there(&mut self, lack: Lack<'_>, operations: &[Entry<'_>]) -> bool {
        // Without a look at every rule, nothing is said.
        let looked = self.spend(self.guards.len());
        if !looked || self.guards.iter().any(|guard| lack.is_refused_by(guard, operations)) {
            return true;
        }
        match lack {
            Lack::Peer => self.surroundings.peer_required || self.peer_demanded,
            Lack::Token => self.token_demanded,
            Lack::Claim(path) => {
                let mut required = self.surroundings.required_claims.iter();
                if required.any(|name| path.is(name)) {
                    return self.is_always_there(Lack::Token, operations);
                }
                self.token_demanded
                    && (!self.spend(self.allow.len())
                        || self.allow.iter().all(|rule| lack.is_demanded_by(rule)))
            }
        }
    }
}

//! Which keys may verify a token, and for which rules.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::super::credential::PlaceId;
use super::super::refresh::{Availability, Keys, SourceId, UnixMillis, Want};
use super::super::rule::{JwtRule, RuleKeys};
use super::{Authenticator, AuthnError};
use crate::jwt::jwk::Key;
use crate::jwt::jwks::Candidates;
use crate::jwt::{Claim, ClaimError, JoseHeader, KeySet, svid};
use crate::limits;
use crate::time::UnixTime;

/// What is to be tried for a token.
pub(super) struct Plan {
    /// The keys, each once, at most [`limits::SIGNATURE_CHECKS`].
    pub(super) candidates: Vec<Candidate>,
    /// A source that may have the right key after a fetch that is allowed now.
    pub(super) missing: Option<SourceId>,
    /// Why the token is refused if no key verifies it.
    pub(super) refusal: AuthnError,
}

/// A key, and the rules that it verifies the token for.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) key: Arc<Key>,
    rule: usize,
    /// Mostly none: then nothing is allocated.
    more_rules: Vec<usize>,
}

impl Candidate {
    /// The rules, in the order of the policy.
    pub(super) fn rules(&self) -> impl Iterator<Item = usize> {
        core::iter::once(self.rule).chain(self.more_rules.iter().copied())
    }
}

impl Plan {
    /// Looks through the rules for this issuer and place; the keys of other rules are never tried.
    pub(super) fn new(
        authenticator: &Authenticator,
        place: PlaceId,
        header: &JoseHeader,
        issuer: Claim<&str>,
        now: UnixTime,
        keys: &Keys,
    ) -> Result<Self, AuthnError> {
        let issuer = match issuer {
            Claim::Present(issuer) => issuer,
            Claim::Absent => return Err(AuthnError::Claim(ClaimError::Missing("iss"))),
            Claim::Malformed => return Err(AuthnError::Claim(ClaimError::Malformed("iss"))),
        };
        let mut plan =
            Self { candidates: Vec::new(), missing: None, refusal: AuthnError::IssuerUnknown };
        for index in authenticator.rules_of(issuer) {
            let places = authenticator.rule_places.get(*index);
            if let Some(rule) = authenticator.rules.get(*index)
                && places.is_some_and(|places| places.contains(&place))
            {
                plan.add_rule(*index, rule, header, now.into(), keys);
            }
        }
        Ok(plan)
    }

    fn add_rule(
        &mut self,
        index: usize,
        rule: &JwtRule,
        header: &JoseHeader,
        now: UnixMillis,
        keys: &Keys,
    ) {
        if rule.svid.is_some()
            && let Err(error) = svid::check_header(header)
        {
            return self.refuse(AuthnError::Svid(error));
        }
        let error = match &rule.keys {
            RuleKeys::Inline(set) => self.add_keys(index, set, header).err(),
            RuleKeys::Remote(source) => {
                let error = match keys.availability(*source, now) {
                    Availability::Available(set) => self.add_keys(index, set, header).err(),
                    Availability::Never | Availability::TooOld => Some(AuthnError::KeysUnavailable),
                };
                let may_help =
                    matches!(error, Some(AuthnError::KeyUnknown | AuthnError::KeysUnavailable));
                if may_help && self.missing.is_none() && keys.want(*source, now) != Want::No {
                    self.missing = Some(*source);
                }
                error
            }
        };
        if let Some(error) = error {
            self.refuse(error);
        }
    }

    fn add_keys(
        &mut self,
        rule: usize,
        set: &KeySet,
        header: &JoseHeader,
    ) -> Result<(), AuthnError> {
        let keys = match set.candidates(header) {
            Candidates::Keys(keys) => keys,
            Candidates::KeyUnknown => return Err(AuthnError::KeyUnknown),
            Candidates::AlgorithmRefused => {
                return Err(AuthnError::Algorithm(header.algorithm()));
            }
        };
        for key in keys.into_iter().flatten() {
            let is_same = |one: &&mut Candidate| one.key.fingerprint() == key.fingerprint();
            if let Some(candidate) = self.candidates.iter_mut().find(is_same) {
                candidate.more_rules.push(rule);
            } else if self.candidates.len() < limits::SIGNATURE_CHECKS {
                let key = Arc::clone(key);
                self.candidates.push(Candidate { key, rule, more_rules: Vec::new() });
            }
        }
        Ok(())
    }

    fn refuse(&mut self, error: AuthnError) {
        self.refusal = self.refusal.or_further(error);
    }
}

//! From a credential to an accepted token, in steps, without I/O.
//!
//! The issuer that a token names chooses the rules, the rules choose the keys, a key must verify
//! the signature, and only then are claims looked at: a forged token learns nothing about the
//! policy but that it is forged.

mod error;
mod plan;

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use super::cache::TokenCache;
use super::credential::{Credential, CredentialError, PlaceId, Places};
use super::refresh::{Keys, SourceId};
use super::rule::{JwtRule, Location, RuleKeys};
use crate::jwt::key::{KeyFingerprint, Outcome, SignatureCheck};
use crate::jwt::token::Failure;
use crate::jwt::{
    Claim, Claims, TimeRules, TokenCheck, TokenError, UnverifiedToken, VerifiedToken, svid,
};
use crate::request::Request;
use crate::time::UnixTime;
pub use error::AuthnError;
use plan::{Candidate, Plan};

/// The JWT rules of a policy, ready for requests.
#[derive(Debug)]
pub struct Authenticator {
    rules: Vec<JwtRule>,
    /// For each rule, where its tokens are.
    rule_places: Vec<Vec<PlaceId>>,
    by_issuer: Vec<(Box<str>, Vec<usize>)>,
    places: Places,
    acceptance: Acceptance,
    /// Whether all keys stand in the policy.
    keys_are_fixed: bool,
}

/// What every token must satisfy, whatever rule it falls under.
#[derive(Debug, Clone)]
pub struct Acceptance {
    /// When it is valid.
    pub times: TimeRules,
    /// Claims that it must have, with any value but `null`.
    pub required_claims: Vec<Box<str>>,
    /// Its longest length in bytes; may lower the built-in limit, not raise it.
    pub token_bytes: usize,
}

/// A genuine token that a rule accepts.
#[derive(Debug, Clone)]
pub struct AcceptedToken {
    token: VerifiedToken,
    rule: usize,
    place: PlaceId,
}

/// What comes next.
#[derive(Debug)]
#[must_use]
pub enum AuthnStep {
    /// The token is accepted.
    Accepted(AcceptedToken),
    /// It is not.
    Refused(AuthnError),
    /// A signature must be checked.
    Verify(Box<CheckingSignature>),
    /// Keys must be fetched.
    NeedKeys(Box<AwaitingKeys>),
}

/// Waits for a crypto library. Holds the rules with which it began.
#[derive(Debug)]
#[must_use]
pub struct CheckingSignature {
    search: Search,
    candidate: Candidate,
    check: TokenCheck,
}

/// Waits for the keys of a source. Holds the rules with which it began.
#[derive(Debug)]
#[must_use]
pub struct AwaitingKeys {
    search: Search,
    token: UnverifiedToken,
    source: SourceId,
}

/// The search for a key that verifies a token.
struct Search {
    authenticator: Arc<Authenticator>,
    place: PlaceId,
    now: UnixTime,
    /// Keys to try, the next one last.
    untried: Vec<Candidate>,
    /// Keys that did not verify it.
    tried: Vec<KeyFingerprint>,
    /// The source to wait for when no key is left; taken when that has happened.
    missing: Option<SourceId>,
    refusal: AuthnError,
    failure: Option<Failure>,
}

impl Authenticator {
    /// Prepares rules for requests.
    #[must_use]
    pub fn new(rules: Vec<JwtRule>, acceptance: Acceptance) -> Self {
        let places = Places::new(rules.iter().flat_map(|rule| &rule.locations));
        let of_rule = |rule: &JwtRule| {
            rule.locations.iter().filter_map(|location| places.find(location)).collect()
        };
        let rule_places = rules.iter().map(of_rule).collect();
        let mut by_issuer: Vec<(Box<str>, Vec<usize>)> = Vec::new();
        for (index, rule) in rules.iter().enumerate() {
            let place = by_issuer.binary_search_by(|(issuer, _)| issuer.cmp(&rule.issuer));
            match place.map(|known| by_issuer.get_mut(known)) {
                Ok(Some((_, rules))) => rules.push(index),
                Ok(None) => {}
                Err(place) => by_issuer.insert(place, (rule.issuer.clone(), [index].into())),
            }
        }
        let keys_are_fixed = rules.iter().all(|rule| matches!(rule.keys, RuleKeys::Inline(_)));
        Self { rules, rule_places, by_issuer, places, acceptance, keys_are_fixed }
    }

    fn rules_of(&self, issuer: &str) -> &[usize] {
        let place = self.by_issuer.binary_search_by(|(known, _)| (**known).cmp(issuer));
        let rules = place.ok().and_then(|place| self.by_issuer.get(place));
        rules.map_or(&[], |(_, rules)| rules)
    }

    /// The rules, in the order that [`AcceptedToken::rule`] counts.
    #[must_use]
    pub fn rules(&self) -> &[JwtRule] {
        &self.rules
    }

    /// The headers in which tokens are looked for, perhaps more than once; `cookie` is one.
    pub fn token_headers(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().flat_map(|rule| &rule.locations).filter_map(|location| match location {
            Location::Header { name, .. } => Some(&**name),
            Location::Cookie(_) => Some("cookie"),
            Location::Parameter(_) => None,
        })
    }

    /// The headers that rules set for the upstream, perhaps more than once. Nobody else may.
    pub fn output_headers(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().flat_map(JwtRule::output_headers)
    }

    /// The one token of a request, if there is one.
    ///
    /// # Errors
    /// Two credentials, or something that is none where one should be. One with characters
    /// that no token has is refused by [`authenticate`](Self::authenticate).
    pub fn extract<'a>(
        &self,
        request: &Request<'a>,
    ) -> Result<Option<Credential<'a>>, CredentialError> {
        self.places.extract(request)
    }

    /// Begins to find out whether a token is accepted.
    ///
    /// At most [`SIGNATURE_CHECKS`](crate::limits::SIGNATURE_CHECKS) signatures are checked and
    /// keys are waited for once. Of several rules and keys, the one that got furthest gives the
    /// error.
    pub fn authenticate(
        self: &Arc<Self>,
        credential: &Credential<'_>,
        now: UnixTime,
        keys: &Keys,
        cache: &mut TokenCache,
    ) -> AuthnStep {
        let bytes = &credential.token;
        if bytes.len() <= self.acceptance.token_bytes
            && let Some(token) = cache.find(bytes)
            && let Some(step) = self.recall(token, credential.place, now, keys)
        {
            return step;
        }
        let limit = self.acceptance.token_bytes;
        let token =
            match UnverifiedToken::parse_with(bytes, limit, |text| cache.header(text).cloned()) {
                Ok(token) => token,
                Err(error) => return AuthnStep::Refused(self.no_token(credential, error)),
            };
        let mut plan =
            match Plan::new(self, credential.place, token.header(), token.issuer(), now, keys) {
                Ok(plan) => plan,
                Err(error) => return AuthnStep::Refused(error),
            };
        plan.candidates.reverse();
        let search = Search {
            authenticator: Arc::clone(self),
            place: credential.place,
            now,
            untried: plan.candidates,
            tried: Vec::new(),
            missing: plan.missing,
            refusal: plan.refusal,
            failure: None,
        };
        search.advance(token)
    }

    /// Why something is refused that could not be parsed. What could has a token's characters.
    fn no_token(&self, credential: &Credential<'_>, error: TokenError) -> AuthnError {
        match self.places.check(credential) {
            Ok(()) => AuthnError::Token(error),
            Err(error) => AuthnError::Credential(error),
        }
    }

    /// The answer for a remembered token; none if its key is no longer one to be tried.
    fn recall(
        &self,
        token: VerifiedToken,
        place: PlaceId,
        now: UnixTime,
        keys: &Keys,
    ) -> Option<AuthnStep> {
        let plan =
            Plan::new(self, place, token.header(), token.claims().issuer(), now, keys).ok()?;
        let is_its = |candidate: &Candidate| token.is_verified_by(&candidate.key);
        let candidate = plan.candidates.into_iter().find(is_its)?;
        Some(self.judge(token, &candidate, place, now))
    }

    /// Whether a token is still accepted as it was: now, with these keys, by the same rule.
    ///
    /// Asks again what may have changed: the time, and keys that are fetched.
    #[inline]
    pub(crate) fn accepts_again(
        &self,
        accepted: &AcceptedToken,
        now: UnixTime,
        keys: &Keys,
    ) -> bool {
        if self.keys_are_fixed {
            return accepted.claims().check_time(now, &self.acceptance.times).is_ok();
        }
        let step = self.recall(accepted.token.clone(), accepted.place, now, keys);
        matches!(step, Some(AuthnStep::Accepted(again)) if again.rule == accepted.rule)
    }

    /// Whether one of the rules that the verifying key belongs to accepts the token.
    fn judge(
        &self,
        token: VerifiedToken,
        candidate: &Candidate,
        place: PlaceId,
        now: UnixTime,
    ) -> AuthnStep {
        let mut furthest = AuthnError::IssuerUnknown;
        for index in candidate.rules() {
            let Some(rule) = self.rules.get(index) else { continue };
            match self.check_claims(rule, token.claims(), now) {
                Ok(()) => return AuthnStep::Accepted(AcceptedToken { token, rule: index, place }),
                Err(error) => furthest = furthest.or_further(error),
            }
        }
        AuthnStep::Refused(furthest)
    }

    fn check_claims(
        &self,
        rule: &JwtRule,
        claims: &Claims,
        now: UnixTime,
    ) -> Result<(), AuthnError> {
        claims.check_shape().map_err(AuthnError::Claim)?;
        claims.check_required(&self.acceptance.required_claims).map_err(AuthnError::Claim)?;
        claims.check_time(now, &self.acceptance.times).map_err(AuthnError::Claim)?;
        if let Some(domain) = &rule.svid {
            svid::check_claims(claims, domain).map_err(AuthnError::Svid)?;
        }
        claims.check_audience(&rule.audiences).map_err(AuthnError::Claim)
    }
}

impl Search {
    /// Asks about the next key; without one, for the missing keys; without those, refuses.
    fn advance(mut self, mut token: UnverifiedToken) -> AuthnStep {
        while let Some(candidate) = self.untried.pop() {
            match token.check_with(Arc::clone(&candidate.key)) {
                Ok(check) => {
                    let search = self;
                    return AuthnStep::Verify(Box::new(CheckingSignature {
                        search,
                        candidate,
                        check,
                    }));
                }
                Err(unproven) => {
                    self.fail(&candidate, unproven.failure);
                    token = unproven.token;
                }
            }
        }
        match self.missing.take() {
            Some(source) => {
                AuthnStep::NeedKeys(Box::new(AwaitingKeys { search: self, token, source }))
            }
            None => AuthnStep::Refused(self.error()),
        }
    }

    fn fail(&mut self, candidate: &Candidate, failure: Failure) {
        self.tried.push(candidate.key.fingerprint());
        // "Can't say" outlives "no": the answer is open as long as one check is.
        if self.failure != Some(Failure::Unavailable) {
            self.failure = Some(failure);
        }
    }

    fn error(self) -> AuthnError {
        match self.failure {
            Some(failure) => self.refusal.or_further(failure.into()),
            None => self.refusal,
        }
    }
}

impl CheckingSignature {
    /// The question for the crypto library.
    #[must_use]
    pub fn check(&self) -> SignatureCheck<'_> {
        self.check.check()
    }

    /// Takes the answer.
    pub fn finish(self, outcome: Outcome, cache: &mut TokenCache) -> AuthnStep {
        let Self { mut search, candidate, check } = self;
        match check.finish(outcome) {
            Ok(token) => {
                cache.insert(&token);
                search.authenticator.judge(token, &candidate, search.place, search.now)
            }
            Err(unproven) => {
                search.fail(&candidate, unproven.failure);
                search.advance(unproven.token)
            }
        }
    }
}

impl AwaitingKeys {
    /// The source whose keys are needed; [`Keys::want`] says whether to fetch.
    #[must_use]
    pub fn source(&self) -> SourceId {
        self.source
    }

    /// Goes on with the keys that there are now, and does not wait again.
    pub fn resume(self, keys: &Keys) -> AuthnStep {
        let Self { mut search, token, .. } = self;
        let (header, issuer) = (token.header(), token.issuer());
        match Plan::new(&search.authenticator, search.place, header, issuer, search.now, keys) {
            Err(error) => AuthnStep::Refused(error),
            Ok(mut plan) => {
                let left = crate::limits::SIGNATURE_CHECKS.saturating_sub(search.tried.len());
                plan.candidates.retain(|one| !search.tried.contains(&one.key.fingerprint()));
                plan.candidates.truncate(left);
                plan.candidates.reverse();
                search.untried = plan.candidates;
                search.refusal = plan.refusal;
                search.advance(token)
            }
        }
    }
}

impl AcceptedToken {
    /// The token.
    #[must_use]
    pub fn token(&self) -> &VerifiedToken {
        &self.token
    }

    /// Whether this is the same token, parsed once, accepted by the same rule at the same place.
    #[inline]
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.token.is_same(&other.token) && self.rule == other.rule && self.place == other.place
    }

    /// The rule that accepts it.
    #[must_use]
    pub fn rule(&self) -> usize {
        self.rule
    }

    /// Where it was in the request.
    #[must_use]
    pub fn location<'a>(&self, authenticator: &'a Authenticator) -> Option<&'a Location> {
        authenticator.places.location(self.place)
    }

    /// The claims.
    #[must_use]
    #[inline]
    pub fn claims(&self) -> &Claims {
        self.token.claims()
    }

    /// `iss`
    #[must_use]
    pub fn issuer(&self) -> &str {
        match self.claims().issuer() {
            Claim::Present(issuer) => issuer,
            // No rule accepts a token without an issuer.
            Claim::Absent | Claim::Malformed => "",
        }
    }

    /// `sub`, if the token has one; without it, there is no request principal.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.claims().subject().value("sub").ok().flatten()
    }
}

impl fmt::Debug for Search {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Search")
            .field("now", &self.now)
            .field("tried", &self.tried.len())
            .field("untried", &self.untried.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

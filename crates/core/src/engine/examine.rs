//! Looking at what a decision would be made of, for explanations and coverage.

use alloc::vec::Vec;

use super::screen::{self, Screened};
use super::{Cache, Engine};
use crate::authn::{AcceptedToken, AuthnStep, Keys};
use crate::jwt::key::Verifier;
use crate::policy::{Facts, PolicySet};
use crate::request::Request;
use crate::time::UnixTime;

/// What policies are asked with.
#[derive(Debug, Clone, Copy)]
pub struct Examined<'a> {
    /// The request as policies see it.
    pub facts: &'a Facts<'a>,
    /// The policies in force.
    pub policies: &'a PolicySet,
}

impl Engine {
    /// The compiled policies.
    #[must_use]
    pub fn policies(&self) -> &PolicySet {
        &self.ruleset.policies
    }

    /// Shows `look` what the policies see of a request; none if it is refused before policy, as
    /// [`decide`](Self::decide) refuses it.
    pub fn examine<T>(
        &self,
        request: &Request<'_>,
        now: UnixTime,
        (keys, cache): (&Keys, &mut Cache),
        verifier: &dyn Verifier,
        look: impl FnOnce(Examined<'_>) -> T,
    ) -> Option<T> {
        screen::check_size(&self.ruleset, request).ok()?;
        let lines: Vec<_> = self.ruleset.read.of(request.headers).copied().collect();
        let seen = Request { headers: &lines, ..*request };
        let screened = Screened::of(&self.ruleset, &seen).ok()?;
        let policies = &self.ruleset.policies;
        let show = |token: Option<&AcceptedToken>| {
            Some(screened.with_facts(token, |facts| look(Examined { facts, policies })).1)
        };
        let authenticator = &self.ruleset.authenticator;
        let Some(credential) = screened.credential(authenticator).ok()? else { return show(None) };
        let mut step = authenticator.authenticate(&credential, now, keys, &mut cache.tokens);
        loop {
            step = match step {
                AuthnStep::Accepted(token) => return show(Some(&token)),
                AuthnStep::Refused(_) => return None,
                AuthnStep::NeedKeys(awaiting) => awaiting.resume(keys),
                AuthnStep::Verify(checking) => {
                    let outcome = verifier.verify(&checking.check());
                    checking.finish(outcome, &mut cache.tokens)
                }
            };
        }
    }
}

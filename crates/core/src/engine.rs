//! The pipeline: one request in, one decision out, without I/O.

mod cache;
mod evaluate;
mod examine;
mod owned;
mod recent;
mod screen;

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem;

use crate::authn::{AuthnStep, AwaitingKeys, CheckingSignature, KeySource, Keys, SourceId};
use crate::decision::{Decision, Judgment};
use crate::finding::Finding;
use crate::jwt::key::{Outcome, SignatureCheck, Verifier};
use crate::policy::Needs;
use crate::request::{HeaderLine, Headers, Request, cleared, correlation};
use crate::ruleset::Ruleset;
use crate::time::UnixTime;
pub use cache::Cache;
pub use examine::Examined;
use owned::OwnedRequest;
use screen::Screened;

/// A policy in force, ready to decide.
///
/// Cheap to clone; a decision that has begun keeps the policy with which it began.
#[derive(Debug, Clone)]
pub struct Engine {
    ruleset: Arc<Ruleset>,
    warnings: Arc<[Finding]>,
}

/// What comes next.
#[derive(Debug)]
#[must_use]
pub enum Step {
    /// The request is decided.
    Done(Decision),
    /// A signature must be checked.
    Verify(Pending),
    /// Keys must be fetched.
    NeedKeys(Waiting),
}

/// A decision that waits for a crypto library.
#[derive(Debug)]
#[must_use]
pub struct Pending {
    rest: Rest,
    checking: Box<CheckingSignature>,
}

/// A decision that waits for the keys of an issuer.
#[derive(Debug)]
#[must_use]
pub struct Waiting {
    rest: Rest,
    awaiting: Box<AwaitingKeys>,
}

/// What is needed to go on: the policy, and the bytes of the request that it sees.
#[derive(Debug)]
struct Rest {
    ruleset: Arc<Ruleset>,
    request: OwnedRequest,
    correlation_id: Option<Box<str>>,
}

impl Engine {
    pub(crate) fn new(ruleset: Ruleset, warnings: Vec<Finding>) -> Self {
        Self { ruleset: Arc::new(ruleset), warnings: warnings.into() }
    }

    /// Lower-case hex SHA-256 of the canonical bundle; every decision carries it.
    #[must_use]
    pub fn revision(&self) -> &str {
        &self.ruleset.revision
    }

    /// What loads and is probably not meant.
    #[must_use]
    pub fn warnings(&self) -> &[Finding] {
        &self.warnings
    }

    /// What a host must tell about a request; the rest may stay absent.
    #[must_use]
    pub fn needs(&self) -> &Needs {
        &self.ruleset.needs
    }

    /// The remote key sets, in the order of their [`SourceId`]s.
    #[must_use]
    pub fn key_sources(&self) -> &[KeySource] {
        &self.ruleset.sources
    }

    /// Begins to decide about a request.
    ///
    /// `now` is the host's clock; `keys` were made from [`key_sources`](Self::key_sources).
    #[inline]
    pub fn begin(
        &self,
        request: &Request<'_>,
        now: UnixTime,
        keys: &Keys,
        cache: &mut Cache,
    ) -> Step {
        self.run(request, now, (keys, cache), None)
    }

    /// Begins as [`begin`](Self::begin) does and asks `verifier` about signatures at once, for hosts
    /// whose crypto library does not make them wait: the answer is never [`Step::Verify`], and the
    /// request is copied only if it has to wait for keys.
    #[inline]
    pub fn begin_with(
        &self,
        request: &Request<'_>,
        now: UnixTime,
        keys: &Keys,
        cache: &mut Cache,
        verifier: &dyn Verifier,
    ) -> Step {
        self.run(request, now, (keys, cache), Some(verifier))
    }

    /// Decides at once, for hosts that never wait: keys that are not there are unavailable.
    pub fn decide(
        &self,
        request: &Request<'_>,
        now: UnixTime,
        keys: &Keys,
        cache: &mut Cache,
        verifier: &dyn Verifier,
    ) -> Decision {
        let mut step = self.begin_with(request, now, keys, cache, verifier);
        loop {
            step = match step {
                Step::Done(decision) => return decision,
                Step::Verify(pending) => {
                    let outcome = verifier.verify(&pending.check());
                    pending.finish(outcome, cache)
                }
                Step::NeedKeys(waiting) => waiting.resume(keys),
            };
        }
    }

    #[inline]
    fn run(
        &self,
        request: &Request<'_>,
        now: UnixTime,
        (keys, cache): (&Keys, &mut Cache),
        verifier: Option<&dyn Verifier>,
    ) -> Step {
        let ruleset = &self.ruleset;
        if let Err(refusal) = screen::check_size(ruleset, request) {
            return Step::done(evaluate::refuse(ruleset, request, refusal), request);
        }
        let mut lines: Vec<HeaderLine<'_>> = mem::take(&mut cache.lines);
        lines.extend(ruleset.read.of(request.headers));
        let seen = Request { headers: &lines, ..*request };
        let step = match self.look_at(&seen, now, (keys, cache), verifier) {
            Looked::Done(judgment) => Step::done(judgment, request),
            Looked::Verify(checking) => {
                Step::Verify(Pending { rest: Rest::of(ruleset, &seen, request), checking })
            }
            Looked::NeedKeys(awaiting) => {
                Step::NeedKeys(Waiting { rest: Rest::of(ruleset, &seen, request), awaiting })
            }
        };
        cache.lines = cleared(lines);
        step
    }

    /// Decides about a request of which only that is left which the policy can see.
    #[inline]
    fn look_at(
        &self,
        seen: &Request<'_>,
        now: UnixTime,
        (keys, cache): (&Keys, &mut Cache),
        verifier: Option<&dyn Verifier>,
    ) -> Looked {
        let authenticator = &self.ruleset.authenticator;
        if let Some(judgment) = cache.recent.find(&self.ruleset, seen)
            && let Some(token) = judgment.crossing.token()
            && authenticator.accepts_again(token, now, keys)
        {
            return Looked::Done(Arc::clone(judgment));
        }
        let screened = match Screened::of(&self.ruleset, seen) {
            Ok(screened) => screened,
            Err(refusal) => return evaluate::refuse(&self.ruleset, seen, refusal).into(),
        };
        let credential = match screened.credential(authenticator) {
            Ok(Some(credential)) => credential,
            Ok(None) => return screened.evaluate(None).into(),
            Err(error) => return screened.refuse_credential(error).into(),
        };
        let mut step = authenticator.authenticate(&credential, now, keys, &mut cache.tokens);
        if let AuthnStep::Accepted(token) = &step {
            // The token came before, so the whole request may have come too.
            let judgment = screened.evaluate(Some(token));
            return Looked::Done(cache.recent.keep(seen, judgment));
        }
        loop {
            step = match (step, verifier) {
                (AuthnStep::Accepted(token), _) => return screened.evaluate(Some(&token)).into(),
                (AuthnStep::Refused(error), _) => return screened.refuse_token(&error).into(),
                (AuthnStep::NeedKeys(awaiting), _) => return Looked::NeedKeys(awaiting),
                (AuthnStep::Verify(checking), None) => return Looked::Verify(checking),
                (AuthnStep::Verify(checking), Some(verifier)) => {
                    let outcome = verifier.verify(&checking.check());
                    checking.finish(outcome, &mut cache.tokens)
                }
            };
        }
    }
}

/// How far a decision came.
enum Looked {
    Done(Arc<Judgment>),
    Verify(Box<CheckingSignature>),
    NeedKeys(Box<AwaitingKeys>),
}

impl From<Judgment> for Looked {
    fn from(judgment: Judgment) -> Self {
        Self::Done(Arc::new(judgment))
    }
}

impl Step {
    #[inline]
    fn done(judgment: impl Into<Arc<Judgment>>, request: &Request<'_>) -> Self {
        Self::Done(Decision::new(judgment.into(), correlation_id(request)))
    }
}

impl Pending {
    /// The question for the crypto library.
    #[must_use]
    pub fn check(&self) -> SignatureCheck<'_> {
        self.checking.check()
    }

    /// Takes the library's answer to exactly this question.
    pub fn finish(self, outcome: Outcome, cache: &mut Cache) -> Step {
        self.rest.go_on(self.checking.finish(outcome, &mut cache.tokens))
    }
}

impl Waiting {
    /// The source whose keys are needed; [`Keys::want`] says whether to fetch.
    #[must_use]
    pub fn source(&self) -> SourceId {
        self.awaiting.source()
    }

    /// Goes on with the keys that there are now; it does not ask for keys a second time.
    pub fn resume(self, keys: &Keys) -> Step {
        self.rest.go_on(self.awaiting.resume(keys))
    }
}

impl Rest {
    fn of(ruleset: &Arc<Ruleset>, seen: &Request<'_>, request: &Request<'_>) -> Self {
        Self {
            ruleset: Arc::clone(ruleset),
            request: OwnedRequest::of(seen),
            correlation_id: correlation_id(request),
        }
    }

    fn go_on(self, step: AuthnStep) -> Step {
        match step {
            AuthnStep::Verify(checking) => Step::Verify(Pending { rest: self, checking }),
            AuthnStep::NeedKeys(awaiting) => Step::NeedKeys(Waiting { rest: self, awaiting }),
            AuthnStep::Accepted(token) => self.finish(|screened| screened.evaluate(Some(&token))),
            AuthnStep::Refused(error) => self.finish(|screened| screened.refuse_token(&error)),
        }
    }

    fn finish(self, decide: impl FnOnce(&Screened<'_>) -> Judgment) -> Step {
        let judgment = self.request.view(|seen| match Screened::of(&self.ruleset, seen) {
            Ok(screened) => decide(&screened),
            // Screening is a function of the request, so what passed once passes again.
            Err(refusal) => evaluate::refuse(&self.ruleset, seen, refusal),
        });
        Step::Done(Decision::new(Arc::new(judgment), self.correlation_id))
    }
}

#[inline]
fn correlation_id(request: &Request<'_>) -> Option<Box<str>> {
    correlation::correlation_id(Headers::of(request)).map(Into::into)
}

#[cfg(test)]
mod tests;

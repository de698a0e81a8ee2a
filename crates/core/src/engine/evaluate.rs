//! From a screened request and its token to the decision.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::screen::{Refusal, Screened};
use crate::authn::{AcceptedToken, AuthnError, CredentialError};
use crate::decision::{Crossing, Judgment, PolicyFindings, Reason, RuleName};
use crate::policy::{Facts, Ruling};
use crate::request::{HeaderLine, Request};
use crate::ruleset::Ruleset;
use crate::upstream::{Accepted, UpstreamChanges, Withheld};

/// Refuses a request that did not pass the screen.
pub(super) fn refuse(ruleset: &Arc<Ruleset>, request: &Request<'_>, refusal: Refusal) -> Judgment {
    Judgment {
        ruleset: Arc::clone(ruleset),
        reason: refusal.reason,
        detail: refusal.detail,
        findings: PolicyFindings::default(),
        crossing: Crossing::of(request, None, None),
        withheld: ruleset.hand_off.withhold(request, None),
        names_caller: false,
        prepared: None,
    }
}

impl Screened<'_> {
    /// Refuses a request whose place for a token holds none, or that has two.
    pub(super) fn refuse_credential(&self, error: CredentialError) -> Judgment {
        self.refuse(error.reason(), None)
    }

    /// Refuses a request for its token.
    pub(super) fn refuse_token(&self, error: &AuthnError) -> Judgment {
        self.refuse(error.reason(), error.detail())
    }

    fn refuse(&self, reason: Reason, detail: Option<&'static str>) -> Judgment {
        Judgment {
            ruleset: Arc::clone(self.ruleset),
            reason,
            detail,
            findings: PolicyFindings::default(),
            crossing: Crossing::of(self.request, self.peer_text(), None),
            withheld: self.ruleset.hand_off.withhold(self.request, None),
            names_caller: false,
            prepared: None,
        }
    }

    /// Asks the policies about the caller, who is the peer, the token's subject, both or nobody.
    pub(super) fn evaluate(&self, token: Option<&AcceptedToken>) -> Judgment {
        let policies = &self.ruleset.policies;
        let (withheld, ruling) = self.with_facts(token, |facts| policies.evaluate(facts));
        let reason = self.reason(&ruling, token.is_some());
        Judgment {
            ruleset: Arc::clone(self.ruleset),
            reason,
            detail: None,
            findings: findings(ruling),
            crossing: Crossing::of(self.request, self.peer_text(), token),
            withheld,
            names_caller: true,
            prepared: None,
        }
    }

    /// Shows `look` what policies may ask about this request, and says what of it must not go on.
    pub(super) fn with_facts<T>(
        &self,
        token: Option<&AcceptedToken>,
        look: impl FnOnce(&Facts<'_>) -> T,
    ) -> (Withheld, T) {
        let hand_off = &self.ruleset.hand_off;
        let accepted = token.and_then(|token| Accepted::of(token, &self.ruleset.authenticator));
        let withheld = hand_off.withhold(self.request, accepted.as_ref());
        let changes = hand_off
            .is_seen()
            .then(|| hand_off.changes(&withheld, self.peer_text(), accepted.as_ref()));
        let headers = self.handed_on(changes.as_ref());
        let seen = look(&Facts {
            method: self.request.method,
            path: self.path.as_str(),
            host: self.host.as_str(),
            headers: &headers,
            unclear_headers: changes.as_ref().map_or(&[], UpstreamChanges::unclear),
            lines: self.request.lines,
            connection: self.request.connection,
            peer: self.peer_id(),
            issuer: token.map(AcceptedToken::issuer),
            subject: token.and_then(AcceptedToken::subject),
            claims: token.and_then(|token| token.claims().root().as_object()),
            space_delimited: accepted.map_or(&[], |of| &of.rule.space_delimited_claims),
            metadata: self.request.metadata,
        });
        drop(headers);
        (withheld, seen)
    }

    /// The header lines that policies see: without those that only Lychgate may set, and with what
    /// it sets, as behind Envoy's jwt_authn. A client's own `x-group` never passes for the claim.
    fn handed_on<'h>(&'h self, changes: Option<&'h UpstreamChanges>) -> Cow<'h, [HeaderLine<'h>]> {
        match changes.filter(|changes| changes.touches(&self.ruleset.needs.headers)) {
            Some(changes) => Cow::Owned(changes.applied_to(self.request.headers)),
            None => Cow::Borrowed(self.request.headers),
        }
    }

    /// A refusal that a token, or only a scope, would turn says so: RFC 6750 §3.1.
    fn reason(&self, ruling: &Ruling<'_>, has_token: bool) -> Reason {
        let Some(denial) = &ruling.denial else { return ruling.reason };
        let tokens_count = !self.ruleset.authenticator.rules().is_empty();
        if !has_token && tokens_count && denial.lacks_only_token {
            Reason::CredentialMissing
        } else if has_token && denial.missing_scopes.is_some() {
            Reason::ScopeMissing
        } else {
            ruling.reason
        }
    }
}

fn findings(ruling: Ruling<'_>) -> PolicyFindings {
    let owned = |texts: Vec<&str>| texts.into_iter().map(String::from).collect();
    let denial = ruling.denial.unwrap_or_default();
    PolicyFindings {
        rule: ruling.rule.map(RuleName::from),
        nearest: denial.nearest.map(|nearest| (nearest.rule.into(), owned(nearest.missing))),
        missing_scopes: owned(denial.missing_scopes.unwrap_or_default()),
        audited: ruling.audited.map(RuleName::from),
        dry_run: ruling.shadow.map(|shadow| (shadow.reason, shadow.rule.map(RuleName::from))),
    }
}

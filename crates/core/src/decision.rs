//! Verdicts, their reasons, and the decision that carries them to reply, audit and upstream.

mod crossing;

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::policy;
use crate::ruleset::Ruleset;
use crate::upstream::{Accepted, UpstreamChanges, Withheld};
pub use crossing::Crossing;

/// Whether a request may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It may.
    Allow,
    /// It may not.
    Deny,
}

/// Why a request was allowed or refused. Closed: a new reason must be decided on everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// A rule of an ALLOW policy matched.
    AllowedByRule,
    /// No ALLOW policy applies to this workload and no DENY rule matched.
    NoAllowPolicy,
    /// The path has two readings (dot segments, doubled slashes, encoded separators, ...).
    PathAmbiguous,
    /// The target is no path (control characters, bad escapes, bad UTF-8, a fragment, ...).
    PathMalformed,
    /// Two hosts, or a host that is no host.
    HostAmbiguous,
    /// `Connection` names a header that this policy relies on (RFC 9110 §7.6.1).
    ConnectionHeader,
    /// More header lines or bytes than the limit.
    HeadersTooLarge,
    /// A certificate was presented that is not exactly one well-formed SPIFFE identity.
    PeerMalformed,
    /// A verified peer is required and none came.
    PeerRequired,
    /// A token is needed and none came.
    CredentialMissing,
    /// The place for a token holds something that is no token.
    CredentialMalformed,
    /// Two credentials in one request.
    CredentialMultiple,
    /// The token is longer than the limit.
    TokenTooLarge,
    /// Not a compact JWS with a JSON header and a JSON claims set.
    TokenMalformed,
    /// The JOSE header demands or names something that is refused (`crit`, `b64`, `typ`, ...).
    TokenHeaderRefused,
    /// The algorithm is unknown, `none`, or not that of the key.
    AlgorithmRefused,
    /// No rule of this policy names the token's issuer at the place where the token was.
    IssuerUnknown,
    /// No key of the issuer has the token's `kid`.
    KeyUnknown,
    /// The signature is not genuine.
    SignatureInvalid,
    /// A claim that must be there is absent.
    ClaimMissing,
    /// A claim has the wrong type or an impossible value.
    ClaimMalformed,
    /// `exp` has passed.
    TokenExpired,
    /// `nbf` is still to come.
    TokenNotYetValid,
    /// `iat` is still to come.
    TokenIssuedInFuture,
    /// The token is valid for longer than the policy accepts.
    LifetimeExceeded,
    /// A JWT-SVID breaks a rule of the JWT-SVID specification.
    SvidRefused,
    /// The token is genuine and for another audience.
    AudienceMismatch,
    /// Everything holds but a scope.
    ScopeMissing,
    /// A rule of a DENY policy matched.
    DeniedByRule,
    /// ALLOW policies apply and none of their rules matched.
    NoRuleMatched,
    /// The issuer's keys were never had.
    KeysUnavailable,
    /// The crypto library could not answer.
    VerifierUnavailable,
    /// There is no policy in force.
    NotConfigured,
}

impl Reason {
    /// Every reason, in the order of the pipeline.
    pub const ALL: [Self; 33] = [
        Self::AllowedByRule,
        Self::NoAllowPolicy,
        Self::PathAmbiguous,
        Self::PathMalformed,
        Self::HostAmbiguous,
        Self::ConnectionHeader,
        Self::HeadersTooLarge,
        Self::PeerMalformed,
        Self::PeerRequired,
        Self::CredentialMissing,
        Self::CredentialMalformed,
        Self::CredentialMultiple,
        Self::TokenTooLarge,
        Self::TokenMalformed,
        Self::TokenHeaderRefused,
        Self::AlgorithmRefused,
        Self::IssuerUnknown,
        Self::KeyUnknown,
        Self::SignatureInvalid,
        Self::ClaimMissing,
        Self::ClaimMalformed,
        Self::TokenExpired,
        Self::TokenNotYetValid,
        Self::TokenIssuedInFuture,
        Self::LifetimeExceeded,
        Self::SvidRefused,
        Self::AudienceMismatch,
        Self::ScopeMissing,
        Self::DeniedByRule,
        Self::NoRuleMatched,
        Self::KeysUnavailable,
        Self::VerifierUnavailable,
        Self::NotConfigured,
    ];

    /// The stable code, for logs, metrics and tests.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::AllowedByRule => "allowed_by_rule",
            Self::NoAllowPolicy => "no_allow_policy",
            Self::PathAmbiguous => "path_ambiguous",
            Self::PathMalformed => "path_malformed",
            Self::HostAmbiguous => "host_ambiguous",
            Self::ConnectionHeader => "connection_header",
            Self::HeadersTooLarge => "headers_too_large",
            Self::PeerMalformed => "peer_malformed",
            Self::PeerRequired => "peer_required",
            Self::CredentialMissing => "credential_missing",
            Self::CredentialMalformed => "credential_malformed",
            Self::CredentialMultiple => "credential_multiple",
            Self::TokenTooLarge => "token_too_large",
            Self::TokenMalformed => "token_malformed",
            Self::TokenHeaderRefused => "token_header_refused",
            Self::AlgorithmRefused => "algorithm_refused",
            Self::IssuerUnknown => "issuer_unknown",
            Self::KeyUnknown => "key_unknown",
            Self::SignatureInvalid => "signature_invalid",
            Self::ClaimMissing => "claim_missing",
            Self::ClaimMalformed => "claim_malformed",
            Self::TokenExpired => "token_expired",
            Self::TokenNotYetValid => "token_not_yet_valid",
            Self::TokenIssuedInFuture => "token_issued_in_future",
            Self::LifetimeExceeded => "lifetime_exceeded",
            Self::SvidRefused => "svid_refused",
            Self::AudienceMismatch => "audience_mismatch",
            Self::ScopeMissing => "scope_missing",
            Self::DeniedByRule => "denied_by_rule",
            Self::NoRuleMatched => "no_rule_matched",
            Self::KeysUnavailable => "keys_unavailable",
            Self::VerifierUnavailable => "verifier_unavailable",
            Self::NotConfigured => "not_configured",
        }
    }

    /// The verdict that goes with this reason.
    #[must_use]
    #[inline]
    pub const fn verdict(self) -> Verdict {
        if self.status() == 200 { Verdict::Allow } else { Verdict::Deny }
    }

    /// The HTTP status of the answer; 200 stands for "passed on".
    #[must_use]
    #[inline]
    pub const fn status(self) -> u16 {
        match self {
            Self::AllowedByRule | Self::NoAllowPolicy => 200,
            Self::PathAmbiguous
            | Self::PathMalformed
            | Self::HostAmbiguous
            | Self::ConnectionHeader => 400,
            Self::HeadersTooLarge => 431,
            Self::CredentialMissing
            | Self::CredentialMalformed
            | Self::CredentialMultiple
            | Self::TokenTooLarge
            | Self::TokenMalformed
            | Self::TokenHeaderRefused
            | Self::AlgorithmRefused
            | Self::IssuerUnknown
            | Self::KeyUnknown
            | Self::SignatureInvalid
            | Self::ClaimMissing
            | Self::ClaimMalformed
            | Self::TokenExpired
            | Self::TokenNotYetValid
            | Self::TokenIssuedInFuture
            | Self::LifetimeExceeded
            | Self::SvidRefused => 401,
            Self::AudienceMismatch
            | Self::ScopeMissing
            | Self::DeniedByRule
            | Self::NoRuleMatched
            | Self::PeerMalformed
            | Self::PeerRequired => 403,
            Self::KeysUnavailable | Self::VerifierUnavailable | Self::NotConfigured => 503,
        }
    }
}

/// What was decided about one request, and all that follows from it.
///
/// Cheap to clone.
#[derive(Debug, Clone)]
#[must_use]
pub struct Decision {
    judgment: Arc<Judgment>,
    correlation_id: Option<Box<str>>,
}

/// What was decided about every request that looks the same to the policy: all of a decision but the
/// identifier that each request brings along.
#[derive(Debug, Clone)]
pub(crate) struct Judgment {
    pub(crate) ruleset: Arc<Ruleset>,
    pub(crate) reason: Reason,
    pub(crate) detail: Option<&'static str>,
    pub(crate) findings: PolicyFindings,
    pub(crate) crossing: Crossing,
    pub(crate) withheld: Withheld,
    /// Whether the caller is known so well that the upstream may be told.
    pub(crate) names_caller: bool,
    /// There for a judgment that will be shared.
    pub(crate) prepared: Option<Prepared>,
}

/// What each of the decisions that share a judgment would make anew.
#[derive(Debug, Clone)]
pub(crate) struct Prepared {
    pub(crate) changes: UpstreamChanges,
    /// The members of the audit record that are the same for all.
    pub(crate) record: String,
}

/// What the policies had to say; empty where the request did not come as far as them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicyFindings {
    /// The rule that allowed or denied.
    pub rule: Option<RuleName>,
    /// The ALLOW rule that came nearest, and its conditions that failed.
    pub nearest: Option<(RuleName, Vec<String>)>,
    /// The scopes that would have been enough, if scopes are all that was missing.
    pub missing_scopes: Vec<String>,
    /// The first rule of an AUDIT policy that matched.
    pub audited: Option<RuleName>,
    /// What the ruling would be if dry-run policies were in force.
    pub dry_run: Option<(Reason, Option<RuleName>)>,
}

/// A rule, as decisions name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleName {
    /// The policy, `namespace/name`.
    pub policy: Arc<str>,
    /// The index of the rule in its policy.
    pub rule: u32,
}

impl From<policy::RuleRef<'_>> for RuleName {
    fn from(rule: policy::RuleRef<'_>) -> Self {
        Self { policy: Arc::clone(rule.policy), rule: rule.rule }
    }
}

impl Judgment {
    /// About how much memory it takes, its token included.
    pub(crate) fn memory(&self) -> usize {
        let token = self.crossing.token().map_or(0, |token| token.token().memory());
        let prepared = self.prepared.as_ref();
        // What is withheld stands in the changes too.
        let changes = |all: &Prepared| all.changes.size().saturating_mul(2);
        let prepared = prepared.map_or(0, |all| all.record.len().saturating_add(changes(all)));
        let rest = size_of::<Self>().saturating_add(self.crossing.size());
        token.saturating_add(prepared).saturating_add(rest)
    }

    pub(crate) fn changes(&self) -> UpstreamChanges {
        let accepted = self.crossing.token();
        let accepted = accepted.and_then(|token| Accepted::of(token, &self.ruleset.authenticator));
        let peer = self.crossing.peer().filter(|_| self.names_caller);
        self.ruleset.hand_off.changes(&self.withheld, peer, accepted.as_ref())
    }
}

impl Decision {
    #[inline]
    pub(crate) fn new(judgment: Arc<Judgment>, correlation_id: Option<Box<str>>) -> Self {
        Self { judgment, correlation_id }
    }

    /// The same for another reason.
    #[cfg(test)]
    pub(crate) fn because(&self, reason: Reason) -> Self {
        let judgment = Judgment { reason, ..Judgment::clone(&self.judgment) };
        Self::new(Arc::new(judgment), None)
    }

    /// Whether both were made for the same request, and only one of them by looking at it.
    #[cfg(test)]
    pub(crate) fn is_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.judgment, &other.judgment)
    }

    pub(crate) fn judgment(&self) -> &Judgment {
        &self.judgment
    }

    #[inline]
    pub(crate) fn ruleset(&self) -> &Ruleset {
        &self.judgment.ruleset
    }

    /// Why.
    #[must_use]
    #[inline]
    pub fn reason(&self) -> Reason {
        self.judgment.reason
    }

    /// Whether the request may pass. In shadow mode the host lets it pass all the same.
    #[must_use]
    #[inline]
    pub fn verdict(&self) -> Verdict {
        self.judgment.reason.verdict()
    }

    /// The HTTP status of the answer; 200 stands for "passed on".
    #[must_use]
    #[inline]
    pub fn status(&self) -> u16 {
        self.judgment.reason.status()
    }

    /// Whether the host must refuse the request: a denial, and not in shadow mode.
    #[must_use]
    #[inline]
    pub fn refuses(&self) -> bool {
        self.verdict() == Verdict::Deny && !self.is_shadow()
    }

    /// Whether the policy only watches.
    #[must_use]
    #[inline]
    pub fn is_shadow(&self) -> bool {
        self.ruleset().settings.shadow
    }

    /// The revision of the policy that decided.
    #[must_use]
    pub fn revision(&self) -> &str {
        &self.ruleset().revision
    }

    /// The kind of mistake within the reason, for the audit record.
    #[must_use]
    pub fn detail(&self) -> Option<&'static str> {
        self.judgment.detail
    }

    /// What the policies had to say.
    #[must_use]
    pub fn findings(&self) -> &PolicyFindings {
        &self.judgment.findings
    }

    /// Who crossed, and where to.
    #[must_use]
    pub fn crossing(&self) -> &Crossing {
        &self.judgment.crossing
    }

    /// The correlation id that the request came with, if it is well formed.
    #[must_use]
    pub fn correlation_id(&self) -> Option<&str> {
        self.correlation_id.as_deref()
    }

    /// Whether the request goes on with headers that say who the caller is.
    #[must_use]
    pub fn hands_on_identity(&self) -> bool {
        !self.refuses() && self.ruleset().hand_off.hands_on_identity()
    }

    /// How the request must be changed before it goes on.
    #[must_use]
    pub fn upstream(&self) -> Cow<'_, UpstreamChanges> {
        match &self.judgment.prepared {
            Some(prepared) => Cow::Borrowed(&prepared.changes),
            None => Cow::Owned(self.judgment.changes()),
        }
    }

    /// Whether the request must be changed, and by headers that are hardly the same for another caller.
    #[must_use]
    pub fn tells_caller(&self) -> bool {
        let is_known =
            self.judgment.crossing.token().is_some() || self.judgment.crossing.peer().is_some();
        self.judgment.names_caller && is_known && self.ruleset().hand_off.hands_on_identity()
    }

    /// Whether this decision changes its request as another one does, for the same reasons: the same
    /// policy, token and peer. Answers quicker than a comparison of the changes, and may say no
    /// where they are equal.
    #[must_use]
    #[inline]
    pub fn changes_as(&self, other: &Self) -> bool {
        let (this, other) = (&*self.judgment, &*other.judgment);
        let is_same = || {
            Arc::ptr_eq(&this.ruleset, &other.ruleset)
                && this.withheld == other.withheld
                && this.names_caller == other.names_caller
                && this.crossing.is_same_caller(&other.crossing)
        };
        core::ptr::eq(this, other) || is_same()
    }
}

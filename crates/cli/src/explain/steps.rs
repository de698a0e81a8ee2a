//! The pipeline, step by step.

use lychgate_core::decision::{Decision, Reason, Verdict};
use lychgate_core::spiffe::Peer;

use crate::scenario::Scenario;

/// What became of one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    Refused,
    NotReached,
}

impl Outcome {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Refused => "refused",
            Self::NotReached => "not reached",
        }
    }
}

/// One step of the pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) outcome: Outcome,
    pub(crate) text: String,
}

/// The parts of the pipeline, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Request,
    Peer,
    Credential,
    Token,
    Policy,
}

impl Stage {
    const ALL: [Self; 5] = [Self::Request, Self::Peer, Self::Credential, Self::Token, Self::Policy];

    /// The step in which a request is decided for this reason.
    const fn of(reason: Reason) -> Self {
        match reason {
            Reason::PathAmbiguous
            | Reason::PathMalformed
            | Reason::HostAmbiguous
            | Reason::ConnectionHeader
            | Reason::HeadersTooLarge
            | Reason::NotConfigured => Self::Request,
            Reason::PeerMalformed | Reason::PeerRequired => Self::Peer,
            Reason::CredentialMalformed | Reason::CredentialMultiple => Self::Credential,
            Reason::TokenTooLarge
            | Reason::TokenMalformed
            | Reason::TokenHeaderRefused
            | Reason::AlgorithmRefused
            | Reason::IssuerUnknown
            | Reason::KeyUnknown
            | Reason::SignatureInvalid
            | Reason::ClaimMissing
            | Reason::ClaimMalformed
            | Reason::TokenExpired
            | Reason::TokenNotYetValid
            | Reason::TokenIssuedInFuture
            | Reason::LifetimeExceeded
            | Reason::SvidRefused
            | Reason::AudienceMismatch
            | Reason::KeysUnavailable
            | Reason::VerifierUnavailable => Self::Token,
            Reason::AllowedByRule
            | Reason::NoAllowPolicy
            | Reason::CredentialMissing
            | Reason::ScopeMissing
            | Reason::DeniedByRule
            | Reason::NoRuleMatched => Self::Policy,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Peer => "peer",
            Self::Credential => "credential",
            Self::Token => "token",
            Self::Policy => "policy",
        }
    }
}

/// Every step, with what it saw and what it said.
pub(crate) fn steps(decision: &Decision, scenario: &Scenario) -> Vec<Step> {
    let reason = decision.reason();
    let last = Stage::of(reason);
    let step = |stage: Stage| {
        let outcome = match stage.cmp(&last) {
            core::cmp::Ordering::Less => Outcome::Passed,
            core::cmp::Ordering::Greater => Outcome::NotReached,
            core::cmp::Ordering::Equal if decision.verdict() == Verdict::Allow => Outcome::Passed,
            core::cmp::Ordering::Equal => Outcome::Refused,
        };
        let detail = decision.detail().map(|detail| format!(" ({detail})")).unwrap_or_default();
        let text = match outcome {
            Outcome::NotReached => String::new(),
            Outcome::Refused => format!("{}{detail}: {}", reason.code(), meaning(reason)),
            Outcome::Passed => passed(stage, last, decision, scenario),
        };
        Step { name: stage.name(), outcome, text }
    };
    Stage::ALL.map(step).into()
}

fn passed(stage: Stage, last: Stage, decision: &Decision, scenario: &Scenario) -> String {
    let crossing = decision.crossing();
    match stage {
        Stage::Request => {
            let target = scenario.target.split('?').next().unwrap_or_default();
            let host = scenario.host.as_deref().unwrap_or("no host");
            format!("{} {target} on {host}", scenario.method)
        }
        Stage::Peer => match (crossing.peer(), &scenario.peer) {
            (Some(peer), _) => peer.to_owned(),
            (None, Peer::Absent) => "none presented, and none is required".to_owned(),
            (None, Peer::Malformed(_) | Peer::Verified(_)) => "presented".to_owned(),
        },
        // A token that was refused was there; only a verified one has an issuer.
        Stage::Credential if crossing.issuer().is_some() || last == Stage::Token => {
            "one token".to_owned()
        }
        Stage::Credential => "no token was read".to_owned(),
        Stage::Token => match (crossing.issuer(), crossing.subject()) {
            (Some(issuer), Some(subject)) => format!("verified: {subject} of {issuer}"),
            (Some(issuer), None) => format!("verified: no subject, of {issuer}"),
            (None, _) => "none to verify".to_owned(),
        },
        Stage::Policy => {
            let reason = decision.reason();
            let rule = decision.findings().rule.as_ref();
            let rule = rule.map(|rule| format!(": {}#{}", rule.policy, rule.rule));
            format!("{}{}", reason.code(), rule.unwrap_or_default())
        }
    }
}

/// What a reason means, in a few words.
pub(crate) const fn meaning(reason: Reason) -> &'static str {
    match reason {
        Reason::AllowedByRule => "a rule of an ALLOW policy matched",
        Reason::NoAllowPolicy => "no ALLOW policy applies and no DENY rule matched",
        Reason::PathAmbiguous => "the path has two readings",
        Reason::PathMalformed => "the target is no path",
        Reason::HostAmbiguous => "two hosts, or one that is no host",
        Reason::ConnectionHeader => "Connection names a header that the policy relies on",
        Reason::HeadersTooLarge => "more headers than the limit",
        Reason::PeerMalformed => "what the peer presented is not one verified SPIFFE identity",
        Reason::PeerRequired => "a verified peer is required and none came",
        Reason::CredentialMissing => "a token is needed and none came",
        Reason::CredentialMalformed => "the place for a token holds none",
        Reason::CredentialMultiple => "two credentials in one request",
        Reason::TokenTooLarge => "the token is longer than the limit",
        Reason::TokenMalformed => "not a signed token with JSON parts",
        Reason::TokenHeaderRefused => "the token's header names what is refused",
        Reason::AlgorithmRefused => "the algorithm is unknown or not that of the key",
        Reason::IssuerUnknown => "no rule names the token's issuer at this place",
        Reason::KeyUnknown => "no key of the issuer has the token's kid",
        Reason::SignatureInvalid => "the signature is not genuine",
        Reason::ClaimMissing => "a claim that must be there is absent",
        Reason::ClaimMalformed => "a claim has the wrong type",
        Reason::TokenExpired => "exp has passed",
        Reason::TokenNotYetValid => "nbf is still to come",
        Reason::TokenIssuedInFuture => "iat is still to come",
        Reason::LifetimeExceeded => "valid for longer than the policy accepts",
        Reason::SvidRefused => "the token breaks a rule for JWT-SVIDs",
        Reason::AudienceMismatch => "the token is for another audience",
        Reason::ScopeMissing => "everything holds but a scope",
        Reason::DeniedByRule => "a rule of a DENY policy matched",
        Reason::NoRuleMatched => "ALLOW policies apply and none of their rules matched",
        Reason::KeysUnavailable => "the issuer's keys are not at hand; --jwks gives them",
        Reason::VerifierUnavailable => "the crypto library could not answer",
        Reason::NotConfigured => "there is no policy in force",
    }
}

/// What would turn a refusal that no policy decided.
pub(crate) const fn remedy(reason: Reason) -> &'static str {
    match reason {
        Reason::PathAmbiguous | Reason::PathMalformed => {
            "it would go on to the next step with a path that has one reading"
        }
        Reason::HostAmbiguous => "it would go on to the next step with one host",
        Reason::ConnectionHeader => {
            "it would go on to the next step without that Connection header"
        }
        Reason::HeadersTooLarge => "it would go on to the next step with fewer or shorter headers",
        Reason::PeerMalformed => {
            "it would go on to the next step with one SPIFFE identity, verified"
        }
        Reason::PeerRequired => "it would go on to the next step over mTLS",
        Reason::CredentialMalformed | Reason::CredentialMultiple => {
            "it would go on to the next step with exactly one token"
        }
        Reason::CredentialMissing => "it would go on to the next step with a token",
        Reason::TokenExpired | Reason::TokenNotYetValid | Reason::TokenIssuedInFuture => {
            "it would go on to the next step at another time, or with a token for this time"
        }
        Reason::AudienceMismatch => {
            "it would go on to the next step with a token for this audience"
        }
        Reason::KeysUnavailable | Reason::VerifierUnavailable | Reason::NotConfigured => {
            "it would be decided if they were at hand"
        }
        Reason::TokenTooLarge
        | Reason::TokenMalformed
        | Reason::TokenHeaderRefused
        | Reason::AlgorithmRefused
        | Reason::IssuerUnknown
        | Reason::KeyUnknown
        | Reason::SignatureInvalid
        | Reason::ClaimMissing
        | Reason::ClaimMalformed
        | Reason::LifetimeExceeded
        | Reason::SvidRefused
        | Reason::ScopeMissing => {
            "it would go on to the next step with a genuine token that follows the rules, or with none"
        }
        Reason::NoAllowPolicy => "it would be refused if any ALLOW policy applied",
        Reason::AllowedByRule | Reason::DeniedByRule => "another rule would have to match",
        Reason::NoRuleMatched => "it would be allowed if any ALLOW policy had a rule",
    }
}

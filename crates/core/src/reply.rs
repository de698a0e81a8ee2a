//! What the caller is told: status, challenge and problem details, one public code for each row
//! of the answer table.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;

use crate::decision::{Decision, Reason};
use crate::json::JsonWriter;

/// How long a caller should wait before it tries again, in seconds: two rounds of the shortest
/// back-off for keys.
const RETRY_AFTER: &str = "2";

/// A refusal, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Header names in lower case, and their values.
    pub headers: Vec<(&'static str, String)>,
    /// Problem details (RFC 9457) as JSON.
    pub body: String,
    /// The gRPC status code for a gRPC caller: what gRPC maps the HTTP status to.
    pub grpc_status: u8,
}

/// A row of the answer table: all that an unauthenticated caller may learn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Row {
    CredentialRequired,
    CredentialInvalid,
    AudienceRefused,
    ScopeRequired,
    AccessDenied,
    RequestRefused,
    Unavailable,
}

impl Row {
    const fn of(reason: Reason) -> Self {
        match reason {
            Reason::CredentialMissing => Self::CredentialRequired,
            Reason::CredentialMalformed
            | Reason::CredentialMultiple
            | Reason::TokenTooLarge
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
            | Reason::SvidRefused => Self::CredentialInvalid,
            Reason::AudienceMismatch => Self::AudienceRefused,
            Reason::ScopeMissing => Self::ScopeRequired,
            Reason::PeerMalformed
            | Reason::PeerRequired
            | Reason::DeniedByRule
            | Reason::NoRuleMatched
            // An allowed request gets no reply; if a host asks for one, it must not let it pass.
            | Reason::AllowedByRule
            | Reason::NoAllowPolicy => Self::AccessDenied,
            Reason::PathAmbiguous
            | Reason::PathMalformed
            | Reason::HostAmbiguous
            | Reason::ConnectionHeader
            | Reason::HeadersTooLarge => Self::RequestRefused,
            Reason::KeysUnavailable | Reason::VerifierUnavailable | Reason::NotConfigured => {
                Self::Unavailable
            }
        }
    }

    const fn code(self) -> &'static str {
        match self {
            Self::CredentialRequired => "credential_required",
            Self::CredentialInvalid => "credential_invalid",
            Self::AudienceRefused => "audience_refused",
            Self::ScopeRequired => "scope_required",
            Self::AccessDenied => "access_denied",
            Self::RequestRefused => "request_refused",
            Self::Unavailable => "unavailable",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::CredentialRequired => "A credential is required",
            Self::CredentialInvalid => "The credential is not valid",
            Self::AudienceRefused => "The credential is meant for another audience",
            Self::ScopeRequired => "The credential lacks a scope",
            Self::AccessDenied => "Access is denied",
            Self::RequestRefused => "The request is ambiguous or over a limit",
            Self::Unavailable => "The request can't be decided right now",
        }
    }
}

impl Decision {
    /// The answer to a caller that is refused.
    #[must_use]
    pub fn reply(&self, correlation_id: &str) -> Reply {
        let settings = &self.ruleset().settings;
        reply(self, &settings.realm, settings.public_reasons, correlation_id)
    }
}

fn reply(decision: &Decision, realm: &str, public: bool, correlation_id: &str) -> Reply {
    let reason = decision.reason();
    let row = Row::of(reason);
    let status = if reason.status() == 200 { 403 } else { reason.status() };
    let mut headers = Vec::from([
        ("content-type", String::from("application/problem+json")),
        ("cache-control", String::from("no-store")),
    ]);
    if let Some(challenge) = challenge(row, realm, &decision.findings().missing_scopes) {
        headers.push(("www-authenticate", challenge));
    }
    if row == Row::Unavailable {
        headers.push(("retry-after", RETRY_AFTER.into()));
    }
    let mut body = JsonWriter::new();
    body.object(|body| {
        body.member("type", "about:blank");
        body.member("title", row.title());
        body.label("status");
        body.number(status.into());
        body.member("code", row.code());
        body.member("correlation_id", correlation_id);
        if public {
            body.member("reason", reason.code());
        }
    });
    Reply { status, headers, body: body.finish(), grpc_status: grpc_status(status) }
}

/// RFC 6750 §3; the same text for every cause within a row, so that nothing can be enumerated.
fn challenge(row: Row, realm: &str, scopes: &[String]) -> Option<String> {
    let mut challenge = String::from("Bearer realm=\"");
    challenge.push_str(realm);
    challenge.push('"');
    match row {
        Row::CredentialRequired => {}
        Row::CredentialInvalid | Row::AudienceRefused => {
            challenge.push_str(", error=\"invalid_token\"");
        }
        Row::ScopeRequired => {
            challenge.push_str(", error=\"insufficient_scope\"");
            let scopes = join(scopes);
            if !scopes.is_empty() {
                // Writing to a String can't fail.
                let _ = write!(challenge, ", scope=\"{scopes}\"");
            }
        }
        Row::AccessDenied | Row::RequestRefused | Row::Unavailable => return None,
    }
    Some(challenge)
}

/// The scopes that RFC 6750 §3 can spell, separated by spaces.
fn join(scopes: &[String]) -> String {
    let spelled = |scope: &&String| {
        !scope.is_empty()
            && scope.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
    };
    let mut joined = String::new();
    for scope in scopes.iter().filter(spelled) {
        if !joined.is_empty() {
            joined.push(' ');
        }
        joined.push_str(scope);
    }
    joined
}

/// The mapping of HTTP status to gRPC status that gRPC publishes and proxies use.
const fn grpc_status(status: u16) -> u8 {
    match status {
        400 => 13,
        401 => 16,
        403 => 7,
        503 => 14,
        _ => 2,
    }
}

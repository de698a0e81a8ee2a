//! One `JWTRule` of a `RequestAuthentication`, compiled.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::refresh::SourceId;
use crate::jwt::KeySet;
use crate::spiffe::TrustDomain;

/// Which tokens of one issuer are accepted, where they are looked for, and what the upstream
/// learns about them.
#[derive(Debug, Clone)]
pub struct JwtRule {
    /// The issuer; compared byte by byte with `iss`.
    pub issuer: Box<str>,
    /// The accepted audiences; empty accepts any, as in Istio.
    pub audiences: Vec<Box<str>>,
    /// The issuer's keys, public or named secrets.
    pub keys: RuleKeys,
    /// Where tokens are; [`Location::istio_default`] for a rule without `from*`.
    pub locations: Vec<Location>,
    /// Whether the upstream gets the token.
    pub forward_original_token: bool,
    /// The header in which the upstream gets the payload, base64url.
    pub output_payload_header: Option<Box<str>>,
    /// The headers in which it gets single claims.
    pub output_claim_headers: Vec<ClaimHeader>,
    /// Claims, besides `scope` and `permission`, whose strings are split at spaces.
    pub space_delimited_claims: Vec<Box<str>>,
    /// The trust domain of the issuer's JWT-SVIDs, if that is what its tokens are.
    pub svid: Option<TrustDomain>,
}

impl JwtRule {
    /// The headers that the rule sets for the upstream.
    pub fn output_headers(&self) -> impl Iterator<Item = &str> {
        let claims = self.output_claim_headers.iter().map(|claim| &*claim.header);
        self.output_payload_header.as_deref().into_iter().chain(claims)
    }
}

/// Where a rule's keys come from.
#[derive(Debug, Clone)]
pub enum RuleKeys {
    /// From the policy: an inline set, or named secrets.
    Inline(Arc<KeySet>),
    /// From a remote set.
    Remote(SourceId),
}

/// A claim that is handed on as a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimHeader {
    /// The header's name.
    pub header: Box<str>,
    /// The claim, from the outermost member inwards.
    pub claim: Vec<Box<str>>,
}

/// A place in a request for a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A header whose value is the prefix, perhaps spaces, and the token.
    ///
    /// The prefix `Bearer` compares without regard to case, as a scheme (RFC 9110 §11.1), and
    /// needs a space behind it; every other prefix compares byte by byte.
    Header {
        /// The field name; compared without regard to ASCII case.
        name: Box<str>,
        /// What stands before the token; may be empty.
        prefix: Box<str>,
    },
    /// A parameter of the query, percent-decoded.
    Parameter(Box<str>),
    /// A cookie; names are case-sensitive (RFC 6265 §5.4).
    Cookie(Box<str>),
}

impl Location {
    /// Whether this is the header of that name.
    pub(crate) fn is_header(&self, header: &str) -> bool {
        match self {
            Self::Header { name, .. } => name.eq_ignore_ascii_case(header),
            Self::Parameter(_) | Self::Cookie(_) => false,
        }
    }

    /// Where Istio looks when a rule names no place: `Authorization: Bearer`, and the query's
    /// `access_token` (RFC 6750 §2.1, §2.3).
    #[must_use]
    pub fn istio_default() -> Vec<Self> {
        Vec::from([
            Self::Header { name: "authorization".into(), prefix: "Bearer ".into() },
            Self::Parameter("access_token".into()),
        ])
    }
}

//! Why a token is not accepted.

use core::fmt;

use crate::authn::CredentialError;
use crate::decision::Reason;
use crate::jwt::key::Algorithm;
use crate::jwt::svid::SvidError;
use crate::jwt::token::Failure;
use crate::jwt::{ClaimError, TokenError};

/// Why a token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthnError {
    /// It is no credential.
    Credential(CredentialError),
    /// It is no token.
    Token(TokenError),
    /// No rule names its issuer at the place where it was.
    IssuerUnknown,
    /// It breaks a rule for JWT-SVIDs.
    Svid(SvidError),
    /// The key does not accept its algorithm.
    Algorithm(Algorithm),
    /// No key has its `kid`.
    KeyUnknown,
    /// Its signature is not genuine.
    Signature,
    /// The keys that might verify it were never had, or are too old.
    KeysUnavailable,
    /// The crypto library could not answer.
    VerifierUnavailable,
    /// Its claims are refused.
    Claim(ClaimError),
}

impl AuthnError {
    /// The reason to refuse the request.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        match self {
            Self::Credential(error) => error.reason(),
            Self::Token(error) => error.reason(),
            Self::IssuerUnknown => Reason::IssuerUnknown,
            Self::Svid(error) => error.reason(),
            Self::Algorithm(_) => Reason::AlgorithmRefused,
            Self::KeyUnknown => Reason::KeyUnknown,
            Self::Signature => Reason::SignatureInvalid,
            Self::KeysUnavailable => Reason::KeysUnavailable,
            Self::VerifierUnavailable => Reason::VerifierUnavailable,
            Self::Claim(error) => error.reason(),
        }
    }

    /// The part of the token that is refused, or the claim; none where the reason says it all.
    #[must_use]
    pub const fn detail(&self) -> Option<&'static str> {
        match self {
            Self::Token(error) => Some(error.part()),
            Self::Claim(error) | Self::Svid(SvidError::Claim(error)) => error.claim(),
            Self::Svid(error) => Some(error.part()),
            Self::Credential(_)
            | Self::IssuerUnknown
            | Self::Algorithm(_)
            | Self::KeyUnknown
            | Self::Signature
            | Self::KeysUnavailable
            | Self::VerifierUnavailable => None,
        }
    }

    /// Of two errors the one of the later check; the first, if it is the same check.
    pub(super) fn or_further(self, other: Self) -> Self {
        if other.progress() > self.progress() { other } else { self }
    }

    /// How far a token got. An answer that is still open counts for more than a refusal before it.
    const fn progress(&self) -> u8 {
        match self {
            Self::Credential(_) | Self::Token(_) => 0,
            Self::IssuerUnknown => 1,
            Self::Svid(
                SvidError::Algorithm(_)
                | SvidError::KeyIdMissing
                | SvidError::HeaderMember
                | SvidError::Type,
            ) => 2,
            Self::Algorithm(_) => 3,
            Self::KeyUnknown => 4,
            Self::Signature => 5,
            Self::KeysUnavailable => 6,
            Self::VerifierUnavailable => 7,
            Self::Svid(SvidError::Claim(_) | SvidError::Subject | SvidError::TrustDomain)
            | Self::Claim(
                ClaimError::Missing(_)
                | ClaimError::Malformed(_)
                | ClaimError::Expired { .. }
                | ClaimError::NotYetValid { .. }
                | ClaimError::IssuedInFuture { .. }
                | ClaimError::Lifetime { .. },
            ) => 8,
            Self::Claim(ClaimError::Audience) => 9,
        }
    }
}

impl From<Failure> for AuthnError {
    fn from(failure: Failure) -> Self {
        match failure {
            // Candidates accept the algorithm; a key that does not has verified nothing.
            Failure::Algorithm | Failure::Signature => Self::Signature,
            Failure::Unavailable => Self::VerifierUnavailable,
        }
    }
}

impl fmt::Display for AuthnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Credential(error) => error.fmt(f),
            Self::Token(error) => error.fmt(f),
            Self::IssuerUnknown => f.write_str("no rule names this issuer at this place"),
            Self::Svid(error) => error.fmt(f),
            Self::Algorithm(algorithm) => {
                write!(f, "no key that may be meant is for {}", algorithm.name())
            }
            Self::KeyUnknown => f.write_str("no key has this kid"),
            Self::Signature => f.write_str("signature is not genuine"),
            Self::KeysUnavailable => f.write_str("keys of this issuer are not available"),
            Self::VerifierUnavailable => f.write_str("crypto library is not available"),
            Self::Claim(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for AuthnError {}

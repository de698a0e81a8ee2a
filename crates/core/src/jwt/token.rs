//! A token: parsed, then proved.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use super::claims::{Claim, Claims};
use super::compact::{Compact, CompactError};
use super::header::{HeaderError, JoseHeader};
use super::jwk::Key;
use super::key::{KeyFingerprint, Outcome, SignatureCheck};
use crate::base64;
use crate::decision::Reason;
use crate::json::{Document, JsonError};
use crate::limits;

/// A token that was read and whose signature nobody has checked.
///
/// It tells which issuer and key it names, so that a key can be found, and nothing else.
#[derive(Debug)]
pub struct UnverifiedToken(Arc<Parts>);

/// A token whose signature is genuine under one key. Whether it is accepted is another question.
///
/// Made by [`TokenCheck::finish`] only. Cheap to clone.
#[derive(Debug, Clone)]
pub struct VerifiedToken(Arc<Parts>);

/// A token and the key that may verify it: the one question that is open.
#[derive(Debug)]
#[must_use]
pub struct TokenCheck {
    token: UnverifiedToken,
    key: Arc<Key>,
}

/// A token that a key did not verify, for another try.
#[derive(Debug)]
pub struct Unproven {
    /// The token.
    pub token: UnverifiedToken,
    /// Why it is not verified.
    pub failure: Failure,
}

/// Why a key did not verify a token. A bad signature has no details.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The key does not accept the token's algorithm.
    Algorithm,
    /// The signature is not genuine.
    Signature,
    /// The crypto library can't say.
    Unavailable,
}

/// Why some bytes are no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenError {
    /// Not the compact form.
    Compact(CompactError),
    /// A part is not base64url, in its one encoding without padding.
    Base64(&'static str),
    /// The header is refused.
    Header(HeaderError),
    /// The payload is not JSON as we accept it.
    Payload(JsonError),
    /// The payload is not a JSON object.
    PayloadNotObject,
}

struct Parts {
    /// The token as it came, and its signature behind it, decoded.
    bytes: Vec<u8>,
    length: usize,
    payload: Range<usize>,
    header: JoseHeader,
    claims: Claims,
    /// The key that verified it, as soon as one did: each [`VerifiedToken`] has one.
    key: Option<KeyFingerprint>,
}

impl UnverifiedToken {
    /// Reads a compact JWS with a JSON header and a JSON claims set (RFC 7519 §7.2).
    ///
    /// The size is checked before anything is decoded; `limit` may lower
    /// [`limits::TOKEN_BYTES`], not raise it.
    ///
    /// # Errors
    /// [`TokenError`] says which part was refused and why.
    pub fn parse(token: &[u8], limit: usize) -> Result<Self, TokenError> {
        Self::parse_with(token, limit, |_| None)
    }

    /// As [`parse`](Self::parse), where a header that was read before need not be read again: `known`
    /// tells what [`JoseHeader::parse`] made of exactly these bytes in base64url.
    pub(crate) fn parse_with(
        token: &[u8],
        limit: usize,
        known: impl FnOnce(&[u8]) -> Option<JoseHeader>,
    ) -> Result<Self, TokenError> {
        let limit = limit.min(limits::TOKEN_BYTES);
        let compact = Compact::split(token, limit).map_err(TokenError::Compact)?;
        let header = match known(compact.header) {
            Some(header) => header,
            None => {
                JoseHeader::parse(&decode(compact.header, "header")?).map_err(TokenError::Header)?
            }
        };
        let payload = decode(compact.payload, "payload")?;
        let claims = Document::from_bytes(payload, &limits::TOKEN_JSON);
        let claims = claims.map_err(TokenError::Payload)?;
        let claims = Claims::new(claims).ok_or(TokenError::PayloadNotObject)?;
        let length = token.len();
        let signature = compact.signature.len().div_ceil(4).saturating_mul(3);
        let mut bytes = Vec::with_capacity(length.saturating_add(signature));
        bytes.extend_from_slice(token);
        base64::decode_url_onto(compact.signature, &mut bytes)
            .ok_or(TokenError::Base64("signature"))?;
        let start = compact.header.len().saturating_add(1);
        let payload = start..compact.message.len();
        Ok(Self(Arc::new(Parts { bytes, length, payload, header, claims, key: None })))
    }

    /// The header, which names the algorithm and the key.
    #[must_use]
    pub fn header(&self) -> &JoseHeader {
        &self.0.header
    }

    /// The issuer that the token names, which chooses the keys.
    #[must_use]
    pub fn issuer(&self) -> Claim<&str> {
        self.0.claims.issuer()
    }

    /// Asks whether this key verifies the token.
    ///
    /// # Errors
    /// [`Unproven`] where the answer is no before any arithmetic: the key does not accept the
    /// algorithm, or the signature does not have the length of this algorithm and key.
    pub fn check_with(self, key: Arc<Key>) -> Result<TokenCheck, Unproven> {
        let algorithm = self.0.header.algorithm();
        if !key.accepts(algorithm) {
            return Err(Unproven { token: self, failure: Failure::Algorithm });
        }
        if self.0.signature().len() != algorithm.signature_length(key.material()) {
            return Err(Unproven { token: self, failure: Failure::Signature });
        }
        Ok(TokenCheck { token: self, key })
    }
}

fn decode(part: &[u8], name: &'static str) -> Result<Vec<u8>, TokenError> {
    base64::decode_url(part).ok_or(TokenError::Base64(name))
}

impl TokenCheck {
    /// The question for the crypto library.
    #[must_use]
    pub fn check(&self) -> SignatureCheck<'_> {
        let parts = &self.token.0;
        SignatureCheck {
            algorithm: parts.header.algorithm(),
            key: self.key.material(),
            message: parts.bytes.get(..parts.payload.end).unwrap_or_default(),
            signature: parts.signature(),
        }
    }

    /// Takes the library's answer to exactly this question.
    ///
    /// # Errors
    /// [`Unproven`] gives the token back, unless the answer is [`Outcome::Valid`].
    pub fn finish(self, outcome: Outcome) -> Result<VerifiedToken, Unproven> {
        let UnverifiedToken(mut parts) = self.token;
        let failure = match (outcome, Arc::get_mut(&mut parts)) {
            (Outcome::Valid, Some(own)) => {
                own.key = Some(self.key.fingerprint());
                return Ok(VerifiedToken(parts));
            }
            (Outcome::Invalid, _) => Failure::Signature,
            // Nobody else has the parts of a token that is not verified: those can't be cloned.
            (Outcome::Unavailable, _) | (Outcome::Valid, None) => Failure::Unavailable,
        };
        Err(Unproven { token: UnverifiedToken(parts), failure })
    }
}

impl Parts {
    fn signature(&self) -> &[u8] {
        self.bytes.get(self.length..).unwrap_or_default()
    }
}

impl VerifiedToken {
    /// Whether both are clones of one that was parsed and verified once.
    #[inline]
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The header.
    #[must_use]
    pub fn header(&self) -> &JoseHeader {
        &self.0.header
    }

    /// The claims.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        &self.0.claims
    }

    /// The header as it came, base64url without padding.
    pub(crate) fn header_text(&self) -> &[u8] {
        let end = self.0.payload.start.saturating_sub(1);
        self.0.bytes.get(..end).unwrap_or_default()
    }

    /// The payload as it came, base64url without padding.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        self.0.bytes.get(self.0.payload.clone()).unwrap_or_default()
    }

    /// Whether this is the key that verified it.
    #[must_use]
    pub fn is_verified_by(&self, key: &Key) -> bool {
        self.0.key == Some(key.fingerprint())
    }

    /// The whole token as it came. A credential: never log it.
    pub(crate) fn credential(&self) -> &[u8] {
        self.0.bytes.get(..self.0.length).unwrap_or_default()
    }

    /// About how much memory it takes.
    pub(crate) fn memory(&self) -> usize {
        let parts = &self.0;
        let key_id = parts.header.key_id().map_or(0, str::len);
        let own = [parts.bytes.capacity(), parts.claims.heap_bytes(), key_id];
        own.into_iter().fold(size_of::<Self>().saturating_add(size_of::<Parts>()), |all, bytes| {
            all.saturating_add(bytes)
        })
    }
}

impl TokenError {
    /// The part of the token that is refused.
    #[must_use]
    pub const fn part(&self) -> &'static str {
        match self {
            Self::Compact(_) => "compact",
            Self::Base64(part) => part,
            Self::Header(_) => "header",
            Self::Payload(_) | Self::PayloadNotObject => "payload",
        }
    }

    /// The reason to refuse a request with such a token.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        match self {
            Self::Compact(CompactError::TooLong { .. } | CompactError::HeaderTooLong { .. }) => {
                Reason::TokenTooLarge
            }
            Self::Header(error) => error.reason(),
            Self::Compact(CompactError::Parts | CompactError::EmptyPart)
            | Self::Base64(_)
            | Self::Payload(_)
            | Self::PayloadNotObject => Reason::TokenMalformed,
        }
    }
}

/// A token can't be formatted.
impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("redacted")
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compact(error) => error.fmt(f),
            Self::Base64(part) => write!(f, "{part} of the token is not strict base64url"),
            Self::Header(error) => error.fmt(f),
            Self::Payload(error) => write!(f, "claims set: {error}"),
            Self::PayloadNotObject => f.write_str("claims set is not an object"),
        }
    }
}

impl core::error::Error for TokenError {}

#[cfg(test)]
mod tests;

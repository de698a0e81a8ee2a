//! The compact serialization of a JWS (RFC 7515 §7.1), split but not decoded.

use core::fmt;

use crate::bytes::find;
use crate::limits;

/// The three parts of a token, still encoded, and what its signature covers.
#[derive(Clone, Copy)]
pub struct Compact<'a> {
    /// The JOSE header.
    pub header: &'a [u8],
    /// The payload; may be empty.
    pub payload: &'a [u8],
    /// The signature.
    pub signature: &'a [u8],
    /// The signing input: header, dot, payload.
    pub message: &'a [u8],
}

/// Why some bytes are no compact JWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompactError {
    /// More bytes than the limit.
    TooLong {
        /// How many there are.
        bytes: usize,
        /// How many there may be.
        limit: usize,
    },
    /// Not three parts: no JWS, or a JWE (RFC 7516 §7.1), which we never decrypt.
    Parts,
    /// The header or the signature is empty.
    EmptyPart,
    /// A header of more characters than [`limits::JOSE_HEADER_BYTES`].
    HeaderTooLong {
        /// How many there are.
        bytes: usize,
    },
}

impl<'a> Compact<'a> {
    /// Splits a token at its two dots, in one pass and without allocating.
    ///
    /// Refuses every other number of dots, so also JSON serializations and JWE, and an empty
    /// header or signature, so also unsecured tokens (RFC 7515 A.5).
    ///
    /// # Errors
    /// [`CompactError`] says which of these it was.
    pub fn split(token: &'a [u8], limit: usize) -> Result<Self, CompactError> {
        if token.len() > limit {
            return Err(CompactError::TooLong { bytes: token.len(), limit });
        }
        let (header, rest) = split_once(token).ok_or(CompactError::Parts)?;
        let (payload, signature) = split_once(rest).ok_or(CompactError::Parts)?;
        if find(signature, b'.').is_some() {
            return Err(CompactError::Parts);
        }
        if header.is_empty() || signature.is_empty() {
            return Err(CompactError::EmptyPart);
        }
        if header.len() > limits::JOSE_HEADER_BYTES {
            return Err(CompactError::HeaderTooLong { bytes: header.len() });
        }
        let end = token.len().saturating_sub(signature.len()).saturating_sub(1);
        let message = token.get(..end).ok_or(CompactError::Parts)?;
        Ok(Self { header, payload, signature, message })
    }
}

fn split_once(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let dot = find(bytes, b'.')?;
    let (before, from_dot) = bytes.split_at_checked(dot)?;
    Some((before, from_dot.get(1..)?))
}

/// A token can't be formatted.
impl fmt::Debug for Compact<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Compact(redacted)")
    }
}

impl fmt::Display for CompactError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { bytes, limit } => {
                write!(f, "token of {bytes} bytes, at most {limit} are accepted")
            }
            Self::Parts => f.write_str("token does not have three parts"),
            Self::EmptyPart => f.write_str("token with an empty header or signature"),
            Self::HeaderTooLong { bytes } => write!(
                f,
                "JOSE header of {bytes} characters, at most {} are accepted",
                limits::JOSE_HEADER_BYTES
            ),
        }
    }
}

impl core::error::Error for CompactError {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::vec;
    use alloc::vec::Vec;

    fn split(token: &[u8]) -> Result<Compact<'_>, CompactError> {
        Compact::split(token, limits::TOKEN_BYTES)
    }

    #[test]
    fn three_parts_are_split_and_the_signing_input_is_the_first_two() {
        let compact = split(b"h.p.s").unwrap();
        assert_eq!(
            (compact.header, compact.payload, compact.signature),
            (&b"h"[..], &b"p"[..], &b"s"[..])
        );
        assert_eq!(compact.message, b"h.p");
        assert_eq!(split(b"h..s").unwrap().message, b"h.");
    }

    #[test]
    fn any_other_number_of_dots_is_refused() {
        for token in
            ["", "h", "h.p", "h.p.s.", ".h.p.s", "h..p.s", "h.p..s", "a.b.c.d", "a.b.c.d.e"]
        {
            assert_eq!(split(token.as_bytes()).unwrap_err(), CompactError::Parts, "{token}");
        }
        assert_eq!(split(&vec![b'.'; limits::TOKEN_BYTES]).unwrap_err(), CompactError::Parts);
    }

    #[test]
    fn an_empty_header_or_signature_is_refused() {
        for token in [".p.s", "h.p.", "..", ".."] {
            assert_eq!(split(token.as_bytes()).unwrap_err(), CompactError::EmptyPart, "{token}");
        }
    }

    #[test]
    fn a_token_is_allowed_at_the_limit_and_refused_past_it() {
        assert!(Compact::split(b"h.p.s", 5).is_ok());
        assert_eq!(
            Compact::split(b"h.p.s", 4).unwrap_err(),
            CompactError::TooLong { bytes: 5, limit: 4 }
        );
        let dots: Vec<u8> = vec![b'.'; 1_000_000];
        assert!(matches!(split(&dots), Err(CompactError::TooLong { .. })));
    }

    #[test]
    fn a_header_is_allowed_at_the_limit_and_refused_past_it() {
        let header = "h".repeat(limits::JOSE_HEADER_BYTES);
        assert!(split(format!("{header}.p.s").as_bytes()).is_ok());
        assert_eq!(
            split(format!("{header}h.p.s").as_bytes()).unwrap_err(),
            CompactError::HeaderTooLong { bytes: limits::JOSE_HEADER_BYTES + 1 }
        );
    }
}

//! Trust domains.

use alloc::boxed::Box;
use core::fmt;

use crate::limits::TRUST_DOMAIN_BYTES;
use crate::spiffe::SpiffeId;

/// The name of a trust domain: 1 to 255 of lower-case letters, digits, dots, dashes and underscores.
///
/// A whole SPIFFE ID is refused; [`SpiffeId::parse`] reads those.
///
/// See the [SPIFFE-ID specification, section 2.1](https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE-ID.md#21-trust-domain).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrustDomain(Box<str>);

impl TrustDomain {
    /// Reads a name.
    ///
    /// # Errors
    /// The first rule of the specification that the name breaks.
    pub fn parse(name: &str) -> Result<Self, TrustDomainError> {
        check(name)?;
        Ok(Self(name.into()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this ID belongs to this trust domain.
    #[must_use]
    pub fn contains(&self, id: &SpiffeId) -> bool {
        id.trust_domain() == &*self.0
    }
}

impl fmt::Display for TrustDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is no name of a trust domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrustDomainError {
    /// There is nothing.
    Empty,
    /// Longer than a trust domain may be.
    TooLong {
        /// Its length in bytes.
        length: usize,
        /// The longest length that is accepted.
        limit: usize,
    },
    /// A byte that a trust domain may not hold.
    Character {
        /// Where in the name it is.
        position: usize,
        /// The byte.
        byte: u8,
    },
}

impl TrustDomainError {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Empty => "trust_domain_empty",
            Self::TooLong { .. } => "trust_domain_too_long",
            Self::Character { .. } => "trust_domain_character",
        }
    }
}

impl fmt::Display for TrustDomainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the trust domain is missing"),
            Self::TooLong { length, limit } => {
                write!(f, "the trust domain has {length} bytes, more than {limit}")
            }
            Self::Character { position, byte } => write!(
                f,
                "byte {position} of the trust domain is 0x{byte:02x}, not a lower-case letter, digit, dot, dash or underscore"
            ),
        }
    }
}

impl core::error::Error for TrustDomainError {}

/// Checks a name without keeping it.
pub(super) fn check(name: &str) -> Result<(), TrustDomainError> {
    if name.is_empty() {
        return Err(TrustDomainError::Empty);
    }
    if name.len() > TRUST_DOMAIN_BYTES {
        let (length, limit) = (name.len(), TRUST_DOMAIN_BYTES);
        return Err(TrustDomainError::TooLong { length, limit });
    }
    match name.bytes().enumerate().find(|&(_, byte)| !is_name_byte(byte)) {
        Some((position, byte)) => Err(TrustDomainError::Character { position, byte }),
        None => Ok(()),
    }
}

const fn is_name_byte(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_as_it_is() {
        assert_eq!(TrustDomain::parse("cluster.local").unwrap().as_str(), "cluster.local");
    }

    #[test]
    fn an_empty_name_and_a_whole_id_are_refused() {
        assert_eq!(TrustDomain::parse(""), Err(TrustDomainError::Empty));
        let error = TrustDomainError::Character { position: 6, byte: b':' };
        assert_eq!(TrustDomain::parse("spiffe://td"), Err(error));
    }

    #[test]
    fn a_name_may_have_255_bytes_and_no_more() {
        assert!(TrustDomain::parse(&"x".repeat(255)).is_ok());
        let error = TrustDomainError::TooLong { length: 256, limit: 255 };
        assert_eq!(TrustDomain::parse(&"x".repeat(256)), Err(error));
    }

    #[test]
    fn an_id_belongs_to_the_domain_of_its_own_name_only() {
        let domain = TrustDomain::parse("td").unwrap();
        assert!(domain.contains(&SpiffeId::parse(b"spiffe://td/x").unwrap()));
        assert!(!domain.contains(&SpiffeId::parse(b"spiffe://td.evil/x").unwrap()));
        assert!(!domain.contains(&SpiffeId::parse(b"spiffe://other/td").unwrap()));
    }
}

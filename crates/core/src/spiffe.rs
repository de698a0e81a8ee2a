//! Workload identity: SPIFFE IDs, trust domains, and the peer that a host has verified.

mod certificate;
mod peer;
mod pem;
mod trust_domain;
pub mod xfcc;

use alloc::boxed::Box;
use core::fmt;

pub use peer::{Peer, PeerError};
pub use trust_domain::{TrustDomain, TrustDomainError};

use crate::limits::SPIFFE_ID_BYTES;

const SCHEME: &str = "spiffe://";

/// A SPIFFE ID in its one canonical form, `spiffe://<trust domain><path>`.
///
/// Refused: another scheme or case of it, an empty trust domain, user information, a port, a query,
/// a fragment, percent-encoding, empty and dot segments, a trailing slash, and more than 2,048 bytes.
/// Nothing is folded: `Spiffe://` and an upper-case trust domain are refused although the
/// specification compares them without regard to case, since an ID that has two spellings can be
/// matched by one and not by the other.
///
/// See the [SPIFFE-ID specification, section 2](https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE-ID.md#2-spiffe-identity).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpiffeId {
    text: Box<str>,
    /// Where the path begins; the length of the text if there is none.
    path: usize,
}

impl SpiffeId {
    /// Reads an ID from bytes that somebody else wrote.
    ///
    /// # Errors
    /// The first rule of the specification that the bytes break.
    pub fn parse(bytes: &[u8]) -> Result<Self, SpiffeIdError> {
        if bytes.is_empty() {
            return Err(SpiffeIdError::Empty);
        }
        if bytes.len() > SPIFFE_ID_BYTES {
            return Err(SpiffeIdError::TooLong { length: bytes.len(), limit: SPIFFE_ID_BYTES });
        }
        let text = core::str::from_utf8(bytes)
            .map_err(|error| SpiffeIdError::NotText { position: error.valid_up_to() })?;
        let rest = text.strip_prefix(SCHEME).ok_or(SpiffeIdError::Scheme)?;
        let domain = rest.split('/').next().unwrap_or(rest);
        trust_domain::check(domain).map_err(SpiffeIdError::TrustDomain)?;
        check_path(rest.get(domain.len()..).unwrap_or_default())?;
        Ok(Self { text: text.into(), path: SCHEME.len().saturating_add(domain.len()) })
    }

    /// The whole ID.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The trust domain.
    #[must_use]
    pub fn trust_domain(&self) -> &str {
        self.text.get(SCHEME.len()..self.path).unwrap_or_default()
    }

    /// The path with its leading slash; empty for the ID of a trust domain itself.
    #[must_use]
    pub fn path(&self) -> &str {
        self.text.get(self.path..).unwrap_or_default()
    }

    /// The ID without its scheme, as Istio's `principals` write it.
    #[must_use]
    pub fn principal(&self) -> &str {
        self.text.get(SCHEME.len()..).unwrap_or_default()
    }

    /// Istio's view of this ID, if its path is exactly `/ns/<namespace>/sa/<service account>`.
    #[must_use]
    pub fn istio(&self) -> Option<IstioIdentity<'_>> {
        let mut segments = self.path().split('/').skip(1);
        let mut next = || segments.next();
        match [next(), next(), next(), next(), next()] {
            [Some("ns"), Some(namespace), Some("sa"), Some(service_account), None] => {
                Some(IstioIdentity { namespace, service_account })
            }
            _ => None,
        }
    }
}

impl fmt::Display for SpiffeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A Kubernetes service account, as Istio writes it into a SPIFFE ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IstioIdentity<'a> {
    /// The namespace.
    pub namespace: &'a str,
    /// The service account.
    pub service_account: &'a str,
}

/// Why bytes are no SPIFFE ID. Positions count bytes; those in a path start at its first slash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpiffeIdError {
    /// There is nothing.
    Empty,
    /// Longer than a SPIFFE ID may be.
    TooLong {
        /// Its length in bytes.
        length: usize,
        /// The longest length that is accepted.
        limit: usize,
    },
    /// Not UTF-8.
    NotText {
        /// Where the first unreadable byte is.
        position: usize,
    },
    /// It does not begin with `spiffe://` in lower case.
    Scheme,
    /// What follows the scheme is no trust domain.
    TrustDomain(TrustDomainError),
    /// Two slashes in a row.
    EmptySegment,
    /// A segment `.` or `..`.
    DotSegment,
    /// The last byte is a slash.
    TrailingSlash,
    /// A byte that a path segment may not hold.
    PathCharacter {
        /// Where in the path it is.
        position: usize,
        /// The byte.
        byte: u8,
    },
}

impl SpiffeIdError {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Empty => "spiffe_id_empty",
            Self::TooLong { .. } => "spiffe_id_too_long",
            Self::NotText { .. } => "spiffe_id_not_text",
            Self::Scheme => "spiffe_id_scheme",
            Self::TrustDomain(error) => error.code(),
            Self::EmptySegment => "spiffe_id_empty_segment",
            Self::DotSegment => "spiffe_id_dot_segment",
            Self::TrailingSlash => "spiffe_id_trailing_slash",
            Self::PathCharacter { .. } => "spiffe_id_path_character",
        }
    }
}

impl fmt::Display for SpiffeIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the SPIFFE ID is empty"),
            Self::TooLong { length, limit } => {
                write!(f, "the SPIFFE ID has {length} bytes, more than {limit}")
            }
            Self::NotText { position } => {
                write!(f, "byte {position} of the SPIFFE ID is not UTF-8")
            }
            Self::Scheme => f.write_str("the SPIFFE ID does not begin with spiffe://"),
            Self::TrustDomain(error) => error.fmt(f),
            Self::EmptySegment => f.write_str("the path of the SPIFFE ID has an empty segment"),
            Self::DotSegment => f.write_str("the path of the SPIFFE ID has a dot segment"),
            Self::TrailingSlash => f.write_str("the path of the SPIFFE ID ends with a slash"),
            Self::PathCharacter { position, byte } => write!(
                f,
                "byte {position} of the SPIFFE ID's path is 0x{byte:02x}, not a letter, digit, dot, dash or underscore"
            ),
        }
    }
}

impl core::error::Error for SpiffeIdError {}

/// Checks a path that is empty or begins with a slash.
fn check_path(path: &str) -> Result<(), SpiffeIdError> {
    let bad = |&(_, byte): &(usize, u8)| !(is_segment_byte(byte) || byte == b'/');
    if let Some((position, byte)) = path.bytes().enumerate().find(bad) {
        return Err(SpiffeIdError::PathCharacter { position, byte });
    }
    if path.as_bytes().windows(2).any(|pair| pair == b"//") {
        return Err(SpiffeIdError::EmptySegment);
    }
    if path.ends_with('/') {
        return Err(SpiffeIdError::TrailingSlash);
    }
    if path.split('/').any(|segment| matches!(segment, "." | "..")) {
        return Err(SpiffeIdError::DotSegment);
    }
    Ok(())
}

const fn is_segment_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_')
}

#[cfg(test)]
mod tests {
    use alloc::string::String;
    use alloc::vec::Vec;

    use super::*;

    fn id(text: &str) -> Result<SpiffeId, SpiffeIdError> {
        SpiffeId::parse(text.as_bytes())
    }

    #[test]
    fn an_id_is_split_into_trust_domain_and_path() {
        let id = id("spiffe://cluster.local/ns/shop/sa/cart").unwrap();
        assert_eq!(id.as_str(), "spiffe://cluster.local/ns/shop/sa/cart");
        assert_eq!(id.trust_domain(), "cluster.local");
        assert_eq!(id.path(), "/ns/shop/sa/cart");
        assert_eq!(id.principal(), "cluster.local/ns/shop/sa/cart");
    }

    #[test]
    fn a_trust_domain_alone_is_an_id_without_a_path() {
        let id = id("spiffe://cluster.local").unwrap();
        assert_eq!((id.trust_domain(), id.path()), ("cluster.local", ""));
        assert_eq!(id.istio(), None);
    }

    #[test]
    fn istio_sees_a_namespace_and_a_service_account_in_exactly_one_shape() {
        let istio = |text| {
            id(text)
                .unwrap()
                .istio()
                .map(|i| (String::from(i.namespace), String::from(i.service_account)))
        };
        assert_eq!(istio("spiffe://td/ns/shop/sa/cart"), Some(("shop".into(), "cart".into())));
        for other in [
            "spiffe://td/ns/shop/sa",
            "spiffe://td/ns/shop/sa/cart/x",
            "spiffe://td/x/ns/shop/sa/cart",
            "spiffe://td/NS/shop/sa/cart",
            "spiffe://td/ns/shop/pod/cart",
        ] {
            assert_eq!(istio(other), None, "{other}");
        }
    }

    #[test]
    fn each_rule_of_the_specification_has_its_error() {
        let missing = TrustDomainError::Empty;
        for (text, expected) in [
            ("", SpiffeIdError::Empty),
            ("Spiffe://td/x", SpiffeIdError::Scheme),
            ("spiffe:/td/x", SpiffeIdError::Scheme),
            ("https://td/x", SpiffeIdError::Scheme),
            ("spiffe://", SpiffeIdError::TrustDomain(missing)),
            ("spiffe:///x", SpiffeIdError::TrustDomain(missing)),
            (
                "spiffe://TD/x",
                SpiffeIdError::TrustDomain(TrustDomainError::Character { position: 0, byte: b'T' }),
            ),
            ("spiffe://td//x", SpiffeIdError::EmptySegment),
            ("spiffe://td/./x", SpiffeIdError::DotSegment),
            ("spiffe://td/x/..", SpiffeIdError::DotSegment),
            ("spiffe://td/", SpiffeIdError::TrailingSlash),
            ("spiffe://td/x/", SpiffeIdError::TrailingSlash),
            ("spiffe://td/%78", SpiffeIdError::PathCharacter { position: 1, byte: b'%' }),
            ("spiffe://td/x?y", SpiffeIdError::PathCharacter { position: 2, byte: b'?' }),
            ("spiffe://td/x#y", SpiffeIdError::PathCharacter { position: 2, byte: b'#' }),
            ("spiffe://td/x\0", SpiffeIdError::PathCharacter { position: 2, byte: 0 }),
            ("spiffe://td/x\\y", SpiffeIdError::PathCharacter { position: 2, byte: b'\\' }),
        ] {
            assert_eq!(id(text), Err(expected), "{text}");
        }
        for text in ["spiffe://u@td/x", "spiffe://td:80/x", "spiffe://[::1]/x", "spiffe://t%64/x"] {
            let error = id(text).unwrap_err();
            assert_eq!(error.code(), "trust_domain_character", "{text}");
        }
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_no_id() {
        let error = SpiffeId::parse(b"spiffe://td/\xff").unwrap_err();
        assert_eq!(error, SpiffeIdError::NotText { position: 12 });
    }

    #[test]
    fn an_id_may_have_2048_bytes_and_no_more() {
        let mut text: Vec<u8> = b"spiffe://td/".to_vec();
        text.resize(SPIFFE_ID_BYTES, b'x');
        assert!(SpiffeId::parse(&text).is_ok());
        text.push(b'x');
        let error = SpiffeIdError::TooLong { length: 2049, limit: 2048 };
        assert_eq!(SpiffeId::parse(&text), Err(error));
    }
}

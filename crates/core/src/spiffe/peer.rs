//! The peer of a connection.

use core::fmt;

use crate::base64;
use crate::limits::CERTIFICATE_PEM_BYTES;
use crate::spiffe::{SpiffeId, SpiffeIdError, certificate, pem};

/// Who stands at the other end of the connection.
///
/// Only a URI name of a certificate that the host verified can become a [`Peer::Verified`]: never a
/// DNS name, never a subject, never a certificate that may sign others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Peer {
    /// No certificate was presented.
    Absent,
    /// Something was presented that is not exactly one well-formed SPIFFE identity, verified.
    Malformed(PeerError),
    /// The host verified this identity.
    Verified(SpiffeId),
}

impl Peer {
    /// The peer who presented something that the host did not verify.
    #[must_use]
    pub const fn unverified() -> Self {
        Self::Malformed(PeerError::Unverified)
    }

    /// The peer who presented this leaf certificate (DER), which the host has verified.
    ///
    /// Checks what X.509 itself does not: exactly one URI name, which is a SPIFFE ID with a path; not
    /// an authority; no key usage for signing certificates or revocation lists. An absent key usage
    /// is accepted, as other implementations do.
    ///
    /// See the [X509-SVID specification, section 5.2](https://github.com/spiffe/spiffe/blob/main/standards/X509-SVID.md#52-leaf-validation).
    #[must_use]
    pub fn from_certificate(der: &[u8]) -> Self {
        Self::of(certificate::spiffe_id(der))
    }

    /// The same for a leaf in PEM: one `CERTIFICATE` block and nothing else ([RFC 7468](https://www.rfc-editor.org/rfc/rfc7468#section-5)).
    #[must_use]
    pub fn from_pem(text: &[u8]) -> Self {
        Self::of(pem::certificate(text).and_then(|der| certificate::spiffe_id(&der)))
    }

    /// The same for a leaf as the value of `Client-Cert` ([RFC 9440 §2.2](https://www.rfc-editor.org/rfc/rfc9440#section-2.2)):
    /// a byte sequence of Structured Fields ([RFC 9651 §3.3.5](https://www.rfc-editor.org/rfc/rfc9651#section-3.3.5)),
    /// base64 between colons, here only in its canonical form and without parameters.
    #[must_use]
    pub fn from_client_cert(value: &[u8]) -> Self {
        let (length, limit) = (value.len(), CERTIFICATE_PEM_BYTES);
        if length > limit {
            return Self::Malformed(PeerError::HeaderTooLong { length, limit });
        }
        let [b':', text @ .., b':'] = value else {
            return Self::Malformed(PeerError::HeaderSyntax);
        };
        let der = base64::decode_standard(text).ok_or(PeerError::Base64);
        Self::of(der.and_then(|der| certificate::spiffe_id(&der)))
    }

    /// The peer whose verified leaf certificate has exactly these URI names.
    ///
    /// For hosts that read the certificate themselves; they must hand over every URI name.
    #[must_use]
    pub fn from_uri_names<'a>(names: impl IntoIterator<Item = &'a [u8]>) -> Self {
        Self::of(only_uri_name(names))
    }

    /// The peer whom the host names by one verified identity, such as the text of Istio's filter
    /// state `io.istio.peer_principal`: a SPIFFE ID with its scheme.
    #[must_use]
    pub fn from_principal(principal: &[u8]) -> Self {
        Self::of(leaf_id(principal))
    }

    /// The identity, if there is a verified one.
    #[must_use]
    pub const fn spiffe_id(&self) -> Option<&SpiffeId> {
        match self {
            Self::Verified(id) => Some(id),
            Self::Absent | Self::Malformed(_) => None,
        }
    }

    /// The peer that the outcome of a parser stands for.
    fn of(parsed: Result<SpiffeId, PeerError>) -> Self {
        match parsed {
            Ok(id) => Self::Verified(id),
            Err(error) => Self::Malformed(error),
        }
    }
}

/// Why what a peer presented is no identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeerError {
    /// The host did not verify it.
    Unverified,
    /// The certificate is longer than the limit.
    CertificateTooLong {
        /// Its length in bytes, as it came.
        length: usize,
        /// The longest length that is accepted.
        limit: usize,
    },
    /// Not one PEM block of a certificate.
    Pem,
    /// Not base64 in its one canonical form.
    Base64,
    /// Not the DER of an X.509 certificate, version 3.
    Der,
    /// An extension that must stand at most once stands twice.
    RepeatedExtension,
    /// A textual name holds a NUL or a byte that is not ASCII.
    NameCharacter,
    /// There is no URI name.
    NoUriName,
    /// There is more than one URI name.
    SeveralUriNames,
    /// The URI name is no SPIFFE ID.
    Id(SpiffeIdError),
    /// The SPIFFE ID is that of a trust domain, which no leaf may have.
    NoPath,
    /// The certificate is that of an authority.
    Authority,
    /// The key may sign certificates or revocation lists.
    SigningKey,
    /// The forwarding header is longer than the limit.
    HeaderTooLong {
        /// Its length in bytes, over all lines.
        length: usize,
        /// The longest length that is accepted.
        limit: usize,
    },
    /// The forwarding header does not follow its grammar.
    HeaderSyntax,
    /// The forwarding header, of which there may be one line, has several.
    SeveralHeaders,
}

impl PeerError {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unverified => "unverified",
            Self::CertificateTooLong { .. } => "certificate_too_long",
            Self::Pem => "pem",
            Self::Base64 => "base64",
            Self::Der => "der",
            Self::RepeatedExtension => "repeated_extension",
            Self::NameCharacter => "name_character",
            Self::NoUriName => "no_uri_name",
            Self::SeveralUriNames => "several_uri_names",
            Self::Id(error) => error.code(),
            Self::NoPath => "no_path",
            Self::Authority => "authority",
            Self::SigningKey => "signing_key",
            Self::HeaderTooLong { .. } => "header_too_long",
            Self::HeaderSyntax => "header_syntax",
            Self::SeveralHeaders => "several_headers",
        }
    }
}

impl fmt::Display for PeerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CertificateTooLong { length, limit } => {
                return write!(f, "the certificate has {length} bytes, more than {limit}");
            }
            Self::HeaderTooLong { length, limit } => {
                return write!(f, "the forwarding header has {length} bytes, more than {limit}");
            }
            Self::Id(error) => return error.fmt(f),
            Self::Unverified => "the host did not verify the certificate",
            Self::Pem => "not one PEM block of a certificate",
            Self::Base64 => "not base64 in its canonical form",
            Self::Der => "not the DER of an X.509 certificate, version 3",
            Self::RepeatedExtension => "an extension of the certificate stands twice",
            Self::NameCharacter => "a name in the certificate holds a NUL or is not ASCII",
            Self::NoUriName => "the certificate has no URI name",
            Self::SeveralUriNames => "the certificate has several URI names",
            Self::NoPath => "the SPIFFE ID has no path, as only a trust domain's own may",
            Self::Authority => "the certificate is that of an authority",
            Self::SigningKey => "the certificate's key may sign certificates or revocation lists",
            Self::HeaderSyntax => "the forwarding header does not follow its grammar",
            Self::SeveralHeaders => "the forwarding header has several lines",
        })
    }
}

impl core::error::Error for PeerError {}

/// The SPIFFE ID of a leaf whose URI names are these.
pub(super) fn only_uri_name<'a>(
    names: impl IntoIterator<Item = &'a [u8]>,
) -> Result<SpiffeId, PeerError> {
    let mut names = names.into_iter();
    let name = names.next().ok_or(PeerError::NoUriName)?;
    if names.next().is_some() {
        return Err(PeerError::SeveralUriNames);
    }
    leaf_id(name)
}

/// The SPIFFE ID of a leaf, which must have a path (X509-SVID §3.1).
pub(super) fn leaf_id(name: &[u8]) -> Result<SpiffeId, PeerError> {
    let id = SpiffeId::parse(name).map_err(PeerError::Id)?;
    if id.path().is_empty() { Err(PeerError::NoPath) } else { Ok(id) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &[u8] = b"spiffe://td/ns/a/sa/b";

    #[test]
    fn one_uri_name_is_an_identity_and_none_or_two_are_not() {
        let names = |names: &[&'static [u8]]| Peer::from_uri_names(names.iter().copied());
        assert_eq!(names(&[ID]).spiffe_id().unwrap().as_str().as_bytes(), ID);
        assert_eq!(names(&[]), Peer::Malformed(PeerError::NoUriName));
        assert_eq!(names(&[ID, ID]), Peer::Malformed(PeerError::SeveralUriNames));
        assert_eq!(names(&[ID, b"https://x"]), Peer::Malformed(PeerError::SeveralUriNames));
    }

    #[test]
    fn a_principal_is_a_whole_spiffe_id_with_a_path() {
        assert!(Peer::from_principal(ID).spiffe_id().is_some());
        for (principal, code) in [
            (&b""[..], "spiffe_id_empty"),
            (b"td/ns/a/sa/b", "spiffe_id_scheme"),
            (b"spiffe://td", "no_path"),
            (b"spiffe://td/ns/a/sa/b,spiffe://td/ns/a/sa/c", "spiffe_id_path_character"),
            (b"spiffe://td/ns/a/sa/b\0", "spiffe_id_path_character"),
        ] {
            let Peer::Malformed(error) = Peer::from_principal(principal) else {
                panic!("{principal:?} is an identity");
            };
            assert_eq!(error.code(), code, "{principal:?}");
        }
    }

    #[test]
    fn what_the_host_did_not_verify_is_malformed_and_not_absent() {
        assert_eq!(Peer::unverified(), Peer::Malformed(PeerError::Unverified));
        assert_eq!(Peer::unverified().spiffe_id(), None);
        assert_eq!(Peer::Absent.spiffe_id(), None);
    }
}

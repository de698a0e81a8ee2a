//! The rules that a JWT-SVID has on top of those for every token (SPIFFE JWT-SVID).

use core::fmt;

use super::claims::{ClaimError, Claims};
use super::header::JoseHeader;
use super::key::Algorithm;
use crate::decision::Reason;
use crate::spiffe::{SpiffeId, TrustDomain};

/// Which rule a token breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SvidError {
    /// The algorithm is none of those of JWT-SVID §2.1.
    Algorithm(Algorithm),
    /// No `kid`. JWT-SVID §2.2 makes it optional; the keys of a trust domain are found by it.
    KeyIdMissing,
    /// A header member other than `alg`, `kid` and `typ` (JWT-SVID §2).
    HeaderMember,
    /// `typ` is neither `JWT` nor `JOSE` (JWT-SVID §2.3).
    Type,
    /// A required claim is absent or malformed (JWT-SVID §3).
    Claim(ClaimError),
    /// `sub` is not a SPIFFE ID (JWT-SVID §3.1).
    Subject,
    /// `sub` is in another trust domain than the keys (JWT-SVID §4).
    TrustDomain,
}

/// Refuses a header that no JWT-SVID has; nothing has been verified yet.
///
/// # Errors
/// The first rule that is broken.
pub fn check_header(header: &JoseHeader) -> Result<(), SvidError> {
    match header.algorithm() {
        algorithm @ (Algorithm::EdDsa | Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512) => {
            Err(SvidError::Algorithm(algorithm))
        }
        Algorithm::Rs256
        | Algorithm::Rs384
        | Algorithm::Rs512
        | Algorithm::Ps256
        | Algorithm::Ps384
        | Algorithm::Ps512
        | Algorithm::Es256
        | Algorithm::Es384 => Ok(()),
    }?;
    if header.key_id().is_none() {
        return Err(SvidError::KeyIdMissing);
    }
    if !header.has_only_svid_members() {
        return Err(SvidError::HeaderMember);
    }
    if header.has_svid_type() { Ok(()) } else { Err(SvidError::Type) }
}

/// Refuses claims that no JWT-SVID of this trust domain has. `exp` and `aud` are required here
/// whatever the settings say; their values are checked like those of every token.
///
/// # Errors
/// The first rule that is broken.
pub fn check_claims(claims: &Claims, domain: &TrustDomain) -> Result<(), SvidError> {
    let subject = claims.subject().required("sub").map_err(SvidError::Claim)?;
    claims.audience().required("aud").map_err(SvidError::Claim)?;
    claims.expires().required("exp").map_err(SvidError::Claim)?;
    let id = SpiffeId::parse(subject.as_bytes()).map_err(|_| SvidError::Subject)?;
    if domain.contains(&id) { Ok(()) } else { Err(SvidError::TrustDomain) }
}

impl SvidError {
    /// The member that breaks the rule.
    #[must_use]
    pub const fn part(&self) -> &'static str {
        match self {
            Self::Algorithm(_) => "alg",
            Self::KeyIdMissing => "kid",
            Self::HeaderMember => "header",
            Self::Type => "typ",
            Self::Claim(_) => "claims",
            Self::Subject | Self::TrustDomain => "sub",
        }
    }

    /// The reason to refuse a request with such a token.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        match self {
            Self::Algorithm(_) => Reason::AlgorithmRefused,
            Self::Claim(error) => error.reason(),
            Self::KeyIdMissing
            | Self::HeaderMember
            | Self::Type
            | Self::Subject
            | Self::TrustDomain => Reason::SvidRefused,
        }
    }
}

impl fmt::Display for SvidError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Algorithm(algorithm) => {
                write!(f, "{} is not an algorithm of JWT-SVIDs", algorithm.name())
            }
            Self::KeyIdMissing => f.write_str("JWT-SVID without kid"),
            Self::HeaderMember => f.write_str("JWT-SVID with another header than alg, kid and typ"),
            Self::Type => f.write_str("typ of a JWT-SVID is neither JWT nor JOSE"),
            Self::Claim(error) => error.fmt(f),
            Self::Subject => f.write_str("sub of a JWT-SVID is not a SPIFFE ID"),
            Self::TrustDomain => f.write_str("sub of a JWT-SVID is in another trust domain"),
        }
    }
}

impl core::error::Error for SvidError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;
    use crate::limits;
    use alloc::format;

    const GOOD: &str = r#""sub":"spiffe://td.example/host","aud":["audience"],"exp":60"#;

    fn header(json: &str) -> Result<(), SvidError> {
        check_header(&JoseHeader::parse(json.as_bytes()).unwrap())
    }

    fn claims(members: &str) -> Result<(), SvidError> {
        let json = format!("{{{members}}}");
        let document = Document::parse(json.as_bytes(), &limits::TOKEN_JSON).unwrap();
        check_claims(&Claims::new(document).unwrap(), &TrustDomain::parse("td.example").unwrap())
    }

    #[test]
    fn a_header_has_alg_kid_and_typ_only() {
        assert_eq!(header(r#"{"alg":"ES256","kid":"a","typ":"JWT"}"#), Ok(()));
        assert_eq!(header(r#"{"alg":"PS512","kid":"a"}"#), Ok(()));
        assert_eq!(header(r#"{"alg":"ES256"}"#), Err(SvidError::KeyIdMissing));
        let with_member = header(r#"{"alg":"ES256","kid":"a","jku":"x"}"#);
        assert_eq!(with_member, Err(SvidError::HeaderMember));
        assert_eq!(header(r#"{"alg":"ES256","kid":"a","typ":"at+jwt"}"#), Err(SvidError::Type));
    }

    #[test]
    fn ed25519_and_hmac_are_no_algorithms_of_it() {
        for name in ["EdDSA", "Ed25519", "HS256", "HS384", "HS512"] {
            let error = header(&format!(r#"{{"alg":"{name}","kid":"a"}}"#)).unwrap_err();
            assert_eq!(error.reason(), Reason::AlgorithmRefused, "{name}");
        }
    }

    #[test]
    fn three_claims_are_required() {
        assert_eq!(claims(GOOD), Ok(()));
        for name in ["sub", "aud", "exp"] {
            let without: alloc::string::String = GOOD
                .split(',')
                .filter(|member| !member.starts_with(&format!("\"{name}\"")))
                .collect::<alloc::vec::Vec<_>>()
                .join(",");
            assert_eq!(claims(&without), Err(SvidError::Claim(ClaimError::Missing(name))));
        }
    }

    #[test]
    fn the_subject_is_a_spiffe_id_of_the_domain() {
        let with = |sub: &str| claims(&format!(r#""sub":"{sub}","aud":"a","exp":60"#));
        assert_eq!(with("invalid subject"), Err(SvidError::Subject));
        assert_eq!(with("td.example/host"), Err(SvidError::Subject));
        assert_eq!(with("spiffe://td.example/../host"), Err(SvidError::Subject));
        assert_eq!(with("spiffe://other.example/host"), Err(SvidError::TrustDomain));
        assert_eq!(with("spiffe://td.example.evil/host"), Err(SvidError::TrustDomain));
    }
}

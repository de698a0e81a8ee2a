//! Private keys as JWK files (RFC 7517), and signing with them.
//!
//! For development only: the keys lie in plain files, and so does the member that says so.

mod file;

use core::fmt;
use core::str::FromStr;

use jwt_simple::prelude::*;
use serde_json::{Map, Value};

pub(crate) use file::{read, render};

/// A signature algorithm that tokens can be signed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "verbatim")]
pub(crate) enum SigningAlgorithm {
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    ES256,
    ES384,
    EdDSA,
    HS256,
    HS384,
    HS512,
}

impl fmt::Display for SigningAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl FromStr for SigningAlgorithm {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // RFC 9864 §2.2 names the same algorithm Ed25519.
        let text = if text == "Ed25519" { "EdDSA" } else { text };
        <Self as clap::ValueEnum>::from_str(text, false)
    }
}

impl SigningAlgorithm {
    /// The length of a secret in bytes: that of the hash (RFC 7518 §3.2). Key pairs have none.
    pub(crate) const fn secret_length(self) -> Option<usize> {
        match self {
            Self::HS256 => Some(32),
            Self::HS384 => Some(48),
            Self::HS512 => Some(64),
            Self::RS256
            | Self::RS384
            | Self::RS512
            | Self::PS256
            | Self::PS384
            | Self::PS512
            | Self::ES256
            | Self::ES384
            | Self::EdDSA => None,
        }
    }
}

/// A key that signs tokens.
pub(crate) enum SigningKey {
    Rs256(RS256KeyPair),
    Rs384(RS384KeyPair),
    Rs512(RS512KeyPair),
    Ps256(PS256KeyPair),
    Ps384(PS384KeyPair),
    Ps512(PS512KeyPair),
    Es256(ES256KeyPair),
    Es384(ES384KeyPair),
    EdDsa(Ed25519KeyPair),
    Hs256(HS256Key),
    Hs384(HS384Key),
    Hs512(HS512Key),
}

/// The same call on whichever key it is.
macro_rules! for_pair {
    ($key:expr, $pair:ident => $asymmetric:expr, $secret:ident => $symmetric:expr) => {
        match $key {
            SigningKey::Rs256($pair) => $asymmetric,
            SigningKey::Rs384($pair) => $asymmetric,
            SigningKey::Rs512($pair) => $asymmetric,
            SigningKey::Ps256($pair) => $asymmetric,
            SigningKey::Ps384($pair) => $asymmetric,
            SigningKey::Ps512($pair) => $asymmetric,
            SigningKey::Es256($pair) => $asymmetric,
            SigningKey::Es384($pair) => $asymmetric,
            SigningKey::EdDsa($pair) => $asymmetric,
            SigningKey::Hs256($secret) => $symmetric,
            SigningKey::Hs384($secret) => $symmetric,
            SigningKey::Hs512($secret) => $symmetric,
        }
    };
}

/// What the signing library says; it never repeats a key.
type LibraryError = jwt_simple::Error;

impl SigningKey {
    /// A new key. `bits` is the length of an RSA modulus.
    pub(crate) fn generate(
        algorithm: SigningAlgorithm,
        kid: &str,
        bits: usize,
    ) -> Result<Self, LibraryError> {
        use SigningAlgorithm as A;
        if let Some(length) = algorithm.secret_length() {
            let mut secret = vec![0; length];
            getrandom::fill(&mut secret)?;
            return Self::from_secret(algorithm, Some(kid), &secret)
                .ok_or_else(|| LibraryError::msg("no symmetric algorithm"));
        }
        Ok(match algorithm {
            A::RS256 => Self::Rs256(RS256KeyPair::generate(bits)?.with_key_id(kid)),
            A::RS384 => Self::Rs384(RS384KeyPair::generate(bits)?.with_key_id(kid)),
            A::RS512 => Self::Rs512(RS512KeyPair::generate(bits)?.with_key_id(kid)),
            A::PS256 => Self::Ps256(PS256KeyPair::generate(bits)?.with_key_id(kid)),
            A::PS384 => Self::Ps384(PS384KeyPair::generate(bits)?.with_key_id(kid)),
            A::PS512 => Self::Ps512(PS512KeyPair::generate(bits)?.with_key_id(kid)),
            A::ES256 => Self::Es256(ES256KeyPair::generate().with_key_id(kid)),
            A::ES384 => Self::Es384(ES384KeyPair::generate().with_key_id(kid)),
            A::EdDSA => Self::EdDsa(Ed25519KeyPair::generate().with_key_id(kid)),
            A::HS256 | A::HS384 | A::HS512 => return Err(LibraryError::msg("no key pair")),
        })
    }

    /// The key of an asymmetric private JWK.
    pub(crate) fn from_jwk(algorithm: SigningAlgorithm, jwk: &str) -> Result<Self, LibraryError> {
        use SigningAlgorithm as A;
        Ok(match algorithm {
            A::RS256 => Self::Rs256(RS256KeyPair::from_jwk(jwk)?),
            A::RS384 => Self::Rs384(RS384KeyPair::from_jwk(jwk)?),
            A::RS512 => Self::Rs512(RS512KeyPair::from_jwk(jwk)?),
            A::PS256 => Self::Ps256(PS256KeyPair::from_jwk(jwk)?),
            A::PS384 => Self::Ps384(PS384KeyPair::from_jwk(jwk)?),
            A::PS512 => Self::Ps512(PS512KeyPair::from_jwk(jwk)?),
            A::ES256 => Self::Es256(ES256KeyPair::from_jwk(jwk)?),
            A::ES384 => Self::Es384(ES384KeyPair::from_jwk(jwk)?),
            A::EdDSA => Self::EdDsa(Ed25519KeyPair::from_jwk(jwk)?),
            A::HS256 | A::HS384 | A::HS512 => return Err(LibraryError::msg("no key pair")),
        })
    }

    /// The key of an HMAC secret.
    pub(crate) fn from_secret(
        algorithm: SigningAlgorithm,
        kid: Option<&str>,
        secret: &[u8],
    ) -> Option<Self> {
        macro_rules! keyed {
            ($key:expr) => {
                match kid {
                    Some(kid) => $key.with_key_id(kid),
                    None => $key,
                }
            };
        }
        use SigningAlgorithm as A;
        match algorithm {
            A::HS256 => Some(Self::Hs256(keyed!(HS256Key::from_bytes(secret)))),
            A::HS384 => Some(Self::Hs384(keyed!(HS384Key::from_bytes(secret)))),
            A::HS512 => Some(Self::Hs512(keyed!(HS512Key::from_bytes(secret)))),
            A::RS256
            | A::RS384
            | A::RS512
            | A::PS256
            | A::PS384
            | A::PS512
            | A::ES256
            | A::ES384
            | A::EdDSA => None,
        }
    }

    /// The private JWK of an asymmetric key, or the bytes of a secret.
    pub(crate) fn export(&self) -> Exported {
        for_pair!(self, pair => Exported::Jwk(pair.to_jwk()), key => Exported::Secret(key.to_bytes()))
    }

    /// The public JWK; a secret has none.
    pub(crate) fn public_jwk(&self) -> Option<String> {
        for_pair!(self, pair => Some(pair.public_key().to_jwk()), _key => None)
    }

    /// A compact JWS over the claims, with the header members `alg`, `kid` and `typ`.
    pub(crate) fn sign(
        &self,
        claims: Map<String, Value>,
        typ: Option<&str>,
    ) -> Result<String, LibraryError> {
        let options =
            HeaderOptions { signature_type: typ.map(str::to_owned), ..HeaderOptions::default() };
        let claims = bare(claims);
        for_pair!(
            self,
            pair => pair.sign_with_options(claims, &options),
            key => key.authenticate_with_options(claims, &options)
        )
    }
}

/// A private key outside its type.
pub(crate) enum Exported {
    Jwk(String),
    Secret(Vec<u8>),
}

/// Every claim is ours to set, registered ones too: tokens that break a rule are what tests need.
fn bare(custom: Map<String, Value>) -> JWTClaims<Map<String, Value>> {
    JWTClaims {
        issued_at: None,
        expires_at: None,
        invalid_before: None,
        issuer: None,
        subject: None,
        audiences: None,
        jwt_id: None,
        nonce: None,
        custom,
    }
}

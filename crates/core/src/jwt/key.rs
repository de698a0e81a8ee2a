//! Keys and algorithms, and the two questions that core asks of a crypto library.

use alloc::boxed::Box;
use core::fmt;

use crate::bytes::is_same;
use sha2::{Digest as _, Sha256};

/// A signature algorithm of RFC 7518 §3.1, RFC 8037 §3.1 or RFC 9864 §2.2 that we verify.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256, salt of 32 bytes.
    Ps256,
    /// RSASSA-PSS with SHA-384, salt of 48 bytes.
    Ps384,
    /// RSASSA-PSS with SHA-512, salt of 64 bytes.
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// Ed25519, under the name `EdDSA` or `Ed25519`.
    EdDsa,
    /// HMAC with SHA-256; only with a key that the policy names.
    Hs256,
    /// HMAC with SHA-384; only with a key that the policy names.
    Hs384,
    /// HMAC with SHA-512; only with a key that the policy names.
    Hs512,
}

impl Algorithm {
    /// The algorithm of an `alg` value; names are case-sensitive (RFC 7515 §4.1.1).
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "RS256" => Self::Rs256,
            "RS384" => Self::Rs384,
            "RS512" => Self::Rs512,
            "PS256" => Self::Ps256,
            "PS384" => Self::Ps384,
            "PS512" => Self::Ps512,
            "ES256" => Self::Es256,
            "ES384" => Self::Es384,
            "EdDSA" | "Ed25519" => Self::EdDsa,
            "HS256" => Self::Hs256,
            "HS384" => Self::Hs384,
            "HS512" => Self::Hs512,
            _ => return None,
        })
    }

    /// The registered name; `EdDSA` for both names of Ed25519.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
        }
    }

    /// Whether signing and verifying use the same secret.
    #[must_use]
    pub const fn is_symmetric(self) -> bool {
        matches!(self, Self::Hs256 | Self::Hs384 | Self::Hs512)
    }

    /// The length that a signature of this algorithm under `key` must have, in bytes.
    #[must_use]
    pub fn signature_length(self, key: &KeyMaterial) -> usize {
        match (self, key) {
            (Self::Hs256, _) => 32,
            (Self::Hs384, _) => 48,
            (Self::Es384, _) => 96,
            (Self::Hs512 | Self::Es256 | Self::EdDsa, _) => 64,
            (Self::Rs256 | Self::Rs384 | Self::Rs512, KeyMaterial::Rsa { n, .. })
            | (Self::Ps256 | Self::Ps384 | Self::Ps512, KeyMaterial::Rsa { n, .. }) => n.len(),
            (_, KeyMaterial::Ec { .. } | KeyMaterial::Ed25519(_) | KeyMaterial::Secret(_)) => 0,
        }
    }
}

/// An elliptic curve of RFC 7518 §6.2.1.1 that we verify on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Curve {
    /// NIST P-256; coordinates of 32 bytes.
    P256,
    /// NIST P-384; coordinates of 48 bytes.
    P384,
}

impl Curve {
    /// The length of a coordinate in bytes.
    #[must_use]
    pub const fn coordinate_length(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
        }
    }
}

/// What a key is made of. Numbers are big-endian; nothing has been checked but their lengths.
#[derive(Clone, Eq)]
pub enum KeyMaterial {
    /// Modulus and public exponent, without leading zeros.
    Rsa {
        /// The modulus.
        n: Box<[u8]>,
        /// The public exponent.
        e: Box<[u8]>,
    },
    /// An affine point; both coordinates have the curve's length.
    Ec {
        /// The curve.
        curve: Curve,
        /// The x coordinate.
        x: Box<[u8]>,
        /// The y coordinate.
        y: Box<[u8]>,
    },
    /// An Ed25519 public key as RFC 8032 §5.1.2 encodes it.
    Ed25519([u8; 32]),
    /// A secret for HMAC.
    Secret(Box<[u8]>),
}

/// Asked of every token, by hosts that hold the keys: by words, since a modulus is long.
impl PartialEq for KeyMaterial {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Rsa { n, e }, Self::Rsa { n: m, e: f }) => is_same(n, m) && is_same(e, f),
            (Self::Ec { curve, x, y }, Self::Ec { curve: other, x: u, y: v }) => {
                curve == other && is_same(x, u) && is_same(y, v)
            }
            (Self::Ed25519(point), Self::Ed25519(other)) => is_same(point, other),
            (Self::Secret(secret), Self::Secret(other)) => is_same(secret, other),
            (Self::Rsa { .. } | Self::Ec { .. } | Self::Ed25519(_) | Self::Secret(_), _) => false,
        }
    }
}

impl KeyMaterial {
    /// Whether keys of this type can be used with that algorithm at all.
    #[must_use]
    pub const fn fits(&self, algorithm: Algorithm) -> bool {
        match self {
            Self::Rsa { .. } => matches!(
                algorithm,
                Algorithm::Rs256
                    | Algorithm::Rs384
                    | Algorithm::Rs512
                    | Algorithm::Ps256
                    | Algorithm::Ps384
                    | Algorithm::Ps512
            ),
            Self::Ec { curve: Curve::P256, .. } => matches!(algorithm, Algorithm::Es256),
            Self::Ec { curve: Curve::P384, .. } => matches!(algorithm, Algorithm::Es384),
            Self::Ed25519(_) => matches!(algorithm, Algorithm::EdDsa),
            Self::Secret(_) => algorithm.is_symmetric(),
        }
    }

    /// SHA-256 over an unambiguous encoding: equal for equal keys only.
    #[must_use]
    pub fn fingerprint(&self) -> KeyFingerprint {
        let (tag, first, second): (u8, &[u8], &[u8]) = match self {
            Self::Rsa { n, e } => (0, n, e),
            Self::Ec { curve: Curve::P256, x, y } => (1, x, y),
            Self::Ec { curve: Curve::P384, x, y } => (2, x, y),
            Self::Ed25519(point) => (3, point, &[]),
            Self::Secret(secret) => (4, secret, &[]),
        };
        let length = u64::try_from(first.len()).unwrap_or(u64::MAX);
        let mut hash = Sha256::new();
        hash.update([tag]);
        hash.update(length.to_be_bytes());
        hash.update(first);
        hash.update(second);
        KeyFingerprint(hash.finalize().into())
    }
}

/// Names the kind only: a secret can't be formatted.
impl fmt::Debug for KeyMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rsa { .. } => "Rsa",
            Self::Ec { curve: Curve::P256, .. } => "Ec(P-256)",
            Self::Ec { curve: Curve::P384, .. } => "Ec(P-384)",
            Self::Ed25519(_) => "Ed25519",
            Self::Secret(_) => "Secret(redacted)",
        })
    }
}

/// What tells one key from another. Can't be formatted: that of a weak secret gives it away.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyFingerprint([u8; 32]);

impl fmt::Debug for KeyFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyFingerprint(redacted)")
    }
}

/// One signature to check: everything that a crypto library needs and nothing else.
///
/// The algorithm fits the key, and the signature has the algorithm's length.
#[derive(Clone, Copy)]
pub struct SignatureCheck<'a> {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// The key, which passed [`KeyCheck`].
    pub key: &'a KeyMaterial,
    /// The JWS signing input.
    pub message: &'a [u8],
    /// The signature: r and s for ECDSA (RFC 7518 §3.4), never DER.
    pub signature: &'a [u8],
}

/// Message and signature together are a token, so they can't be formatted.
impl fmt::Debug for SignatureCheck<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignatureCheck")
            .field("algorithm", &self.algorithm)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// A crypto library's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// The signature is genuine.
    Valid,
    /// It is not.
    Invalid,
    /// The library can't say; the request is refused with 503.
    Unavailable,
}

/// Checks signatures. Hosts may bring their own library.
pub trait Verifier {
    /// Whether the signature is genuine. Never panics, whatever the bytes.
    fn verify(&self, check: &SignatureCheck<'_>) -> Outcome;
}

/// Checks that a key is safe to use; the same implementation in every host.
pub trait KeyCheck {
    /// Refuses a key that is weak or no key at all.
    ///
    /// # Errors
    /// [`KeyRefusal`] says why.
    fn check_key(&self, material: &KeyMaterial) -> Result<(), KeyRefusal>;
}

/// Why a key must not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyRefusal {
    /// An RSA modulus outside 2048 to 8192 bits, or a secret shorter than its hash.
    Size {
        /// Bits there are.
        bits: usize,
    },
    /// An RSA modulus that is even or begins with a zero byte.
    Modulus,
    /// An RSA exponent other than 65537.
    Exponent,
    /// An RSA modulus with the ROCA fingerprint (CVE-2017-15361).
    Roca,
    /// A point that is not on its curve, or no canonical encoding of one.
    NotOnCurve,
    /// An Ed25519 point of small order.
    SmallOrder,
}

impl fmt::Display for KeyRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Size { bits } => write!(f, "key of {bits} bits is outside the accepted sizes"),
            Self::Modulus => f.write_str("RSA modulus is even or has leading zeros"),
            Self::Exponent => f.write_str("RSA exponent is not 65537"),
            Self::Roca => f.write_str("RSA modulus has the ROCA weakness"),
            Self::NotOnCurve => f.write_str("point is not on the curve"),
            Self::SmallOrder => f.write_str("point has small order"),
        }
    }
}

impl core::error::Error for KeyRefusal {}

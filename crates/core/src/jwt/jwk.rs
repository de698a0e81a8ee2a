//! One JSON Web Key (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2) and the key that it becomes.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use super::key::{Algorithm, Curve, KeyCheck, KeyFingerprint, KeyMaterial, KeyRefusal};
use crate::base64;
use crate::json::{Object, Value};
use crate::limits;

/// The accepted sizes of an RSA modulus in bits: below is weak, above is a way to waste our time.
const RSA_BITS: core::ops::RangeInclusive<usize> = 2048..=8192;

/// Members that only private keys have (RFC 7518 §6.2.2, §6.3.2, §6.4.1).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// What the tokens are that a set's keys verify.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyProfile {
    /// Ordinary tokens: `use` is absent or `sig`.
    Jwt,
    /// JWT-SVIDs: `use` is `jwt-svid` (SPIFFE Trust Domain and Bundle §4.2.2), and each
    /// key has a `kid`.
    Svid,
}

/// A key that may verify tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    id: Option<Box<str>>,
    algorithm: Option<Algorithm>,
    material: KeyMaterial,
    fingerprint: KeyFingerprint,
}

/// Why a JWK is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum JwkError {
    /// `kty` is one that we do not know (RFC 7517 §5 has these ignored).
    TypeUnknown,
    /// `crv` is one that we do not verify on.
    CurveUnknown,
    /// `alg` is one that we do not verify.
    AlgorithmUnknown,
    /// `alg` does not go with the key.
    AlgorithmMismatch,
    /// `use` is not that of a key for this kind of token.
    Use,
    /// `key_ops` is not a list of different strings with `verify` among them.
    Operations,
    /// A member is absent, or is not what it must be.
    Member(&'static str),
    /// A private key was published; whoever published it must replace it.
    Private(&'static str),
    /// The key is weak or no key.
    Refused(KeyRefusal),
}

impl Key {
    /// A secret that the policy names, for one issuer, one `kid` and one algorithm.
    ///
    /// # Errors
    /// An empty or long `kid`, an asymmetric algorithm, or a secret that is shorter than the hash
    /// (RFC 7518 §3.2).
    pub fn symmetric(id: &str, algorithm: Algorithm, secret: &[u8]) -> Result<Self, JwkError> {
        check_key_id(id)?;
        let material = KeyMaterial::Secret(secret.into());
        if !material.fits(algorithm) {
            return Err(JwkError::AlgorithmMismatch);
        }
        if secret.len() < algorithm.signature_length(&material) {
            let bits = secret.len().saturating_mul(8);
            return Err(JwkError::Refused(KeyRefusal::Size { bits }));
        }
        Ok(Self::new(Some(id.into()), Some(algorithm), material))
    }

    /// Reads one member of a set that is not symmetric.
    pub(super) fn parse(
        members: Object<'_>,
        profile: KeyProfile,
        check: &dyn KeyCheck,
    ) -> Result<Self, JwkError> {
        let read = match string(members, "kty")? {
            "RSA" => rsa,
            "EC" => ec,
            "OKP" => okp,
            _ => return Err(JwkError::TypeUnknown),
        };
        if let Some(name) = PRIVATE.into_iter().find(|name| members.get(name).is_some()) {
            return Err(JwkError::Private(name));
        }
        check_use(members, profile)?;
        check_operations(members)?;
        let id = key_id(members)?;
        if profile == KeyProfile::Svid && id.is_none() {
            return Err(JwkError::Member("kid"));
        }
        let algorithm = algorithm(members)?;
        let material = read(members)?;
        if algorithm.is_some_and(|algorithm| !material.fits(algorithm)) {
            return Err(JwkError::AlgorithmMismatch);
        }
        check.check_key(&material).map_err(JwkError::Refused)?;
        Ok(Self::new(id.map(Into::into), algorithm, material))
    }

    fn new(id: Option<Box<str>>, algorithm: Option<Algorithm>, material: KeyMaterial) -> Self {
        let fingerprint = material.fingerprint();
        Self { id, algorithm, material, fingerprint }
    }

    /// The key's `kid`.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// What the key is made of.
    #[must_use]
    pub fn material(&self) -> &KeyMaterial {
        &self.material
    }

    /// What tells it from other keys; equal for the same key under another `kid`.
    #[must_use]
    pub fn fingerprint(&self) -> KeyFingerprint {
        self.fingerprint
    }

    /// Whether a token that names this algorithm may be verified with this key.
    ///
    /// The key decides: its type and curve must fit, and its own `alg`, if it has one, must be
    /// the same (RFC 8725 §3.1).
    #[must_use]
    pub fn accepts(&self, algorithm: Algorithm) -> bool {
        self.material.fits(algorithm) && self.algorithm.is_none_or(|own| own == algorithm)
    }
}

/// The `kid` of a JWK.
pub(super) fn key_id(members: Object<'_>) -> Result<Option<&str>, JwkError> {
    let Some(value) = members.get("kid") else { return Ok(None) };
    let id = value.as_str().ok_or(JwkError::Member("kid"))?;
    check_key_id(id)?;
    Ok(Some(id))
}

fn check_key_id(id: &str) -> Result<(), JwkError> {
    let good = !id.is_empty() && id.len() <= limits::KID_BYTES;
    if good { Ok(()) } else { Err(JwkError::Member("kid")) }
}

fn check_use(members: Object<'_>, profile: KeyProfile) -> Result<(), JwkError> {
    let wanted = match profile {
        KeyProfile::Jwt => "sig",
        KeyProfile::Svid => "jwt-svid",
    };
    match members.get("use").map(Value::as_str) {
        // The keys of a trust domain also verify certificates: each says which it is for.
        None if profile == KeyProfile::Jwt => Ok(()),
        Some(Some(value)) if value == wanted => Ok(()),
        None | Some(_) => Err(JwkError::Use),
    }
}

fn check_operations(members: Object<'_>) -> Result<(), JwkError> {
    let Some(value) = members.get("key_ops") else { return Ok(()) };
    let list = value.as_array().ok_or(JwkError::Operations)?;
    let mut names =
        list.map(Value::as_str).collect::<Option<Vec<_>>>().ok_or(JwkError::Operations)?;
    crate::order::sort_by(&mut names, |a, b| a < b);
    let distinct = names.array_windows().all(|[a, b]| a != b);
    if distinct && names.contains(&"verify") { Ok(()) } else { Err(JwkError::Operations) }
}

fn algorithm(members: Object<'_>) -> Result<Option<Algorithm>, JwkError> {
    let Some(value) = members.get("alg") else { return Ok(None) };
    let name = value.as_str().ok_or(JwkError::Member("alg"))?;
    Algorithm::parse(name).map(Some).ok_or(JwkError::AlgorithmUnknown)
}

fn rsa(members: Object<'_>) -> Result<KeyMaterial, JwkError> {
    let n = bytes(members, "n")?;
    let e = bytes(members, "e")?;
    match n.first() {
        None | Some(0) => return Err(JwkError::Refused(KeyRefusal::Modulus)),
        Some(first) => {
            let unused = usize::try_from(first.leading_zeros()).unwrap_or(0);
            let bits = n.len().saturating_mul(8).saturating_sub(unused);
            if !RSA_BITS.contains(&bits) {
                return Err(JwkError::Refused(KeyRefusal::Size { bits }));
            }
        }
    }
    if matches!(e.first(), None | Some(0)) {
        return Err(JwkError::Refused(KeyRefusal::Exponent));
    }
    Ok(KeyMaterial::Rsa { n, e })
}

fn ec(members: Object<'_>) -> Result<KeyMaterial, JwkError> {
    let curve = match string(members, "crv")? {
        "P-256" => Curve::P256,
        "P-384" => Curve::P384,
        _ => return Err(JwkError::CurveUnknown),
    };
    let coordinate = |name| {
        let bytes = bytes(members, name)?;
        if bytes.len() == curve.coordinate_length() {
            Ok(bytes)
        } else {
            Err(JwkError::Member(name))
        }
    };
    Ok(KeyMaterial::Ec { curve, x: coordinate("x")?, y: coordinate("y")? })
}

fn okp(members: Object<'_>) -> Result<KeyMaterial, JwkError> {
    if string(members, "crv")? != "Ed25519" {
        return Err(JwkError::CurveUnknown);
    }
    let x = bytes(members, "x")?;
    x.as_ref().try_into().map(KeyMaterial::Ed25519).map_err(|_| JwkError::Member("x"))
}

fn bytes(members: Object<'_>, name: &'static str) -> Result<Box<[u8]>, JwkError> {
    let text = string(members, name)?;
    base64::decode_url(text.as_bytes()).map(Into::into).ok_or(JwkError::Member(name))
}

fn string<'a>(members: Object<'a>, name: &'static str) -> Result<&'a str, JwkError> {
    members.get(name).and_then(Value::as_str).ok_or(JwkError::Member(name))
}

impl JwkError {
    /// The stable code, for reports and metrics.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TypeUnknown => "key_type_unknown",
            Self::CurveUnknown => "key_curve_unknown",
            Self::AlgorithmUnknown => "key_algorithm_unknown",
            Self::AlgorithmMismatch => "key_algorithm_mismatch",
            Self::Use => "key_use",
            Self::Operations => "key_operations",
            Self::Member(_) => "key_malformed",
            Self::Private(_) => "private_key_published",
            Self::Refused(_) => "key_refused",
        }
    }
}

impl fmt::Display for JwkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TypeUnknown => f.write_str("key type is not supported"),
            Self::CurveUnknown => f.write_str("curve is not supported"),
            Self::AlgorithmUnknown => f.write_str("algorithm is not supported"),
            Self::AlgorithmMismatch => f.write_str("algorithm does not go with the key"),
            Self::Use => f.write_str("use is not that of a key for these tokens"),
            Self::Operations => f.write_str("key_ops is not a list of operations with verify"),
            Self::Member(name) => write!(f, "{name} is missing or malformed"),
            Self::Private(name) => write!(f, "private key was published (member {name})"),
            Self::Refused(refusal) => refusal.fmt(f),
        }
    }
}

impl core::error::Error for JwkError {}

#[cfg(test)]
mod tests;

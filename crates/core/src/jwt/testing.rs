//! Tokens and keys for tests. The crypto library here is a game: a signature is genuine if its
//! bytes are those of the key.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::key::{KeyCheck, KeyMaterial, KeyRefusal, Outcome, SignatureCheck, Verifier};

pub(crate) fn encode_url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let mut word = [0; 4];
        word[1..=chunk.len()].copy_from_slice(chunk);
        let word = u32::from_be_bytes(word);
        for shift in [18, 12, 6, 0].into_iter().take(chunk.len().saturating_add(1)) {
            text.push(char::from(ALPHABET[usize::try_from((word >> shift) & 63).unwrap()]));
        }
    }
    text
}

pub(crate) fn token(header: &str, claims: &str, signature: &[u8]) -> String {
    let [header, claims] = [header, claims].map(|json| encode_url(json.as_bytes()));
    format!("{header}.{claims}.{}", encode_url(signature))
}

/// An ES256 token that the key made of this byte signed.
pub(crate) fn signed(kid: Option<&str>, claims: &str, key: u8) -> String {
    let kid = kid.map_or(String::new(), |kid| format!(r#","kid":"{kid}""#));
    token(&format!(r#"{{"alg":"ES256"{kid}}}"#), claims, &[key; 64])
}

/// A P-256 key made of this byte, with further members.
pub(crate) fn jwk(key: u8, members: &str) -> String {
    let coordinate = encode_url(&[key; 32]);
    let comma = if members.is_empty() { "" } else { "," };
    format!(r#"{{"kty":"EC","crv":"P-256","x":"{coordinate}","y":"{coordinate}"{comma}{members}}}"#)
}

pub(crate) fn jwks(keys: &[String]) -> String {
    format!(r#"{{"keys":[{}]}}"#, keys.join(","))
}

/// Accepts every key.
pub(crate) struct AnyKey;

impl KeyCheck for AnyKey {
    fn check_key(&self, _material: &KeyMaterial) -> Result<(), KeyRefusal> {
        Ok(())
    }
}

/// Refuses every key.
pub(crate) struct NoKey;

impl KeyCheck for NoKey {
    fn check_key(&self, _material: &KeyMaterial) -> Result<(), KeyRefusal> {
        Err(KeyRefusal::NotOnCurve)
    }
}

/// Compares the bytes of the signature with those of the key.
pub(crate) struct SameByte;

impl Verifier for SameByte {
    fn verify(&self, check: &SignatureCheck<'_>) -> Outcome {
        let own = match check.key {
            KeyMaterial::Ec { x, .. } => x[0],
            KeyMaterial::Rsa { n, .. } => n[0],
            KeyMaterial::Ed25519(point) => point[0],
            KeyMaterial::Secret(secret) => secret[0],
        };
        let same: Vec<_> = check.signature.iter().filter(|byte| **byte == own).collect();
        if same.len() == check.signature.len() { Outcome::Valid } else { Outcome::Invalid }
    }
}

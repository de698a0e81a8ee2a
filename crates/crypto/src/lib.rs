//! Signature verification for lychgate-core in portable Rust.
//!
//! [`Portable`] answers both questions that core asks of a crypto library: is this signature
//! genuine ([`Verifier`]), and is this key safe to use ([`KeyCheck`])? It verifies only: there is
//! no private-key operation in this crate, no randomness and no I/O, and it runs wherever
//! `alloc` does.
//!
//! A host with a library of its own may verify with that instead, if it
//! * takes its keys only through [`Portable`]'s [`KeyCheck`],
//! * asks [`structure_ok`] first and takes its no for an answer, and
//! * leaves Ed25519 to [`Portable`], unless its own library computes R without the cofactor and
//!   compares its bytes: with the other two points, that is what `verify_strict` does.
//!
//! Then the verdict is the same in every host. [`spki_der`] and [`ecdsa_der`] translate what such
//! libraries want to see in DER; [`verify_hmac`] is for those that are not told secrets.
#![no_std]
#![cfg_attr(
    test,
    expect(clippy::arithmetic_side_effects, reason = "an overflow in a test is a failed test")
)]

extern crate alloc;

mod arithmetic;
mod der;
mod ecdsa;
mod ed25519;
mod hash;
mod hmac;
mod rsa;
mod structure;

use lychgate_core::jwt::key::{
    Algorithm, KeyCheck, KeyMaterial, KeyRefusal, Outcome, SignatureCheck, Verifier,
};

pub use der::{ecdsa_der, key_of_spki, spki_der};
use hash::Hash;
use rsa::Padding;
pub use structure::structure_ok;

/// The portable implementation. It has no state and is never unavailable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Portable;

impl Verifier for Portable {
    fn verify(&self, check: &SignatureCheck<'_>) -> Outcome {
        if structure_ok(check) && is_genuine(check) { Outcome::Valid } else { Outcome::Invalid }
    }
}

impl KeyCheck for Portable {
    fn check_key(&self, material: &KeyMaterial) -> Result<(), KeyRefusal> {
        match material {
            KeyMaterial::Rsa { n, e } => rsa::check_key(n, e),
            KeyMaterial::Ec { curve, x, y } => ecdsa::check_key(*curve, x, y),
            KeyMaterial::Ed25519(bytes) => ed25519::check_key(bytes),
            KeyMaterial::Secret(secret) => hmac::check_key(secret),
        }
    }
}

/// What [`Portable`] says of an HMAC; any other algorithm is unavailable. Without the arithmetic of
/// the others, where they are left to the host.
pub fn verify_hmac(check: &SignatureCheck<'_>) -> Outcome {
    let (KeyMaterial::Secret(secret), Some(hash)) = (check.key, hash_of(check.algorithm)) else {
        return Outcome::Unavailable;
    };
    let is_genuine =
        structure_ok(check) && hmac::verify(hash, secret, check.message, check.signature);
    if is_genuine { Outcome::Valid } else { Outcome::Invalid }
}

fn is_genuine(check: &SignatureCheck<'_>) -> bool {
    let &SignatureCheck { algorithm, key, message, signature } = check;
    let Some(hash) = hash_of(algorithm) else {
        return matches!(key, KeyMaterial::Ed25519(key) if ed25519::verify(key, message, signature));
    };
    match key {
        KeyMaterial::Rsa { n, e } => padding_of(algorithm).is_some_and(|padding| {
            rsa::verify((padding, hash), n, e, &hash.digest(&[message]), signature)
        }),
        KeyMaterial::Ec { curve, x, y } => {
            ecdsa::verify(*curve, x, y, &hash.digest(&[message]), signature)
        }
        KeyMaterial::Ed25519(_) => false,
        KeyMaterial::Secret(secret) => hmac::verify(hash, secret, message, signature),
    }
}

/// The hash of an algorithm, but for that of Ed25519, which hashes more than the message.
const fn hash_of(algorithm: Algorithm) -> Option<Hash> {
    match algorithm {
        Algorithm::Rs256 | Algorithm::Ps256 | Algorithm::Es256 | Algorithm::Hs256 => {
            Some(Hash::Sha256)
        }
        Algorithm::Rs384 | Algorithm::Ps384 | Algorithm::Es384 | Algorithm::Hs384 => {
            Some(Hash::Sha384)
        }
        Algorithm::Rs512 | Algorithm::Ps512 | Algorithm::Hs512 => Some(Hash::Sha512),
        Algorithm::EdDsa => None,
    }
}

const fn padding_of(algorithm: Algorithm) -> Option<Padding> {
    match algorithm {
        Algorithm::Rs256 | Algorithm::Rs384 | Algorithm::Rs512 => Some(Padding::Pkcs1),
        Algorithm::Ps256 | Algorithm::Ps384 | Algorithm::Ps512 => Some(Padding::Pss),
        Algorithm::Es256 | Algorithm::Es384 | Algorithm::EdDsa => None,
        Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => None,
    }
}

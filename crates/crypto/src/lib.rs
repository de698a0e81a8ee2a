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
//! * leaves Ed25519 to [`Portable`], unless its own library refuses what `verify_strict` refuses.
//!
//! Then the verdict is the same in every host. [`spki_der`] and [`ecdsa_der`] translate what such
//! libraries want to see in DER.
#![no_std]
#![cfg_attr(
    test,
    expect(clippy::arithmetic_side_effects, reason = "an overflow in a test is a failed test")
)]

extern crate alloc;

mod der;
mod ecdsa;
mod ed25519;
mod hmac;
mod rsa;
mod structure;

use lychgate_core::jwt::key::{
    Algorithm, Curve, KeyCheck, KeyMaterial, KeyRefusal, Outcome, SignatureCheck, Verifier,
};

pub use der::{ecdsa_der, spki_der};
use sha2::{Digest as _, Sha256, Sha384};
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

fn is_genuine(check: &SignatureCheck<'_>) -> bool {
    let &SignatureCheck { algorithm, key, message, signature } = check;
    match key {
        KeyMaterial::Rsa { n, e } => rsa_scheme(algorithm)
            .is_some_and(|scheme| rsa::verify(scheme, n, e, message, signature)),
        KeyMaterial::Ec { curve, x, y } => {
            let hash = match curve {
                Curve::P256 => Sha256::digest(message).to_vec(),
                Curve::P384 => Sha384::digest(message).to_vec(),
            };
            ecdsa::verify(*curve, x, y, &hash, signature)
        }
        KeyMaterial::Ed25519(point) => ed25519::verify(point, message, signature),
        KeyMaterial::Secret(secret) => {
            hmac_hash(algorithm).is_some_and(|hash| hmac::verify(hash, secret, message, signature))
        }
    }
}

const fn rsa_scheme(algorithm: Algorithm) -> Option<rsa::Scheme> {
    Some(match algorithm {
        Algorithm::Rs256 => rsa::Scheme::Pkcs1Sha256,
        Algorithm::Rs384 => rsa::Scheme::Pkcs1Sha384,
        Algorithm::Rs512 => rsa::Scheme::Pkcs1Sha512,
        Algorithm::Ps256 => rsa::Scheme::PssSha256,
        Algorithm::Ps384 => rsa::Scheme::PssSha384,
        Algorithm::Ps512 => rsa::Scheme::PssSha512,
        Algorithm::Es256 | Algorithm::Es384 | Algorithm::EdDsa => return None,
        Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => return None,
    })
}

const fn hmac_hash(algorithm: Algorithm) -> Option<hmac::Hash> {
    Some(match algorithm {
        Algorithm::Hs256 => hmac::Hash::Sha256,
        Algorithm::Hs384 => hmac::Hash::Sha384,
        Algorithm::Hs512 => hmac::Hash::Sha512,
        Algorithm::Rs256 | Algorithm::Rs384 | Algorithm::Rs512 => return None,
        Algorithm::Ps256 | Algorithm::Ps384 | Algorithm::Ps512 => return None,
        Algorithm::Es256 | Algorithm::Es384 | Algorithm::EdDsa => return None,
    })
}

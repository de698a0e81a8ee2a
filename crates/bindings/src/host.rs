//! The host's crypto library, asked while a decision is made.

use lychgate_core::jwt::key::{Algorithm, Outcome, SignatureCheck, Verifier};
use lychgate_crypto::{Portable, spki_der, structure_ok};
use wasm_bindgen::prelude::wasm_bindgen;

/// The algorithms whose checks a host takes over, by their numbers for it. Ed25519 is not among
/// them: libraries differ on which signatures are genuine. Nor is HMAC, whose secrets stay here.
pub(crate) const ALGORITHMS: [Algorithm; 8] = [
    Algorithm::Rs256,
    Algorithm::Rs384,
    Algorithm::Rs512,
    Algorithm::Ps256,
    Algorithm::Ps384,
    Algorithm::Ps512,
    Algorithm::Es256,
    Algorithm::Es384,
];

#[wasm_bindgen]
extern "C" {
    /// An object with a method `verify`.
    #[derive(Debug)]
    pub type HostVerifier;

    /// The number of an algorithm, the key as SubjectPublicKeyInfo in DER, the message, and the
    /// signature (r and s for ECDSA), all as views that are good during the call only. The answer
    /// is 1 for genuine, 0 for not, and anything else if the library can't say.
    #[wasm_bindgen(method)]
    fn verify(
        this: &HostVerifier,
        algorithm: u32,
        key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> u32;
}

/// The library that checks signatures: the host's, where it has one, and the portable one for the
/// rest.
#[derive(Debug, Default)]
pub(crate) struct Library(Option<HostVerifier>);

impl Library {
    pub(crate) fn of(host: Option<HostVerifier>) -> Self {
        Self(host)
    }
}

impl Verifier for Library {
    fn verify(&self, check: &SignatureCheck<'_>) -> Outcome {
        match (&self.0, number(check.algorithm)) {
            (Some(host), Some(algorithm)) => ask(host, algorithm, check),
            (Some(_), None) | (None, _) => Portable.verify(check),
        }
    }
}

/// The structure is checked here, so that the library's own reading of it makes no difference.
fn ask(host: &HostVerifier, algorithm: u32, check: &SignatureCheck<'_>) -> Outcome {
    if !structure_ok(check) {
        return Outcome::Invalid;
    }
    let Some(key) = spki_der(check.key) else { return Portable.verify(check) };
    match host.verify(algorithm, &key, check.message, check.signature) {
        0 => Outcome::Invalid,
        1 => Outcome::Valid,
        _ => Outcome::Unavailable,
    }
}

fn number(algorithm: Algorithm) -> Option<u32> {
    let place = ALGORITHMS.iter().position(|other| *other == algorithm)?;
    u32::try_from(place).ok()
}

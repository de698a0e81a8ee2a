//! Signatures: Envoy's own crypto where it gives the same answer, the portable crate elsewhere.

use lychgate_core::jwt::key::{Algorithm, Outcome, SignatureCheck, Verifier};
use lychgate_crypto::{Portable, ecdsa_der, spki_der, structure_ok};
use proxy_wasm::hostcalls;

use crate::metrics::Counter;
use crate::protobuf::{Message, leading_bool};

/// The name of Envoy's foreign function.
const VERIFY_SIGNATURE: &str = "verify_signature";

/// Verifies with Envoy's BoringSSL, and with [`Portable`] what Envoy does not offer.
///
/// Envoy offers PKCS#1 v1.5 and ECDSA. It takes the algorithm from the key, so the algorithm must
/// have been bound to the key before, as core does, and the shape of the signature is checked first
/// by the same function that the portable crate uses. Where Envoy can't say, the portable crate
/// answers: a host without the function costs time, never a verdict.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EnvoyVerifier {
    /// Counts answers of Envoy.
    pub(crate) by_host: Counter,
    /// Counts answers of the portable crate.
    pub(crate) by_portable: Counter,
}

impl Verifier for EnvoyVerifier {
    fn verify(&self, check: &SignatureCheck<'_>) -> Outcome {
        if !structure_ok(check) {
            return Outcome::Invalid;
        }
        let Some(is_genuine) = ask_envoy(check) else {
            self.by_portable.increment();
            return Portable.verify(check);
        };
        self.by_host.increment();
        if is_genuine { Outcome::Valid } else { Outcome::Invalid }
    }
}

/// Envoy's answer; none if it has none.
fn ask_envoy(check: &SignatureCheck<'_>) -> Option<bool> {
    let (hash, is_ecdsa) = envoy_hash(check.algorithm)?;
    let key = spki_der(check.key)?;
    let der = if is_ecdsa { Some(ecdsa_der(check.signature)?) } else { None };
    let signature = der.as_deref().unwrap_or(check.signature);
    let room = [key.len(), signature.len(), check.message.len(), 32]
        .into_iter()
        .fold(0, usize::saturating_add);
    let question = Message::with_capacity(room)
        .bytes(1, hash.as_bytes())
        .bytes(2, &key)
        .bytes(3, signature)
        .bytes(4, check.message)
        .finish();
    let answer = hostcalls::call_foreign_function(VERIFY_SIGNATURE, Some(&question)).ok()?;
    leading_bool(answer.as_deref().unwrap_or_default())
}

/// Envoy's name of the hash, and whether the signature is ECDSA; none for what Envoy can't do.
const fn envoy_hash(algorithm: Algorithm) -> Option<(&'static str, bool)> {
    match algorithm {
        Algorithm::Rs256 => Some(("sha256", false)),
        Algorithm::Rs384 => Some(("sha384", false)),
        Algorithm::Rs512 => Some(("sha512", false)),
        Algorithm::Es256 => Some(("sha256", true)),
        Algorithm::Es384 => Some(("sha384", true)),
        Algorithm::Ps256
        | Algorithm::Ps384
        | Algorithm::Ps512
        | Algorithm::EdDsa
        | Algorithm::Hs256
        | Algorithm::Hs384
        | Algorithm::Hs512 => None,
    }
}

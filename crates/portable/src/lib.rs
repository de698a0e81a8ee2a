//! lychgate-crypto as a library for JavaScript: a module of its own beside the engine, loaded only by
//! those who want it.
//!
//! The engine asks a host's library about signatures through the methods `hold` and `verify`
//! (crates/bindings, module `host`). This is such a library, for a host that has none, or whose own
//! makes its callers wait.

use lychgate_core::jwt::key::{
    Algorithm, KeyCheck as _, KeyMaterial, Outcome, SignatureCheck, Verifier as _,
};
use lychgate_core::limits::KEYS_PER_SET;
use lychgate_crypto::key_of_spki;
use wasm_bindgen::prelude::wasm_bindgen;

/// As many keys as one engine holds (crates/bindings, module `host`).
const PLACES: usize = KEYS_PER_SET;

/// The library, with the keys that it was given.
#[wasm_bindgen]
#[derive(Debug, Default)]
pub struct Portable {
    keys: Vec<Option<KeyMaterial>>,
}

#[wasm_bindgen]
impl Portable {
    /// A library that holds no key.
    #[must_use]
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self { keys: vec![None; PLACES] }
    }

    /// Keeps a key, SubjectPublicKeyInfo in DER, at that place until another one comes there. False
    /// if it is none that a token may be signed with.
    pub fn hold(&mut self, place: usize, key: &[u8]) -> bool {
        let key = key_of_spki(key).filter(|key| lychgate_crypto::Portable.check_key(key).is_ok());
        let Some(held) = self.keys.get_mut(place) else { return false };
        *held = key;
        held.is_some()
    }

    /// Whether a signature (r and s for ECDSA) is genuine; none if the algorithm or the key is not
    /// known.
    #[must_use]
    pub fn verify(
        &self,
        algorithm: &str,
        place: usize,
        message: &[u8],
        signature: &[u8],
    ) -> Option<bool> {
        let algorithm = Algorithm::parse(algorithm)?;
        let key = self.keys.get(place)?.as_ref()?;
        let check = SignatureCheck { algorithm, key, message, signature };
        match lychgate_crypto::Portable.verify(&check) {
            Outcome::Valid => Some(true),
            Outcome::Invalid => Some(false),
            Outcome::Unavailable => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8410 §10.1 and RFC 8032 §7.1, test 1.
    const KEY: [u8; 44] = *b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00\
        \xd7\x5a\x98\x01\x82\xb1\x0a\xb7\xd5\x4b\xfe\xd3\xc9\x64\x07\x3a\
        \x0e\xe1\x72\xf3\xda\xa6\x23\x25\xaf\x02\x1a\x68\xf7\x07\x51\x1a";
    const SIGNATURE: [u8; 64] =
        *b"\xe5\x56\x43\x00\xc3\x60\xac\x72\x90\x86\xe2\xcc\x80\x6e\x82\x8a\
        \x84\x87\x7f\x1e\xb8\xe5\xd9\x74\xd8\x73\xe0\x65\x22\x49\x01\x55\
        \x5f\xb8\x82\x15\x90\xa3\x3b\xac\xc6\x1e\x39\x70\x1c\xf9\xb4\x6b\
        \xd2\x5b\xf5\xf0\x59\x5b\xbe\x24\x65\x51\x41\x43\x8e\x7a\x10\x0b";

    #[test]
    fn a_held_key_checks_signatures() {
        let mut library = Portable::new();
        assert!(library.hold(63, &KEY));
        assert_eq!(library.verify("EdDSA", 63, b"", &SIGNATURE), Some(true));
        assert_eq!(library.verify("EdDSA", 63, b"x", &SIGNATURE), Some(false));
        assert_eq!(library.verify("RS256", 63, b"", &SIGNATURE), Some(false));
    }

    #[test]
    fn what_is_not_known_has_no_answer() {
        let mut library = Portable::new();
        assert_eq!(library.verify("EdDSA", 0, b"", &SIGNATURE), None);
        assert!(!library.hold(64, &KEY));
        assert!(library.hold(0, &KEY));
        assert_eq!(library.verify("none", 0, b"", &SIGNATURE), None);
        // A key that is refused leaves its place empty: the one before it must not speak for it.
        assert!(!library.hold(0, &KEY[..43]));
        assert_eq!(library.verify("EdDSA", 0, b"", &SIGNATURE), None);
    }
}

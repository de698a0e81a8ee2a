//! The host's crypto library, asked while a decision is made.

use core::cell::RefCell;

use lychgate_core::jwt::key::{Algorithm, KeyMaterial, Outcome, SignatureCheck, Verifier};
use lychgate_core::limits::KEYS_PER_SET;
use lychgate_crypto::{spki_der, structure_ok, verify_hmac};
use wasm_bindgen::prelude::wasm_bindgen;

/// The algorithms whose checks a host may take over, by their numbers for it. HMAC is not among
/// them: its secrets stay here.
pub(crate) const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::Rs256,
    Algorithm::Rs384,
    Algorithm::Rs512,
    Algorithm::Ps256,
    Algorithm::Ps384,
    Algorithm::Ps512,
    Algorithm::Es256,
    Algorithm::Es384,
    Algorithm::EdDsa,
];

/// The library holds so many keys, and crates/portable has a place for each.
const PLACES: usize = KEYS_PER_SET;

#[wasm_bindgen]
extern "C" {
    /// An object with the methods `waits`, `hold` and `verify`.
    #[derive(Debug)]
    pub type HostVerifier;

    /// Whether an answer of `verify` may be "later".
    #[wasm_bindgen(method)]
    fn waits(this: &HostVerifier) -> bool;

    /// Takes a key, SubjectPublicKeyInfo in DER, and keeps it at that place until another one comes
    /// there. False if the library does not check signatures with it: then nobody can. For Ed25519
    /// it must compare the bytes of R, as [`lychgate_crypto`] says.
    #[wasm_bindgen(method)]
    fn hold(this: &HostVerifier, place: usize, algorithm: u32, key: &[u8]) -> bool;

    /// The number of an algorithm, the place of a key, the message, and the signature (r and s for
    /// ECDSA), as views that are good during the call only. The answer is 1 for genuine, 0 for not,
    /// 3 for "later", and anything else if the library can't say.
    #[wasm_bindgen(method)]
    fn verify(
        this: &HostVerifier,
        algorithm: u32,
        place: usize,
        message: &[u8],
        signature: &[u8],
    ) -> u32;
}

/// What the library says to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Now(Outcome),
    /// The host will bring it.
    Later,
}

impl Answer {
    /// What the host's number means.
    pub(crate) const fn of(number: u32) -> Self {
        match number {
            0 => Self::Now(Outcome::Invalid),
            1 => Self::Now(Outcome::Valid),
            3 => Self::Later,
            _ => Self::Now(Outcome::Unavailable),
        }
    }

    /// For those who can't wait.
    pub(crate) const fn at_once(self) -> Outcome {
        match self {
            Self::Now(outcome) => outcome,
            Self::Later => Outcome::Unavailable,
        }
    }
}

/// The library that checks signatures: the host's, and for HMAC, whose secrets stay here, our own.
/// The arithmetic of RSA and of curves is a module of its own (crates/portable), for hosts that want
/// it: most have better.
#[derive(Debug, Default)]
pub(crate) struct Library {
    host: Option<HostVerifier>,
    waits: bool,
    held: RefCell<Held>,
}

/// The keys that were offered to the host, by place, and whether it took them. A host's library
/// takes longer to read a key than to find it again.
#[derive(Debug, Default)]
struct Held {
    keys: Vec<(KeyMaterial, bool)>,
    /// The place to be taken next when all are.
    next: usize,
}

impl Library {
    pub(crate) fn of(host: Option<HostVerifier>) -> Self {
        let waits = host.as_ref().is_some_and(HostVerifier::waits);
        Self { host, waits, held: RefCell::default() }
    }

    /// Whether an answer may come later.
    pub(crate) const fn waits(&self) -> bool {
        self.waits
    }

    /// The structure is checked here, so that the host's own reading of it makes no difference.
    pub(crate) fn ask(&self, check: &SignatureCheck<'_>) -> Answer {
        let (Some(host), Some(algorithm)) = (&self.host, number(check.algorithm)) else {
            return Answer::Now(verify_hmac(check));
        };
        if !structure_ok(check) {
            return Answer::Now(Outcome::Invalid);
        }
        let Some(place) = self.place(host, algorithm, check.key) else {
            return Answer::Now(Outcome::Unavailable);
        };
        Answer::of(host.verify(algorithm, place, check.message, check.signature))
    }

    /// Where the host holds a key, which it is offered first if it is new; none if it refuses.
    fn place(&self, host: &HostVerifier, algorithm: u32, key: &KeyMaterial) -> Option<usize> {
        let mut held = self.held.try_borrow_mut().ok()?;
        let found = held.keys.iter().position(|(other, _)| other == key);
        let place = match found {
            Some(place) => place,
            None => {
                let der = spki_der(key)?;
                held.keep(key, |place| host.hold(place, algorithm, &der))
            }
        };
        let (_, is_held) = held.keys.get(place)?;
        is_held.then_some(place)
    }
}

impl Held {
    fn keep(&mut self, key: &KeyMaterial, offer: impl FnOnce(usize) -> bool) -> usize {
        if self.keys.len() < PLACES {
            let place = self.keys.len();
            self.keys.push((key.clone(), offer(place)));
            return place;
        }
        let place = self.next;
        self.next = place.saturating_add(1).checked_rem(PLACES).unwrap_or(0);
        if let Some(taken) = self.keys.get_mut(place) {
            *taken = (key.clone(), offer(place));
        }
        place
    }
}

impl Verifier for Library {
    fn verify(&self, check: &SignatureCheck<'_>) -> Outcome {
        self.ask(check).at_once()
    }
}

fn number(algorithm: Algorithm) -> Option<u32> {
    let place = ALGORITHMS.iter().position(|other| *other == algorithm)?;
    u32::try_from(place).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_nobody_knows_is_no_answer() {
        assert_eq!(Answer::of(0), Answer::Now(Outcome::Invalid));
        assert_eq!(Answer::of(1), Answer::Now(Outcome::Valid));
        assert_eq!(Answer::of(3), Answer::Later);
        for number in [2, 4, u32::MAX] {
            assert_eq!(Answer::of(number), Answer::Now(Outcome::Unavailable));
        }
        assert_eq!(Answer::Later.at_once(), Outcome::Unavailable);
    }

    fn key(number: u8) -> KeyMaterial {
        KeyMaterial::Ed25519([number; 32])
    }

    #[test]
    fn a_new_key_takes_a_free_place_and_then_the_oldest_ones() {
        let mut held = Held::default();
        let places: Vec<usize> = (0..130).map(|number| held.keep(&key(number), |_| true)).collect();
        let expected: Vec<usize> = (0..64).chain(0..64).chain(0..2).collect();
        assert_eq!(places, expected);
        assert_eq!(held.keys.len(), PLACES);
        assert_eq!(held.keys[1], (key(129), true));
        assert_eq!(held.keys[2], (key(66), true));
    }
}

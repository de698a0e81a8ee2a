//! RSA signatures (RFC 8017 §8), verification only.
//!
//! A small kernel of our own: the general libraries carry private-key operations, which this
//! crate must never need, and take four to ten times as long in WebAssembly.

mod pkcs1;
mod power;
mod pss;
mod roca;

use lychgate_core::jwt::key::KeyRefusal;

use crate::hash::Hash;

/// Shortest modulus in bits (RFC 7518 §3.3).
const MIN_BITS: usize = 2048;
/// Longest modulus in bits. Longer keys buy no security that anyone needs, and the cost of a
/// verification grows with the square.
const MAX_BITS: usize = 8192;

const MIN_BYTES: usize = MIN_BITS / 8;
const MAX_BYTES: usize = MAX_BITS / 8;

/// 65537, as RFC 7518 §6.3.1.2 encodes it.
const EXPONENT: [u8; 3] = [1, 0, 1];

/// How an RSA signature holds its hash.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Padding {
    Pkcs1,
    Pss,
}

/// Refuses a key that is too short or too long, has another exponent than 65537 or a modulus
/// that no honest generator makes.
pub(crate) fn check_key(n: &[u8], e: &[u8]) -> Result<(), KeyRefusal> {
    if n.first() == Some(&0) {
        return Err(KeyRefusal::Modulus);
    }
    let bits = bit_length(n);
    if !(MIN_BITS..=MAX_BITS).contains(&bits) {
        return Err(KeyRefusal::Size { bits });
    }
    if n.last().is_none_or(|last| last % 2 == 0) {
        return Err(KeyRefusal::Modulus);
    }
    if e != EXPONENT {
        return Err(KeyRefusal::Exponent);
    }
    if roca::has_fingerprint(n) {
        return Err(KeyRefusal::Roca);
    }
    Ok(())
}

/// Whether `signature` is one of a message with that digest under the key; false for a key that
/// [`check_key`] refuses for its size or exponent.
pub(crate) fn verify(
    (padding, hash): (Padding, Hash),
    n: &[u8],
    e: &[u8],
    digest: &[u8],
    signature: &[u8],
) -> bool {
    if e != EXPONENT || signature.len() != n.len() || bit_length(n) < MIN_BITS {
        return false;
    }
    let Some(encoded) = power::power_65537(signature, n) else { return false };
    match padding {
        Padding::Pkcs1 => pkcs1::is_encoding_of(&encoded, hash, digest),
        Padding::Pss => pss::is_encoding_of(&encoded, bit_length(n), hash, digest),
    }
}

fn bit_length(n: &[u8]) -> usize {
    let zeros = n.first().map_or(0, |first| first.leading_zeros());
    n.len().saturating_mul(8).saturating_sub(usize::try_from(zeros).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::*;

    /// An odd modulus of that many bits; 2^(bits-1) + 1 has no fingerprint.
    fn modulus(bits: usize) -> Vec<u8> {
        let mut n = vec![0; bits.div_ceil(8)];
        n[0] = 1 << ((bits - 1) % 8);
        *n.last_mut().unwrap() |= 1;
        n
    }

    #[test]
    fn a_modulus_is_accepted_from_2048_to_8192_bits() {
        assert_eq!(check_key(&modulus(2047), &EXPONENT), Err(KeyRefusal::Size { bits: 2047 }));
        assert_eq!(check_key(&modulus(2048), &EXPONENT), Ok(()));
        assert_eq!(check_key(&modulus(8192), &EXPONENT), Ok(()));
        assert_eq!(check_key(&modulus(8193), &EXPONENT), Err(KeyRefusal::Size { bits: 8193 }));
        assert_eq!(check_key(&[], &EXPONENT), Err(KeyRefusal::Size { bits: 0 }));
    }

    #[test]
    fn a_modulus_that_is_even_or_begins_with_zero_is_refused() {
        let mut even = modulus(2048);
        *even.last_mut().unwrap() = 2;
        assert_eq!(check_key(&even, &EXPONENT), Err(KeyRefusal::Modulus));
        let mut padded = modulus(2048);
        padded.insert(0, 0);
        assert_eq!(check_key(&padded, &EXPONENT), Err(KeyRefusal::Modulus));
    }

    #[test]
    fn no_exponent_but_65537_is_accepted() {
        for e in [&[][..], &[0], &[1], &[3], &[17], &[1, 0, 0], &[1, 0, 2], &[1, 0, 3]] {
            assert_eq!(check_key(&modulus(2048), e), Err(KeyRefusal::Exponent));
        }
        for e in [&[0, 1, 0, 1][..], &[1, 0, 1, 0], &[1, 0, 0, 0, 1]] {
            assert_eq!(check_key(&modulus(2048), e), Err(KeyRefusal::Exponent));
        }
    }
}

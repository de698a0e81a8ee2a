//! EMSA-PSS (RFC 8017 §9.1) as JWA uses it: MGF1 with the same hash, and a salt as long as the
//! hash (RFC 7518 §3.5).

use alloc::vec::Vec;

use crate::hash::Hash;

/// Whether `encoded` is an encoding of a message with that digest under a modulus of `modulus_bits`.
///
/// Refuses a salt of any other length than the hash's, and any set bit above the
/// `modulus_bits - 1` that an encoding has.
pub(super) fn is_encoding_of(
    encoded: &[u8],
    modulus_bits: usize,
    hash: Hash,
    digest: &[u8],
) -> bool {
    salt_hash(encoded, modulus_bits, hash, digest).unwrap_or(false)
}

/// The steps of RFC 8017 §9.1.2; `None` where one of them says "inconsistent".
fn salt_hash(encoded: &[u8], modulus_bits: usize, hash: Hash, digest: &[u8]) -> Option<bool> {
    let bits = modulus_bits.checked_sub(1)?;
    let (above, encoded) =
        encoded.split_at_checked(encoded.len().checked_sub(bits.div_ceil(8))?)?;
    let (last, rest) = encoded.split_last()?;
    let (masked, wanted) = rest.split_at_checked(rest.len().checked_sub(hash.length())?)?;
    let unused = encoded.len().checked_mul(8)?.checked_sub(bits)?;
    let used = 0xffu8.checked_shr(u32::try_from(unused).ok()?)?;
    if *last != 0xbc || above.iter().any(|&byte| byte != 0) || masked.first()? & !used != 0 {
        return None;
    }
    let mut data = mgf1(hash, wanted, masked.len());
    for (byte, masked) in data.iter_mut().zip(masked) {
        *byte ^= masked;
    }
    *data.first_mut()? &= used;
    let (padding, salt) = data.split_at_checked(data.len().checked_sub(hash.length())?)?;
    let (one, zeros) = padding.split_last()?;
    if *one != 1 || zeros.iter().any(|&byte| byte != 0) {
        return None;
    }
    Some(*hash.digest(&[&[0; 8], digest, salt]) == *wanted)
}

/// MGF1 (RFC 8017 §B.2.1).
fn mgf1(hash: Hash, seed: &[u8], length: usize) -> Vec<u8> {
    let mut mask = Vec::with_capacity(length.saturating_add(hash.length()));
    for counter in 0u32.. {
        if mask.len() >= length {
            break;
        }
        mask.extend_from_slice(&hash.digest(&[seed, &counter.to_be_bytes()]));
    }
    mask.truncate(length);
    mask
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn is_encoding_of(encoded: &[u8], bits: usize, hash: Hash, message: &[u8]) -> bool {
        super::is_encoding_of(encoded, bits, hash, &hash.digest(&[message]))
    }

    fn encode(bits: usize, salt: &[u8], message: &[u8]) -> Vec<u8> {
        let length = (bits - 1).div_ceil(8);
        let digest = Hash::Sha256.digest(&[message]);
        let hash = Hash::Sha256.digest(&[&[0; 8], &digest, salt]);
        let mut data = vec![0; length - 33 - salt.len() - 1];
        data.push(1);
        data.extend_from_slice(salt);
        for (byte, mask) in data.iter_mut().zip(mgf1(Hash::Sha256, &hash, length - 33)) {
            *byte ^= mask;
        }
        data[0] &= 0xff >> (8 * length - (bits - 1));
        data.extend_from_slice(&hash);
        data.push(0xbc);
        let mut padded = vec![0; bits.div_ceil(8) - length];
        padded.append(&mut data);
        padded
    }

    #[test]
    fn encodings_are_accepted_for_every_number_of_unused_bits() {
        for bits in 2048..=2065 {
            let encoded = encode(bits, &[7; 32], b"message");
            assert!(is_encoding_of(&encoded, bits, Hash::Sha256, b"message"), "{bits}");
            assert!(!is_encoding_of(&encoded, bits, Hash::Sha256, b"massage"), "{bits}");
        }
    }

    #[test]
    fn a_salt_of_another_length_than_the_hash_is_refused() {
        for length in [0, 20, 31, 33, 64] {
            let encoded = encode(2048, &vec![7; length], b"message");
            assert!(!is_encoding_of(&encoded, 2048, Hash::Sha256, b"message"), "{length}");
        }
    }

    #[test]
    fn a_change_of_any_bit_is_refused() {
        for bits in [2048, 2049] {
            let genuine = encode(bits, &[7; 32], b"message");
            for at in 0..genuine.len() * 8 {
                let mut changed = genuine.clone();
                changed[at / 8] ^= 1 << (at % 8);
                assert!(!is_encoding_of(&changed, bits, Hash::Sha256, b"message"), "bit {at}");
            }
        }
    }

    #[test]
    fn an_encoding_that_is_too_short_is_refused() {
        for length in 0..=66 {
            assert!(!is_encoding_of(&vec![0xbc; length], length * 8, Hash::Sha256, b"message"));
        }
    }
}

//! Ed25519 (RFC 8032 §5.1.7, RFC 8037 §3.1), verification only, by the strictest reading.

pub(crate) mod point;

use lychgate_core::jwt::key::KeyRefusal;
use point::{Point, sum_of_products};

use crate::arithmetic::constants::{digits, negative_inverse, times_two_to};
use crate::arithmetic::field::Word;
use crate::arithmetic::modulus::{Modulus, Number, from_bytes, is_less, number};
use crate::arithmetic::signed::signed_digits;
use crate::hash::Hash;

/// The group order L, little-endian, above every S.
pub(crate) const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x10,
];

const DIGIT_BITS: usize = 29;
pub(crate) const L: [Word; 9] =
    digits("1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed", DIGIT_BITS);
/// R and 2^256 R modulo L.
const R: [Word; 9] = times_two_to(9 * DIGIT_BITS, digits("1", DIGIT_BITS), &L, DIGIT_BITS);
const HIGH_R: [Word; 9] = times_two_to(256, R, &L, DIGIT_BITS);

const MODULO_L: Modulus<'_> = Modulus {
    digits: &L,
    digit_bits: DIGIT_BITS,
    negative_inverse: negative_inverse(L[0], DIGIT_BITS),
};

/// Refuses bytes that are no point, a second encoding of a point, and a point of small order,
/// under which anybody can sign.
pub(crate) fn check_key(bytes: &[u8; 32]) -> Result<(), KeyRefusal> {
    let key = Point::decompress(bytes).ok_or(KeyRefusal::NotOnCurve)?;
    if key.has_small_order() { Err(KeyRefusal::SmallOrder) } else { Ok(()) }
}

/// Whether `signature` is one of `message`. Refuses an S that is not below L, a non-canonical R
/// and an R or key of small order.
///
/// There is no factor of eight in the equation: a signature is genuine in every reading of the
/// standard or it is not genuine here.
pub(crate) fn verify(key: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
    is_genuine(key, message, signature).unwrap_or(false)
}

fn is_genuine(key: &[u8; 32], message: &[u8], signature: &[u8]) -> Option<bool> {
    let (r, s) = signature.split_first_chunk::<32>()?;
    let s = scalar(s.try_into().ok()?);
    let point = Point::decompress(key)?;
    if !is_less(&s, &number(L)) || point.has_small_order() {
        return None;
    }
    let digest = Hash::Sha512.digest(&[r, key, message]);
    let (low, high) = digest.split_first_chunk::<32>()?;
    let high = MODULO_L.product(&scalar(high.try_into().ok()?), &number(HIGH_R));
    let low = MODULO_L.product(&scalar(*low), &number(R));
    let hash = MODULO_L.sum(&low, &high);
    let difference = sum_of_products(
        &signed_digits(&s, DIGIT_BITS),
        &signed_digits(&hash, DIGIT_BITS),
        &point.negated(),
    );
    Some(difference.is_encoded_by(r) && !difference.has_small_order())
}

/// A little-endian number.
fn scalar(mut bytes: [u8; 32]) -> Number {
    bytes.reverse();
    from_bytes(&bytes, DIGIT_BITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The base point (RFC 8032 §5.1).
    const BASE: [u8; 32] = [
        0x58, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
        0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
        0x66, 0x66,
    ];

    fn little_endian(low: u8, middle: u8, high: u8) -> [u8; 32] {
        let mut bytes = [middle; 32];
        bytes[0] = low;
        bytes[31] = high;
        bytes
    }

    #[test]
    fn the_base_point_is_a_key() {
        assert_eq!(check_key(&BASE), Ok(()));
    }

    #[test]
    fn bytes_that_are_no_point_are_refused() {
        assert_eq!(check_key(&little_endian(2, 0, 0)), Err(KeyRefusal::NotOnCurve));
    }

    #[test]
    fn the_identity_and_the_points_of_order_two_and_four_are_refused() {
        let points =
            [little_endian(1, 0, 0), little_endian(0xec, 0xff, 0x7f), little_endian(0, 0, 0)];
        for point in points {
            assert_eq!(check_key(&point), Err(KeyRefusal::SmallOrder));
        }
    }

    #[test]
    fn a_second_encoding_of_a_point_is_refused() {
        // 1 + p, 1 with the sign of a zero x set, and 3 + p.
        for other in [
            little_endian(0xee, 0xff, 0x7f),
            little_endian(1, 0, 0x80),
            little_endian(0xf0, 0xff, 0x7f),
        ] {
            assert_eq!(check_key(&other), Err(KeyRefusal::NotOnCurve));
        }
        assert_eq!(check_key(&little_endian(3, 0, 0)), Ok(()));
    }
}

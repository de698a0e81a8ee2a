//! Ed25519 (RFC 8032 §5.1.7, RFC 8037 §3.1), verification only, by the strictest reading.

use ed25519_dalek::{Signature, VerifyingKey};
use lychgate_core::jwt::key::KeyRefusal;

/// The group order L, little-endian, above every S.
pub(crate) const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x10,
];

/// Refuses bytes that are no point, a second encoding of a point, and a point of small order,
/// under which anybody can sign.
pub(crate) fn check_key(bytes: &[u8; 32]) -> Result<(), KeyRefusal> {
    let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyRefusal::NotOnCurve)?;
    if key.to_edwards().compress().as_bytes() != bytes {
        return Err(KeyRefusal::NotOnCurve);
    }
    if key.is_weak() { Err(KeyRefusal::SmallOrder) } else { Ok(()) }
}

/// Whether `signature` is one of `message`. Refuses an S that is not below L, a non-canonical R
/// and an R or key of small order.
pub(crate) fn verify(key: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
    let (Ok(key), Ok(signature)) =
        (VerifyingKey::from_bytes(key), Signature::from_slice(signature))
    else {
        return false;
    };
    key.verify_strict(message, &signature).is_ok()
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

//! ECDSA on P-256 and P-384 (FIPS 186-5 §6.4.2, RFC 7518 §3.4), verification only.
//!
//! A small kernel of our own, as for RSA: the general libraries are written for private keys too,
//! in constant time, and take five times as long in WebAssembly.

pub(crate) mod curve;
pub(crate) mod point;

use curve::{P256, P384};
use lychgate_core::jwt::key::{Curve, KeyRefusal};
use point::{Affine, odd_multiples, sum_of_products};

use crate::arithmetic::field::{Fe, Prime, Word};
use crate::arithmetic::modulus::{Modulus, NOUGHT, Number, from_bytes, is_less, number};
use crate::arithmetic::signed::signed_digits;

/// The group order of P-256, above every r and s.
pub(crate) const P256_ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// The group order of P-384.
pub(crate) const P384_ORDER: [u8; 48] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf,
    0x58, 0x1a, 0x0d, 0xb2, 0x48, 0xb0, 0xa7, 0x7a, 0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73,
];

/// Refuses coordinates of a wrong length or not below the field's prime, and a point that is not
/// on the curve; the point at infinity has no coordinates.
pub(crate) fn check_key(curve: Curve, x: &[u8], y: &[u8]) -> Result<(), KeyRefusal> {
    let on_curve = match curve {
        Curve::P256 => key::<P256, 9>(x, y).is_some(),
        Curve::P384 => key::<P384, 14>(x, y).is_some(),
    };
    if on_curve { Ok(()) } else { Err(KeyRefusal::NotOnCurve) }
}

/// Whether `signature` (r and s, each of the curve's length) is one of a message with that hash,
/// which has the curve's length too; false for a key that [`check_key`] refuses.
///
/// A high s is as good as a low one: JWA does not forbid it.
pub(crate) fn verify(curve: Curve, x: &[u8], y: &[u8], hash: &[u8], signature: &[u8]) -> bool {
    match curve {
        Curve::P256 => verify_on::<P256, 9>(x, y, hash, signature),
        Curve::P384 => verify_on::<P384, 14>(x, y, hash, signature),
    }
    .unwrap_or(false)
}

/// FIPS 186-5 §6.4.2; `None` where a step refuses.
#[expect(clippy::arithmetic_side_effects, reason = "the sum of two field elements")]
fn verify_on<C: curve::Curve<N>, const N: usize>(
    x: &[u8],
    y: &[u8],
    hash: &[u8],
    signature: &[u8],
) -> Option<bool> {
    let bits = C::DIGIT_BITS;
    let order = Modulus { digits: &C::ORDER, digit_bits: bits, negative_inverse: C::ORDER_INVERSE };
    let key = key::<C, N>(x, y)?;
    let (r, s) = signature.split_at_checked(hash.len())?;
    let (r, s) = (below::<C, N>(r, &C::ORDER)?, below::<C, N>(s, &C::ORDER)?);
    if r == NOUGHT || s == NOUGHT {
        return None;
    }
    let inverse = order.quotient(&number(C::ORDER_R), &s);
    let of_base = order.product(&inverse, &from_bytes(hash, bits));
    let of_key = order.product(&inverse, &r);
    let sum = sum_of_products([
        (&signed_digits(&of_base, bits), &C::base()),
        (&signed_digits(&of_key, bits), &odd_multiples(&key)?),
    ])?;
    let is_r = sum.has_x(&Fe::of(&r));
    // A coordinate from the order upwards is reduced to an r below the gap.
    Some(is_r || is_less(&r, &number(C::GAP)) && sum.has_x(&(Fe::of(&r) + Fe::new(C::ORDER))))
}

fn key<C: curve::Curve<N>, const N: usize>(x: &[u8], y: &[u8]) -> Option<Affine<C, N>> {
    let coordinate = |bytes| {
        let number = below::<C, N>(bytes, &C::PRIME)?;
        Some(Fe::of(&number).times(&C::R))
    };
    let point = Affine { x: coordinate(x)?, y: coordinate(y)? };
    point.is_on_curve(&C::B).then_some(point)
}

/// The number of bytes, as many as the limit has, if it is below.
fn below<P: Prime<N>, const N: usize>(bytes: &[u8], limit: &[Word; N]) -> Option<Number> {
    let value = from_bytes(bytes, P::DIGIT_BITS);
    let fits = bytes.len().checked_mul(8) == Some(P::BITS);
    (fits && is_less(&value, &number(*limit))).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The base point of P-256 (SP 800-186 §3.2.1.3).
    const X: [u8; 32] = [
        0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40,
        0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98,
        0xc2, 0x96,
    ];
    const Y: [u8; 32] = [
        0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e,
        0x16, 0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf,
        0x51, 0xf5,
    ];
    /// A root of b: (0, Y0) is on P-256, and so is (p, Y0) modulo p.
    const Y0: [u8; 32] = [
        0x66, 0x48, 0x5c, 0x78, 0x0e, 0x2f, 0x83, 0xd7, 0x24, 0x33, 0xbd, 0x5d, 0x84, 0xa0, 0x6b,
        0xb6, 0x54, 0x1c, 0x2a, 0xf3, 0x1d, 0xae, 0x87, 0x17, 0x28, 0xbf, 0x85, 0x6a, 0x17, 0x4f,
        0x93, 0xf4,
    ];
    const P: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff,
    ];

    #[test]
    fn a_point_on_the_curve_is_accepted_and_its_neighbour_is_not() {
        assert_eq!(check_key(Curve::P256, &X, &Y), Ok(()));
        let mut y = Y;
        y[31] ^= 1;
        assert_eq!(check_key(Curve::P256, &X, &y), Err(KeyRefusal::NotOnCurve));
        assert_eq!(check_key(Curve::P256, &[0; 32], &[0; 32]), Err(KeyRefusal::NotOnCurve));
        assert_eq!(check_key(Curve::P384, &[0; 48], &[0; 48]), Err(KeyRefusal::NotOnCurve));
    }

    #[test]
    fn the_orders_of_the_structure_check_are_those_of_the_arithmetic() {
        assert_eq!(below::<P256, 9>(&P256_ORDER, &<P256 as curve::Curve<9>>::ORDER), None);
        assert_eq!(below::<P384, 14>(&P384_ORDER, &<P384 as curve::Curve<14>>::ORDER), None);
        let (mut p256, mut p384) = (P256_ORDER, P384_ORDER);
        p256[31] -= 1;
        p384[47] -= 1;
        assert!(below::<P256, 9>(&p256, &<P256 as curve::Curve<9>>::ORDER).is_some());
        assert!(below::<P384, 14>(&p384, &<P384 as curve::Curve<14>>::ORDER).is_some());
    }

    #[test]
    fn a_coordinate_that_is_not_below_the_prime_is_refused() {
        assert_eq!(check_key(Curve::P256, &[0; 32], &Y0), Ok(()));
        assert_eq!(check_key(Curve::P256, &P, &Y0), Err(KeyRefusal::NotOnCurve));
    }

    #[test]
    fn coordinates_of_another_length_are_refused() {
        assert_eq!(check_key(Curve::P384, &X, &Y), Err(KeyRefusal::NotOnCurve));
        for length in [0, 31, 33, 48] {
            let mut x = alloc::vec![0; length];
            x.iter_mut().rev().zip(X.iter().rev()).for_each(|(to, from)| *to = *from);
            assert_eq!(check_key(Curve::P256, &x, &Y), Err(KeyRefusal::NotOnCurve), "{length}");
        }
    }
}

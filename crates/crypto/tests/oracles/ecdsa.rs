//! ECDSA against p256 and p384, with what random signatures never reach made on purpose.

use lychgate_core::jwt::key::{Algorithm, Curve, KeyCheck, KeyMaterial};
use lychgate_crypto::Portable;
use proptest::prelude::*;

use crate::support::accepts;

/// The same tests on a curve: the two libraries have the same types under other names.
macro_rules! against {
    ($library:ident, $algorithm:ident, $curve:ident, $hash:ident, $bytes:literal) => {
        use $library::ecdsa::signature::{Signer as _, Verifier as _};
        use $library::ecdsa::{Signature, SigningKey, VerifyingKey};
        use $library::elliptic_curve::ff::PrimeField as _;
        use $library::elliptic_curve::ops::Reduce as _;
        use $library::elliptic_curve::point::{AffineCoordinates as _, DecompressPoint as _};
        use $library::elliptic_curve::sec1::ToSec1Point as _;
        use $library::{AffinePoint, FieldBytes, ProjectivePoint, Scalar};
        use sha2::{Digest as _, $hash};

        use super::*;

        type Bytes = [u8; $bytes];

        fn key(point: &AffinePoint) -> KeyMaterial {
            let encoded = point.to_sec1_point(false);
            let (x, y) = encoded.as_bytes()[1..].split_at($bytes);
            KeyMaterial::Ec { curve: Curve::$curve, x: x.into(), y: y.into() }
        }

        fn number(bytes: &[u8]) -> Scalar {
            Scalar::reduce(&FieldBytes::try_from(bytes).unwrap())
        }

        fn hash(message: &[u8]) -> Scalar {
            number(&$hash::digest(message))
        }

        fn pair(r: &Scalar, s: &Scalar) -> Vec<u8> {
            [r.to_repr(), s.to_repr()].concat()
        }

        /// Our answer, which must be theirs.
        fn answer(point: &AffinePoint, message: &[u8], signature: &[u8]) -> bool {
            let theirs = || {
                let key = VerifyingKey::from_affine(*point).ok()?;
                key.verify(message, &Signature::from_slice(signature).ok()?).ok()
            };
            let ours = accepts(Algorithm::$algorithm, &key(point), message, signature);
            assert_eq!(ours, theirs().is_some(), "{signature:02x?}");
            ours
        }

        /// The key under which r and s sign a message, if the point that they lead to is `point`:
        /// r^-1 (s point - hash G).
        fn key_for(point: ProjectivePoint, message: &[u8], r: &Scalar, s: &Scalar) -> AffinePoint {
            let inverse = r.invert().unwrap();
            let key = point * (inverse * s) - ProjectivePoint::GENERATOR * (inverse * hash(message));
            key.to_affine()
        }

        fn scalar() -> impl Strategy<Value = Scalar> {
            let near_zero = (1u64..20).prop_map(Scalar::from);
            let bytes = prop::collection::vec(any::<u8>(), $bytes);
            prop_oneof![
                4 => bytes.prop_map(|bytes| number(&bytes)),
                1 => near_zero.clone(),
                1 => near_zero.clone().prop_map(|scalar| -scalar),
                1 => near_zero.prop_map(|scalar| scalar * Scalar::from(2u64).invert().unwrap()),
                1 => (1u64..64).prop_map(|bit| Scalar::from(1u64 << bit)),
            ]
        }

        proptest! {
            #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

            #[test]
            fn a_signature_is_genuine_until_a_bit_of_it_changes(
                secret in scalar(),
                message in prop::collection::vec(any::<u8>(), 0..300),
                bit in 0usize..$bytes * 16,
            ) {
                let key = SigningKey::from_bytes(&secret.to_repr()).unwrap();
                let signature: Signature = key.sign(&message);
                let mut signature = signature.to_bytes().to_vec();
                let point = key.verifying_key().as_affine();
                prop_assert!(answer(point, &message, &signature));
                signature[bit / 8] ^= 1 << (bit % 8);
                prop_assert!(!answer(point, &message, &signature));
            }

            /// Among these are sums of equal and of opposite points, multiples of the base point
            /// that no table holds, and keys that are small multiples of it.
            #[test]
            fn scalars_at_the_edges_lead_to_the_same_point(
                nonce in scalar(),
                s in scalar(),
                message in prop::collection::vec(any::<u8>(), 0..4),
            ) {
                let point = ProjectivePoint::GENERATOR * nonce;
                let r = number(&point.to_affine().x());
                let key = key_for(point, &message, &r, &s);
                prop_assume!(!bool::from(key.is_identity()));
                prop_assert!(answer(&key, &message, &pair(&r, &s)));
                prop_assert!(answer(&key, &message, &pair(&r, &-s)));
                prop_assert!(!answer(&key, &message, &pair(&-r, &s)));
                prop_assert!(!answer(&key, &message, &pair(&r, &(s + Scalar::ONE))));
            }

            #[test]
            fn coordinates_are_a_key_where_they_are_one_for_the_library(
                secret in scalar(),
                bit in 0usize..$bytes * 16,
                x in prop::collection::vec(any::<u8>(), $bytes),
                y in prop::collection::vec(any::<u8>(), $bytes),
            ) {
                let point = ProjectivePoint::GENERATOR * secret;
                let encoded = point.to_affine().to_sec1_point(false);
                let mut coordinates = encoded.as_bytes()[1..].to_vec();
                prop_assert!(is_key(&coordinates));
                coordinates[bit / 8] ^= 1 << (bit % 8);
                prop_assert!(!is_key(&coordinates));
                prop_assert!(!is_key(&[x, y].concat()));
            }
        }

        fn is_key(coordinates: &[u8]) -> bool {
            let (x, y) = coordinates.split_at($bytes);
            let key = KeyMaterial::Ec { curve: Curve::$curve, x: x.into(), y: y.into() };
            let ours = Portable.check_key(&key).is_ok();
            let theirs = VerifyingKey::from_sec1_bytes(&[&[4], coordinates].concat()).is_ok();
            assert_eq!(ours, theirs, "{coordinates:02x?}");
            ours
        }

        /// r is the coordinate minus the order for every 2^128th coordinate or fewer.
        #[test]
        fn a_coordinate_above_the_order_is_reduced() {
            let mut found = 0;
            for above in 0u64..12 {
                let r = Scalar::from(above);
                let bytes = plus_order(r.to_repr().into());
                let point = AffinePoint::decompress(&bytes.unwrap().into(), 0.into());
                let Some(point) = Option::<AffinePoint>::from(point) else { continue };
                if above == 0 {
                    continue;
                }
                let key = key_for(point.into(), b"message", &r, &Scalar::from(7u64));
                assert!(answer(&key, b"message", &pair(&r, &Scalar::from(7u64))));
                assert!(!answer(&key, b"massage", &pair(&r, &Scalar::from(7u64))));
                found += 1;
            }
            assert!(found > 2);
        }

        /// Where r plus the order is above the prime, what it is modulo the prime proves nothing.
        #[test]
        fn a_coordinate_that_r_and_the_order_reach_beyond_the_prime_is_no_r() {
            let mut found = 0;
            for x in 0u64..12 {
                let coordinate = Scalar::from(x);
                let point = AffinePoint::decompress(&coordinate.to_repr(), 0.into());
                let Some(point) = Option::<AffinePoint>::from(point) else { continue };
                // x + p - n, which is x - n modulo p.
                let r = coordinate + number(&GAP);
                let key = key_for(point.into(), b"message", &r, &Scalar::from(7u64));
                assert!(!answer(&key, b"message", &pair(&r, &Scalar::from(7u64))));
                found += 1;
            }
            assert!(found > 2);
        }

        fn plus_order(mut bytes: Bytes) -> Option<Bytes> {
            let order = (-Scalar::ONE).to_repr();
            let mut carry = 1;
            for (byte, order) in bytes.iter_mut().zip(order).rev() {
                carry += u16::from(*byte) + u16::from(order);
                [_, *byte] = carry.to_be_bytes();
                carry >>= 8;
            }
            (carry == 0).then_some(bytes)
        }

        #[test]
        fn every_pair_of_edges_is_refused() {
            let key = (ProjectivePoint::GENERATOR * Scalar::from(5u64)).to_affine();
            let order = plus_order([0; $bytes]).unwrap();
            let edges = [[0; $bytes], bytes(Scalar::ONE), bytes(-Scalar::ONE), order, [0xff; $bytes]];
            for r in edges {
                for s in edges {
                    for message in [&b""[..], b"message"] {
                        assert!(!answer(&key, message, &[r, s].concat()));
                    }
                }
            }
        }

        /// u1 G + u2 Q at infinity, for keys that are multiples of the base point.
        #[test]
        fn the_point_at_infinity_is_refused() {
            let hash = hash(b"message");
            for r in [1u64, 2, 3, 15, 16, 17].map(Scalar::from) {
                let secret = -hash * r.invert().unwrap();
                let key = (ProjectivePoint::GENERATOR * secret).to_affine();
                for s in [Scalar::ONE, -Scalar::ONE, r, hash] {
                    assert!(!answer(&key, b"message", &pair(&r, &s)));
                }
            }
        }

        fn bytes(scalar: Scalar) -> Bytes {
            scalar.to_repr().into()
        }
    };
}

mod p_256 {
    /// The prime minus the order.
    const GAP: [u8; 32] = [
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x43, 0x19, 0x05, 0x53, 0x58, 0xe8, 0x61, 0x7b, 0x0c, 0x46, 0x35, 0x3d, 0x03, 0x9c,
        0xda, 0xae,
    ];
    against!(p256, Es256, P256, Sha256, 32);
}

mod p_384 {
    const GAP: [u8; 48] = [
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x38, 0x9c, 0xb2, 0x7e, 0x0b, 0xc8,
        0xd2, 0x1f, 0xa7, 0xe5, 0xf2, 0x4c, 0xb7, 0x4f, 0x58, 0x85, 0x13, 0x13, 0xe6, 0x96, 0x33,
        0x3a, 0xd6, 0x8c,
    ];
    against!(p384, Es384, P384, Sha384, 48);
}

//! What can be said about a signature without arithmetic.

use lychgate_core::jwt::key::{Algorithm, KeyMaterial, SignatureCheck};

use crate::hash::Hash;
use crate::{ecdsa, ed25519};

/// Whether a signature has the form that its algorithm demands.
///
/// Every host calls this before it asks its own crypto library, because libraries differ in what
/// else they accept. It refuses an algorithm that does not fit the key, a signature of any other
/// length than the algorithm's, an RSA signature not below the modulus (RFC 8017 §5.2.2), r or s
/// of zero or not below the curve's order (FIPS 186-5 §6.4.2), an Ed25519 S not below the group
/// order (RFC 8032 §5.1.7) or R of small order, and a secret shorter than the hash (RFC 7518 §3.2).
#[must_use]
pub fn structure_ok(check: &SignatureCheck<'_>) -> bool {
    let (signature, key) = (check.signature, check.key);
    if !key.fits(check.algorithm) || signature.len() != check.algorithm.signature_length(key) {
        return false;
    }
    match check.algorithm {
        Algorithm::Rs256 | Algorithm::Rs384 | Algorithm::Rs512 => is_below_modulus(signature, key),
        Algorithm::Ps256 | Algorithm::Ps384 | Algorithm::Ps512 => is_below_modulus(signature, key),
        Algorithm::Es256 => is_pair_below(signature, &ecdsa::P256_ORDER),
        Algorithm::Es384 => is_pair_below(signature, &ecdsa::P384_ORDER),
        Algorithm::EdDsa => has_scalar(signature) && !has_small_order(signature),
        Algorithm::Hs256 => is_long_enough(key, Hash::Sha256),
        Algorithm::Hs384 => is_long_enough(key, Hash::Sha384),
        Algorithm::Hs512 => is_long_enough(key, Hash::Sha512),
    }
}

fn is_below_modulus(signature: &[u8], key: &KeyMaterial) -> bool {
    match key {
        KeyMaterial::Rsa { n, .. } => signature.len() == n.len() && *signature < **n,
        KeyMaterial::Ec { .. } | KeyMaterial::Ed25519(_) | KeyMaterial::Secret(_) => false,
    }
}

fn is_pair_below(signature: &[u8], order: &[u8]) -> bool {
    signature
        .split_at_checked(order.len())
        .is_some_and(|(r, s)| is_scalar_below(r, order) && is_scalar_below(s, order))
}

/// One copy for both orders.
#[inline(never)]
fn is_scalar_below(number: &[u8], order: &[u8]) -> bool {
    number.len() == order.len() && number.iter().any(|&byte| byte != 0) && *number < *order
}

fn has_scalar(signature: &[u8]) -> bool {
    let Some((_, s)) = signature.split_last_chunk::<32>() else { return false };
    s.iter().rev().lt(ed25519::ORDER.iter().rev())
}

/// Whether R is a point of small order in its canonical encoding. The other encodings of such
/// points need no list: a cofactorless verifier never computes them.
fn has_small_order(signature: &[u8]) -> bool {
    let Some((r, _)) = signature.split_first_chunk::<32>() else { return true };
    let [y @ .., last] = r;
    ed25519::SMALL_ORDER.iter().any(|[known @ .., high]| y == known && last & 0x7f == *high)
}

fn is_long_enough(key: &KeyMaterial, hash: Hash) -> bool {
    match key {
        KeyMaterial::Secret(secret) => secret.len() >= hash.length(),
        KeyMaterial::Rsa { .. } | KeyMaterial::Ec { .. } | KeyMaterial::Ed25519(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use alloc::boxed::Box;
    use alloc::vec;
    use alloc::vec::Vec;

    use lychgate_core::jwt::key::Curve;

    use super::*;

    fn ok(algorithm: Algorithm, key: &KeyMaterial, signature: &[u8]) -> bool {
        structure_ok(&SignatureCheck { algorithm, key, message: b"message", signature })
    }

    fn rsa(n: &[u8]) -> KeyMaterial {
        KeyMaterial::Rsa { n: n.into(), e: Box::new([1, 0, 1]) }
    }

    fn ec(curve: Curve) -> KeyMaterial {
        let coordinate = || vec![1; curve.coordinate_length()].into_boxed_slice();
        KeyMaterial::Ec { curve, x: coordinate(), y: coordinate() }
    }

    fn plus(number: &[u8], difference: i8) -> Vec<u8> {
        let mut number = number.to_vec();
        let last = number.last_mut().unwrap();
        *last = last.checked_add_signed(difference).unwrap();
        number
    }

    #[test]
    fn an_rsa_signature_has_the_modulus_length_and_is_below_it() {
        let modulus = vec![0xc1; 256];
        let key = rsa(&modulus);
        for algorithm in [Algorithm::Rs256, Algorithm::Rs512, Algorithm::Ps256, Algorithm::Ps384] {
            assert!(ok(algorithm, &key, &plus(&modulus, -1)));
            assert!(!ok(algorithm, &key, &modulus));
            assert!(!ok(algorithm, &key, &plus(&modulus, 1)));
            assert!(!ok(algorithm, &key, &[1; 255]));
            assert!(!ok(algorithm, &key, &[1; 257]));
            assert!(!ok(algorithm, &key, &[&[0][..], &plus(&modulus, -1)].concat()));
        }
        assert!(!ok(Algorithm::Rs256, &rsa(&[]), &[]));
    }

    #[test]
    fn r_and_s_are_from_one_to_the_order_minus_one() {
        for (algorithm, curve, order) in [
            (Algorithm::Es256, Curve::P256, &ecdsa::P256_ORDER[..]),
            (Algorithm::Es384, Curve::P384, &ecdsa::P384_ORDER[..]),
        ] {
            let key = ec(curve);
            let zero = vec![0; order.len()];
            let (one, most) = (plus(&zero, 1), plus(order, -1));
            let bad = [zero, order.to_vec(), plus(order, 1), vec![0xff; order.len()]];
            for good in [&one, &most] {
                assert!(ok(algorithm, &key, &[&good[..], &most].concat()));
                assert!(ok(algorithm, &key, &[&one[..], good].concat()));
                for bad in &bad {
                    assert!(!ok(algorithm, &key, &[&good[..], bad].concat()));
                    assert!(!ok(algorithm, &key, &[&bad[..], good].concat()));
                }
            }
        }
    }

    #[test]
    fn an_ecdsa_signature_has_exactly_two_coordinates_length() {
        for length in 0..=132 {
            let signature = vec![1; length];
            assert_eq!(ok(Algorithm::Es256, &ec(Curve::P256), &signature), length == 64);
            assert_eq!(ok(Algorithm::Es384, &ec(Curve::P384), &signature), length == 96);
        }
    }

    #[test]
    fn an_ed25519_scalar_is_below_the_group_order() {
        let key = KeyMaterial::Ed25519([1; 32]);
        let signature = |change: i8| {
            let mut signature = [[1; 32], ed25519::ORDER].concat();
            signature[32] = signature[32].checked_add_signed(change).unwrap();
            signature
        };
        assert!(ok(Algorithm::EdDsa, &key, &signature(-1)));
        assert!(!ok(Algorithm::EdDsa, &key, &signature(0)));
        assert!(!ok(Algorithm::EdDsa, &key, &signature(1)));
        assert!(ok(Algorithm::EdDsa, &key, &[[1; 32], [0; 32]].concat()));
        assert!(!ok(Algorithm::EdDsa, &key, &[0; 63]));
        assert!(!ok(Algorithm::EdDsa, &key, &[0; 65]));
        assert!(!ok(Algorithm::EdDsa, &key, &[]));
    }

    #[test]
    fn an_ed25519_r_of_small_order_is_refused_whatever_its_sign() {
        let key = KeyMaterial::Ed25519([1; 32]);
        for point in ed25519::SMALL_ORDER {
            for (place, change, accepted) in
                [(31, 0, false), (31, 0x80, false), (31, 0x40, true), (0, 2, true), (17, 1, true)]
            {
                let mut signature = [point, [1; 32]].concat();
                signature[63] = 0;
                signature[place] ^= change;
                assert_eq!(ok(Algorithm::EdDsa, &key, &signature), accepted, "{signature:x?}");
            }
        }
    }

    #[test]
    fn a_secret_is_as_long_as_the_hash_at_least() {
        let algorithms = [(Algorithm::Hs256, 32), (Algorithm::Hs384, 48), (Algorithm::Hs512, 64)];
        for (algorithm, length) in algorithms {
            let secret = |length| KeyMaterial::Secret(vec![7; length].into_boxed_slice());
            assert!(ok(algorithm, &secret(length), &vec![1; length]));
            assert!(!ok(algorithm, &secret(length - 1), &vec![1; length]));
            assert!(!ok(algorithm, &secret(length), &vec![1; length - 1]));
            assert!(!ok(algorithm, &secret(length), &vec![1; length + 1]));
        }
    }

    #[test]
    fn an_algorithm_that_does_not_fit_the_key_is_refused() {
        let modulus = vec![0xc1; 64];
        let keys = [
            rsa(&modulus),
            ec(Curve::P256),
            KeyMaterial::Ed25519([1; 32]),
            KeyMaterial::Secret(vec![7; 64].into_boxed_slice()),
        ];
        let algorithms = [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa, Algorithm::Hs512];
        for (at, key) in keys.iter().enumerate() {
            for (index, &algorithm) in algorithms.iter().enumerate() {
                assert_eq!(ok(algorithm, key, &[1; 64]), at == index, "{key:?} {algorithm:?}");
            }
        }
        assert!(!ok(Algorithm::Es384, &ec(Curve::P256), &[1; 96]));
        assert!(!ok(Algorithm::Es256, &ec(Curve::P384), &[1; 64]));
    }
}

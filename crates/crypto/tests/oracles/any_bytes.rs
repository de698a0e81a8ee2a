//! Nothing that comes from outside makes the implementation panic or accept.

use lychgate_core::jwt::key::{Algorithm, Curve, KeyCheck, KeyMaterial, SignatureCheck};
use lychgate_crypto::{Portable, ecdsa_der, key_of_spki, spki_der, structure_ok};
use proptest::prelude::*;

use crate::support::verifies;

const ALGORITHMS: [Algorithm; 12] = [
    Algorithm::Rs256,
    Algorithm::Rs384,
    Algorithm::Rs512,
    Algorithm::Ps256,
    Algorithm::Ps384,
    Algorithm::Ps512,
    Algorithm::Es256,
    Algorithm::Es384,
    Algorithm::EdDsa,
    Algorithm::Hs256,
    Algorithm::Hs384,
    Algorithm::Hs512,
];

/// Bytes of lengths at which something changes, and of any other.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let length = prop_oneof![
        Just(0usize),
        Just(32),
        Just(48),
        Just(64),
        Just(96),
        Just(256),
        Just(1024),
        0usize..1100,
    ];
    length.prop_flat_map(|length| {
        prop_oneof![
            prop::collection::vec(any::<u8>(), length),
            any::<u8>().prop_map(move |byte| vec![byte; length]),
        ]
    })
}

fn key() -> impl Strategy<Value = KeyMaterial> {
    let exponent = prop_oneof![Just(vec![1, 0, 1]), bytes()];
    let curve = prop_oneof![Just(Curve::P256), Just(Curve::P384)];
    prop_oneof![
        (bytes(), exponent).prop_map(|(n, e)| KeyMaterial::Rsa { n: n.into(), e: e.into() }),
        (curve, bytes(), bytes()).prop_map(|(curve, x, y)| KeyMaterial::Ec {
            curve,
            x: x.into(),
            y: y.into()
        }),
        any::<[u8; 32]>().prop_map(KeyMaterial::Ed25519),
        bytes().prop_map(|secret| KeyMaterial::Secret(secret.into())),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_panic_or_verify(key in key(), message in bytes(), signature in bytes()) {
        let _ = Portable.check_key(&key);
        let _ = spki_der(&key);
        let _ = ecdsa_der(&signature);
        for algorithm in ALGORITHMS {
            // A signature of the right length gets past the first check.
            let mut fitting = signature.clone();
            fitting.resize(algorithm.signature_length(&key), 0x5a);
            for signature in [&signature, &fitting] {
                prop_assert!(!verifies(algorithm, &key, &message, signature));
            }
        }
    }

    #[test]
    fn a_public_key_has_one_encoding(key in key(), at in any::<usize>(), flip in 1..=255_u8) {
        let Some(mut der) = spki_der(&key) else { return Ok(()) };
        let place = at % der.len();
        der[place] ^= flip;
        if let Some(other) = key_of_spki(&der) {
            prop_assert_eq!(spki_der(&other), Some(der.clone()));
        }
        der.push(0);
        prop_assert_eq!(key_of_spki(&der), None);
        prop_assert_eq!(key_of_spki(&der[..place]), None);
    }

    #[test]
    fn what_the_structure_check_accepts_has_a_der_form(signature in bytes()) {
        for (algorithm, curve) in [(Algorithm::Es256, Curve::P256), (Algorithm::Es384, Curve::P384)] {
            let coordinate = || vec![1; curve.coordinate_length()].into_boxed_slice();
            let key = KeyMaterial::Ec { curve, x: coordinate(), y: coordinate() };
            let check = SignatureCheck { algorithm, key: &key, message: b"", signature: &signature };
            prop_assert!(!structure_ok(&check) || ecdsa_der(&signature).is_some());
        }
    }
}

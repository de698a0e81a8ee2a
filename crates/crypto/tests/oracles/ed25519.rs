//! Ed25519's edge cases, on which libraries differ: C2SP's CCTV and ed25519-speccheck.

use ed25519_dalek::{Signer as _, SigningKey};
use lychgate_core::jwt::key::{Algorithm, KeyMaterial};
use num_bigint::BigUint;
use proptest::prelude::*;
use serde_json::Value;

use crate::support::{accepts, hex, json, shared, verifies};

/// What `verify_strict` refuses, and with it every cofactorless verifier (a residue of low order)
/// or every one that follows RFC 8032 §5.1.3 to the letter (an encoding that is not canonical).
const REFUSED: [&str; 5] =
    ["low_order_A", "low_order_R", "low_order_residue", "non_canonical_A", "non_canonical_R"];

fn key(value: &Value) -> KeyMaterial {
    KeyMaterial::Ed25519(hex(value).try_into().unwrap())
}

#[test]
fn cctv_vectors_are_accepted_by_their_flags_alone() {
    let Some(text) = shared("cctv-ed25519/ed25519vectors.json") else { return };
    let vectors = json(&text);
    let (mut accepted, mut refused) = (0, 0);
    for vector in vectors.as_array().unwrap() {
        let flags = vector["flags"].as_array().cloned().unwrap_or_default();
        let flagged = flags.iter().any(|flag| REFUSED.contains(&flag.as_str().unwrap()));
        let message = vector["msg"].as_str().unwrap().as_bytes();
        let answer = accepts(Algorithm::EdDsa, &key(&vector["key"]), message, &hex(&vector["sig"]));
        assert_eq!(answer, !flagged, "vector {} {flags:?}", vector["number"]);
        if answer { accepted += 1 } else { refused += 1 }
    }
    assert_eq!((accepted, refused), (43, 871));
}

#[test]
fn cctv_answers_are_the_same_for_a_key_that_nobody_checked() {
    let Some(text) = shared("cctv-ed25519/ed25519vectors.json") else { return };
    for vector in json(&text).as_array().unwrap() {
        let (key, signature) = (key(&vector["key"]), hex(&vector["sig"]));
        let message = vector["msg"].as_str().unwrap().as_bytes();
        assert_eq!(
            verifies(Algorithm::EdDsa, &key, message, &signature),
            accepts(Algorithm::EdDsa, &key, message, &signature),
            "vector {}",
            vector["number"]
        );
    }
}

#[test]
fn speccheck_cases_are_answered_as_by_verify_strict() {
    let Some(text) = shared("ed25519-speccheck/cases.json") else { return };
    // Case 3 is a mixed-order key and R with a residue of zero, and nothing else is wrong with it.
    let expected: Vec<bool> = (0..12).map(|case| case == 3).collect();
    let answers: Vec<bool> = json(&text)
        .as_array()
        .unwrap()
        .iter()
        .map(|case| {
            let (message, signature) = (hex(&case["message"]), hex(&case["signature"]));
            accepts(Algorithm::EdDsa, &key(&case["pub_key"]), &message, &signature)
        })
        .collect();
    assert_eq!(answers, expected);
}

/// Whether a signature is genuine under a key.
fn answer(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    verifies(Algorithm::EdDsa, &KeyMaterial::Ed25519(*key), message, signature)
}

fn little_endian(number: &BigUint) -> [u8; 32] {
    let mut bytes = number.to_bytes_le();
    bytes.resize(32, 0);
    bytes.try_into().unwrap()
}

/// L, the order of the base point.
fn order() -> BigUint {
    (BigUint::from(1u32) << 252) + 27_742_317_777_372_353_535_851_937_790_883_648_493u128
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn a_signature_is_genuine_until_a_bit_of_it_or_of_the_key_changes(
        secret in any::<[u8; 32]>(),
        message in prop::collection::vec(any::<u8>(), 0..300),
        bit in 0usize..96 * 8,
    ) {
        let key = SigningKey::from_bytes(&secret);
        let signature = key.sign(&message).to_bytes();
        let key = key.verifying_key().to_bytes();
        prop_assert!(answer(&key, &message, &signature));
        let mut changed = [&key[..], &signature].concat();
        changed[bit / 8] ^= 1 << (bit % 8);
        let (key, signature) = changed.split_first_chunk::<32>().unwrap();
        prop_assert!(!answer(key, &message, signature.try_into().unwrap()));
    }

    #[test]
    fn an_s_that_is_the_order_larger_is_refused(secret in any::<[u8; 32]>()) {
        let key = SigningKey::from_bytes(&secret);
        let mut signature = key.sign(b"message").to_bytes();
        let s = BigUint::from_bytes_le(&signature[32..]) + order();
        signature[32..].copy_from_slice(&little_endian(&s));
        prop_assert!(!answer(&key.verifying_key().to_bytes(), b"message", &signature));
    }
}

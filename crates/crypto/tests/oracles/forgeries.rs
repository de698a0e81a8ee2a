//! Signatures that anybody can make without a private key.

use lychgate_core::jwt::key::{Algorithm, KeyCheck, KeyMaterial, KeyRefusal};
use lychgate_crypto::Portable;
use num_bigint::BigUint;
use sha2::{Digest, Sha256};

use crate::support::{accepts, verifies};

/// A cube root whose cube begins like an encoding with eight bytes of padding and ends in
/// garbage (Bleichenbacher 2006, CVE-2006-4339): genuine under any key with e = 3 for a verifier
/// that does not look behind the hash.
fn cube_root_forgery(message: &[u8]) -> Vec<u8> {
    let mut wanted = vec![0, 1];
    wanted.extend([0xff; 8]);
    wanted.push(0);
    wanted.extend([0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65]);
    wanted.extend([0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20]);
    wanted.extend(Sha256::digest(message));
    let prefix = wanted.clone();
    wanted.resize(256, 0xff);
    let root = BigUint::from_bytes_be(&wanted).cbrt();
    let cube = padded(&root.pow(3));
    assert_eq!(cube[..prefix.len()], prefix, "this is no forgery");
    padded(&root)
}

fn padded(number: &BigUint) -> Vec<u8> {
    let digits = number.to_bytes_be();
    [vec![0; 256 - digits.len()], digits].concat()
}

/// A modulus as good as any: the cube never reaches it.
fn rsa_key(e: &[u8]) -> KeyMaterial {
    let mut n = vec![0xd7; 256];
    n[255] = 0x31;
    KeyMaterial::Rsa { n: n.into(), e: e.into() }
}

#[test]
fn a_cube_root_is_no_signature_and_its_key_no_key() {
    let forgery = cube_root_forgery(b"message");
    assert_eq!(Portable.check_key(&rsa_key(&[3])), Err(KeyRefusal::Exponent));
    assert!(!verifies(Algorithm::Rs256, &rsa_key(&[3]), b"message", &forgery));
    assert!(!verifies(Algorithm::Rs256, &rsa_key(&[1, 0, 1]), b"message", &forgery));
}

#[test]
fn the_message_itself_is_no_signature_under_exponent_one() {
    let mut encoded = vec![0, 1];
    encoded.resize(204, 0xff);
    encoded.push(0);
    encoded.extend([0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65]);
    encoded.extend([0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20]);
    encoded.extend(Sha256::digest(b"message"));
    assert_eq!(Portable.check_key(&rsa_key(&[1])), Err(KeyRefusal::Exponent));
    assert!(!verifies(Algorithm::Rs256, &rsa_key(&[1]), b"message", &encoded));
}

/// Under the identity as key, R = S * B is genuine for every message: here S = 1 and R = B.
#[test]
fn nothing_is_genuine_under_the_identity_as_ed25519_key() {
    let mut identity = [0; 32];
    identity[0] = 1;
    let mut base = [0x66; 32];
    base[0] = 0x58;
    let key = KeyMaterial::Ed25519(identity);
    assert_eq!(Portable.check_key(&key), Err(KeyRefusal::SmallOrder));
    for r in [base, identity] {
        let mut one = [0; 32];
        one[0] = u8::from(r == base);
        let signature = [r, one].concat();
        assert!(!verifies(Algorithm::EdDsa, &key, b"message", &signature));
        assert!(!accepts(Algorithm::EdDsa, &key, b"another", &signature));
    }
}

/// CVE-2022-21449 and its neighbours, with every r and s of 0, 1, n - 1, n and all ones.
#[test]
fn no_trivial_r_and_s_are_genuine() {
    const ORDER: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc,
        0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    let (mut one, mut less) = ([0; 32], ORDER);
    one[31] = 1;
    less[31] = 0x50;
    let jwk = serde_json::json!({
        "kty": "EC", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
    });
    let key = crate::support::jwk(&jwk).unwrap();
    assert_eq!(Portable.check_key(&key), Ok(()));
    let numbers = [[0; 32], one, less, ORDER, [0xff; 32]];
    for r in numbers {
        for s in numbers {
            assert!(!accepts(Algorithm::Es256, &key, b"message", &[r, s].concat()));
        }
    }
}

/// A signature that is the modulus larger is the same number, and must not be the same signature.
#[test]
fn rsa_numbers_at_the_ends_of_the_range_are_refused() {
    let key = rsa_key(&[1, 0, 1]);
    let KeyMaterial::Rsa { n, .. } = &key else { unreachable!() };
    let modulus = BigUint::from_bytes_be(n);
    for number in [BigUint::ZERO, BigUint::from(1u32), modulus.clone() - 1u32, modulus] {
        for algorithm in [Algorithm::Rs256, Algorithm::Ps256] {
            assert!(!accepts(algorithm, &key, b"message", &padded(&number)));
        }
    }
}

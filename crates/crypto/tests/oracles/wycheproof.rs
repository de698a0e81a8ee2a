//! Project Wycheproof.

use lychgate_core::jwt::key::{Algorithm, Curve, KeyMaterial};
use lychgate_crypto::{ecdsa_der, key_of_spki, spki_der};
use wycheproof::{HashFunction, TestResult, ecdsa, eddsa, mac, rsa_pkcs1_verify, rsa_pss_verify};

use crate::differences::{Difference, Label, Ledger};
use crate::support::{accepts, rsa_key};

fn label(result: TestResult) -> Label {
    match result {
        TestResult::Valid => Label::Valid,
        TestResult::Acceptable => Label::Acceptable,
        TestResult::Invalid => Label::Invalid,
    }
}

/// What JWA does with a hash.
struct RsaProfile {
    hash: HashFunction,
    pkcs1: Algorithm,
    pss: Algorithm,
    salt_size: usize,
}

const RSA_PROFILES: [RsaProfile; 3] = [
    RsaProfile {
        hash: HashFunction::Sha2_256,
        pkcs1: Algorithm::Rs256,
        pss: Algorithm::Ps256,
        salt_size: 32,
    },
    RsaProfile {
        hash: HashFunction::Sha2_384,
        pkcs1: Algorithm::Rs384,
        pss: Algorithm::Ps384,
        salt_size: 48,
    },
    RsaProfile {
        hash: HashFunction::Sha2_512,
        pkcs1: Algorithm::Rs512,
        pss: Algorithm::Ps512,
        salt_size: 64,
    },
];

fn rsa_profile(hash: HashFunction) -> Option<&'static RsaProfile> {
    RSA_PROFILES.iter().find(|profile| profile.hash == hash)
}

/// Whether any RSA algorithm of JWA takes it.
fn any_rsa_accepts(key: &KeyMaterial, message: &[u8], signature: &[u8]) -> bool {
    RSA_PROFILES
        .iter()
        .flat_map(|profile| [profile.pkcs1, profile.pss])
        .any(|algorithm| accepts(algorithm, key, message, signature))
}

#[test]
fn rsa_pkcs1_signatures_are_judged_as_labelled() {
    let (mut ledger, mut cases, mut foreign) = (Ledger::default(), 0, 0);
    for name in rsa_pkcs1_verify::TestName::all() {
        for group in rsa_pkcs1_verify::TestSet::load(name).unwrap().test_groups {
            let key = rsa_key(&group.key.n, &group.key.e);
            for test in &group.tests {
                let Some(profile) = rsa_profile(group.hash) else {
                    let genuine = label(test.result) == Label::Valid;
                    assert!(!genuine || !any_rsa_accepts(&key, &test.msg, &test.sig), "{name:?}");
                    foreign += 1;
                    continue;
                };
                cases += 1;
                let rule = if group.key.e.as_slice() != [1, 0, 1] {
                    Some(Difference::ExponentOtherThan65537)
                } else if test.flags.contains(&rsa_pkcs1_verify::TestFlag::MissingNull) {
                    Some(Difference::DigestInfoWithoutNull)
                } else {
                    None
                };
                let accepted = accepts(profile.pkcs1, &key, &test.msg, &test.sig);
                ledger.note("rsa_pkcs1", &test.tc_id, label(test.result), rule, accepted);
            }
        }
    }
    assert_eq!((cases, foreign), (3106, 3096));
    ledger.settle(&["rsa_pkcs1"], cases);
}

#[test]
fn rsa_pss_signatures_are_judged_as_labelled() {
    let (mut ledger, mut cases, mut foreign) = (Ledger::default(), 0, 0);
    for name in rsa_pss_verify::TestName::all() {
        for group in rsa_pss_verify::TestSet::load(name).unwrap().test_groups {
            let key = rsa_key(&group.key.n, &group.key.e);
            for test in &group.tests {
                let Some(profile) = rsa_profile(group.hash) else {
                    let genuine = label(test.result) == Label::Valid;
                    assert!(!genuine || !any_rsa_accepts(&key, &test.msg, &test.sig), "{name:?}");
                    foreign += 1;
                    continue;
                };
                cases += 1;
                let salt_size = profile.salt_size;
                let rule = if group.mgf_hash != Some(group.hash) {
                    Some(Difference::MaskOfAnotherHash)
                } else if test.comment == format!("s_len changed to {salt_size}") {
                    Some(Difference::SaltOfTheHashLength)
                } else if group.salt_size != salt_size {
                    Some(Difference::SaltOfAnotherLength)
                } else {
                    None
                };
                let accepted = accepts(profile.pss, &key, &test.msg, &test.sig);
                ledger.note("rsa_pss", &test.tc_id, label(test.result), rule, accepted);
            }
        }
    }
    assert_eq!((cases, foreign), (2206, 1291));
    ledger.settle(&["rsa_pss"], cases);
}

/// The curve and algorithm of a set, if JWA has it.
fn ec_algorithm(group: &ecdsa::TestGroup) -> Option<(Curve, Algorithm)> {
    use wycheproof::EllipticCurve::{Secp256r1, Secp384r1};
    match (group.key.curve, group.hash) {
        (Secp256r1, HashFunction::Sha2_256) => Some((Curve::P256, Algorithm::Es256)),
        (Secp384r1, HashFunction::Sha2_384) => Some((Curve::P384, Algorithm::Es384)),
        _ => None,
    }
}

fn ec_key(curve: Curve, group: &ecdsa::TestGroup) -> KeyMaterial {
    let (x, y) = group.key.key[1..].split_at(curve.coordinate_length());
    KeyMaterial::Ec { curve, x: x.into(), y: y.into() }
}

#[test]
fn ecdsa_signatures_of_r_and_s_are_judged_as_labelled() {
    let (mut ledger, mut cases) = (Ledger::default(), 0);
    for name in ecdsa::TestName::all() {
        for group in ecdsa::TestSet::load(name).unwrap().test_groups {
            let Some((curve, algorithm)) = ec_algorithm(&group) else { continue };
            if group.test_type != ecdsa::TestGroupTypeId::EcdsaP1363 {
                continue;
            }
            let key = ec_key(curve, &group);
            for test in &group.tests {
                cases += 1;
                let accepted = accepts(algorithm, &key, &test.msg, &test.sig);
                if accepted {
                    let der = ecdsa_der(&test.sig).unwrap();
                    assert_eq!(from_der(curve, &der), test.sig.as_slice());
                }
                ledger.note("ecdsa", &test.tc_id, label(test.result), None, accepted);
            }
        }
    }
    assert_eq!(cases, 542);
    ledger.settle(&["ecdsa"], cases);
}

/// r and s as the readers of p256 and p384 find them, which take strict DER only.
fn from_der(curve: Curve, signature: &[u8]) -> Vec<u8> {
    match curve {
        Curve::P256 => p256::ecdsa::Signature::from_der(signature).unwrap().to_bytes().to_vec(),
        Curve::P384 => p384::ecdsa::Signature::from_der(signature).unwrap().to_bytes().to_vec(),
    }
}

#[test]
fn ecdsa_signatures_in_der_are_never_accepted() {
    let mut cases = 0;
    for name in ecdsa::TestName::all() {
        for group in ecdsa::TestSet::load(name).unwrap().test_groups {
            let Some((curve, algorithm)) = ec_algorithm(&group) else { continue };
            if group.test_type != ecdsa::TestGroupTypeId::Ecdsa {
                continue;
            }
            let key = ec_key(curve, &group);
            for test in &group.tests {
                cases += 1;
                assert!(!accepts(algorithm, &key, &test.msg, &test.sig), "{}", test.tc_id);
            }
        }
    }
    assert_eq!(cases, 988);
}

#[test]
fn ed25519_signatures_are_judged_as_labelled() {
    let (mut ledger, mut cases) = (Ledger::default(), 0);
    for group in eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap().test_groups {
        let key = KeyMaterial::Ed25519(group.key.pk.as_slice().try_into().unwrap());
        for test in &group.tests {
            cases += 1;
            let accepted = accepts(Algorithm::EdDsa, &key, &test.msg, &test.sig);
            ledger.note("ed25519", &test.tc_id, label(test.result), None, accepted);
        }
    }
    assert_eq!(cases, 151);
    ledger.settle(&["ed25519"], cases);
}

#[test]
fn hmac_tags_are_judged_as_labelled() {
    let (mut ledger, mut cases) = (Ledger::default(), 0);
    let sets = [
        (mac::TestName::HmacSha256, Algorithm::Hs256, 32),
        (mac::TestName::HmacSha384, Algorithm::Hs384, 48),
        (mac::TestName::HmacSha512, Algorithm::Hs512, 64),
    ];
    for (name, algorithm, length) in sets {
        for group in mac::TestSet::load(name).unwrap().test_groups {
            for test in &group.tests {
                cases += 1;
                let rule = if test.key.len() < length {
                    Some(Difference::ShortSecret)
                } else if test.tag.len() < length {
                    Some(Difference::TruncatedTag)
                } else {
                    None
                };
                let key = KeyMaterial::Secret(test.key.as_slice().into());
                let accepted = accepts(algorithm, &key, &test.msg, &test.tag);
                ledger.note("hmac", &test.tc_id, label(test.result), rule, accepted);
            }
        }
    }
    assert_eq!(cases, 522);
    ledger.settle(&["hmac"], cases);
}

#[test]
fn public_keys_are_encoded_as_others_encode_them_and_read_back() {
    let mut keys = 0;
    for name in rsa_pkcs1_verify::TestName::all() {
        for group in rsa_pkcs1_verify::TestSet::load(name).unwrap().test_groups {
            let key = rsa_key(&group.key.n, &group.key.e);
            assert_is_in_der(&key, &group.der);
            keys += 1;
        }
    }
    for name in ecdsa::TestName::all() {
        for group in ecdsa::TestSet::load(name).unwrap().test_groups {
            let Some((curve, _)) = ec_algorithm(&group) else { continue };
            assert_is_in_der(&ec_key(curve, &group), &group.der);
            keys += 1;
        }
    }
    for group in eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap().test_groups {
        let key = KeyMaterial::Ed25519(group.key.pk.as_slice().try_into().unwrap());
        assert_is_in_der(&key, &group.der);
        keys += 1;
    }
    assert_eq!(keys, 541);
}

/// There and back.
fn assert_is_in_der(key: &KeyMaterial, der: &[u8]) {
    assert_eq!(spki_der(key).as_deref(), Some(der));
    assert_eq!(key_of_spki(der).as_ref(), Some(key));
}

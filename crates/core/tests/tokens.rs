//! Tokens and keys of others, as far as they need no crypto library: who reads them, and how far
//! they get. Their signatures are checked in lychgate-crypto.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "shared/vectors.rs"]
mod vectors;

use lychgate_core::decision::Reason;
use lychgate_core::jwt::jwk::KeyProfile;
use lychgate_core::jwt::key::{Algorithm, KeyCheck, KeyMaterial, KeyRefusal};
use lychgate_core::jwt::{Claim, KeySet, KeySetError, TokenError, UnverifiedToken};
use serde_json::{Value, json};

struct AnyKey;

impl KeyCheck for AnyKey {
    fn check_key(&self, _material: &KeyMaterial) -> Result<(), KeyRefusal> {
        Ok(())
    }
}

fn parse(token: &Value) -> Result<UnverifiedToken, TokenError> {
    UnverifiedToken::parse(token.as_str().unwrap().as_bytes(), usize::MAX)
}

fn key_set(keys: &[Value], profile: KeyProfile) -> Result<KeySet, KeySetError> {
    KeySet::parse(json!({ "keys": keys }).to_string().as_bytes(), profile, &AnyKey)
}

/// The codes of the keys that a set skips.
fn skipped(keys: &[Value], profile: KeyProfile) -> Vec<&'static str> {
    let skipped = match key_set(keys, profile) {
        Ok(set) => set.skipped().to_vec(),
        Err(KeySetError::NoUsableKey { skipped }) => skipped,
        Err(error) => return vec![error.code()],
    };
    skipped.iter().map(|key| key.error.code()).collect()
}

#[test]
fn the_tokens_of_rfc_7515_get_as_far_as_their_algorithm() {
    let Some(file) = vectors::read("rfc/rfc7515_appendix_a.json") else { return };
    for case in file["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let token = parse(&case["jws"]);
        match name {
            "A.1 HS256" | "A.2 RS256" | "A.3 ES256" => {
                let token = token.unwrap();
                assert_eq!(token.issuer(), Claim::Present("joe"), "{name}");
                let algorithm = token.header().algorithm();
                assert!(name.ends_with(algorithm.name()), "{name}");
                if !algorithm.is_symmetric() {
                    let set = key_set(&[case["jwk"].clone()], KeyProfile::Jwt).unwrap();
                    assert!(set.keys()[0].accepts(algorithm), "{name}");
                }
            }
            // No ES512; and no unsecured token, which has an empty signature.
            "A.4 ES512" => assert_eq!(token.unwrap_err().reason(), Reason::AlgorithmRefused),
            "A.5 none" => assert_eq!(token.unwrap_err().reason(), Reason::TokenMalformed),
            _ => panic!("{name} is new"),
        }
    }
}

#[test]
fn the_token_of_rfc_8037_has_no_claims() {
    let Some(file) = vectors::read("rfc/rfc8037.json") else { return };
    for case in file["cases"].as_array().unwrap() {
        assert!(matches!(parse(&case["jws"]), Err(TokenError::Payload(_))));
        let set = key_set(&[case["jwk"].clone()], KeyProfile::Jwt).unwrap();
        assert!(set.keys()[0].accepts(Algorithm::EdDsa));
    }
}

#[test]
fn the_keys_of_the_jose_cookbook_are_told_apart() {
    for (file, code) in [
        ("3_1.ec_public_key", Some("key_curve_unknown")),
        ("3_2.ec_private_key", Some("private_key_published")),
        ("3_3.rsa_public_key", None),
        ("3_4.rsa_private_key", Some("private_key_published")),
        ("3_5.symmetric_key_mac_computation", Some("key_set_symmetric")),
        ("3_6.symmetric_key_encryption", Some("key_set_symmetric")),
    ] {
        let Some(key) = vectors::read(&format!("jose-cookbook/jwk/{file}.json")) else { return };
        assert_eq!(skipped(&[key], KeyProfile::Jwt), Vec::from_iter(code), "{file}");
    }
}

#[test]
fn the_texts_that_the_jose_cookbook_signs_are_no_claims() {
    for file in
        ["4_1.rsa_v15_signature", "4_2.rsa-pss_signature", "4_4.hmac-sha2_integrity_protection"]
    {
        let Some(file) = vectors::read(&format!("jose-cookbook/jws/{file}.json")) else { return };
        let error = parse(&file["output"]["compact"]).unwrap_err();
        assert!(matches!(error, TokenError::Payload(_)), "{error}");
    }
}

#[test]
fn the_tokens_of_istio_are_read() {
    let Some(file) = vectors::read("istio/extracted/jwt_tokens.json") else { return };
    for (name, token) in file["tokens"].as_object().unwrap() {
        let token = parse(&token["token"]);
        if name == "TokenInvalid" {
            assert_eq!(token.unwrap_err().reason(), Reason::TokenMalformed);
            continue;
        }
        let token = token.unwrap();
        assert_eq!(token.header().algorithm(), Algorithm::Rs256, "{name}");
        assert!(token.header().key_id().is_some(), "{name}");
        let Claim::Present(issuer) = token.issuer() else { panic!("{name} has no issuer") };
        assert!(issuer.starts_with("test-issuer-"), "{name}");
    }
}

#[test]
fn keys_of_go_spiffe_that_do_not_say_what_they_are_for_are_not_used() {
    // go-spiffe takes them; here each key of a trust domain names its use (Bundle §4.2.2).
    let folder = "go-spiffe/bundle/jwtbundle/testdata";
    for file in ["jwks_valid_1", "jwks_valid_2", "jwks_missing_kid"] {
        let Some(set) = vectors::read(&format!("{folder}/{file}.json")) else { return };
        let keys = set["keys"].as_array().unwrap();
        assert!(key_set(keys, KeyProfile::Svid).is_err(), "{file}");
    }
}

#[test]
fn the_keys_of_spiffe_bundles_for_certificates_are_not_used() {
    let folder = "go-spiffe/bundle/spiffebundle/testdata";
    for (file, usable, codes) in
        [("spiffebundle_valid_1", 1, vec!["key_use"]), ("spiffebundle_valid_2", 6, vec!["key_use"])]
    {
        let Some(set) = vectors::read(&format!("{folder}/{file}.json")) else { return };
        let keys = set["keys"].as_array().unwrap();
        assert_eq!(skipped(keys, KeyProfile::Svid), codes, "{file}");
        assert_eq!(key_set(keys, KeyProfile::Svid).unwrap().keys().len(), usable, "{file}");
        // The keys are for JWT-SVIDs, so for ordinary tokens there is none.
        assert!(key_set(keys, KeyProfile::Jwt).is_err(), "{file}");
    }
}

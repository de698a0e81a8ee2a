use super::*;
use crate::jwt::jwk::KeyProfile;
use crate::jwt::jwks::KeySet;
use crate::jwt::key::Verifier as _;
use crate::jwt::testing::{AnyKey, SameByte, encode_url, jwk, jwks, signed, token};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

const CLAIMS: &str = r#"{"iss":"issuer","sub":"secret-subject"}"#;

fn parse(token: &str) -> Result<UnverifiedToken, TokenError> {
    UnverifiedToken::parse(token.as_bytes(), usize::MAX)
}

fn key(byte: u8) -> Arc<Key> {
    let set = jwks(&[jwk(byte, r#""kid":"k""#)]);
    let set = KeySet::parse(set.as_bytes(), KeyProfile::Jwt, &AnyKey).unwrap();
    Arc::clone(&set.keys()[0])
}

#[test]
fn a_token_is_verified_by_the_answer_to_its_check() {
    let text = signed(Some("k"), CLAIMS, 7);
    let check = parse(&text).unwrap().check_with(key(7)).unwrap();
    assert_eq!(check.check().message, text.rsplit_once('.').unwrap().0.as_bytes());
    assert_eq!(check.check().signature, [7; 64]);
    let outcome = SameByte.verify(&check.check());
    let verified = check.finish(outcome).unwrap();
    assert!(verified.is_verified_by(&key(7)) && !verified.is_verified_by(&key(8)));
    assert_eq!(verified.claims().issuer(), Claim::Present("issuer"));
    assert_eq!(verified.payload(), encode_url(CLAIMS.as_bytes()).as_bytes());
    assert_eq!(verified.credential(), text.as_bytes());
    assert!(verified.memory() > text.len());
}

#[test]
fn any_other_answer_gives_the_token_back() {
    for (outcome, failure) in
        [(Outcome::Invalid, Failure::Signature), (Outcome::Unavailable, Failure::Unavailable)]
    {
        let check = parse(&signed(None, CLAIMS, 7)).unwrap().check_with(key(7)).unwrap();
        let unproven = check.finish(outcome).unwrap_err();
        assert_eq!(unproven.failure, failure);
        assert!(unproven.token.check_with(key(7)).is_ok());
    }
}

#[test]
fn a_key_for_another_algorithm_is_never_asked() {
    for algorithm in ["RS256", "HS256", "EdDSA", "PS256", "ES384"] {
        let text = token(&format!(r#"{{"alg":"{algorithm}"}}"#), CLAIMS, &[7; 64]);
        let unproven = parse(&text).unwrap().check_with(key(7)).unwrap_err();
        assert_eq!(unproven.failure, Failure::Algorithm, "{algorithm}");
    }
}

#[test]
fn a_signature_of_another_length_is_never_asked_about() {
    for length in [1, 63, 65, 66, 72, 96] {
        let text = token(r#"{"alg":"ES256"}"#, CLAIMS, &[7; 96][..length]);
        let unproven = parse(&text).unwrap().check_with(key(7)).unwrap_err();
        assert_eq!(unproven.failure, Failure::Signature, "{length}");
    }
}

#[test]
fn the_size_is_bounded_and_no_caller_can_raise_the_bound() {
    let text = signed(None, CLAIMS, 7);
    assert!(UnverifiedToken::parse(text.as_bytes(), text.len()).is_ok());
    let error = UnverifiedToken::parse(text.as_bytes(), text.len() - 1).unwrap_err();
    assert_eq!(error.reason(), Reason::TokenTooLarge);
    let huge = "a".repeat(limits::TOKEN_BYTES + 1);
    assert_eq!(parse(&huge).unwrap_err().reason(), Reason::TokenTooLarge);
}

#[test]
fn a_part_in_another_encoding_is_refused() {
    let good = signed(None, CLAIMS, 7);
    let parts: Vec<_> = good.split('.').collect();
    for (index, name) in ["header", "payload", "signature"].into_iter().enumerate() {
        for addition in ["=", "==", " ", "\t", "\n", "+", "/", "\0", "\u{e9}", "A"] {
            let mut parts: Vec<String> = parts.iter().map(|part| (*part).into()).collect();
            parts[index].push_str(addition);
            // One more letter can make another good length; then the bytes are other bytes.
            let result = parse(&parts.join("."));
            if addition != "A" {
                assert_eq!(result.unwrap_err(), TokenError::Base64(name), "{name} {addition:?}");
            }
        }
    }
    // 64 bytes end in a letter that encodes two bits: 15 other letters mean the same ones.
    let (start, last) = good.split_at(good.len() - 1);
    assert_eq!(last, "w");
    assert_eq!(parse(&format!("{start}x")).unwrap_err(), TokenError::Base64("signature"));
}

#[test]
fn a_payload_that_is_no_claims_set_is_refused() {
    for payload in ["[]", "null", "\"x\"", "1"] {
        let text = token(r#"{"alg":"ES256"}"#, payload, &[7; 64]);
        assert_eq!(parse(&text).unwrap_err(), TokenError::PayloadNotObject, "{payload}");
    }
    for payload in ["", "{", r#"{"sub":"a","sub":"b"}"#, r#"{"a":1,}"#, "{}x"] {
        let text = token(r#"{"alg":"ES256"}"#, payload, &[7; 64]);
        let error = parse(&text).unwrap_err();
        assert!(matches!(error, TokenError::Payload(_)), "{payload}");
        assert_eq!(error.reason(), Reason::TokenMalformed);
    }
}

#[test]
fn json_serializations_and_jwe_are_refused() {
    for text in
        [r#"{"payload":"e30","protected":"e30","signature":"AA"}"#, "e30.AA.AA.AA.AA", "", "abc"]
    {
        assert_eq!(parse(text).unwrap_err().reason(), Reason::TokenMalformed, "{text}");
    }
}

#[test]
fn deep_and_wide_claims_are_refused_past_their_bounds() {
    let nested = |n: usize| format!(r#"{{"a":{}{}}}"#, "[".repeat(n), "]".repeat(n));
    let parse_claims = |claims: &str| parse(&token(r#"{"alg":"ES256"}"#, claims, &[7; 64]));
    assert!(parse_claims(&nested(31)).is_ok());
    assert!(parse_claims(&nested(32)).is_err());
    let wide = |n: usize| format!(r#"{{"a":[0{}]}}"#, ",0".repeat(n - 1));
    assert!(parse_claims(&wide(1024)).is_ok());
    assert!(parse_claims(&wide(1025)).is_err());
}

#[test]
fn nothing_of_a_token_can_be_formatted() {
    let text = signed(Some("k"), CLAIMS, 7);
    let unverified = parse(&text).unwrap();
    let mut shown = format!("{unverified:?}");
    let check = unverified.check_with(key(7)).unwrap();
    shown.push_str(&format!("{check:?} {:?}", Compact::split(text.as_bytes(), 9999).unwrap()));
    let verified = check.finish(Outcome::Valid).unwrap();
    shown.push_str(&format!("{verified:?} {:?} {:?}", verified.claims(), verified.header()));
    for secret in text.split('.').chain(["secret-subject", "issuer"]) {
        assert!(!shown.contains(secret), "{shown}");
    }
}

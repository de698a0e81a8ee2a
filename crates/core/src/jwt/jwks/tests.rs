use super::*;
use crate::jwt::key::{Algorithm, KeyRefusal};
use crate::jwt::testing::{AnyKey, NoKey, jwk, jwks};
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec;

fn parse(json: &str) -> Result<KeySet, KeySetError> {
    KeySet::parse(json.as_bytes(), KeyProfile::Jwt, &AnyKey)
}

fn with_id(key: u8, id: &str) -> String {
    jwk(key, &format!(r#""kid":"{id}""#))
}

fn header(json: &str) -> JoseHeader {
    JoseHeader::parse(json.as_bytes()).unwrap()
}

fn ids<'a>(candidates: &Candidates<'a>) -> Vec<Option<&'a str>> {
    match candidates {
        Candidates::Keys(keys) => keys.iter().flatten().map(|key| key.id()).collect(),
        Candidates::KeyUnknown | Candidates::AlgorithmRefused => Vec::new(),
    }
}

#[test]
fn unusable_keys_are_skipped_and_reported() {
    let set = jwks(&[
        r#"{"kty":"AKP","kid":"post-quantum"}"#.into(),
        with_id(1, "good"),
        jwk(2, r#""use":"enc","kid":"enc""#),
        jwk(3, r#""d":"AA","kid":7"#),
    ]);
    let set = parse(&set).unwrap();
    assert_eq!(set.keys().len(), 1);
    let skipped: Vec<_> = set.skipped().iter().map(|key| (key.index, key.error.code())).collect();
    assert_eq!(skipped, [(0, "key_type_unknown"), (2, "key_use"), (3, "private_key_published")]);
    assert_eq!(set.skipped()[1].id.as_deref(), Some("enc"));
    assert_eq!(
        set.skipped()[0].to_string(),
        r#"key 0 ("post-quantum"): key type is not supported"#
    );
}

#[test]
fn what_is_no_set_is_refused() {
    for json in ["[]", "{}", r#"{"keys":{}}"#, r#"{"keys":null}"#, r#"{"keys":"x"}"#, "null"] {
        assert_eq!(parse(json).unwrap_err(), KeySetError::NotKeySet, "{json}");
    }
    for json in ["", "<html></html>", r#"{"keys":[],}"#] {
        assert!(matches!(parse(json), Err(KeySetError::Json(_))), "{json}");
    }
    for entry in ["null", "1", "\"x\"", "[]"] {
        let error = parse(&jwks(&[with_id(1, "a"), entry.into()])).unwrap_err();
        assert_eq!(error, KeySetError::Entry { index: 1 }, "{entry}");
    }
}

#[test]
fn the_same_kid_twice_refuses_the_set() {
    for second in [with_id(1, "a"), with_id(2, "a"), r#"{"kty":"AKP","kid":"a"}"#.into()] {
        let error = parse(&jwks(&[with_id(1, "a"), second])).unwrap_err();
        assert_eq!(error, KeySetError::DuplicateKeyId { index: 1 });
    }
    assert!(parse(&jwks(&[with_id(1, "a"), with_id(2, "A")])).is_ok());
    assert!(parse(&jwks(&[jwk(1, ""), jwk(2, "")])).is_ok());
}

#[test]
fn a_symmetric_key_refuses_the_set() {
    for secret in [r#"{"kty":"oct","k":"AA"}"#, r#"{"kty":"oct"}"#] {
        let error = parse(&jwks(&[with_id(1, "a"), secret.into()])).unwrap_err();
        assert_eq!(error, KeySetError::Symmetric { index: 1 });
    }
}

#[test]
fn a_set_without_a_usable_key_is_refused() {
    assert_eq!(parse(&jwks(&[])).unwrap_err(), KeySetError::NoUsableKey { skipped: Vec::new() });
    let set = jwks(&[with_id(1, "a")]);
    let error = KeySet::parse(set.as_bytes(), KeyProfile::Jwt, &NoKey).unwrap_err();
    let KeySetError::NoUsableKey { skipped } = &error else { panic!("{error}") };
    assert_eq!(skipped[0].error, JwkError::Refused(KeyRefusal::NotOnCurve));
    assert!(error.to_string().ends_with(r#"key 0 ("a"): point is not on the curve"#));
}

#[test]
fn a_set_is_allowed_at_64_keys_and_refused_at_65() {
    let keys = |n: u8| (0..n).map(|key| with_id(key, &format!("{key}"))).collect::<Vec<_>>();
    assert_eq!(parse(&jwks(&keys(64))).unwrap().keys().len(), 64);
    assert_eq!(parse(&jwks(&keys(65))).unwrap_err(), KeySetError::TooMany { keys: 65 });
}

#[test]
fn a_set_is_allowed_at_64_kib_and_refused_past_it() {
    let mut json = jwks(&[with_id(1, "a")]);
    json.push_str(&" ".repeat(limits::JWKS_BYTES - json.len()));
    assert!(parse(&json).is_ok());
    json.push(' ');
    assert!(matches!(parse(&json), Err(KeySetError::Json(JsonError::TooLarge { .. }))));
}

#[test]
fn a_kid_finds_exactly_its_key() {
    let set = parse(&jwks(&[with_id(1, "a"), jwk(2, ""), with_id(3, "b")])).unwrap();
    let find = |kid: &str| set.candidates(&header(&format!(r#"{{"alg":"ES256","kid":"{kid}"}}"#)));
    assert_eq!(ids(&find("b")), [Some("b")]);
    for unknown in ["A", "c", "b ", "../b", "b\\u0000"] {
        assert!(matches!(find(unknown), Candidates::KeyUnknown), "{unknown}");
    }
}

#[test]
fn a_key_without_kid_is_never_tried_for_a_token_with_one() {
    let set = parse(&jwks(&[jwk(1, "")])).unwrap();
    let found = set.candidates(&header(r#"{"alg":"ES256","kid":"a"}"#));
    assert!(matches!(found, Candidates::KeyUnknown));
}

#[test]
fn the_key_that_is_named_must_accept_the_algorithm() {
    let set = parse(&jwks(&[with_id(1, "a")])).unwrap();
    for alg in ["RS256", "HS256", "EdDSA", "ES384"] {
        let named = set.candidates(&header(&format!(r#"{{"alg":"{alg}","kid":"a"}}"#)));
        assert!(matches!(named, Candidates::AlgorithmRefused), "{alg}");
        let any = set.candidates(&header(&format!(r#"{{"alg":"{alg}"}}"#)));
        assert!(matches!(any, Candidates::AlgorithmRefused), "{alg}");
    }
}

#[test]
fn without_a_kid_the_first_four_keys_of_the_algorithm_are_tried() {
    let keys: Vec<_> = (0..6).map(|key| with_id(key, &format!("{key}"))).collect();
    let set = parse(&jwks(&keys)).unwrap();
    let found = set.candidates(&header(r#"{"alg":"ES256"}"#));
    assert_eq!(ids(&found), [Some("0"), Some("1"), Some("2"), Some("3")]);
}

#[test]
fn secrets_have_distinct_names() {
    let secret = |id| Key::symmetric(id, Algorithm::Hs256, &[1; 32]).unwrap();
    let set = KeySet::of_secrets(vec![secret("a"), secret("b")]).unwrap();
    assert_eq!(ids(&set.candidates(&header(r#"{"alg":"HS256","kid":"b"}"#))), [Some("b")]);
    let error = KeySet::of_secrets(vec![secret("a"), secret("a")]).unwrap_err();
    assert_eq!(error, KeySetError::DuplicateKeyId { index: 1 });
    assert!(KeySet::of_secrets(Vec::new()).is_err());
}

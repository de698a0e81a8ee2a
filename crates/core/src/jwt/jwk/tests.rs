use super::*;
use crate::json::Document;
use crate::jwt::testing::{AnyKey, NoKey, encode_url, jwk};
use alloc::format;
use alloc::string::String;

fn parse_as(json: &str, profile: KeyProfile) -> Result<Key, JwkError> {
    let document = Document::parse(json.as_bytes(), &limits::JWKS_JSON).unwrap();
    Key::parse(document.root().as_object().unwrap(), profile, &AnyKey)
}

fn parse(json: &str) -> Result<Key, JwkError> {
    parse_as(json, KeyProfile::Jwt)
}

fn rsa_jwk(n: &[u8], e: &[u8], members: &str) -> String {
    format!(r#"{{"kty":"RSA","n":"{}","e":"{}"{members}}}"#, encode_url(n), encode_url(e))
}

const E: &[u8] = &[1, 0, 1];

#[test]
fn three_types_of_key_are_read() {
    let ec = parse(&jwk(1, r#""kid":"a","alg":"ES256","use":"sig","key_ops":["verify"]"#)).unwrap();
    assert_eq!(ec.id(), Some("a"));
    assert!(ec.accepts(Algorithm::Es256));
    let rsa = parse(&rsa_jwk(&[0x80; 256], E, "")).unwrap();
    assert_eq!(rsa.id(), None);
    assert!(rsa.accepts(Algorithm::Rs256) && rsa.accepts(Algorithm::Ps512));
    let okp = format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{}"}}"#, encode_url(&[9; 32]));
    assert!(parse(&okp).unwrap().accepts(Algorithm::EdDsa));
    let p384 = encode_url(&[1; 48]);
    let p384 = format!(r#"{{"kty":"EC","crv":"P-384","x":"{p384}","y":"{p384}"}}"#);
    assert!(parse(&p384).unwrap().accepts(Algorithm::Es384));
}

#[test]
fn a_key_accepts_its_own_algorithms_only() {
    let ec = parse(&jwk(1, "")).unwrap();
    for other in
        [Algorithm::Rs256, Algorithm::Hs256, Algorithm::EdDsa, Algorithm::Ps256, Algorithm::Es384]
    {
        assert!(!ec.accepts(other), "{other:?}");
    }
    let bound = parse(&rsa_jwk(&[0x80; 256], E, r#","alg":"RS256""#)).unwrap();
    assert!(bound.accepts(Algorithm::Rs256));
    for other in [Algorithm::Rs512, Algorithm::Ps256, Algorithm::Hs256] {
        assert!(!bound.accepts(other), "{other:?}");
    }
    let okp = encode_url(&[9; 32]);
    for name in ["EdDSA", "Ed25519"] {
        let jwk = format!(r#"{{"kty":"OKP","crv":"Ed25519","alg":"{name}","x":"{okp}"}}"#);
        assert!(parse(&jwk).unwrap().accepts(Algorithm::EdDsa));
    }
}

#[test]
fn an_alg_that_does_not_go_with_the_key_is_refused() {
    for (alg, error) in [
        (r#""RS256""#, JwkError::AlgorithmMismatch),
        (r#""ES384""#, JwkError::AlgorithmMismatch),
        (r#""HS256""#, JwkError::AlgorithmMismatch),
        (r#""ECDH-ES""#, JwkError::AlgorithmUnknown),
        (r#""none""#, JwkError::AlgorithmUnknown),
        ("1", JwkError::Member("alg")),
        ("null", JwkError::Member("alg")),
    ] {
        assert_eq!(parse(&jwk(1, &format!(r#""alg":{alg}"#))).unwrap_err(), error, "{alg}");
    }
}

#[test]
fn only_signature_keys_are_used() {
    for value in [r#""enc""#, r#""jwt-svid""#, r#""SIG""#, "1", "null", "[]"] {
        let error = parse(&jwk(1, &format!(r#""use":{value}"#))).unwrap_err();
        assert_eq!(error, JwkError::Use, "{value}");
    }
    for value in
        ["[]", r#"["sign"]"#, r#""verify""#, r#"["verify","verify"]"#, r#"["verify",1]"#, "null"]
    {
        let error = parse(&jwk(1, &format!(r#""key_ops":{value}"#))).unwrap_err();
        assert_eq!(error, JwkError::Operations, "{value}");
    }
    assert!(parse(&jwk(1, r#""key_ops":["sign","verify"]"#)).is_ok());
}

#[test]
fn a_trust_domain_has_keys_of_its_own_use_and_with_a_kid() {
    let svid = |members: &str| parse_as(&jwk(1, members), KeyProfile::Svid);
    assert!(svid(r#""kid":"a","use":"jwt-svid""#).is_ok());
    assert_eq!(svid(r#""kid":"a""#).unwrap_err(), JwkError::Use);
    assert_eq!(svid(r#""kid":"a","use":"sig""#).unwrap_err(), JwkError::Use);
    assert_eq!(svid(r#""kid":"a","use":"x509-svid""#).unwrap_err(), JwkError::Use);
    assert_eq!(svid(r#""use":"jwt-svid""#).unwrap_err(), JwkError::Member("kid"));
}

#[test]
fn a_published_private_key_is_reported_as_such() {
    for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        let error = parse(&jwk(1, &format!(r#""{name}":"AA""#))).unwrap_err();
        assert_eq!(error, JwkError::Private(name));
        assert_eq!(error.code(), "private_key_published");
    }
}

#[test]
fn a_kid_is_a_string_of_1_to_256_bytes() {
    let with = |kid: &str| parse(&jwk(1, &format!(r#""kid":{kid}"#)));
    assert!(with(&format!("\"{}\"", "k".repeat(256))).is_ok());
    for kid in ["\"\"", "1", "null", &format!("\"{}\"", "k".repeat(257))] {
        assert_eq!(with(kid).unwrap_err(), JwkError::Member("kid"), "{kid}");
    }
}

#[test]
fn an_rsa_modulus_has_2048_to_8192_bits() {
    let size = |n: &[u8]| parse(&rsa_jwk(n, E, "")).map(|_| ());
    assert_eq!(size(&[0x80; 256]), Ok(()));
    assert_eq!(size(&[0xFF; 1024]), Ok(()));
    let refused = |bits| Err(JwkError::Refused(KeyRefusal::Size { bits }));
    assert_eq!(size(&[0x7F; 256]), refused(2047));
    assert_eq!(size(&[0x80; 128]), refused(1024));
    let mut long = [0xFF; 1025];
    long[0] = 1;
    assert_eq!(size(&long), refused(8193));
}

#[test]
fn rsa_numbers_have_one_form() {
    let mut zero_first = [0x80; 257];
    zero_first[0] = 0;
    let modulus = JwkError::Refused(KeyRefusal::Modulus);
    assert_eq!(parse(&rsa_jwk(&zero_first, E, "")).unwrap_err(), modulus);
    assert_eq!(parse(&rsa_jwk(&[], E, "")).unwrap_err(), modulus);
    for e in [&[][..], &[0], &[0, 1, 0, 1]] {
        let error = parse(&rsa_jwk(&[0x80; 256], e, "")).unwrap_err();
        assert_eq!(error, JwkError::Refused(KeyRefusal::Exponent), "{e:?}");
    }
    let padded = rsa_jwk(&[0x80; 256], E, "").replace("AQAB", "AQAB=");
    assert_eq!(parse(&padded).unwrap_err(), JwkError::Member("e"));
    assert_eq!(parse(r#"{"kty":"RSA","e":"AQAB"}"#).unwrap_err(), JwkError::Member("n"));
}

#[test]
fn a_coordinate_has_the_length_of_its_curve() {
    let good = encode_url(&[1; 32]);
    for length in [0, 31, 33, 48] {
        let bad = encode_url(&[1; 48][..length]);
        let jwk = format!(r#"{{"kty":"EC","crv":"P-256","x":"{bad}","y":"{good}"}}"#);
        assert_eq!(parse(&jwk).unwrap_err(), JwkError::Member("x"), "{length}");
        let okp = format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{bad}"}}"#);
        assert_eq!(parse(&okp).unwrap_err(), JwkError::Member("x"), "{length}");
    }
    let no_y = format!(r#"{{"kty":"EC","crv":"P-256","x":"{good}"}}"#);
    assert_eq!(parse(&no_y).unwrap_err(), JwkError::Member("y"));
    let no_curve = format!(r#"{{"kty":"EC","x":"{good}","y":"{good}"}}"#);
    assert_eq!(parse(&no_curve).unwrap_err(), JwkError::Member("crv"));
}

#[test]
fn other_types_and_curves_are_unknown() {
    for kty in ["AKP", "rsa", "ec", ""] {
        let error = parse(&format!(r#"{{"kty":"{kty}"}}"#)).unwrap_err();
        assert_eq!(error, JwkError::TypeUnknown, "{kty}");
    }
    for json in ["{}", r#"{"kty":1}"#, r#"{"kty":null}"#] {
        assert_eq!(parse(json).unwrap_err(), JwkError::Member("kty"), "{json}");
    }
    let curve = |crv: &str| parse(&jwk(1, "").replace("P-256", crv)).unwrap_err();
    for crv in ["secp256k1", "P-521", "p-256", ""] {
        assert_eq!(curve(crv), JwkError::CurveUnknown, "{crv}");
    }
    assert_eq!(
        parse(r#"{"kty":"OKP","crv":"X25519","x":""}"#).unwrap_err(),
        JwkError::CurveUnknown
    );
}

#[test]
fn a_key_that_the_crypto_library_refuses_is_refused() {
    let text = jwk(1, "");
    let document = Document::parse(text.as_bytes(), &limits::JWKS_JSON).unwrap();
    let members = document.root().as_object().unwrap();
    assert_eq!(
        Key::parse(members, KeyProfile::Jwt, &NoKey).unwrap_err(),
        JwkError::Refused(KeyRefusal::NotOnCurve)
    );
}

#[test]
fn a_secret_is_as_long_as_its_hash() {
    for (algorithm, length) in
        [(Algorithm::Hs256, 32), (Algorithm::Hs384, 48), (Algorithm::Hs512, 64)]
    {
        let secret = [5; 64];
        let key = Key::symmetric("a", algorithm, &secret[..length]).unwrap();
        assert!(key.accepts(algorithm));
        let short = Key::symmetric("a", algorithm, &secret[..length - 1]).unwrap_err();
        let bits = (length - 1) * 8;
        assert_eq!(short, JwkError::Refused(KeyRefusal::Size { bits }));
    }
    let other = Key::symmetric("a", Algorithm::Rs256, &[5; 64]).unwrap_err();
    assert_eq!(other, JwkError::AlgorithmMismatch);
    assert!(!Key::symmetric("a", Algorithm::Hs256, &[5; 64]).unwrap().accepts(Algorithm::Hs512));
    assert_eq!(
        Key::symmetric("", Algorithm::Hs256, &[5; 32]).unwrap_err(),
        JwkError::Member("kid")
    );
}

#[test]
fn a_secret_can_not_be_formatted() {
    let key = Key::symmetric("a", Algorithm::Hs256, b"a secret that everybody can read").unwrap();
    let shown = format!("{key:?}");
    assert!(shown.contains("redacted") && !shown.contains("97, 32, 115"), "{shown}");
}

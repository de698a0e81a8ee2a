//! What several of these tests need.

use std::path::Path;

use data_encoding::BASE64URL_NOPAD;
use lychgate_core::jwt::key::{
    Algorithm, Curve, KeyCheck, KeyMaterial, Outcome, SignatureCheck, Verifier,
};
use lychgate_crypto::Portable;
use serde_json::Value;

/// Whether the key is accepted and the signature is genuine.
pub(crate) fn accepts(
    algorithm: Algorithm,
    key: &KeyMaterial,
    message: &[u8],
    signature: &[u8],
) -> bool {
    Portable.check_key(key).is_ok() && verifies(algorithm, key, message, signature)
}

/// Whether the signature is genuine, under a key that nobody checked.
pub(crate) fn verifies(
    algorithm: Algorithm,
    key: &KeyMaterial,
    message: &[u8],
    signature: &[u8],
) -> bool {
    let check = SignatureCheck { algorithm, key, message, signature };
    Portable.verify(&check) == Outcome::Valid
}

/// An RSA key; leading zeros are the vectors' notation for a positive number.
pub(crate) fn rsa_key(n: &[u8], e: &[u8]) -> KeyMaterial {
    let trim = |number: &[u8]| number.iter().copied().skip_while(|&byte| byte == 0).collect();
    KeyMaterial::Rsa { n: trim(n), e: trim(e) }
}

/// The text of a file below `../shared/vectors`, which stands beside a developer's repository
/// and nowhere else.
pub(crate) fn shared(path: &str) -> Option<String> {
    let found = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|folder| folder.join("shared/vectors"))
        .find(|folder| folder.is_dir());
    let Some(folder) = found else {
        println!("skipped: no ../shared/vectors");
        return None;
    };
    Some(std::fs::read_to_string(folder.join(path)).unwrap())
}

pub(crate) fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

pub(crate) fn hex(text: &Value) -> Vec<u8> {
    data_encoding::HEXLOWER.decode(text.as_str().unwrap().as_bytes()).unwrap()
}

fn base64(text: &Value) -> Vec<u8> {
    BASE64URL_NOPAD.decode(text.as_str().unwrap().as_bytes()).unwrap()
}

/// The key of a JWK that is known to be well-formed; `None` for P-521.
pub(crate) fn jwk(jwk: &Value) -> Option<KeyMaterial> {
    let member = |name: &str| base64(&jwk[name]).into_boxed_slice();
    let curve = match jwk["crv"].as_str() {
        Some("P-256") => Some(Curve::P256),
        Some("P-384") => Some(Curve::P384),
        _ => None,
    };
    Some(match jwk["kty"].as_str().unwrap() {
        "RSA" => KeyMaterial::Rsa { n: member("n"), e: member("e") },
        "EC" => KeyMaterial::Ec { curve: curve?, x: member("x"), y: member("y") },
        "OKP" => KeyMaterial::Ed25519((*member("x")).try_into().unwrap()),
        "oct" => KeyMaterial::Secret(member("k")),
        other => panic!("{other}"),
    })
}

/// Whether a compact JWS is accepted, by the algorithm in its header.
pub(crate) fn accepts_jws(key: &KeyMaterial, jws: &str) -> bool {
    let (message, signature) = jws.rsplit_once('.').unwrap();
    let (header, _) = message.split_once('.').unwrap();
    let header: Value =
        serde_json::from_slice(&BASE64URL_NOPAD.decode(header.as_bytes()).unwrap()).unwrap();
    let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap();
    Algorithm::parse(header["alg"].as_str().unwrap())
        .is_some_and(|algorithm| accepts(algorithm, key, message.as_bytes(), &signature))
}

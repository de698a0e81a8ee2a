//! What one verification costs, in microseconds.
//!
//! Natively: `cargo run --release -p lychgate-crypto --example speed`, for all or for the case that
//! an argument names. In WebAssembly, compared with others: `make bench-crypto`.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a benchmark of signatures that do not verify is worthless"
)]

use core::time::Duration;
use std::time::Instant;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use lychgate_core::jwt::key::{
    Algorithm, Curve, KeyCheck, KeyMaterial, Outcome, SignatureCheck, Verifier,
};
use lychgate_crypto::Portable;
use serde_json::Value;

/// The best of many short rounds, since other work on the machine can only add, and interrupts
/// most long ones.
const ROUNDS: usize = 30;
const ROUND: Duration = Duration::from_millis(3);

fn main() {
    let message = BASE64URL_NOPAD.encode(&[b'x'; 420]);
    let file: Value = serde_json::from_str(include_str!("cases.json")).unwrap();
    let chosen = std::env::args().nth(1);
    for case in file["cases"].as_array().unwrap() {
        let text = |name: &str| case[name].as_str().unwrap();
        if chosen.as_deref().is_some_and(|name| name != text("name")) {
            continue;
        }
        let algorithm = Algorithm::parse(text("alg")).unwrap();
        let key = key(algorithm, &bytes(text("first")), &bytes(text("second")));
        let signature = bytes(text("signature"));
        let check = SignatureCheck {
            algorithm,
            key: &key,
            message: message.as_bytes(),
            signature: &signature,
        };
        Portable.check_key(&key).unwrap();
        let best = (0..ROUNDS).map(|_| round(&check)).fold(f64::INFINITY, f64::min);
        println!("{:12} {best:8.1} us", text("name"));
    }
}

fn round(check: &SignatureCheck<'_>) -> f64 {
    let start = Instant::now();
    let mut verified = 0.0;
    while start.elapsed() < ROUND {
        assert_eq!(Portable.verify(check), Outcome::Valid);
        verified += 1.0;
    }
    start.elapsed().as_secs_f64() * 1e6 / verified
}

fn bytes(hex: &str) -> Vec<u8> {
    HEXLOWER.decode(hex.as_bytes()).unwrap()
}

fn key(algorithm: Algorithm, first: &[u8], second: &[u8]) -> KeyMaterial {
    match algorithm {
        Algorithm::Rs256 | Algorithm::Ps256 => {
            KeyMaterial::Rsa { n: first.into(), e: [1, 0, 1].into() }
        }
        Algorithm::Es256 => {
            KeyMaterial::Ec { curve: Curve::P256, x: first.into(), y: second.into() }
        }
        Algorithm::Es384 => {
            KeyMaterial::Ec { curve: Curve::P384, x: first.into(), y: second.into() }
        }
        Algorithm::EdDsa => KeyMaterial::Ed25519(first.try_into().unwrap()),
        Algorithm::Hs256 => KeyMaterial::Secret(first.into()),
        Algorithm::Rs384
        | Algorithm::Rs512
        | Algorithm::Ps384
        | Algorithm::Ps512
        | Algorithm::Hs384
        | Algorithm::Hs512 => panic!("no case has {}", algorithm.name()),
    }
}

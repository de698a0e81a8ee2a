//! Envoy's crypto and the portable crate must give the same answer on the same bytes.

use lychgate_core::authn::refresh::Keys;
use lychgate_core::engine::{Cache, Engine};
use lychgate_core::request::{Connection, HeaderLine, Lines, Request};
use lychgate_core::spiffe::Peer;
use lychgate_core::time::UnixTime;
use lychgate_crypto::Portable;
use lychgate_harness::{KeyRing, SigningAlgorithm, vectors_directory};
use lychgate_tests_envoy::policy::{allow_tokens, authentication, bundle, claims};
use lychgate_tests_envoy::token::{decode, encode, now};
use lychgate_tests_envoy::{Client, Envoy, Listener, Setup, Upstream};
use serde_json::{Value, json};

/// Algorithm, key, another key of the same type.
const SIGNERS: [(SigningAlgorithm, &str, &str); 5] = [
    (SigningAlgorithm::Rs256, "rsa-1", "rsa-2"),
    (SigningAlgorithm::Rs384, "rsa-1", "rsa-2"),
    (SigningAlgorithm::Rs512, "rsa-1", "rsa-2"),
    (SigningAlgorithm::Es256, "ec-1", "ec-2"),
    (SigningAlgorithm::Es384, "ec384-1", "ec384-2"),
];

/// The orders of the curves (SEC 2 §2.4.2 and §2.5.1), base64url.
const P256_ORDER: &str = "_____wAAAAD__________7zm-q2nF56E87nKwvxjJVE";
const P384_ORDER: &str = "________________________________x2NNgfQ3Ld9YGg2ySLCneuzsGWrMxSlz";

#[test]
fn both_ways_to_check_a_signature_agree() {
    let keys = KeyRing::load(&vectors_directory().join("keys"));
    let names = ["rsa-1", "ec-1", "ec384-1", "ed-1"];
    let set = keys.public_set(&names.map(Value::from));
    let policy = bundle(&json!({}), &[authentication(&json!({ "jwks": set })), allow_tokens()]);
    let (engine, upstream) =
        (Engine::load(policy.to_string().as_bytes(), &Portable).unwrap(), Upstream::start());
    let setup = Setup::new(vec![Listener::lychgate("main", &policy)])
        .cluster("upstream", upstream.address());
    let envoy = Envoy::start(&setup);
    let client = Client::plain(envoy.listener("main"));
    let (mut sent, mut genuine) = (0, 0);
    for (what, token) in SIGNERS.iter().flat_map(|signer| tokens(&keys, *signer)) {
        let id = format!("signature-{sent}");
        let bearer = format!("Bearer {token}");
        let _ = client.request("GET", "/", &[("authorization", &bearer), ("x-request-id", &id)]);
        let record = envoy.audit_of(&id);
        let expected = natively(&engine, &bearer);
        println!("{what}: {expected}");
        assert_eq!(record["reason"], expected.as_str(), "{what}: {token}");
        let is_genuine = ["genuine", "n - s"].iter().any(|good| what.ends_with(good));
        assert_eq!(expected == "allowed_by_rule", is_genuine, "{what}");
        (sent, genuine) = (sent + 1, genuine + u64::from(is_genuine));
    }
    let by_host = envoy.stat("wasmcustom.lychgate.signature.host");
    println!("{sent} tokens, {genuine} of them genuine, {by_host} answered by Envoy's crypto");
    assert!(by_host >= genuine + 20, "Envoy's crypto answered only {by_host} times");
    assert_eq!(envoy.stat("wasmcustom.lychgate.signature.portable"), 0);
    assert_the_rest_is_portable(&keys, &envoy);
}

/// What Envoy does not offer is checked by the portable crate.
fn assert_the_rest_is_portable(keys: &KeyRing, envoy: &Envoy) {
    let client = Client::plain(envoy.listener("main"));
    let others = [(SigningAlgorithm::Ps256, "rsa-1"), (SigningAlgorithm::EdDsa, "ed-1")];
    for (index, (algorithm, name)) in others.into_iter().enumerate() {
        let message = message(algorithm, name);
        let signature = keys.key(name).sign(algorithm, message.as_bytes());
        let bearer = format!("Bearer {message}.{}", encode(&signature));
        assert_eq!(client.request("GET", "/", &[("authorization", &bearer)]).status, 200, "{name}");
        let counted = index as u64 + 1;
        envoy.wait("the counter", |envoy| {
            envoy.stat("wasmcustom.lychgate.signature.portable") == counted
        });
    }
}

/// A genuine token and forged ones, each with what it is.
fn tokens(
    keys: &KeyRing,
    (algorithm, name, other): (SigningAlgorithm, &str, &str),
) -> Vec<(String, String)> {
    let message = message(algorithm, name);
    let genuine = keys.key(name).sign(algorithm, message.as_bytes());
    let mut signatures = vec![
        ("first bit flipped", flipped(&genuine, 0)),
        ("middle bit flipped", flipped(&genuine, genuine.len() / 2)),
        ("last bit flipped", flipped(&genuine, genuine.len() - 1)),
        ("truncated", genuine[..genuine.len() - 1].to_vec()),
        ("leading zero", [&[0], &genuine[..]].concat()),
        ("trailing zero", [&genuine[..], &[0]].concat()),
        ("all zero", vec![0; genuine.len()]),
        ("all ones", vec![0xff; genuine.len()]),
        ("wrong key", keys.key(other).sign(algorithm, message.as_bytes())),
    ];
    match algorithm {
        SigningAlgorithm::Es256 => signatures.extend(of_curve(&genuine, &decode(P256_ORDER))),
        SigningAlgorithm::Es384 => signatures.extend(of_curve(&genuine, &decode(P384_ORDER))),
        _ => signatures.push(("s + n", sum(&genuine, &keys.key(name).bytes("n")))),
    }
    signatures.push(("genuine", genuine));
    let token = |(what, signature): (&str, Vec<u8>)| {
        (format!("{} {what}", algorithm.name()), format!("{message}.{}", encode(&signature)))
    };
    signatures.into_iter().map(token).collect()
}

/// What is special about ECDSA; `n - s` makes another genuine signature.
fn of_curve(genuine: &[u8], order: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let (r, s) = genuine.split_at(genuine.len() / 2);
    let zero = vec![0; r.len()];
    vec![
        ("swapped r and s", [s, r].concat()),
        ("s + n", [r, &sum(s, order)].concat()),
        ("r + n", [&sum(r, order), s].concat()),
        ("s = n", [r, order].concat()),
        ("r = n", [order, s].concat()),
        ("s = 0", [r, &zero].concat()),
        ("r = 0", [&zero, s].concat()),
        ("n - s", [r, &difference(order, s)].concat()),
        ("leading zero in each half", [&[0], r, &[0], s].concat()),
    ]
}

fn message(algorithm: SigningAlgorithm, key: &str) -> String {
    let header = json!({ "alg": algorithm.name(), "kid": key, "typ": "JWT" });
    let claims = claims("alice");
    format!("{}.{}", encode(header.to_string().as_bytes()), encode(claims.to_string().as_bytes()))
}

fn natively(engine: &Engine, bearer: &str) -> String {
    let headers = [HeaderLine { name: b"authorization", value: bearer.as_bytes() }];
    let request = Request {
        method: b"GET",
        target: b"/",
        authority: Some(b"test.example"),
        headers: &headers,
        lines: Lines::Separate,
        peer: &Peer::Absent,
        metadata: &[],
        connection: Connection::default(),
    };
    let keys = Keys::new(engine.key_sources(), 1);
    let mut cache = Cache::default();
    let now = UnixTime::from_seconds(now());
    engine.decide(&request, now, &keys, &mut cache, &Portable).reason().code().to_owned()
}

fn flipped(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= 1;
    bytes
}

/// The sum of two big-endian numbers, one byte longer if it must be.
fn sum(left: &[u8], right: &[u8]) -> Vec<u8> {
    let (mut carry, mut digits) = (0, Vec::new());
    for (a, b) in left.iter().rev().zip(right.iter().rev()) {
        let digit = u16::from(*a) + u16::from(*b) + carry;
        digits.push((digit & 0xff) as u8);
        carry = digit >> 8;
    }
    if carry > 0 {
        digits.push(1);
    }
    digits.reverse();
    digits
}

/// The difference of two big-endian numbers, the first of which is the larger.
fn difference(left: &[u8], right: &[u8]) -> Vec<u8> {
    let (mut borrow, mut digits) = (0, Vec::new());
    for (a, b) in left.iter().rev().zip(right.iter().rev()) {
        let digit = i16::from(*a) - i16::from(*b) - borrow;
        digits.push(digit.rem_euclid(256) as u8);
        borrow = i16::from(digit < 0);
    }
    digits.reverse();
    digits
}

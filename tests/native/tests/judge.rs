//! jwt-simple as an independent judge: what it signs we accept, what we take for genuine it does
//! too, and neither takes a changed token.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::std_instead_of_core,
    reason = "what cannot be run must stop the run with a message"
)]

use jwt_simple::prelude::*;
use lychgate_core::decision::Reason;
use lychgate_core::spiffe::Peer;
use lychgate_core::time::UnixTime;
use lychgate_crypto::Portable;
use lychgate_harness::{Topic, Vector};
use lychgate_tests_native::Bench;
use serde_json::json;

const ISSUER: &str = "https://issuer.example";

/// A topic of one bundle that accepts tokens of all named keys, and one request with that token.
fn topic(token: &serde_json::Value) -> Topic {
    let secret = |kid: &str, alg: &str| json!({ "issuer": "https://local.example", "kid": kid, "alg": alg, "k": { "$secret": kid } });
    let keys = ["rsa-1", "rsa-3072", "ec-1", "ec384-1", "ed-1"];
    let document = json!({
        "description": "one bundle",
        "bundles": { "any": {
            "apiVersion": "lychgate.dev/v1alpha1", "kind": "Bundle",
            "workload": { "kind": "sidecar", "namespace": "production", "labels": {} },
            "settings": { "symmetricKeys": [secret("hmac-1", "HS256"), secret("hmac-384", "HS384"), secret("hmac-512", "HS512")] },
            "resources": [
                { "apiVersion": "security.istio.io/v1", "kind": "RequestAuthentication",
                  "metadata": { "name": "jwt" },
                  "spec": { "jwtRules": [{ "issuer": ISSUER, "jwks": { "$jwks": keys } }, { "issuer": "https://local.example" }] } },
                { "apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy",
                  "metadata": { "name": "any" },
                  "spec": { "rules": [{ "from": [{ "source": { "requestPrincipals": ["*"] } }] }] } }
            ]
        } },
        "vectors": [{ "name": "one", "bundle": "any", "request": { "token": token },
            "expect": { "verdict": "allow", "reason": "allowed_by_rule", "status": 200 } }]
    });
    serde_json::from_value(document).unwrap()
}

/// The reason that core gives for a request with this token, made at `now`.
fn judged(bench: &Bench, token: &serde_json::Value, now: i64) -> Reason {
    let topic = topic(token);
    let subject = bench.subject(&topic, "any", now).unwrap();
    let http = topic.vectors[0].request.http(bench.mint(now));
    let time = UnixTime::from_seconds(u64::try_from(now).unwrap());
    subject.decide(&http, &Peer::Absent, time, &Portable).reason()
}

fn minted(bench: &Bench, token: &serde_json::Value, now: i64) -> String {
    let vectors: Vec<Vector> = topic(token).vectors;
    let http = vectors[0].request.http(bench.mint(now));
    let value = String::from_utf8(http.headers[0].1.clone()).unwrap();
    value.strip_prefix("Bearer ").unwrap().to_owned()
}

fn now() -> i64 {
    i64::try_from(Clock::now_since_epoch().as_secs()).unwrap()
}

fn claims(issuer: &str) -> JWTClaims<NoCustomClaims> {
    Claims::create(Duration::from_mins(5)).with_issuer(issuer).with_subject("alice")
}

/// Exchanges tokens of one algorithm in both directions.
macro_rules! exchange {
    ($test:ident, $algorithm:literal, $key:literal, $pair:ty) => {
        #[test]
        fn $test() {
            let (bench, now) = (Bench::new(), now());
            let pair =
                <$pair>::from_jwk(&bench.keys.key($key).private_jwk()).unwrap().with_key_id($key);
            let theirs = pair.sign(claims(ISSUER)).unwrap();
            assert_eq!(judged(&bench, &json!({ "raw": theirs }), now), Reason::AllowedByRule);

            let spec = json!({ "key": $key, "alg": $algorithm });
            let ours = minted(&bench, &spec, now);
            assert_eq!(judged(&bench, &spec, now), Reason::AllowedByRule);
            assert!(pair.public_key().verify_token::<NoCustomClaims>(&ours, None).is_ok());

            let flip = json!([{ "op": "flip_bit", "bit": 77 }]);
            let spec = json!({ "key": $key, "alg": $algorithm, "tamper": flip });
            let forged = minted(&bench, &spec, now);
            assert_eq!(judged(&bench, &spec, now), Reason::SignatureInvalid);
            assert!(pair.public_key().verify_token::<NoCustomClaims>(&forged, None).is_err());
        }
    };
}

exchange!(rs256_both_ways, "RS256", "rsa-1", RS256KeyPair);
exchange!(rs384_both_ways, "RS384", "rsa-1", RS384KeyPair);
exchange!(rs512_both_ways, "RS512", "rsa-3072", RS512KeyPair);
exchange!(ps256_both_ways, "PS256", "rsa-1", PS256KeyPair);
exchange!(ps384_both_ways, "PS384", "rsa-1", PS384KeyPair);
exchange!(ps512_both_ways, "PS512", "rsa-3072", PS512KeyPair);
exchange!(es256_both_ways, "ES256", "ec-1", ES256KeyPair);
exchange!(es384_both_ways, "ES384", "ec384-1", ES384KeyPair);
exchange!(eddsa_both_ways, "EdDSA", "ed-1", Ed25519KeyPair);

/// The same for a shared secret, which has no public half.
macro_rules! exchange_secret {
    ($test:ident, $algorithm:literal, $key:literal, $secret:ty) => {
        #[test]
        fn $test() {
            let (bench, now) = (Bench::new(), now());
            let secret = <$secret>::from_bytes(&bench.keys.key($key).bytes("k")).with_key_id($key);
            let theirs = secret.authenticate(claims("https://local.example")).unwrap();
            assert_eq!(judged(&bench, &json!({ "raw": theirs }), now), Reason::AllowedByRule);

            let issuer = json!({ "iss": "https://local.example" });
            let spec = json!({ "key": $key, "alg": $algorithm, "claims": issuer });
            let ours = minted(&bench, &spec, now);
            assert_eq!(judged(&bench, &spec, now), Reason::AllowedByRule);
            assert!(secret.verify_token::<NoCustomClaims>(&ours, None).is_ok());

            let flip = json!([{ "op": "flip_bit", "bit": 77 }]);
            let spec = json!({ "key": $key, "alg": $algorithm, "claims": issuer, "tamper": flip });
            let forged = minted(&bench, &spec, now);
            assert_eq!(judged(&bench, &spec, now), Reason::SignatureInvalid);
            assert!(secret.verify_token::<NoCustomClaims>(&forged, None).is_err());
        }
    };
}

exchange_secret!(hs256_both_ways, "HS256", "hmac-1", HS256Key);
exchange_secret!(hs384_both_ways, "HS384", "hmac-384", HS384Key);
exchange_secret!(hs512_both_ways, "HS512", "hmac-512", HS512Key);

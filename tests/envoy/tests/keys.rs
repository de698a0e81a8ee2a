//! Remote key sets: rotation, outages, nonsense, and one fetch at a time.

use std::time::Duration;

use lychgate_tests_envoy::jwks::Behaviour;
use lychgate_tests_envoy::policy::{allow_tokens, authentication, bundle, claims};
use lychgate_tests_envoy::{Client, Envoy, JwksServer, Listener, Setup, SigningKey, Upstream};
use serde_json::json;

struct Bench {
    envoy: Envoy,
    server: JwksServer,
    _upstream: Upstream,
}

fn start(behaviour: Behaviour, concurrency: u32, refresh: serde_json::Value) -> Bench {
    let uri = "http://keys.example/jwks";
    let settings = json!({ "jwks": [{ "uri": uri, "cluster": "keys" }], "keyRefresh": refresh });
    let policy = bundle(&settings, &[authentication(&json!({ "jwksUri": uri })), allow_tokens()]);
    let (upstream, server) = (Upstream::start(), JwksServer::start(behaviour));
    let mut setup = Setup::new(vec![Listener::lychgate("main", &policy)])
        .cluster("upstream", upstream.address())
        .cluster("keys", server.address());
    setup.concurrency = concurrency;
    Bench { envoy: Envoy::start(&setup), server, _upstream: upstream }
}

fn good(key: &SigningKey) -> Behaviour {
    Behaviour::Answer(200, key.jwks().into_bytes())
}

impl Bench {
    fn status(&self, key: &SigningKey) -> u16 {
        let bearer = format!("Bearer {}", key.sign(&claims("alice")));
        let client = Client::plain(self.envoy.listener("main"));
        client.request("GET", "/", &[("authorization", &bearer)]).status
    }
}

#[test]
fn keys_are_fetched_once_for_all_workers() {
    let key = SigningKey::named("rsa-1");
    let bench = start(good(&key), 2, json!({}));
    bench.envoy.wait("keys", |_| bench.status(&key) == 200);
    for _ in 0..50 {
        assert_eq!(bench.status(&key), 200);
    }
    assert_eq!((bench.server.requests(), bench.server.most_open()), (1, 1));
}

#[test]
fn a_request_waits_for_a_rotated_key() {
    let (old, new) = (SigningKey::named("rsa-1"), SigningKey::named("rsa-2"));
    let bench = start(good(&old), 2, json!({ "waitMilliseconds": 2000 }));
    // Fetched by the timer: a fetch that a request causes would begin the cool-down.
    bench.envoy.wait("keys", |envoy| envoy.stat("wasmcustom.lychgate.keys.fetched") == 1);
    assert_eq!(bench.status(&old), 200);
    bench.server.behave(good(&new));
    assert_eq!(bench.status(&new), 200, "the first request with the new key waits for it");
    assert_eq!(bench.status(&old), 401, "the old key is gone");
    assert_eq!(bench.server.requests(), 2);
    for _ in 0..20 {
        assert_eq!(bench.status(&SigningKey::named("rsa-1").renamed("unknown")), 401);
    }
    assert_eq!(bench.server.requests(), 2, "unknown keys are looked up once in a cool-down");
}

#[test]
fn an_outage_changes_nothing_while_the_last_good_set_may_serve() {
    let key = SigningKey::named("rsa-1");
    let bench = start(good(&key), 1, json!({ "waitMilliseconds": 300 }));
    bench.envoy.wait("keys", |_| bench.status(&key) == 200);
    for behaviour in [
        Behaviour::HangUp,
        Behaviour::Answer(500, b"no".to_vec()),
        Behaviour::Answer(200, b"<html>".to_vec()),
        Behaviour::Answer(200, b"{\"keys\":[]}".to_vec()),
    ] {
        bench.server.behave(behaviour);
        assert_eq!(bench.status(&key.renamed("other")), 401);
        assert_eq!(bench.status(&key), 200);
    }
}

#[test]
fn keys_that_were_never_had_are_503() {
    let key = SigningKey::named("rsa-1");
    let large = vec![b' '; 10 * 1024 * 1024];
    for behaviour in [
        Behaviour::HangUp,
        Behaviour::Answer(302, b"{}".to_vec()),
        Behaviour::Answer(200, b"garbage \xff".to_vec()),
        Behaviour::Answer(200, large),
        Behaviour::Slow(Duration::from_secs(3), key.jwks().into_bytes()),
    ] {
        let bench = start(behaviour, 2, json!({ "waitMilliseconds": 100 }));
        let client = Client::plain(bench.envoy.listener("main"));
        let bearer = format!("Bearer {}", key.sign(&claims("alice")));
        let response = client.request("GET", "/", &[("authorization", &bearer)]);
        assert_eq!(response.status, 503);
        assert!(response.header("retry-after").is_some());
        assert_eq!(client.get("/").status, 401, "a request without a token needs no keys");
        assert!(bench.server.most_open() <= 1, "one fetch at a time");
    }
}

#[test]
fn a_source_that_comes_back_is_used() {
    let key = SigningKey::named("ec-1");
    let bench = start(Behaviour::HangUp, 2, json!({ "waitMilliseconds": 0 }));
    assert_eq!(bench.status(&key), 503);
    bench.server.behave(good(&key));
    bench.envoy.wait("keys", |_| bench.status(&key) == 200);
    assert_eq!(bench.server.most_open(), 1);
}

//! What callers, the upstream, logs and counters get to see.

use lychgate_tests_envoy::policy::{
    AUDIENCE, ISSUER, allow_tokens, authentication, bundle, claims,
};
use lychgate_tests_envoy::{Client, Envoy, Listener, Response, Setup, SigningKey, Upstream};
use serde_json::{Value, json};

struct Bench {
    envoy: Envoy,
    upstream: Upstream,
    token: String,
}

fn start(settings: &Value) -> Bench {
    let key = SigningKey::named("ec-1");
    let keys = json!({
        "jwks": key.jwks(),
        "outputPayloadToHeader": "x-claims",
        "outputClaimToHeaders": [{ "header": "x-user", "claim": "sub" }],
    });
    let policy = bundle(settings, &[authentication(&keys), allow_tokens()]);
    let upstream = Upstream::start();
    let mut setup = Setup::new(vec![Listener::lychgate("main", &policy)])
        .cluster("upstream", upstream.address());
    setup.access_log = true;
    Bench { envoy: Envoy::start(&setup), upstream, token: key.sign(&claims("alice")) }
}

impl Bench {
    fn get(&self, headers: &[(&str, &str)]) -> Response {
        Client::plain(self.envoy.listener("main")).request("GET", "/a?b=c", headers)
    }

    fn with_token(&self, headers: &[(&str, &str)]) -> Response {
        let bearer = format!("Bearer {}", self.token);
        self.get(&[&[("authorization", bearer.as_str())], headers].concat())
    }
}

fn seen<'a>(response: &'a Value, name: &str) -> Vec<&'a str> {
    let headers = response["headers"].as_array().unwrap();
    headers.iter().filter(|h| h[0] == name).map(|h| h[1].as_str().unwrap()).collect()
}

const FORGED: &[(&str, &str)] = &[
    ("x-lychgate-issuer", "forged"),
    ("X-Lychgate-Subject", "admin"),
    ("x-lychgate-subject", "root"),
    ("x-lychgate-peer", "spiffe://forged"),
    ("x-user", "admin"),
    ("x-claims", "e30"),
];

#[test]
fn the_upstream_sees_verified_identity_and_no_forged_header() {
    let bench = start(&json!({}));
    let response = bench.with_token(FORGED);
    assert_eq!(response.status, 200);
    let request = response.json();
    assert_eq!(request["path"], "/a?b=c");
    assert_eq!(seen(&request, "x-lychgate-issuer"), ["https://issuer.example"]);
    assert_eq!(seen(&request, "x-lychgate-subject"), ["alice"]);
    assert_eq!(seen(&request, "x-lychgate-peer"), [""; 0]);
    assert_eq!(seen(&request, "x-user"), ["alice"]);
    assert_eq!(seen(&request, "x-claims").len(), 1);
    assert_ne!(seen(&request, "x-claims"), ["e30"]);
    assert_eq!(seen(&request, "authorization"), [""; 0], "the token stops here by default");
}

#[test]
fn a_refused_request_does_not_reach_the_upstream() {
    let bench = start(&json!({}));
    let response = bench.get(FORGED);
    assert_eq!(response.status, 401);
    assert_eq!(response.header("www-authenticate"), Some("Bearer realm=\"lychgate\""));
    assert_eq!(response.header("content-type"), Some("application/problem+json"));
    assert_eq!(response.header("cache-control"), Some("no-store"));
    let problem = response.json();
    assert_eq!(problem["status"], 401);
    assert_eq!(problem["code"], "credential_required");
    assert!(problem["correlation_id"].as_str().is_some_and(|id| !id.is_empty()));
    assert_eq!(bench.upstream.requests(), 0);

    let wrong = bench.get(&[("authorization", "Bearer a.b.c")]);
    assert_eq!(wrong.status, 401);
    assert_eq!(
        wrong.header("www-authenticate"),
        Some("Bearer realm=\"lychgate\", error=\"invalid_token\"")
    );
}

#[test]
fn shadow_mode_counts_and_removes_forged_headers_but_refuses_nothing() {
    let bench = start(&json!({ "shadow": true }));
    let response = bench.get(FORGED);
    assert_eq!(response.status, 200);
    let request = response.json();
    for (name, _) in FORGED {
        assert_eq!(seen(&request, &name.to_ascii_lowercase()), [""; 0], "{name}");
    }
    let envoy = &bench.envoy;
    envoy.wait("the counter", |e| e.stat("wasmcustom.lychgate.shadow_denied") == 1);
    assert_eq!(envoy.stat("wasmcustom.lychgate.reason.credential_missing"), 1);
    assert_eq!(envoy.stat("wasmcustom.lychgate.deny"), 0);
}

#[test]
fn a_grpc_caller_gets_a_grpc_status() {
    let bench = start(&json!({}));
    let call = |headers: &str| {
        let head = format!(
            "POST /pay.Pay/Charge HTTP/1.1\r\nHost: x\r\nContent-Type: application/grpc\r\n{headers}"
        );
        let request = format!("{head}Content-Length: 5\r\nConnection: close\r\n\r\n\0\0\0\0\0");
        Client::plain(bench.envoy.listener("main")).raw(request.as_bytes())
    };
    let missing = call("");
    assert_eq!((missing.status, missing.header("grpc-status")), (200, Some("16")));
    assert_eq!(missing.header("www-authenticate"), Some("Bearer realm=\"lychgate\""));
    let ambiguous = call("Host: y\r\n");
    assert_ne!(ambiguous.header("grpc-status"), Some("0"));
    let good = call(&format!("Authorization: Bearer {}\r\n", bench.token));
    assert_eq!((good.status, good.header("grpc-status")), (200, None));
}

#[test]
fn access_logs_audit_records_and_counters_tell_what_was_decided() {
    let bench = start(&json!({}));
    let envoy = &bench.envoy;
    let id = "7f1c2f0a-8d5e-4b1e-9d1a-0c2b3a4d5e6f";
    assert_eq!(bench.with_token(&[("x-request-id", id)]).status, 200);
    let record = envoy.audit_of(id);
    assert_eq!(record["verdict"], "allow");
    assert_eq!(record["reason"], "allowed_by_rule");
    assert_eq!(record["policy"], "production/tokens");
    assert_eq!(record["subject"], "alice");
    assert_eq!(record["path"], "/a");
    assert!(!record.to_string().contains(&bench.token), "nothing secret");
    let other = "8f1c2f0a-8d5e-4b1e-9d1a-0c2b3a4d5e6f";
    assert_eq!(bench.get(&[("x-request-id", other)]).status, 401);
    assert_eq!(envoy.audit_of(other)["reason"], "credential_missing");

    let allowed = access_log_of(envoy, id);
    assert_eq!((&allowed["verdict"], &allowed["header"]), (&json!("allow"), &json!("alice")));
    let denied = access_log_of(envoy, other);
    assert_eq!((&denied["verdict"], &denied["header"]), (&json!("deny"), &Value::Null));

    for (name, count) in
        [("allow", 1), ("deny", 1), ("reason.allowed_by_rule", 1), ("reason.credential_missing", 1)]
    {
        let name = format!("wasmcustom.lychgate.{name}");
        envoy.wait(&name, |envoy| envoy.stat(&name) == count);
    }
}

#[test]
fn a_claim_can_not_break_out_of_its_header() {
    let key = SigningKey::named("ec-1");
    let bench = start(&json!({}));
    let mut claims = claims("alice\r\nx-injected: 1");
    claims["iss"] = json!(ISSUER);
    claims["aud"] = json!(AUDIENCE);
    let bearer = format!("Bearer {}", key.sign(&claims));
    let response = bench.get(&[("authorization", &bearer)]);
    if response.status == 200 {
        assert_eq!(seen(&response.json(), "x-injected"), [""; 0]);
    }
}

#[test]
fn filter_state_tells_who_called_where_no_header_does() {
    let bench = start(&json!({ "identityHeaders": false }));
    let id = "9f1c2f0a-8d5e-4b1e-9d1a-0c2b3a4d5e6f";
    assert_eq!(bench.with_token(&[("x-request-id", id)]).status, 200);
    let line = access_log_of(&bench.envoy, id);
    assert_eq!(line["verdict"], "allow");
    assert_eq!(line["subject"], "alice");
    assert_eq!(line["header"], Value::Null);
}

fn access_log_of(envoy: &Envoy, id: &str) -> Value {
    let mut found = Value::Null;
    envoy.wait("the access log", |envoy| {
        let mut lines = envoy.access_log().into_iter();
        found = lines.find(|line| line["id"] == id).unwrap_or(Value::Null);
        !found.is_null()
    });
    found
}

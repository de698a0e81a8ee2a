//! gRPC over HTTP/2: what callers get, and what reaches the upstream.

mod http2;

use std::future::Future;

use http2::{Answer, Upstream, call, connect, connect_tls};
use lychgate_tests_envoy::policy::{ISSUER, allow, authentication, bundle, claims, resource};
use lychgate_tests_envoy::{Authority, Envoy, Listener, Scratch, Setup, SigningKey, Transport};
use serde_json::{Value, json};

const METHOD: &str = "/pay.Pay/Charge";
const UNREACHABLE: &str = "https://unreachable.example";

struct Bench {
    envoy: Envoy,
    upstream: Upstream,
    key: SigningKey,
}

/// An Envoy that lets alice charge, with the scope `pay`, and knows an issuer that is not there.
async fn start() -> Bench {
    let key = SigningKey::named("ec-1");
    let there = authentication(&json!({ "jwks": key.jwks() }));
    let uri = "https://unreachable.example/jwks";
    let rule = json!({ "issuer": UNREACHABLE, "jwksUri": uri });
    let absent = resource("RequestAuthentication", "absent", &json!({ "jwtRules": [rule] }));
    let rules = json!([{
        "from": [{ "source": { "requestPrincipals": [format!("{ISSUER}/alice")] } }],
        "to": [{ "operation": { "methods": ["POST"], "paths": [METHOD] } }],
        "when": [{ "key": "request.auth.claims[scope]", "values": ["pay"] }],
    }]);
    let settings = json!({ "jwks": [{ "uri": uri, "cluster": "nobody" }] });
    let policy = bundle(&settings, &[there, absent, allow("charge", &rules)]);
    let upstream = Upstream::start().await;
    let setup = Setup::new(vec![Listener::lychgate("main", &policy)])
        .http2_cluster("upstream", upstream.address)
        .cluster("nobody", ([127, 0, 0, 1], 9).into());
    Bench { envoy: Envoy::start(&setup), upstream, key }
}

impl Bench {
    fn bearer(&self, more: &Value) -> String {
        let mut claims = claims("alice");
        claims["scope"] = json!("pay");
        if let (Some(claims), Some(more)) = (claims.as_object_mut(), more.as_object()) {
            claims.extend(more.clone());
        }
        format!("Bearer {}", self.key.sign(&claims))
    }

    async fn call(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let connection = connect(self.envoy.listener("main")).await;
        call(&connection, path, headers).await
    }
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Runtime::new().expect("threads").block_on(test);
}

#[test]
fn a_call_that_may_pass_reaches_an_upstream_that_speaks_http2() {
    run(async {
        let bench = start().await;
        let bearer = bench.bearer(&json!({}));
        let forged = ("x-lychgate-subject", "admin");
        let answer = bench.call(METHOD, &[("authorization", &bearer), forged]).await;
        assert_eq!((answer.status, answer.header("grpc-status")), (200, None));
        assert!(!answer.is_trailers_only);
        let trailers = answer.trailers.as_ref().expect("the upstream's trailers");
        assert_eq!(trailers["grpc-status"], "0");
        let message = answer.message();
        assert_eq!(message["path"], METHOD);
        let headers = message["headers"].as_array().unwrap();
        let values = |name: &str| -> Vec<&Value> {
            headers.iter().filter(|line| line[0] == name).map(|line| &line[1]).collect()
        };
        assert_eq!(values("x-lychgate-subject"), ["alice"]);
        assert_eq!(values("authorization"), [""; 0], "the token stops here by default");
        assert_eq!(values("te"), ["trailers"]);
        assert_eq!(bench.upstream.calls(), 1);
    });
}

#[test]
fn a_refusal_is_trailers_only_with_the_status_that_grpc_has_for_it() {
    run(async {
        let bench = start().await;
        let good = bench.bearer(&json!({}));
        let expired = bench.bearer(&json!({ "exp": 1, "iat": 0 }));
        let audience = bench.bearer(&json!({ "aud": "other" }));
        let scope = bench.bearer(&json!({ "scope": "read" }));
        let subject = bench.bearer(&json!({ "sub": "bob" }));
        let unknown = bench.bearer(&json!({ "iss": UNREACHABLE }));
        let rows = [
            (METHOD, None, 16, 401, "credential_required", Some("Bearer realm=\"lychgate\"")),
            (METHOD, Some(&expired), 16, 401, "credential_invalid", Some(INVALID)),
            (METHOD, Some(&audience), 7, 403, "audience_refused", Some(INVALID)),
            (METHOD, Some(&scope), 7, 403, "scope_required", Some(SCOPE)),
            (METHOD, Some(&subject), 7, 403, "access_denied", None),
            ("/pay.Pay/Refund", Some(&good), 7, 403, "access_denied", None),
            ("/pay.Pay//Charge", Some(&good), 13, 400, "request_refused", None),
            (METHOD, Some(&unknown), 14, 503, "unavailable", None),
        ];
        for (path, bearer, grpc_status, status, code, challenge) in rows {
            let headers: Vec<_> =
                bearer.map(|bearer| ("authorization", bearer.as_str())).into_iter().collect();
            let answer = bench.call(path, &headers).await;
            let row = format!("{path} {code}: {answer:?}");
            assert_eq!(answer.status, 200, "{row}");
            assert!(answer.is_trailers_only, "{row}");
            assert_eq!(answer.header("content-type"), Some("application/grpc"), "{row}");
            assert_eq!(answer.header("grpc-status"), Some(&*grpc_status.to_string()), "{row}");
            assert_eq!(answer.header("www-authenticate"), challenge, "{row}");
            assert_eq!(answer.header("cache-control"), Some("no-store"), "{row}");
            assert_eq!(answer.header("retry-after").is_some(), status == 503, "{row}");
            let problem = problem(&answer);
            assert_eq!(problem["status"], status, "{row}");
            assert_eq!(problem["code"], code, "{row}");
        }
        assert_eq!(bench.upstream.calls(), 0, "nothing was passed on");
    });
}

const INVALID: &str = "Bearer realm=\"lychgate\", error=\"invalid_token\"";
const SCOPE: &str = "Bearer realm=\"lychgate\", error=\"insufficient_scope\", scope=\"pay\"";

/// The problem details of a refusal: gRPC has nowhere else to put them than in its message.
fn problem(answer: &Answer) -> Value {
    let message = answer.header("grpc-message").expect("a message");
    serde_json::from_slice(&decoded(message)).expect("problem details")
}

/// Percent-decoding, as gRPC demands of a client.
fn decoded(text: &str) -> Vec<u8> {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at(2);
        bytes.push(u8::from_str_radix(digits, 16).expect("two digits"));
        bytes.extend_from_slice(rest.as_bytes());
    }
    bytes
}

#[test]
fn the_calls_of_one_connection_are_decided_each_for_itself() {
    run(async {
        let bench = start().await;
        let connection = connect(bench.envoy.listener("main")).await;
        let (good, bad) = (bench.bearer(&json!({})), bench.bearer(&json!({ "sub": "bob" })));
        let calls = (0..60).map(|number| {
            let (bearer, expected) = match number % 3 {
                0 => (Some(good.clone()), None),
                1 => (Some(bad.clone()), Some("7")),
                _ => (None, Some("16")),
            };
            let connection = connection.clone();
            tokio::spawn(async move {
                let headers: Vec<_> =
                    bearer.iter().map(|bearer| ("authorization", bearer.as_str())).collect();
                let answer = call(&connection, METHOD, &headers).await;
                assert_eq!(answer.header("grpc-status"), expected, "{number}: {answer:?}");
            })
        });
        for call in calls.collect::<Vec<_>>() {
            call.await.expect("as expected");
        }
        assert_eq!(bench.upstream.calls(), 20);
        assert_eq!(bench.envoy.stat("http.main.downstream_cx_http2_total"), 1);
    });
}

#[test]
fn the_peer_of_a_call_is_who_the_connection_says() {
    run(async {
        let (mesh, scratch) = (Authority::new("mesh"), Scratch::new("grpc"));
        let principal = "cluster.local/ns/production/sa/orders";
        let rules = json!([{ "from": [{ "source": { "principals": [principal] } }] }]);
        let policy = bundle(&json!({}), &[allow("orders", &rules)]);
        let mut listener = Listener::lychgate("main", &policy);
        let spiffe = |account: &str| format!("spiffe://cluster.local/ns/production/sa/{account}");
        listener.transport = Transport::Tls {
            server: mesh.issue(&[&spiffe("payments")], &["localhost"]).files(&scratch, "server"),
            clients: scratch.write("mesh.pem", mesh.pem()),
            required: false,
        };
        let upstream = Upstream::start().await;
        let setup = Setup::new(vec![listener]).http2_cluster("upstream", upstream.address);
        let envoy = Envoy::start(&setup);
        let forged = ("x-forwarded-client-cert", format!("URI={}", spiffe("orders")));
        for (account, expected) in [("orders", None), ("batch", Some("7")), ("", Some("7"))] {
            let identity = (!account.is_empty()).then(|| mesh.spiffe(&spiffe(account)));
            let address = envoy.listener("main");
            let connection = connect_tls(address, mesh.pem(), identity.as_ref()).await;
            for _ in 0..2 {
                let answer = call(&connection, METHOD, &[(forged.0, &forged.1)]).await;
                assert_eq!(answer.header("grpc-status"), expected, "{account}: {answer:?}");
            }
        }
        assert_eq!(upstream.calls(), 2);
    });
}

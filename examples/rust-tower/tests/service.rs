//! The service as its callers see it: real requests through the layer, with signed tokens.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that can't go on has failed"
)]

use std::fs;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use base64ct::{Base64UrlUnpadded, Encoding as _};
use ed25519_dalek::{Signer as _, SigningKey};
use http::{HeaderMap, Request, Response, StatusCode, Uri};
use http_body_util::BodyExt as _;
use lychgate_example_tower::{Gate, Lychgate};
use serde_json::{Value, json};
use tower::ServiceExt as _;

type Log = Arc<Mutex<Vec<String>>>;

fn service() -> (Router, Log) {
    let gate = Gate::load(include_bytes!("../bundle.json")).unwrap();
    let log = Log::default();
    let records = Arc::clone(&log);
    let layer = Lychgate::new(gate, move |record| records.lock().unwrap().push(record.to_owned()));
    let echo = async |uri: Uri, headers: HeaderMap| {
        let text = |name: &str| {
            headers.get(name).map_or("none", |value| value.to_str().unwrap()).to_owned()
        };
        format!("{uri} by {}, token {}", text("x-lychgate-subject"), text("authorization"))
    };
    let router = Router::new()
        .route("/healthz", get(async || "ok"))
        .route("/notes", get(echo).post(echo))
        .route("/notes/{id}", get(echo))
        .layer(layer);
    (router, log)
}

async fn send(request: http::request::Builder) -> Response<Body> {
    service().0.oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

async fn text(response: Response<Body>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

fn request(method: &str, path: &str) -> http::request::Builder {
    Request::builder().method(method).uri(path).header("host", "notes.example")
}

/// A token of the key that everybody has, with these claims over the usual ones.
fn token(changes: &Value) -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/key.json");
    let jwk: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let secret = Base64UrlUnpadded::decode_vec(jwk["d"].as_str().unwrap()).unwrap();
    let key = SigningKey::from_bytes(&secret.try_into().unwrap());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let mut claims = json!({
        "iss": "https://issuer.example", "aud": "notes", "sub": "alice",
        "exp": now + 300, "scope": "notes:read",
    });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    let part = |value: &Value| Base64UrlUnpadded::encode_string(value.to_string().as_bytes());
    let input = format!("{}.{}", part(&json!({"alg": "EdDSA", "kid": "example"})), part(&claims));
    let signature = Base64UrlUnpadded::encode_string(&key.sign(input.as_bytes()).to_bytes());
    format!("{input}.{signature}")
}

fn bearer(changes: &Value) -> String {
    format!("Bearer {}", token(changes))
}

#[tokio::test]
async fn an_open_path_needs_no_token() {
    let response = send(request("GET", "/healthz")).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(text(response).await, "ok");
}

#[tokio::test]
async fn without_a_token_the_answer_is_401_with_a_challenge() {
    let response = send(request("GET", "/notes")).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(response.headers()["www-authenticate"], "Bearer realm=\"lychgate\"");
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let body: Value = serde_json::from_str(&text(response).await).unwrap();
    assert_eq!(body["status"], 401);
}

#[tokio::test]
async fn a_good_token_passes_and_stops_at_the_gate() {
    let response =
        send(request("GET", "/notes/7").header("authorization", bearer(&json!({})))).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(text(response).await, "/notes/7 by alice, token none");
}

#[tokio::test]
async fn an_expired_token_is_401() {
    let expired = bearer(&json!({"exp": 1_000_000_000}));
    let response = send(request("GET", "/notes").header("authorization", expired)).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_forged_token_is_401() {
    let genuine = token(&json!({}));
    let (input, _) = genuine.rsplit_once('.').unwrap();
    let signature = Base64UrlUnpadded::encode_string(&[1; 64]);
    let forged = format!("Bearer {input}.{signature}");
    let response = send(request("GET", "/notes").header("authorization", forged)).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_token_for_somebody_else_is_403() {
    let other = bearer(&json!({"aud": "calendar"}));
    let response = send(request("GET", "/notes").header("authorization", other)).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_missing_scope_is_403_and_named() {
    let reader = bearer(&json!({}));
    let response = send(request("POST", "/notes").header("authorization", reader)).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    let challenge = response.headers()["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains("scope=\"notes:write\""), "{challenge}");
    let writer = bearer(&json!({"scope": "notes:read notes:write"}));
    let response = send(request("POST", "/notes").header("authorization", writer)).await;
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_header_that_claims_an_identity_does_not_reach_the_service() {
    let forged = request("GET", "/notes")
        .header("x-lychgate-subject", "root")
        .header("x-lychgate-subject", "admin")
        .header("authorization", bearer(&json!({})));
    assert_eq!(text(send(forged).await).await, "/notes by alice, token none");
}

#[tokio::test]
async fn a_token_in_the_query_is_taken_out_of_it() {
    let path = format!("/notes?page=2&access_token={}&size=3", token(&json!({})));
    let response = send(request("GET", &path)).await;
    assert_eq!(text(response).await, "/notes?page=2&size=3 by alice, token none");
}

#[tokio::test]
async fn two_readings_of_a_path_are_400() {
    for path in ["/notes/../healthz", "//healthz", "/notes%2f7", "/healthz/%2e%2e/notes"] {
        let response = send(request("GET", path)).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{path}");
    }
}

#[tokio::test]
async fn a_second_host_is_400() {
    let response = send(request("GET", "/healthz").header("host", "other.example")).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn every_request_leaves_one_record_without_its_token() {
    let (router, log) = service();
    let traced = request("GET", "/notes")
        .header("authorization", bearer(&json!({})))
        .header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    let response = router.oneshot(traced.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let records = log.lock().unwrap();
    let [record] = records.as_slice() else { panic!("{records:?}") };
    let record: Value = serde_json::from_str(record).unwrap();
    assert_eq!(record["verdict"], "allow");
    assert_eq!(record["subject"], "alice");
    assert_eq!(record["correlation_id"], "0af7651916cd43dd8448eb211c80319c");
    assert!(!record.to_string().contains("eyJ"), "{record}");
}

#[test]
fn a_bundle_that_is_none_says_where() {
    for text in ["", "{}", "{\"kind\": 1}"] {
        assert!(Gate::load(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn keys_that_must_be_fetched_are_refused_at_load() {
    let bundle = include_str!("../bundle.json");
    let mut bundle: Value = serde_json::from_str(bundle).unwrap();
    for resource in bundle["resources"].as_array_mut().unwrap() {
        if resource["kind"] == "RequestAuthentication" {
            let rule = &mut resource["spec"]["jwtRules"][0];
            rule.as_object_mut().unwrap().remove("jwks");
            rule["jwksUri"] = json!("https://issuer.example/keys");
        }
    }
    let error = Gate::load(bundle.to_string().as_bytes()).unwrap_err();
    assert!(error.to_string().contains("https://issuer.example/keys"), "{error}");
}

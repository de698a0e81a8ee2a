//! The order in which a request is looked at, and decisions that wait.

use alloc::string::String;

use super::support::{Call, GET, ISSUER, NOW, bearer, bundle, jwt, load, policy, resource};
use crate::authn::{FetchCause, Keys, UnixMillis};
use crate::engine::{Cache, Engine, Step};
use crate::jwt::key::Outcome;
use crate::jwt::testing::{AnyKey, jwk, jwks};

const PRINCIPAL: &str = r#"{"rules":[{"from":[{"source":{"requestPrincipals":["*"]}}]}]}"#;

fn strict() -> Engine {
    let strict = resource("PeerAuthentication", "strict", r#"{"mtls":{"mode":"STRICT"}}"#);
    load(&bundle("{}", &[&jwt(""), &policy(PRINCIPAL), &strict]))
}

#[test]
fn the_first_mistake_in_the_pipeline_is_the_reason() {
    let engine = strict();
    let token = bearer("");
    let peer = Some("spiffe://td/ns/a/sa/b");
    let wrong = [("connection", "Authorization"), ("authorization", "Bearer")];
    let call = Call { target: "/a//b", headers: &wrong, peer: Some(""), ..GET };
    let hosts = [("host", "a"), ("host", "b"), ("connection", "authorization")];
    assert_eq!(Call { headers: &hosts, ..call }.reason(&engine), "host_ambiguous");
    assert_eq!(call.reason(&engine), "connection_header");
    let call = Call { headers: &[("authorization", "Bearer")], ..call };
    assert_eq!(call.reason(&engine), "path_ambiguous");
    let call = Call { target: "/a", ..call };
    assert_eq!(call.reason(&engine), "peer_malformed");
    assert_eq!(Call { peer: None, ..call }.reason(&engine), "peer_required");
    let call = Call { peer, ..call };
    assert_eq!(call.reason(&engine), "credential_malformed");
    assert_eq!(Call { headers: &[], ..call }.reason(&engine), "credential_missing");
    let good = [("authorization", &*token)];
    assert_eq!(Call { headers: &good, ..call }.reason(&engine), "allowed_by_rule");
}

#[test]
fn connection_may_name_nothing_that_a_verdict_relies_on() {
    let output = r#","fromCookies":["t"],"outputClaimToHeaders":[{"header":"x-c","claim":"c"}]"#;
    let reads = r#"{"rules":[{"when":[{"key":"request.headers[X-Read]","notValues":["a"]}]}]}"#;
    let engine = load(&bundle("{}", &[&jwt(output), &policy(reads)]));
    for name in ["x-c", "COOKIE", "x-read", "x-lychgate-peer", "Client-Cert", "authorization"] {
        let value = alloc::format!("close, {name}");
        let headers = [("Connection", &*value)];
        assert_eq!(
            Call { headers: &headers, ..GET }.reason(&engine),
            "connection_header",
            "{name}"
        );
    }
    let headers = [("connection", "close,,x-other")];
    assert_eq!(Call { headers: &headers, ..GET }.reason(&engine), "allowed_by_rule");
}

#[test]
fn a_preflight_skips_authentication_and_never_policy() {
    let asks = [("origin", "https://a.example"), ("access-control-request-method", "POST")];
    let with_token = [asks[0], asks[1], ("authorization", "Bearer forged")];
    let call = Call { method: "OPTIONS", headers: &with_token, ..GET };
    let open = policy(r#"{"rules":[{}]}"#);
    let engine = load(&bundle("{}", &[&jwt(""), &open]));
    assert_eq!(call.reason(&engine), "allowed_by_rule");
    assert_eq!(Call { method: "GET", ..call }.reason(&engine), "token_malformed");
    let not_skipped = r#"{"corsPreflightSkipsAuthentication":false}"#;
    assert_eq!(call.reason(&load(&bundle(not_skipped, &[&jwt(""), &open]))), "token_malformed");
    let engine = load(&bundle("{}", &[&jwt(""), &policy(PRINCIPAL)]));
    assert_eq!(call.reason(&engine), "credential_missing");
}

#[test]
fn only_a_trusted_hop_reports_a_peer() {
    let hop =
        r#"{"trustedHops":[{"spiffeId":"spiffe://td/hop","header":"x-forwarded-client-cert"}]}"#;
    let one = r#"{"rules":[{"from":[{"source":{"principals":["td/ns/a/sa/b"]}}]}]}"#;
    let engine = load(&bundle(hop, &[&policy(one)]));
    let forwarded = [("x-forwarded-client-cert", "By=x;URI=spiffe://td/ns/a/sa/b")];
    let call = Call { headers: &forwarded, peer: Some("spiffe://td/hop"), ..GET };
    assert_eq!(call.reason(&engine), "allowed_by_rule");
    assert_eq!(Call { peer: None, ..call }.reason(&engine), "no_rule_matched");
    assert_eq!(Call { peer: Some("spiffe://td/other"), ..call }.reason(&engine), "no_rule_matched");
    assert_eq!(Call { headers: &[], ..call }.reason(&engine), "no_rule_matched");
    let broken = [("x-forwarded-client-cert", "URI=")];
    assert_eq!(Call { headers: &broken, ..call }.reason(&engine), "peer_malformed");
}

#[test]
fn limits_on_headers_and_target_hold_at_the_limit() {
    let settings = r#"{"limits":{"headerBytes":4,"targetBytes":4}}"#;
    let engine = load(&bundle(settings, &[&policy(r#"{"rules":[{}]}"#)]));
    assert_eq!(Call { headers: &[("a", "bcd")], ..GET }.reason(&engine), "allowed_by_rule");
    assert_eq!(Call { headers: &[("a", "bcde")], ..GET }.reason(&engine), "headers_too_large");
    assert_eq!(Call { target: "/abc", ..GET }.reason(&engine), "allowed_by_rule");
    assert_eq!(Call { target: "/abcd", ..GET }.reason(&engine), "path_malformed");
}

fn pending(step: Step) -> crate::engine::Pending {
    match step {
        Step::Verify(pending) => pending,
        other @ (Step::Done(_) | Step::NeedKeys(_)) => panic!("{other:?}"),
    }
}

fn code(step: Step) -> (&'static str, String) {
    match step {
        Step::Done(decision) => (decision.reason().code(), decision.revision().into()),
        other @ (Step::Verify(_) | Step::NeedKeys(_)) => panic!("{other:?}"),
    }
}

#[test]
fn a_decision_that_waits_for_a_signature_keeps_its_policy() {
    let engine = strict();
    let revision = String::from(engine.revision());
    let token = bearer("");
    let headers = [("authorization", &*token)];
    let call = Call { headers: &headers, peer: Some("spiffe://td/ns/a/sa/b"), ..GET };
    let keys = Keys::new(engine.key_sources(), 1);
    for (outcome, expected) in [
        (Outcome::Valid, "allowed_by_rule"),
        (Outcome::Invalid, "signature_invalid"),
        (Outcome::Unavailable, "verifier_unavailable"),
    ] {
        let pending = pending(call.begin(&engine.clone(), &keys));
        assert!(!alloc::format!("{pending:?}").contains(token.strip_prefix("Bearer ").unwrap()));
        let step = pending.finish(outcome, &mut Cache::default());
        assert_eq!(code(step), (expected, revision.clone()));
    }
    // The engine is gone; what began with it is not.
    let last = pending(call.begin(&engine, &keys));
    drop(engine);
    assert_eq!(code(last.finish(Outcome::Valid, &mut Cache::default())).1, revision);
}

#[test]
fn keys_are_waited_for_once() {
    let rule = alloc::format!(
        r#"{{"jwtRules":[{{"issuer":"{ISSUER}","jwksUri":"https://issuer.example/keys"}}]}}"#
    );
    let rule = resource("RequestAuthentication", "jwt", &rule);
    let engine = load(&bundle("{}", &[&rule, &policy(PRINCIPAL)]));
    let token = bearer("");
    let headers = [("authorization", &*token), ("x-request-id", "r-1")];
    let call = Call { headers: &headers, ..GET };
    let waiting = |keys: &Keys| match call.begin(&engine, keys) {
        Step::NeedKeys(waiting) => waiting,
        other @ (Step::Done(_) | Step::Verify(_)) => panic!("{other:?}"),
    };
    let mut keys = Keys::new(engine.key_sources(), 1);
    let (first, second) = (waiting(&keys), waiting(&keys));
    assert_eq!(code(first.resume(&keys)).0, "keys_unavailable");
    assert_eq!(call.reason(&engine), "keys_unavailable");

    let now = UnixMillis(NOW.seconds() * 1000);
    let fetched = |keys: &mut Keys, kid: &str| {
        let body = jwks(&[jwk(7, &alloc::format!(r#""kid":"{kid}""#))]);
        keys.begin_fetch(second.source(), now, FetchCause::Timer);
        let _ = keys.finish_fetch(second.source(), now, Ok(body.as_bytes()), None, &AnyKey);
    };
    fetched(&mut keys, "other");
    assert_eq!(code(waiting_or_done(&engine, call, &keys)).0, "key_unknown");
    fetched(&mut keys, "a");
    let pending = pending(second.resume(&keys));
    let step = pending.finish(Outcome::Valid, &mut Cache::default());
    match &step {
        Step::Done(decision) => assert_eq!(decision.correlation_id(), Some("r-1")),
        Step::Verify(_) | Step::NeedKeys(_) => panic!("{step:?}"),
    }
    assert_eq!(code(step).0, "allowed_by_rule");
}

/// The step after at most one wait, with the same keys.
fn waiting_or_done(engine: &Engine, call: Call<'_>, keys: &Keys) -> Step {
    match call.begin(engine, keys) {
        Step::NeedKeys(waiting) => waiting.resume(keys),
        step @ (Step::Done(_) | Step::Verify(_)) => step,
    }
}

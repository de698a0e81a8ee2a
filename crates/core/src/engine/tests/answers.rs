//! What callers are told and what is recorded, letter by letter.

use alloc::format;
use alloc::string::String;

use super::support::{Call, GET, NOW, bearer, bundle, jwt, load, policy};
use crate::decision::Reason;

/// For each reason: its status, the public code, the challenge and the gRPC status.
const ANSWERS: &str = "\
allowed_by_rule 403 access_denied 7 -
no_allow_policy 403 access_denied 7 -
path_ambiguous 400 request_refused 13 -
path_malformed 400 request_refused 13 -
host_ambiguous 400 request_refused 13 -
connection_header 400 request_refused 13 -
headers_too_large 431 request_refused 2 -
peer_malformed 403 access_denied 7 -
peer_required 403 access_denied 7 -
credential_missing 401 credential_required 16 Bearer realm=\"lychgate\"
credential_malformed 401 credential_invalid 16 Bearer realm=\"lychgate\", error=\"invalid_token\"
credential_multiple 401 credential_invalid 16 Bearer realm=\"lychgate\", error=\"invalid_token\"
token_too_large 401 credential_invalid 16 Bearer realm=\"lychgate\", error=\"invalid_token\"
token_malformed 401 credential_invalid 16 Bearer realm=\"lychgate\", error=\"invalid_token\"
token_header_refused 401 credential_invalid 16 Bearer realm=\"lychgate\", error=\"invalid_token\"
algorithm_refused 401 credential_invalid 16 Bearer realm=\"lychgate\", error=\"invalid_token\"
issuer_unknown 401 credential_invalid 16 Bearer realm=\"lychgate\", error=\"invalid_token\"
key_unknown 401 credential_invalid 16 Bearer realm=\"lychgate\", error=\"invalid_token\"
signature_invalid 401 credential_invalid 16 Bearer realm=\"lychgate\", error=\"invalid_token\"
claim_missing 401 credential_invalid 16 Bearer realm=\"lychgate\", error=\"invalid_token\"
claim_malformed 401 credential_invalid 16 Bearer realm=\"lychgate\", error=\"invalid_token\"
token_expired 401 credential_invalid 16 Bearer realm=\"lychgate\", error=\"invalid_token\"
token_not_yet_valid 401 credential_invalid 16 Bearer realm=\"lychgate\", error=\"invalid_token\"
token_issued_in_future 401 credential_invalid 16 Bearer realm=\"lychgate\", error=\"invalid_token\"
lifetime_exceeded 401 credential_invalid 16 Bearer realm=\"lychgate\", error=\"invalid_token\"
svid_refused 401 credential_invalid 16 Bearer realm=\"lychgate\", error=\"invalid_token\"
audience_mismatch 403 audience_refused 7 Bearer realm=\"lychgate\", error=\"invalid_token\"
scope_missing 403 scope_required 7 Bearer realm=\"lychgate\", error=\"insufficient_scope\"
denied_by_rule 403 access_denied 7 -
no_rule_matched 403 access_denied 7 -
keys_unavailable 503 unavailable 14 -
verifier_unavailable 503 unavailable 14 -
not_configured 503 unavailable 14 -
";

fn header<'a>(headers: &'a [(&'static str, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(own, _)| *own == name).map(|(_, value)| value.as_str())
}

#[test]
fn every_reason_has_its_answer() {
    let engine = load(&bundle("{}", &[&policy(r#"{"rules":[{}]}"#)]));
    let decision = GET.decide(&engine);
    let mut answers = String::new();
    for reason in Reason::ALL {
        let reply = decision.because(reason).reply("id-1");
        let code = reply.body.split("\"code\":\"").nth(1).unwrap().split('"').next().unwrap();
        let challenge = header(&reply.headers, "www-authenticate").unwrap_or("-");
        let (status, grpc) = (reply.status, reply.grpc_status);
        answers.push_str(&format!("{} {status} {code} {grpc} {challenge}\n", reason.code()));
        let retries = header(&reply.headers, "retry-after").is_some();
        assert_eq!(retries, status == 503, "{}", reason.code());
        assert!(!reply.body.contains(reason.code()) || code == reason.code());
    }
    assert_eq!(answers, ANSWERS);
}

#[test]
fn the_reason_is_public_only_where_settings_say_so() {
    let bundle = |settings: &str| bundle(settings, &[&policy("{}")]);
    let body = |settings: &str| GET.decide(&load(&bundle(settings))).reply("id-1").body;
    assert_eq!(
        body("{}"),
        r#"{"type":"about:blank","title":"Access is denied","status":403,"code":"access_denied","correlation_id":"id-1"}"#
    );
    assert!(body(r#"{"publicReasons":true}"#).ends_with(r#","reason":"no_rule_matched"}"#));
}

#[test]
fn a_missing_scope_is_named_and_a_pattern_is_not() {
    let challenge = |value: &str| {
        let rule = format!(
            r#"{{"rules":[{{"when":[{{"key":"request.auth.claims[scope]","values":["{value}"]}}]}}]}}"#
        );
        let token = bearer("");
        let headers = [("authorization", &*token)];
        let engine = load(&bundle("{}", &[&jwt(""), &policy(&rule)]));
        let decision = Call { headers: &headers, ..GET }.decide(&engine);
        assert_eq!(decision.reason(), Reason::ScopeMissing);
        header(&decision.reply("x").headers, "www-authenticate").unwrap().replace('"', "'")
    };
    let insufficient = "Bearer realm='lychgate', error='insufficient_scope'";
    assert_eq!(challenge("orders.read"), format!("{insufficient}, scope='orders.read'"));
    assert_eq!(challenge("orders.*"), insufficient);
}

#[test]
fn a_record_has_its_members_in_order_and_no_secret() {
    let rules = r#"{"rules":[{"from":[{"source":{"requestPrincipals":["*"]}}],
        "to":[{"operation":{"paths":["/b"]}}]}]}"#;
    let engine = load(&bundle("{}", &[&jwt(""), &policy(rules)]));
    let token = bearer("");
    let headers = [("authorization", &*token)];
    let call = Call {
        target: "/a?access=secret",
        headers: &headers,
        peer: Some("spiffe://td/ns/a/sa/b"),
        ..GET
    };
    let record = call.decide(&engine).audit(NOW, "id-1");
    let revision = engine.revision();
    let expected = format!(
        r#"{{"time":1000,"revision":"{revision}","verdict":"deny","reason":"no_rule_matched","status":403,"missing":{{"policy":"production/policy","rule":0,"conditions":["to.operation.paths"]}},"subject":"alice","issuer":"https://issuer.example","peer":"spiffe://td/ns/a/sa/b","method":"GET","host":"api.example","path":"/a","correlation_id":"id-1","shadow":false}}"#
    );
    assert_eq!(record, expected);
    let allowed = Call { target: "/b", ..call }.decide(&engine).audit(NOW, "id-1");
    assert!(allowed.contains(r#""status":200,"policy":"production/policy","rule":0,"subject""#));
}

#[test]
fn a_shadow_refuses_nothing_and_says_so() {
    let engine = load(&bundle(r#"{"shadow":true}"#, &[&policy("{}")]));
    let decision = GET.decide(&engine);
    assert!(!decision.refuses() && decision.status() == 403);
    assert!(decision.audit(NOW, "x").ends_with(r#""shadow":true}"#));
    assert_eq!(
        engine.warnings().iter().map(|finding| finding.code.name()).collect::<String>(),
        "shadow"
    );
}

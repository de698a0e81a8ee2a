//! `lychgate explain`.

use serde_json::{Value, json};

use super::harness::{Folder, Ran};

const POLICY: &str = "\
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: pay, namespace: shop}
spec:
  jwtRules:
  - {issuer: 'https://i', jwksUri: 'https://i/keys'}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: pay, namespace: shop}
spec:
  rules:
  - from:
    - source: {principals: [cluster.local/ns/shop/sa/cart]}
    - source: {namespaces: [ops], notServiceAccounts: []}
    to:
    - operation: {methods: [POST], paths: [/charge]}
    when:
    - {key: 'request.auth.claims[scope]', values: [pay, admin]}
    - {key: 'request.headers[x-env]', notValues: [test]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: ban, namespace: shop}
spec:
  action: DENY
  rules:
  - from:
    - source: {principals: [cluster.local/ns/shop/sa/old]}
";

const CART: &str = "--peer cluster.local/ns/shop/sa/cart";

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("pay.yaml", POLICY);
    folder
}

fn run(rest: &str) -> Ran {
    folder().run(&format!("explain pay.yaml --namespace shop {rest}"))
}

fn json_of(rest: &str) -> Value {
    serde_json::from_str(&run(&format!("{rest} --format json")).ok()).unwrap()
}

#[test]
fn a_refusal_shows_each_step_and_each_condition_and_what_would_turn_it() {
    let out =
        run(&format!("--method GET --path /charge {CART} --claim scope=pay --claim sub=a")).ok();
    for part in [
        "deny 403 no_rule_matched",
        "+ request     GET /charge on localhost",
        "+ peer        spiffe://cluster.local/ns/shop/sa/cart",
        "+ token       verified: a of https://i",
        "x policy      no_rule_matched: ALLOW policies apply and none of their rules matched",
        "ALLOW shop/pay#0 does not match  (pay.yaml:13:5)",
        "|- + from[0].source.principals [cluster.local/ns/shop/sa/cart]",
        "|- x from[1].source.namespaces [ops]",
        "|- x to[0].operation.methods [POST]",
        "|- + when[request.auth.claims[scope]] [pay, admin]",
        "`- + when[request.headers[x-env]].notValues [test]",
        "it would be allowed if\n  - shop/pay#0 matched: to[0].operation.methods one of [POST]",
    ] {
        assert!(out.contains(part), "{part:?} is not in\n{out}");
    }
}

#[test]
fn an_allowed_request_says_what_allows_it() {
    let found = json_of(&format!("--method POST --path /charge {CART} --claim scope=pay"));
    assert_eq!((&found["verdict"], &found["reason"]), (&json!("allow"), &json!("allowed_by_rule")));
    let allowing = &found["rules"][1];
    assert_eq!((&allowing["rule"], &allowing["matched"]), (&json!("shop/pay#0"), &json!(true)));
    assert_eq!(found["flip"]["summary"], "it would be refused if");
    assert!(
        found["flip"]["changes"][0].as_str().unwrap().contains("one of from[0].source.principals")
    );
    assert_eq!(found["audit"]["policy"], "shop/pay");
}

#[test]
fn a_ban_needs_two_changes_where_nothing_else_allows() {
    let found = json_of("--peer cluster.local/ns/shop/sa/old");
    assert_eq!(found["reason"], "denied_by_rule");
    let changes = found["flip"]["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 2, "{changes:?}");
    assert!(changes[0].as_str().unwrap().starts_with("shop/ban#0 no longer matched"));
    assert!(changes[1].as_str().unwrap().starts_with("shop/pay#0 matched"));
}

#[test]
fn what_no_policy_decides_ends_at_its_step() {
    for (rest, reason, step) in [
        ("--path /a//b", "path_ambiguous", "request"),
        ("--peer unverified", "peer_malformed", "peer"),
        ("--token x.y.z", "token_malformed", "token"),
        ("--claim scope=pay --time 2020-01-01T00:00:00Z --claim exp=1", "token_expired", "token"),
        ("--header Authorization:Bearer", "credential_malformed", "credential"),
    ] {
        let found = json_of(rest);
        assert_eq!(found["reason"], reason, "{rest}");
        let steps = found["steps"].as_array().unwrap();
        let refusing = steps.iter().find(|step| step["outcome"] == "refused").unwrap();
        assert_eq!(refusing["step"], step, "{rest}");
        assert_eq!(found["rules"], json!([]), "{rest}");
        assert!(found["flip"]["summary"].as_str().unwrap().contains("would"), "{rest}");
    }
}

#[test]
fn a_pasted_curl_line_is_the_request() {
    let line = "curl -sS -X POST https://pay.example:8443/charge?x=1 -H 'X-Env: test'";
    let folder = folder();
    let mut arguments = vec!["explain", "pay.yaml", "--namespace", "shop", "--curl", line];
    arguments.extend(CART.split(' '));
    let out = folder.run_with(&arguments, "").ok();
    assert!(out.contains("POST /charge on pay.example:8443"), "{out}");
    assert!(out.contains("x when[request.headers[x-env]].notValues [test]"), "{out}");
    let bad = ["explain", "pay.yaml", "--namespace", "shop", "--curl", "curl --magic h"];
    let ran = folder.run_with(&bad, "");
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("--magic"), "{}", ran.err);
}

#[test]
fn a_request_file_is_written_as_in_tests() {
    let folder = folder();
    folder.write(
        "request.yaml",
        "\
request: {method: POST, path: /charge}
peer: cluster.local/ns/shop/sa/cart
token: {claims: {scope: admin}}
time: 2026-01-01T00:00:00Z
",
    );
    let out = folder.run("explain pay.yaml --namespace shop --request request.yaml").ok();
    assert!(out.starts_with("allow 200 allowed_by_rule"), "{out}");
    folder.write("request.yaml", "reqest: {}\n");
    folder
        .run("explain pay.yaml --namespace shop --request request.yaml")
        .refused(&["request.yaml:1:1: unknown field `reqest`; did you mean `request`?"]);
}

#[test]
fn a_record_is_explained_as_far_as_it_goes_and_nothing_is_guessed() {
    let folder = folder();
    let found = json_of(&format!("--method POST --path /charge {CART} --claim scope=read"));
    folder.write("record.json", found["audit"].to_string());
    let out = folder.run("explain pay.yaml --namespace shop --record record.json").ok();
    for part in [
        "recorded: deny scope_missing",
        "the record does not have: request.auth.claims[scope], request.headers[x-env]",
        "ALLOW shop/pay#0 may match",
        "|- + to[0].operation.paths [/charge]",
        "|- ? when[request.auth.claims[scope]] [pay, admin]",
        "`- ? when[request.headers[x-env]].notValues [test]",
    ] {
        assert!(out.contains(part), "{part:?} is not in\n{out}");
    }
    let early = "{\"reason\":\"token_expired\",\"verdict\":\"deny\",\"method\":\"GET\"}";
    let ran =
        folder.run_with(&["explain", "pay.yaml", "--namespace", "shop", "--record", "-"], early);
    assert!(ran.out.contains("it was decided before any rule was asked"), "{}", ran.out);
    let ran =
        folder.run_with(&["explain", "pay.yaml", "--namespace", "shop", "--record", "-"], "{}");
    ran.refused(&["not an audit record"]);
}

#[test]
fn keys_of_remote_issuers_come_from_files() {
    let folder = folder();
    folder.run("token keygen --kid k -o key.json").ok();
    folder.run("token jwks key.json -o set.json").ok();
    let token = folder.run("token mint --key key.json --issuer https://i --claim scope=pay").ok();
    let line = format!(
        "explain pay.yaml --namespace shop --method POST --path /charge {CART} --token {}",
        token.trim()
    );
    assert!(folder.run(&line).ok().contains("deny 503 keys_unavailable"));
    let line = format!("{line} --jwks https://i/keys=set.json");
    assert!(folder.run(&line).ok().starts_with("allow 200 allowed_by_rule"));
}

/// Of each step up to the refusal: what came, though it was refused.
#[test]
fn what_is_malformed_is_never_shown_as_absent() {
    let steps = |rest: &str| -> Vec<(String, String)> {
        let answer = json_of(&format!("--path /charge {rest}"));
        let text = |step: &Value, name: &str| step[name].as_str().unwrap().to_owned();
        let steps = answer["steps"].as_array().unwrap().iter();
        steps.map(|step| (text(step, "outcome"), text(step, "text"))).collect()
    };
    let of = |outcome: &str, text: &str| (outcome.to_owned(), text.to_owned());
    let peer = of("passed", "spiffe://cluster.local/ns/shop/sa/cart");
    let one = of("passed", "one token");
    for token in ["abc", "a.b.c", "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL3gifQ.AAAA"] {
        let found = steps(&format!("{CART} --token {token}"));
        assert_eq!((&found[1], &found[2]), (&peer, &one), "{token}");
        assert_eq!(found[3].0, "refused", "{token}");
    }
    assert_eq!(steps(CART)[2], of("passed", "no token was read"));
    let found = steps("--peer unverified --token abc");
    assert_eq!((found[1].0.as_str(), found[2].0.as_str()), ("refused", "not reached"));
}

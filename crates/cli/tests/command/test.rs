//! `lychgate test`.

use serde_json::Value;

use super::harness::{Folder, Ran};

const POLICY: &str = "\
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: charge, namespace: shop}
spec:
  selector: {matchLabels: {app: pay}}
  jwtRules:
  - issuer: https://issuer.example
    audiences: [pay]
    jwksUri: https://issuer.example/keys
    outputClaimToHeaders:
    - {header: x-user, claim: sub}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: charge, namespace: shop}
spec:
  selector: {matchLabels: {app: pay}}
  rules:
  - from:
    - source: {principals: [cluster.local/ns/shop/sa/cart]}
    to:
    - operation: {methods: [POST], paths: [/charge]}
    when:
    - {key: 'request.auth.claims[scope]', values: [pay]}
  - to:
    - operation: {paths: [/health]}
";

const HEAD: &str = "\
apiVersion: lychgate.dev/v1alpha1
kind: PolicyTest
policies: [pay.yaml]
workload: {namespace: shop, labels: {app: pay}}
defaults:
  request: {method: POST, path: /charge}
  peer: cluster.local/ns/shop/sa/cart
tokens:
  alice: {claims: {sub: alice, aud: pay, scope: 'read pay'}}
tests:
";

fn folder(tests: &str) -> Folder {
    let folder = Folder::new();
    folder.write("pay.yaml", POLICY);
    folder.write("pay.test.yaml", format!("{HEAD}{tests}"));
    folder
}

fn run(tests: &str) -> Ran {
    folder(tests).run("test pay.test.yaml")
}

const PASSING: &str = "\
- name: the cart may charge with the scope
  token: alice
  expect:
    verdict: allow
    status: 200
    reason: allowed_by_rule
    rule: shop/charge#0
    upstream: {x-user: alice, x-lychgate-peer: 'spiffe://cluster.local/ns/shop/sa/cart'}
- name: without a token the answer says what is needed
  expect:
    verdict: deny
    status: 401
    reason: credential_missing
    missing: ['when[request.auth.claims[scope]]']
    headers: {www-authenticate: 'Bearer realm=\"lychgate\"', retry-after: null}
- name: another scope is not enough
  token: {claims: {sub: alice, aud: pay, scope: read}}
  expect: {status: 403, reason: scope_missing}
- name: an expired token is refused
  token: {claims: {sub: alice, aud: pay}, expiresIn: -2m}
  expect: {reason: token_expired}
- name: a stranger's signature is refused
  token: {claims: {aud: pay}, signedBy: stranger}
  expect: {reason: signature_invalid}
- name: an unknown key is refused
  token: {claims: {aud: pay}, kid: other}
  expect: {reason: key_unknown}
- name: an unsigned token is refused
  token: {claims: {aud: pay}, alg: none}
  expect: {reason: token_malformed}
- name: another issuer's token is refused
  token: {claims: {iss: 'https://other.example', aud: pay}}
  expect: {reason: issuer_unknown}
- name: another audience is refused
  token: {claims: {aud: other}, alg: ES256}
  expect: {status: 403, reason: audience_mismatch}
- name: what is no token is refused
  token: a.b.c
  expect: {reason: token_malformed}
- name: a token in the query counts too
  token: {claims: {sub: alice, aud: pay, scope: pay}, in: {parameter: access_token}}
  expect: {verdict: allow}
- name: later the token has expired
  token: {claims: {aud: pay, exp: 1767225600}}
  time: 2026-01-01T00:02:00Z
  expect: {reason: token_expired}
- name: another workload may not charge
  peer: cluster.local/ns/shop/sa/web
  token: alice
  expect: {reason: no_rule_matched, missing: [from.source.principals]}
- name: a peer whose certificate was not verified is refused
  peer: unverified
  expect: {reason: peer_malformed, detail: unverified}
- name: anybody may ask for health
  request: {method: GET, path: /health}
  peer: none
  token: none
  expect: {verdict: allow, rule: 'shop/charge#1', upstream: {x-lychgate-peer: null}}
";

#[test]
fn table_tests_pass_where_the_policy_does_what_they_say() {
    let out = run(PASSING).ok();
    assert!(out.contains("ok: 15 passed, 0 failed"), "{out}");
}

#[test]
fn a_failure_shows_what_was_expected_what_was_found_and_why() {
    let ran = run("\
- name: the cart may charge
  expect: {verdict: allow, status: 200}
- name: this one passes
  request: {path: /health}
  expect: {verdict: allow}
- name: this one expects nothing
- name: this one names a token that is not there
  token: bob
  expect: {verdict: deny}
");
    assert_eq!(ran.code, 1);
    for part in [
        "FAIL the cart may charge  (pay.test.yaml:11:9)",
        "verdict\n           expected allow\n           found    deny",
        "status\n           expected 200\n           found    401",
        "the nearest rule, shop/charge#0, lacks when[request.auth.claims[scope]]",
        "nothing is expected; --update writes down what was found: deny 401 credential_missing",
        "there is no token `bob`",
        "FAILED: 1 passed, 3 failed",
    ] {
        assert!(ran.out.contains(part), "{part:?} is not in {}", ran.out);
    }
    assert!(ran.err.contains("3 of 4 tests failed"), "{}", ran.err);
}

#[test]
fn update_writes_what_was_found_and_leaves_the_rest_alone() {
    let folder = folder(
        "\
# a comment
- name: the cart may charge   # here too
  token: alice
- {name: nobody else, peer: none, token: alice}
- name: health
  request: {path: /health}
  expect: {}
- name: open
  expect:
- name: wrong
  expect:
    verdict: allow # not true
    status: 200
    reason: \"allowed_by_rule\"
",
    );
    folder.run("test pay.test.yaml --update").ok();
    let text = folder.read("pay.test.yaml");
    let tests = text.strip_prefix(HEAD).unwrap();
    assert_eq!(tests, "\
# a comment
- name: the cart may charge
  expect: {verdict: allow, status: 200, reason: allowed_by_rule, rule: 'shop/charge#0'}   # here too
  token: alice
- {name: nobody else, expect: {verdict: deny, status: 403, reason: no_rule_matched}, peer: none, token: alice}
- name: health
  request: {path: /health}
  expect: {verdict: allow, status: 200, reason: allowed_by_rule, rule: 'shop/charge#1'}
- name: open
  expect: {verdict: deny, status: 401, reason: credential_missing}
- name: wrong
  expect:
    verdict: deny # not true
    status: 401
    reason: credential_missing
");
    assert!(folder.run("test pay.test.yaml").ok().contains("ok: 5 passed"));
    folder.run("test pay.test.yaml --update").ok();
    assert_eq!(folder.read("pay.test.yaml"), text);
}

#[test]
fn coverage_names_what_no_test_reaches() {
    let folder = folder(
        "\
- name: the cart may charge with the scope
  token: alice
  expect: {verdict: allow}
",
    );
    let out = folder.run("test pay.test.yaml --coverage").ok();
    for part in [
        "coverage: 1 of 1 policies, 1 of 2 rules, 0 of 5 conditions both true and false",
        "pay.yaml:25:5: shop/charge#1 never matched",
        "pay.yaml:24:43: when[request.auth.claims[scope]] of shop/charge#0 never false",
        "pay.yaml:26:19: to.operation.paths of shop/charge#1 never true",
    ] {
        assert!(out.contains(part), "{part:?} is not in {out}");
    }
    folder.write("all.test.yaml", format!("{HEAD}{PASSING}"));
    let out = folder.run("test all.test.yaml --coverage").ok();
    assert!(out.contains("2 of 2 rules, 5 of 5 conditions"), "{out}");
    let json: Value =
        serde_json::from_str(&folder.run("test pay.test.yaml --coverage --format json").ok())
            .unwrap();
    assert_eq!(json["coverage"][0]["rules"], serde_json::json!({ "reached": 1, "all": 2 }));
}

#[test]
fn reports_for_programs_hold_every_test() {
    let folder = folder(
        "\
- name: passes
  request: {path: /health}
  expect: {verdict: allow}
- name: fails & <burns>
  expect: {verdict: allow}
",
    );
    let ran = folder.run("test pay.test.yaml --format json");
    let json: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&json["passed"], &json["failed"]), (&Value::from(1), &Value::from(1)));
    let test = &json["files"][0]["tests"][1];
    assert_eq!(test["mismatches"][0]["found"], "deny");
    assert_eq!(test["found"]["nearest"]["rule"], "shop/charge#0");
    let ran = folder.run("test pay.test.yaml --format junit -o report.xml");
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    let xml = folder.read("report.xml");
    for part in [
        "<testsuites name=\"lychgate\" tests=\"2\" failures=\"1\" errors=\"0\"",
        "<testsuite name=\"pay.test.yaml\" tests=\"2\" failures=\"1\"",
        "<testcase name=\"passes\" classname=\"pay.test.yaml\" time=",
        "name=\"fails &amp; &lt;burns&gt;\"",
        "<failure message=\"verdict: expected allow, found deny\" type=\"policy\">",
    ] {
        assert!(xml.contains(part), "{part:?} is not in {xml}");
    }
}

#[test]
fn folders_are_searched_for_tests_and_policies_ignore_them() {
    let folder = Folder::new();
    folder.write("a/pay.yaml", POLICY);
    folder
        .write("a/b/pay.test.yaml", format!("{HEAD}{PASSING}").replace("pay.yaml", "../pay.yaml"));
    assert!(folder.run("test a").ok().contains("ok: 15 passed"));
    folder.run("compile a --namespace shop --label app=pay").ok();
    folder.write("empty/x.yaml", "a: b\n");
    folder.run("test empty").refused(&["empty: no file that ends with .test.yaml"]);
}

#[test]
fn a_compiled_bundle_is_tested_like_its_sources() {
    let folder = folder(PASSING);
    folder.run("compile pay.yaml --namespace shop --label app=pay -o bundle.json").ok();
    let tests = format!("{HEAD}{PASSING}")
        .replace("pay.yaml", "bundle.json")
        .replace("workload: {namespace: shop, labels: {app: pay}}\n", "");
    folder.write("bundle.test.yaml", tests);
    assert!(folder.run("test bundle.test.yaml").ok().contains("ok: 15 passed"));
}

#[test]
fn remote_inline_and_secret_issuers_all_accept_throw_away_keys() {
    let folder = folder(
        "\
- name: charge
  token: {claims: {aud: pay, sub: a, scope: pay}}
  expect: {verdict: allow}
",
    );
    for (source, settings) in [
        ("jwks: '{\"keys\":[]}'", ""),
        ("jwksUri: https://issuer.example/keys", ""),
        ("issuer: https://issuer.example", "settings: {requireExp: true}\n"),
        (
            "jwksUri: https://issuer.example/keys",
            "settings: {jwtSvid: [{issuer: 'https://issuer.example', trustDomain: cluster.local}]}\n",
        ),
    ] {
        let policy = if source.starts_with("issuer") {
            POLICY.replace("    jwksUri: https://issuer.example/keys\n", "")
        } else {
            POLICY.replace("jwksUri: https://issuer.example/keys", source)
        };
        folder.write("pay.yaml", policy);
        let svid = settings.contains("jwtSvid");
        let subject = if svid { "sub: 'spiffe://cluster.local/ns/a/sa/b'" } else { "sub: a" };
        let text = folder.read("pay.test.yaml").replace("sub: a,", &format!("{subject},"));
        let text = text.replace("defaults:", &format!("{settings}defaults:"));
        folder.write("this.test.yaml", text);
        assert!(folder.run("test this.test.yaml").ok().contains("ok: 1 passed"), "{source}");
    }
}

#[test]
fn a_file_that_is_no_test_file_is_refused_with_the_place() {
    for (tests, expected) in [
        (
            "- name: a\n  expct: {}\n",
            "pay.test.yaml:12:3: unknown field `expct`; did you mean `expect`?",
        ),
        ("- name: a\n  peer: nobody/\n", "pay.test.yaml:12:9: "),
        ("- name: a\n  time: yesterday\n", "a time as in 2026-11-22T12:00:00Z"),
        ("- name: a\n  token: {expiresIn: 5}\n", "a number and one of s, m, h, d"),
        ("- name: a\n  request: {port: 70000}\n", "65535"),
        ("- expect: {}\n", "the field `name` is missing"),
        ("- name: a\n  expect: {verdict: maybe}\n", "one of `allow` `deny` is needed here"),
    ] {
        run(tests).refused(&[expected]);
    }
    let folder = Folder::new();
    folder.write("a.test.yaml", "apiVersion: v1\nkind: Pod\n");
    folder.run("test a.test.yaml").refused(&["a.test.yaml:"]);
    folder.run("test none.test.yaml").refused(&["none.test.yaml: can't be read"]);
    assert_eq!(folder.run("test").code, 2);
}

//! What does not load, and where it says the mistake is.

use alloc::format;
use alloc::string::String;

use super::support::{GET, ISSUER, bundle, jwt, load, policy, refusal, resource};

const OPEN: &str = r#"{"rules":[{}]}"#;

fn refused(settings: &str, resources: &[&str]) -> (String, String) {
    refusal(&bundle(settings, resources))
}

/// Where a `spec` of a policy is wrong.
fn spec_pointer(spec: &str) -> String {
    refused("{}", &[&policy(spec)]).0
}

/// Where the settings are wrong.
fn setting_pointer(settings: &str) -> String {
    refused(settings, &[&policy(OPEN)]).0
}

#[test]
fn a_mistake_inside_a_spec_is_pointed_at() {
    for (spec, pointer) in [
        (r#"{"rules":[{},{"form":[]}]}"#, "/rules/1/form"),
        (
            r#"{"rules":[{"from":[{"source":{"principals":[1]}}]}]}"#,
            "/rules/0/from/0/source/principals/0",
        ),
        (r#"{"rules":[{"to":[{"operation":{"paths":"/a"}}]}]}"#, "/rules/0/to/0/operation/paths"),
        (r#"{"rules":{}}"#, "/rules"),
        (r#"{"rules":null}"#, "/rules"),
        (r#"{"action":"Allow"}"#, "/action"),
        (r#"{"a/b~c":1}"#, "/a~1b~0c"),
        (r#"{"selector":{"matchExpressions":[]}}"#, "/selector/matchExpressions"),
        (r#"{"selector":{"matchLabels":{"a":1}}}"#, "/selector/matchLabels/a"),
    ] {
        assert_eq!(spec_pointer(spec), format!("/resources/0/spec{pointer}"), "{spec}");
    }
}

#[test]
fn a_list_is_no_object_and_null_is_no_spec() {
    for (spec, pointer) in [
        ("null", ""),
        ("[]", ""),
        (r#"{"rules":[[]]}"#, "/rules/0"),
        (r#"{"rules":[[null,null,null]]}"#, "/rules/0"),
        (r#"{"rules":[null]}"#, "/rules/0"),
        (r#"{"rules":[{"from":[[]]}]}"#, "/rules/0/from/0"),
    ] {
        assert_eq!(spec_pointer(spec), format!("/resources/0/spec{pointer}"), "{spec}");
    }
    assert_eq!(setting_pointer("[]"), "/settings");
    assert_eq!(setting_pointer("null"), "/settings");
}

#[test]
fn a_bundle_and_a_resource_have_no_other_members() {
    let good = bundle("{}", &[&policy(OPEN)]);
    let bad = good.replacen("\"settings\"", "\"a/b\":1,\"settings\"", 1);
    assert_eq!(refusal(&bad).0, "/a~1b");
    let bad = good.replacen("\"spec\"", "\"a~b\":1,\"spec\"", 1);
    assert_eq!(refusal(&bad).0, "/resources/0/a~0b");
}

#[test]
fn an_error_is_short_however_long_the_mistake_is() {
    let long = "x".repeat(100_000);
    for (pointer, message) in [
        refused("{}", &[&policy(&format!(r#"{{"{long}":1}}"#))]),
        refused("{}", &[&policy(&format!(r#"{{"action":"{long}"}}"#))]),
        refused(&format!(r#"{{"acceptedPathForms":["{long}"]}}"#), &[&policy(OPEN)]),
        refused("{}", &[&resource(&long, "a", "{}")]),
    ] {
        assert!(pointer.len() <= 1024 && message.len() < 3000, "{}", message.len());
    }
}

#[test]
fn a_secret_in_the_wrong_place_is_not_repeated() {
    for settings in [
        r#"{"symmetricKeys":"c2VjcmV0"}"#,
        r#"{"symmetricKeys":["c2VjcmV0"]}"#,
        r#"{"symmetricKeys":{"k":"c2VjcmV0"}}"#,
        r#"{"symmetricKeys":[["i","k","HS256","c2VjcmV0"]]}"#,
    ] {
        let (pointer, message) = refused(settings, &[&policy(OPEN)]);
        assert!(pointer.starts_with("/settings/symmetricKeys"), "{pointer}");
        assert!(!message.contains("c2VjcmV0"), "{message}");
    }
}

#[test]
fn settings_have_ranges() {
    let open = policy(OPEN);
    for (good, bad, pointer) in [
        (r#"{"clockSkewSeconds":300}"#, r#"{"clockSkewSeconds":301}"#, "clockSkewSeconds"),
        (r#"{"clockSkewSeconds":0}"#, r#"{"clockSkewSeconds":-1}"#, "clockSkewSeconds"),
        (r#"{"maxLifetimeSeconds":1}"#, r#"{"maxLifetimeSeconds":0}"#, "maxLifetimeSeconds"),
        (
            r#"{"maxLifetimeSeconds":18446744073709551615}"#,
            r#"{"maxLifetimeSeconds":18446744073709551616}"#,
            "maxLifetimeSeconds",
        ),
        (
            r#"{"limits":{"tokenBytes":16384}}"#,
            r#"{"limits":{"tokenBytes":16385}}"#,
            "limits/tokenBytes",
        ),
        (r#"{"limits":{"tokenBytes":1}}"#, r#"{"limits":{"tokenBytes":0}}"#, "limits/tokenBytes"),
        (
            r#"{"limits":{"headerBytes":131072}}"#,
            r#"{"limits":{"headerBytes":131073}}"#,
            "limits/headerBytes",
        ),
        (
            r#"{"limits":{"targetBytes":16384}}"#,
            r#"{"limits":{"targetBytes":16385}}"#,
            "limits/targetBytes",
        ),
        (
            r#"{"keyRefresh":{"intervalSeconds":10}}"#,
            r#"{"keyRefresh":{"intervalSeconds":9}}"#,
            "keyRefresh/intervalSeconds",
        ),
        (
            r#"{"keyRefresh":{"waitMilliseconds":5000}}"#,
            r#"{"keyRefresh":{"waitMilliseconds":5001}}"#,
            "keyRefresh/waitMilliseconds",
        ),
        (r#"{"realm":"a b"}"#, r#"{"realm":"a\"b"}"#, "realm"),
        (r#"{"shadow":true}"#, r#"{"shadow":"true"}"#, "shadow"),
        (r#"{"shadow":false}"#, r#"{"Shadow":false}"#, "Shadow"),
        (
            r#"{"acceptedPathForms":["doubledSlashes"]}"#,
            r#"{"acceptedPathForms":["doubledslashes"]}"#,
            "acceptedPathForms/0",
        ),
    ] {
        load(&bundle(good, &[&open]));
        assert_eq!(setting_pointer(bad), format!("/settings/{pointer}"), "{bad}");
    }
}

#[test]
fn a_realm_may_have_256_characters() {
    let realm = |length| format!(r#"{{"realm":"{}"}}"#, "r".repeat(length));
    load(&bundle(&realm(256), &[&policy(OPEN)]));
    assert_eq!(setting_pointer(&realm(257)), "/settings/realm");
}

#[test]
fn a_setting_names_a_thing_once() {
    for (list, member, entry) in [
        ("trustedHops", "spiffeId", r#"{"spiffeId":"spiffe://td/a","header":"client-cert"}"#),
        ("jwks", "uri", r#"{"uri":"https://a.example","cluster":"a"}"#),
        ("jwtSvid", "issuer", r#"{"issuer":"a","trustDomain":"td"}"#),
    ] {
        let twice = format!(r#"{{"{list}":[{entry},{entry}]}}"#);
        assert_eq!(setting_pointer(&twice), format!("/settings/{list}/1/{member}"));
    }
}

#[test]
fn a_setting_for_an_issuer_needs_a_rule_of_that_issuer() {
    let key = r#"{"symmetricKeys":[{"issuer":"other","kid":"k","alg":"HS256","k":"AA"}]}"#;
    assert_eq!(setting_pointer(key), "/settings/symmetricKeys/0/issuer");
    let svid = r#"{"jwtSvid":[{"issuer":"other","trustDomain":"td"}]}"#;
    assert_eq!(setting_pointer(svid), "/settings/jwtSvid/0/issuer");
    let discovered = r#"{"discovery":["https://other.example"]}"#;
    assert_eq!(setting_pointer(discovered), "/settings/discovery/0");
    let twice = r#"{"discovery":["a","a"]}"#;
    assert_eq!(setting_pointer(twice), "/settings/discovery/1");
}

#[test]
fn an_issuer_is_discovered_where_settings_ask_for_it() {
    let rule = |issuer: &str, more: &str| {
        let spec = format!(r#"{{"jwtRules":[{{"issuer":"{issuer}","audiences":["a"]{more}}}]}}"#);
        resource("RequestAuthentication", "jwt", &spec)
    };
    let settings = |issuer: &str| format!(r#"{{"discovery":["{issuer}"]}}"#);
    let (issuer, open) = ("https://id.example/t/", policy(OPEN));
    let engine = load(&bundle(&settings(issuer), &[&rule(issuer, ""), &open]));
    let [source] = engine.key_sources() else { panic!("one source") };
    assert_eq!(&*source.uri, "https://id.example/t/.well-known/openid-configuration");
    assert_eq!(source.discovered_by.as_deref(), Some(issuer));

    assert_eq!(refused("{}", &[&rule(issuer, ""), &open]).0, "/resources/0/spec/jwtRules/0");
    let both = rule(issuer, r#","jwksUri":"https://id.example/keys""#);
    assert_eq!(refused(&settings(issuer), &[&both, &open]).0, "/resources/0/spec/jwtRules/0");
    let name = "http://id.example";
    let (pointer, _) = refused(&settings(name), &[&rule(name, ""), &open]);
    assert_eq!(pointer, "/resources/0/spec/jwtRules/0/issuer");
}

#[test]
fn a_jwt_svid_needs_an_audience() {
    let svid = format!(r#"{{"jwtSvid":[{{"issuer":"{ISSUER}","trustDomain":"td"}}]}}"#);
    let open = policy(OPEN);
    let (pointer, _) = refused(&svid, &[&jwt(""), &open]);
    assert_eq!(pointer, "/resources/0/spec/jwtRules/0");
    let named = jwt(r#","audiences":["api"]"#);
    let for_svids = named.replace(r#"\"kid\""#, r#"\"use\":\"jwt-svid\",\"kid\""#);
    load(&bundle(&svid, &[&for_svids, &open]));
    assert_eq!(refused(&svid, &[&named, &open]).0, "/resources/0/spec/jwtRules/0/jwks");
}

#[test]
fn a_secret_is_as_long_as_the_hash_of_its_algorithm() {
    let rule = resource(
        "RequestAuthentication",
        "jwt",
        &format!(r#"{{"jwtRules":[{{"issuer":"{ISSUER}","audiences":["a"]}}]}}"#),
    );
    let secret = |algorithm: &str, bytes: usize| {
        let secret = crate::jwt::testing::encode_url(&alloc::vec![1; bytes]);
        format!(
            r#"{{"symmetricKeys":[{{"issuer":"{ISSUER}","kid":"k","alg":"{algorithm}","k":"{secret}"}}]}}"#
        )
    };
    for (algorithm, bytes) in [("HS256", 32), ("HS384", 48), ("HS512", 64)] {
        load(&bundle(&secret(algorithm, bytes), &[&rule, &policy(OPEN)]));
        let (pointer, _) = refused(&secret(algorithm, bytes - 1), &[&rule, &policy(OPEN)]);
        assert_eq!(pointer, "/settings/symmetricKeys/0/k", "{algorithm}");
    }
    let (pointer, _) = refused(&secret("RS256", 64), &[&rule, &policy(OPEN)]);
    assert_eq!(pointer, "/settings/symmetricKeys/0/alg");
}

#[test]
fn two_resources_of_one_kind_and_name_are_refused() {
    let open = policy(OPEN);
    let (pointer, _) = refused("{}", &[&open, &policy(r#"{"action":"DENY","rules":[{}]}"#)]);
    assert_eq!(pointer, "/resources/1/metadata/name");
    let elsewhere = open.replace(r#""name":"policy""#, r#""name":"policy","namespace":"other""#);
    let engine =
        load(&bundle("{}", &[&open, &elsewhere, &jwt("").replace("\"jwt\"", "\"policy\"")]));
    assert_eq!(GET.reason(&engine), "allowed_by_rule");
}

#[test]
fn an_output_header_is_nobody_elses() {
    for header in [
        "x-lychgate-subject",
        "X_Lychgate_Other",
        "Authorization",
        "X-Forwarded-Client-Cert",
        "client-cert",
        "host",
        "a b",
        "",
    ] {
        let output = format!(r#","outputClaimToHeaders":[{{"header":"{header}","claim":"c"}}]"#);
        let (pointer, _) = refused("{}", &[&jwt(&output), &policy(OPEN)]);
        let place = "/resources/0/spec/jwtRules/0/outputClaimToHeaders/0/header";
        assert_eq!(pointer, place, "{header}");
    }
    let twice =
        r#","outputPayloadToHeader":"x-a","outputClaimToHeaders":[{"header":"X-A","claim":"c"}]"#;
    let (pointer, _) = refused("{}", &[&jwt(twice), &policy(OPEN)]);
    assert_eq!(pointer, "/resources/0/spec/jwtRules/0/outputClaimToHeaders/0/header");
    let own_token = r#","fromHeaders":[{"name":"x-t"}],"outputPayloadToHeader":"X-T""#;
    let (pointer, _) = refused("{}", &[&jwt(own_token), &policy(OPEN)]);
    assert_eq!(pointer, "/resources/0/spec/jwtRules/0/fromHeaders/0/name");
}

#[test]
fn a_bundle_may_have_8_mib_and_64_levels() {
    let (_, message) = refusal(&" ".repeat(crate::limits::BUNDLE_BYTES + 1));
    assert!(message.contains("[json]"), "{message}");
    let deep = format!("{}{}", "[".repeat(65), "]".repeat(65));
    assert!(refusal(&deep).1.contains("too deeply"));
    let deep = format!("{}{}", "[".repeat(64), "]".repeat(64));
    assert!(refusal(&deep).1.contains("object"));
}

#[test]
fn the_revision_is_that_of_the_content_and_not_of_its_form() {
    let open = policy(OPEN);
    let one = load(&bundle(r#"{"realm":"a","shadow":false}"#, &[&open]));
    let other = load(&bundle(" { \"shadow\" : false, \"re\\u0061lm\":\"a\"}", &[&open]));
    assert_eq!(one.revision(), other.revision());
    let different = load(&bundle(r#"{"realm":"b","shadow":false}"#, &[&open]));
    assert_ne!(one.revision(), different.revision());
    assert_eq!(one.revision().len(), 64);
}

#[test]
fn the_peer_is_needed_wherever_the_pipeline_reads_it() {
    let open = policy(OPEN);
    let strict = resource("PeerAuthentication", "strict", r#"{"mtls":{"mode":"STRICT"}}"#);
    let hop = r#"{"identityHeaders":false,
        "trustedHops":[{"spiffeId":"spiffe://td/a","header":"client-cert"}]}"#;
    let off = r#"{"identityHeaders":false}"#;
    assert!(!load(&bundle(off, &[&open])).needs().peer);
    assert!(load(&bundle("{}", &[&open])).needs().peer);
    assert!(load(&bundle(off, &[&open, &strict])).needs().peer);
    assert!(load(&bundle(hop, &[&open])).needs().peer);
}

//! What the upstream is told, and that policies see the same.

use alloc::string::String;
use alloc::vec::Vec;

use super::support::{Call, GET, bearer, bundle, jwt, load, policy};

const GROUP: &str = r#","outputClaimToHeaders":[{"header":"X-Group","claim":"group"}]"#;
const IN_GROUP: &str =
    r#"{"rules":[{"when":[{"key":"request.headers[x-group]","values":["admin"]}]}]}"#;
const NOT_BANNED: &str =
    r#"{"rules":[{"when":[{"key":"request.headers[x-group]","notValues":["banned"]}]}]}"#;

fn removed(call: &Call<'_>, engine: &crate::engine::Engine) -> Vec<String> {
    call.decide(engine).upstream().into_owned().remove
}

#[test]
fn a_policy_never_takes_a_clients_header_for_a_claim() {
    let engine = load(&bundle("{}", &[&jwt(GROUP), &policy(IN_GROUP)]));
    let token = bearer("");
    for name in ["x-group", "X-Group", "x_group"] {
        let forged = Call { headers: &[(name, "admin")], ..GET };
        assert_eq!(forged.reason(&engine), "no_rule_matched", "{name}");
        let headers = [(name, "admin"), ("authorization", &*token)];
        assert_eq!(Call { headers: &headers, ..GET }.reason(&engine), "no_rule_matched");
    }
}

#[test]
fn a_policy_sees_the_header_that_a_claim_became() {
    let engine = load(&bundle("{}", &[&jwt(GROUP), &policy(IN_GROUP)]));
    let token = bearer(r#","group":"admin""#);
    let headers = [("authorization", &*token)];
    assert_eq!(Call { headers: &headers, ..GET }.reason(&engine), "allowed_by_rule");
    let engine = load(&bundle("{}", &[&jwt(GROUP), &policy(NOT_BANNED)]));
    assert_eq!(Call { headers: &headers, ..GET }.reason(&engine), "allowed_by_rule");
    let token = bearer(r#","group":"banned""#);
    let headers = [("authorization", &*token), ("x-group", "admin")];
    assert_eq!(Call { headers: &headers, ..GET }.reason(&engine), "no_rule_matched");
}

#[test]
fn a_policy_does_not_see_a_token_that_stops_here() {
    let spec = r#"{"rules":[{"when":[{"key":"request.headers[authorization]","values":["*"]}]}]}"#;
    let token = bearer("");
    let headers = [("authorization", &*token)];
    let stops = load(&bundle("{}", &[&jwt(""), &policy(spec)]));
    assert_eq!(Call { headers: &headers, ..GET }.reason(&stops), "no_rule_matched");
    let goes_on = jwt(r#","forwardOriginalToken":true"#);
    let goes_on = load(&bundle("{}", &[&goes_on, &policy(spec)]));
    assert_eq!(Call { headers: &headers, ..GET }.reason(&goes_on), "allowed_by_rule");
}

#[test]
fn every_spelling_of_a_reserved_header_is_removed_allowed_or_refused() {
    let engine = load(&bundle("{}", &[&jwt(GROUP), &policy(r#"{"rules":[{}]}"#)]));
    let headers = [
        ("X-Lychgate-Subject", "root"),
        ("x_lychgate_subject", "root"),
        ("x-lychgate-unheard-of", "1"),
        ("X_GROUP", "admin"),
        ("x-groups", "kept"),
        ("x-lychgate", "kept"),
    ];
    let expected = ["x-lychgate-subject", "x-lychgate-unheard-of", "x_group", "x_lychgate_subject"];
    let allowed = Call { headers: &headers, ..GET };
    assert_eq!(allowed.reason(&engine), "allowed_by_rule");
    assert_eq!(removed(&allowed, &engine), expected);
    let refused = Call { target: "/a/../b", ..allowed };
    assert_eq!(refused.reason(&engine), "path_ambiguous");
    assert_eq!(removed(&refused, &engine), expected);
}

#[test]
fn a_token_is_withheld_from_whatever_place_it_had() {
    let token = bearer("");
    let bare = token.strip_prefix("Bearer ").unwrap();
    let open = policy(r#"{"rules":[{}]}"#);
    let place = |members: &str| load(&bundle("{}", &[&jwt(members), &open]));

    let header = place(r#","fromHeaders":[{"name":"X-Token","prefix":"T "}]"#);
    let value = alloc::format!("T {bare}");
    let headers = [("x-token", &*value), ("x-token-kind", "kept")];
    let call = Call { headers: &headers, ..GET };
    assert_eq!(call.reason(&header), "allowed_by_rule");
    assert_eq!(removed(&call, &header), ["x-token"]);

    let query = place(r#","fromParams":["t"]"#);
    let target = alloc::format!("/a?b=1&t={bare}");
    let changes = Call { target: &target, ..GET }.decide(&query).upstream().into_owned();
    assert_eq!(changes.target.as_deref(), Some(&b"/a?b=1"[..]));

    let cookie = place(r#","fromCookies":["t"]"#);
    let value = alloc::format!("a=1; t={bare}");
    let headers = [("cookie", &*value)];
    let call = Call { headers: &headers, ..GET };
    assert_eq!(call.reason(&cookie), "allowed_by_rule");
    assert_eq!(removed(&call, &cookie), [""; 0]);
}

#[test]
fn decisions_change_a_request_alike_for_the_same_caller_only() {
    let engine = load(&bundle("{}", &[&jwt(""), &policy(r#"{"rules":[{}]}"#)]));
    let (token, other) = (bearer(""), bearer(r#","group":"admin""#));
    let first = [("authorization", &*token)];
    let mut cache = crate::engine::Cache::default();
    let mut decide = |call: &Call<'_>| call.decide_with(&engine, &mut cache);
    let told = decide(&Call { headers: &first, ..GET });
    assert!(told.tells_caller());
    assert!(decide(&Call { headers: &first, target: "/b", ..GET }).changes_as(&told));
    let other = [("authorization", &*other)];
    assert!(!decide(&Call { headers: &other, ..GET }).changes_as(&told));
    let forged = [("authorization", &*token), ("x-lychgate-subject", "root")];
    assert!(!decide(&Call { headers: &forged, ..GET }).changes_as(&told));
    let nobody = decide(&GET);
    assert!(!nobody.changes_as(&told) && !nobody.tells_caller());
    let refused = decide(&Call { headers: &first, target: "/a/../b", ..GET });
    assert!(!refused.changes_as(&told) && !refused.tells_caller());
}

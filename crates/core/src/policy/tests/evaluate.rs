//! Rulings on single requests.

use alloc::vec::Vec;

use super::policies;
use crate::decision::Reason;
use crate::json::{Bounds, Document};
use crate::policy::facts::tests_support::{facts, spiffe_id};
use crate::policy::{Facts, RuleRef};
use crate::request::Connection;

const BOUNDS: Bounds = Bounds { bytes: 4096, depth: 8, members: 64 };

fn reason(texts: &[&str], facts: &Facts<'_>) -> Reason {
    policies(texts).evaluate(facts).reason
}

const ALLOW_ALL: &str = r#"{"rules":[{}]}"#;
const DENY_ADMIN: &str =
    r#"{"action":"DENY","rules":[{"to":[{"operation":{"paths":["/admin*"]}}]}]}"#;

#[test]
fn the_algebra_of_empty_policies_is_istios() {
    for (texts, expected) in [
        (&[][..], Reason::NoAllowPolicy),
        (&[ALLOW_ALL], Reason::AllowedByRule),
        (&["{}"], Reason::NoRuleMatched),
        (&[r#"{"rules":[]}"#], Reason::NoRuleMatched),
        (&["{}", ALLOW_ALL], Reason::AllowedByRule),
        (&[r#"{"action":"DENY","rules":[{}]}"#], Reason::DeniedByRule),
        (&[ALLOW_ALL, r#"{"action":"DENY","rules":[{}]}"#], Reason::DeniedByRule),
        (&[DENY_ADMIN], Reason::NoAllowPolicy),
        (&[r#"{"action":"AUDIT"}"#], Reason::NoAllowPolicy),
        (&[r#"?{"rules":[]}"#], Reason::NoAllowPolicy),
    ] {
        assert_eq!(reason(texts, &facts()), expected, "{texts:?}");
    }
}

#[test]
fn the_first_match_in_the_order_of_the_bundle_is_named() {
    let set = policies(&[
        "{}",
        r#"{"rules":[{"to":[{"operation":{"methods":["POST"]}}]},{"to":[{"operation":{"paths":["/"]}}]},{}]}"#,
        ALLOW_ALL,
    ]);
    let ruling = set.evaluate(&facts());
    assert_eq!(ruling.rule, Some(RuleRef { policy: &"home/p1".into(), rule: 1 }));
    assert_eq!(ruling.denial, None);
}

#[test]
fn an_absent_attribute_matches_nothing_and_its_negation_everything() {
    for (condition, positive, negative) in [
        (r#""key":"source.principal""#, false, true),
        (r#""key":"request.auth.principal""#, false, true),
        (r#""key":"request.headers[x-a]""#, false, true),
        (r#""key":"request.auth.claims[a]""#, false, true),
        (r#""key":"connection.sni""#, false, true),
        (r#""key":"experimental.envoy.filters.a[b]""#, false, true),
    ] {
        for (values, expected) in [("values", positive), ("notValues", negative)] {
            for action in ["ALLOW", "DENY"] {
                let text = alloc::format!(
                    r#"{{"action":"{action}","rules":[{{"when":[{{{condition},"{values}":["*"]}}]}}]}}"#
                );
                let matched = policies(&[&text]).evaluate(&facts()).rule.is_some();
                assert_eq!(matched, expected, "{text}");
            }
        }
    }
    let no_path = Facts { path: None, ..facts() };
    let deny = r#"{"action":"DENY","rules":[{"to":[{"operation":{"notPaths":["/public"]}}]}]}"#;
    assert_eq!(reason(&[deny], &no_path), Reason::DeniedByRule);
    assert_eq!(reason(&[DENY_ADMIN], &no_path), Reason::NoAllowPolicy);
}

#[test]
fn from_to_and_when_are_joined_by_and_their_entries_by_or() {
    let rule = r#"{"rules":[{
        "from":[{"source":{"namespaces":["a"],"notPrincipals":["*/sa/bad"]}},{"source":{"principals":["td/x"]}}],
        "to":[{"operation":{"methods":["GET"],"paths":["/a"]}},{"operation":{"methods":["POST"]}}],
        "when":[{"key":"destination.port","values":["80"],"notValues":["81"]}]}]}"#;
    let port = |port| Connection { destination_port: Some(port), ..Connection::default() };
    for (peer, method, path, port_number, expected) in [
        ("spiffe://td/ns/a/sa/x", "GET", "/a", 80, true),
        ("spiffe://td/ns/a/sa/bad", "GET", "/a", 80, false),
        ("spiffe://td/x", "POST", "/b", 80, true),
        ("spiffe://td/ns/a/sa/x", "GET", "/b", 80, false),
        ("spiffe://td/ns/a/sa/x", "GET", "/a", 81, false),
        ("spiffe://td/ns/b/sa/x", "GET", "/a", 80, false),
    ] {
        let peer = spiffe_id(peer);
        let facts = Facts {
            peer: Some(&peer),
            method: method.as_bytes(),
            path: Some(path),
            connection: port(port_number),
            ..facts()
        };
        let allowed = reason(&[rule], &facts) == Reason::AllowedByRule;
        assert_eq!(allowed, expected, "{peer:?} {method} {path} {port_number}");
    }
}

#[test]
fn audit_and_dry_run_are_reported_and_decide_nothing() {
    let audit = r#"{"action":"AUDIT","rules":[{"to":[{"operation":{"paths":["/"]}}]}]}"#;
    let set = policies(&[ALLOW_ALL, audit]);
    let ruling = set.evaluate(&facts());
    assert_eq!((ruling.reason, ruling.shadow), (Reason::AllowedByRule, None));
    assert_eq!(ruling.audited, Some(RuleRef { policy: &"home/p1".into(), rule: 0 }));

    for (texts, enforced, shadow, rule) in [
        (
            &[ALLOW_ALL, r#"?{"action":"DENY","rules":[{}]}"#][..],
            Reason::AllowedByRule,
            Reason::DeniedByRule,
            Some("home/p1"),
        ),
        (&[r#"?{}"#], Reason::NoAllowPolicy, Reason::NoRuleMatched, None),
        (
            &["{}", r#"?{"rules":[{}]}"#],
            Reason::NoRuleMatched,
            Reason::AllowedByRule,
            Some("home/p1"),
        ),
        (
            &[r#"{"action":"DENY","rules":[{}]}"#, r#"?{"rules":[{}]}"#],
            Reason::DeniedByRule,
            Reason::DeniedByRule,
            Some("home/p0"),
        ),
    ] {
        let set = policies(texts);
        let ruling = set.evaluate(&facts());
        let shadowed = ruling.shadow.unwrap();
        assert_eq!((ruling.reason, shadowed.reason), (enforced, shadow), "{texts:?}");
        assert_eq!(shadowed.rule.map(|rule| &**rule.policy), rule, "{texts:?}");
    }
}

#[test]
fn a_refusal_names_the_nearest_rule_and_what_was_missing() {
    let set = policies(&[r#"{"rules":[
            {"from":[{"source":{"principals":["cluster.local/ns/a/sa/b"]}}],
             "to":[{"operation":{"paths":["/other"],"methods":["PUT"]}}]},
            {"from":[{"source":{"principals":["cluster.local/ns/a/sa/b"]}}],
             "to":[{"operation":{"paths":["/"],"methods":["PUT"]}},{"operation":{"paths":["/"],"methods":["GET"]}}],
             "when":[{"key":"request.auth.claims[scope]","values":["pay"]},
                     {"key":"request.headers[x-bad]","notValues":["*"]}]}]}"#]);
    let ruling = set.evaluate(&facts());
    let nearest = ruling.denial.unwrap().nearest.unwrap();
    assert_eq!(nearest.rule, RuleRef { policy: &"home/p0".into(), rule: 1 });
    assert_eq!(nearest.missing, ["from.source.principals", "when[request.auth.claims[scope]]"]);
    assert_eq!(policies(&["{}"]).evaluate(&facts()).denial.unwrap().nearest, None);
}

#[test]
fn the_nearest_rule_is_found_among_many() {
    let rules: Vec<_> = (0..400)
        .map(|n| {
            alloc::format!(
                r#"{{"from":[{{"source":{{"principals":["cluster.local/ns/n/sa/{n}"]}}}}],
                "to":[{{"operation":{{"paths":["/p{n}"]}}}}]}}"#
            )
        })
        .collect();
    let text = alloc::format!(r#"{{"rules":[{}]}}"#, rules.join(","));
    let set = policies(&[&text]);
    let peer = spiffe_id("spiffe://cluster.local/ns/n/sa/7");
    let ruling = set.evaluate(&Facts { path: Some("/p300"), ..facts() });
    let nearest = ruling.denial.unwrap().nearest.unwrap();
    assert_eq!((nearest.rule.rule, &*nearest.missing), (300, &["from.source.principals"][..]));
    let ruling = set.evaluate(&Facts { peer: Some(&peer), ..facts() });
    let nearest = ruling.denial.unwrap().nearest.unwrap();
    assert_eq!((nearest.rule.rule, &*nearest.missing), (7, &["to.operation.paths"][..]));
}

#[test]
fn only_a_missing_token_is_told_from_other_refusals() {
    let token = r#"{"rules":[{"from":[{"source":{"requestPrincipals":["*"]}}],"to":[{"operation":{"paths":["/"]}}]}]}"#;
    let peer_and_token =
        r#"{"rules":[{"from":[{"source":{"requestPrincipals":["*"],"principals":["*"]}}]}]}"#;
    let elsewhere = r#"{"rules":[{"from":[{"source":{"requestPrincipals":["*"]}}],"to":[{"operation":{"paths":["/x"]}}]}]}"#;
    let deny_anonymous =
        r#"{"action":"DENY","rules":[{"from":[{"source":{"notRequestPrincipals":["*"]}}]}]}"#;
    let deny_no_scope = r#"{"action":"DENY","rules":[{"when":[{"key":"request.auth.claims[scope]","notValues":["a"]}]}]}"#;
    let deny_all = r#"{"action":"DENY","rules":[{}]}"#;
    for (texts, expected) in [
        (&[token][..], true),
        (&[peer_and_token], false),
        (&[elsewhere], false),
        (&[peer_and_token, token], true),
        (&["{}"], false),
        (&[deny_anonymous], true),
        (&[deny_no_scope], true),
        (&[deny_anonymous, deny_all], false),
        (&[deny_all], false),
    ] {
        let set = policies(texts);
        let denial = set.evaluate(&facts()).denial.unwrap();
        assert_eq!(denial.lacks_only_token, expected, "{texts:?}");
        assert_eq!(denial.missing_scopes, None);
    }
    let with_token = Facts { issuer: Some("i"), subject: None, ..facts() };
    for text in [token, deny_anonymous] {
        let set = policies(&[text]);
        assert!(!set.evaluate(&with_token).denial.unwrap().lacks_only_token, "{text}");
    }
}

#[test]
fn missing_scopes_are_told_from_other_refusals() {
    let rule = |extra: &str, key: &str| {
        alloc::format!(
            r#"{{"rules":[{{"to":[{{"operation":{{"paths":["/pay"]}}}}]}},
            {{"from":[{{"source":{{"requestPrincipals":["i/*"]}}}}]{extra},
             "when":[{{"key":"request.auth.claims[{key}]","values":["pay","admin*"],"notValues":["x"]}}]}}]}}"#
        )
    };
    let claims =
        Document::parse(br#"{"scope":"read","scp":["read"],"role":"r"}"#, &BOUNDS).unwrap();
    let token = Facts {
        issuer: Some("i"),
        subject: Some("s"),
        claims: claims.root().as_object(),
        ..facts()
    };
    for (extra, key, expected) in [
        ("", "scope", Some(&["pay"][..])),
        ("", "scp", Some(&["pay"])),
        ("", "role", None),
        (r#","to":[{"operation":{"paths":["/x"]}}]"#, "scope", None),
    ] {
        let set = policies(&[&rule(extra, key)]);
        let denial = set.evaluate(&token).denial.unwrap();
        assert_eq!(denial.missing_scopes.as_deref(), expected, "{extra} {key}");
    }
    let forbidden =
        r#"{"rules":[{"when":[{"key":"request.auth.claims[scope]","notValues":["read"]}]}]}"#;
    let set = policies(&[forbidden]);
    assert_eq!(set.evaluate(&token).denial.unwrap().missing_scopes, None);
    let set = policies(&[&rule("", "scope")]);
    assert_eq!(set.evaluate(&facts()).denial.unwrap().missing_scopes, None);
}

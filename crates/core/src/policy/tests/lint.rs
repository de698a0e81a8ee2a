//! What is reported, and that what is said about coverage is true.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::{options, spec};
use crate::finding::FindingCode;
use crate::limits;
use crate::policy::resource::{AuthorizationPolicySpec, Rule};
use crate::policy::{LintedPolicy, Surroundings, lint};

const SURROUNDINGS: Surroundings<'_> =
    Surroundings { trust_domains: &[], peer_required: false, required_claims: &[] };

/// The findings about policies of the namespace `home`, each as its code and its place.
fn found_in(texts: &[&str], surroundings: &Surroundings<'_>) -> Vec<String> {
    let specs: Vec<_> = texts.iter().map(|text| spec(text)).collect();
    let policies: Vec<_> = specs.iter().map(linted).collect();
    let domains = options().trust_domains;
    let findings = lint(&policies, &Surroundings { trust_domains: &domains, ..*surroundings });
    let text = |finding: &crate::policy::PolicyFinding| {
        format!("{} {}{}", finding.code.name(), finding.policy, finding.pointer)
    };
    findings.iter().map(text).collect()
}

fn linted(spec: &AuthorizationPolicySpec) -> LintedPolicy<'_> {
    LintedPolicy { namespace: "home", name: "p", dry_run: false, spec }
}

fn found(texts: &[&str]) -> Vec<String> {
    found_in(texts, &SURROUNDINGS)
}

/// One rule with one source or operation.
fn rule(action: &str, part: &str, field: &str, values: &str) -> String {
    let inner = if part == "from" { "source" } else { "operation" };
    format!(
        r#"{{"action":"{action}","rules":[{{"{part}":[{{"{inner}":{{"{field}":{values}}}}}]}}]}}"#
    )
}

#[test]
fn principals_that_admit_more_are_reported_where_they_admit() {
    for (values, code) in [
        (r#"["cluster.local/ns/a/sa/b"]"#, None),
        (r#"["foreign/ns/a/sa/b"]"#, Some("unknown_trust_domain")),
        (r#"["*/ns/a/sa/b"]"#, Some("any_trust_domain")),
        (r#"["cluster.local/ns/a*"]"#, Some("open_prefix")),
        (r#"["cluster.local/ns/a/*"]"#, None),
        ("[\"cluster.local/ns/\u{430}/sa/b\"]", Some("not_ascii")),
    ] {
        let place = |code| format!("{code} 0/rules/0/from/0/source/principals/0");
        let expected: Vec<_> = code.map(place).into_iter().collect();
        assert_eq!(found(&[&rule("ALLOW", "from", "principals", values)]), expected, "{values}");
    }
    for code in ["any_trust_domain", "open_prefix"] {
        let values = r#"["*/ns/a/sa/b","cluster.local/ns/a*"]"#;
        let denied = found(&[&rule("DENY", "from", "principals", values)]);
        assert!(!denied.iter().any(|found| found.contains(code)), "{denied:?}");
        let excepted = found(&[&rule("DENY", "from", "notPrincipals", values)]);
        assert!(excepted.iter().any(|found| found.contains(code)), "{excepted:?}");
    }
}

#[test]
fn a_host_in_one_form_is_reported_where_the_other_gets_through() {
    for (action, field, values, index) in [
        ("DENY", "hosts", r#"["a.example"]"#, Some(0)),
        ("DENY", "hosts", r#"["a.example","a.example:*"]"#, None),
        ("DENY", "hosts", r#"["A.example","a.EXAMPLE:*"]"#, None),
        ("DENY", "hosts", r#"["a.example","b.example:*"]"#, Some(0)),
        ("DENY", "hosts", r#"["a.example:8443"]"#, Some(0)),
        ("DENY", "hosts", r#"["a.example*"]"#, None),
        ("DENY", "hosts", r#"["*.example"]"#, Some(0)),
        ("DENY", "hosts", r#"["*.example","*.example:443"]"#, None),
        ("DENY", "hosts", r#"["*"]"#, None),
        ("DENY", "hosts", r#"["[::1]"]"#, Some(0)),
        ("ALLOW", "hosts", r#"["a.example"]"#, None),
        ("ALLOW", "hosts", r#"["a.example:8443"]"#, None),
        ("ALLOW", "hosts", r#"["a.example:443"]"#, Some(0)),
        ("ALLOW", "hosts", r#"["a.example:443","a.example"]"#, None),
        ("ALLOW", "notHosts", r#"["a.example"]"#, Some(0)),
        ("DENY", "notHosts", r#"["a.example"]"#, None),
    ] {
        let reported = found(&[&rule(action, "to", field, values)]);
        let host_port = reported.iter().find(|found| found.starts_with("host_port"));
        let expected =
            index.map(|index| format!("host_port 0/rules/0/to/0/operation/{field}/{index}"));
        assert_eq!(host_port, expected.as_ref(), "{action} {field} {values}");
    }
}

#[test]
fn a_path_is_reported_where_another_spelling_gets_through() {
    for (values, slash, case) in [
        (r#"["/admin"]"#, true, true),
        (r#"["/admin","/admin/"]"#, false, true),
        (r#"["/admin","/admin/*"]"#, false, true),
        (r#"["/admin*"]"#, false, true),
        (r#"["/admin/*"]"#, true, true),
        (r#"["/admin/{**}"]"#, true, true),
        (r#"["/1/{*}"]"#, true, false),
        (r#"["/1","/1/"]"#, false, false),
        (r#"["/*"]"#, false, false),
        (r#"["/"]"#, false, false),
        (r#"["*"]"#, false, false),
        (r#"["*/secret"]"#, true, true),
        (r#"["/a*","/A*"]"#, false, false),
    ] {
        for (action, field) in [("DENY", "paths"), ("ALLOW", "notPaths")] {
            let reported = found(&[&rule(action, "to", field, values)]);
            let has = |code: &str| reported.iter().any(|found| found.starts_with(code));
            assert_eq!((has("path_slash"), has("path_case")), (slash, case), "{action} {values}");
        }
        let reported = found(&[&rule("ALLOW", "to", "paths", values)]);
        assert!(!reported.iter().any(|found| found.starts_with("path_")), "{reported:?}");
    }
}

#[test]
fn a_path_that_no_allow_rule_takes_evades_nothing() {
    let deny = rule("DENY", "to", "paths", r#"["/admin"]"#);
    let elsewhere = rule("ALLOW", "to", "paths", r#"["/public/*"]"#);
    let slash = rule("ALLOW", "to", "paths", r#"["/admin/"]"#);
    assert_eq!(found(&[&deny, &elsewhere]), [""; 0]);
    let place = "0/rules/0/to/0/operation/paths/0";
    assert_eq!(found(&[&deny, &slash]), [format!("path_slash {place}")]);
}

#[test]
fn a_deny_on_what_may_be_absent_is_reported_unless_something_demands_it() {
    let peer = rule("DENY", "from", "namespaces", r#"["a"]"#);
    let token = rule("DENY", "from", "requestPrincipals", r#"["i/s"]"#);
    let claim = r#"{"action":"DENY","rules":[{"when":[{"key":"request.auth.claims[group]","values":["g"]}]}]}"#;
    let at = |place: &str| format!("deny_absent 0/rules/0{place}");
    assert_eq!(found(&[&peer]), [at("/from/0/source/namespaces")]);
    assert_eq!(found(&[&token]), [at("/from/0/source/requestPrincipals")]);
    assert_eq!(found(&[claim]), [at("/when/0/values")]);

    let required = Surroundings { peer_required: true, ..SURROUNDINGS };
    assert_eq!(found_in(&[&peer], &required), [""; 0]);
    let demands_peer = rule("ALLOW", "from", "principals", r#"["*"]"#);
    let demands_token = rule("ALLOW", "from", "requestPrincipals", r#"["*"]"#);
    assert_eq!(found(&[&peer, &demands_peer]), [""; 0]);
    assert_eq!(found(&[&token, &demands_token]), [""; 0]);
    assert_eq!(found(&[&token, &demands_peer]).len(), 1);
    assert_eq!(found(&[claim, &demands_token]).len(), 1);
    let group = Surroundings { required_claims: &["group".to_string()], ..SURROUNDINGS };
    assert_eq!(found_in(&[claim, &demands_token], &group), [""; 0]);
    assert_eq!(found_in(&[claim], &group).len(), 1);
    let no_group = r#"{"action":"DENY","rules":[{"when":[{"key":"request.auth.claims[group]","notValues":["*"]}]}]}"#;
    assert_eq!(found(&[claim, no_group]), [""; 0]);
    let no_peer = rule("DENY", "from", "notPrincipals", r#"["*"]"#);
    assert_eq!(found(&[&peer, &no_peer]), [""; 0]);
    let not_one = rule("DENY", "from", "notPrincipals", r#"["a"]"#);
    assert_eq!(found(&[&peer, &not_one]).len(), 1);
}

#[test]
fn rules_that_allow_more_than_meant_are_reported() {
    for (text, expected) in [
        (r#"{"rules":[{}]}"#, &["allow_everything 0/rules/0"][..]),
        (r#"{"rules":[]}"#, &[]),
        (
            r#"{"rules":[{"to":[{"operation":{"paths":["/*"],"methods":["*"]}}]}]}"#,
            &["allow_everything 0/rules/0"],
        ),
        (r#"{"rules":[{"to":[{"operation":{"paths":["/*"],"methods":["GET"]}}]}]}"#, &[]),
        (r#"{"rules":[{"from":[{"source":{"principals":["*"]}}]}]}"#, &[]),
        (
            r#"{"rules":[{"from":[{"source":{"notNamespaces":["a"]}}]}]}"#,
            &["allow_negative 0/rules/0/from/0/source"],
        ),
        (r#"{"rules":[{"from":[{"source":{"notNamespaces":["a"],"principals":["*"]}}]}]}"#, &[]),
        (r#"{"rules":[{"from":[{"source":{"notRemoteIpBlocks":["10.0.0.1"]}}]}]}"#, &[]),
        (
            r#"{"rules":[{"to":[{"operation":{"notPorts":["80"]}}]}]}"#,
            &["allow_negative 0/rules/0/to/0/operation"],
        ),
        (
            r#"{"rules":[{"when":[{"key":"request.auth.claims[a]","notValues":["x"]}]}]}"#,
            &["allow_negative 0/rules/0/when"],
        ),
        (
            r#"{"rules":[{"from":[{"source":{"notNamespaces":["a"]}}],
                "when":[{"key":"request.auth.principal","values":["*"]}]}]}"#,
            &[],
        ),
        (
            r#"{"rules":[{"from":[{"source":{"namespaces":["a"]}}]},
                         {"to":[{"operation":{"methods":["GET"]}}]}]}"#,
            &["split_rule 0/rules/1"],
        ),
        (
            r#"{"rules":[{"from":[{"source":{"namespaces":["a"]}}],
                "to":[{"operation":{"methods":["GET"]}}]}]}"#,
            &[],
        ),
    ] {
        assert_eq!(found(&[text]), expected, "{text}");
    }
}

#[test]
fn a_literal_star_is_reported_in_values_and_in_keys() {
    let text = r#"{"rules":[{"from":[{"source":{"namespaces":["a"]}}],
        "to":[{"operation":{"paths":["*x*","/{*}","/x*","*x"]}}],
        "when":[{"key":"request.headers[x-*]","values":["*","*a*"],"notValues":["b"]},
                {"key":"request.auth.claims[a][b*]","values":["*"]}]}]}"#;
    let expected = [
        "literal_star 0/rules/0/to/0/operation/paths/0",
        "literal_star 0/rules/0/when/0/values/1",
        "literal_star 0/rules/0/when/0/key",
        "literal_star 0/rules/0/when/1/key",
    ];
    assert_eq!(found(&[text]), expected);
}

#[test]
fn rules_without_effect_are_reported_once() {
    let wide = rule("ALLOW", "from", "principals", r#"["cluster.local/ns/a/*"]"#);
    let narrow = r#"{"rules":[{"from":[{"source":{"principals":["cluster.local/ns/a/x/y/z"]}}],
        "to":[{"operation":{"methods":["GET"]}}]}]}"#;
    let deny = rule("DENY", "to", "methods", r#"["G*"]"#);
    assert_eq!(found(&[narrow, &wide]), ["shadowed_rule 0/rules/0"]);
    assert_eq!(found(&[&wide, &wide]), ["shadowed_rule 1/rules/0"]);
    assert_eq!(found(&[narrow, &deny]), ["unreachable_rule 0/rules/0"]);
    assert_eq!(found(&[&wide, &deny]), [""; 0]);
    // A principal of the mesh stands for all its trust domains, and the prefix for one of them.
    let account = rule("ALLOW", "from", "principals", r#"["cluster.local/ns/a/sa/b"]"#);
    assert_eq!(found(&[&wide, &account]), [""; 0]);
}

#[test]
fn comparing_rules_ends_where_its_bound_is() {
    let methods = |from: usize, to: usize| {
        let text = |number| format!(r#"{{"to":[{{"operation":{{"methods":["M{number}"]}}}}]}}"#);
        let rules: Vec<_> = (from..to).map(text).collect();
        spec(&format!(r#"{{"rules":[{}]}}"#, rules.join(",")))
    };
    let mut specs: Vec<_> = (0..20).map(|n| methods(n * 100, n * 100 + 100)).collect();
    specs.push(methods(0, 1));
    let policies: Vec<_> = specs.iter().map(linted).collect();
    let shadowed = |policies: &[LintedPolicy<'_>]| {
        let findings = lint(policies, &SURROUNDINGS);
        findings.iter().filter(|found| found.code == FindingCode::ShadowedRule).count()
    };
    const { assert!(2001 * 2000 > limits::RULE_PAIRS) };
    assert_eq!(shadowed(&policies), 0);
    assert_eq!(shadowed(&[policies[0], policies[20]]), 1);
    let most = AuthorizationPolicySpec {
        rules: alloc::vec![Rule::default(); limits::ENTRIES],
        ..AuthorizationPolicySpec::default()
    };
    assert_eq!(lint(&[linted(&most)], &SURROUNDINGS).len(), 2 * limits::ENTRIES - 1);
}

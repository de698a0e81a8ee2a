//! What is refused, where the error points, and what is needed.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::{add, options, policies, read, spec};
use crate::limits;
use crate::policy::PolicyCompiler;
use crate::policy::resource::{AuthorizationPolicySpec, Rule};

#[test]
fn mistakes_are_refused_with_their_place() {
    for (text, code, pointer) in [
        (r#"{"action":"CUSTOM","provider":{"name":"x"},"rules":[{}]}"#, "custom_action", "/action"),
        (r#"{"provider":{"name":"x"}}"#, "provider_without_custom", "/provider"),
        (r#"{"action":"DENY"}"#, "rules_missing", "/rules"),
        (r#"{"action":"DENY","rules":[]}"#, "rules_missing", "/rules"),
        (r#"{"rules":[{},{"from":[]}]}"#, "empty_list", "/rules/1/from"),
        (r#"{"rules":[{"to":[]}]}"#, "empty_list", "/rules/0/to"),
        (r#"{"rules":[{"when":[]}]}"#, "empty_list", "/rules/0/when"),
        (r#"{"rules":[{"from":[{}]}]}"#, "empty_source", "/rules/0/from/0/source"),
        (r#"{"rules":[{"from":[{"source":{}}]}]}"#, "empty_source", "/rules/0/from/0/source"),
        (
            r#"{"rules":[{"from":[{"source":{"principals":[]}}]}]}"#,
            "empty_source",
            "/rules/0/from/0/source",
        ),
        (r#"{"rules":[{"to":[{"operation":{}}]}]}"#, "empty_operation", "/rules/0/to/0/operation"),
        (
            r#"{"rules":[{"to":[{"operation":{"ports":["80","65536"]}}]}]}"#,
            "bad_port",
            "/rules/0/to/0/operation/ports/1",
        ),
        (
            r#"{"rules":[{"to":[{"operation":{"ports":["+80"]}}]}]}"#,
            "bad_port",
            "/rules/0/to/0/operation/ports/0",
        ),
        (
            r#"{"rules":[{"to":[{"operation":{"notPaths":["/a","admin"]}}]}]}"#,
            "bad_path",
            "/rules/0/to/0/operation/notPaths/1",
        ),
        (
            r#"{"rules":[{"to":[{"operation":{"methods":[""]}}]}]}"#,
            "empty_value",
            "/rules/0/to/0/operation/methods/0",
        ),
        (
            r#"{"rules":[{"to":[{"operation":{"hosts":["a.*.com"]}}]}]}"#,
            "wildcard_in_middle",
            "/rules/0/to/0/operation/hosts/0",
        ),
        (
            r#"{"rules":[{"to":[{"operation":{"hosts":["https://a"]}}]}]}"#,
            "never_matches",
            "/rules/0/to/0/operation/hosts/0",
        ),
        (
            r#"{"rules":[{"from":[{"source":{"principals":["a","spiffe://b"]}}]}]}"#,
            "spiffe_scheme",
            "/rules/0/from/0/source/principals/1",
        ),
        (
            r#"{"rules":[{"from":[{"source":{"notIpBlocks":["10.0.0.0/33"]}}]}]}"#,
            "bad_cidr",
            "/rules/0/from/0/source/notIpBlocks/0",
        ),
        (
            r#"{"rules":[{"from":[{"source":{"serviceAccounts":["*"]}}]}]}"#,
            "bad_service_account",
            "/rules/0/from/0/source/serviceAccounts/0",
        ),
        (
            r#"{"rules":[{"from":[{"source":{"serviceAccounts":["a"],"notNamespaces":["b"]}}]}]}"#,
            "conflicting_source",
            "/rules/0/from/0/source/serviceAccounts",
        ),
        (
            r#"{"rules":[{"from":[{"source":{"trustDomains":["a/b"]}}]}]}"#,
            "bad_trust_domain",
            "/rules/0/from/0/source/trustDomains/0",
        ),
        (
            r#"{"rules":[{"from":[{"source":{"requestPrincipals":["iss"]}}]}]}"#,
            "never_matches",
            "/rules/0/from/0/source/requestPrincipals/0",
        ),
        (
            r#"{"rules":[{"when":[{"key":"source.ips","values":["a"]}]}]}"#,
            "unknown_attribute",
            "/rules/0/when/0/key",
        ),
        (r#"{"rules":[{"when":[{"key":"source.ip"}]}]}"#, "values_missing", "/rules/0/when/0"),
        (
            r#"{"rules":[{"when":[{"key":"destination.port","notValues":["x"]}]}]}"#,
            "bad_port",
            "/rules/0/when/0/notValues/0",
        ),
        (
            r#"{"rules":[{"when":[{"key":"request.auth.claims[exp]","values":["1"]}]}]}"#,
            "never_matches",
            "/rules/0/when/0/key",
        ),
        (
            r#"{"rules":[{"when":[{"key":"connection.sni","values":["Ex.com"]}]}]}"#,
            "never_matches",
            "/rules/0/when/0/values/0",
        ),
    ] {
        let error = add(&spec(text)).unwrap_err();
        assert_eq!((error.code.name(), error.pointer.as_str()), (code, pointer), "{text}");
        let first = error.message.chars().next().unwrap();
        assert!(
            !first.is_uppercase()
                || error.message.starts_with("CUSTOM")
                || error.message.starts_with("DENY")
        );
        assert!(!error.message.ends_with('.'), "{}", error.message);
    }
}

#[test]
fn unknown_members_and_actions_are_refused() {
    for text in [
        r#"{"rule":[]}"#,
        r#"{"action":"allow"}"#,
        r#"{"rules":[{"form":[]}]}"#,
        r#"{"rules":[{"from":[{"source":{"principal":["a"]}}]}]}"#,
        r#"{"rules":[{"from":[{"principals":["a"]}]}]}"#,
        r#"{"rules":[{"to":[{"operation":{"path":["/"]}}]}]}"#,
        r#"{"rules":[{"when":[{"key":"source.ip","value":["a"]}]}]}"#,
        r#"{"rules":[{"when":[{"values":["a"]}]}]}"#,
    ] {
        assert!(read(text).is_err(), "{text}");
    }
    assert!(add(&spec(r#"{"selector":{"matchLabels":{"a":"b"}},"targetRefs":[]}"#)).is_ok());
}

#[test]
fn addresses_of_the_peer_are_refused_where_the_host_does_not_know_them() {
    let options = crate::policy::PolicyOptions { source_address_is_peer: false, ..options() };
    let compile =
        |text: &str| PolicyCompiler::new(options.clone()).add("n", "p", false, &spec(text));
    for text in [
        r#"{"rules":[{"from":[{"source":{"ipBlocks":["10.0.0.1"]}}]}]}"#,
        r#"{"rules":[{"from":[{"source":{"notIpBlocks":["10.0.0.1"]}}]}]}"#,
        r#"{"rules":[{"when":[{"key":"source.ip","values":["10.0.0.1"]}]}]}"#,
    ] {
        assert_eq!(compile(text).unwrap_err().code.name(), "source_address_unknown", "{text}");
        assert!(add(&spec(text)).is_ok(), "{text}");
    }
    assert!(
        compile(r#"{"rules":[{"from":[{"source":{"remoteIpBlocks":["10.0.0.1"]}}]}]}"#).is_ok()
    );
}

#[test]
fn every_bound_holds_at_n_and_breaks_at_one_more() {
    let rules = |count: usize| AuthorizationPolicySpec {
        rules: alloc::vec![Rule::default(); count],
        ..AuthorizationPolicySpec::default()
    };
    assert!(add(&rules(limits::ENTRIES)).is_ok());
    assert_eq!(add(&rules(limits::ENTRIES + 1)).unwrap_err().code.name(), "too_many");

    let from = |count: usize| {
        let source = r#"{"source":{"namespaces":["a"]}}"#;
        spec(&format!(r#"{{"rules":[{{"from":[{}]}}]}}"#, alloc::vec![source; count].join(",")))
    };
    assert!(add(&from(limits::ENTRIES)).is_ok());
    assert_eq!(add(&from(limits::ENTRIES + 1)).unwrap_err().pointer, "/rules/0/from");

    let accounts = |count: usize| {
        let account = alloc::vec![r#""a/b""#; count].join(",");
        spec(&format!(
            r#"{{"rules":[{{"from":[{{"source":{{"serviceAccounts":[{account}]}}}}]}}]}}"#
        ))
    };
    assert!(add(&accounts(limits::SERVICE_ACCOUNTS)).is_ok());
    assert_eq!(add(&accounts(limits::SERVICE_ACCOUNTS + 1)).unwrap_err().code.name(), "too_many");

    let mut compiler = PolicyCompiler::new(options());
    let mut left = limits::RULES;
    while left > 0 {
        let count = left.min(limits::ENTRIES);
        compiler.add("n", "p", false, &rules(count)).unwrap();
        left -= count;
    }
    assert_eq!(compiler.add("n", "p", false, &rules(1)).unwrap_err().code.name(), "too_many");
}

#[test]
fn what_policies_read_is_known() {
    let set = policies(&[
        r#"{"rules":[{"from":[{"source":{"namespaces":["a"]}}],
            "to":[{"operation":{"paths":["/a/b/*"],"methods":["GET"]}}],
            "when":[{"key":"request.headers[X-A]","values":["v"]},
                    {"key":"request.headers[x-a]","values":["w"]},
                    {"key":"experimental.envoy.filters.f[k]","values":["v"]}]}]}"#,
        r#"?{"action":"DENY","rules":[{"to":[{"operation":{"notPaths":["/a/b/c"]}}],
            "when":[{"key":"connection.sni","values":["s"]},
                    {"key":"request.auth.principal","notValues":["*"]}]}]}"#,
    ]);
    let needs = set.needs();
    assert!(needs.peer && needs.path && needs.method && needs.server_name && needs.token);
    assert!(!needs.host && !needs.source_ip && !needs.destination_port);
    assert_eq!(needs.headers.iter().map(String::as_str).collect::<Vec<_>>(), ["x-a"]);
    assert_eq!(needs.metadata.first().unwrap(), &("envoy.filters.f".to_string(), "k".to_string()));
    assert_eq!(needs.parameter_depth, 3);
}

//! Which resources apply, and what of PeerAuthentication follows.

use alloc::format;
use alloc::string::String;

use super::support::{Call, GET, bundle, load, policy, refusal, resource};

const OPEN: &str = r#"{"rules":[{}]}"#;

/// Whether a DENY policy of this namespace and selection applies to a workload.
fn applies(workload: &str, namespace: &str, selection: &str) -> bool {
    GET.reason(&load(&selecting(workload, namespace, selection))) == "denied_by_rule"
}

fn selecting(workload: &str, namespace: &str, selection: &str) -> String {
    let comma = if selection.is_empty() { "" } else { "," };
    let deny = policy(&format!(r#"{{"action":"DENY","rules":[{{}}]{comma}{selection}}}"#));
    let deny =
        deny.replace(r#""name":"policy""#, &format!(r#""name":"d","namespace":"{namespace}""#));
    let bundle = bundle(r#"{"allowUnrestricted":true}"#, &[&deny]);
    let sidecar = r#"{"kind":"sidecar","namespace":"production","labels":{"app":"api"}}"#;
    bundle.replace(sidecar, workload)
}

const SIDECAR: &str =
    r#"{"kind":"sidecar","namespace":"production","labels":{"app":"api","v":"1"}}"#;
const GATEWAY: &str = r#"{"kind":"gateway","namespace":"production","labels":{"app":"api"},
    "targets":[{"group":"gateway.networking.k8s.io","kind":"Gateway","name":"edge"}]}"#;
const WAYPOINT: &str = r#"{"kind":"waypoint","namespace":"production",
    "targets":[{"kind":"Service","name":"a"},{"kind":"Service","name":"b","namespace":"shop"}]}"#;

fn to(group: &str, kind: &str, name: &str) -> String {
    format!(r#""targetRefs":[{{"group":"{group}","kind":"{kind}","name":"{name}"}}]"#)
}

#[test]
fn a_sidecar_goes_by_namespace_and_labels() {
    for (namespace, labels, expected) in [
        ("production", "{}", true),
        ("istio-system", "{}", true),
        ("staging", "{}", false),
        ("production", r#"{"app":"api"}"#, true),
        ("production", r#"{"app":"api","v":"1"}"#, true),
        ("production", r#"{"app":"api","v":"2"}"#, false),
        ("production", r#"{"absent":""}"#, true),
        ("production", r#"{"absent":"x"}"#, false),
        ("istio-system", r#"{"app":"other"}"#, false),
    ] {
        let selector = format!(r#""selector":{{"matchLabels":{labels}}}"#);
        assert_eq!(applies(SIDECAR, namespace, &selector), expected, "{namespace} {labels}");
    }
    assert!(!applies(SIDECAR, "production", &to("", "Service", "a")));
}

#[test]
fn a_waypoint_goes_by_references_to_what_it_serves() {
    assert!(!applies(WAYPOINT, "production", ""));
    assert!(applies(WAYPOINT, "production", &to("", "Service", "a")));
    assert!(applies(WAYPOINT, "production", &to("core", "Service", "a")));
    assert!(applies(WAYPOINT, "shop", &to("", "Service", "b")));
    assert!(!applies(WAYPOINT, "production", &to("", "Service", "b")));
    assert!(!applies(WAYPOINT, "shop", &to("", "Service", "a")));
    let class = to("gateway.networking.k8s.io", "GatewayClass", "istio-waypoint");
    assert!(applies(WAYPOINT, "istio-system", &class));
    assert!(!applies(WAYPOINT, "production", &class));
}

#[test]
fn a_gateway_goes_by_references_or_labels() {
    assert!(applies(GATEWAY, "production", ""));
    assert!(applies(GATEWAY, "production", &to("gateway.networking.k8s.io", "Gateway", "edge")));
    assert!(!applies(GATEWAY, "production", &to("gateway.networking.k8s.io", "Gateway", "in")));
    assert!(!applies(GATEWAY, "shop", &to("gateway.networking.k8s.io", "Gateway", "edge")));
    assert!(!applies(GATEWAY, "production", &to("", "Service", "a")));
}

#[test]
fn what_cant_be_resolved_is_refused() {
    let unknown = r#"{"kind":"waypoint","namespace":"production"}"#;
    let gateway = to("gateway.networking.k8s.io", "Gateway", "edge");
    for (workload, selection) in [
        (unknown, to("", "Service", "a")),
        (SIDECAR, to("", "Deployment", "a")),
        (SIDECAR, to("gateway.networking.k8s.io", "GatewayClass", "other")),
        (SIDECAR, format!(r#"{gateway},"selector":{{}}"#)),
        (SIDECAR, r#""selector":{"matchLabels":{"a":"x*"}}"#.into()),
        (SIDECAR, r#""selector":{"matchLabels":{"a*":"x"}}"#.into()),
    ] {
        let (pointer, message) = refusal(&selecting(workload, "production", &selection));
        assert_eq!(pointer, "/resources/0/spec", "{selection}");
        assert!(message.contains("[selection]"), "{message}");
    }
    for target in [r#"{"kind":"service","name":"a"}"#, r#"{"kind":"Gateway","name":"a"}"#] {
        let workload = format!(r#"{{"kind":"waypoint","namespace":"p","targets":[{target}]}}"#);
        assert_eq!(refusal(&selecting(&workload, "p", "")).0, "/workload/targets/0");
    }
}

#[test]
fn without_a_policy_nothing_loads_unless_that_is_meant() {
    assert_eq!(refusal(&bundle("{}", &[])).0, "/resources");
    let elsewhere = policy(OPEN).replace(r#""name":"policy""#, r#""name":"p","namespace":"o""#);
    assert_eq!(refusal(&bundle("{}", &[&elsewhere])).0, "/resources");
    let open = load(&bundle(r#"{"allowUnrestricted":true}"#, &[]));
    assert_eq!(GET.reason(&open), "no_allow_policy");
}

#[test]
fn a_dry_run_is_what_go_reads_as_true() {
    let deny = |value: &str| {
        let name = format!(r#""name":"d","annotations":{{"istio.io/dry-run":"{value}"}}"#);
        let deny = policy(r#"{"action":"DENY","rules":[{}]}"#);
        GET.reason(&load(&bundle(
            "{}",
            &[&deny.replace(r#""name":"policy""#, &name), &policy(OPEN)],
        )))
    };
    for value in ["1", "t", "T", "true", "TRUE", "True"] {
        assert_eq!(deny(value), "allowed_by_rule", "{value}");
    }
    for value in ["0", "false", "tRUE", "yes", "", " true"] {
        assert_eq!(deny(value), "denied_by_rule", "{value}");
    }
}

fn mode(name: &str, namespace: &str, created: &str, spec: &str) -> String {
    let metadata =
        format!(r#""name":"{name}","namespace":"{namespace}","creationTimestamp":{created}"#);
    resource("PeerAuthentication", "m", spec).replace(r#""name":"m""#, &metadata)
}

const STRICT: &str = r#"{"mtls":{"mode":"STRICT"}}"#;
const PERMISSIVE: &str = r#"{"mtls":{"mode":"PERMISSIVE"}}"#;
const OLD: &str = "\"2025-01-01T00:00:00Z\"";
const NEW: &str = "\"2026-01-01T00:00:00Z\"";

/// Whether a connection without a certificate to this port is refused.
fn needs_peer(resources: &[&str], port: u16) -> bool {
    let all: alloc::vec::Vec<_> =
        resources.iter().copied().chain([&*policy(OPEN)]).map(String::from).collect();
    let all: alloc::vec::Vec<_> = all.iter().map(String::as_str).collect();
    Call { port: Some(port), ..GET }.reason(&load(&bundle("{}", &all))) == "peer_required"
}

#[test]
fn the_nearer_scope_decides_whether_a_peer_is_required() {
    let mesh = mode("mesh", "istio-system", "null", STRICT);
    let namespace = mode("ns", "production", "null", PERMISSIVE);
    let labels = r#""selector":{"matchLabels":{"app":"api"}}"#;
    let workload =
        mode("w", "production", "null", &STRICT.replacen('{', &format!("{{{labels},"), 1));
    let unset = mode("u", "production", "null", r#"{"mtls":{"mode":"UNSET"}}"#);
    assert!(!needs_peer(&[], 80));
    assert!(needs_peer(&[&mesh], 80));
    assert!(!needs_peer(&[&mesh, &namespace], 80));
    assert!(needs_peer(&[&mesh, &namespace, &workload], 80));
    assert!(needs_peer(&[&mesh, &unset], 80));
    assert!(!needs_peer(&[&workload.replace("\"production\"", "\"istio-system\"")], 80));
    assert!(!needs_peer(&[&mode("o", "other", "null", STRICT)], 80));
}

#[test]
fn a_port_has_its_own_mode() {
    let spec = r#"{"selector":{"matchLabels":{"app":"api"}},"mtls":{"mode":"STRICT"},
        "portLevelMtls":{"8080":{"mode":"DISABLE"},"9090":{"mode":"UNSET"}}}"#;
    let workload = mode("w", "production", "null", spec);
    assert!(needs_peer(&[&workload], 80));
    assert!(!needs_peer(&[&workload], 8080));
    assert!(needs_peer(&[&workload], 9090));
    for (bad, pointer) in [
        (spec.replace("8080", "0"), "/portLevelMtls/0"),
        (spec.replace("8080", "+80"), "/portLevelMtls/+80"),
        (spec.replace("8080", "080"), "/portLevelMtls/080"),
        (spec.replace("8080", "65536"), "/portLevelMtls/65536"),
        (spec.replace(r#""app":"api""#, ""), "/portLevelMtls"),
        (spec.replace("STRICT", "strict"), "/mtls/mode"),
    ] {
        let bad = mode("w", "production", "null", &bad);
        let (place, _) = refusal(&bundle("{}", &[&bad, &policy(OPEN)]));
        assert_eq!(place, format!("/resources/0/spec{pointer}"));
    }
}

#[test]
fn of_one_scope_the_oldest_counts_and_age_must_be_known() {
    let pair = |first, second| {
        [mode("a", "production", first, PERMISSIVE), mode("b", "production", second, STRICT)]
    };
    let [a, b] = pair(NEW, OLD);
    assert!(needs_peer(&[&a, &b], 80));
    let [a, b] = pair(OLD, NEW);
    assert!(!needs_peer(&[&a, &b], 80));
    let [a, b] = pair(OLD, OLD);
    assert!(!needs_peer(&[&b, &a], 80));
    for bad in ["null", "\"2026-01-01\"", "\"2026-01-01T00:00:00+02:00\""] {
        let [a, b] = pair(OLD, bad);
        let (pointer, _) = refusal(&bundle("{}", &[&a, &b, &policy(OPEN)]));
        assert_eq!(pointer, "/resources/1/metadata/creationTimestamp", "{bad}");
    }
}

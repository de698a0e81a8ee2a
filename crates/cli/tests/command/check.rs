//! `lychgate check`.

use serde_json::Value;

use super::harness::{Folder, Ran};

/// One rule with only `from`, one with only `to`: "and" was meant, and it means "or".
const SPLIT: &str = "\
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: frontend, namespace: shop}
spec:
  selector: {matchLabels: {app: frontend}}
  rules:
  - from:
    - source: {principals: [cluster.local/ns/edge/sa/gateway]}
  - to:
    - operation: {methods: [GET, POST]}
";

/// A namespace, its workload, and everything that a zone needs.
const SOUND: &str = "\
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart, namespace: shop}
spec:
  template:
    metadata: {labels: {app: cart}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress]}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: strict, namespace: istio-system}
spec: {mtls: {mode: STRICT}}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: cart, namespace: shop}
spec:
  selector: {matchLabels: {app: cart}}
  rules:
  - from:
    - source: {principals: [cluster.local/ns/shop/sa/web]}
";

fn check(text: &str) -> Ran {
    let folder = Folder::new();
    folder.write("m.yaml", text);
    folder.run("check m.yaml")
}

fn codes(text: &str) -> Vec<String> {
    let folder = Folder::new();
    folder.write("m.yaml", text);
    let ran = folder.run("check m.yaml --format json");
    let json: Value = serde_json::from_str(&ran.out).unwrap();
    let findings = json["findings"].as_array().unwrap();
    findings.iter().map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_finding_shows_place_caret_risk_and_fix() {
    let ran = check(SPLIT);
    assert_eq!(ran.code, 0, "{}", ran.err);
    for part in [
        "warning[split_rule]",
        "--> m.yaml:9:5 at /spec/rules/1",
        "9 |   - to:\n",
        "  |     ^",
        "= fix: write from and to in one rule",
        "= instead at /spec/rules: [{\"from\":",
    ] {
        assert!(ran.err.contains(part), "{part:?} is not in {}", ran.err);
    }
    assert!(!ran.err.contains('\u{1b}'), "a pipe gets no colours: {}", ran.err);
    assert!(ran.out.starts_with("ok: "), "{}", ran.out);
}

#[test]
fn colours_and_denied_warnings_come_when_asked_for() {
    let folder = Folder::new();
    folder.write("m.yaml", SPLIT);
    let ran = folder.run("check m.yaml --color always --deny warnings");
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("\u{1b}[1;33mwarning[split_rule]\u{1b}[0m"), "{}", ran.err);
    assert!(ran.err.contains("0 errors, "), "{}", ran.err);
}

#[test]
fn the_errors_of_all_resources_and_files_are_found_at_once() {
    let folder = Folder::new();
    let bad = |name: &str, from: &str, to: &str| SPLIT.replace("frontend", name).replace(from, to);
    folder.write("p/a.yaml", bad("one", "methods", "method"));
    folder.write("p/b.yaml", bad("two", "cluster.local/ns", "spiffe://cluster.local/ns"));
    folder.write("p/c.yaml", "a: *b\n");
    folder.write("p/d.yaml", SPLIT);
    for line in [
        "check p --format json",
        "check p/a.yaml p/b.yaml p/d.yaml --namespace shop --label app=one --format json",
    ] {
        let ran = folder.run(line);
        assert_eq!(ran.code, 1, "{}", ran.out);
        let json: Value = serde_json::from_str(&ran.out).unwrap();
        let text = json["findings"].to_string();
        let expected: &[&str] = if line.contains("app=one") {
            &["shape"]
        } else {
            &["shape", "spiffe_scheme", "ambiguous_yaml", "split_rule"]
        };
        for code in expected {
            assert!(text.contains(code), "{line}: {code} is not in {text}");
        }
    }
}

#[test]
fn a_removed_resource_does_not_move_the_places_of_others() {
    let folder = Folder::new();
    let one =
        SPLIT.replace("frontend", "a").replace("methods", "method").replace("{app: a}", "{app: x}");
    let two = SPLIT.replace("frontend", "b").replace("{app: b}", "{app: x}");
    let three =
        SPLIT.replace("frontend", "c").replace("methods", "method").replace("{app: c}", "{app: x}");
    folder.write("m.yaml", format!("{one}---\n{two}---\n{three}"));
    let ran = folder.run("check m.yaml --namespace shop --label app=x --format json");
    let json: Value = serde_json::from_str(&ran.out).unwrap();
    let lines: Vec<_> = json["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| (finding["code"].as_str().unwrap(), finding["line"].as_u64().unwrap()))
        .collect();
    assert!(lines.contains(&("shape", 10)), "{lines:?}");
    assert!(lines.contains(&("split_rule", 20)), "{lines:?}");
    assert!(lines.contains(&("shape", 32)), "{lines:?}");
}

#[test]
fn sarif_and_github_name_file_line_and_column() {
    let folder = Folder::new();
    folder.write("a b.yaml", SPLIT);
    let out = folder.run_with(&["check", "a b.yaml", "--format", "sarif"], "").ok();
    let log: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let result = &run["results"][0];
    let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
    assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
    let physical = &result["locations"][0]["physicalLocation"];
    assert_eq!(physical["artifactLocation"]["uri"], "a%20b.yaml");
    assert_eq!(physical["region"]["startLine"], 9);
    let out = folder.run_with(&["check", "a b.yaml", "--format", "github"], "").ok();
    assert!(out.starts_with("::warning file=a b.yaml,line=9,col=5,title=split_rule::"), "{out}");
    assert_eq!(out.lines().count(), out.matches("::warning ").count(), "{out}");
}

#[test]
fn a_sound_zone_has_no_gaps() {
    assert!(codes(SOUND).is_empty(), "{:?}", codes(SOUND));
}

#[test]
fn gaps_between_zones_are_found() {
    for (from, to, expected) in [
        ("kind: NetworkPolicy", "kind: Other", "network_policy_missing"),
        ("policyTypes: [Ingress]", "policyTypes: [Egress]", "network_policy_missing"),
        ("podSelector: {}", "podSelector: {matchLabels: {a: b}}", "network_policy_missing"),
        ("policyTypes: [Ingress]", "ingress: [{}]", "network_policy_missing"),
        ("mode: STRICT", "mode: PERMISSIVE", "mtls_permissive"),
        ("mode: STRICT", "mode: DISABLE", "mtls_disabled"),
        (
            "{mode: STRICT}",
            "{mode: STRICT}, portLevelMtls: {8080: {mode: DISABLE}}",
            "mtls_disabled",
        ),
        ("namespace: istio-system", "namespace: elsewhere", "mtls_not_strict"),
        (
            "labels: {app: cart}",
            "labels: {app: cart, sidecar.istio.io/inject: 'false'}",
            "sidecar_opt_out",
        ),
        (
            "labels: {app: cart}",
            "labels: {app: cart}, annotations: {sidecar.istio.io/inject: 'false'}",
            "sidecar_opt_out",
        ),
        ("labels: {app: cart}", "labels: {app: other}", "workload_unselected"),
    ] {
        let text = SOUND.replace(from, to);
        assert_ne!(text, SOUND, "{from}");
        let found = codes(&text);
        assert!(found.iter().any(|code| code == expected), "{from} -> {to}: {found:?}");
    }
}

#[test]
fn a_policy_of_the_root_namespace_covers_every_workload() {
    let text = SOUND.replace(
        "name: cart, namespace: shop}\nspec:\n  selector: {matchLabels: {app: cart}}",
        "name: all, namespace: istio-system}\nspec:",
    );
    assert_ne!(text, SOUND);
    assert!(!codes(&text).iter().any(|code| code == "workload_unselected"));
    let moved = "--root-namespace mesh";
    let folder = Folder::new();
    folder.write("m.yaml", &text);
    let ran = folder.run(&format!("check m.yaml {moved} --format json"));
    assert!(ran.out.contains("workload_unselected"), "{}", ran.out);
}

#[test]
fn lists_and_standard_input_are_read_too() {
    let folder = Folder::new();
    let ran = folder.run_with(&["check", "-"], SPLIT);
    assert!(ran.err.contains("--> standard input:9:5"), "{}", ran.err);
    let indented = SPLIT.replace('\n', "\n  ");
    let list = format!("apiVersion: v1\nkind: List\nitems:\n- {indented}\n");
    let ran = folder.run_with(&["check", "-"], &list);
    assert!(ran.err.contains("split_rule"), "{}", ran.err);
}

#[test]
fn a_document_that_might_be_a_policy_is_never_passed_over() {
    let twice = format!("{SPLIT}---\n{SPLIT}");
    for (text, code) in [
        ("[a, b]\n", "unknown_document"),
        ("spec: {}\n", "unknown_document"),
        ("apiVersion: security.istio.io/v1\nkind: AuthorisationPolicy\n", "unknown_document"),
        ("apiVersion: security.istio.io/v2\nkind: AuthorizationPolicy\n", "unknown_document"),
        (twice.as_str(), "twice"),
    ] {
        assert!(codes(text).iter().any(|found| found == code), "{text}: {:?}", codes(text));
    }
}

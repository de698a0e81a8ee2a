//! What `core` says about bundles: a closed list of codes, and corrections that correct.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::std_instead_of_core,
    reason = "what cannot be run must stop the run with a message"
)]

use std::collections::{BTreeMap, BTreeSet};

use lychgate_core::engine::Engine;
use lychgate_core::{Finding, FindingCode, Severity, correction, unselected};
use lychgate_crypto::Portable;
use lychgate_harness::{LoadExpectation, load_vectors};
use lychgate_tests_native::Bench;
use serde_json::{Value, json};

/// The codes whose right value depends on what was meant are not here.
const CORRECTED: [FindingCode; 10] = [
    FindingCode::SpiffeScheme,
    FindingCode::SplitRule,
    FindingCode::DenyAbsent,
    FindingCode::AllowNegative,
    FindingCode::PathSlash,
    FindingCode::HostPort,
    FindingCode::OpenPrefix,
    FindingCode::AnyTrustDomain,
    FindingCode::LowerCaseMethod,
    FindingCode::KeysWithoutTls,
];

#[test]
fn every_finding_has_a_vector_that_has_it_and_one_that_nearly_has_it() {
    let (mut have, mut near) = (BTreeSet::new(), BTreeSet::new());
    for (_, vector) in load_vectors() {
        match vector.expect {
            LoadExpectation::Error { code, .. } => have.extend(code),
            LoadExpectation::Loads { warnings, near: codes } => {
                have.extend(warnings.into_iter().flatten().map(|warning| warning.code));
                near.extend(codes);
            }
        }
    }
    let all: BTreeSet<String> =
        FindingCode::ALL.iter().map(|code| code.name().to_owned()).collect();
    assert_eq!(have, all);
    assert_eq!(near, all);
}

#[test]
fn the_codes_of_findings_are_stable() {
    let line = |code: &FindingCode| {
        let (name, severity) = (code.name(), code.severity().name());
        format!("{severity} {name}\n    risk: {}\n    fix: {}\n", code.risk(), code.fix())
    };
    let codes: Vec<String> = FindingCode::ALL.iter().map(line).collect();
    assert_eq!(codes.concat(), include_str!("findings.txt"));
}

/// Everything that is said about a bundle: the error, or the warnings.
fn findings(bundle: &str) -> Vec<Finding> {
    match Engine::load(bundle.as_bytes(), &Portable) {
        Ok(engine) => engine.warnings().to_vec(),
        Err(error) => [error.finding()].into(),
    }
}

#[test]
fn an_error_is_a_finding_too() {
    let found = findings("[]");
    assert_eq!(found.len(), 1);
    assert!(found.iter().all(|found| found.severity() == Severity::Error));
}

#[test]
fn a_correction_removes_what_it_corrects() {
    let bench = Bench::new();
    let mut corrected: BTreeMap<&str, usize> = BTreeMap::new();
    for (file, vector) in load_vectors() {
        let text = vector.bundle.text(&bench.keys);
        for finding in findings(&text) {
            let Some(correction) = correction(text.as_bytes(), &finding) else { continue };
            let mut bundle: Value = serde_json::from_str(&text).unwrap();
            let value = serde_json::from_str(&correction.value).unwrap();
            *bundle.pointer_mut(&correction.pointer).unwrap() = value;
            let after = findings(&bundle.to_string());
            let is_left = |left: &&Finding| {
                (left.code, &left.pointer) == (finding.code, &finding.pointer)
                    || left.severity() == Severity::Error
            };
            assert_eq!(after.iter().find(is_left), None, "{file}: {}\n{correction:?}", vector.name);
            *corrected.entry(finding.code.name()).or_default() += 1;
        }
    }
    println!("{corrected:?}");
    let expected: BTreeSet<&str> = CORRECTED.iter().map(|code| code.name()).collect();
    assert_eq!(corrected.into_keys().collect::<BTreeSet<_>>(), expected);
}

#[test]
fn the_split_rule_is_corrected_into_one() {
    let from = json!([{ "source": { "principals": ["cluster.local/ns/a/sa/b"] } }]);
    let to = json!([{ "operation": { "methods": ["GET"] } }]);
    let when = json!({ "when": [{ "key": "source.namespace", "values": ["a"] }] });
    let bundle = bundle(json!([{ "from": from }, when, { "to": to }]));
    let split = findings(&bundle).into_iter().find(|found| found.code == FindingCode::SplitRule);
    let correction = correction(bundle.as_bytes(), &split.unwrap()).unwrap();
    assert_eq!(correction.pointer, "/resources/0/spec/rules");
    let merged: Value = serde_json::from_str(&correction.value).unwrap();
    assert_eq!(merged, json!([{ "from": from, "to": to }, when]));
}

#[test]
fn a_host_that_does_not_lint_decides_the_same_and_reports_the_rest() {
    let text = bundle(json!([{}]));
    let engine = Engine::load_unlinted(text.as_bytes(), &Portable).unwrap();
    let linted = Engine::load(text.as_bytes(), &Portable).unwrap();
    assert_eq!(engine.revision(), linted.revision());
    assert_eq!((engine.warnings().len(), linted.warnings().len()), (0, 1));
}

#[test]
fn a_resource_that_selects_none_of_the_workloads_is_named() {
    let labelled = |name: &str, app: &str| {
        json!({ "apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy",
            "metadata": { "name": name },
            "spec": { "selector": { "matchLabels": { "app": app } }, "rules": [{}] } })
    };
    let bundle = json!({ "apiVersion": "lychgate.dev/v1alpha1", "kind": "Bundle",
        "workload": { "kind": "sidecar", "namespace": "shop", "labels": { "app": "cart" } },
        "resources": [labelled("cart", "cart"), labelled("pay", "pay"), labelled("typo", "crat")] });
    let workload = |namespace: &str| {
        json!({ "kind": "sidecar", "namespace": namespace, "labels": { "app": "pay" } }).to_string()
    };
    let names = |workloads: &[String]| -> Vec<String> {
        let workloads: Vec<&[u8]> = workloads.iter().map(String::as_bytes).collect();
        let found = unselected(bundle.to_string().as_bytes(), &workloads).unwrap();
        assert!(found.iter().all(|found| found.code == FindingCode::SelectsNothing));
        found.into_iter().map(|found| format!("{} {}", found.pointer, found.detail)).collect()
    };
    assert_eq!(names(&[]), ["/resources/1 shop/pay", "/resources/2 shop/typo"]);
    assert_eq!(names(&[workload("shop")]), ["/resources/2 shop/typo"]);
    assert_eq!(names(&[workload("other")]).len(), 2);
    let refused = unselected(bundle.to_string().as_bytes(), &[b"{}"]).unwrap_err();
    assert_eq!(refused.code(), "shape");
}

fn bundle(rules: Value) -> String {
    json!({ "apiVersion": "lychgate.dev/v1alpha1", "kind": "Bundle",
        "workload": { "kind": "sidecar", "namespace": "production" },
        "resources": [{ "apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy",
            "metadata": { "name": "p" }, "spec": { "rules": rules } }] })
    .to_string()
}

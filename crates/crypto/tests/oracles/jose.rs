//! The examples of the JOSE RFCs.

use crate::differences::{Difference, Label, Ledger};
use crate::support::{accepts_jws, json, jwk, shared};

#[test]
fn the_cookbook_signatures_are_genuine() {
    let (mut ledger, mut cases) = (Ledger::default(), 0);
    for file in [
        "jws/4_1.rsa_v15_signature.json",
        "jws/4_2.rsa-pss_signature.json",
        "jws/4_3.ecdsa_signature.json",
        "jws/4_4.hmac-sha2_integrity_protection.json",
        "curve25519/jws.json",
    ] {
        let Some(text) = shared(&format!("jose-cookbook/{file}")) else { return };
        let example = json(&text);
        let rule = (example["input"]["alg"] == "ES512").then_some(Difference::Es512);
        let jws = example["output"]["compact"].as_str().unwrap();
        let accepted = jwk(&example["input"]["key"]).is_some_and(|key| accepts_jws(&key, jws));
        ledger.note("cookbook", &file, Label::Valid, rule, accepted);
        cases += 1;
    }
    ledger.settle(&["cookbook"], cases);
}

#[test]
fn the_rfc_examples_are_judged_as_labelled() {
    let (mut ledger, mut cases) = (Ledger::default(), 0);
    for file in ["rfc/rfc7515_appendix_a.json", "rfc/rfc8037.json"] {
        let Some(text) = shared(file) else { return };
        for case in json(&text)["cases"].as_array().unwrap() {
            let name = case["name"].as_str().unwrap();
            let label = if case["expect"] == "valid" { Label::Valid } else { Label::Invalid };
            let rule = name.contains("ES512").then_some(Difference::Es512);
            let jws = case["jws"].as_str().unwrap();
            let key = case["jwk"].as_object().and_then(|_| jwk(&case["jwk"]));
            let accepted = key.is_some_and(|key| accepts_jws(&key, jws));
            ledger.note("rfc", &name, label, rule, accepted);
            cases += 1;
        }
    }
    ledger.settle(&["rfc"], cases);
}

#[test]
fn an_unsecured_jws_is_refused_under_every_key_of_the_rfc() {
    let Some(text) = shared("rfc/rfc7515_appendix_a.json") else { return };
    let examples = json(&text);
    let cases = examples["cases"].as_array().unwrap();
    let unsecured = cases.iter().find(|case| case["name"] == "A.5 none").unwrap();
    for key in cases.iter().filter(|case| case["jwk"].is_object()) {
        let Some(key) = jwk(&key["jwk"]) else { continue };
        assert!(!accepts_jws(&key, unsecured["jws"].as_str().unwrap()));
    }
}

//! The judge that is a real Envoy catches a Lychgate that is looser, or hands on something else.
#![allow(
    clippy::std_instead_of_core,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at what it can't do"
)]

use lychgate_istio_parity::case::{RequestModel, Setup};
use lychgate_istio_parity::oracle::{Answer, Oracle};
use lychgate_istio_parity::parity::{Comparison, Question, Spelling, Subject};
use lychgate_istio_parity::real::{Identities, Place, Proxy, carried, verdict};
use serde_json::{Value, json};

fn setup(rules: &Value) -> Setup {
    serde_json::from_value(json!({
        "policies": [{
            "apiVersion": "security.istio.io/v1",
            "kind": "AuthorizationPolicy",
            "metadata": { "name": "p", "namespace": "prod" },
            "spec": { "rules": rules },
        }],
        "jwt_rules": [],
        "trust_domains": ["cluster.local"],
        "peers": "FilterState",
        "key": "hmac-1",
        "forwarded": false,
    }))
    .unwrap()
}

/// What the judge says of Istio's filters with the first rules and Lychgate with the second.
fn judged(istio: &Value, lychgate: &Value) -> Comparison {
    let identities = Identities::default();
    let place = |rules| Place { setup: setup(rules), spelling: Spelling::Normal };
    let places = [place(istio), place(lychgate)];
    let proxy = Proxy::start(&identities, &places).unwrap();
    let model = RequestModel {
        method: "GET".into(),
        target: "/admin".into(),
        headers: vec![("x-out".into(), "1".into())],
        ..RequestModel::default()
    };
    let request = carried(&places[0].setup, &model);
    let ask = |index: usize| {
        let requests = std::slice::from_ref(&request);
        proxy.ask(index, &places[index], requests, &identities).unwrap().remove(0)
    };
    let (native, _) = ask(0);
    let (_, through) = ask(1);
    let oracle = Oracle::new(&places[0].setup).unwrap();
    let setup = &places[0].setup;
    let question =
        Question { oracle: &oracle, setup, request: &request, spelling: Spelling::Normal };
    let core = Subject::load(setup).unwrap().decide(setup, &request, Spelling::Normal);
    verdict(&question, &native, &through, &core)
}

#[test]
fn a_filter_that_allows_more_than_istio_is_looser() {
    let (nothing, anything) = (json!([]), json!([{}]));
    assert_eq!(judged(&nothing, &anything), Comparison::Looser(Answer::Forbidden));
    assert_eq!(judged(&anything, &anything), Comparison::BothAllow);
    assert_eq!(judged(&nothing, &nothing), Comparison::BothDeny);
}

#[test]
fn a_filter_that_allows_less_than_istio_needs_a_name_for_it() {
    let (users, anything) =
        (json!([{ "to": [{ "operation": { "paths": ["/users"] } }] }]), json!([{}]));
    assert!(judged(&anything, &users).is_bug());
}

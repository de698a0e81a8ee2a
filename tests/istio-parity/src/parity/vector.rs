//! A case as a vector, ready for `tests/vectors`.

use serde_json::{Map, Value, json};

use super::{Case, Comparison, Spelling, Subject};
use crate::case::{Form, PeerNames, RequestModel, Setup, Token};
use crate::keys;
use crate::oracle::normalize;
use crate::rbac::PeerForm;

/// A file of vectors with the case as its only one. It expects what Lychgate should have said: a
/// refusal where it was looser, and what Envoy said where nothing explains its refusal.
#[must_use]
pub fn file(case: &Case, comparison: &Comparison) -> Value {
    let expect = match (comparison, ours(case)) {
        (Comparison::Looser(_), _) => json!({ "verdict": "deny", "status": 403 }),
        (Comparison::Unexplained(_) | Comparison::HandedOn(_), _) | (_, None) => {
            json!({ "verdict": "allow", "status": 200 })
        }
        (_, Some(expect)) => expect,
    };
    json!({
        "description": "Found by the comparison with Istio; needs a name and a reason.",
        "bundles": { "found": bundle(&case.setup) },
        "vectors": [{
            "name": format!("{}: the request is answered as Envoy answers it", comparison.kind()),
            "bundle": "found",
            "request": request(case),
            "needs": ["connection"],
            "expect": expect,
        }],
    })
}

fn ours(case: &Case) -> Option<Value> {
    let subject = Subject::load(&case.setup).ok()?;
    let ours = subject.decide(&case.setup, &case.request, case.spelling);
    let verdict = if ours.allowed { "allow" } else { "deny" };
    let status = if ours.allowed { 200 } else { ours.reason.status() };
    Some(json!({ "verdict": verdict, "reason": ours.reason.code(), "status": status }))
}

/// The bundle, with keys by name.
fn bundle(setup: &Setup) -> Value {
    let mut bundle: Value = serde_json::from_str(&setup.bundle()).expect("a bundle is JSON");
    let secret = keys::signer(&setup.key).secret().is_some();
    for key in bundle["settings"]["symmetricKeys"].as_array_mut().into_iter().flatten() {
        key["k"] = json!({ "$secret": setup.key });
    }
    for resource in bundle["resources"].as_array_mut().into_iter().flatten() {
        for rule in resource["spec"]["jwtRules"].as_array_mut().into_iter().flatten() {
            if !secret {
                rule["jwks"] = json!({ "$jwks": [setup.key] });
            }
        }
    }
    bundle
}

fn request(case: &Case) -> Value {
    let model = &case.request;
    let mut request = Map::new();
    let mut set = |name: &str, value: Value| drop(request.insert(name.into(), value));
    set("method", json!(model.method));
    set("path", text(case, &target(case)));
    set("authority", json!(model.authority));
    let headers = model.headers.iter();
    set("headers", headers.map(|(name, value)| json!([name, text(case, value)])).collect());
    if let Some(peer) = &model.peer {
        set("peer", self::peer(peer, case.setup.peers));
    }
    let addresses = [
        ("source_ip", model.source_ip),
        ("remote_ip", model.remote_ip),
        ("destination_ip", model.destination_ip),
    ];
    for (name, address) in addresses {
        if let Some(address) = address {
            set(name, json!(address));
        }
    }
    if let Some(port) = model.destination_port {
        set("destination_port", json!(port));
    }
    if let Some(name) = &model.server_name {
        set("sni", json!(name));
    }
    let metadata = |(filter, key, value): &(String, String, Value)| json!({ "filter": filter, "key": key, "value": value });
    if !model.metadata.is_empty() {
        set("metadata", model.metadata.iter().map(metadata).collect());
    }
    request.into()
}

fn target(case: &Case) -> String {
    let RequestModel { target, .. } = &case.request;
    match (case.spelling, target.split_once('?')) {
        (Spelling::Raw, _) => target.clone(),
        (_, Some((path, query))) => format!("{}?{query}", normalize(path)),
        (_, None) => normalize(target),
    }
}

fn peer(peer: &PeerNames, form: PeerForm) -> Value {
    match (form, peer.uris.as_slice()) {
        (PeerForm::FilterState, [id, ..]) => json!({ "spiffe": id }),
        _ => json!({ "certificate": {
            "uri_sans": peer.uris, "dns_sans": peer.hosts, "cn": "test",
        }}),
    }
}

/// A text in which tokens stand.
fn text(case: &Case, text: &str) -> Value {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("{token:") {
        let Some((index, after)) = behind.split_once('}') else { break };
        let token = index.parse().ok().and_then(|index: usize| case.request.tokens.get(index));
        parts.push(json!(before));
        parts.extend(token.map(|token| json!({ "token": self::token(&case.setup.key, token) })));
        rest = after;
    }
    if parts.is_empty() {
        return json!(text);
    }
    parts.push(json!(rest));
    parts.retain(|part| part != "");
    if parts.len() == 1 { parts.remove(0) } else { json!({ "concat": parts }) }
}

fn token(key: &str, token: &Token) -> Value {
    let mut vector = json!({ "key": key, "payload_text": json!(token.claims).to_string() });
    match token.form {
        Form::Genuine => {}
        Form::NoKid => vector["header"] = json!({ "kid": { "$absent": true } }),
        Form::UnknownKid => vector["header"] = json!({ "kid": "nobody's" }),
        Form::Forged | Form::Altered | Form::Unsigned => {
            vector = json!({ "raw": keys::signer(key).token(token) });
        }
    }
    vector
}

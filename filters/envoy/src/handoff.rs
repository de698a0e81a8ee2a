//! What those behind the filter learn: changed headers, and filter state.

use lychgate_core::decision::{Decision, Verdict};
use proxy_wasm::hostcalls;
use proxy_wasm::types::MapType;

const HEADERS: MapType = MapType::HttpRequestHeaders;

/// Changes the request as the decision says.
pub(crate) fn change_request(decision: &Decision) {
    let changes = decision.upstream();
    for name in &changes.remove {
        let _ = hostcalls::remove_map_value(HEADERS, name);
    }
    for (name, value) in &changes.set {
        // What the client sent under these names is gone, and a bundle in which two outputs share
        // one does not load, so Envoy need not look for an earlier value.
        let _ = hostcalls::add_map_value_bytes(HEADERS, name, value.as_bytes());
    }
    if let Some(target) = &changes.target {
        let _ = hostcalls::set_map_value_bytes(HEADERS, ":path", Some(target));
    }
}

/// Tells access logs and later filters: the verdict, and who called unless headers say so already.
/// Each value costs every request a call.
pub(crate) fn publish(decision: &Decision) {
    let verdict = match decision.verdict() {
        Verdict::Allow => "allow",
        Verdict::Deny => "deny",
    };
    put("lychgate.verdict", verdict);
    if decision.hands_on_identity() {
        return;
    }
    let crossing = decision.crossing();
    if let Some(subject) = crossing.subject() {
        put("lychgate.subject", subject);
    }
    if let Some(peer) = crossing.peer() {
        put("lychgate.peer", peer);
    }
}

fn put(key: &str, value: &str) {
    let _ = hostcalls::set_property(vec![key], Some(value.as_bytes()));
}

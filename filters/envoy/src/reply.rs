//! Refusals.

use lychgate_core::reply::Reply;
use proxy_wasm::hostcalls;
use proxy_wasm::types::Action;

/// Sends a refusal. For a gRPC request Envoy turns the status into the gRPC one that belongs to it.
pub(crate) fn send(reply: &Reply) {
    let headers = reply.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let _ =
        hostcalls::send_http_response(reply.status.into(), headers, Some(reply.body.as_bytes()));
}

/// Refuses a request for which there is no policy: the filter itself is at fault.
pub(crate) fn fault() -> Action {
    let headers = vec![("cache-control", "no-store"), ("retry-after", "2")];
    let _ = hostcalls::send_http_response(503, headers, None);
    Action::Pause
}

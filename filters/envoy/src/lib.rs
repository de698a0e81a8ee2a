//! The proxy-wasm filter: Envoy's request to core's, core's decision to Envoy's reply.
//!
//! Nothing is decided here. [`root`](mod@root) loads the bundle and keeps keys fresh, `stream` asks
//! about each request, and the other modules each translate one thing: attributes and headers
//! (`request`), certificates (`peer`), signatures (`verify`), key sets (`jwks`), refusals
//! (`reply`), what the upstream learns (`handoff`) and counters (`metrics`).
//!
//! What must hold: no input makes it panic, since that would end the VM; a fault answers 503; only
//! host calls that hand over bytes are made. README.md says how to configure Envoy and Istio.

mod bounded;
mod config;
mod handoff;
mod host;
mod jwks;
mod metadata;
mod metrics;
mod parked;
mod peer;
mod plugin;
mod protobuf;
mod reply;
mod request;
mod root;
mod stream;
mod verify;

mod entry {
    //! Where Envoy begins.

    proxy_wasm::main! {{
        proxy_wasm::set_log_level(proxy_wasm::types::LogLevel::Warn);
        proxy_wasm::set_root_context(|id| Box::new(crate::root::Root::new(id)));
    }}
}

//! Runs the Lychgate filter in a real Envoy.
//!
//! [`Envoy::start`] starts one process on free ports with listeners made of [`Listener`]s, and ends
//! exactly that process when it goes out of scope. [`Client`] speaks raw bytes, so that a test can
//! send what no HTTP library would. Everything stays on 127.0.0.1 and below one scratch folder.
//!
//! Envoy itself is found through `LYCHGATE_ENVOY`, else where `make setup` puts it.

pub mod client;
pub mod config;
pub mod envoy;
pub mod jwks;
pub mod pki;
pub mod policy;
pub mod scratch;
pub mod token;
pub mod upstream;
pub mod wasm;
pub mod wire;

pub use client::{Client, Response};
pub use config::{Filter, Listener, Route, Setup, Transport};
pub use envoy::Envoy;
pub use jwks::JwksServer;
pub use pki::{Authority, Identity};
pub use scratch::Scratch;
pub use token::SigningKey;
pub use upstream::Upstream;

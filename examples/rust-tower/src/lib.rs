//! Lychgate as a [`tower::Layer`]: what stands behind it only sees requests that the policy allows.
//!
//! Three steps, each in its own module: [`convert`] turns an [`http::Request`] into the request
//! that core knows, [`gate`] holds the policy and decides, [`layer`] answers or passes on.
//!
//! A TLS server in front puts the verified peer into the request's extensions, as a
//! [`lychgate_core::spiffe::Peer`]. Without one the peer is absent, which never matches a principal.

pub mod convert;
pub mod gate;
pub mod layer;

pub use gate::{Gate, GateError};
pub use layer::Lychgate;

/// The code in the project's README compiles and runs.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

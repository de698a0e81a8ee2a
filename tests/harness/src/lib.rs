//! Turns `tests/vectors` into requests: loads the files, mints the tokens, issues the certificates.
//!
//! It knows nothing of Lychgate's code, so that every launcher (native, Envoy, ...) gets the same
//! bytes and the engine is judged from outside. It signs with test keys that everybody can read.
//! A vector that says something impossible stops the run: that is a bug in the vector.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::std_instead_of_core,
    clippy::alloc_instead_of_core,
    clippy::wildcard_enum_match_arm,
    reason = "test code: a broken vector must stop the run with a message"
)]

mod certificate;
mod keys;
mod request;
mod suite;
mod text;
mod token;
mod wire;

pub use certificate::{Authority, CertificateSpec, Issued};
pub use keys::{Key, KeyRing, SigningAlgorithm};
pub use request::{HttpRequest, MetadataValue, Metadatum, Peer, PeerSpec, RequestSpec};
pub use suite::{
    Bundle, Expectation, LoadExpectation, LoadVector, Need, Topic, Upstream, Vector, Warning,
    load_topics, load_vectors, vectors_directory,
};
pub use text::{Mint, TextSpec};
pub use token::{TokenPlace, TokenSpec};
pub use wire::request_json;
